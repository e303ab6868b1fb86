"""Runs of SWMM models: made ready, carried out in processes of their own, and judged by their account of water."""

from collections.abc import Generator, Iterable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field

from hydrology.swmm_run import ALLOWED_ERROR, SwmmResults, WaterAccount, run_swmm
from layers.errors import InputError, MassBalanceError
from layers.ingest.swmm.document import Inp, write_document
from twin.ensemble import run_members
from twin.process import Progress, StoppedError

ROUTING_S = 2.0
"""Longest routing step [s]: with longer ones the dynamic wave of a full pipe makes and loses water."""

WET_S = 60.0
"""Longest step of the runoff in rain [s]."""


@dataclass(frozen=True, slots=True)
class SwmmTask:
    """A model to run: its text, and the files that it names by their names."""

    text: str
    files: Mapping[str, bytes] = field(default_factory=dict)


def prepare_model(inp: Inp, *, own_steps: bool = False) -> tuple[Inp, list[str]]:
    """Return the model as it is run, and what was changed, in words.

    One thread, steps of at most ``ROUTING_S`` and ``WET_S`` unless ``own_steps``, results of every object. Soils that
    SWMM 5.2 refuses and older engines took are mended.
    """
    model, notes = inp.copy(), []
    model.set_option("THREADS", 1)
    if not own_steps:
        for name, longest, usual in (("ROUTING_STEP", ROUTING_S, 20.0), ("WET_STEP", WET_S, 300.0)):
            given = model.option(name)
            step = read_seconds(given) if given else usual
            if step > longest:
                model.set_option(name, longest if name == "ROUTING_STEP" else write_clock(longest))
                notes.append(f"{name} {step:g} s → {longest:g} s")
    mended = _mend_deficits(model)
    if mended:
        notes.append(f"moisture deficit above 1 → 1 in {mended} subcatchments")
    model.keep("REPORT", [row for row in model.rows("REPORT") if row.words[0].upper() in ("CONTROLS", "INPUT")])
    for what in ("SUBCATCHMENTS", "NODES", "LINKS"):
        model.add("REPORT", (what, "ALL"))
    return model, notes


def _mend_deficits(model: Inp) -> int:
    """Set the moisture deficit of Green-Ampt's soils to at most 1: 5.2 refuses more, 5.1 took it. Return how many."""
    method = model.option("INFILTRATION", "HORTON").upper()
    count = 0
    for row in model.rows("INFILTRATION"):
        own = row.words[-1].upper() if row.words[-1][0].isalpha() and len(row.words) > 1 else method
        if own.endswith("GREEN_AMPT") and row.read_number(3, 0.0) > 1.0:
            model.replace("INFILTRATION", row.words[0], {3: 1.0})
            count += 1
    return count


def read_seconds(word: str) -> float:
    """Return a step of SWMM, seconds or H:MM:SS, in seconds; InputError where it is neither."""
    try:
        parts = [float(part) for part in word.split(":")]
    except ValueError as error:
        raise InputError(f"step '{word}' of the model is neither seconds nor H:MM:SS") from error
    return sum(part * 60.0 ** (2 - place) for place, part in enumerate(parts)) if len(parts) > 1 else parts[0]


def write_clock(seconds: float) -> str:
    """Return seconds as H:MM:SS."""
    whole = round(seconds)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def compute_swmm(task: SwmmTask, progress: Progress) -> SwmmResults:
    """Return the results of one model, in the process that calls; StoppedError when asked to stop."""
    results = run_swmm(
        task.text,
        files=task.files,
        follow=lambda share: progress.report(share, "SWMM"),
        should_stop=progress.should_stop,
    )
    if results is None:
        raise StoppedError
    return results


def run_models(
    tasks: Iterable[tuple[str, SwmmTask]], *, count: int, progress: Progress
) -> Generator[SwmmResults, None, None]:
    """Yield the results of named models in their order, as many at a time as cores, each in a process of its own."""
    return run_members(compute_swmm, tasks, count=count, progress=progress)


def run_model(name: str, inp: Inp, files: Mapping[str, bytes], progress: Progress) -> SwmmResults:
    """Return the results of one model, run in a process of its own."""
    task = SwmmTask(write_document(inp), dict(files))
    with closing(run_models([(name, task)], count=1, progress=progress)) as results:
        return next(results)


def check_account(name: str, account: WaterAccount, *, allow: bool = False) -> None:
    """Raise MassBalanceError where a run made or lost more water than allowed, unless ``allow``."""
    if allow or abs(account.worst) <= ALLOWED_ERROR:
        return
    errors = {"runoff": account.runoff_error, "routing": account.routing_error, "outfalls": account.outfall_error}
    said = ", ".join(f"{what} {error:+.2%}" for what, error in errors.items())
    raise MassBalanceError(
        f"{name} does not keep its water: {said}, allowed is {ALLOWED_ERROR:.1%}",
        hint="shorten its steps or mend its shortest pipes; allow_imbalance (--allow-imbalance) keeps the results",
    )


def describe_account(account: WaterAccount) -> dict[str, float]:
    """Return the account as a run's record keeps it: volumes [m3] and errors [1]."""
    return {
        **asdict(account.totals),
        "rain": account.rain,
        "outfall_volume": account.outfall_volume,
        "runoff_error": account.runoff_error,
        "routing_error": account.routing_error,
        "outfall_error": account.outfall_error,
        "relative_error": account.worst,
    }

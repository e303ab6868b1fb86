"""``twin drainage``: run SWMM models of files and of the city, read what they left."""

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from layers.errors import InputError
from twin.commands.carrying import carry_out
from twin.connect import connect_to_city
from twin.process import Process, Progress, Quiet, parse_inputs, parse_words
from twin.processes import drainage_capacity, drainage_criticality, drainage_run
from twin.processes.drainage_capacity import DrainageCapacityInputs, open_dry, run_storms
from twin.processes.drainage_criticality import DrainageCriticalityInputs, rank_links
from twin.processes.drainage_run import DrainageRun, DrainageRunInputs, describe_results, run_study
from twin.processes.drainage_study import open_run
from twin.progress import Report, show_progress
from twin.settings import read_settings
from twin.store import find_run_folder
from twin.swmm.profile import Profile, read_profile
from twin.swmm.profile_drawing import draw_profile
from twin.swmm.results_files import StoredRun, open_results, pack_results
from twin.swmm.running import describe_account
from twin.swmm.running_models import read_model_file

drainage = typer.Typer(
    help="Thoát nước — the drains: run SWMM, series, long profiles, capacity, critical pipes.", no_args_is_help=True
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Values = Annotated[
    list[str] | None,
    typer.Option(
        "--input", "-i", metavar="NAME=VALUE", help="An input of the process; repeat for more (twin run … --inputs)."
    ),
]
ModelFile = Annotated[Path | None, typer.Argument(metavar="MODEL.inp", help="A SWMM input file; no city is needed.")]
Layers = Annotated[bool, typer.Option("--layers", help="Dựng từ các lớp — make the model from the city's layers.")]
Model = Annotated[str | None, typer.Option("--model", help="Mô hình đã nhập — an imported model; see twin swmm list.")]
Allow = Annotated[
    bool, typer.Option("--allow-imbalance", help="Giữ kết quả dù sai số quá 0,5 % — keep results above 0.5 % error.")
]
OwnSteps = Annotated[
    bool, typer.Option("--own-steps", help="Giữ bước tính của tệp — keep the file's own steps, instead of 2 s at most.")
]
Keep = Annotated[
    Path | None, typer.Option("--keep", help="Thư mục giữ kết quả của một tệp — folder for results of a file.")
]

Kept = Annotated[str, typer.Argument(metavar="RUN", help="Mã lần chạy — id of a run, or the folder that --keep named.")]


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(drainage, name="drainage")


class Followed(Quiet):
    """Progress shown as a bar."""

    def __init__(self, follow: Report) -> None:
        self._follow = follow

    def report(self, fraction: float, message: str) -> None:
        """Move the bar."""
        self._follow(fraction, message)


@drainage.command("run")
def run(
    file: ModelFile = None,
    layers: Layers = False,
    model: Model = None,
    values: Values = None,
    own_steps: OwnSteps = False,
    allow_imbalance: Allow = False,
    keep: Keep = None,
    as_json: Json = False,
) -> None:
    """Mô phỏng — run a model: of a file, of the layers, or one that was imported."""
    process = drainage_run.PROCESS
    words = gather_words(process, values, own_steps=own_steps, allow_imbalance=allow_imbalance)
    check_source(file, layers, model)
    if file is None:
        if keep is not None:
            raise InputError("--keep is for the results of a file; those of the city are kept with their run")
        made = run_in_city(process, words if model is None else {**words, "model": model})
        answer = {**made["drainage"], **{name: made[name] for name in ("run", "title", "balance")}}
    else:
        inputs = parse_inputs(process, words)
        assert isinstance(inputs, DrainageRunInputs)
        with show_progress(file.name) as report:
            done = run_file(file, inputs, Followed(report))
        if keep is not None:
            keep_results(keep, done)
        answer = {
            **describe_results(done)["drainage"],
            "balance": describe_account(done.results.account),
            "notes": list(done.study.model.notes),
        }
    typer.echo(orjson.dumps(answer).decode() if as_json else write_summary(answer))


def run_file(file: Path, inputs: DrainageRunInputs, progress: Progress) -> DrainageRun:
    """Return the run of a file's model without any city."""
    return run_study(None, open_run(None, read_model_file(file), inputs), inputs, progress)


def keep_results(folder: Path, done: DrainageRun) -> None:
    """Write the results of a file's run into a folder, for ``series`` and ``profile``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in pack_results(done.study.model, done.results).items():
        (folder / name).write_bytes(content)


@drainage.command("capacity")
def capacity(
    file: ModelFile = None,
    layers: Layers = False,
    model: Model = None,
    values: Values = None,
    own_steps: OwnSteps = False,
    allow_imbalance: Allow = False,
    as_json: Json = False,
) -> None:
    """Năng lực — run design storms; say which fills each conduit. Needs -i storm_curve=A,C,b,n."""
    process = drainage_capacity.PROCESS
    words = gather_words(process, values, own_steps=own_steps, allow_imbalance=allow_imbalance)
    check_source(file, layers, model)
    if file is None:
        answer = run_in_city(process, words if model is None else {**words, "model": model})["capacity"]
    else:
        inputs = parse_inputs(process, words)
        assert isinstance(inputs, DrainageCapacityInputs)
        with show_progress(file.name) as report:
            study = open_dry(None, read_model_file(file), inputs)
            answer = run_storms(study, inputs, Followed(report)).summarize()
    typer.echo(orjson.dumps(answer).decode() if as_json else write_capacity(answer))


@drainage.command("critical")
def critical(
    file: ModelFile = None,
    layers: Layers = False,
    model: Model = None,
    values: Values = None,
    own_steps: OwnSteps = False,
    allow_imbalance: Allow = False,
    as_json: Json = False,
) -> None:
    """Cống quan trọng — block the busiest conduits one at a time; rank them by what floods more."""
    process = drainage_criticality.PROCESS
    words = gather_words(process, values, own_steps=own_steps, allow_imbalance=allow_imbalance)
    check_source(file, layers, model)
    if file is None:
        rows = run_in_city(process, words if model is None else {**words, "model": model})["criticality"]["links"]
    else:
        inputs = parse_inputs(process, words)
        assert isinstance(inputs, DrainageCriticalityInputs)
        with show_progress(file.name) as report:
            _, rows = rank_links(open_run(None, read_model_file(file), inputs), inputs, Followed(report))
    if as_json:
        typer.echo(orjson.dumps(rows).decode())
        return
    typer.echo(f"{'cống / link':24} {'tràn thêm / more, m³':>22} {'nút / nodes':>12} {'dâng / rise, m':>15}")
    for row in rows:
        typer.echo(f"{row['id']:24} {row['flooding_change']:>22,.1f} {row['nodes_more']:>12} {row['head_rise']:>15.2f}")


def gather_words(process: Process, values: list[str] | None, **flags: bool) -> dict[str, Any]:
    """Return the inputs of ``name=value`` words, with the flags that are set."""
    return {**parse_words(process, values or []), **{name: True for name, is_set in flags.items() if is_set}}


def check_source(file: Path | None, layers: bool, model: str | None) -> None:
    """Raise InputError unless exactly one of a file, the layers and an imported model is named."""
    if (file is not None) + layers + (model is not None) != 1:
        raise InputError("name one model to run", hint="MODEL.inp, --layers or --model ID")


def run_in_city(process: Process, words: dict[str, Any]) -> dict[str, Any]:
    """Run a process on the city and return its summary, with the run's id, title and balance."""
    settings = read_settings()
    engine = connect_to_city(settings)
    done = carry_out(engine, settings, process, words)
    title = f"{done.title_vi} — {done.title_en}"
    return {**(done.summary or {}), "run": done.id, "title": title, "balance": done.balance}


@drainage.command("series")
def series(
    run: Kept,
    node: Annotated[str | None, typer.Option("--node", help="Nút — id of a node.")] = None,
    link: Annotated[str | None, typer.Option("--link", help="Tuyến — id of a link.")] = None,
    as_json: Json = False,
) -> None:
    """Chuỗi thời gian — print the series of a node or link of a run, or of the whole network, as CSV."""
    if node is not None and link is not None:
        raise InputError("--node and --link exclude each other")
    stored = open_kept(run)
    if node is not None:
        values = stored.read_node(stored.find_node(node))
    elif link is not None:
        values = stored.read_link(stored.find_link(link))
    else:
        values = stored.read_system()
    if as_json:
        told = {"seconds": stored.times, **values}
        typer.echo(orjson.dumps(told, option=orjson.OPT_SERIALIZE_NUMPY).decode())
        return
    typer.echo(",".join(["seconds", *values]))
    for row in zip(stored.times, *values.values(), strict=True):
        typer.echo(",".join(f"{value:.6g}" for value in row))


@drainage.command("profile")
def profile(
    run: Kept,
    first: Annotated[str, typer.Option("--from", help="Nút đầu — the node it begins at.")],
    last: Annotated[str, typer.Option("--to", help="Nút cuối — the node it ends at.")],
    at: Annotated[float | None, typer.Option("--at", help="Giờ sau lúc bắt đầu — hours after the start.")] = None,
    output: Annotated[Path | None, typer.Option("--output", help="Tệp .svg, .json — the file to write.")] = None,
    as_json: Json = False,
) -> None:
    """Trắc dọc — the long profile of the drains between two nodes of a run."""
    stored = open_kept(run)
    found = read_profile(stored, first, last, at=None if at is None else at * 3600.0)
    if output is None:
        typer.echo(orjson.dumps(found.to_json()).decode() if as_json else write_profile(found))
        return
    if output.suffix.lower() == ".svg":
        moment = None if at is None else f"{int(at)}:{round(at % 1.0 * 60.0):02d} h"
        output.write_text(draw_profile(found, title=f"Trắc dọc · long profile {first} – {last}", moment=moment))
    elif output.suffix.lower() == ".json":
        output.write_bytes(orjson.dumps(found.to_json()))
    else:
        raise InputError(f"'{output.name}' is neither .svg nor .json", hint="name the file PROFILE.svg")
    typer.echo(f"{output}: {len(found.reaches)} tuyến · links, {found.length:,.1f} m")


def open_kept(run: str) -> StoredRun:
    """Return the results of a run of the city by its id, or those of a file by the folder they were kept in."""
    folder = Path(run)
    if folder.is_dir():
        return open_results(folder)
    settings = read_settings()
    with connect_to_city(settings).connect() as connection:
        return open_results(find_run_folder(connection, settings.processed_dir, run))


def write_profile(found: Profile) -> str:
    """Return a profile as a table for a person, elevations in m."""
    lines = [f"{'nút / node':24} {'m':>9} {'đáy':>9} {'mặt đất':>9} {'cao nhất':>9}  có áp / surcharged, tràn / floods"]
    for station in found.stations:
        rim = f"{station.rim:9.2f}" if station.rim is not None else f"{'–':>9}"
        said = f"{station.surcharge_time / 3600.0:.2f} h" if station.surcharge_time > 0.0 else ""
        said += f", {station.flooding_volume:,.1f} m³" if station.flooded else ""
        levels = f"{station.invert:9.2f} {rim} {station.max_head:9.2f}"
        lines.append(f"{station.id:24} {station.distance:9.1f} {levels}  {said}".rstrip())
    return "\n".join(lines)


def write_summary(answer: dict[str, Any]) -> str:
    """Return the figures of a run as lines for a person."""
    balance = answer["balance"]
    lines = [*([f"{answer['run']}\n{answer['title']}"] if "run" in answer else [])]
    lines += [
        "nút, tuyến, lưu vực / nodes, links, catchments   "
        f"{answer['nodes']}, {answer['links']}, {answer['catchments']}",
        f"mưa, dòng chảy mặt / rain, runoff                {answer['rain']:,.0f} m³, {answer['runoff']:,.0f} m³, "
        f"đỉnh / peak {answer['peak_runoff']:.3f} m³/s",
        f"ra cửa xả / through outfalls                     {answer['outfall_volume']:,.0f} m³, "
        f"đỉnh / peak {answer['peak_outflow']:.3f} m³/s",
        f"tràn / flooding                                  {answer['flooding_volume']:,.1f} m³, "
        f"{answer['flooded_nodes']} nút / nodes; có áp / surcharged {answer['surcharged_nodes']}",
        f"cống đầy / full conduits                         {answer['full_links']}, {answer['full_length']:,.0f} m "
        f"trong / of {answer['length']:,.0f} m",
        f"sai số nước / water missing                      dòng mặt / runoff {balance['runoff_error']:+.3%}, "
        f"trong cống / routing {balance['routing_error']:+.3%}, cửa xả / outfalls {balance['outfall_error']:+.3%}",
    ]
    for entry in answer.get("worst_nodes", ())[:5]:
        lines.append(f"  {entry['id']:24} tràn / floods {entry['flooding_volume']:,.1f} m³")
    for name, entry in (answer.get("comparison") or {}).items():
        share = "" if entry["share"] is None else f" ({entry['share']:+.1%})"
        lines.append(f"  {name:18} {entry['before']:>12,} → {entry['after']:>12,}{share}")
    lines += [f"  {note}" for note in answer.get("notes", ())]
    return "\n".join(lines)


def write_capacity(answer: dict[str, Any]) -> str:
    """Return the tables of a capacity study for a person: lengths in m, volumes in m³."""
    lines = [
        f"{'trận / storm':>14} {'mưa / rain, mm':>15} {'cống đầy / full, m':>19} {'nút tràn / floods':>18} {'m³':>10} "
        f"{'sai số / error':>15}"
    ]
    for row in answer["storms"]:
        lines.append(
            f"{row['return_period']:>12} a {row['depth']:>15.1f} {row['full_length']:>19,.0f} "
            f"{row['flooded_nodes']:>18} {row['flooding_volume']:>10,.0f} {row['relative_error']:>+15.3%}"
        )
    lines.append(f"{'đầy ở / fills at':>17} {'cống / links':>14} {'m':>10} {'%':>7} {'nút tràn / nodes':>18}")
    for row in answer["classes"]:
        period = "–" if row["return_period"] is None else f"{row['return_period']} a"
        lines.append(
            f"{period:>17} {row['links']:>14} {row['length']:>10,.0f} {100.0 * row['share']:>7.1f} {row['nodes']:>18}"
        )
    return "\n".join(lines)

"""Check the invariants, each for itself and in bounded time."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from twin.invariants.words import Breach, Invariant, Scene
from twin.progress import Report
from twin.store_invariants import bound_statements

_CANCELED = "57014"


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of one invariant; ``finished`` is false where the time did not suffice, and then nothing is known."""

    invariant: Invariant
    count: int
    breaches: tuple[Breach, ...]
    finished: bool = True


def check_invariants(
    engine: Engine, invariants: Iterable[Invariant], processed_dir: Path, *, most: int, within_s: float, report: Report
) -> list[Checked]:
    """Check each of ``invariants`` in a transaction of its own, its questions for at most ``within_s`` seconds each."""
    chosen, checked = list(invariants), []
    for place, one in enumerate(chosen):
        report(place / len(chosen), one.id)
        with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            bound_statements(connection, within_s)
            try:
                found = one.find(Scene(connection, processed_dir, most))
            except OperationalError as error:
                if getattr(error.orig, "sqlstate", None) != _CANCELED:
                    raise
                checked.append(Checked(one, 0, (), finished=False))
                continue
        checked.append(Checked(one, found.count, found.breaches))
    return checked


def write_invariants(checked: Iterable[Checked]) -> list[dict[str, Any]]:
    """Return what came of it as plain values for JSON, every invariant by its id."""
    return [
        {
            "invariant": one.invariant.id,
            "title": one.invariant.title._asdict(),
            "finished": one.finished,
            "count": one.count,
            "breaches": [{"place": breach.place, "what": breach.what} for breach in one.breaches],
            "remedy": one.invariant.remedy,
        }
        for one in checked
    ]

"""What an import found wrong and what it did: rejected rows with reasons, and the report of a load."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

LONGEST_VALUE = 200


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a row: the field, what it held, why that cannot be, and what would help."""

    field: str | None
    value: str | None
    reason: str
    hint: str | None = None

    @property
    def words(self) -> str:
        """Field and reason in one, as reports count them."""
        return f"{self.field}: {self.reason}" if self.field else self.reason


@dataclass(frozen=True, slots=True)
class Rejection:
    """One row that was not loaded: its number in the file (first data row is 1), all that is wrong, what it held.

    ``feature_id`` is the identifier it would have, ``rule`` the number of the mapping's rule that chose it.
    """

    row: int
    problems: tuple[Problem, ...]
    payload: Mapping[str, Any]
    feature_id: str | None = None
    rule: int = 0

    @property
    def reason(self) -> str:
        """The first thing that is wrong."""
        return self.problems[0].reason


def count_reasons(rejections: Iterable[Rejection]) -> Counter[str]:
    """Return how many rows each reason is said of; a row with two problems counts in both."""
    return Counter(problem.words for one in rejections for problem in one.problems)


class Problems:
    """Collects what is wrong with the rows of a table, by position: the first problem of every field."""

    def __init__(self, count: int) -> None:
        self.bad: NDArray[np.bool_] = np.zeros(count, dtype=bool)
        self._of_field: dict[str | None, NDArray[np.bool_]] = {}
        self._found: dict[int, list[Problem]] = {}

    def add(
        self,
        mask: NDArray[np.bool_],
        reason: str,
        *,
        name: str | None = None,
        values: "pd.Series[Any] | Callable[[], pd.Series[Any]] | None" = None,
        hint: str | None = None,
    ) -> None:
        """Reject the rows of ``mask``; ``values`` gives what each of them held, or makes it when it is needed.

        A field that has a problem gets no second one: what cannot be read is not also missing.
        """
        known = self._of_field.setdefault(name, np.zeros(len(self.bad), dtype=bool))
        positions = np.flatnonzero(mask & ~known)
        held = values() if len(positions) and callable(values) else values
        for position in positions:
            value = _shorten(held.iloc[position]) if isinstance(held, pd.Series) else None
            self._found.setdefault(int(position), []).append(Problem(name, value, reason, hint))
        known |= mask
        self.bad |= mask

    def get(self, position: int) -> tuple[Problem, ...]:
        """Return what is wrong with one row."""
        return tuple(self._found.get(position, ()))

    def list_rejections(self, rows: NDArray[np.int64], payloads: Mapping[int, Mapping[str, Any]]) -> list[Rejection]:
        """Return the rejected rows in file order; ``rows`` gives their numbers, ``payloads`` what they held."""
        return [
            Rejection(int(rows[position]), self.get(position), payloads[position]) for position in sorted(self._found)
        ]


def _shorten(value: object) -> str | None:
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return None
    words = str(value)
    return words if len(words) <= LONGEST_VALUE else words[:LONGEST_VALUE] + "…"


@dataclass(frozen=True, slots=True)
class Change:
    """One property of one stored feature that the file says otherwise."""

    id: str
    property: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Diff:
    """How a file differs from what its source brought before, beyond the counts.

    ``properties`` counts the changed features by property; ``changes``, ``new`` and ``gone`` are the first of them, at
    most ``most`` each.
    """

    most: ClassVar[int] = 10

    properties: Counter[str] = field(default_factory=Counter)
    changes: tuple[Change, ...] = ()
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the difference as plain values for JSON."""
        changes = [asdict(one) for one in self.changes]
        return {"properties": self.properties, "changes": changes, "new": list(self.new), "gone": list(self.gone)}


@dataclass(slots=True)
class LoadReport:
    """What one load did to one layer.

    ``read`` counts the rows the mapping chose for the layer and equals ``loaded`` (``new`` and ``changed``) +
    ``unchanged`` + ``quarantined``. Of the unchanged, ``edited`` were edited by hand and kept although the file says
    otherwise; of the quarantined, ``settled`` had been mended or dismissed before. ``skipped`` counts rows of the file
    that no layer wanted. ``gone`` counts stored rows of the source that the file no longer has; they are kept, except
    those ``pruned``. ``repaired`` counts mended geometries, ``conversions`` what was changed on the way in,
    ``personal`` the columns left out because they hold personal data, and why; ``seconds`` the whole time [s].
    """

    source: str
    layer: str
    read: int = 0
    loaded: int = 0
    unchanged: int = 0
    quarantined: int = 0
    skipped: int = 0
    gone: int = 0
    repaired: int = 0
    conversions: Counter[str] = field(default_factory=Counter)
    ignored_columns: tuple[str, ...] = ()
    reasons: Counter[str] = field(default_factory=Counter)
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    is_current: bool = False
    dry_run: bool = False
    new: int = 0
    changed: int = 0
    edited: int = 0
    settled: int = 0
    pruned: int = 0
    encoding: str | None = None
    crs: str | None = None
    personal: dict[str, str] = field(default_factory=dict)
    diff: Diff = field(default_factory=Diff)
    load_id: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain values for JSON."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
        return {**plain, "seconds": round(self.seconds, 3), "diff": self.diff.as_dict()}

"""What an import found wrong and what it did: rejected rows with reasons, and the report of a load."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

LONGEST_VALUE = 200


@dataclass(frozen=True, slots=True)
class Rejection:
    """One row that was not loaded: its number in the file (first data row is 1), the field, what it held, why."""

    row: int
    field: str | None
    value: str | None
    reason: str
    hint: str | None
    payload: Mapping[str, Any]


class Problems:
    """Collects the first problem of every row of a table, by position."""

    def __init__(self, count: int) -> None:
        self.bad: NDArray[np.bool_] = np.zeros(count, dtype=bool)
        self._found: dict[int, tuple[str | None, str | None, str, str | None]] = {}

    def add(
        self,
        mask: NDArray[np.bool_],
        reason: str,
        *,
        name: str | None = None,
        values: "pd.Series[Any] | None" = None,
        hint: str | None = None,
    ) -> None:
        """Reject the rows of ``mask`` that are still good; ``values`` gives what each of them held."""
        for position in np.flatnonzero(mask & ~self.bad):
            value = None if values is None else _shorten(values.iloc[position])
            self._found[int(position)] = (name, value, reason, hint)
        self.bad |= mask

    def list_rejections(self, rows: NDArray[np.int64], payloads: Mapping[int, Mapping[str, Any]]) -> list[Rejection]:
        """Return the rejected rows in file order; ``rows`` gives their numbers, ``payloads`` what they held."""
        return [
            Rejection(int(rows[position]), *self._found[position], payload=payloads[position])
            for position in sorted(self._found)
        ]


def _shorten(value: object) -> str | None:
    if value is None or value is pd.NA or (isinstance(value, float) and np.isnan(value)):
        return None
    words = str(value)
    return words if len(words) <= LONGEST_VALUE else words[:LONGEST_VALUE] + "…"


@dataclass(slots=True)
class LoadReport:
    """What one load did to one layer.

    ``read`` counts the rows the mapping chose for the layer and equals ``loaded`` (new and changed) + ``unchanged``
    + ``quarantined``. ``skipped`` counts rows of the file that no layer wanted. ``gone`` counts stored rows of the
    source that the file no longer has; they are kept. ``repaired`` counts mended geometries, ``conversions`` what was
    changed on the way in, ``seconds`` the whole time [s].
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

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain values for JSON."""
        return {
            "source": self.source,
            "layer": self.layer,
            "read": self.read,
            "loaded": self.loaded,
            "unchanged": self.unchanged,
            "quarantined": self.quarantined,
            "skipped": self.skipped,
            "gone": self.gone,
            "repaired": self.repaired,
            "conversions": dict(self.conversions),
            "ignored_columns": list(self.ignored_columns),
            "reasons": dict(self.reasons),
            "notes": list(self.notes),
            "seconds": round(self.seconds, 3),
            "is_current": self.is_current,
            "dry_run": self.dry_run,
        }

"""Structures that move water between cells: pumps. Gates are stage cells, dykes and breaches are bed edits."""

import math
from dataclasses import dataclass

from layers.errors import InputError


@dataclass(frozen=True, slots=True)
class Pump:
    """A pump between two cells of the grid, or out of it.

    row, col: the cell it draws from; to_row, to_col: where it delivers, both None for outside the domain.
    capacity [m3/s]. It starts when the depth at its cell reaches start_depth and stops at stop_depth [m].
    on: False keeps it off.
    """

    id: str
    row: int
    col: int
    to_row: int | None
    to_col: int | None
    capacity: float
    start_depth: float = 0.10
    stop_depth: float = 0.02
    on: bool = True

    def __post_init__(self) -> None:
        if (self.to_row is None) != (self.to_col is None):
            raise InputError(f"pump '{self.id}' delivers to ({self.to_row}, {self.to_col}), expected both or neither")
        if not 0.0 <= self.capacity < math.inf:
            raise InputError(f"pump '{self.id}' has capacity {self.capacity} m3/s, expected 0 or more")
        if not 0.0 <= self.stop_depth <= self.start_depth < math.inf:
            raise InputError(
                f"pump '{self.id}' starts at {self.start_depth} m and stops at {self.stop_depth} m, "
                "expected 0 <= stop <= start"
            )

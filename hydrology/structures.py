"""Structures that move water between two cells: pumps, weirs, gates, orifices and culverts.

End a is (row, col), end b is (to_row, to_col), cells of the city grid. Discharge from a to b is positive. Either may
be a cell whose stage is prescribed (a river, a tidal canal), not both. The laws are in ``flow_laws``, the loop in
``links``.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hydrology.controls import LevelRule, Schedule
from layers.errors import InputError

INLETS: dict[str, tuple[str, float, float, float, float]] = {
    "square edge": ("circular", 0.0098, 2.0, 0.0398, 0.67),
    "groove end": ("circular", 0.0018, 2.0, 0.0292, 0.74),
    "groove end projecting": ("circular", 0.0045, 2.0, 0.0317, 0.69),
    "metal headwall": ("circular", 0.0078, 2.0, 0.0379, 0.69),
    "metal mitered": ("circular", 0.0210, 1.33, 0.0463, 0.75),
    "metal projecting": ("circular", 0.0340, 1.50, 0.0553, 0.54),
    "wingwalls 30-75": ("box", 0.026, 1.0, 0.0347, 0.81),
    "wingwalls 15 or 90": ("box", 0.061, 0.75, 0.0400, 0.80),
    "wingwalls 0": ("box", 0.061, 0.75, 0.0423, 0.82),
}
"""Entrances of culverts by name: shape, then K, M, c, Y of the inlet control equations, all of form 1.

Schall, Thompson, Zerges, Kilgore and Morris 2012, FHWA-HIF-12-026 (HDS-5), table A.1; angles of wingwalls in degrees.
"""


def _name(structure: "Structure") -> str:
    return f"{type(structure).__name__.lower()} '{structure.id}'"


def _check_range(
    structure: "Structure", field: str, unit: str, low: float, high: float, *, above: bool = False
) -> None:
    """Raise InputError where a field is not within [low, high], or (low, high] where ``above``; ``1`` is no unit."""
    value, unit = getattr(structure, field), f" {unit}" if unit else ""
    if not (low < value <= high if above else low <= value <= high):
        expected = f"above {low:g} and at most {high:g}" if above else f"{low:g} to {high:g}"
        raise InputError(f"{_name(structure)} has {field} {value}{unit}, expected {expected}{unit}")


def _check_levels(structure: "Structure", *fields: str) -> None:
    for field in fields:
        _check_range(structure, field, "m", -500.0, 9000.0)


def _check_ends(structure: "Structure") -> None:
    here, there = (structure.row, structure.col), (structure.to_row, structure.to_col)
    if (there[0] is None) != (there[1] is None):
        raise InputError(f"{_name(structure)} delivers to {there}, expected both or neither")
    if there[0] is None and not isinstance(structure, Pump):
        raise InputError(f"{_name(structure)} leads to {there}, expected a cell; only pumps lead out of the domain")
    if here == there:
        raise InputError(f"{_name(structure)} begins and ends in cell {here}, expected two cells")


@dataclass(frozen=True, slots=True, eq=False)
class PumpCurve:
    """What a pump moves against a lift: heads [m] rising and discharges [m3/s] not rising, both (n,).

    Linear between; the first discharge holds at lower lifts, and nothing flows above the last head (shut-off).
    """

    heads: NDArray[np.float64]
    discharges: NDArray[np.float64]

    def __post_init__(self) -> None:
        h, q = np.asarray(self.heads, dtype=np.float64), np.asarray(self.discharges, dtype=np.float64)
        if h.ndim != 1 or h.shape != q.shape or h.size < 2:
            raise InputError(f"pump curve: heads {h.shape} and discharges {q.shape}, expected two (n,) arrays, n > 1")
        if not (np.isfinite(h).all() and (np.diff(h) > 0.0).all()):
            raise InputError(f"pump curve: heads {h.tolist()} m, expected rising numbers")
        if not (np.isfinite(q).all() and (q >= 0.0).all() and (np.diff(q) <= 0.0).all()):
            raise InputError(
                f"pump curve: discharges {q.tolist()} m3/s, expected 0 or more and none above the one before"
            )
        object.__setattr__(self, "heads", h)
        object.__setattr__(self, "discharges", q)


@dataclass(frozen=True, slots=True)
class Pump:
    """A pump between two cells of the grid, or out of it.

    row, col: the cell it draws from; to_row, to_col: where it delivers, both None for outside the domain.
    capacity: the most it moves [m3/s]; curve: what it moves against the lift stage_b - stage_a, if it matters.
    It starts when the depth at its cell reaches start_depth and stops at stop_depth [m], or at start_stage and
    stop_stage [m] where those are given.
    on: False keeps it off. schedule: share of the discharge [1]. rule: when it must stop (an outer water too high).
    ramp_time: from standstill to full [s]. outlet_stage: level it delivers to outside the domain [m], for the curve.
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
    curve: PumpCurve | None = None
    start_stage: float | None = None
    stop_stage: float | None = None
    schedule: Schedule | None = None
    rule: LevelRule | None = None
    ramp_time: float = 0.0
    outlet_stage: float | None = None

    def __post_init__(self) -> None:
        _check_ends(self)
        if not 0.0 <= self.capacity < math.inf:
            raise InputError(f"pump '{self.id}' has capacity {self.capacity} m3/s, expected 0 or more")
        if not 0.0 <= self.stop_depth <= self.start_depth < math.inf:
            raise InputError(
                f"pump '{self.id}' starts at {self.start_depth} m and stops at {self.stop_depth} m, "
                "expected 0 <= stop <= start"
            )
        levels = (self.stop_stage, self.start_stage)
        if (levels[0] is None) != (levels[1] is None):
            raise InputError(f"pump '{self.id}' has start_stage {levels[1]} and stop_stage {levels[0]}, expected both")
        if levels[0] is not None and levels[1] is not None and not -500.0 <= levels[0] <= levels[1] <= 9000.0:
            raise InputError(
                f"pump '{self.id}' has start_stage {levels[1]} m and stop_stage {levels[0]} m, expected stop <= start"
            )
        if self.to_row is None and self.outlet_stage is None and (self.curve is not None or self.rule is not None):
            raise InputError(
                f"pump '{self.id}' has a curve or a rule but leads out of the domain, expected an outlet_stage [m]"
            )
        if self.outlet_stage is not None:
            _check_levels(self, "outlet_stage")
        _check_range(self, "ramp_time", "s", 0.0, 86400.0)

    @property
    def travel_time(self) -> float:
        """Time from standstill to full [s]."""
        return self.ramp_time


@dataclass(frozen=True, slots=True)
class Weir:
    """A broad crest that water passes both ways.

    crest: elevation [m]; width [m]; coefficient C of Q = C b H^1.5 [m^0.5/s]. flap: only a to b. The setting is the
    share of the width that is open; travel_time: from open to shut [s].
    """

    id: str
    row: int
    col: int
    to_row: int
    to_col: int
    crest: float
    width: float
    coefficient: float = 1.7
    flap: bool = False
    schedule: Schedule | None = None
    rule: LevelRule | None = None
    travel_time: float = 0.0

    def __post_init__(self) -> None:
        _check_ends(self)
        _check_levels(self, "crest")
        _check_range(self, "width", "m", 0.0, 2.0e4, above=True)
        _check_range(self, "coefficient", "m^0.5/s", 0.1, 3.0)
        _check_range(self, "travel_time", "s", 0.0, 86400.0)


@dataclass(frozen=True, slots=True)
class Gate:
    """A sluice: a sill, and a lip that is lifted by up to ``opening`` above it.

    sill: elevation [m]; width [m]; opening: height of the lip above the sill at setting 1 [m]; contraction: share of
    the opening that the jet fills [1]. flap: only a to b. travel_time: from open to shut [s].
    """

    id: str
    row: int
    col: int
    to_row: int
    to_col: int
    sill: float
    width: float
    opening: float
    contraction: float = 0.61
    coefficient: float = 1.7
    flap: bool = False
    schedule: Schedule | None = None
    rule: LevelRule | None = None
    travel_time: float = 0.0

    def __post_init__(self) -> None:
        _check_ends(self)
        _check_levels(self, "sill")
        _check_range(self, "width", "m", 0.0, 2.0e4, above=True)
        _check_range(self, "opening", "m", 0.0, 100.0, above=True)
        _check_range(self, "contraction", "", 0.4, 1.0)
        _check_range(self, "coefficient", "m^0.5/s", 0.1, 3.0)
        _check_range(self, "travel_time", "s", 0.0, 86400.0)


@dataclass(frozen=True, slots=True)
class Orifice:
    """An opening in a wall, or a short outfall: ``area`` [m2] and ``height`` [m] above ``invert`` [m].

    discharge_coefficient [1]. flap: a check valve, only a to b. The setting is the open share of the area.
    """

    id: str
    row: int
    col: int
    to_row: int
    to_col: int
    invert: float
    area: float
    height: float
    discharge_coefficient: float = 0.6
    flap: bool = False
    schedule: Schedule | None = None
    rule: LevelRule | None = None
    travel_time: float = 0.0

    def __post_init__(self) -> None:
        _check_ends(self)
        _check_levels(self, "invert")
        _check_range(self, "area", "m2", 0.0, 1000.0, above=True)
        _check_range(self, "height", "m", 0.0, 20.0, above=True)
        _check_range(self, "discharge_coefficient", "", 0.1, 1.0)
        _check_range(self, "travel_time", "s", 0.0, 86400.0)


@dataclass(frozen=True, slots=True)
class Culvert:
    """A closed barrel under a road or dyke, or an outfall pipe; ``barrels`` of them side by side.

    invert, to_invert: bottom of the barrel at ends a and b [m]. length [m]. diameter [m] of a round barrel, or width
    and height [m] of a box. mannings_n [s/m^(1/3)]. inlet: one of INLETS; by default ``square edge`` or ``wingwalls 15
    or 90``. entrance_loss, exit_loss: in velocity heads [1]. flap: a check valve, only a to b. The setting is the open
    share of the barrel (a penstock in front of it).
    """

    id: str
    row: int
    col: int
    to_row: int
    to_col: int
    invert: float
    to_invert: float
    length: float
    diameter: float | None = None
    width: float | None = None
    height: float | None = None
    barrels: int = 1
    mannings_n: float = 0.013
    inlet: str = ""
    entrance_loss: float = 0.5
    exit_loss: float = 1.0
    flap: bool = False
    schedule: Schedule | None = None
    rule: LevelRule | None = None
    travel_time: float = 0.0

    def __post_init__(self) -> None:
        _check_ends(self)
        _check_levels(self, "invert", "to_invert")
        _check_range(self, "length", "m", 0.0, 1.0e4, above=True)
        box = (self.width is not None, self.height is not None)
        if (self.diameter is not None) == any(box) or any(box) != all(box):
            raise InputError(
                f"culvert '{self.id}' has diameter {self.diameter}, width {self.width} and height {self.height} m, "
                "expected a diameter, or a width and a height"
            )
        for field in ("diameter",) if self.diameter is not None else ("width", "height"):
            _check_range(self, field, "m", 0.0, 20.0, above=True)
        _check_range(self, "barrels", "", 1, 100)
        _check_range(self, "mannings_n", "s/m^(1/3)", 0.005, 0.2)
        _check_range(self, "entrance_loss", "", 0.0, 10.0)
        _check_range(self, "exit_loss", "", 0.0, 10.0)
        _check_range(self, "travel_time", "s", 0.0, 86400.0)
        known = [name for name, values in INLETS.items() if values[0] == self.shape]
        if not self.inlet:
            object.__setattr__(self, "inlet", "square edge" if self.shape == "circular" else "wingwalls 15 or 90")
        elif self.inlet not in known:
            raise InputError(f"culvert '{self.id}' has inlet '{self.inlet}', expected one of {', '.join(known)}")

    @property
    def shape(self) -> str:
        """``circular`` or ``box``."""
        return "box" if self.diameter is None else "circular"


Structure = Pump | Weir | Gate | Orifice | Culvert

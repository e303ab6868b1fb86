"""A flood on the surface and a sewer below, driven together: inlets, surcharging manholes and outfalls.

Each coupling step looks at both models at one time, sets the rates of all openings, lets the sewer go first and hands
the surface exactly the volumes that the sewer booked. What a cell then could not give is owed by its opening and asked
for again in the next step, so that what left one side arrives on the other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hydrology.drainage import SMALLEST_RATE, Nodes, RoutingTotals, SewerState
from hydrology.exchange import ExchangeParameters, compute_exchange
from layers.errors import InputError, MassBalanceError
from layers.grid import Grid

Array = NDArray[np.float64]
Cells = NDArray[np.int64]

RIM_TOLERANCE = 5.0
"""A rim that differs more than this from the bed of its cell is a wrong datum or unit [m]."""


MOUTH_DEPTH = 0.1
"""Water in the cell of an outfall that stands before it in full, where the bed of the cell is above its invert [m]."""

HIGHEST_BED = 9000.0
"""Cells outside the surface's domain are higher or no number [m]."""


class Surface(Protocol):
    """What a surface model offers to the coupling; it is made with the points of ``list_points``."""

    time: float

    @property
    def cell_area(self) -> float:
        """Area of a cell [m2]."""

    def stage_at(self, rows: Cells, cols: Cells) -> Array:
        """Return the stage of cells [m], the bed where they are dry."""

    def bed_at(self, rows: Cells, cols: Cells) -> Array:
        """Return the bed of cells [m]."""

    def set_point_rates(self, rates: Array) -> None:
        """Pour (positive) or take (negative, at most what the cell holds) at each point from now on [m3/s]."""

    def point_volumes(self) -> Array:
        """Return a copy of what was poured, less what was taken, at each point since the start [m3]."""

    def advance(self, duration_s: float) -> None:
        """Compute ``duration_s`` [s]."""


class Sewer(Protocol):
    """What a drainage model offers to the coupling: ``Drainage``, or ``DrainageProcess``."""

    @property
    def nodes(self) -> Nodes:
        """The nodes of the model."""

    @property
    def outfalls(self) -> tuple[str, ...]:
        """Ids of the outfalls, in the order of the state's ``outfall_volumes``."""

    def couple(self, ids: Sequence[str], shaft_areas: Array) -> Array:
        """Let nodes exchange water and return the surface areas used [m2]."""

    def look(self) -> SewerState:
        """Return the state now."""

    def route(self, rates: Array, outfalls: Sequence[int], stages: Array, duration_s: float) -> SewerState:
        """Give each coupled node a rate [m3/s], hold stages [m] outside outfalls, and return the state afterwards."""

    def totals(self) -> RoutingTotals:
        """Return the model's own account since the start."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Where a node of the sewer meets a cell: a manhole, a gully or a group of gullies.

    node: id in the drainage model; several openings may share one. row, col: the cell. area: of the opening [m2].
    width: length of its edge [m], that of a circle where not given. crest: elevation of its edge [m], the bed of the
    cell where not given.
    """

    node: str
    row: int
    col: int
    area: float
    width: float | None = None
    crest: float | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.area <= 1000.0:
            raise InputError(f"opening at node '{self.node}' has an area of {self.area} m2, expected 0 to 1000 m2")
        if self.width is not None and not 0.0 < self.width <= 1000.0:
            raise InputError(f"opening at node '{self.node}' has a width of {self.width} m, expected 0 to 1000 m")

    @property
    def edge(self) -> float:
        """Length over which water falls in [m]."""
        return 2.0 * float(np.sqrt(np.pi * self.area)) if self.width is None else self.width


@dataclass(frozen=True, slots=True)
class OutfallMouth:
    """The cell into which an outfall of the sewer discharges, and whose stage stands before it."""

    node: str
    row: int
    col: int


@dataclass(frozen=True, slots=True)
class ExchangeAccount:
    """Volumes moved between surface and sewer since the start [m3].

    into_sewer, out_of_sewer: through openings, as the sewer booked them. outfalls_out, outfalls_back: through coupled
    outfalls. received: what the surface got, less what it gave, by its own count. sewer: SWMM's own account.
    """

    into_sewer: float
    out_of_sewer: float
    outfalls_out: float
    outfalls_back: float
    received: float
    sewer: RoutingTotals

    @property
    def residual(self) -> float:
        """What the surface got beyond what the sewer gave [m3]: 0 but for rounding and what cells still owe."""
        return self.received - (self.out_of_sewer + self.outfalls_out - self.into_sewer - self.outfalls_back)

    @property
    def relative_error(self) -> float:
        """Residual relative to the water that was exchanged [1]."""
        handled = self.into_sewer + self.out_of_sewer + self.outfalls_out + self.outfalls_back
        return abs(self.residual) / max(handled, 1.0e-3)


@dataclass(frozen=True, slots=True, eq=False)
class CouplingStep:
    """The end of a coupling step.

    time: of the surface [s]. step: its length [s]. rates: mean, into the sewer by each opening (openings,) [m3/s].
    outfall_rates: mean, out of each coupled outfall (outfalls,) [m3/s]. rises: head of each opening's node above the
    opening's crest, at the start of the step (openings,) [m].
    """

    time: float
    step: float
    rates: Array
    outfall_rates: Array
    rises: Array


def locate_cells(grid: Grid, places: Mapping[str, tuple[float, float]]) -> dict[str, tuple[int, int]]:
    """Return row and column of each named place (x, y) [m]; raise InputError naming the first outside the grid."""
    found: dict[str, tuple[int, int]] = {}
    for name, (x, y) in places.items():
        row, col, inside = grid.cells(np.array([x]), np.array([y]))
        if not inside[0]:
            bounds = ", ".join(f"{bound:g}" for bound in grid.bounds)
            raise InputError(
                f"node '{name}' lies at ({x:g}, {y:g}), outside the grid's bounds ({bounds})",
                hint="leave it uncoupled, or check the coordinate system of the drainage model",
            )
        found[name] = (int(row[0]), int(col[0]))
    return found


def list_points(openings: Sequence[Opening], outfalls: Sequence[OutfallMouth] = ()) -> tuple[Cells, Cells]:
    """Return the rows and columns (points,) that the surface must be made with."""
    places = [(o.row, o.col) for o in openings] + [(mouth.row, mouth.col) for mouth in outfalls]
    both = np.array(places, dtype=np.int64).reshape(-1, 2)
    return both[:, 0].copy(), both[:, 1].copy()


class CoupledFlood:
    """A surface and a drainage model that run together.

    The surface's points are those of ``list_points``: the openings first, then the outfalls, in their order.
    """

    def __init__(
        self,
        surface: Surface,
        drainage: Sewer,
        openings: Sequence[Opening],
        outfalls: Sequence[OutfallMouth] = (),
        *,
        parameters: ExchangeParameters | None = None,
        mass_tolerance: float = 1.0e-6,
    ) -> None:
        """Join the two models; neither may have exchanged water before.

        mass_tolerance: largest residual of the exchange relative to its volume [1]. Raise InputError for a node that
        is not in the drainage model, an outfall named as an opening or the reverse, a surface with other points, a
        cell without a bed, and a rim far from the bed of its cell.
        """
        self.surface, self.drainage = surface, drainage
        self.openings, self.outfalls = tuple(openings), tuple(outfalls)
        self.parameters = parameters or ExchangeParameters()
        self._tolerance = mass_tolerance
        self._rows, self._cols = list_points(self.openings, self.outfalls)
        count, given = len(self.openings), surface.point_volumes().size
        if given != self._rows.size:
            raise InputError(
                f"the surface has {given} points, expected one for each of the {count} openings and "
                f"{len(self.outfalls)} outfalls",
                hint="make it with points=list_points(openings, outfalls)",
            )
        self._bed = surface.bed_at(self._rows, self._cols)
        self._check_cells()
        names = list(dict.fromkeys(opening.node for opening in self.openings))
        self._node = np.array([names.index(opening.node) for opening in self.openings], dtype=np.int64)
        self._area = np.array([opening.area for opening in self.openings])
        self._width = np.array([opening.edge for opening in self.openings])
        crests = [self._bed[k] if o.crest is None else o.crest for k, o in enumerate(self.openings)]
        self._crest = np.maximum(np.array(crests, dtype=np.float64), self._bed[:count])
        areas = self._add_up(self._area, len(names))
        self._check_rims(names)
        self._share = self._area / areas[self._node] if count else self._area
        self._shaft = drainage.couple(names, areas)[self._node] * self._share
        self._outfall_index = self._find_outfalls()
        self._mouth_inverts = drainage.nodes.invert[drainage.nodes.find([mouth.node for mouth in self.outfalls])]
        _, cell, openings_in = np.unique(
            np.stack([self._rows[:count], self._cols[:count]]), axis=1, return_inverse=True, return_counts=True
        )
        self._cell_share = surface.cell_area / openings_in[cell.ravel()]
        self._rates, self._owed = np.zeros(count), np.zeros(len(self._rows))
        self._sums = np.zeros(4)
        self._sewer = drainage.look()
        self._start_volumes = surface.point_volumes()

    def _add_up(self, values: Array, nodes: int) -> Array:
        return np.bincount(self._node, weights=values, minlength=nodes).astype(np.float64)

    def _check_cells(self) -> None:
        names = [place.node for place in self.openings] + [mouth.node for mouth in self.outfalls]
        for name, row, col, bed in zip(names, self._rows, self._cols, self._bed, strict=True):
            if not abs(bed) < HIGHEST_BED:
                raise InputError(f"node '{name}' lies in cell ({row}, {col}), which has no bed, expected one that has")

    def _check_rims(self, names: Sequence[str]) -> None:
        rims = self.drainage.nodes.rim[self.drainage.nodes.find(names)]
        for position, opening in enumerate(self.openings):
            rim, bed = rims[self._node[position]], self._bed[position]
            if abs(rim - bed) > RIM_TOLERANCE:
                raise InputError(
                    f"node '{opening.node}' has its rim at {rim:.2f} m and the bed of its cell ({opening.row}, "
                    f"{opening.col}) is at {bed:.2f} m, expected less than {RIM_TOLERANCE:g} m between them",
                    hint="check the place, the datum and the length unit of the drainage model",
                )

    def _find_outfalls(self) -> list[int]:
        known = self.drainage.outfalls
        for position, mouth in enumerate(self.outfalls):
            self.drainage.nodes.find([mouth.node])
            if mouth.node not in known:
                raise InputError(f"node '{mouth.node}' is not an outfall, expected one of {', '.join(known)}")
            if mouth.node in [other.node for other in self.outfalls[:position]]:
                raise InputError(f"outfall '{mouth.node}' has two mouths, expected one")
        return [known.index(mouth.node) for mouth in self.outfalls]

    def run(
        self,
        duration_s: float,
        *,
        step_s: float = 2.0,
        on_step: Callable[[CouplingStep], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> ExchangeAccount:
        """Run both for ``duration_s`` [s] in coupling steps of at most ``step_s`` [s] and return the account.

        Both stand at one time after every step, which ``on_step`` hears of and before which ``should_stop`` is asked.
        Raise InputError for durations that are not whole milliseconds, MassBalanceError where the exchange does not
        close.
        """
        if not (0.0 < duration_s < np.inf and 0.0 < step_s < np.inf):
            raise InputError(f"duration {duration_s} s and coupling step {step_s} s must be above 0")
        count = int(np.ceil(duration_s / step_s - 1.0e-9))
        # Whole milliseconds, which is what SWMM's clock counts.
        times = np.round(np.linspace(0.0, duration_s * 1000.0, count + 1)) / 1000.0
        for step in np.diff(times):
            if should_stop is not None and should_stop():
                break
            done = self._advance(round(float(step), 3))
            if on_step is not None:
                on_step(done)
        account = self.account()
        if not account.relative_error <= self._tolerance:
            raise MassBalanceError(
                f"exchange between surface and sewer misses {account.residual:+.6g} m3 "
                f"({account.relative_error:.3g} of it), expected at most {self._tolerance:g}"
            )
        return account

    def _advance(self, step: float) -> CouplingStep:
        count = len(self.openings)
        stage = self.surface.stage_at(self._rows, self._cols)
        before = self._sewer
        rates = self._choose_rates(stage[:count], step)
        inflows = self._add_up(rates, before.heads.size)
        self._sewer = self.drainage.route(inflows, self._outfall_index, self._levels(stage[count:]), step)
        volumes = np.zeros(len(self._rows))
        volumes[:count] = -(rates * step + (self._rates - rates) * 0.5 * self._sewer.first_step)
        volumes[count:] = (self._sewer.outfall_volumes - before.outfall_volumes)[self._outfall_index]
        self._rates = rates
        self._book(volumes, count)
        wanted = volumes + self._owed
        start = self.surface.point_volumes()
        self.surface.set_point_rates(wanted / step)
        self.surface.advance(step)
        self._owed = wanted - (self.surface.point_volumes() - start)
        return CouplingStep(
            self.surface.time,
            step,
            -volumes[:count] / step,
            volumes[count:] / step,
            before.heads[self._node] - self._crest,
        )

    def _levels(self, stage: Array) -> Array:
        """Return the water level before each coupled outfall [m].

        A cell that owes water has none to send back. A terrain that does not show the channel below an outfall has
        its bed above the invert: while that cell is dry the outfall is free.
        """
        count = len(self.openings)
        bed = self._bed[count:]
        depth = np.maximum(stage + np.minimum(self._owed[count:], 0.0) / self.surface.cell_area - bed, 0.0)
        share = np.where(bed > self._mouth_inverts, np.minimum(depth / MOUTH_DEPTH, 1.0), 1.0)
        return np.asarray(self._mouth_inverts + share * (bed + depth - self._mouth_inverts))

    def _choose_rates(self, stage: Array, step: float) -> Array:
        if not self.openings:
            return np.zeros(0)
        heads, gains = self._sewer.heads, self._sewer.net_inflows
        rates = compute_exchange(
            stage, self._bed[: stage.size], self._crest, self._cell_share, heads[self._node],
            gains[self._node] * self._share, self._shaft, self._area, self._width, self._rates, step, self.parameters,
        )  # fmt: skip
        # A node whose openings together would pass less than SWMM can book passes nothing.
        passes = np.abs(self._add_up(rates, heads.size)) >= SMALLEST_RATE
        return np.where(passes[self._node], rates, 0.0)

    def _book(self, volumes: Array, count: int) -> None:
        for place, part in enumerate((-volumes[:count], volumes[count:])):
            self._sums[2 * place] += part[part > 0.0].sum()
            self._sums[2 * place + 1] -= part[part < 0.0].sum()

    def account(self) -> ExchangeAccount:
        """Return the volumes moved since the two were joined."""
        received = float((self.surface.point_volumes() - self._start_volumes).sum())
        into, out, outfalls_out, outfalls_back = (float(volume) for volume in self._sums)
        return ExchangeAccount(into, out, outfalls_out, outfalls_back, received, self.drainage.totals())

"""A whole run of an EPA SWMM 5.2 model: what each node, link and subcatchment went through, and the account of water.

SWMM keeps one model in global variables, so a process runs one at a time; it uses one thread, since several wait
actively for each other. Extremes are SWMM's own, of every routing step, not of the reporting steps.
"""

import ctypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from swmm.toolkit import solver

from hydrology.drainage import Drainage, RoutingTotals, Scale
from hydrology.swmm_output import Series, read_series

Array = NDArray[np.float64]

MOST_VALUES = 5_000_000
"""Numbers in one array of series at most; beyond it steps are left out."""

ALLOWED_ERROR = 0.005
"""Share of the water that a run may create or lose [1]."""

_SUBCATCHMENT, _NODE, _LINK = 1, 2, 3
_CHECK_EVERY = 200
_DAY_ZERO = datetime(1899, 12, 30)
_get_value = ctypes.CDLL(str(next(Path(solver.__file__).parent.glob("*swmm5.*")))).swmm_getValue
_get_value.restype, _get_value.argtypes = ctypes.c_double, [ctypes.c_int, ctypes.c_int]


@dataclass(frozen=True, slots=True, eq=False)
class NodeResults:
    """Of each node (nodes,): ids, kinds (junction, outfall, storage, divider), elevations and extremes.

    invert [m], full_depth [m], max_depth [m], max_inflow [m3/s], max_flooding [m3/s], flooding_volume: lost or ponded
    above the rim [m3], surcharge_time, flooding_time [s], peak_time: of the greatest depth, since the start [s].
    """

    ids: tuple[str, ...]
    kinds: tuple[str, ...]
    invert: Array
    full_depth: Array
    max_depth: Array
    max_inflow: Array
    max_flooding: Array
    flooding_volume: Array
    surcharge_time: Array
    flooding_time: Array
    peak_time: Array

    @property
    def max_head(self) -> Array:
        """Highest water level [m]."""
        return self.invert + self.max_depth


@dataclass(frozen=True, slots=True, eq=False)
class LinkResults:
    """Of each link (links,): ids, kinds (conduit, pump, orifice, weir, outlet), its nodes and extremes.

    start, end: index of its nodes. start_offset, end_offset: of its bed above their inverts [m]. length [m], 0 where it
    has none. full_depth [m]; full_flow: by Manning's equation on its own slope [m3/s], 0 where it
    has none. max_flow [m3/s] without sign, max_velocity [m/s], max_depth [m], full_time: both ends full [s],
    above_full_time: with more than its full flow [s], peak_time: of the greatest flow, since the start [s].
    """

    ids: tuple[str, ...]
    kinds: tuple[str, ...]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    start_offset: Array
    end_offset: Array
    length: Array
    full_depth: Array
    full_flow: Array
    max_flow: Array
    max_velocity: Array
    max_depth: Array
    full_time: Array
    above_full_time: Array
    peak_time: Array

    @property
    def fill(self) -> Array:
        """Greatest depth over the full one [1]; 0 where there is no section."""
        return np.divide(self.max_depth, self.full_depth, out=np.zeros_like(self.max_depth), where=self.full_depth > 0)

    @property
    def capacity_use(self) -> Array:
        """Greatest flow over the full one [1]; NaN where that is not known."""
        return np.divide(
            self.max_flow, self.full_flow, out=np.full_like(self.max_flow, np.nan), where=self.full_flow > 0
        )


@dataclass(frozen=True, slots=True, eq=False)
class CatchmentResults:
    """Of each subcatchment (catchments,): rain [m3], infiltration [m3], runoff [m3], max_runoff [m3/s]; area [m2]."""

    ids: tuple[str, ...]
    area: Array
    rain: Array
    infiltration: Array
    runoff: Array
    max_runoff: Array


@dataclass(frozen=True, slots=True)
class WaterAccount:
    """Where the water of a run went [m3], and what is missing.

    runoff_error, routing_error: SWMM's own continuity errors [1], positive where water was lost. outfall_volume: our
    integral of what left through the outfalls, backflow less. outfall_error: inflow less what is stored, flooded, lost
    and that integral, relative to the inflow [1].
    """

    totals: RoutingTotals
    rain: float
    runoff_error: float
    routing_error: float
    outfall_volume: float
    outfall_error: float

    @property
    def worst(self) -> float:
        """The error that is greatest in size [1]."""
        return max((self.runoff_error, self.routing_error, self.outfall_error), key=abs)


@dataclass(frozen=True, slots=True, eq=False)
class SwmmResults:
    """What a run of ``duration`` [s] in ``steps`` routing steps left; ``report`` is SWMM's own."""

    nodes: NodeResults
    links: LinkResults
    catchments: CatchmentResults
    series: Series
    account: WaterAccount
    duration: float
    steps: int
    report: str


def run_swmm(
    model: Path | str,
    *,
    files: Mapping[str, bytes] | None = None,
    follow: Callable[[float], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    most_values: int = MOST_VALUES,
) -> SwmmResults | None:
    """Run ``model``, a path or the text of an input file, from its start to its end; None when asked to stop.

    ``files`` are those that a text names. ``follow`` hears the share that is done. Raise InputError where SWMM cannot
    read the model, NumericsError where it stops. Whether the water adds up is for the caller to judge by ``account``.
    """
    with Drainage(model, keeps_results=True, files=files) as drainage:
        total, start = drainage.duration, drainage.start
        while drainage.step():
            if drainage.steps % _CHECK_EVERY == 0:
                if should_stop is not None and should_stop():
                    return None
                if follow is not None:
                    follow(drainage.time / total)
        scale = drainage.scale
        nodes = _read_nodes(drainage, start)
        links = _read_links(scale, start)
        catchments = _read_catchments(scale)
        totals = drainage.totals()
        net, back = float(drainage.outfall_volumes.sum()), float(drainage.outfall_backflow)
        duration, steps = drainage.time, drainage.steps
        report = drainage.end()
        account = _close_account(totals, catchments, (net, back), drainage.continuity_errors)
        series = read_series(drainage.results, scale, most_values=most_values)
        return SwmmResults(nodes, links, catchments, series, account, duration, steps, report)


def _close_account(
    totals: RoutingTotals, catchments: CatchmentResults, outfalls: tuple[float, float], errors: tuple[float, float]
) -> WaterAccount:
    """Return the account; ``outfalls``: what left less what came back, and what came back [m3].

    SWMM has what came back among its external inflows: of the outflow only what went out is replaced by ours.
    """
    net, back = outfalls
    residual = totals.residual - totals.outflow + net + back
    gained = sum(
        max(value, 0.0)
        for value in (totals.dry_weather, totals.groundwater, totals.external, totals.wet_weather, totals.infiltration)
    )
    into = gained + totals.initial
    return WaterAccount(
        totals,
        float(catchments.rain.sum()),
        errors[0],
        errors[1],
        net,
        -residual / into if into > 0.0 else 0.0,
    )


def _read_ids(kind: int) -> tuple[str, ...]:
    return tuple(solver.project_get_id(kind, index) for index in range(solver.project_get_count(kind)))


def _read_nodes(drainage: Drainage, start: datetime) -> NodeResults:
    scale, own = drainage.scale, drainage.nodes
    stats = [solver.node_get_stats(index) for index in range(len(own.ids))]

    def take(name: str, factor: float) -> Array:
        return np.array([getattr(entry, name) for entry in stats], dtype=np.float64) * factor

    return NodeResults(
        own.ids,
        own.kinds,
        own.invert,
        own.full_depth,
        take("maxDepth", scale.length),
        take("maxInflow", scale.flow),
        take("maxOverflow", scale.flow),
        take("volFlooded", scale.volume),
        take("timeSurcharged", 3600.0),
        take("timeFlooded", 3600.0),
        _since(take("maxDepthDate", 1.0), start),
    )


def _read_links(scale: Scale, start: datetime) -> LinkResults:
    ids = _read_ids(_LINK)
    span = range(len(ids))
    stats = [solver.link_get_stats(index) for index in span]
    ends = np.array([solver.link_get_connections(index) for index in span], dtype=np.int64).reshape(-1, 2)
    # SWMM turns round a conduit that rises; here it stays as it was drawn.
    turned = np.array([solver.link_get_direction(index) < 0 for index in span], dtype=bool)
    ends[turned] = ends[turned][:, ::-1]

    def take(name: str, factor: float) -> Array:
        return np.array([getattr(entry, name) for entry in stats], dtype=np.float64) * factor

    def value(which: int, factor: float) -> Array:
        return np.array([_get_value(which, index) for index in span], dtype=np.float64) * factor

    def offset(end: int) -> Array:
        return np.array([solver.link_get_parameter(index, end) for index in span], dtype=np.float64) * scale.length

    return LinkResults(
        ids,
        tuple(solver.link_get_type(index).name.lower() for index in span),
        ends[:, 0],
        ends[:, 1],
        np.where(turned, offset(1), offset(0)),
        np.where(turned, offset(0), offset(1)),
        value(solver.swmm_LINK_LENGTH, scale.length),
        value(solver.swmm_LINK_FULLDEPTH, scale.length),
        value(solver.swmm_LINK_FULLFLOW, scale.flow),
        np.abs(take("maxFlow", scale.flow)),
        take("maxVeloc", scale.length),
        take("maxDepth", scale.length),
        take("timeSurcharged", 3600.0),
        take("timeFullFlow", 3600.0),
        _since(take("maxFlowDate", 1.0), start),
    )


def _read_catchments(scale: Scale) -> CatchmentResults:
    ids = _read_ids(_SUBCATCHMENT)
    span = range(len(ids))
    stats = [solver.subcatch_get_stats(index) for index in span]
    # The area is in acres or hectares; everything else of a volume in cubic feet or metres.
    unit = 10000.0 if scale.length == 1.0 else 43560.0 * scale.length**2
    area = np.array([_get_value(solver.swmm_SUBCATCH_AREA, index) for index in span], dtype=np.float64) * unit

    def take(name: str, factor: float) -> Array:
        return np.array([getattr(entry, name) for entry in stats], dtype=np.float64) * factor

    return CatchmentResults(
        ids,
        area,
        take("precip", scale.rain) * area,
        take("infil", scale.volume),
        take("runoff", scale.volume),
        take("maxFlow", scale.flow),
    )


def _since(days: Array, start: datetime) -> Array:
    """Return seconds since the start of dates in days; 0 where nothing happened."""
    first = (start - _DAY_ZERO) / timedelta(days=1)
    return np.where(days > 0.0, np.maximum(np.round((days - first) * 86400.0, 1), 0.0), 0.0)

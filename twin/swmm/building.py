"""A SWMM 5.2 model of the city's storm sewers that stands alone: rain on catchments, the stage outside outfalls."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from hydrology.rainfall import RainSeries
from layers.errors import InputError, NotFoundError
from layers.ingest.inp import Section, Word, name_objects
from layers.ingest.swmm.document import Inp, build_document
from twin.process import Bounds, CityView
from twin.processes.sewer_network import Array, Ground, Network, read_network
from twin.scenario import CloseGate, Scenario, StopPump, Subside
from twin.swmm.catchments import GAUGE, list_catchments
from twin.swmm.storms import put_rain, put_stage
from twin.swmm.tables import HYDRAULICS, Basin, list_links, list_nodes, list_places

STORAGE_AREA = 10.0
"""Water surface of a storage node that lies in no water body [m2]."""

WATER_REACH = 30.0
"""Outfalls and storage nodes belong to water that lies so near [m]."""

_GAUGE_COLUMNS = ("name", "format", "interval", "scf", "source", "series")
_GAUGE_ROW: tuple[Word, ...] = (GAUGE, "INTENSITY", "1:00", 1.0, "TIMESERIES", GAUGE)
STILL = ("lake", "pond", "basin")
MOST_HOURS = 24.0 * 366
DRY = RainSeries(np.array([0.0, 3600.0]), np.zeros(2))


@dataclass(frozen=True, slots=True, eq=False)
class CityModel:
    """A model with the layers' ids of its objects by their names in it.

    counts: what is in it, and how often something was assumed or left out.
    """

    inp: Inp
    nodes: Mapping[str, str]
    links: Mapping[str, str]
    catchments: Mapping[str, str]
    counts: Mapping[str, int]


def build_model(
    view: CityView,
    *,
    start: datetime,
    hours: float,
    rain: RainSeries | None = None,
    stage: tuple[Array, Array] | None = None,
    bounds: Bounds | None = None,
    scenario: Scenario | None = None,
    title: str = "",
) -> CityModel:
    """Return the model of the storm sewers from ``start`` on for ``hours`` [h].

    rain: the same on all catchments, none where not given. stage: times [s after the start] and the stage [m] outside
    outfalls in open water; without it, and in still water, outfalls are free. bounds [m]: only the parts of the network
    that reach into them, each down to its outfalls. scenario: gates closed, pumps stopped, land sunk. Water above the
    rim of manholes and inlets is lost, and SWMM counts it as flooding. Times are UTC.

    Raises InputError for a city without sewers and for a duration that cannot be.
    """
    if not 0.0 < hours <= MOST_HOURS:
        raise InputError(f"a model of {hours:g} h, expected above 0 and at most {MOST_HOURS:g} h")
    edits = scenario or Scenario(start)
    stopped = {edit.gate_id for edit in edits.find(CloseGate)} | {edit.pump_id for edit in edits.find(StopPump)}
    sunk = sum(edit.metres for edit in edits.find(Subside))
    network = read_network(view, read_ground(view), stopped, sunk=sunk)
    if bounds is not None:
        network = _keep_within(network, bounds)
    if not network.links:
        left = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in network.counts.items()) or "none at all"
        raise InputError(
            f"there is no storm sewer that ends in an outfall{' within the bounds' if bounds else ''}: {left}",
            hint="load drainage_nodes and drainage_links",
        )
    counts = Counter(network.counts)
    names, called = name_objects(network.nodes), name_objects(link.id for link in network.links)
    near = _find_still_water(view, network)
    basins = _list_basins(network, near, counts)
    openings = {names[node.id] for node in network.nodes.values() if node.kind in ("manhole", "inlet", "storage")}
    catchments, catchment_sections = list_catchments(view, network, names, bounds, counts)
    counts.update(nodes=len(network.nodes), links=len(network.links), catchments=len(catchments))
    document = build_document((
        Section("OPTIONS", ("option", "value"), _list_options(start, hours)),
        Section("RAINGAGES", _GAUGE_COLUMNS, [_GAUGE_ROW] if catchments or rain is not None else []),
        *catchment_sections,
        *list_nodes(network, names, basins, openings),
        *list_links(network, names, called, basins),
        Section("REPORT", ("what", "which"), [(what, "ALL") for what in ("SUBCATCHMENTS", "NODES", "LINKS")]),
        list_places(network, names),
    ))  # fmt: skip
    document.set_title(title)
    if document.rows("RAINGAGES"):
        put_rain(document, rain or DRY)
    tidal = [names[identifier] for identifier in _choose_tidal(network, near)]
    if stage is not None and tidal:
        put_stage(document, *stage, tidal)
    return CityModel(
        document,
        {name: identifier for identifier, name in names.items()},
        {name: identifier for identifier, name in called.items()},
        catchments,
        {name: count for name, count in sorted(counts.items()) if count},
    )


def read_ground(view: CityView) -> Ground:
    """Return the terrain [m] as a function of places, NaN off it and where the city has none."""
    try:
        array, grid = view.raster("terrain")
    except NotFoundError:
        return lambda x, _y: np.full(x.shape, np.nan)

    def sample(x: Array, y: Array) -> Array:
        row, col, inside = grid.cells(x, y)
        return np.where(inside, array[row, col].astype(np.float64), np.nan)

    return sample


def _keep_within(network: Network, bounds: Bounds) -> Network:
    """Return the connected parts that have a node within ``bounds`` [m]: a part cut through would not drain."""
    x_min, y_min, x_max, y_max = bounds
    position = {name: k for k, name in enumerate(network.nodes)}
    start = [position[link.start] for link in network.links]
    end = [position[link.end] for link in network.links]
    graph = coo_array((np.ones(len(start)), (start, end)), shape=(len(position), len(position)))
    _, part = connected_components(graph, directed=False)
    inside = [x_min <= node.x <= x_max and y_min <= node.y <= y_max for node in network.nodes.values()]
    wanted = np.isin(part, part[np.array(inside, dtype=bool)])
    nodes = {name: node for name, node in network.nodes.items() if wanted[position[name]]}
    return Network(nodes, [link for link in network.links if link.start in nodes], network.counts)


def _find_still_water(view: CityView, network: Network) -> dict[str, tuple[str, float]]:
    """Return kind and area [m2] of the water body nearest to outfalls and storage nodes, where one is within reach."""
    nodes = [node for node in network.nodes.values() if node.kind in ("outfall", "storage")]
    bodies = view.layer("water_bodies", columns=["water_type"])
    bodies = bodies[bodies.geometry.notna()]
    if not len(bodies) or not nodes:
        return {}
    tree = shapely.STRtree(bodies.geometry.to_numpy())
    points = shapely.points([(node.x, node.y) for node in nodes])
    pairs: NDArray[np.int64] = tree.query_nearest(points, max_distance=WATER_REACH, all_matches=False)
    kinds, areas = bodies["water_type"].tolist(), bodies.geometry.area.tolist()
    return {nodes[at].id: (str(kinds[body]), float(areas[body])) for at, body in pairs.T}


def _list_basins(network: Network, near: Mapping[str, tuple[str, float]], counts: Counter[str]) -> dict[str, Basin]:
    """Return the storage nodes' basins, of the area of the still water they lie in, empty at the start."""
    basins = {}
    for node in network.nodes.values():
        if node.kind == "storage":
            kind, area = near.get(node.id, ("", 0.0))
            counts["storage_areas_assumed"] += int(kind not in STILL)
            basins[node.id] = Basin(area if kind in STILL else STORAGE_AREA, 0.0)
    return basins


def _choose_tidal(network: Network, near: Mapping[str, tuple[str, float]]) -> list[str]:
    """Return the ids of the outfalls that do not lie in still water."""
    outfalls = [node.id for node in network.nodes.values() if node.kind == "outfall"]
    return [identifier for identifier in outfalls if near.get(identifier, ("", 0.0))[0] not in STILL]


def _list_options(start: datetime, hours: float) -> list[tuple[Word, ...]]:
    begin = start.astimezone(UTC).replace(microsecond=0)
    # A model ends with a whole second.
    end = begin + timedelta(seconds=round(hours * 3600.0))
    return [
        *HYDRAULICS.items(),
        ("INFILTRATION", "GREEN_AMPT"),
        ("ALLOW_PONDING", "NO"),
        ("START_DATE", f"{begin:%m/%d/%Y}"),
        ("START_TIME", f"{begin:%H:%M:%S}"),
        ("REPORT_START_DATE", f"{begin:%m/%d/%Y}"),
        ("REPORT_START_TIME", f"{begin:%H:%M:%S}"),
        ("END_DATE", f"{end:%m/%d/%Y}"),
        ("END_TIME", f"{end:%H:%M:%S}"),
        ("REPORT_STEP", "00:05:00"),
        ("WET_STEP", "00:01:00"),
        ("DRY_STEP", "00:05:00"),
    ]

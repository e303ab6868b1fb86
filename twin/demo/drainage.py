"""Storm drains under the streets: a forest that falls to outfalls on canals and river."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import shapely
import shapely.ops
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from shapely.geometry import LineString

from twin.demo.plan import Floats, Plan, Water, compute_urbanity
from twin.demo.shapes import sample
from twin.demo.streets import Link, Streets

MANHOLE_SPACING = 45.0
OUTFALL_SPACING = 150.0
OUTFALL_INVERT = -0.45
COVER = 0.95
STRIP_WIDTH = 75.0
RUNOFF = 0.75 * 70.0 / 1000.0 / 3600.0
PIPE_N = 0.014
DIAMETERS = np.array([0.4, 0.5, 0.6, 0.8, 1.0, 1.2, 1.5])


@dataclass(slots=True)
class DrainNode:
    """A manhole, inlet or outfall; ``distance`` is the way down to the water [m]."""

    id: str
    x: float
    y: float
    node_type: str
    ground: float
    distance: float = 0.0
    outfall: int = -1
    invert: float = 0.0
    has_gate: bool = False
    note: str | None = None


@dataclass(slots=True)
class DrainLink:
    """A conduit, pump, gate or weir between two nodes by index."""

    id: str
    link_type: str
    start: int
    end: int
    line: LineString
    shape: str | None = None
    height: float = np.nan
    width: float = np.nan
    capacity: float = np.nan
    crest: float = np.nan
    waterway_id: str | None = None
    note: str | None = None


@dataclass(slots=True)
class Drainage:
    """The network while it is drawn. ``body_of``: water body id of each outfall node index."""

    nodes: list[DrainNode] = field(default_factory=list)
    links: list[DrainLink] = field(default_factory=list)
    body_of: dict[int, str] = field(default_factory=dict)

    def add_node(self, prefix: str, x: float, y: float, node_type: str, ground: float) -> int:
        """Append a node and return its index."""
        number = len(self.nodes) + 1
        self.nodes.append(DrainNode(f"{prefix}-{number:05d}", round(x, 3), round(y, 3), node_type, round(ground, 2)))
        return len(self.nodes) - 1

    def draw(self, start: int, end: int, inner: Floats | None = None) -> LineString:
        """Return the line between two nodes through ``inner`` points."""
        first, last = self.nodes[start], self.nodes[end]
        middle = np.empty((0, 2)) if inner is None else inner
        return LineString(np.vstack([np.array([[first.x, first.y]]), middle, np.array([[last.x, last.y]])]))


@dataclass(frozen=True, slots=True)
class _Flow:
    """Where street nodes drain: distance to the water [m], next node, and the outfall's street node."""

    distance: Floats
    following: NDArray[np.int64]
    source: NDArray[np.int64]


def build_drains(plan: Plan, streets: Streets, water: Water, terrain: NDArray[np.float32]) -> Drainage:
    """Return conduits with manholes every ~45 m, inverts that fall all the way and sizes by upstream area."""
    drained = [link for link in streets.links if _is_drained(plan, link)]
    mouths = _choose_mouths(streets, drained, water)
    flow = _route(streets, drained, sorted(mouths))
    drainage = Drainage()
    junction: dict[int, int] = {}
    for link in drained:
        for node in (link.start, link.end):
            if node not in junction and np.isfinite(flow.distance[node]):
                x, y = float(streets.x[node]), float(streets.y[node])
                index = drainage.add_node("DN", x, y, "manhole", _ground(terrain, x, y))
                drainage.nodes[index].distance = float(flow.distance[node])
                drainage.nodes[index].outfall = int(flow.source[node])
                junction[node] = index
    for link in drained:
        if np.isfinite(flow.distance[link.start]) and np.isfinite(flow.distance[link.end]):
            _lay_conduits(drainage, link, flow, junction, terrain)
    for node, (body_id, point) in mouths.items():
        if node in junction:
            _lay_outfall(drainage, junction[node], node, body_id, point)
    _set_inverts(drainage)
    _size_conduits(drainage)
    return drainage


def _ground(terrain: NDArray[np.float32], x: float, y: float) -> float:
    return float(np.clip(sample(terrain, np.array([x]), np.array([y]))[0], 0.7, 3.0))


def _is_drained(plan: Plan, link: Link) -> bool:
    if link.road_class == "living_street" or link.is_bridge:
        return False
    middle = link.line.interpolate(0.5, normalized=True)
    u, v = plan.frame.to_frame(np.array([middle.x]), np.array([middle.y]))
    return bool(compute_urbanity(u, v)[0] > 0.12)


def _choose_mouths(streets: Streets, drained: list[Link], water: Water) -> dict[int, tuple[str, shapely.Point]]:
    """Return street nodes near open water, apart from each other, with the body and point they discharge to."""
    names = [name for name in water.bodies if not name.startswith("WB-AO") and "HODIEUHOA" not in name]
    tree = shapely.STRtree([water.bodies[name] for name in names])
    candidates = sorted({node for link in drained for node in (link.start, link.end)})
    chosen: dict[int, tuple[str, shapely.Point]] = {}
    for node in candidates:
        point = shapely.Point(streets.x[node], streets.y[node])
        found = tree.query_nearest(point, max_distance=40.0)
        near = [m for m in chosen if np.hypot(streets.x[m] - point.x, streets.y[m] - point.y) < OUTFALL_SPACING]
        if len(found) == 0 or any(chosen[m][0] == names[found[0]] for m in near):
            continue
        body = water.bodies[names[found[0]]]
        shore = shapely.shortest_line(point, body)
        chosen[node] = (names[found[0]], shapely.get_point(shore, 1))
    return chosen


def _route(streets: Streets, drained: list[Link], mouths: list[int]) -> _Flow:
    count = len(streets.x)
    lengths: dict[tuple[int, int], float] = {}
    for link in drained:
        key = (min(link.start, link.end), max(link.start, link.end))
        lengths[key] = min(lengths.get(key, np.inf), link.line.length)
    pairs = np.array(list(lengths))
    graph = csr_array((np.array(list(lengths.values())), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    distance, following, source = dijkstra(
        graph, directed=False, indices=mouths, min_only=True, return_predecessors=True
    )
    return _Flow(distance, following.astype(np.int64), source.astype(np.int64))


def _lay_conduits(
    drainage: Drainage, link: Link, flow: _Flow, junction: dict[int, int], terrain: NDArray[np.float32]
) -> None:
    """Lay the conduits of one street from its upper to its lower end.

    A street that is not on the shortest way to the water gets a head manhole of its own near its upper end, so
    that the network stays a forest.
    """
    down_is_end = flow.distance[link.end] <= flow.distance[link.start]
    upper, lower = (link.start, link.end) if down_is_end else (link.end, link.start)
    line = link.line if down_is_end else link.line.reverse()
    on_way = flow.following[upper] == lower and np.isclose(
        flow.distance[upper], flow.distance[lower] + line.length, atol=1e-6
    )
    begin = 0.0 if on_way else min(20.0, 0.3 * line.length)
    cuts = np.linspace(begin, line.length, max(2, round((line.length - begin) / MANHOLE_SPACING) + 1))
    above = junction[upper] if on_way else -1
    for low, high in pairwise(cuts):
        if above < 0:
            above = _add_inlet(
                drainage, line, float(low), float(flow.distance[lower]), int(flow.source[lower]), terrain
            )
        last = high == cuts[-1]
        below = (
            junction[lower]
            if last
            else _add_inlet(drainage, line, float(high), float(flow.distance[lower]), int(flow.source[lower]), terrain)
        )
        piece = shapely.get_coordinates(shapely.ops.substring(line, low, high))[1:-1].round(3)
        number = len(drainage.links) + 1
        drainage.links.append(
            DrainLink(f"DL-{number:05d}", "conduit", above, below, drainage.draw(above, below, piece))
        )
        above = below


def _add_inlet(
    drainage: Drainage, line: LineString, at: float, lower_distance: float, source: int, terrain: NDArray[np.float32]
) -> int:
    point = line.interpolate(at)
    index = drainage.add_node("DN", point.x, point.y, "inlet", _ground(terrain, point.x, point.y))
    drainage.nodes[index].distance = lower_distance + line.length - at
    drainage.nodes[index].outfall = source
    return index


def _lay_outfall(drainage: Drainage, above: int, street_node: int, body_id: str, point: shapely.Point) -> None:
    index = drainage.add_node("OF", point.x, point.y, "outfall", 1.2)
    node = drainage.nodes[index]
    node.outfall, node.distance, node.has_gate = street_node, -1.0, True
    drainage.body_of[index] = body_id
    number = len(drainage.links) + 1
    drainage.links.append(DrainLink(f"DL-{number:05d}", "conduit", above, index, drainage.draw(above, index)))


def _set_inverts(drainage: Drainage) -> None:
    """Give every forest the steepest slope between 0.3 and 1.2 ‰ that still keeps cover over its pipes."""
    trees: dict[int, list[DrainNode]] = {}
    for node in drainage.nodes:
        trees.setdefault(node.outfall, []).append(node)
    for members in trees.values():
        reach = [
            (node.ground - COVER - OUTFALL_INVERT) / (node.distance + 40.0) for node in members if node.distance >= 0
        ]
        slope = float(np.clip(min(reach, default=0.001), 0.0003, 0.0012))
        for node in members:
            rise = 0.0 if node.distance < 0 else slope * (node.distance + 40.0)
            node.invert = round(OUTFALL_INVERT + rise, 4)


def _size_conduits(drainage: Drainage) -> None:
    """Size every conduit for the street length above it by Manning's equation for a full pipe."""
    below = {link.start: link for link in drainage.links}
    length = np.zeros(len(drainage.nodes))
    for index in sorted(below, key=lambda n: -drainage.nodes[n].distance):
        link = below[index]
        length[link.end] += length[index] + link.line.length
        start, end = drainage.nodes[index], drainage.nodes[link.end]
        slope = (start.invert - end.invert) / link.line.length
        flow = RUNOFF * STRIP_WIDTH * (length[index] + link.line.length)
        needed = float((flow * PIPE_N / (0.3117 * np.sqrt(max(slope, 1e-5)))) ** 0.375)
        room = max(0.4, min(start.ground - start.invert, 2.0) - 0.25)
        fitting = DIAMETERS[needed <= DIAMETERS]
        if len(fitting) and fitting[0] <= room:
            link.shape, link.height = "circular", float(fitting[0])
        else:
            link.shape, link.height = "rect_closed", round(min(room, 1.5), 1)
            link.width = float(np.clip(np.ceil(np.pi * needed**2 / 4 / link.height * 5) / 5, link.height, 4.0))

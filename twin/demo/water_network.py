"""The water network: pipes along the streets in loops, one area a ward with its inlet, works, towers, valves, pumps."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import shapely
import shapely.ops
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra
from shapely.geometry import LineString, Point

from twin.demo.plan import WARD_CODES, Floats, Plan, locate_ward
from twin.demo.shapes import sample, shift_inside, shift_line
from twin.demo.street_graph import find_node, list_class_nodes
from twin.demo.streets import Streets

# Pipes lie beside the street's centre line; all nodes move by the same, so that nothing comes apart.
SHIFT = (0.9, -0.9)
PIPE_TYPES = {"primary": "transmission", "secondary": "transmission", "living_street": "service"}
DIAMETERS = {"primary": 0.4, "secondary": 0.3, "tertiary": 0.2, "residential": 0.15, "living_street": 0.063}
FEEDER = 0.35
PUMP_HEAD = 42.0
CLEAR_WELL_HEAD = 1.5
TOWER_ELEVATION = 24.0
INLET_PRESSURE = 30.0
VALVE_DISTANCE = 3.0
WORKS = (("WTP-1", "Nhà máy nước Lá Dừa", -1400.0, 60.0), ("WTP-2", "Nhà máy nước Vàm Xanh", 1300.0, 60.0))
TOWERS = (("WT-1", "Đài nước Cầu Mận", 100.0, 1900.0), ("WT-2", "Đài nước Chợ Lá", 1200.0, 1900.0))


@dataclass(slots=True)
class WaterNode:
    """A junction, tank or reservoir; heights [m]."""

    id: str
    x: float
    y: float
    node_type: str
    elevation: float
    area: str
    name: str | None = None


@dataclass(slots=True)
class WaterPipe:
    """A pipe between two nodes by index."""

    id: str
    start: int
    end: int
    line: LineString
    pipe_type: str
    diameter: float
    street: str
    area: str | None
    status: str = "open"


@dataclass(slots=True)
class WaterValve:
    """A valve: on a pipe near a node, or between two nodes."""

    id: str
    point: Point
    valve_type: str
    diameter: float
    area: str | None
    normal_status: str = "open"
    pipe: int = -1
    near: int = -1
    start: int = -1
    end: int = -1
    setting: float = np.nan


@dataclass(slots=True)
class WaterPump:
    """A pump that lifts from one node to another."""

    id: str
    name: str
    point: Point
    start: int
    end: int
    status: str


@dataclass(slots=True)
class WaterNetwork:
    """All of it, growing as it is built."""

    nodes: list[WaterNode] = field(default_factory=list)
    pipes: list[WaterPipe] = field(default_factory=list)
    valves: list[WaterValve] = field(default_factory=list)
    pumps: list[WaterPump] = field(default_factory=list)
    inlets: dict[str, str] = field(default_factory=dict)

    def add_node(self, key: str, x: float, y: float, node_type: str, elevation: float, area: str) -> int:
        """Add a node and return its index."""
        self.nodes.append(WaterNode(key, round(x, 3), round(y, 3), node_type, round(elevation, 2), area))
        return len(self.nodes) - 1

    def draw(self, start: int, end: int) -> LineString:
        """Return the straight line between two nodes."""
        return LineString([(self.nodes[k].x, self.nodes[k].y) for k in (start, end)])

    def list_pipes_at(self) -> list[list[int]]:
        """Return the pipes that end at each node."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for k, pipe in enumerate(self.pipes):
            found[pipe.start].append(k)
            found[pipe.end].append(k)
        return found


def build_water_network(plan: Plan, streets: Streets, terrain: NDArray[np.float32]) -> WaterNetwork:
    """Return the network; every junction is reached over open pipes from the water works."""
    network = WaterNetwork()
    xy = shift_inside(np.column_stack([streets.x, streets.y]), SHIFT)
    ground = sample(terrain, streets.x, streets.y).clip(0.7, 3.0)
    areas = WARD_CODES[locate_ward(*plan.frame.to_frame(streets.x, streets.y))]
    for k, (x, y) in enumerate(xy):
        network.add_node(f"WN-{k + 1:05d}", float(x), float(y), "junction", float(ground[k]), f"DMA-{areas[k]}")
    for k, link in enumerate(streets.links):
        ends = network.nodes[link.start].area, network.nodes[link.end].area
        network.pipes.append(
            WaterPipe(
                f"WP-{k + 1:05d}",
                link.start,
                link.end,
                shift_line(link.line, SHIFT),
                PIPE_TYPES.get(link.road_class, "distribution"),
                DIAMETERS[link.road_class],
                link.name,
                ends[0] if ends[0] == ends[1] else None,
            )
        )
    works = _add_works(plan, network, streets)
    _divide_areas(network, works)
    towers = _add_towers(plan, network, streets)
    _widen_mains(network, works, towers)
    _add_isolation_valves(network)
    return network


def _add_works(plan: Plan, network: WaterNetwork, streets: Streets) -> list[int]:
    """Add the water works by the river: clear well, three pumps, header and main; return the nodes they feed."""
    fed = []
    mains = list_class_nodes(streets, "primary", "secondary")
    for key, name, u, v in WORKS:
        x, y = (float(part) for part in plan.frame.to_map(u, v))
        main = find_node(streets, x, y, among=mains)
        away = np.array([network.nodes[main].x, network.nodes[main].y])
        area = network.nodes[main].area
        well = network.add_node(key, float(away[0]) + 34.0, float(away[1]) + 22.0, "reservoir", CLEAR_WELL_HEAD, area)
        header = network.add_node(f"{key}-J", float(away[0]) + 22.0, float(away[1]) + 14.0, "junction", 2.0, area)
        network.nodes[well].name = name
        network.inlets.setdefault(area, key)
        for n, status in enumerate(("running", "running", "standby"), 1):
            share = 0.3 + 0.2 * (n - 1)
            a, b = network.nodes[well], network.nodes[header]
            point = Point(round(a.x + share * (b.x - a.x) - 2.0 * n, 3), round(a.y + share * (b.y - a.y) + 2.0 * n, 3))
            network.pumps.append(WaterPump(f"{key}-B{n}", f"Bơm {n} {name}", point, well, header, status))
        _add_main(network, f"WP-{key}", header, main, 0.6)
        fed.append(main)
    return fed


def _add_main(network: WaterNetwork, key: str, start: int, end: int, diameter: float) -> None:
    area = network.nodes[end].area
    line = network.draw(start, end)
    network.pipes.append(WaterPipe(key, start, end, line, "transmission", diameter, "Nội bộ", area))


def _divide_areas(network: WaterNetwork, works: list[int]) -> None:
    """Close the pipes between areas but those that feed one: a boundary pipe stays open where it joins new parts.

    Pipes inside areas come first, then boundary pipes from the widest on (Kruskal's spanning forest). The works count
    as joined, so that no pipe ties them to each other.
    """
    parent = list(range(len(network.nodes)))

    def find(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for one, other in pairwise(works):
        parent[find(one)] = find(other)
    boundary = []
    for k, pipe in enumerate(network.pipes):
        if pipe.area is None:
            boundary.append(k)
        else:
            parent[find(pipe.start)] = find(pipe.end)
    inlets = []
    for k in sorted(boundary, key=lambda k: (-network.pipes[k].diameter, network.pipes[k].line.length)):
        pipe = network.pipes[k]
        one, other = find(pipe.start), find(pipe.end)
        parent[one] = other
        if one == other:
            pipe.status = "closed"
            _add_boundary_valve(network, k)
        else:
            inlets.append(k)
    distance = _measure_from(network, works)
    for k in inlets:
        _add_inlet(network, k, inward=bool(distance[network.pipes[k].start] < distance[network.pipes[k].end]))


def _measure_from(network: WaterNetwork, roots: list[int]) -> Floats:
    """Return the way from the nearest of ``roots`` to every node over open pipes [m]."""
    opened = [pipe for pipe in network.pipes if pipe.status == "open"]
    size = len(network.nodes)
    ends = np.array([(pipe.start, pipe.end) for pipe in opened])
    length = [pipe.line.length for pipe in opened]
    graph = coo_array((length, (ends[:, 0], ends[:, 1])), shape=(size, size)).tocsr()
    return np.asarray(dijkstra(graph, directed=False, indices=roots, min_only=True))


def _add_boundary_valve(network: WaterNetwork, k: int) -> None:
    pipe = network.pipes[k]
    point = pipe.line.interpolate(0.5, normalized=True)
    key = f"WV-B{len(network.valves) + 1:04d}"
    network.valves.append(WaterValve(key, point, "isolation", pipe.diameter, None, "closed", pipe=k, near=pipe.start))


def _add_inlet(network: WaterNetwork, k: int, *, inward: bool) -> None:
    """Cut the boundary pipe in its middle and put a pressure reducing valve between the halves."""
    pipe = network.pipes[k]
    middle = pipe.line.length / 2
    halves = [
        shapely.ops.substring(pipe.line, *part) for part in ((0.0, middle - 1.0), (middle + 1.0, pipe.line.length))
    ]
    ends = []
    for half, at, name in ((halves[0], -1, "A"), (halves[1], 0, "B")):
        x, y = np.round(half.coords[at], 3)
        near = network.nodes[pipe.start if name == "A" else pipe.end]
        ends.append(
            network.add_node(
                f"{pipe.id.replace('WP', 'WN')}-{name}", float(x), float(y), "junction", near.elevation, near.area
            )
        )
    rounded = [LineString(shapely.get_coordinates(half).round(3)) for half in halves]
    network.pipes.append(
        WaterPipe(
            f"{pipe.id}-B", ends[1], pipe.end, rounded[1], "transmission", pipe.diameter, pipe.street,
            network.nodes[ends[1]].area,
        )
    )  # fmt: skip
    pipe.line, pipe.end, pipe.pipe_type, pipe.area = rounded[0], ends[0], "transmission", network.nodes[ends[0]].area
    start, end = ends if inward else ends[::-1]
    area = network.nodes[end].area
    point = Point(np.round(LineString([halves[0].coords[-1], halves[1].coords[0]]).centroid.coords[0], 3))
    key = f"PRV-{area.removeprefix('DMA-')}-{pipe.id.removeprefix('WP-')}"
    network.inlets.setdefault(area, key)
    network.valves.append(
        WaterValve(
            key,
            point,
            "prv",
            round(0.75 * pipe.diameter, 3),
            area,
            "open",
            start=start,
            end=end,
            setting=INLET_PRESSURE,
        )
    )


def _add_towers(plan: Plan, network: WaterNetwork, streets: Streets) -> list[int]:
    """Add the water towers, each on a short main of its own; return the nodes they feed."""
    fed = []
    mains = list_class_nodes(streets, "primary", "secondary", "tertiary")
    for key, name, u, v in TOWERS:
        x, y = (float(part) for part in plan.frame.to_map(u, v))
        main = find_node(streets, x, y, among=mains)
        near = network.nodes[main]
        tower = network.add_node(key, near.x + 14.0, near.y + 16.0, "tank", TOWER_ELEVATION, near.area)
        network.nodes[tower].name = name
        _add_main(network, f"WP-{key}", tower, main, 0.25)
        fed.append(main)
    return fed


def _widen_mains(network: WaterNetwork, works: list[int], towers: list[int]) -> None:
    """Widen the pipes on the best way from the works to every inlet of an area and to the towers, so that they feed."""
    opened = [k for k, pipe in enumerate(network.pipes) if pipe.status == "open"]
    links = [(network.pipes[k].start, network.pipes[k].end) for k in opened]
    # Losses grow with the length and fall with the fifth power of the diameter.
    loss = [network.pipes[k].line.length / network.pipes[k].diameter ** 5 for k in opened]
    inlets = [valve for valve in network.valves if valve.start >= 0]
    links += [(valve.start, valve.end) for valve in inlets]
    loss += [1.0] * len(inlets)
    size = len(network.nodes)
    ends = np.array(links)
    graph = coo_array((loss, (ends[:, 0], ends[:, 1])), shape=(size, size)).tocsr()
    _, before, _ = dijkstra(graph, directed=False, indices=works, min_only=True, return_predecessors=True)
    between = {frozenset(pair): k for pair, k in zip(links, opened, strict=False)}
    for node in (*towers, *(valve.end for valve in inlets)):
        while before[node] >= 0:
            k = between.get(frozenset((node, int(before[node]))))
            if k is not None:
                network.pipes[k].diameter = max(network.pipes[k].diameter, FEEDER)
            node = int(before[node])


def _add_isolation_valves(network: WaterNetwork) -> None:
    """Put valves on all but the widest of the pipes that meet at a node, and a wash-out where a pipe ends."""
    count = 0
    for node, pipes in enumerate(network.list_pipes_at()):
        if len(pipes) == 1 and network.pipes[pipes[0]].pipe_type == "distribution":
            _add_valve(network, f"WV-X{node:05d}", pipes[0], node, "washout", "closed")
        if len(pipes) < 3:
            continue
        for k in sorted(pipes, key=lambda k: (-network.pipes[k].diameter, k))[1:]:
            count += 1
            _add_valve(network, f"WV-{count:05d}", k, node, "isolation", "open")


def _add_valve(network: WaterNetwork, key: str, k: int, node: int, valve_type: str, normal: str) -> None:
    pipe = network.pipes[k]
    reach = min(VALVE_DISTANCE, 0.3 * pipe.line.length)
    point = pipe.line.interpolate(reach if pipe.start == node else pipe.line.length - reach)
    network.valves.append(WaterValve(key, point, valve_type, pipe.diameter, pipe.area, normal, pipe=k, near=node))


def locate_pipes(
    network: WaterNetwork, points: NDArray[np.object_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Return for each point the nearest distribution or service pipe, its nearer node, and the distance [m]."""
    served = np.array([k for k, pipe in enumerate(network.pipes) if pipe.pipe_type != "transmission"])
    lines = np.array([network.pipes[k].line for k in served], dtype=object)
    (_, found), distance = shapely.STRtree(lines).query_nearest(points, all_matches=False, return_distance=True)
    pipe = served[found]
    along = shapely.line_locate_point(lines[found], points, normalized=True)
    ends = np.array([(network.pipes[k].start, network.pipes[k].end) for k in pipe], np.int64).reshape(-1, 2)
    return pipe, np.where(along < 0.5, ends[:, 0], ends[:, 1]), distance

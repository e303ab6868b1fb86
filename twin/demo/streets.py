"""The street network: links from junction to junction with their nodes, and the tables made from them."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from shapely.geometry import LineString

from twin.demo.blocks import Alley
from twin.demo.frame_roads import FrameRoads, Side
from twin.demo.plan import EXTENT, Floats, Plan
from twin.demo.shapes import Table, as_shapes, as_text, hash_uniform, make_points, number_ids, sample

NodeKey = tuple[str, int, float, float]

LANES = {"primary": 4, "secondary": 4, "tertiary": 2, "residential": 2, "living_street": 1}
SPEED = {"primary": 60.0, "secondary": 50.0, "tertiary": 40.0, "residential": 30.0, "living_street": 20.0}
WIDTH = {"primary": 20.0, "secondary": 14.0, "tertiary": 9.0, "residential": 6.5, "living_street": 3.0}
SURFACE = {"primary": "asphalt", "secondary": "asphalt", "tertiary": "asphalt", "residential": "concrete"}


@dataclass(frozen=True, slots=True)
class Link:
    """A street from node ``start`` to node ``end``."""

    start: int
    end: int
    line: LineString
    road_class: str
    name: str
    is_bridge: bool


@dataclass(frozen=True, slots=True)
class Streets:
    """Nodes (x, y [m]) and links of one connected network."""

    x: Floats
    y: Floats
    links: tuple[Link, ...]

    @property
    def ids(self) -> NDArray[np.object_]:
        """Node ids in order."""
        return number_ids("RN", len(self.x))

    def count_links(self) -> NDArray[np.int64]:
        """Return how many link ends meet at each node."""
        ends = [node for link in self.links for node in (link.start, link.end)]
        return np.bincount(np.array(ends, np.int64), minlength=len(self.x))


class _Builder:
    """Collects nodes by key and links between them."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.nodes: dict[NodeKey, int] = {}
        self.xy: list[tuple[float, float]] = []
        self.links: list[Link] = []

    def node(self, sector: int, fraction: float, v: float) -> int:
        key = ("n", sector, round(fraction, 6), round(v, 3))
        if key not in self.nodes:
            x, y = self.plan.place(sector, fraction, v)
            self.nodes[key] = len(self.xy)
            self.xy.append((round(float(x), 3), round(float(y), 3)))
        return self.nodes[key]

    def free_node(self, x: float, y: float) -> int:
        self.xy.append((round(x, 3), round(y, 3)))
        return len(self.xy) - 1

    def add(self, start: int, end: int, inner: Floats, side: Side) -> None:
        """Add a link; an end outside the extent is cut at the border if the street goes on, or the link is left."""
        points = np.vstack([[self.xy[start]], inner.round(3), [self.xy[end]]])
        line = LineString(points)
        if not EXTENT.covers(line):
            if not side.reaches_border:
                return
            parts = [p for p in shapely.get_parts(line.intersection(EXTENT)) if p.length > 5.0]
            if len(parts) != 1:
                return
            coords = shapely.get_coordinates(parts[0]).round(3)
            start = start if tuple(coords[0]) == self.xy[start] else self.free_node(*coords[0])
            end = end if tuple(coords[-1]) == self.xy[end] else self.free_node(*coords[-1])
            line = LineString(coords)
        self.links.append(Link(start, end, line, side.road_class, side.name, side.is_bridge))


def build_streets(plan: Plan, roads: FrameRoads, alleys: list[Alley]) -> Streets:
    """Return the network of the main frame, canal crossings and alleys, cut at every junction, in one component."""
    builder = _Builder(plan)
    row_breaks: dict[tuple[int, int, int], set[float]] = defaultdict(set)
    column_breaks: dict[tuple[int, int, int], set[float]] = defaultdict(set)
    for alley in alleys:
        for key, value in alley.row_ends:
            row_breaks[key].add(value)
        for key, value in alley.column_ends:
            column_breaks[key].add(value)
    _add_rows(builder, roads, row_breaks)
    _add_columns(builder, roads, column_breaks)
    for (canal, v), side in roads.crossings.items():
        start, end = builder.node(canal, 1.0, v), builder.node(canal + 1, 0.0, v)
        builder.add(start, end, np.empty((0, 2)), side)
    for alley in alleys:
        fractions, across = alley.path
        x, y = plan.place(alley.sector, fractions, across)
        start = builder.node(alley.sector, float(fractions[0]), float(across[0]))
        end = builder.node(alley.sector, float(fractions[-1]), float(across[-1]))
        builder.add(start, end, np.column_stack([x, y])[1:-1], Side("living_street", alley.name))
    return _merge_chains(_keep_largest(np.array(builder.xy), builder.links))


def _add_rows(builder: _Builder, roads: FrameRoads, breaks: dict[tuple[int, int, int], set[float]]) -> None:
    for (s, j, i), side in roads.rows.items():
        sector = builder.plan.sectors[s]
        v = float(sector.rows[j])
        stops = [float(sector.fractions[i]), *sorted(breaks[s, j, i]), float(sector.fractions[i + 1])]
        for low, high in pairwise(stops):
            inner = np.linspace(low, high, 5)[1:-1]
            x, y = builder.plan.place(s, inner, v)
            builder.add(builder.node(s, low, v), builder.node(s, high, v), np.column_stack([x, y]), side)


def _add_columns(builder: _Builder, roads: FrameRoads, breaks: dict[tuple[int, int, int], set[float]]) -> None:
    for (s, i, j), side in roads.columns.items():
        sector = builder.plan.sectors[s]
        fraction = float(sector.fractions[i])
        stops = [float(sector.rows[j]), *sorted(breaks[s, i, j]), float(sector.rows[j + 1])]
        for low, high in pairwise(stops):
            inner = np.linspace(low, high, 5)[1:-1]
            x, y = builder.plan.place(s, fraction, inner)
            builder.add(builder.node(s, fraction, low), builder.node(s, fraction, high), np.column_stack([x, y]), side)


def _keep_largest(xy: Floats, links: list[Link]) -> Streets:
    start = np.array([link.start for link in links])
    end = np.array([link.end for link in links])
    graph = coo_array((np.ones(len(links)), (start, end)), shape=(len(xy), len(xy)))
    _, label = connected_components(graph, directed=False)
    largest = np.bincount(label[start]).argmax()
    return _renumber(xy, [link for link in links if label[link.start] == largest])


def _renumber(xy: Floats, links: list[Link]) -> Streets:
    used = np.unique([node for link in links for node in (link.start, link.end)])
    new = np.full(len(xy), -1)
    new[used] = np.arange(len(used))
    kept = tuple(Link(int(new[k.start]), int(new[k.end]), k.line, k.road_class, k.name, k.is_bridge) for k in links)
    return Streets(xy[used, 0], xy[used, 1], kept)


def _merge_chains(streets: Streets) -> Streets:
    """Join links over nodes where nothing else meets and nothing changes."""
    links: dict[int, Link] = dict(enumerate(streets.links))
    at: dict[int, set[int]] = defaultdict(set)
    for key, link in links.items():
        at[link.start].add(key)
        at[link.end].add(key)
    for node in range(len(streets.x)):
        if len(at[node]) != 2:
            continue
        first, second = sorted(at[node])
        a, b = links[first], links[second]
        same = (a.road_class, a.name, a.is_bridge) == (b.road_class, b.name, b.is_bridge)
        outer_a, outer_b = _other(a, node), _other(b, node)
        if not same or outer_a == outer_b:
            continue
        head = shapely.get_coordinates(a.line if a.end == node else a.line.reverse())
        tail = shapely.get_coordinates(b.line if b.start == node else b.line.reverse())
        joined = LineString(np.vstack([head, tail[1:]]))
        links[first] = Link(outer_a, outer_b, joined, a.road_class, a.name, a.is_bridge)
        del links[second]
        at[outer_b].remove(second)
        at[outer_b].add(first)
        at[node].clear()
    return _renumber(np.column_stack([streets.x, streets.y]), list(links.values()))


def _other(link: Link, node: int) -> int:
    return link.end if link.start == node else link.start


def make_street_tables(streets: Streets, terrain: NDArray[np.float32], seed: int) -> dict[str, Table]:
    """Return road_links and road_nodes; surface elevations come from the terrain, on bridges from the deck."""
    rng = np.random.default_rng([seed, 4])
    links = streets.links
    classes = [link.road_class for link in links]
    geometry = as_shapes([link.line for link in links])
    bridge = np.array([link.is_bridge for link in links])
    node_z = sample(terrain, streets.x, streets.y)
    elevation = np.array([_mean_elevation(link, terrain) for link in links])
    elevation[bridge] = compute_deck(streets, node_z)[bridge]
    one_way = (np.array(classes) == "residential") & (rng.random(len(links)) < 0.06)
    luck = hash_uniform(seed, np.arange(len(links)), 41)
    columns = {
        "id": number_ids("RL", len(links)),
        "name": as_text([link.name for link in links]),
        "road_class": as_text(classes),
        "oneway": as_text(["forward" if flag else "no" for flag in one_way]),
        "motorbike_contraflow": one_way & (luck < 0.5),
        "lanes": np.array([LANES[c] for c in classes]),
        "max_speed": np.array([SPEED[c] for c in classes]),
        "width": np.array([WIDTH[c] for c in classes]),
        "surface": as_text([SURFACE.get(c, "concrete") for c in classes]),
        "elevation": elevation.round(2),
        "is_bridge": bridge,
        "is_tunnel": np.zeros(len(links), bool),
        "level": bridge.astype(np.int64),
        "length": shapely.length(geometry).round(2),
        "from_node": streets.ids[[link.start for link in links]],
        "to_node": streets.ids[[link.end for link in links]],
        "condition": as_text([_find_condition(value) for value in luck]),
        "last_works": np.datetime64("2016-01-01") + (3600.0 * luck).astype("timedelta64[D]"),
    }
    nodes = {
        "id": streets.ids,
        "node_type": as_text(["end" if n == 1 else "junction" for n in streets.count_links()]),
        "elevation": node_z.round(2),
    }
    return {"road_links": Table(geometry, columns), "road_nodes": Table(make_points(streets.x, streets.y), nodes)}


def _find_condition(luck: float) -> str:
    return "poor" if luck < 0.02 else "fair" if luck < 0.3 else "good"


def _mean_elevation(link: Link, terrain: NDArray[np.float32]) -> float:
    xy = shapely.get_coordinates(link.line.segmentize(12.0))
    return float(sample(terrain, xy[:, 0], xy[:, 1]).mean())


def compute_deck(streets: Streets, node_z: Floats) -> Floats:
    """Return the deck elevation of every link as if it were a bridge: 1.6 m above its higher end, at least 3.6 m."""
    return np.array([max(node_z[link.start], node_z[link.end], 2.0) + 1.6 for link in streets.links])


def make_bridges(streets: Streets, links: Table) -> Table:
    """Return one bridge for every bridge link, named after the street and the canal it crosses."""
    keep = np.flatnonzero(links.columns["is_bridge"])
    geometry = links.geometry[keep]
    names = [f"Cầu {streets.links[k].name.split(' ', 1)[1]} {n}" for n, k in enumerate(keep, 1)]
    classes = [streets.links[k].road_class for k in keep]
    return Table(
        geometry,
        {
            "id": number_ids("BR", len(keep)),
            "name": as_text(names),
            "length": shapely.length(geometry).round(2),
            "width": np.array([WIDTH[c] + 3.0 for c in classes]),
            "deck_elevation": links.columns["elevation"][keep],
            "crosses": as_text(["water"] * len(keep)),
            "navigation_span": (0.45 * shapely.length(geometry)).round(1),
            "clearance": (links.columns["elevation"][keep] - 0.9 - 2.0).round(2),
            "load_limit": np.array(
                [{"primary": 30.0, "secondary": 25.0, "tertiary": 13.0}.get(c, 5.0) for c in classes]
            ),
        },
    )


def find_crossing_nodes(streets: Streets) -> NDArray[np.int64]:
    """Return nodes where two main streets meet: there are signals."""
    names: dict[int, set[str]] = defaultdict(set)
    for link in streets.links:
        if link.road_class in ("primary", "secondary"):
            names[link.start].add(link.name)
            names[link.end].add(link.name)
    return np.array(sorted(node for node, found in names.items() if len(found) > 1), np.int64)

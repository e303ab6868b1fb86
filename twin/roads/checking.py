"""What is wrong with the roads: parts that hang on nothing, pockets without a way out, crossings, signs, gaps."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from layers.schema import Text
from network.road_parts import RoadParts, find_parts
from network.roads import Index, Values, mode_bits
from twin.roads.attributes import FERRIES, ROADS
from twin.roads.city_roads import CityRoads
from twin.roads.turns import TURNS

ERRORS = ("disconnected_part", "one_way_pocket", "duplicate")
MOTOR = ("car", "motorbike")
MOST_ITEMS = 50
FIXES: Mapping[str, Text] = {
    "disconnected_part": Text(
        "Tìm đoạn còn thiếu, hoặc kéo đầu đường tới đúng nút giao.",
        "Find the road that is missing, or move the end onto the junction.",
    ),
    "one_way_pocket": Text(
        "Xem lại chiều của đường một chiều hoặc biển cấm rẽ: vào được mà không ra được, hoặc ngược lại.",
        "Look at the one-way streets and banned turns: one can enter and not leave, or the other way round.",
    ),
    "duplicate": Text("Giữ lại một đường, xóa đường trùng.", "Keep one of the roads and remove the other."),
    "crossing_without_node": Text(
        "Thêm đỉnh chung tại nút giao; nếu là cầu hay hầm thì ghi tầng hoặc “trên cầu”.",
        "Give both a vertex where they meet; if one is a bridge or tunnel, say so or give its level.",
    ),
    "near_miss": Text(
        "Đầu đường đã được nối với đường bên cạnh: vẽ lại cho trùng.",
        "The end was joined to the road it stops short of: draw it onto that road.",
    ),
    "level_conflict": Text(
        "Hai đường khác tầng có chung đỉnh và đã được tách: bỏ đỉnh chung hoặc sửa tầng.",
        "Roads on different levels share a vertex and were kept apart: remove the vertex, or correct the level.",
    ),
    "unheeded_sign": Text(
        "Biển cấm rẽ không dùng được: ghi đúng đường đến, đường đi và vị trí.",
        "The sign cannot be heeded: name the road it leads from, the road it leads to, and its place.",
    ),
}
_ATTRIBUTES = ("name", "lanes", "max_speed", "width", "surface", "oneway")


@dataclass(frozen=True, slots=True)
class RoadFinding:
    """A fault: its kind, layer and items, where [m], how long [m] if that says something, and why."""

    kind: str
    layer: str
    items: tuple[str, ...]
    xy: tuple[float, float]
    measure: float | None = None
    reason: str | None = None

    @property
    def severity(self) -> str:
        """``error`` or ``warning``."""
        return "error" if self.kind in ERRORS else "warning"


@dataclass(frozen=True, eq=False)
class RoadReport:
    """What was found: the findings, how many parts, the share of the length of roads for cars within which one comes
    from anywhere to anywhere, and how many roads lack which attribute.
    """

    findings: tuple[RoadFinding, ...]
    parts: int
    largest_share: float
    missing: Mapping[str, int]
    features: int

    @property
    def errors(self) -> int:
        """How many findings are errors."""
        return sum(one.severity == "error" for one in self.findings)

    @property
    def counts(self) -> dict[str, int]:
        """How many findings of each kind."""
        return dict(Counter(one.kind for one in self.findings))


def check_roads(roads: CityRoads, features: gpd.GeoDataFrame | None = None) -> RoadReport:
    """Return what is wrong with roads; ``features`` are those of road_links, for what they do not say."""
    graph = roads.graph
    motor = (graph.access & mode_bits(*MOTOR)) != 0
    parts = find_parts(graph, motor)
    findings = [
        *_list_parts(roads, parts),
        *_list_pockets(roads, parts),
        *_list_duplicates(roads),
        *_list_crossings(roads),
        *_list_places(roads, "near_miss", roads.joined),
        *_list_places(roads, "level_conflict", roads.parted),
        *(
            RoadFinding("unheeded_sign", TURNS, (one.sign,), one.xy, None, one.reason)
            for one in roads.unheeded
        ),
    ]  # fmt: skip
    missing: dict[str, int] = {}
    if features is not None:
        missing = {name: int(features[name].isna().sum()) for name in _ATTRIBUTES if name in features.columns}
    count = 0 if features is None else len(features)
    return RoadReport(
        tuple(findings), int(parts.weak.max(initial=-1)) + 1, share_of_largest(roads, "car"), missing, count
    )


def share_of_largest(roads: CityRoads, mode: str) -> float:
    """Return the share of the links of a mode in the largest part within which one comes from each to each."""
    graph = roads.graph_of(mode)
    there = graph.allows(mode)
    if not there.any():
        return 0.0
    return float(np.count_nonzero(find_parts(graph, there).strong == 0) / np.count_nonzero(there))


def make_findings_frame(report: RoadReport, crs: str) -> gpd.GeoDataFrame:
    """Return the findings as features of network_findings in the city's CRS."""
    rows: list[dict[str, Any]] = [
        {
            "id": f"F{number + 1:06d}",
            "commodity": "roads",
            "kind": one.kind,
            "severity": one.severity,
            "layer_id": one.layer,
            "item_id": one.items[0],
            "other_items": ", ".join(one.items[1:MOST_ITEMS]) or None,
            "items": len(one.items),
            "measure": one.measure,
            "fix_vi": FIXES[one.kind].vi,
            "fix_en": FIXES[one.kind].en,
        }
        for number, one in enumerate(report.findings)
    ]
    names = ("id", "commodity", "kind", "severity", "layer_id", "item_id", "other_items", "items", "measure")
    places = np.asarray(shapely.points(np.array([one.xy for one in report.findings]).reshape(-1, 2)), object)
    return gpd.GeoDataFrame(rows, columns=[*names, "fix_vi", "fix_en"], geometry=places, crs=crs)


def _list_parts(roads: CityRoads, parts: RoadParts) -> Iterator[RoadFinding]:
    for links in _split(parts.weak)[1:]:
        yield _describe(roads, "disconnected_part", links)


def _list_pockets(roads: CityRoads, parts: RoadParts) -> Iterator[RoadFinding]:
    """Yield the pieces of roads in the largest part that lie outside the part one comes from and to anywhere."""
    graph = roads.graph
    outside = (parts.weak == 0) & (parts.strong != 0)
    # A way out that another direction of the same road gives is none that is missing.
    stuck = outside & ~np.isin(graph.edges, graph.edges[parts.strong == 0])
    if not stuck.any():
        return
    for links in _split(find_parts(graph, stuck).weak):
        yield _describe(roads, "one_way_pocket", links)


def _split(labels: Index) -> list[Index]:
    """Return the links of each part, from part 0 on."""
    order = np.argsort(labels, kind="stable")
    order = order[labels[order] >= 0]
    begin = np.flatnonzero(np.diff(labels[order])) + 1
    return np.split(order, begin) if order.size else []


def _describe(roads: CityRoads, kind: str, links: Index) -> RoadFinding:
    graph = roads.graph
    edges = np.unique(graph.edges[links])
    items = list(dict.fromkeys(roads.items[edges].tolist()))
    at = graph.junction_xy[graph.starts[links[0]]]
    return RoadFinding(
        kind, str(roads.layers[edges[0]]), tuple(items), _place(at), float(_edge_lengths(roads)[edges].sum())
    )


def _list_duplicates(roads: CityRoads) -> Iterator[RoadFinding]:
    """Yield pairs of edges that lie on each other."""
    ends = _edge_ends(roads)
    length = _edge_lengths(roads)
    low, high = ends.min(axis=1), ends.max(axis=1)
    order = np.lexsort((length, high, low))
    alike = (low[order][1:] == low[order][:-1]) & (high[order][1:] == high[order][:-1])
    alike &= np.abs(np.diff(length[order])) < 0.01
    for k in np.flatnonzero(alike):
        pair = order[k : k + 2]
        if roads.layers[pair[0]] != ROADS or roads.layers[pair[1]] != ROADS:
            continue
        first, second = roads.lines(pair)
        if first.normalize().equals_exact(second.normalize(), 0.01):
            at = shapely.line_interpolate_point(first, 0.5, normalized=True)
            yield RoadFinding(
                "duplicate", ROADS, tuple(roads.items[pair].tolist()), (at.x, at.y), float(length[pair[0]])
            )


def _list_crossings(roads: CityRoads) -> Iterator[RoadFinding]:
    """Yield pairs of roads that cross on the ground without a common junction there."""
    flat = np.ones(roads.items.size, np.bool_)
    graph = roads.graph
    flat[graph.edges[graph.is_bridge | graph.is_tunnel | graph.is_ferry]] = False
    chosen = np.flatnonzero(flat)
    lines = roads.lines(chosen)
    first, second = shapely.STRtree(lines).query(lines, predicate="crosses")
    once = first < second
    first, second = first[once], second[once]
    meet = shapely.intersection(lines[first], lines[second])
    for a, b, where in zip(chosen[first], chosen[second], meet, strict=True):
        point = shapely.get_parts(where)[0]
        if point.geom_type == "Point":
            yield RoadFinding("crossing_without_node", ROADS, (roads.items[a], roads.items[b]), (point.x, point.y))


def _list_places(roads: CityRoads, kind: str, places: Values) -> Iterator[RoadFinding]:
    if not places.size:
        return
    at, edges = roads.tree.query(shapely.points(places), predicate="dwithin", distance=0.5)
    for k in range(places.shape[0]):
        items = list(dict.fromkeys(roads.items[edges[at == k]].tolist()))
        if items:
            layer = FERRIES if (roads.layers[edges[at == k]] == FERRIES).all() else ROADS
            yield RoadFinding(kind, layer, tuple(items), _place(places[k]))


def _edge_ends(roads: CityRoads) -> Index:
    graph = roads.graph
    ends = np.zeros((graph.edge_count, 2), np.int32)
    ends[graph.edges] = np.where(
        graph.forward[:, None], np.column_stack((graph.starts, graph.ends)), np.column_stack((graph.ends, graph.starts))
    )
    return ends


def _edge_lengths(roads: CityRoads) -> Values:
    return np.asarray(roads.measures[:, 1] - roads.measures[:, 0], np.float64)


def _place(xy: Values) -> tuple[float, float]:
    return float(xy[0]), float(xy[1])

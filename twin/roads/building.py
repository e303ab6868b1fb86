"""From features to roads: lines with what they mean, joined where they meet, with the turns that signs forbid."""

from dataclasses import dataclass, replace

import numpy as np
import shapely
from scipy.spatial import cKDTree
from shapely import STRtree

from network.road_places import TOLERANCE, Stretches, Vertices, arrange, cut_at_junctions, join_loose_ends, label_places
from network.roads import Index, Mask, RoadGraph, Values, ban_turns, build_road_graph
from twin.networks.reading import LayerView, Reader, Rows, ViewReader
from twin.roads.attributes import DESCRIBE, FERRIES, ROADS, Lines
from twin.roads.city_roads import CityRoads
from twin.roads.turns import TURN_COLUMNS, TURNS, choose_ways, resolve_turns

BRIDGES = "bridges"
ROAD_LAYERS = (ROADS, FERRIES, TURNS, BRIDGES)
"""The layers that roads are made of."""
FERRY_REACH = 60.0
"""A ferry's end reaches the nearest road up to here [m]."""
_BRIDGE_COLUMNS = ("load_limit", "max_height")
_BRIDGE_REACH = 3.0


@dataclass(frozen=True, eq=False)
class Laid:
    """Lines with the places of their vertices; ``line`` is the row of each vertex, in ascending order."""

    lines: Lines
    xy: Values
    line: Index
    places: Index
    place_xy: Values


def view_roads(view: LayerView) -> CityRoads:
    """Return the roads as a view of the city shows its layers, whatever it is kept in."""
    return build_city_roads(ViewReader(view), "")


def build_city_roads(reader: Reader, stamp: str) -> CityRoads:
    """Return the roads as a reader of layers gives them."""
    return finish_roads(lay_roads(read_lines(reader)), reader, stamp)


def read_lines(reader: Reader) -> Lines:
    """Return all lines that are roads, layer by layer."""
    parts = [describe(reader.list(layer, columns, shapes=True)) for layer, (columns, describe) in DESCRIBE.items()]
    return parts[0].join(parts[1])


def lay_roads(lines: Lines) -> Laid:
    """Return lines with the places where their vertices lie."""
    xy, owner = shapely.get_coordinates(lines.shapes, return_index=True)
    places, place_xy = label_places(xy)
    return Laid(lines, xy, owner.astype(np.int32), places, place_xy)


def lay_again(laid: Laid, kept: Mask, fresh: Lines) -> Laid:
    """Return the rows that are kept and fresh ones, by layer and feature id; only what is fresh is looked for.

    A fresh vertex takes the place it is within the tolerance of.
    """
    lines = laid.lines.take(np.flatnonzero(kept)).join(fresh)
    layer = np.where(lines.layers == ROADS, 0, 1)
    order = np.lexsort((lines.fids, layer))
    row = np.empty(order.size, np.int32)
    row[order] = np.arange(order.size, dtype=np.int32)
    old_rows = np.cumsum(kept) - 1
    stays = kept[laid.line]
    new_xy, owner = shapely.get_coordinates(fresh.shapes, return_index=True)
    own, own_xy = label_places(new_xy)
    place_xy, found = laid.place_xy, np.zeros(own_xy.shape[0], np.int32)
    if own_xy.size:
        distance, nearest = cKDTree(laid.place_xy, balanced_tree=False, compact_nodes=False).query(
            own_xy, distance_upper_bound=TOLERANCE
        )
        known = np.isfinite(distance)
        found[known] = nearest[known]
        found[~known] = laid.place_xy.shape[0] + np.arange(np.count_nonzero(~known))
        place_xy = np.vstack((laid.place_xy, own_xy[~known]))
    line = np.append(row[old_rows[laid.line[stays]]], row[int(np.count_nonzero(kept)) + owner]).astype(np.int32)
    sequence = np.argsort(line, kind="stable")
    return Laid(
        lines.take(order),
        np.vstack((laid.xy[stays], new_xy))[sequence],
        line[sequence],
        np.append(laid.places[stays], found[own])[sequence].astype(np.int32),
        place_xy,
    )


def finish_roads(laid: Laid, reader: Reader, stamp: str) -> CityRoads:
    """Return the roads of laid lines with the signs and bridges that a reader gives."""
    lines = _limit_bridges(laid.lines, reader.list(BRIDGES, _BRIDGE_COLUMNS, shapes=True))
    laid = _land_ferries(replace(laid, lines=lines))
    vertices = arrange(laid.xy, laid.line, lines.ids.size, laid.places, laid.place_xy)
    joined = join_loose_ends(vertices, lines.level, lines.shapes)
    stretches = cut_at_junctions(joined, lines.level)
    graph = _make_graph(lines, stretches)
    roads = CityRoads(
        graph,
        stamp,
        lines.ids[stretches.line],
        lines.layers[stretches.line],
        stretches.part,
        stretches.measures,
        lines.names[stretches.line],
        stretches.begin,
        stretches.finish,
        joined,
        stretches.parted,
        _find_joined(vertices, joined),
        (),
        (),
    )
    signs = reader.list(TURNS, TURN_COLUMNS, shapes=True)
    return _heed_signs(roads, signs) if signs.ids.size else roads


def _heed_signs(roads: CityRoads, signs: Rows) -> CityRoads:
    bans, unheeded = resolve_turns(signs, roads.graph, roads.places, roads.lines())
    ways = choose_ways(bans, "car")
    graph = ban_turns(roads.graph, ways) if ways else roads.graph
    return replace(roads, graph=graph, bans=bans, unheeded=unheeded)


def _make_graph(lines: Lines, stretches: Stretches) -> RoadGraph:
    line = stretches.line
    return build_road_graph(
        stretches.starts,
        stretches.ends,
        stretches.junction_xy,
        lengths=stretches.measures[:, 1] - stretches.measures[:, 0],
        access=lines.access[line],
        speeds=lines.speeds[line],
        lanes=lines.lanes[line],
        capacities=lines.capacities[line],
        road_classes=lines.classes[line],
        is_bridge=lines.is_bridge[line],
        is_tunnel=lines.is_tunnel[line],
        is_ferry=lines.is_ferry[line],
        max_heights=lines.max_heights[line],
        max_weights=lines.max_weights[line],
        max_widths=lines.max_widths[line],
        # What a whole line takes is shared by its stretches.
        fixed_times=lines.fixed_times[line] * _shares(stretches)[:, None],
    )


def _shares(stretches: Stretches) -> Values:
    """Return the share of each stretch in the length of its line."""
    length = stretches.measures[:, 1] - stretches.measures[:, 0]
    whole = np.bincount(stretches.line, length)[stretches.line] if length.size else length
    return np.divide(length, whole, out=np.ones(length.size), where=whole > 0.0)


def _limit_bridges(lines: Lines, bridges: Rows) -> Lines:
    """Return the lines with the load and height that the bridges below them bear."""
    assert bridges.shapes is not None
    limits = [
        np.array([np.inf if value is None else float(value) for value in bridges.values[name].tolist()])
        for name in _BRIDGE_COLUMNS
    ]
    told = np.flatnonzero(np.isfinite(limits[0]) | np.isfinite(limits[1])) if bridges.ids.size else np.zeros(0, int)
    on = np.flatnonzero(lines.is_bridge)
    if not told.size or not on.size:
        return lines
    middle = shapely.line_interpolate_point(bridges.shapes[told], 0.5, normalized=True)
    at, found = STRtree(lines.shapes[on]).query(middle, predicate="dwithin", distance=_BRIDGE_REACH)
    weights, heights = lines.max_weights.copy(), lines.max_heights.copy()
    np.minimum.at(weights, on[found], limits[0][told[at]])
    np.minimum.at(heights, on[found], limits[1][told[at]])
    return replace(lines, max_weights=weights, max_heights=heights)


def _land_ferries(laid: Laid) -> Laid:
    """Return the lines with the ends of ferries at the nearest vertex of a road within reach."""
    ferry = laid.lines.is_ferry[laid.line]
    if not ferry.any():
        return laid
    change = np.append(True, laid.line[1:] != laid.line[:-1])
    ends = np.flatnonzero(ferry & (change | np.append(change[1:], True)))
    road = np.flatnonzero(~ferry)
    if not road.size:
        return laid
    distance, nearest = cKDTree(laid.xy[road], balanced_tree=False, compact_nodes=False).query(
        laid.xy[ends], distance_upper_bound=FERRY_REACH
    )
    near = np.isfinite(distance)
    xy, places = laid.xy.copy(), laid.places.copy()
    xy[ends[near]], places[ends[near]] = laid.xy[road[nearest[near]]], laid.places[road[nearest[near]]]
    return replace(laid, xy=xy, places=places)


def _find_joined(before: Vertices, after: Vertices) -> Values:
    """Return the places (n, 2) at which a loose end was joined to a line: those that gained a vertex."""
    if after is before:
        return np.zeros((0, 2))
    count = before.place_xy.shape[0]
    gained = np.bincount(after.places, minlength=count) > np.bincount(before.places, minlength=count)
    return np.asarray(after.place_xy[gained], np.float64)

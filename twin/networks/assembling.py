"""From a layout — lines, places and stops — to the graph of a commodity with its devices, sources and states."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from network.graph import Index, Mask, Values, build_graph
from network.topology import Links
from twin.networks.city_graph import CityGraph, Standing
from twin.networks.commodities import Between, Commodity, Coupler, Lines, Points, When
from twin.networks.reading import Fids, Objects, Reader, Rows, list_names

Ints = NDArray[np.int64] | Index


@dataclass(frozen=True, eq=False)
class Layout:
    """Which lines meet where. lines, places: the features of each declared layer of lines and of points, in order;
    ``Links.line`` counts through the lines of all layers, ``point_nodes`` through the points. node_xy (nodes, 2) [m],
    node_levels (nodes,).
    """

    lines: tuple[Rows, ...]
    points: tuple[Rows, ...]
    links: Links
    node_xy: Values
    node_levels: Index
    point_nodes: Index


@dataclass(eq=False)
class _Parts:
    """Links and nodes beside those of the layout, growing."""

    starts: list[Index]
    ends: list[Index]
    weights: list[Values]
    layers: list[Index]
    items: list[Objects]
    fids: list[Fids]
    numbers: list[Index]
    closed: list[Mask]
    one_way: list[Mask]

    def add(
        self, layer: int, starts: Ints, ends: Ints, weights: Values, items: Objects, fids: Fids, part: Ints,
        closed: Mask, one_way: Mask,
    ) -> None:  # fmt: skip
        """Add links of one layer."""
        self.starts.append(starts.astype(np.int32))
        self.ends.append(ends.astype(np.int32))
        self.weights.append(weights)
        self.layers.append(np.full(starts.size, layer, np.int32))
        self.items.append(items)
        self.fids.append(fids)
        self.numbers.append(part.astype(np.int32))
        self.closed.append(closed)
        self.one_way.append(one_way)


def assemble(commodity: Commodity, layout: Layout, reader: Reader, stamp: str) -> CityGraph:
    """Return the graph of a commodity; ``reader`` gives what is asked of it later, too."""
    layers, links = commodity.layers, layout.links
    number = {layer: k for k, layer in enumerate(layers)}
    names = _join([rows.ids for rows in layout.lines])
    keys = _join([rows.keys for rows in layout.lines])
    of = _join([np.full(rows.ids.size, number[one.layer], np.int32) for one, rows in _pair(commodity.lines, layout)])
    shut = _join([rows.test(*one.closed) for one, rows in _pair(commodity.lines, layout)]).astype(np.bool_)
    single = _join([_test(rows, one.one_way) for one, rows in _pair(commodity.lines, layout)]).astype(np.bool_)
    parts = _Parts(
        [links.starts], [links.ends], [links.to_measure - links.from_measure], [of[links.line]], [names[links.line]],
        [keys[links.line]], [links.part], [shut[links.line]], [single[links.line]],
    )  # fmt: skip
    nodes = _Nodes(commodity, layout, number)
    nodes.hold_points(parts.one_way[0], links)
    missing = 0
    for between in commodity.between:
        missing += _add_between(between, number, reader, nodes, parts)
    for coupler in commodity.couplers:
        missing += _add_coupler(coupler, commodity, layout, number, reader, nodes, parts)
    graph = build_graph(
        np.concatenate(parts.starts),
        np.concatenate(parts.ends),
        nodes=nodes.count,
        weights=np.concatenate(parts.weights),
        one_way=np.concatenate(parts.one_way),
        stamp=stamp,
    )
    bare = np.full(graph.link_count - links.line.size, np.nan)
    node_layers = np.concatenate(nodes.layers)
    dangling = (graph.degrees == 1) & (node_layers < 0) if commodity.points else np.zeros(nodes.count, np.bool_)
    lost = (graph.degrees == 0) & (node_layers >= 0)
    return CityGraph(
        commodity, graph, stamp, layers,
        np.concatenate(parts.layers), np.concatenate(parts.items), np.concatenate(parts.fids),
        np.concatenate(parts.numbers),
        np.append(links.from_measure, bare), np.append(links.to_measure, bare),
        node_layers, np.concatenate(nodes.items), np.concatenate(nodes.fids), np.concatenate(nodes.xy),
        tuple(nodes.standing),
        np.flatnonzero(np.concatenate(nodes.sources)).astype(np.int32),
        np.flatnonzero(np.concatenate(nodes.sinks)).astype(np.int32),
        np.concatenate(nodes.valves), np.concatenate(nodes.closed), np.concatenate(nodes.stuck),
        ~np.concatenate(parts.closed), int(np.count_nonzero(dangling | lost)) + missing, reader,
    )  # fmt: skip


class _Nodes:
    """The nodes of a network and what stands on them, growing."""

    def __init__(self, commodity: Commodity, layout: Layout, number: dict[str, int]) -> None:
        size = layout.node_xy.shape[0]
        self.count = size
        self.xy = [layout.node_xy]
        self.layers = [np.full(size, -1, np.int32)]
        self.items: list[Objects] = [np.full(size, "", object)]
        self.fids: list[Fids] = [np.full(size, -1, np.int64)]
        self.standing: list[Standing] = []
        self.sources, self.sinks, self.valves, self.closed, self.stuck = (
            [np.zeros(size, np.bool_)] for _ in range(5)
        )  # fmt: skip
        self._commodity, self._layout, self._number = commodity, layout, number

    def hold_points(self, one_way: Mask, links: Links) -> None:
        """Put the features that are points on their nodes; those of the first layers give a shared node its name."""
        begin = sum(rows.ids.size for rows in self._layout.points)
        for one, rows in reversed(list(zip(self._commodity.points, self._layout.points, strict=True))):
            begin -= rows.ids.size
            at = self._layout.point_nodes[begin : begin + rows.ids.size]
            self.layers[0][at] = self._number[one.layer]
            self.items[0][at] = rows.ids
            self.fids[0][at] = rows.keys
            self.standing.append(Standing(one.layer, rows.ids, at))
            self.sources[0][at] |= rows.test(*one.sources)
            self.sinks[0][at] |= rows.test(*one.sinks)
            valves = _test(rows, one.valves)
            self.valves[0][at] |= valves
            self.closed[0][at] |= valves & rows.test(*one.closed)
            self.stuck[0][at] |= valves & rows.test(*one.stuck)
            check = at[_test(rows, one.one_way)]
            if check.size:
                here = np.zeros(self.count, np.bool_)
                here[check] = True
                one_way |= here[links.starts]

    def add(self, layer: str, rows: Rows, valves: Mask, closed: Mask, stuck: Mask, sources: Mask) -> Index:
        """Add devices as nodes of their own and return their indices."""
        size = rows.ids.size
        at = np.arange(self.count, self.count + size, dtype=np.int32)
        assert rows.shapes is not None
        self.count += size
        self.xy.append(shapely.get_coordinates(rows.shapes))
        self.layers.append(np.full(size, self._number[layer], np.int32))
        self.items.append(rows.ids)
        self.fids.append(rows.keys)
        self.standing.append(Standing(layer, rows.ids, at))
        self.sources.append(sources)
        self.sinks.append(np.zeros(size, np.bool_))
        self.valves.append(valves)
        self.closed.append(closed)
        self.stuck.append(stuck)
        return at

    def find(self, names: Objects) -> Index:
        """Return the node of each named feature, -1 where there is none."""
        wanted = set(names.tolist())
        known: dict[str, int] = {}
        if wanted:
            for one in self.standing:
                each = zip(one.items.tolist(), one.nodes.tolist(), strict=True)
                known.update((item, node) for item, node in each if item in wanted)
        return np.array([known.get(name, -1) for name in names.tolist()], np.int32)


def read_parts(commodity: Commodity, reader: Reader, *, shapes: bool) -> tuple[tuple[Rows, ...], tuple[Rows, ...]]:
    """Return the features that are lines and those that are points, those that do not take part left out."""
    lines = []
    for one in commodity.lines:
        rows = reader.list(one.layer, list_line_names(one), shapes=shapes)
        lines.append(rows.take(choose_lines(one, rows)))
    points = []
    for place in commodity.points:
        rows = reader.list(place.layer, list_point_names(commodity, place), shapes=shapes)
        points.append(rows.take(choose_points(commodity, place, rows)))
    return tuple(lines), tuple(points)


def choose_lines(lines: Lines, rows: Rows) -> Mask:
    """Return which features are lines of the network."""
    return np.ones(rows.ids.size, np.bool_) if lines.only is None else rows.test(lines.only)


def list_line_names(lines: Lines) -> list[str]:
    """Return the properties of lines that decide about the network."""
    return list_names(lines.level_by, rules=(lines.only, lines.one_way, *lines.closed))


def list_point_names(commodity: Commodity, points: Points) -> list[str]:
    """Return the properties of points that decide about the network."""
    ends = [name for one in commodity.between if one.layer == points.layer for name in (one.from_id, one.to_id)]
    rules = (points.only, points.valves, points.one_way, *points.sources, *points.sinks, *points.closed, *points.stuck)
    return list_names(points.line_id, *ends, rules=rules)


def choose_points(commodity: Commodity, points: Points, rows: Rows) -> Mask:
    """Return which features are points of the network: those that do not stand between two nodes they name."""
    chosen = np.ones(rows.ids.size, np.bool_) if points.only is None else rows.test(points.only)
    for one in commodity.between:
        if one.layer == points.layer:
            chosen &= ~_names_both(one, rows)
    return chosen


def _names_both(one: Between, rows: Rows) -> Mask:
    blank = When(one.from_id, (None, "")), When(one.to_id, (None, ""))
    return ~rows.test(*blank)


def _add_between(one: Between, number: dict[str, int], reader: Reader, nodes: _Nodes, parts: _Parts) -> int:
    """Add the devices of a layer that stand between two nodes; return how many name a node that is not there."""
    points = next((points for points in nodes._commodity.points if points.layer == one.layer), None)
    rules = [*one.closed, one.one_way]
    if points is not None:
        rules += [points.valves, *points.closed, *points.stuck]
    names = list_names(one.from_id, one.to_id, rules=rules)
    rows = reader.list(one.layer, names, shapes=True, filled=(one.from_id, one.to_id))
    start, end = nodes.find(rows.values[one.from_id]), nodes.find(rows.values[one.to_id])
    there = (start >= 0) & (end >= 0)
    missing = int(np.count_nonzero(~there))
    rows, start, end = rows.take(there), start[there], end[there]
    none = np.zeros(rows.ids.size, np.bool_)
    single, shut = _test(rows, one.one_way), rows.test(*one.closed)
    xy = np.concatenate(nodes.xy)
    if not one.as_node:
        length = np.hypot(*(xy[start] - xy[end]).T)
        parts.add(number[one.layer], start, end, length, rows.ids, rows.keys, none.astype(np.int64), shut, single)
        return missing
    valves = none if points is None else _test(rows, points.valves)
    closed = shut if points is None else valves & rows.test(*points.closed)
    stuck = none if points is None else valves & rows.test(*points.stuck)
    at = nodes.add(one.layer, rows, valves, closed, stuck, none)
    assert rows.shapes is not None
    here = shapely.get_coordinates(rows.shapes)
    order = np.arange(2 * at.size).reshape(2, -1).T.ravel()
    starts, ends = np.append(start, at)[order], np.append(at, end)[order]
    lengths = np.append(np.hypot(*(xy[start] - here).T), np.hypot(*(xy[end] - here).T))[order]
    part = np.tile(np.array([0, 1]), at.size)
    parts.add(
        number[one.layer],
        starts,
        ends,
        lengths,
        np.repeat(rows.ids, 2),
        np.repeat(rows.keys, 2),
        part,
        np.repeat(none, 2),
        np.repeat(single, 2),
    )
    return missing


def _add_coupler(
    one: Coupler, commodity: Commodity, layout: Layout, number: dict[str, int], reader: Reader, nodes: _Nodes,
    parts: _Parts,
) -> int:  # fmt: skip
    """Add devices that join levels; return how many find less than two."""
    rows = reader.list(one.layer, (), shapes=True)
    assert rows.shapes is not None
    here = shapely.get_coordinates(rows.shapes)
    none = np.zeros(rows.ids.size, np.bool_)
    at = nodes.add(one.layer, rows, none, none, none, np.full(rows.ids.size, one.sources))
    found = np.full((rows.ids.size, len(one.levels)), -1, np.int64)
    off = np.full(found.shape, np.nan)
    for k, level in enumerate(one.levels):
        own = np.flatnonzero(layout.node_levels == level)
        if own.size and rows.ids.size:
            distance, nearest = cKDTree(layout.node_xy[own]).query(here, distance_upper_bound=one.reach)
            close = np.isfinite(distance)
            found[close, k], off[close, k] = own[nearest[close]], distance[close]
        if level in one.named_by:
            _prefer_named(one, level, commodity, layout, reader, rows, here, found[:, k], off[:, k])
    item, level_at = np.nonzero(found >= 0)
    fresh = np.append(True, item[1:] != item[:-1])[: item.size]
    part = np.arange(item.size) - np.maximum.accumulate(np.where(fresh, np.arange(item.size), 0))
    false = np.zeros(item.size, np.bool_)
    parts.add(
        number[one.layer],
        found[item, level_at],
        at[item],
        off[item, level_at],
        rows.ids[item],
        rows.keys[item],
        part,
        false,
        false,
    )
    return int(np.count_nonzero((found >= 0).sum(axis=1) == 1))


def _prefer_named(
    one: Coupler, level: int, commodity: Commodity, layout: Layout, reader: Reader, rows: Rows, here: Values,
    found: NDArray[np.int64], off: Values,
) -> None:  # fmt: skip
    """Put the nearest end of a line that names the coupler in the place of what is nearest of all."""
    place = {name: k for k, name in enumerate(rows.ids.tolist())}
    begin = 0
    for lines, own in zip(commodity.lines, layout.lines, strict=True):
        named = reader.pick(lines.layer, own.ids, (one.named_by[level],)).values[one.named_by[level]]
        of = np.append([place.get(name, -1) for name in named.tolist()], -1).astype(np.int64)
        line = layout.links.line.astype(np.int64) - begin
        coupler = np.where((line >= 0) & (line < own.ids.size), of[np.clip(line, -1, own.ids.size - 1)], -1)
        begin += own.ids.size
        pairs = np.concatenate([
            np.column_stack((coupler, ends))[(coupler >= 0) & (layout.node_levels[ends] == level)]
            for ends in (layout.links.starts, layout.links.ends)
        ])  # fmt: skip
        distance = np.hypot(*(layout.node_xy[pairs[:, 1]] - here[pairs[:, 0]]).T)
        order = np.lexsort((distance, pairs[:, 0]))
        order = order[distance[order] <= one.named_reach]
        pairs, distance = pairs[order], distance[order]
        first = np.append(True, pairs[1:, 0] != pairs[:-1, 0])[: pairs.shape[0]]
        found[pairs[first, 0]], off[pairs[first, 0]] = pairs[first, 1], distance[first]


def _pair(lines: Sequence[Lines], layout: Layout) -> list[tuple[Lines, Rows]]:
    return list(zip(lines, layout.lines, strict=True))


def _join(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(list(parts))


def _test(rows: Rows, rule: When | None) -> Mask:
    return np.zeros(rows.ids.size, np.bool_) if rule is None else rows.test(rule)

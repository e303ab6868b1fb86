"""Topologies kept by every write: what was written is settled in its neighbourhood, the rest is not looked at."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import STRtree
from sqlalchemy import Connection

from layers.registry import read_vector_layer
from layers.store.networks.columns import read_columns
from layers.store.networks.state import (
    StoredState,
    Written,
    advance_state,
    lock_state,
    read_next_node,
    read_state,
    take_written,
)
from layers.store.networks.topologies import (
    StoredNodes,
    StoredPlaces,
    StoredStops,
    delete_nodes,
    insert_topology,
    read_nodes,
    read_places,
    read_stops,
)
from network.topology import Box, Topology, build_part, lies_in
from twin.networks.assembling import choose_lines, choose_points, list_line_names, list_point_names
from twin.networks.commodities import COMMODITIES, Commodity, Lines, Points
from twin.networks.laying import find_levels, join_objects, place_devices
from twin.networks.reading import Objects, Rows
from twin.networks.storing import build_stored, name_declaration

Features = list[tuple[int, list[int]]]

MOST_WRITTEN = 5000
"""More features of a layer than this are not settled one by one: the network is built anew."""

MOST_PLACES = 100
"""What changed in more places than this is built anew, which is sooner done."""

_MARGIN = 1.0


def settle_layers(connection: Connection, layers: frozenset[str]) -> None:
    """Settle all networks that any of the layers is part of and that were built before.

    Where another transaction is at a network, what was written stays noted, and who asks next settles it.
    """
    for commodity in COMMODITIES.values():
        if not layers.isdisjoint(commodity.followed):
            settle(connection, commodity, wait=False)


def settle(connection: Connection, commodity: Commodity, *, wait: bool = True) -> StoredState | None:
    """Bring the stored topology to what the layers are now, in the caller's transaction, and return its state.

    None when the network was never built, or when another transaction is at it and ``wait`` is false.
    """
    state = lock_state(connection, commodity.id, wait=wait)
    if state is None:
        return None
    if state.declared != name_declaration(commodity):
        build_stored(connection, commodity)
    elif state.waiting:
        written = take_written(connection, commodity.id, most=MOST_WRITTEN)
        if written.whole & commodity.placed:
            build_stored(connection, commodity)
        else:
            _Settlement(connection, commodity).settle(written)
    return read_state(connection, commodity.id)


@dataclass(eq=False)
class _Surroundings:
    """The features around a place: of each layer of lines and of points, and the points where they are placed."""

    lines: list[Rows]
    points: list[Rows]
    placed: Objects


@dataclass(eq=False)
class _Renewal:
    """Numbers of the nodes that go, with the features that may refer to them, and what comes."""

    old: list[int]
    lines: Features
    points: Features
    nodes: StoredNodes
    stops: StoredStops
    places: StoredPlaces


@dataclass(eq=False)
class _Settlement:
    """One settling: what it touches and what it changes."""

    connection: Connection
    commodity: Commodity
    lines: dict[int, set[int]] = field(default_factory=dict)
    points: dict[int, set[int]] = field(default_factory=dict)
    changed: set[tuple[str, int]] = field(default_factory=set)
    fresh: int = 0

    def settle(self, written: Written) -> None:
        """Settle what was written and record the next version."""
        listed = zip(written.layers.tolist(), written.fids.tolist(), strict=True)
        self.changed.update(listed)
        boxes = [*self._find_line_boxes(written), *self._find_point_boxes(written)]
        apart = _merge_boxes(boxes, _MARGIN + 2.0 * self.commodity.reach)
        if len(apart) > MOST_PLACES:
            build_stored(self.connection, self.commodity)
            return
        self._renew([self._compare(box, around) for box, around in self._draw_apart(apart)])
        advance_state(self.connection, self.commodity.id, self.changed, nodes=self.fresh)

    def _find_line_boxes(self, written: Written) -> Iterator[Box]:
        """Yield where lines changed: all that moved, and others whose part in the network is not what it was."""
        for number, lines in enumerate(self.commodity.lines):
            own = written.layers == lines.layer
            if not own.any():
                continue
            self.lines[number] = set(written.fids[own].tolist())
            yield from _list_boxes(written.boxes[own])
            still = sorted(set(written.fids[own & np.isnan(written.boxes[:, 0])].tolist()))
            if not still:
                continue
            rows = self._read_lines(lines, fids=still)
            stops = read_stops(self.connection, self.commodity.id, [(number, still)])
            nodes = read_nodes(self.connection, self.commodity.id, np.unique(stops.nodes).tolist())
            level_of = dict(zip(nodes.ids.tolist(), nodes.levels.tolist(), strict=True))
            was = {fid: level_of[node] for fid, node in zip(stops.fids.tolist(), stops.nodes.tolist(), strict=True)}
            now = dict(zip(rows.keys.tolist(), find_levels(lines, rows).tolist(), strict=True))
            moved = [fid for fid in still if was.get(fid) != now.get(fid)]
            if moved:
                yield from _list_boxes(shapely.bounds(self._read_shapes(lines.layer, moved)))

    def _find_point_boxes(self, written: Written) -> Iterator[Box]:
        """Yield where points changed; a device that names another line stands elsewhere, though it did not move."""
        for number, points in enumerate(self.commodity.points):
            own = written.layers == points.layer
            if not own.any():
                continue
            fids = sorted(set(written.fids[own].tolist()))
            self.points[number] = set(fids)
            yield from _list_boxes(written.boxes[own])
            places = read_places(self.connection, self.commodity.id, [(number, fids)])
            rows = self._read_points(points, fids=fids)
            was, now = set(places.fids.tolist()), set(rows.keys.tolist())
            still = set(written.fids[own & np.isnan(written.boxes[:, 0])].tolist())
            moved = still if points.reach > 0.0 else {fid for fid in still if (fid in was) != (fid in now)}
            if moved:
                yield from _list_boxes(shapely.bounds(self._read_shapes(points.layer, sorted(moved))))
            yield from _list_boxes(np.tile(places.xy, 2))

    def _draw_apart(self, apart: list[Box]) -> Iterator[tuple[Box, _Surroundings]]:
        """Yield boxes that hold all changes with nothing that reaches out of one, and what surrounds each."""
        while True:
            grown = [self._grow(box) for box in apart]
            merged = _merge_boxes([box for box, _ in grown], 2.0 * self.commodity.tolerance)
            if len(merged) == len(grown):
                yield from grown
                return
            apart = merged

    def _grow(self, box: Box) -> tuple[Box, _Surroundings]:
        """Return the box grown by devices that stand elsewhere now and by nodes that reach out, and what is there."""
        tolerance = self.commodity.tolerance
        while True:
            window = _widen(box, _MARGIN + self.commodity.reach)
            around = self._read_around(window)
            moved = self._find_replaced(around, box)
            _, grown = self._solve(around, moved)
            if _holds(window, _widen(grown, tolerance)):
                return grown, around
            box = grown

    def _find_replaced(self, around: _Surroundings, box: Box) -> Box:
        """Return the box with the places, old and new, of devices whose line changed in it."""
        begin = 0
        for number, rows in enumerate(around.points):
            end = begin + rows.ids.size
            if self.commodity.points[number].reach > 0.0 and rows.ids.size:
                places = read_places(self.connection, self.commodity.id, [(number, rows.keys.tolist())])
                was = dict(zip(places.fids.tolist(), places.xy.tolist(), strict=True))
                now = shapely.get_coordinates(around.placed[begin:end]).tolist()
                for fid, place in zip(rows.keys.tolist(), now, strict=True):
                    before = was.get(fid)
                    if before != place:
                        box = _stretch(box, [place] if before is None else [place, before])
            begin = end
        return box

    def _read_around(self, window: Box) -> _Surroundings:
        reach = self.commodity.reach
        lines = [self._read_lines(one, near=_widen(window, 2.0 * reach)) for one in self.commodity.lines]
        points = [self._read_points(one, near=_widen(window, reach)) for one in self.commodity.points]
        shapes, names = join_objects([_shapes(rows) for rows in lines]), join_objects([rows.ids for rows in lines])
        placed = [
            place_devices(_shapes(rows), rows.values[one.line_id] if one.line_id else None, shapes, names, one.reach)
            for one, rows in zip(self.commodity.points, points, strict=True)
        ]
        return _Surroundings(lines, points, join_objects(placed))

    def _solve(self, around: _Surroundings, box: Box) -> tuple[Topology, Box]:
        shapes = join_objects([_shapes(rows) for rows in around.lines])
        levels = [find_levels(one, rows) for one, rows in zip(self.commodity.lines, around.lines, strict=True)]
        return build_part(shapes, around.placed, box, levels=np.concatenate(levels), tolerance=self.commodity.tolerance)

    def _compare(self, box: Box, around: _Surroundings) -> _Renewal:
        """Return what is stored in a box and what shall be; note the features that differ."""
        part, grown = self._solve(around, box)
        lines = self._join_features(around.lines, self.lines)
        points = self._join_features(around.points, self.points)
        stops = read_stops(self.connection, self.commodity.id, lines)
        places = read_places(self.connection, self.commodity.id, points)
        old = read_nodes(self.connection, self.commodity.id, np.union1d(stops.nodes, places.nodes).tolist())
        inside = lies_in(old.xy, grown)
        old = StoredNodes(old.ids[inside], old.levels[inside], old.xy[inside])
        ids = self._number_nodes(part, old)
        new_stops, new_places = self._write_rows(around, part, ids)
        before = self._list_rows(stops, places, set(old.ids.tolist()))
        after = self._list_rows(new_stops, new_places, set(ids.tolist()))
        self.changed.update((row[0], row[1]) for row in before ^ after)
        nodes = StoredNodes(ids, part.node_levels.astype(np.int64), part.node_xy)
        return _Renewal(old.ids.tolist(), lines, points, nodes, new_stops, new_places)

    def _renew(self, parts: list[_Renewal]) -> None:
        """Put what shall be in the place of what is; a feature may have moved from one box to another."""
        for part in parts:
            delete_nodes(self.connection, self.commodity.id, part.old, part.lines, part.points)
        for part in parts:
            insert_topology(self.connection, self.commodity.id, part.nodes, part.stops, part.places)

    def _number_nodes(self, part: Topology, old: StoredNodes) -> NDArray[np.int64]:
        """Return a number for each node: that of the node which was at the same place, else a new one."""
        known = {
            (level, x, y): number
            for number, level, (x, y) in zip(old.ids.tolist(), old.levels.tolist(), old.xy.tolist(), strict=True)
        }
        begin = read_next_node(self.connection, self.commodity.id)
        ids = []
        for level, (x, y) in zip(part.node_levels.tolist(), part.node_xy.tolist(), strict=True):
            number = known.pop((level, x, y), None)
            if number is None:
                number = begin + self.fresh
                self.fresh += 1
            ids.append(number)
        return np.array(ids, np.int64)

    def _write_rows(
        self, around: _Surroundings, part: Topology, ids: NDArray[np.int64]
    ) -> tuple[StoredStops, StoredPlaces]:
        line_layers, line_fids = _number(around.lines)
        point_layers, point_fids = _number(around.points)
        of = part.stops
        stops = StoredStops(
            line_layers[of.line], line_fids[of.line], of.measure, ids[of.node], of.cause.astype(np.int64), of.shift
        )
        own = np.flatnonzero(part.point_nodes >= 0)
        xy = shapely.get_coordinates(around.placed[own])
        return stops, StoredPlaces(point_layers[own], point_fids[own], ids[part.point_nodes[own]], xy)

    def _list_rows(self, stops: StoredStops, places: StoredPlaces, nodes: set[int]) -> set[tuple[str, int, Any]]:
        """Return what is stored at some nodes: layer, feature, and the rest as values that can be compared."""
        lines, points = self.commodity.lines, self.commodity.points
        found: set[tuple[str, int, Any]] = set()
        columns = [stops.layers, stops.fids, stops.nodes, stops.measures, stops.causes, stops.shifts]
        for layer, fid, *rest in zip(*(column.tolist() for column in columns), strict=True):
            if rest[0] in nodes:
                found.add((lines[layer].layer, fid, tuple(rest)))
        columns = [places.layers, places.fids, places.nodes, places.xy[:, 0], places.xy[:, 1]]
        for layer, fid, *rest in zip(*(column.tolist() for column in columns), strict=True):
            if rest[0] in nodes:
                found.add((points[layer].layer, fid, tuple(rest)))
        return found

    def _join_features(self, around: list[Rows], touched: dict[int, set[int]]) -> Features:
        """Return the features around and those that were touched, by number of the layer."""
        every = [set(rows.keys.tolist()) | touched.get(number, set()) for number, rows in enumerate(around)]
        return [(number, sorted(fids)) for number, fids in enumerate(every) if fids]

    def _read_lines(self, one: Lines, *, fids: list[int] | None = None, near: Box | None = None) -> Rows:
        rows = self._read(one.layer, list_line_names(one), fids, near)
        return rows.take(choose_lines(one, rows))

    def _read_points(self, one: Points, *, fids: list[int] | None = None, near: Box | None = None) -> Rows:
        rows = self._read(one.layer, list_point_names(self.commodity, one), fids, near)
        return rows.take(choose_points(self.commodity, one, rows))

    def _read(self, layer_id: str, names: list[str], fids: list[int] | None, near: Box | None) -> Rows:
        layer = read_vector_layer(layer_id)
        found = read_columns(self.connection, layer, names, shapes=near is not None, fids=fids, near=near)
        return Rows(found[0], found[2], found[3], found[1])

    def _read_shapes(self, layer_id: str, fids: list[int]) -> Objects:
        shapes = read_columns(self.connection, read_vector_layer(layer_id), (), shapes=True, fids=fids)[3]
        assert shapes is not None
        return shapes


def _shapes(rows: Rows) -> Objects:
    assert rows.shapes is not None
    return rows.shapes


def _number(parts: list[Rows]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    none = np.zeros(0, np.int64)
    layers = [np.full(rows.ids.size, number, np.int64) for number, rows in enumerate(parts)]
    return np.concatenate([none, *layers]), np.concatenate([none, *(rows.keys for rows in parts)])


def _list_boxes(boxes: NDArray[np.float64]) -> list[Box]:
    return [(row[0], row[1], row[2], row[3]) for row in boxes.tolist() if row[0] == row[0]]


def _merge_boxes(boxes: list[Box], margin: float) -> list[Box]:
    """Return boxes that are further apart than ``margin`` and hold the given ones."""
    while len(boxes) > 1:
        # Widened, for a box of no width is near nothing.
        shapes = shapely.box(*np.array([_widen(box, 0.5 * margin) for box in boxes]).T)
        left, right = STRtree(shapes).query(shapes, predicate="intersects")
        group = np.arange(len(boxes))
        while True:
            lowest = group.copy()
            np.minimum.at(lowest, left, group[right])
            if np.array_equal(lowest, group):
                break
            group = lowest
        found = np.unique(group)
        if found.size == len(boxes):
            break
        each = np.array(boxes)
        boxes = [
            (*each[group == one, :2].min(axis=0).tolist(), *each[group == one, 2:].max(axis=0).tolist())
            for one in found.tolist()
        ]
    return boxes


def _widen(box: Box, margin: float) -> Box:
    return box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin


def _holds(outer: Box, inner: Box) -> bool:
    return outer[0] <= inner[0] and outer[1] <= inner[1] and outer[2] >= inner[2] and outer[3] >= inner[3]


def _stretch(box: Box, places: list[list[float]]) -> Box:
    x, y = [place[0] for place in places], [place[1] for place in places]
    return min(box[0], *x), min(box[1], *y), max(box[2], *x), max(box[3], *y)

"""Layouts from nothing: the features of a commodity put where they stand, and where its lines meet."""

import numpy as np
import shapely
from shapely import STRtree

from network.graph import Index
from network.topology import Topology, build_topology, list_links
from twin.networks.assembling import Layout, assemble, read_parts
from twin.networks.city_graph import CityGraph
from twin.networks.commodities import Commodity, Lines, read_commodity
from twin.networks.reading import LayerView, Objects, Reader, Rows, ViewReader


def build_city_graph(commodity: Commodity, reader: Reader, stamp: str) -> CityGraph:
    """Return the graph of a commodity made from the features alone; what is stored of it is not looked at."""
    lines, points = read_parts(commodity, reader, shapes=True)
    topology, _ = lay(commodity, lines, points)
    layout = Layout(lines, points, list_links(topology), topology.node_xy, topology.node_levels, topology.point_nodes)
    return assemble(commodity, layout, reader, stamp)


def view_network(view: LayerView, commodity: str) -> CityGraph:
    """Return the network of a commodity as a view of the city shows it; NotFoundError for one there is not."""
    return build_city_graph(read_commodity(commodity), ViewReader(view), "")


def lay(
    commodity: Commodity, lines: tuple[Rows, ...], points: tuple[Rows, ...], *, crossings: bool = False
) -> tuple[Topology, Objects]:
    """Return the topology of features with shapes, and the points where they were placed.

    Lines that cross without a node are looked for with ``crossings``.
    """
    shapes = join_objects([_shapes(rows) for rows in lines])
    levels = np.concatenate([find_levels(one, rows) for one, rows in zip(commodity.lines, lines, strict=True)])
    names = join_objects([rows.ids for rows in lines])
    places = [
        place_devices(
            _shapes(rows), None if one.line_id is None else rows.values[one.line_id], shapes, names, one.reach
        )
        for one, rows in zip(commodity.points, points, strict=True)
    ]
    placed = join_objects(places)
    return build_topology(shapes, placed, levels=levels, tolerance=commodity.tolerance, crossings=crossings), placed


def find_levels(lines: Lines, rows: Rows) -> Index:
    """Return the level of each line (n,)."""
    if lines.level_by is None:
        return np.zeros(rows.ids.size, np.int32)
    return np.array([lines.levels.get(word, 0) for word in rows.values[lines.level_by].tolist()], np.int32)


def place_devices(points: Objects, named: Objects | None, lines: Objects, names: Objects, reach: float) -> Objects:
    """Return the points moved onto the nearest line within ``reach`` [m], or onto the line they name if it is there.

    Of lines equally near it is the one whose name comes first. Points without a line near stay where they are.
    """
    if reach <= 0.0 or not points.size or not lines.size:
        return points
    at, line = STRtree(lines).query(points, predicate="dwithin", distance=reach)
    off = shapely.distance(points[at], lines[line])
    called = np.zeros(at.size, np.bool_) if named is None else named[at] == names[line]
    order = np.lexsort((names[line].astype(str), off, ~called, at))
    at, line = at[order], line[order]
    first = np.append(True, at[1:] != at[:-1])[: at.size]
    at, line = at[first], line[first]
    placed = points.copy()
    placed[at] = shapely.line_interpolate_point(lines[line], shapely.line_locate_point(lines[line], points[at]))
    return placed


def join_objects(parts: list[Objects]) -> Objects:
    """Return columns one after the other; an empty one of none."""
    return np.concatenate(parts) if parts else np.zeros(0, object)


def _shapes(rows: Rows) -> Objects:
    assert rows.shapes is not None
    return rows.shapes

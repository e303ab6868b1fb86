"""From features to roads: attributes of road_links as arrays of the graph, defaults where nobody says them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from network.road_places import cut_at_junctions, gather_vertices
from network.road_standards import ACCESS_BITS, LANE_CAPACITIES, LANES, SPEEDS, by_class
from network.roads import ROAD_CLASSES, Index, Mask, Values, build_road_graph, mode_bits
from twin.networks.reading import LayerView, Reader, Rows, ViewReader
from twin.roads.city_roads import CityRoads

ROADS = "road_links"
COLUMNS = ("name", "road_class", "oneway", "lanes", "max_speed", "is_bridge", "is_tunnel", "level")
_AGAINST = mode_bits("foot", "emergency")


def build_city_roads(reader: Reader, stamp: str) -> CityRoads:
    """Return the roads as a reader of layers gives them."""
    rows = reader.list(ROADS, COLUMNS, shapes=True)
    assert rows.shapes is not None
    classes = _codes(rows, "road_class", ROAD_CLASSES, ROAD_CLASSES.index("other"))
    vertices = gather_vertices(rows.shapes)
    stretches = cut_at_junctions(vertices, _levels(rows))
    line = stretches.line
    graph = build_road_graph(
        stretches.starts,
        stretches.ends,
        stretches.junction_xy,
        lengths=stretches.measures[:, 1] - stretches.measures[:, 0],
        access=_access(rows, classes)[line],
        speeds=_numbers(rows, "max_speed", by_class(SPEEDS)[classes])[line],
        lanes=by_class(LANES)[classes][line],
        capacities=(by_class(LANES) * by_class(LANE_CAPACITIES))[classes][line],
        road_classes=classes[line],
        is_bridge=_flags(rows, "is_bridge")[line],
        is_tunnel=_flags(rows, "is_tunnel")[line],
    )
    names = rows.values["name"].copy()
    names[names == None] = ""  # noqa: E711
    return CityRoads(
        graph,
        stamp,
        rows.ids[line],
        np.full(line.size, ROADS, object),
        stretches.part,
        stretches.measures,
        names[line],
        stretches.begin,
        stretches.finish,
        vertices,
        stretches.parted,
    )


def view_roads(view: LayerView) -> CityRoads:
    """Return the roads as a view of the city shows its layers, whatever it is kept in."""
    return build_city_roads(ViewReader(view), "")


def _access(rows: Rows, classes: Index) -> NDArray[np.uint8]:
    """Return the modes that may go as drawn and against it (n, 2)."""
    modes = ACCESS_BITS[classes]
    both = np.column_stack((modes, modes))
    word = rows.values["oneway"]
    both[word == "forward", 1] &= _AGAINST
    both[word == "backward", 0] &= _AGAINST
    return both


def _levels(rows: Rows) -> Index:
    """Return the level of each line: as given, else bridges one above the ground and tunnels one below it."""
    level = _numbers(rows, "level", np.zeros(rows.ids.size))
    bridge, tunnel = _flags(rows, "is_bridge"), _flags(rows, "is_tunnel")
    level = np.where((level == 0) & bridge, 1, np.where((level == 0) & tunnel, -1, level))
    return level.astype(np.int32)


def _codes(rows: Rows, name: str, words: Sequence[str], default: int) -> Index:
    place = {word: k for k, word in enumerate(words)}
    return np.array([place.get(word, default) for word in rows.values[name].tolist()], np.int32)


def _flags(rows: Rows, name: str) -> Mask:
    return np.asarray(rows.values[name] == True, np.bool_)  # noqa: E712


def _numbers(rows: Rows, name: str, default: Values) -> Values:
    values = rows.values[name]
    given = np.array([value is not None for value in values.tolist()], np.bool_)
    found = np.array(default, np.float64)
    found[given] = values[given].astype(np.float64)
    return found

"""Where the objects of a SWMM file lie in the city: points, lines, areas, assumed where the file draws none."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.ingest.swmm.anchor import Anchor
from layers.ingest.swmm.document import Inp, Row, fold_name
from layers.ingest.swmm.reading import Reader
from layers.ingest.swmm.sections import LINKS

Points = NDArray[np.float64]

SPACING = 50.0
"""A node without a place stands so far beside its one neighbour, or below all others [units of the model]."""

_GOLDEN = 2.399963
"""The golden angle: however many stand around one node, none lies on another [rad]."""


def place_nodes(document: Inp, reader: Reader, counts: Counter[str]) -> dict[str, tuple[float, float]]:
    """Return the model's coordinates of each node; one without stands between those that it is linked to."""
    places = {fold_name(row.words[0]): (row.read_number(1), row.read_number(2)) for row in document.rows("COORDINATES")}
    found = {node: places[node] for node in reader.nodes if node in places}
    if len(found) == len(reader.nodes):
        return found
    counts["places_assumed"] += len(reader.nodes) - len(found)
    neighbours: dict[str, list[str]] = {node: [] for node in reader.nodes}
    for section in LINKS:
        for name in document.names(section):
            first, second = (
                fold_name(node) for node in reader.read_ends(section, document.read(section, name)).values()
            )
            neighbours[first].append(second)
            neighbours[second].append(first)
    waiting = [node for node in reader.nodes if node not in found]
    while waiting:
        near = {node: sorted({found[other] for other in neighbours[node] if other in found}) for node in waiting}
        placed = {
            node: _stand_near(points, len(found) + at) for at, (node, points) in enumerate(near.items()) if points
        }
        if not placed:
            low = min((y for _, y in found.values()), default=0.0) - SPACING
            left = min((x for x, _ in found.values()), default=0.0)
            placed = {waiting[0]: (left + SPACING * (len(reader.nodes) - len(waiting)), low)}
        found |= placed
        waiting = [node for node in waiting if node not in found]
    return found


def _stand_near(points: Sequence[tuple[float, float]], number: int) -> tuple[float, float]:
    """Return a place between points, or beside a single one, each ``number`` in another direction."""
    x, y = np.mean(points, axis=0).tolist()
    if len(points) > 1:
        return (x, y)
    return (x + SPACING * np.cos(_GOLDEN * number), y + SPACING * np.sin(_GOLDEN * number))


def draw_nodes(places: Mapping[str, tuple[float, float]], anchor: Anchor) -> dict[str, Any]:
    """Return the point of each node in the city's CRS."""
    points = anchor.place(np.array(list(places.values()), dtype=np.float64).reshape(-1, 2))
    return dict(zip(places, np.atleast_1d(np.asarray(shapely.points(points))), strict=True))


def draw_links(
    document: Inp, reader: Reader, places: Mapping[str, tuple[float, float]], anchor: Anchor
) -> dict[str, Any]:
    """Return the line of each link, from node to node through its vertices."""
    paths: dict[str, Points] = {}
    for section in LINKS:
        for name in document.names(section):
            start, end = (fold_name(node) for node in reader.read_ends(section, document.read(section, name)).values())
            inner = [(row.read_number(1), row.read_number(2)) for row in document.find("VERTICES", name)]
            paths[fold_name(name)] = np.array([places[start], *inner, places[end]], dtype=np.float64)
    if not paths:
        return {}
    together = anchor.place(np.concatenate(list(paths.values())))
    which = np.repeat(np.arange(len(paths)), [len(path) for path in paths.values()])
    return dict(zip(paths, np.asarray(shapely.linestrings(together, indices=which)), strict=True))


def draw_catchment(
    document: Inp,
    name: str,
    values: Mapping[str, Any],
    reader: Reader,
    places: Mapping[str, tuple[float, float]],
    anchor: Anchor,
    counts: Counter[str],
) -> Any:
    """Return the area of a catchment; a square of its size at its outlet where the file draws none."""
    corners = [(row.read_number(1), row.read_number(2)) for row in document.find("POLYGONS", name)]
    if len(corners) >= 3:
        shape = shapely.make_valid(shapely.Polygon(anchor.place(np.array(corners))))
        parts = [part for part in shapely.get_parts(shape, return_index=False) if part.geom_type.endswith("Polygon")]
        whole = shapely.union_all(parts)
        if not whole.is_empty:
            return shapely.MultiPolygon(shapely.get_parts(whole).tolist())
    counts["catchments_drawn_as_squares"] += 1
    row = document.read("SUBCATCHMENTS", name)
    outlet = fold_name(row.words[2]) if len(row.words) > 2 else ""
    middle = corners[0] if corners else places.get(outlet) or _find_middle(places)
    x, y = anchor.place(np.array([middle], dtype=np.float64))[0]
    half = max(np.sqrt(values.get("area") or 0.0), 1.0) / 2.0
    return shapely.MultiPolygon([shapely.box(x - half, y - half, x + half, y + half)])


def draw_gauge(
    document: Inp, name: str, places: Mapping[str, tuple[float, float]], anchor: Anchor, counts: Counter[str]
) -> Any:
    """Return the point of a rain gauge; the middle of the nodes where the file draws none."""
    symbols: Sequence[Row] = document.find("SYMBOLS", name)
    if not symbols:
        counts["places_assumed"] += 1
    middle = (symbols[0].read_number(1), symbols[0].read_number(2)) if symbols else _find_middle(places)
    return shapely.Point(anchor.place(np.array([middle], dtype=np.float64))[0])


def _find_middle(places: Mapping[str, tuple[float, float]]) -> tuple[float, float]:
    if not places:
        return (0.0, 0.0)
    x, y = np.mean(list(places.values()), axis=0).tolist()
    return (x, y)

"""Features as a picture: the style of the page, drawn larger than wanted and brought down, so that edges are smooth."""

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from api.links import Links
from api.maps.expressions import Values, evaluate, list_read, read_rgba
from api.maps.frame import ZOOM_SLACK, Frame
from api.maps.signs import draw_signs
from api.styles.style import build_style
from layers.registry import read_vector_layer
from layers.store.drawing import Shapes

_DRAWN = ("fill", "line", "circle")
# The symbol layers that stand on points; names beside them and along lines are not drawn.
_SIGNS = "symbol"
# A picture of more pixels than the second number is drawn so many times as large.
_FINENESS = ((3, 0), (2, 700_000), (1, 2_400_000))
_ROUND = 4
Rgba = tuple[int, int, int, int]
Coordinates = NDArray[np.float64]


class Part(NamedTuple):
    """One layer of the style: areas, lines or circles of features that pass ``filter``, from zoom to zoom."""

    kind: str
    paint: dict[str, Any]
    layout: dict[str, Any]
    filter: Any
    min_zoom: float
    max_zoom: float


class Look(NamedTuple):
    """How one kind of feature is drawn: colours, sizes [px]."""

    color: Rgba
    size: float
    stroke: Rgba
    stroke_width: float
    dash: tuple[float, ...]
    round_ends: bool


@lru_cache(maxsize=256)
def list_parts(layer_id: str) -> tuple[Part, ...]:
    """Return what of the style of the light map draws shapes of a layer, in the order it is drawn."""
    layer = read_vector_layer(layer_id)
    style = build_style([layer], {layer.id}, Links(""), "light")
    return tuple(
        Part(
            part["type"],
            part.get("paint", {}),
            part.get("layout", {}),
            part.get("filter", True),
            part.get("minzoom", 0.0),
            part.get("maxzoom", 99.0),
        )
        for part in style["layers"]
        if part["type"] in _DRAWN or (part["type"] == _SIGNS and "symbol-placement" not in part.get("layout", {}))
    )


@lru_cache(maxsize=256)
def list_columns(layer_id: str) -> tuple[str, ...]:
    """Return the public properties that colour, size or filter the features of a layer."""
    layer = read_vector_layer(layer_id)
    read = {
        name
        for part in list_parts(layer_id)
        for expression in (*part.paint.values(), *part.layout.values(), part.filter)
        for name in list_read(expression)
    }
    return tuple(prop.name for prop in layer.properties if prop.name in read)


def draw_shapes(layer_id: str, columns: Sequence[str], shapes: Shapes, frame: Frame) -> Image.Image:
    """Return the shapes, whose values are those of ``columns``, as an RGBA picture of the frame's size."""
    fine = next(fine for fine, least in reversed(_FINENESS) if frame.width * frame.height >= least)
    picture = Image.new("RGBA", (frame.width * fine, frame.height * fine))
    placed, points = _place(shapes.geometry, frame, fine), _place(shapes.geometry, frame, 1)
    values = [dict(zip(columns, each, strict=True)) for each in shapes.values]
    runs = _list_runs(values)
    parts = [part for part in list_parts(layer_id) if part.min_zoom - ZOOM_SLACK <= frame.zoom < part.max_zoom]
    for part in parts:
        drawn = [(named, places) for named, places in runs if evaluate(part.filter, frame.zoom, named)]
        if part.kind != _SIGNS:
            looks = [(_read_look(part, frame.zoom, named), places) for named, places in drawn]
            _draw(picture, part.kind, placed, looks, float(fine))
    reduced = picture.reduce(fine) if fine > 1 else picture
    for part in parts:
        for named, places in runs if part.kind == _SIGNS else ():
            if evaluate(part.filter, frame.zoom, named):
                draw_signs(reduced, part.layout, part.paint, points[places], frame.zoom, named)
    return reduced


def _list_runs(values: Sequence[Values]) -> list[tuple[Values, list[int]]]:
    """Return the places of features that have the same values, and so look alike."""
    groups: dict[tuple[object, ...], list[int]] = {}
    for place, named in enumerate(values):
        groups.setdefault(tuple(named.values()), []).append(place)
    return [(values[places[0]], places) for places in groups.values()]


def _place(geometry: Any, frame: Frame, fine: int) -> Any:
    """Return shapes in the pixels of the picture, y downwards."""
    x0, _, _, y1 = frame.bounds
    across, down = frame.pixel

    def move(coordinates: Coordinates) -> Coordinates:
        return np.column_stack([(coordinates[:, 0] - x0) / across * fine, (y1 - coordinates[:, 1]) / down * fine])

    return shapely.transform(geometry, move)


def _read_look(part: Part, zoom: float, values: Values) -> Look:
    def read(name: str, default: Any) -> Any:
        found = evaluate(part.paint.get(f"{part.kind}-{name}", default), zoom, values)
        return default if found is None else found

    red, green, blue, alpha = read_rgba(read("color", "#000000"))
    dash = evaluate(part.paint.get("line-dasharray", []), zoom, values) if part.kind == "line" else ()
    return Look(
        color=(red, green, blue, round(alpha * float(read("opacity", 1.0)))),
        size=float(read("radius", 5.0) if part.kind == "circle" else read("width", 1.0)),
        stroke=read_rgba(read("stroke-color", "#00000000")),
        stroke_width=float(read("stroke-width", 0.0)),
        dash=tuple(float(length) for length in dash),
        round_ends=part.layout.get("line-cap") == "round",
    )


def _draw(picture: Image.Image, kind: str, shapes: Any, looks: Sequence[tuple[Look, list[int]]], fine: float) -> None:
    # What lets the ground through is laid over it; what does not may simply replace it.
    clear = kind != "circle" and any(0 < look.color[3] < 255 for look, _ in looks)
    canvas = Image.new("RGBA", picture.size) if clear else picture
    seen = [(look, places) for look, places in looks if look.color[3] or look.stroke[3]]
    if kind == "fill":
        colors = [look.color for look, places in seen for _ in places]
        _fill(canvas, shapes[[place for _, places in seen for place in places]], colors)
    for look, places in seen:
        if kind == "circle":
            _draw_circles(ImageDraw.Draw(canvas), shapes[places], look, fine)
        elif kind == "line":
            _draw_lines(canvas, shapes[places], look, fine)
    if clear:
        picture.alpha_composite(canvas)


def _draw_circles(pen: ImageDraw.ImageDraw, shapes: Any, look: Look, fine: float) -> None:
    radius, whole = look.size * fine, (look.size + look.stroke_width) * fine
    for x, y in shapely.get_coordinates(shapes).tolist():
        if look.stroke_width and look.stroke[3]:
            pen.ellipse((x - whole, y - whole, x + whole, y + whole), fill=look.stroke)
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=look.color)


def _draw_lines(canvas: Image.Image, shapes: Any, look: Look, fine: float) -> None:
    width = look.size * fine
    lines: Any = shapely.get_rings(_list_areas(shapes)) if _are_areas(shapes) else shapely.get_parts(shapes)
    if look.dash:
        lines = np.array([part for line in lines for part in _cut_dashes(line, look.dash, width)], dtype=object)
    if width < _ROUND * 0.75:
        pen = ImageDraw.Draw(canvas)
        for line in _split_coordinates(lines):
            pen.line(line, look.color, max(1, round(width)))
        return
    ends: Literal["round", "flat"] = "round" if look.round_ends else "flat"
    wide = shapely.buffer(lines, width / 2.0, quad_segs=_ROUND, cap_style=ends)
    _fill(canvas, wide, [look.color] * len(wide))


def _are_areas(shapes: Any) -> bool:
    return bool(len(shapes)) and int(shapely.get_dimensions(shapes).max()) == 2


def _list_areas(shapes: Any) -> Any:
    """Return the polygons of shapes that may be of several, or be cut into other things beside."""
    parts: Any = shapely.get_parts(shapely.get_parts(shapes))
    return parts[(shapely.get_dimensions(parts) == 2) & ~shapely.is_empty(parts)]


def _fill(canvas: Image.Image, shapes: Any, colors: Sequence[Rgba]) -> None:
    """Draw areas, each in its colour, their holes left out; the largest first, so that small ones in them are seen."""
    parts, owners = shapely.get_parts(shapes, return_index=True)
    parts, inner = shapely.get_parts(parts, return_index=True)
    owners = owners[inner]
    whole = (shapely.get_dimensions(parts) == 2) & ~shapely.is_empty(parts)
    parts, owners = parts[whole], owners[whole]
    order = np.argsort(-shapely.area(parts), kind="stable")
    parts, owners = parts[order], owners[order].tolist()
    pen = ImageDraw.Draw(canvas)
    holes = shapely.get_num_interior_rings(parts).tolist()
    for place, ring in enumerate(_split_coordinates(shapely.get_exterior_ring(parts))):
        if holes[place]:
            _fill_around(canvas, parts[place], colors[owners[place]])
        else:
            pen.polygon(ring, fill=colors[owners[place]])


def _split_coordinates(lines: Any) -> list[list[float]]:
    """Return the coordinates of each line as x, y, x, y …"""
    if not len(lines):
        return []
    coordinates = shapely.get_coordinates(lines)
    ends = np.cumsum(shapely.get_num_coordinates(lines))[:-1]
    return [part.ravel().tolist() for part in np.split(coordinates, ends)]


def _fill_around(canvas: Image.Image, area: Any, color: Rgba) -> None:
    """Draw one area with holes through a mask of its own size."""
    x0, y0, x1, y1 = shapely.bounds(area).tolist()
    left, top = max(0, math.floor(x0)), max(0, math.floor(y0))
    right, bottom = min(canvas.width, math.ceil(x1) + 1), min(canvas.height, math.ceil(y1) + 1)
    if left >= right or top >= bottom:
        return
    mask = Image.new("1", (right - left, bottom - top))
    pen = ImageDraw.Draw(mask)
    outer, *inner = ((shapely.get_coordinates(ring) - (left, top)).ravel().tolist() for ring in shapely.get_rings(area))
    pen.polygon(outer, fill=1)
    for ring in inner:
        pen.polygon(ring, fill=0)
    canvas.paste(color, (left, top, right, bottom), mask)


def _cut_dashes(line: Any, dash: Sequence[float], width: float) -> Iterator[Any]:
    """Yield the drawn parts of a line; ``dash`` are lengths drawn and left out in turn, in widths of the line."""
    points = shapely.get_coordinates(line)
    if len(points) < 2:
        return
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    lengths = [max(length * max(width, 1.0), 0.5) for length in dash]
    position, place = 0.0, 0
    while position < along[-1]:
        end = min(position + lengths[place % len(lengths)], float(along[-1]))
        if place % 2 == 0 and end > position:
            inside = points[(along > position) & (along < end)]
            first, last = (
                [np.interp(where, along, points[:, 0]), np.interp(where, along, points[:, 1])]
                for where in (position, end)
            )
            yield shapely.linestrings(np.vstack([first, inside, last]))
        position, place = end, place + 1

"""What stands on the discs of points: the count of a cluster, the pictogram of its kind."""

from functools import lru_cache
from typing import Any

import shapely
from PIL import Image, ImageDraw

from api.maps.expressions import Values, evaluate, read_rgba
from api.styles.sprites import draw_cover
from api.styles.typefaces import FILES, SEMIBOLD, read_typeface
from layers.icons import GRID, ICONS


def draw_signs(
    picture: Image.Image, layout: dict[str, Any], paint: dict[str, Any], points: Any, zoom: float, values: Values
) -> None:
    """Draw the words and the pictogram that a symbol layer of the style has for features with ``values``.

    ``points`` are in pixels of ``picture``.
    """

    def read(group: dict[str, Any], name: str, default: Any) -> Any:
        found = evaluate(group.get(name, default), zoom, values)
        return default if found is None else found

    words, icon = str(read(layout, "text-field", "")), str(read(layout, "icon-image", ""))
    places = shapely.get_coordinates(points).tolist()
    if words:
        face = next((name for name in layout.get("text-font", ()) if name in FILES), SEMIBOLD)
        font = read_typeface(face).open(float(read(layout, "text-size", 11.0)))
        ink, pen = read_rgba(read(paint, "text-color", "#000000")), ImageDraw.Draw(picture)
        for x, y in places:
            pen.text((x, y), words, ink, font, anchor="mm")
    if icon in ICONS:
        size = max(6, round(GRID * float(read(layout, "icon-size", 1.0))))
        cover = _draw_icon(icon, size)
        ink = read_rgba(read(paint, "icon-color", "#000000"))
        for x, y in places:
            picture.paste(ink, (round(x - size / 2.0), round(y - size / 2.0)), cover)


@lru_cache(maxsize=256)
def _draw_icon(icon: str, size: int) -> Image.Image:
    """Return how much of each pixel a pictogram covers."""
    return Image.fromarray(draw_cover(ICONS[icon], size, size / GRID))

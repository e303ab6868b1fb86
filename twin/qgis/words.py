"""The words of a QGIS project file: options, coordinate reference systems, scales."""

import math
from xml.etree.ElementTree import Element, SubElement

from pyproj import CRS

# Metres a pixel at zoom 0 of a map of 512 px tiles, and pixels an inch on a usual screen.
_ZOOM_0 = 40_075_016.686 / 512.0
_DPI = 96.0
MM_PER_PIXEL = 25.4 / _DPI


def add(parent: Element, tag: str, text: str | None = None, **attributes: str) -> Element:
    """Add an element with a text and attributes to ``parent`` and return it."""
    made = SubElement(parent, tag, attributes)
    made.text = text
    return made


def add_options(parent: Element, options: dict[str, str]) -> None:
    """Add options by name, as symbol layers and widgets have them."""
    group = add(parent, "Option", type="Map")
    for name, value in options.items():
        add(group, "Option", name=name, value=value, type="QString")


def add_crs(parent: Element, crs: CRS) -> None:
    """Add a coordinate reference system to ``parent``."""
    made = add(parent, "spatialrefsys")
    add(made, "wkt", crs.to_wkt())
    add(made, "srid", str(crs.to_epsg() or 0))
    add(made, "authid", ":".join(crs.to_authority() or ()))
    add(made, "description", crs.name)
    add(made, "geographicflag", write_flag(crs.is_geographic))


def write_flag(value: bool) -> str:
    """Return ``true`` or ``false``."""
    return "true" if value else "false"


def find_scale(zoom: float) -> int:
    """Return the scale denominator of a map zoom at the equator on a screen of 96 dpi, to two figures."""
    scale = _ZOOM_0 * math.pow(2.0, -zoom) * _DPI / 0.0254
    step = math.pow(10.0, math.floor(math.log10(scale)) - 1)
    return round(math.ceil(scale / step) * step)


def write_color(color: str, opacity: float = 1.0) -> str:
    """Return ``#rrggbb`` or ``#rrggbbaa`` as ``r,g,b,a``, made ``opacity`` times as opaque."""
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    alpha = int(color[7:9], 16) if len(color) == 9 else 255
    return f"{red},{green},{blue},{round(alpha * opacity)}"

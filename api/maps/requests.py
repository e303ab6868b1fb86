"""What a WMS request says: pairs whose names may be in any case, and the pictures and places they mean."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from sqlalchemy import Connection

from api.maps.crs import parse_map_crs
from api.maps.drawing import PictureType, Rgb
from api.maps.errors import MapError
from api.maps.frame import Frame
from api.maps.information import INFO_FORMATS
from api.maps.layers import MAX_LAYERS, Shown, find_shown
from layers.errors import InputError

NEWEST, OLDER = "1.3.0", "1.1.1"
PICTURES: dict[str, PictureType] = {
    "image/png": "png",
    "image/png; mode=8bit": "png8",
    "image/webp": "webp",
    "image/jpeg": "jpeg",
}
_PICTURE_NAMES: dict[str, PictureType] = PICTURES | {"image/png8": "png8", "image/jpg": "jpeg"}
Failure = Literal["XML", "INIMAGE", "BLANK"]
_FAILURES: dict[str, Failure] = {
    "XML": "XML", "INIMAGE": "INIMAGE", "BLANK": "BLANK", "application/vnd.ogc.se_xml": "XML",
    "application/vnd.ogc.se_inimage": "INIMAGE", "application/vnd.ogc.se_blank": "BLANK", "text/xml": "XML",
}  # fmt: skip
_COLOR = re.compile(r"(?:0x|#)?([0-9A-Fa-f]{6})")
MAX_COUNT = 50


class Pairs:
    """The parameters of a request; names in any case, unknown ones ignored (OGC 06-042, 6.8)."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._values: dict[str, str] = {}
        for name, value in pairs:
            self._values.setdefault(name.upper(), value.strip())

    def read(self, name: str, default: str = "") -> str:
        """Return the value of ``name`` (upper case), or ``default`` where it is absent or empty."""
        return self._values.get(name) or default

    def require(self, name: str) -> str:
        """Return the value of ``name``; MapError where it is absent or empty."""
        value = self.read(name)
        if not value:
            raise MapError(f"the parameter {name} is missing", word="MissingParameterValue", locator=name)
        return value

    def read_integer(self, name: str, default: int | None = None) -> int:
        """Return the whole number ``name``; MapError where it is none, or absent without a default."""
        value = self.require(name) if default is None else self.read(name, str(default))
        try:
            return int(float(value)) if re.fullmatch(r"[+-]?\d{1,9}(\.0*)?", value) else _refuse(name, value)
        except ValueError:
            return _refuse(name, value)


def _refuse(name: str, value: str) -> int:
    raise MapError(f"{name} '{value[:40]}' is not a whole number", word="InvalidParameterValue", locator=name)


@dataclass(frozen=True, slots=True)
class MapRequest:
    """One GetMap: what is shown in which frame, and how it is written; ``background`` is None for a clear ground."""

    shown: tuple[Shown, ...]
    frame: Frame
    fmt: PictureType
    media_type: str
    background: Rgb | None


class Pixel(NamedTuple):
    """A place in a picture, counted from the upper left pixel (0, 0)."""

    column: int
    row: int


def negotiate(pairs: Pairs) -> str:
    """Return the version that is spoken: the one asked for if it is known, else the nearest (OGC 06-042, 6.2.4)."""
    asked = pairs.read("VERSION", pairs.read("WMTVER"))
    if not asked:
        return OLDER if pairs.read("SRS") and not pairs.read("CRS") else NEWEST
    return OLDER if asked < NEWEST else NEWEST


def parse_failure(pairs: Pairs) -> Failure:
    """Return how errors are to be told; XML for a way that is not known."""
    return _FAILURES.get(pairs.read("EXCEPTIONS", "XML"), "XML")


def parse_map(connection: Connection, pairs: Pairs, *, version: str, city: int) -> MapRequest:
    """Return the picture that is asked for; MapError with the standard's code says what is wrong."""
    names = split_names(pairs.require("LAYERS"), "LAYERS")
    check_styles(names, pairs.read("STYLES"))
    fmt, media_type = parse_format(pairs.read("FORMAT", "image/png"))
    shown = find_all(connection, names, pairs)
    return MapRequest(
        shown, parse_frame(pairs, version=version, city=city), fmt, media_type, parse_background(pairs, fmt)
    )


def find_all(connection: Connection, names: Iterable[str], pairs: Pairs) -> tuple[Shown, ...]:
    """Return the layers called so at the asked time and of the asked run."""
    time, run = pairs.read("TIME") or None, pairs.read("DIM_RUN") or None
    return tuple(find_shown(connection, name, time=time, run=run) for name in names)


def check_styles(names: list[str], styles: str) -> None:
    """Raise MapError (StyleNotDefined) unless every style is the default one, of which the name may be left empty."""
    asked = [style.strip() for style in styles.split(",")] if styles else []
    wrong = next((style for style in asked if style.lower() not in ("", "default")), None)
    if wrong is not None or len(asked) > max(len(names), 1):
        why = f"style '{wrong[:60]}' is not defined" if wrong else f"{len(asked)} styles for {len(names)} layers"
        raise MapError(why, word="StyleNotDefined", locator="STYLES", hint="every layer has one style: default")


def parse_format(value: str) -> tuple[PictureType, str]:
    """Return how the picture is written, and its media type; MapError (InvalidFormat)."""
    name = re.sub(r"\s*;\s*", "; ", value.lower())
    fmt = _PICTURE_NAMES.get(name)
    if fmt is None:
        raise MapError(
            f"format '{value[:60]}' is not offered", word="InvalidFormat", locator="FORMAT",
            hint=f"one of {', '.join(PICTURES)}",
        )  # fmt: skip
    return fmt, "image/png" if fmt == "png8" else f"image/{fmt}"


def parse_frame(pairs: Pairs, *, version: str, city: int) -> Frame:
    """Return the frame of CRS (SRS), BBOX, WIDTH and HEIGHT; in 1.3.0 BBOX has the order of axes of its CRS."""
    word = "CRS" if version == NEWEST else "SRS"
    srid, flip = parse_map_crs(pairs.require(word), city, locator=word)
    try:
        a, b, c, d = (float(part) for part in pairs.require("BBOX").split(","))
    except ValueError:
        raise MapError(
            f"BBOX '{pairs.read('BBOX')[:80]}' is not four numbers", word="InvalidParameterValue", locator="BBOX"
        ) from None
    bounds = (b, a, d, c) if flip and version == NEWEST else (a, b, c, d)
    width, height = pairs.read_integer("WIDTH"), pairs.read_integer("HEIGHT")
    try:
        return Frame(srid, bounds, width, height)
    except InputError as error:
        raise MapError(error.message, word="InvalidParameterValue", locator="BBOX", hint=error.hint) from None


def parse_background(pairs: Pairs, fmt: PictureType) -> Rgb | None:
    """Return the ground of the picture, None where it is clear."""
    color = pairs.read("BGCOLOR", "0xFFFFFF")
    found = _COLOR.fullmatch(color)
    if found is None:
        raise MapError(f"BGCOLOR '{color[:20]}' is not 0xRRGGBB", word="InvalidParameterValue", locator="BGCOLOR")
    if pairs.read("TRANSPARENT", "FALSE").upper() == "TRUE" and fmt != "jpeg":
        return None
    red, green, blue = bytes.fromhex(found[1])
    return red, green, blue


def parse_pixel(pairs: Pairs, frame: Frame, version: str) -> Pixel:
    """Return the pixel I, J (X, Y in 1.1.1) of ``frame``; MapError (InvalidPoint) for one outside of it."""
    names = ("I", "J") if version == NEWEST else ("X", "Y")
    try:
        pixel = Pixel(pairs.read_integer(names[0]), pairs.read_integer(names[1]))
    except MapError as error:
        raise MapError(error.message, word="InvalidPoint", locator=error.locator) from None
    if not (0 <= pixel.column < frame.width and 0 <= pixel.row < frame.height):
        raise MapError(
            f"{names[0]}={pixel.column}, {names[1]}={pixel.row} lies outside of {frame.width} × {frame.height} pixels",
            word="InvalidPoint", locator=names[0],
        )  # fmt: skip
    return pixel


def parse_count(pairs: Pairs) -> int:
    """Return how many items of a layer are told: 1 unless FEATURE_COUNT says more, at most ``MAX_COUNT``."""
    return max(1, min(pairs.read_integer("FEATURE_COUNT", 1), MAX_COUNT))


def parse_info_format(value: str) -> str:
    """Return one of ``INFO_FORMATS``; MapError (InvalidFormat) for what is none."""
    found = value.lower().split(";")[0].strip()
    if found not in INFO_FORMATS:
        raise MapError(
            f"information as '{value[:60]}' is not offered",
            word="InvalidFormat",
            locator="INFO_FORMAT",
            hint=f"one of {', '.join(INFO_FORMATS)}",
        )
    return found


def split_names(value: str, locator: str) -> list[str]:
    """Return the names of layers in a list; MapError for more than are drawn at once."""
    names = [name.strip() for name in value.split(",")]
    if len(names) > MAX_LAYERS:
        raise MapError(f"{len(names)} layers at once, expected at most {MAX_LAYERS}", locator=locator)
    return names

"""An error of a map request in the way the client asked for it: XML, words in a picture, or an empty picture."""

import textwrap

from PIL import Image, ImageDraw

from api.maps.drawing import encode
from api.maps.errors import MapError
from api.maps.frame import MAX_SIDE
from api.maps.requests import Pairs, parse_background, parse_failure, parse_format
from api.styles.typefaces import REGULAR, read_typeface
from layers.errors import TwinError

_SIZE, _INK = 13, (176, 32, 32)
_LETTER = 7


def draw_failure(error: TwinError, pairs: Pairs) -> tuple[bytes, str] | None:
    """Return the error as a picture of the asked size with its media type; None where XML is wanted.

    That is also where size or format of the picture cannot be read.
    """
    way = parse_failure(pairs)
    if way == "XML":
        return None
    try:
        fmt, media_type = parse_format(pairs.read("FORMAT", "image/png"))
        width, height = pairs.read_integer("WIDTH"), pairs.read_integer("HEIGHT")
        ground = parse_background(pairs, fmt)
    except MapError:
        return None
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        return None
    picture = Image.new("RGBA", (width, height), (*ground, 255) if ground else (0, 0, 0, 0))
    if way == "INIMAGE":
        lines = textwrap.wrap(str(error), max(10, width // _LETTER))
        pen = ImageDraw.Draw(picture)
        pen.multiline_text((8, 8), "\n".join(lines), (*_INK, 255), read_typeface(REGULAR).open(_SIZE), spacing=4)
    return encode(picture, fmt), media_type

"""Glyphs of the map's own typefaces."""

import re

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.answers import answer_json
from api.dependencies import LinksOf, refuse_unknown
from api.styles.glyphs import RANGE, make_glyphs
from api.styles.typefaces import FAMILIES, FILES
from api.unchanging import answer_unchanging
from layers.errors import InputError, NotFoundError

GLYPHS = "application/x-protobuf"
_RANGE = re.compile(r"(\d{1,5})-(\d{1,5})")

router = APIRouter(prefix="/api/fonts", tags=["styles"], dependencies=[Depends(refuse_unknown)])


@router.get("", summary="All typefaces")
def list_fonts(links: LinksOf) -> Response:
    """List the font stacks that glyphs are made of, and the address to put into a style as ``glyphs``."""
    template = links.url("/api/fonts") + "/{fontstack}/{range}.pbf"
    return answer_json({"fonts": list(FILES), "glyphs": template, "links": [links.link("/api/fonts", "self")]})


@router.get("/{fontstack}/{glyphs}.pbf", summary="256 glyphs (signed distance fields)")
def read_glyphs(request: Request, fontstack: str, glyphs: str) -> Response:
    """Return the glyphs of a range as 0-255 of the first known typeface of ``fontstack``, as MapLibre reads them."""
    names = (FAMILIES.get(part.strip(), part.strip()) for part in fontstack.split(","))
    name = next((name for name in names if name in FILES), None)
    if name is None:
        raise NotFoundError(f"font '{fontstack[:80]}' is not served", hint=f"one of {', '.join(FILES)}")
    return answer_unchanging(request, make_glyphs(name, parse_range(glyphs)), GLYPHS)


def parse_range(value: str) -> int:
    """Return the first character of a range of 256; InputError for what is none."""
    found = _RANGE.fullmatch(value)
    start, end = (int(found[1]), int(found[2])) if found else (-1, -1)
    if start % RANGE or end != start + RANGE - 1 or start > 65_280:
        raise InputError(f"range '{value[:40]}' is not one of 256 characters", hint="0-255, 256-511 … 65280-65535")
    return start

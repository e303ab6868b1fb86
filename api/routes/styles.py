"""Map styles made from the declarations."""

from functools import lru_cache

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.answers import answer_json, write_json
from api.catalog import find_filled
from api.dependencies import ConnectionOf, LinksOf, ResourcesOf, refuse_unknown
from api.links import Links
from api.styles.colors import Mode
from api.styles.style import build_style
from layers.access import Reach, asking_as, visible_layers, who_asks
from layers.errors import NotFoundError
from layers.schema import Access

MEDIA_TYPE = "application/vnd.mapbox.style+json"

_MODES: dict[Mode, str] = {"light": "Sáng – Light", "dark": "Tối – Dark", "print": "In – Print"}

router = APIRouter(prefix="/api/styles", tags=["styles"], dependencies=[Depends(refuse_unknown)])


@router.get("", summary="All styles")
def list_styles(links: LinksOf) -> Response:
    """List the styles."""
    styles = [
        {"id": mode, "title": title, "links": [links.link(f"/api/styles/{mode}", "stylesheet", MEDIA_TYPE)]}
        for mode, title in _MODES.items()
    ]
    return answer_json({"default": "light", "styles": styles, "links": [links.link("/api/styles", "self")]})


@router.get("/{style_id}", summary="One style (MapLibre, version 8)")
def read_style(style_id: str, connection: ConnectionOf, resources: ResourcesOf, links: LinksOf) -> Response:
    """Return the style ``light``, ``dark`` or ``print``."""
    mode = next((mode for mode in _MODES if mode == style_id), None)
    if mode is None:
        raise NotFoundError(f"style '{style_id[:80]}' does not exist", hint=f"one of {', '.join(_MODES)}")
    style = _write_style(who_asks().level, frozenset(find_filled(connection, resources)), links.base, mode)
    return Response(style, media_type=MEDIA_TYPE, headers={"cache-control": "no-cache"})


@lru_cache(maxsize=32)
def _write_style(level: Access, filled: frozenset[str], base: str, mode: Mode) -> bytes:
    with asking_as(Reach(level)):
        return write_json(build_style(list(visible_layers().values()), set(filled), Links(base), mode))

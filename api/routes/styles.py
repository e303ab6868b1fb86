"""Map styles made from the declarations."""

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.answers import answer_json
from api.catalog import find_filled
from api.dependencies import PUBLIC_LAYERS, ConnectionOf, LinksOf, ResourcesOf, refuse_unknown
from api.style import Mode, build_style
from layers.errors import NotFoundError

MEDIA_TYPE = "application/vnd.mapbox.style+json"

_MODES: dict[str, Mode] = {"light": "light", "dark": "dark"}

router = APIRouter(prefix="/api/styles", tags=["styles"], dependencies=[Depends(refuse_unknown)])


@router.get("", summary="All styles")
def list_styles(links: LinksOf) -> Response:
    """List the styles."""
    styles = [
        {"id": mode, "title": title, "links": [links.link(f"/api/styles/{mode}", "stylesheet", MEDIA_TYPE)]}
        for mode, title in (("light", "Sáng – Light"), ("dark", "Tối – Dark"))
    ]
    return answer_json({"default": "light", "styles": styles, "links": [links.link("/api/styles", "self")]})


@router.get("/{style_id}", summary="One style (MapLibre, version 8)")
def read_style(style_id: str, connection: ConnectionOf, resources: ResourcesOf, links: LinksOf) -> Response:
    """Return the style ``light`` or ``dark``."""
    mode = _MODES.get(style_id)
    if mode is None:
        raise NotFoundError(f"style '{style_id[:80]}' does not exist", hint="one of light, dark")
    style = build_style(list(PUBLIC_LAYERS.values()), find_filled(connection, resources), links, mode)
    return answer_json(style, media_type=MEDIA_TYPE, headers={"cache-control": "no-cache"})

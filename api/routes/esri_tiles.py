"""A VectorTileServer of what the map shows at first: the tiles of ``/tiles`` with the light style."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from api.answers import answer_json
from api.catalog import describe_city, find_filled
from api.dependencies import ConnectionOf, LinksOf, ResourcesOf
from api.esri.describing import SERVICE, VERSION, write_extent
from api.esri.shapes import MERCATOR, describe_reference
from api.routes.tiles import VectorTile
from api.styles.style import MAX_SOURCE_ZOOM, build_style
from layers.access import visible_layers
from layers.schema import VectorLayer
from layers.store.tiles import HALF_WORLD

_PATH = f"/esri/rest/services/{SERVICE}/VectorTileServer"
_TILE = f"{_PATH}/tile/{{z}}/{{y}}/{{x}}.pbf"
_SIZE = 512
# Metres a pixel, and the scale at 96 dpi, of zoom 0.
_RESOLUTION, _SCALE = 2.0 * HALF_WORLD / _SIZE, 295_828_763.7957775

router = APIRouter(prefix=_PATH, tags=["esri"])


def list_shown() -> list[VectorLayer]:
    """Return the layers that are shown at first to who asks."""
    return [layer for layer in visible_layers().values() if layer.visible]


class ShownTile:
    """The tile of all layers shown at first; parameters are not looked at, as clients send many."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._tile = VectorTile(path)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = {**scope["path_params"], "ids": ",".join(layer.id for layer in list_shown())}
        await self._tile({**scope, "path_params": asked, "query_string": b""}, receive, send)


@router.get("", summary="The service of vector tiles")
def read_tile_service(connection: ConnectionOf, resources: ResourcesOf) -> Response:
    """Return the service with its scheme of tiles."""
    city = describe_city(connection, resources)
    extent = write_extent(city["bounds"])
    levels = [
        {"level": zoom, "resolution": _RESOLUTION / 2.0**zoom, "scale": _SCALE / 2.0**zoom}
        for zoom in range(MAX_SOURCE_ZOOM + 1)
    ]
    described = {
        "currentVersion": VERSION,
        "name": city["title"]["vi"],
        "copyrightText": city["attribution"],
        "capabilities": "TilesOnly",
        "type": "indexedVector",
        "tiles": ["tile/{z}/{y}/{x}.pbf"],
        "defaultStyles": "resources/styles",
        "initialExtent": extent,
        "fullExtent": extent,
        "minScale": levels[0]["scale"],
        "maxScale": levels[-1]["scale"],
        "minzoom": 0,
        "maxzoom": MAX_SOURCE_ZOOM,
        "tileInfo": {
            "rows": _SIZE,
            "cols": _SIZE,
            "dpi": 96,
            "format": "pbf",
            "origin": {"x": -HALF_WORLD, "y": HALF_WORLD},
            "spatialReference": describe_reference(MERCATOR),
            "lods": levels,
        },
    }
    return answer_json(described)


@router.get("/resources/styles/root.json", summary="The style of the vector tiles")
@router.get("/resources/styles", summary="The style of the vector tiles")
def read_root_style(connection: ConnectionOf, resources: ResourcesOf, links: LinksOf) -> Response:
    """Return the light style with the service as its only source."""
    filled = find_filled(connection, resources)
    style: dict[str, Any] = build_style([layer for layer in list_shown() if layer.id in filled], filled, links, "light")
    style["sources"] = {"esri": {"type": "vector", "url": links.url(_PATH)}}
    style["layers"] = [part | {"source": "esri"} if "source" in part else part for part in style["layers"]]
    return answer_json(style)


routes: list[BaseRoute] = [Route(_TILE, ShownTile(_TILE), methods=["GET"])]

"""Layers in three dimensions as 3D Tiles 1.1, and single items as GLB, made from the layer as it is now."""

import gzip
import hashlib
from collections.abc import Callable, Sequence
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Depends, Path, Query, Request
from isal import igzip
from starlette.responses import Response

from api.answers import GLB, write_json
from api.cache import CachedTile
from api.compression import accepts_gzip
from api.dependencies import ResourcesOf, refuse_unknown
from api.etags import is_known
from api.resources import Resources
from api.routes.tiles import parse_address
from layers.access import name_sight
from layers.errors import NotFoundError
from layers.scene.levels import LEAF_ZOOM, TOP_ZOOM
from layers.store.solids import SolidVersion, find_solid_layer
from twin.scenes.making import FORM, MadeScene, make_item, make_tile, make_tileset

router = APIRouter(prefix="/3d/{layer_id}", tags=["scene"], dependencies=[Depends(refuse_unknown)])
Version = Annotated[
    str | None,
    Query(max_length=200, description="Clients put the tileset's version here; the answer is always the newest"),
]
LayerId = Annotated[str, Path(description="A layer whose style names a height, such as buildings")]


@router.get("/tileset.json", summary="A layer as 3D Tiles 1.1")
async def read_tileset(request: Request, layer_id: LayerId, resources: ResourcesOf) -> Response:
    """Return ``tileset.json``, whose contents lie beside it."""
    layer = find_solid_layer(layer_id)
    version = (await resources.versions.read()).get(layer.id, "0")

    def make() -> CachedTile:
        with resources.engine.connect() as connection:
            tileset = make_tileset(connection, layer, version=version, undulation=resources.settings.geoid_undulation)
        return CachedTile(igzip.compress(write_json(tileset), compresslevel=2))

    return await _answer(request, resources, (layer.id, version, name_sight([layer])), make, "application/json")


# Before the tiles: an item's id may hold slashes.
@router.get("/items/{feature_id:path}.glb", summary="One item as GLB")
async def read_item(request: Request, layer_id: LayerId, feature_id: str, resources: ResourcesOf) -> Response:
    """Return the closed solid of an item, its middle at the origin, y up."""
    layer = find_solid_layer(layer_id)

    def make() -> tuple[MadeScene, SolidVersion]:
        with resources.engine.connect() as connection:
            return make_item(connection, layer, feature_id, undulation=resources.settings.geoid_undulation)

    made, version = await to_thread.run_sync(make)
    etag, headers = _validate(resources, (layer.id, version, name_sight([layer])))
    if is_known(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    return Response(made.data, headers=headers, media_type=GLB)


@router.get("/{z}/{x}/{y}.glb", summary="The content of one tile as GLB")
async def read_tile(
    request: Request, layer_id: LayerId, z: str, x: str, y: str, resources: ResourcesOf, v: Version = None
) -> Response:
    """Return the solids of a tile; 404 where none stands."""
    layer, tile = find_solid_layer(layer_id), parse_address(z, x, y)
    if not TOP_ZOOM <= tile.z <= LEAF_ZOOM:
        raise NotFoundError(f"tile zoom {tile.z} holds no solids, expected {TOP_ZOOM} to {LEAF_ZOOM}")
    version = await resources.versions.read_tile([layer.id], tile.z, tile.x, tile.y)

    def make() -> CachedTile:
        with resources.engine.connect() as connection:
            made = make_tile(connection, layer, tile, undulation=resources.settings.geoid_undulation)
        return CachedTile(igzip.compress(made.data, compresslevel=2) if made.data else b"", made.truncated)

    return await _answer(request, resources, (layer.id, version, tile, name_sight([layer])), make, GLB)


def _validate(resources: Resources, depends: Sequence[object]) -> tuple[str, dict[str, str]]:
    """Return the opaque part of the ETag of what ``depends`` on these and on how it is written, and the headers."""
    key = (*depends, resources.settings.geoid_undulation, FORM)
    etag = f'"{hashlib.blake2b(repr(key).encode(), digest_size=12).hexdigest()}"'
    return etag, {"etag": f"W/{etag}", "cache-control": "public, no-cache", "vary": "accept-encoding"}


async def _answer(
    request: Request, resources: Resources, depends: Sequence[object], make: Callable[[], CachedTile], kind: str
) -> Response:
    """Return what ``make`` makes, kept as long as all it ``depends`` on is the same; 304 needs no database."""
    etag, headers = _validate(resources, depends)
    if is_known(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)

    async def start() -> CachedTile:
        return await to_thread.run_sync(make)

    made = await resources.pictures.get(("3d", etag), start)
    if not made.body:
        raise NotFoundError("no solid stands in this tile", hint="tileset.json names the tiles there are")
    if made.truncated:
        headers["twin-tile-truncated"] = "true"
    body = made.body
    if accepts_gzip(request.headers):
        headers["content-encoding"] = "gzip"
    else:
        body = gzip.decompress(body)
    return Response(body, headers=headers, media_type=kind)

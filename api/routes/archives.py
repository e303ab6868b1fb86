"""Baked tiles: PMTiles archives, listed and read in ranges of bytes."""

import gzip
import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi import Path as InPath
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response

from api.answers import MVT, answer_json
from api.compression import accepts_gzip
from api.dependencies import LinksOf, ResourcesOf, refuse_unknown
from api.links import Links
from api.objects import answer_object
from api.resources import Resources
from api.routes.tiles import parse_address
from layers.errors import NotFoundError
from layers.store.tiles import read_version_tokens
from twin.baking.archive import Archive, list_archives
from twin.baking.archive import read_archive as open_archive
from twin.baking.files import SUFFIX, LocalArchive, StoredArchive, find_archive, list_files
from twin.baking.reading import read_baked_tile

PMTILES = "application/vnd.pmtiles"
router = APIRouter(prefix="/tiles/archives", tags=["tiles"], dependencies=[Depends(refuse_unknown)])
Name = Annotated[str, InPath(description="Name of an archive; see /tiles/archives")]
# A reader holds what it read and asks whether it still holds.
_CACHING = {"cache-control": "public, no-cache"}
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


@router.get("", summary="Archives of baked tiles")
async def list_baked(resources: ResourcesOf, links: LinksOf) -> Response:
    """Return every archive: what it holds, where it is read, and the layers that changed since it was baked."""
    async with resources.pools.tiles.connection() as connection:
        tokens = await read_version_tokens(connection)
    found = await run_in_threadpool(_list, resources)
    return answer_json(
        {
            "archives": [_describe(archive, tokens, links) for archive in found if _NAME.fullmatch(archive.name)],
            "links": [links.link("/tiles/archives", "self")],
        }
    )


@router.get("/{name}.pmtiles", summary="An archive; ranges of it can be asked for")
def read_archive(name: Name, request: Request, resources: ResourcesOf) -> Response:
    """Return the file or the ranges asked for."""
    file = _find(resources, name)
    if isinstance(file, StoredArchive):
        return answer_object(file.url, request, media_type=PMTILES, headers=_CACHING)
    path = file.path
    answer = FileResponse(
        path,
        media_type=PMTILES,
        headers=_CACHING,
        stat_result=path.stat(),
    )
    if answer.headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={"etag": answer.headers["etag"], **_CACHING})
    return answer


@router.get("/{name}.json", summary="TileJSON of an archive's tiles")
def read_tilejson(name: Name, resources: ResourcesOf, links: LinksOf) -> Response:
    """Return TileJSON 3, for clients that ask for one tile at a time."""
    archive = open_archive(_find(resources, name))
    said = archive.metadata
    return answer_json(
        {
            "tilejson": "3.0.0",
            "name": said.get("name") or archive.name,
            "description": said.get("description") or "",
            "attribution": said.get("attribution") or "",
            "scheme": "xyz",
            "tiles": [links.url(f"/tiles/archives/{archive.name}" + "/{z}/{x}/{y}.mvt")],
            "minzoom": archive.min_zoom,
            "maxzoom": archive.max_zoom,
            "bounds": archive.bounds,
            "vector_layers": said.get("vector_layers") or [],
        }
    )


@router.get("/{name}/{z}/{x}/{y}.mvt", summary="A tile of an archive")
def read_tile(name: Name, z: str, x: str, y: str, request: Request, resources: ResourcesOf) -> Response:
    """Return one vector tile; 204 where the archive has none."""
    file, tile = _find(resources, name), parse_address(z, x, y)
    headers = {"etag": f"W/{file.edition}", **_CACHING}
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    body = read_baked_tile(file, tile)
    if body is None:
        return Response(status_code=204, headers=headers)
    headers["vary"] = "accept-encoding"
    if accepts_gzip(request.headers):
        headers["content-encoding"] = "gzip"
    else:
        body = gzip.decompress(body)
    return Response(body, headers=headers, media_type=MVT)


def _list(resources: Resources) -> list[Archive]:
    settings = resources.settings
    return list_archives(list_files(settings.archives_dir, settings.object_store))


def _find(resources: Resources, name: str) -> LocalArchive | StoredArchive:
    settings = resources.settings
    try:
        if _NAME.fullmatch(name):
            return find_archive(settings.archives_dir, settings.object_store, name)
    except NotFoundError:
        pass
    raise NotFoundError(f"archive '{name[:80]}' does not exist", hint="see /tiles/archives, or make one: twin bake")


def _describe(archive: Archive, tokens: dict[str, str], links: Links) -> dict[str, Any]:
    said = archive.metadata
    baked_of: dict[str, str] = said.get("twin:layer_versions") or {}
    return {
        "name": archive.name,
        "title": {"vi": said.get("name:vi") or archive.name, "en": said.get("name:en") or archive.name},
        "attribution": said.get("attribution") or "",
        "bytes": archive.size,
        "tiles": archive.tiles,
        "minzoom": archive.min_zoom,
        "maxzoom": archive.max_zoom,
        "bounds": archive.bounds,
        "layers": [layer["id"] for layer in said.get("vector_layers") or ()],
        "baked": said.get("twin:baked"),
        "truncated_tiles": said.get("twin:truncated_tiles"),
        "layer_versions": baked_of,
        "changed_layers": [layer for layer, token in baked_of.items() if tokens.get(layer, "0") != token],
        "links": [
            links.link(f"/tiles/archives/{archive.name}{SUFFIX}", "enclosure", PMTILES),
            links.link(f"/tiles/archives/{archive.name}.json", "describedby", title="TileJSON"),
        ],
    }

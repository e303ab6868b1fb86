"""Baked tiles: PMTiles archives, listed and read in ranges of bytes."""

import gzip
import re
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi import Path as InPath
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response

from api.answers import MVT, answer_json
from api.compression import accepts_gzip
from api.dependencies import LinksOf, ResourcesOf, refuse_unknown
from api.links import Links
from api.routes.tiles import parse_address
from layers.errors import NotFoundError
from layers.store.tiles import read_version_tokens
from twin.baking.archive import SUFFIX, Archive, list_archives
from twin.baking.archive import read_archive as open_archive
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
    async with resources.pool.connection() as connection:
        tokens = await read_version_tokens(connection)
    found = await run_in_threadpool(list_archives, resources.settings.archives_dir)
    return answer_json(
        {
            "archives": [_describe(archive, tokens, links) for archive in found if _NAME.fullmatch(archive.name)],
            "links": [links.link("/tiles/archives", "self")],
        }
    )


@router.get("/{name}.pmtiles", summary="An archive; ranges of it can be asked for")
def read_archive(name: Name, request: Request, resources: ResourcesOf) -> Response:
    """Return the file or the ranges asked for."""
    path = _find_file(resources.settings.archives_dir, name)
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
    archive = open_archive(_find_file(resources.settings.archives_dir, name))
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
    path = _find_file(resources.settings.archives_dir, name)
    tile, stat = parse_address(z, x, y), path.stat()
    headers = {"etag": f'W/"{stat.st_ino:x}-{stat.st_mtime_ns:x}"', **_CACHING}
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    body = read_baked_tile(path, tile)
    if body is None:
        return Response(status_code=204, headers=headers)
    headers["vary"] = "accept-encoding"
    if accepts_gzip(request.headers):
        headers["content-encoding"] = "gzip"
    else:
        body = gzip.decompress(body)
    return Response(body, headers=headers, media_type=MVT)


def _find_file(folder: Path, name: str) -> Path:
    path = folder / f"{name}{SUFFIX}"
    if not _NAME.fullmatch(name) or not path.is_file():
        raise NotFoundError(f"archive '{name[:80]}' does not exist", hint="see /tiles/archives, or make one: twin bake")
    return path


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

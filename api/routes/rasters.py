"""Rasters on the map: picture tiles, heights, TileJSON and legend."""

import hashlib
import math
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response

from api.answers import answer_json
from api.cache import CachedTile
from api.dependencies import LinksOf, ResourcesOf, refuse_unknown
from api.objects import answer_object
from api.rasters.elevation import ELEVATION_TILE_SIZE, Encoding, draw_heights, parse_encoding
from api.rasters.pictures import (
    MEDIA_TYPES,
    TILE_SIZE,
    WEB_MERCATOR,
    PictureFormat,
    draw_clear_tile,
    draw_map,
    draw_tile,
)
from api.rasters.rows import (
    GEOTIFF,
    MAX_ZOOM,
    MIN_ZOOM,
    Raster,
    fetch_raster,
    find_band,
    find_file,
    write_times,
)
from api.rasters.warping import open_raster
from api.resources import Resources
from api.routes.tiles import parse_address
from api.styles.legends import Lang, describe_legend, draw_legend_picture
from api.styles.style import build_legend
from layers.quantities import QUANTITIES
from layers.store.mercator import to_mercator
from layers.store.objects import read_gdal_name
from layers.store.tiles import TileAddress

_DOUBLE = "@2x"
# Length of the equator on a tile of 256 px at zoom 0 [m/px].
_METRES_A_PIXEL = 2.0 * math.pi * 6378137.0 / 256.0

router = APIRouter(prefix="/tiles/raster/{raster_id}", tags=["rasters"], dependencies=[Depends(refuse_unknown)])
files = APIRouter(tags=["rasters"], dependencies=[Depends(refuse_unknown)])

Time = Annotated[str | None, Query(description="One of the raster's times; without it the first")]
During = Annotated[
    str | None, Query(alias="datetime", description="A time of the raster, or start/end for the last time within")
]
Heights = Annotated[
    str | None, Query(description="Heights instead of colours: terrarium (1/256 m) or mapbox (0.1 m), also terrain-rgb")
]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which tile is asked for, of which raster, at which time, and whether as heights."""

    request: Request
    resources: ResourcesOf
    raster_id: str
    z: str
    x: str
    y: str
    time: Time = None
    during: During = None
    encoding: Heights = None


AskedOf = Annotated[Asked, Depends()]


@router.get("/{z}/{x}/{y}.png", summary="A tile as picture")
async def read_png_tile(asked: AskedOf) -> Response:
    """Return a tile of 256 × 256 px, or 512 × 512 where y ends in ``@2x``; clear where there is no value."""
    return await _answer_tile(asked, "png")


@router.get("/{z}/{x}/{y}.webp", summary="A tile as WebP")
async def read_webp_tile(asked: AskedOf) -> Response:
    """Return the same tile as WebP without loss."""
    return await _answer_tile(asked, "webp")


async def _answer_tile(asked: Asked, fmt: PictureFormat) -> Response:
    size = 2 * TILE_SIZE if asked.y.endswith(_DOUBLE) else TILE_SIZE
    tile = parse_address(asked.z, asked.x, asked.y.removesuffix(_DOUBLE))
    raster = await run_in_threadpool(fetch_raster, asked.resources, asked.raster_id)
    band = find_band(raster.row, asked.time, asked.during)
    encoding = parse_encoding(asked.encoding, raster.layer)
    return await answer_picture_tile(
        asked.request, asked.resources, raster, tile, band, fmt=fmt, size=size, encoding=encoding
    )


async def answer_picture_tile(
    request: Request,
    resources: Resources,
    raster: Raster,
    tile: TileAddress,
    band: int,
    *,
    fmt: PictureFormat,
    size: int = TILE_SIZE,
    encoding: Encoding | None = None,
) -> Response:
    """Answer a tile: 304 by its version without opening the file, from memory, or drawn now."""
    row, layer = raster
    key = (row.id, row.fingerprint, band, tile, fmt, size, encoding, layer.ramp)
    etag = f'"{hashlib.blake2b(repr(key).encode(), digest_size=12).hexdigest()}"'
    headers = {"etag": etag, "cache-control": "public, max-age=60, stale-while-revalidate=600"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)

    def draw() -> bytes:
        path = find_file(resources, row)
        if encoding is not None:
            return draw_heights(path, layer, tile, band, encoding, fmt=fmt, size=size)
        return draw_tile(path, layer, tile, band, fmt=fmt, size=size)

    async def make() -> CachedTile:
        return CachedTile(await run_in_threadpool(draw))

    made = await resources.pictures.get(key, make)
    body = made.body or draw_clear_tile(layer, fmt, size)
    return Response(body, headers=headers, media_type=MEDIA_TYPES[fmt])


@router.get("/preview.png", summary="The whole raster as a small picture")
def read_preview(
    raster_id: str,
    resources: ResourcesOf,
    time: Time = None,
    during: During = None,
    size: Annotated[int, Query(ge=16, le=2048, description="The longer side [px]")] = 512,
) -> Response:
    """Return the raster in Web Mercator on white."""
    row, layer = fetch_raster(resources, raster_id)
    band = find_band(row, time, during)
    west, south = to_mercator(row.bounds[0], row.bounds[1])
    east, north = to_mercator(row.bounds[2], row.bounds[3])
    longer = max(east - west, north - south)
    picture = draw_map(
        find_file(resources, row),
        layer,
        bounds=(west, south, east, north),
        crs=WEB_MERCATOR,
        width=max(1, round(size * (east - west) / longer)),
        height=max(1, round(size * (north - south) / longer)),
        band=band,
        transparent=False,
    )
    return Response(picture, media_type=MEDIA_TYPES["png"])


@router.get("/legend", summary="Legend")
def read_legend(raster_id: str, resources: ResourcesOf) -> Response:
    """Return the legend with unit and symbol."""
    return answer_json(describe_legend(fetch_raster(resources, raster_id).layer))


@router.get("/legend.png", summary="Legend as picture")
def read_legend_picture(
    raster_id: str,
    resources: ResourcesOf,
    lang: Annotated[Lang, Query(description="Language of the words")] = "vi",
) -> Response:
    """Return colours, values, unit and title as a picture."""
    picture = draw_legend_picture(fetch_raster(resources, raster_id).layer, lang=lang)
    return Response(picture, media_type=MEDIA_TYPES["png"])


@files.get("/tiles/raster/{raster_id}.json", summary="TileJSON of a raster")
def read_tilejson(
    raster_id: str,
    resources: ResourcesOf,
    links: LinksOf,
    time: Time = None,
    during: During = None,
    encoding: Heights = None,
) -> Response:
    """Return TileJSON 3 with times and legend; with ``encoding`` that of the heights, for a ``raster-dem`` source."""
    raster = fetch_raster(resources, raster_id)
    row, layer = raster
    find_band(row, time, during)
    written = parse_encoding(encoding, layer)
    query = {key: value for key, value in (("time", time), ("datetime", during), ("encoding", written)) if value}
    size, tail = (ELEVATION_TILE_SIZE, _DOUBLE) if written else (TILE_SIZE, "")
    tiles = links.url(f"/tiles/raster/{row.id}") + f"/{{z}}/{{x}}/{{y}}{tail}.png"
    described: dict[str, Any] = {
        "tilejson": "3.0.0",
        "name": layer.title.en,
        "scheme": "xyz",
        "tiles": [f"{tiles}?{urlencode(query)}" if query else tiles],
        "tileSize": size,
        "minzoom": MIN_ZOOM,
        "maxzoom": _find_own_zoom(resources, raster, size) if written else MAX_ZOOM,
        "bounds": row.bounds,
        "layer": layer.id,
        "run_id": row.run_id,
        "title": layer.title._asdict(),
        "times": write_times(row),
        "legend": build_legend(layer),
        "minimum": row.minimum,
        "maximum": row.maximum,
        "symbol": QUANTITIES[layer.quantity].symbol,
    }
    if written:
        described["encoding"] = written
    return answer_json(described)


@files.get("/tiles/raster/{raster_id}.tif", summary="The raster as Cloud-Optimised GeoTIFF")
def read_file(raster_id: str, request: Request, resources: ResourcesOf) -> Response:
    """Return the file; ranges can be asked for."""
    row = fetch_raster(resources, raster_id).row
    path = find_file(resources, row)
    if (url := read_gdal_name(str(path))) is not None:
        named = {"content-disposition": f'attachment; filename="{row.id}.tif"'}
        return answer_object(url, request, media_type=GEOTIFF, headers=named)
    return FileResponse(path, media_type=GEOTIFF, filename=f"{row.id}.tif")


def _find_own_zoom(resources: Resources, raster: Raster, size: int) -> int:
    """Return the zoom at which a pixel of a tile of ``size`` px is as fine as a cell of the raster."""
    with open_raster(find_file(resources, raster.row)) as dataset:
        cell = float(dataset.res[0])
    latitude = math.radians((raster.row.bounds[1] + raster.row.bounds[3]) / 2.0)
    finest = math.log2(_METRES_A_PIXEL * 256.0 / size * math.cos(latitude) / cell)
    return min(MAX_ZOOM, max(MIN_ZOOM, math.ceil(finest)))

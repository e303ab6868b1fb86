"""Rasters on the map: picture tiles, TileJSON, legend, and the values at a place."""

import hashlib
import math
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response

from api.answers import answer_json, write_moment
from api.cache import CachedTile
from api.dependencies import LinksOf, ResourcesOf, refuse_unknown
from api.parameters import parse_moment
from api.pictures import draw_clear_tile, draw_legend, draw_tile, read_point
from api.resources import Resources
from api.routes.tiles import parse_address
from api.style import build_legend
from layers.errors import InputError, NotFoundError
from layers.quantities import QUANTITIES
from layers.registry import RASTER_LAYERS
from layers.schema import RasterLayer
from layers.store.rasters import RasterRow, read_raster_row

MIN_ZOOM, MAX_ZOOM = 6, 18

router = APIRouter(prefix="/tiles/raster/{raster_id}", tags=["rasters"], dependencies=[Depends(refuse_unknown)])
files = APIRouter(tags=["rasters"], dependencies=[Depends(refuse_unknown)])

Time = Annotated[str | None, Query(description="One of the raster's times; without it the first")]


@router.get("/{z}/{x}/{y}.png", summary="A tile as picture")
async def read_tile(
    request: Request, raster_id: str, z: str, x: str, y: str, resources: ResourcesOf, time: Time = None
) -> Response:
    """Return a tile of 256 × 256 px, clear where there is no value."""
    tile = parse_address(z, x, y)
    row = await run_in_threadpool(_read_row, resources, raster_id)
    layer = _find_layer(row)
    band = _find_band(row, time)
    key = (row.id, row.fingerprint, band, tile)
    etag = f'"{hashlib.blake2b(repr(key).encode(), digest_size=12).hexdigest()}"'
    headers = {"etag": etag, "cache-control": "public, max-age=60, stale-while-revalidate=600"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)

    async def make() -> CachedTile:
        path = _find_file(resources, row)
        return CachedTile(await run_in_threadpool(draw_tile, path, layer, tile, band))

    made = await resources.pictures.get(key, make)
    return Response(made.body or draw_clear_tile(layer), headers=headers, media_type="image/png")


@router.get("/legend", summary="Legend")
def read_legend(raster_id: str, resources: ResourcesOf) -> Response:
    """Return the legend with unit and symbol."""
    layer = _find_layer(_read_row(resources, raster_id))
    quantity = QUANTITIES[layer.quantity]
    return answer_json(
        {
            "layer": layer.id,
            "title": layer.title._asdict(),
            "unit": quantity.unit,
            "symbol": quantity.symbol,
            "stepped": layer.stepped,
            "legend": build_legend(layer),
        }
    )


@router.get("/legend.png", summary="Legend as picture")
def read_legend_picture(raster_id: str, resources: ResourcesOf) -> Response:
    """Return the ramp from left (low) to right (high)."""
    return Response(draw_legend(_find_layer(_read_row(resources, raster_id))), media_type="image/png")


@router.get("/point", summary="Values at a place")
def read_values(
    raster_id: str,
    resources: ResourcesOf,
    lon: Annotated[float, Query(ge=-180, le=180)],
    lat: Annotated[float, Query(ge=-90, le=90)],
) -> Response:
    """Return the value at a place, one for every time of a series."""
    if not (math.isfinite(lon) and math.isfinite(lat)):
        raise InputError(f"lon {lon}, lat {lat} is not a place")
    row = _read_row(resources, raster_id)
    quantity = QUANTITIES[_find_layer(row).quantity]
    return answer_json(
        {
            "times": _write_times(row),
            "values": read_point(_find_file(resources, row), lon, lat),
            "unit": quantity.unit,
            "symbol": quantity.symbol,
        }
    )


@files.get("/tiles/raster/{raster_id}.json", summary="TileJSON of a raster")
def read_tilejson(raster_id: str, resources: ResourcesOf, links: LinksOf) -> Response:
    """Return TileJSON 3 with times and legend."""
    row = _read_row(resources, raster_id)
    layer = _find_layer(row)
    described: dict[str, Any] = {
        "tilejson": "3.0.0",
        "name": layer.title.en,
        "scheme": "xyz",
        "tiles": [links.url(f"/tiles/raster/{row.id}" + "/{z}/{x}/{y}.png")],
        "minzoom": MIN_ZOOM,
        "maxzoom": MAX_ZOOM,
        "bounds": row.bounds,
        "layer": layer.id,
        "run_id": row.run_id,
        "title": layer.title._asdict(),
        "times": _write_times(row),
        "legend": build_legend(layer),
        "minimum": row.minimum,
        "maximum": row.maximum,
        "symbol": QUANTITIES[layer.quantity].symbol,
    }
    return answer_json(described)


@files.get("/tiles/raster/{raster_id}.tif", summary="The raster as Cloud-Optimised GeoTIFF")
def read_file(raster_id: str, resources: ResourcesOf) -> Response:
    """Return the file; ranges can be asked for."""
    row = _read_row(resources, raster_id)
    _find_layer(row)
    return FileResponse(
        _find_file(resources, row), media_type="image/tiff; application=geotiff", filename=f"{row.id}.tif"
    )


def _read_row(resources: Resources, raster_id: str) -> RasterRow:
    with resources.engine.connect() as connection:
        return read_raster_row(connection, raster_id)


def _find_layer(row: RasterRow) -> RasterLayer:
    layer = RASTER_LAYERS.get(row.layer)
    if layer is None or layer.access != "public":
        raise NotFoundError(f"raster '{row.id}' does not exist")
    return layer


def _find_file(resources: Resources, row: RasterRow) -> Path:
    folder = resources.settings.processed_dir.resolve()
    path = (folder / row.path).resolve()
    if not path.is_relative_to(folder) or not path.exists():
        raise NotFoundError(f"the file of raster '{row.id}' is gone", hint="load or run it again")
    return path


def _find_band(row: RasterRow, time: str | None) -> int:
    """Return the band (from 1) of ``time``; InputError names the times there are."""
    if time is None:
        return 1
    if not row.times:
        raise InputError(f"raster '{row.id}' has no times", hint="leave out 'time'")
    moment = parse_moment(time, "time")
    if moment in row.times:
        return row.times.index(moment) + 1
    first, last = write_moment(row.times[0]), write_moment(row.times[-1])
    raise InputError(
        f"time '{time}' is not in raster '{row.id}'", hint=f"{len(row.times)} times from {first} to {last}"
    )


def _write_times(row: RasterRow) -> list[str] | None:
    return [write_moment(moment) for moment in row.times] if row.times else None

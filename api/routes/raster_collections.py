"""Raster layers among the collections: map tiles (OGC API Tiles), coverages, and positions (OGC API EDR)."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.answers import answer_json
from api.dependencies import ConnectionOf, LinksOf, ResourcesOf, refuse_unknown
from api.links import Links
from api.parameters import CRS84, parse_bbox
from api.rasters.collections import describe_map_tileset, describe_map_tilesets, describe_raster_collection
from api.rasters.coverages import cut_coverage
from api.rasters.pictures import PictureFormat
from api.rasters.rows import (
    GEOTIFF,
    Raster,
    describe_times,
    fetch_raster,
    find_band,
    find_file,
    find_steps,
    read_raster,
)
from api.rasters.series import COVERAGE_JSON, parse_place, write_coverage, write_series_csv
from api.resources import Resources
from api.routes.raster_values import answer_csv, read_series
from api.routes.rasters import During, answer_picture_tile
from api.routes.tiles import parse_address
from api.tilesets import require_quad
from layers.access import visible_rasters
from layers.datum import CRS84 as DEGREES
from layers.errors import CrsError, InputError
from layers.store.mercator import Bounds
from layers.store.migrate import read_city
from layers.store.rasters import list_newest_rasters

router = APIRouter(prefix="/api/collections/{collection_id}", dependencies=[Depends(refuse_unknown)])


def describe_raster_collections(connection: Connection, resources: Resources, links: Links) -> list[dict[str, Any]]:
    """Return the raster layers that have a raster as OGC collections, in the order they are declared."""
    srid = read_city(connection).srid
    newest = {row.layer: row for row in list_newest_rasters(connection)}
    return [
        describe_raster_collection(layer.id, Raster(newest[layer.id], layer), links, srid=srid)
        for layer in visible_rasters().values()
        if layer.id in newest
    ]


def read_raster_collection(
    collection_id: str, connection: Connection, resources: Resources, links: Links
) -> dict[str, Any]:
    """Return the collection of a raster or of a layer's newest raster; NotFoundError when there is none."""
    raster = read_raster(connection, collection_id)
    return describe_raster_collection(collection_id, raster, links, srid=read_city(connection).srid)


@router.get("/map/tiles", summary="Map tilesets of a raster", tags=["tiles"])
def list_map_tilesets(collection_id: str, connection: ConnectionOf, links: LinksOf) -> Response:
    """List the tilesets of pictures: there is one, in WebMercatorQuad."""
    return answer_json(describe_map_tilesets(collection_id, read_raster(connection, collection_id), links))


@router.get("/map/tiles/{tile_matrix_set}", summary="One map tileset", tags=["tiles"])
def read_map_tileset(collection_id: str, tile_matrix_set: str, connection: ConnectionOf, links: LinksOf) -> Response:
    """Describe a tileset of pictures."""
    require_quad(tile_matrix_set)
    return answer_json(describe_map_tileset(collection_id, read_raster(connection, collection_id), links))


@router.get("/map/tiles/{tile_matrix_set}/{z}/{y}/{x}", summary="A tile of a map tileset", tags=["tiles"])
async def read_map_tile(
    request: Request,
    collection_id: str,
    tile_matrix_set: str,
    z: str,
    y: str,
    x: str,
    resources: ResourcesOf,
    during: During = None,
    f: Annotated[PictureFormat, Query(description="Format")] = "png",
) -> Response:
    """Return a picture of 256 × 256 px in the colours of the layer."""
    require_quad(tile_matrix_set)
    tile = parse_address(z, x, y)
    raster = await run_in_threadpool(fetch_raster, resources, collection_id)
    band = find_band(raster.row, None, during)
    return await answer_picture_tile(request, resources, raster, tile, band, fmt=f)


@router.get("/coverage", summary="A part of a raster as GeoTIFF", tags=["coverages"])
def read_coverage(
    collection_id: str,
    resources: ResourcesOf,
    bbox: Annotated[str | None, Query(description="west,south,east,north [°]")] = None,
    during: During = None,
    factor: Annotated[float, Query(alias="scale-factor", ge=1, le=1000, description="So many times coarser")] = 1.0,
    f: Annotated[Literal["geotiff"], Query(description="Format")] = "geotiff",
) -> Response:
    """Return the values themselves within a box and a stretch of time, one band a time, in the city's CRS."""
    row, layer = fetch_raster(resources, collection_id)
    if during is not None and not row.times:
        raise InputError(f"raster '{row.id}' has no times", hint="leave out datetime")
    bands = [place + 1 for place in find_steps(row, during)] if row.times else [1]
    if row.times and not bands:
        raise InputError(f"datetime '{during}' holds no time of raster '{row.id}'", hint=describe_times(row.times))
    bounds = None if bbox is None else _cut_box(parse_bbox(bbox), row.bounds)
    path = find_file(resources, row)
    body = cut_coverage(path, layer, bounds=bounds, crs=DEGREES, bands=bands, factor=factor)
    return Response(body, media_type=GEOTIFF, headers={"content-disposition": f'attachment; filename="{row.id}.tif"'})


@router.get("/position", summary="Values of a raster at a place", tags=["coverages"])
def read_position(
    collection_id: str,
    resources: ResourcesOf,
    coords: Annotated[str, Query(description="The place as WKT in CRS84: POINT(105.78 10.03)")],
    during: Annotated[str | None, Query(alias="datetime", description="Only this time, or start/end")] = None,
    names: Annotated[str | None, Query(alias="parameter-name", description="The layer's own id")] = None,
    crs: Annotated[str | None, Query(description="CRS of coords and of the answer: CRS84")] = None,
    f: Annotated[Literal["CoverageJSON", "CSV"], Query(description="Format")] = "CoverageJSON",
) -> Response:
    """Return the value at a place, one for every time of a series, as OGC API EDR asks."""
    raster = fetch_raster(resources, collection_id)
    if names is not None and raster.layer.id not in [name.strip() for name in names.split(",")]:
        raise InputError(f"parameter-name '{names[:80]}' is not in this collection", hint=raster.layer.id)
    if crs not in (None, "CRS84", "OGC:CRS84", CRS84):
        raise CrsError(f"crs '{crs[:80]}' is not served here", hint="leave it out, or CRS84")
    lon, lat = parse_place(coords)
    series = read_series(resources, raster, lon, lat, during)
    if f == "CSV":
        return answer_csv(write_series_csv(series), f"{raster.row.id}-position.csv")
    return answer_json(write_coverage(series), media_type=COVERAGE_JSON)


def _cut_box(asked: Bounds, whole: Bounds) -> Bounds:
    """Return what of a box [°] lies over a raster; InputError when that is nothing."""
    cut = (max(asked[0], whole[0]), max(asked[1], whole[1]), min(asked[2], whole[2]), min(asked[3], whole[3]))
    if cut[0] >= cut[2] or cut[1] >= cut[3]:
        raise InputError(f"bbox {asked} does not touch the raster", hint=f"it lies within {whole}")
    return cut

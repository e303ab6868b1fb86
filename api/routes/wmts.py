"""WMTS 1.0.0 with pairs and with addresses: raster layers as tiles, the same ones as below /tiles/raster."""

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.dependencies import LinksOf, ResourcesOf
from api.links import Links
from api.maps.capabilities import read_offer
from api.maps.errors import MapError, write_ows_exception
from api.maps.frame import Frame
from api.maps.information import read_information, write_information
from api.maps.layers import Shown, find_shown
from api.maps.requests import Pairs, check_styles, parse_info_format
from api.maps.tile_capabilities import DEFAULT, TILE_FORMATS, VERSION, write_tile_capabilities
from api.rasters.pictures import TILE_SIZE, PictureFormat
from api.rasters.rows import Raster
from api.resources import Resources
from api.routes.rasters import answer_picture_tile
from api.routes.tiles import parse_address
from api.tilesets import QUAD
from layers.errors import InputError, TwinError
from layers.schema import RasterLayer
from layers.store.tiles import TileAddress

router = APIRouter(tags=["maps"])
_MATRIX_SETS = (QUAD, "GoogleMapsCompatible")
_DESCRIBED = {
    "SERVICE": "WMTS",
    "REQUEST": "GetCapabilities, GetTile or GetFeatureInfo",
    "VERSION": VERSION,
    "LAYER": "Raster layer, for the newest raster of it, or the id of a raster",
    "STYLE": "default",
    "FORMAT": "image/png or image/webp",
    "TILEMATRIXSET": QUAD,
    "TILEMATRIX": "Zoom",
    "TILEROW": "Row from the north",
    "TILECOL": "Column from the west",
    "TIME": "A moment of a series; the nearest step is shown",
    "RUN": "The run whose raster is shown; without it the newest",
    "I": "Column of a pixel in the tile",
    "J": "Row of a pixel in the tile",
    "INFOFORMAT": "application/json, text/plain or text/html",
}
_PARAMETERS = [
    {"name": name, "in": "query", "required": False, "description": words, "schema": {"type": "string"}}
    for name, words in _DESCRIBED.items()
]
_RUN = [
    {"name": "Run", "in": "query", "required": False, "description": _DESCRIBED["RUN"], "schema": {"type": "string"}}
]


@router.get("/wmts", summary="OGC Web Map Tile Service 1.0.0", openapi_extra={"parameters": _PARAMETERS})
async def answer_wmts(request: Request, resources: ResourcesOf, links: LinksOf) -> Response:
    """Answer a request of WMTS in pairs; names of parameters in any case."""
    pairs = Pairs(request.query_params.multi_items())
    try:
        service = pairs.read("SERVICE", "WMTS")
        if service.upper() != "WMTS":
            raise MapError(f"SERVICE '{service[:40]}' is not WMTS", word="InvalidParameterValue", locator="Service")
        asked = pairs.require("REQUEST").lower()
        if asked == "getcapabilities":
            return await run_in_threadpool(_tell_capabilities, resources, links)
        if asked == "gettile":
            return await _answer_tile(request, pairs, resources)
        if asked == "getfeatureinfo":
            return await to_thread.run_sync(_tell_information, pairs, resources)
        raise MapError(
            f"REQUEST '{asked[:40]}' is not offered", word="OperationNotSupported", locator="Request",
            hint="GetCapabilities, GetTile, GetFeatureInfo",
        )  # fmt: skip
    except TwinError as error:
        return _answer_error(error)


@router.get(f"/wmts/{VERSION}/WMTSCapabilities.xml", summary="Capabilities of the tile service")
def read_capabilities(resources: ResourcesOf, links: LinksOf) -> Response:
    """Return the capabilities of WMTS."""
    return _tell_capabilities(resources, links)


@router.get(
    "/wmts/{layer}/{style}/{time}/{tms}/{z}/{y}/{x}.{ending}",
    summary="A tile of a raster layer",
    openapi_extra={"parameters": _RUN},
)
async def read_tile(
    request: Request,
    layer: str,
    style: str,
    time: str,
    tms: str,
    z: str,
    y: str,
    x: str,
    ending: str,
    resources: ResourcesOf,
) -> Response:
    """Return a tile; ``time`` is a moment of the series or ``default``."""
    formats = {name: media_type for media_type, name in TILE_FORMATS.items()}
    pairs = _name(request, layer, style, time, tms, z, y, x, FORMAT=formats.get(ending, ending))
    try:
        return await _answer_tile(request, pairs, resources)
    except TwinError as error:
        return _answer_error(error, addressed=True)


@router.get(
    "/wmts/{layer}/{style}/{time}/{tms}/{z}/{y}/{x}/{j}/{i}.json",
    summary="The value under a pixel of a tile",
    openapi_extra={"parameters": _RUN},
)
async def read_pixel(
    request: Request,
    layer: str,
    style: str,
    time: str,
    tms: str,
    z: str,
    y: str,
    x: str,
    j: str,
    i: str,
    resources: ResourcesOf,
) -> Response:
    """Return the value under a pixel as GeoJSON."""
    pairs = _name(request, layer, style, time, tms, z, y, x, I=i, J=j)
    try:
        return await to_thread.run_sync(_tell_information, pairs, resources)
    except TwinError as error:
        return _answer_error(error, addressed=True)


def _name(request: Request, layer: str, style: str, time: str, tms: str, z: str, y: str, x: str, **more: str) -> Pairs:
    named = {"LAYER": layer, "STYLE": style, "TIME": time, "TILEMATRIXSET": tms, "TILEMATRIX": z, "TILEROW": y}
    return Pairs([*(named | {"TILECOL": x} | more).items(), *request.query_params.multi_items()])


def _tell_capabilities(resources: Resources, links: Links) -> Response:
    with resources.engine.connect() as connection:
        body = write_tile_capabilities(read_offer(connection, resources), links)
    return Response(body, media_type="application/xml", headers={"cache-control": "no-cache"})


async def _answer_tile(request: Request, pairs: Pairs, resources: Resources) -> Response:
    fmt = _parse_tile_format(pairs.read("FORMAT", "image/png"))
    tile = _parse_tile(pairs)
    shown = await run_in_threadpool(_find_shown, pairs, resources)
    assert shown.row is not None and isinstance(shown.layer, RasterLayer)
    return await answer_picture_tile(request, resources, Raster(shown.row, shown.layer), tile, shown.band, fmt=fmt)


def _tell_information(pairs: Pairs, resources: Resources) -> Response:
    tile = _parse_tile(pairs)
    media_type = parse_info_format(pairs.read("INFOFORMAT", "application/json"))
    column, row = pairs.read_integer("I"), pairs.read_integer("J")
    if not (0 <= column < TILE_SIZE and 0 <= row < TILE_SIZE):
        raise MapError(
            f"I={column}, J={row} lies outside of the tile's {TILE_SIZE} pixels", word="PointIJOutOfRange", locator="I"
        )
    shown = _find_shown(pairs, resources)
    frame = Frame(3857, tile.bounds, TILE_SIZE, TILE_SIZE)
    with resources.engine.connect() as connection:
        found = read_information(connection, resources, [shown], frame, column, row, count=1)
    return Response(write_information(found, media_type), media_type=media_type, headers={"cache-control": "no-cache"})


def _find_shown(pairs: Pairs, resources: Resources) -> Shown:
    name = pairs.require("LAYER")
    check_styles([name], pairs.read("STYLE"))
    time, run = pairs.read("TIME", DEFAULT), pairs.read("RUN", DEFAULT)
    with resources.engine.connect() as connection:
        shown = find_shown(connection, name, time=time, run=run)
    if shown.row is None:
        raise MapError(
            f"layer '{name[:80]}' is not offered as picture tiles", word="LayerNotDefined", locator="LAYER",
            hint=f"vector tiles: /tiles/{name[:80]}.json; pictures: /wms",
        )  # fmt: skip
    return shown


def _parse_tile_format(value: str) -> PictureFormat:
    found = TILE_FORMATS.get(value.lower())
    if found is None:
        raise MapError(
            f"tiles as '{value[:60]}' are not offered", word="InvalidFormat", locator="Format",
            hint=f"one of {', '.join(TILE_FORMATS)}",
        )  # fmt: skip
    return "webp" if found == "webp" else "png"


def _parse_tile(pairs: Pairs) -> TileAddress:
    tms = pairs.require("TILEMATRIXSET")
    if tms not in _MATRIX_SETS:
        raise MapError(
            f"tile matrix set '{tms[:60]}' is not offered", word="InvalidParameterValue", locator="TileMatrixSet",
            hint=f"use {QUAD}",
        )  # fmt: skip
    zoom, row, column = (pairs.require(name) for name in ("TILEMATRIX", "TILEROW", "TILECOL"))
    try:
        return parse_address(zoom, column, row)
    except InputError as error:
        raise MapError(error.message, word="TileOutOfRange", locator="TileRow", hint=error.hint) from None


def _answer_error(error: TwinError, *, addressed: bool = False) -> Response:
    """Return the exception report; what an address names and is not there is 404 (OGC 07-057r7, 11.1)."""
    if error.status >= 500:
        raise error
    missing = addressed and getattr(error, "word", None) in ("LayerNotDefined", "TileOutOfRange", "StyleNotDefined")
    status = 404 if missing or error.status == 404 else 400
    return Response(
        write_ows_exception(error), status, media_type="application/xml", headers={"cache-control": "no-store"}
    )

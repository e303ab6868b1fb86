"""WMS 1.3.0, and 1.1.1 for old clients: capabilities, maps, what is under a pixel, legends."""

from collections.abc import Sequence
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from api.answers import write_moment
from api.dependencies import LinksOf, ResourcesOf
from api.links import Links
from api.maps.capabilities import read_offer, write_capabilities
from api.maps.drawing import draw_picture
from api.maps.errors import MapError, write_wms_exception
from api.maps.failures import draw_failure
from api.maps.information import read_information, write_information
from api.maps.layers import Shown
from api.maps.requests import (
    NEWEST,
    Pairs,
    check_styles,
    find_all,
    negotiate,
    parse_count,
    parse_frame,
    parse_info_format,
    parse_map,
    parse_pixel,
    split_names,
)
from api.resources import Resources
from api.styles.legends import draw_legend_picture
from layers.errors import TwinError
from layers.store.migrate import read_city

router = APIRouter(tags=["maps"])
_DESCRIBED: tuple[tuple[str, str], ...] = (
    ("SERVICE", "WMS"),
    ("REQUEST", "GetCapabilities, GetMap, GetFeatureInfo or GetLegendGraphic"),
    ("VERSION", "1.3.0 or 1.1.1"),
    ("LAYERS", "Layers of a map from the ground upwards, separated by commas"),
    ("STYLES", "Empty, or default for every layer"),
    ("CRS", "EPSG:3857, EPSG:4326, CRS:84, EPSG codes of VN-2000 (SRS in 1.1.1)"),
    ("BBOX", "Lower and upper corner, in 1.3.0 in the order of axes of the CRS"),
    ("WIDTH", "Pixels across"),
    ("HEIGHT", "Pixels down"),
    ("FORMAT", "image/png, image/png; mode=8bit, image/webp, image/jpeg"),
    ("TRANSPARENT", "TRUE for a clear ground"),
    ("BGCOLOR", "Colour of the ground, 0xRRGGBB"),
    ("TIME", "A moment of a series; the nearest step is shown"),
    ("DIM_RUN", "The run whose raster is shown; without it the newest"),
    ("EXCEPTIONS", "XML, INIMAGE or BLANK"),
    ("QUERY_LAYERS", "Layers that are asked what is at a pixel"),
    ("I", "Column of that pixel (X in 1.1.1)"),
    ("J", "Row of that pixel (Y in 1.1.1)"),
    ("INFO_FORMAT", "application/json, text/plain or text/html"),
    ("FEATURE_COUNT", "How many items of a layer are told"),
    ("LAYER", "The layer of a legend"),
)
_PARAMETERS = [
    {"name": name, "in": "query", "required": False, "description": words, "schema": {"type": "string"}}
    for name, words in _DESCRIBED
]


@router.get("/wms", summary="OGC Web Map Service 1.3.0", openapi_extra={"parameters": _PARAMETERS})
async def answer_wms(request: Request, resources: ResourcesOf, links: LinksOf) -> Response:
    """Answer a request of WMS; names of parameters in any case, errors as the standard's XML."""
    pairs = Pairs(request.query_params.multi_items())
    return await to_thread.run_sync(_answer, pairs, resources, links)


def _answer(pairs: Pairs, resources: Resources, links: Links) -> Response:
    version = negotiate(pairs)
    try:
        service = pairs.read("SERVICE", "WMS")
        if service.upper() != "WMS":
            raise MapError(f"SERVICE '{service[:40]}' is not WMS", word="InvalidParameterValue", locator="SERVICE")
        asked = _REQUESTS.get(pairs.require("REQUEST").lower())
        if asked is None:
            raise MapError(
                f"REQUEST '{pairs.read('REQUEST')[:40]}' is not offered", word="OperationNotSupported",
                locator="REQUEST", hint="GetCapabilities, GetMap, GetFeatureInfo, GetLegendGraphic",
            )  # fmt: skip
        with resources.engine.connect() as connection:
            return asked(connection, pairs, resources, links, version)
    except TwinError as error:
        if error.status >= 500:
            raise
        if (drawn := draw_failure(error, pairs)) is not None:
            return Response(drawn[0], media_type=drawn[1], headers={"cache-control": "no-store"})
        media_type = "text/xml" if version == NEWEST else "application/vnd.ogc.se_xml"
        return Response(
            write_wms_exception(error, version), 400, media_type=media_type, headers={"cache-control": "no-store"}
        )


def _tell_capabilities(
    connection: Connection, _pairs: Pairs, resources: Resources, links: Links, version: str
) -> Response:
    media_type = "text/xml" if version == NEWEST else "application/vnd.ogc.wms_xml"
    body = write_capabilities(read_offer(connection, resources), links, version)
    return Response(body, media_type=media_type, headers={"cache-control": "no-cache"})


def _draw_map(connection: Connection, pairs: Pairs, resources: Resources, _links: Links, version: str) -> Response:
    asked = parse_map(connection, pairs, version=version, city=read_city(connection).srid)
    body = draw_picture(
        connection, resources, asked.shown, asked.frame, asked.fmt, background=asked.background
    )  # fmt: skip
    response = Response(body, media_type=asked.media_type, headers={"cache-control": "no-cache"})
    for warning in _list_warnings(asked.shown, pairs):
        response.headers.append("warning", warning)
    return response


def _tell_information(
    connection: Connection, pairs: Pairs, resources: Resources, _links: Links, version: str
) -> Response:
    frame = parse_frame(pairs, version=version, city=read_city(connection).srid)
    pixel = parse_pixel(pairs, frame, version)
    media_type = parse_info_format(pairs.read("INFO_FORMAT", "application/json"))
    shown = find_all(connection, split_names(pairs.require("QUERY_LAYERS"), "QUERY_LAYERS"), pairs)
    found = read_information(connection, resources, shown, frame, *pixel, count=parse_count(pairs))
    return Response(write_information(found, media_type), media_type=media_type, headers={"cache-control": "no-cache"})


def _draw_legend(connection: Connection, pairs: Pairs, _resources: Resources, _links: Links, _version: str) -> Response:
    name = pairs.require("LAYER")
    check_styles([name], pairs.read("STYLE"))
    if pairs.read("FORMAT", "image/png").lower() != "image/png":
        raise MapError(
            f"a legend as '{pairs.read('FORMAT')[:60]}' is not offered", word="InvalidFormat", locator="FORMAT",
            hint="image/png",
        )  # fmt: skip
    shown = find_all(connection, [name], Pairs(()))[0]
    lang: Any = "en" if pairs.read("LANGUAGE").lower().startswith("en") else "vi"
    return Response(
        draw_legend_picture(shown.layer, lang=lang), media_type="image/png", headers={"cache-control": "max-age=3600"}
    )


def _list_warnings(shown: Sequence[Shown], pairs: Pairs) -> list[str]:
    """Return what the header Warning says of values that were chosen (OGC 06-042, C.4.2 and C.4.3)."""
    asked, warnings = pairs.read("TIME"), []
    for time in dict.fromkeys(write_moment(each.time) for each in shown if each.time is not None):
        if asked != time:
            warnings.append(f'99 - "{"Nearest" if asked else "Default"} value used: time={time} ISO8601"')
    return warnings


_REQUESTS = {
    "getcapabilities": _tell_capabilities,
    "capabilities": _tell_capabilities,
    "getmap": _draw_map,
    "map": _draw_map,
    "getfeatureinfo": _tell_information,
    "feature_info": _tell_information,
    "getlegendgraphic": _draw_legend,
}

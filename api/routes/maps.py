"""OGC API Maps: a collection, or several over each other, as a picture."""

import math
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy import Connection
from starlette.responses import Response

from api.answers import write_moment
from api.catalog import describe_city
from api.dependencies import ResourcesOf, list_parameters
from api.maps.drawing import PictureType, Rgb, draw_picture
from api.maps.frame import PIXEL_M, Frame, scale_of_zoom
from api.maps.framing import Wanted, choose_frame
from api.maps.layers import MAX_LAYERS, Shown, find_nearest, find_shown
from api.maps.subsets import parse_subset
from api.parameters import EPSG, parse_crs, parse_interval, parse_numbers
from api.resources import Resources
from layers.access import visible_layers
from layers.errors import InputError, NotFoundError
from layers.schema import VectorLayer
from layers.store.items import DEGREES, OutputCrs
from layers.store.mercator import Bounds
from layers.store.migrate import read_city
from layers.store.origins import PRESENT, Interval, Past
from layers.store.rasters import RasterRow

_FORMATS: dict[str, PictureType] = {"png": "png", "jpeg": "jpeg", "jpg": "jpeg", "webp": "webp"}
_COLOR = re.compile(r"(?:0x|#)?([0-9A-Fa-f]{6})")
_NAMED: dict[str, Rgb] = {
    "white": (255, 255, 255), "black": (0, 0, 0), "gray": (128, 128, 128), "grey": (128, 128, 128),
    "silver": (192, 192, 192), "red": (255, 0, 0), "green": (0, 128, 0), "blue": (0, 0, 255),
    "yellow": (255, 255, 0), "navy": (0, 0, 128), "beige": (245, 245, 220), "ivory": (255, 255, 240),
    "lightgray": (211, 211, 211), "lightblue": (173, 216, 230), "aliceblue": (240, 248, 255),
}  # fmt: skip
_REPEATED = "subset"
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The map", "content": {f"image/{fmt}": _BINARY for fmt in ("png", "jpeg", "webp")}},
    204: {"description": "A series has no step at that time"},
}


async def refuse_unknown_or_twice(request: Request) -> None:
    """Raise InputError for a parameter that is not known, or given twice other than ``subset``."""
    known = list_parameters(request)
    for name in request.query_params:
        if name not in known:
            raise InputError(f"parameter '{name[:80]}' is not known", hint=f"known: {', '.join(sorted(known))}")
        if name != _REPEATED and len(request.query_params.getlist(name)) > 1:
            raise InputError(f"parameter '{name}' is given twice")


class MapQuery:
    """The parameters of a map."""

    def __init__(
        self,
        f: Annotated[Literal["png", "jpeg", "jpg", "webp"] | None, Query(description="Format of the picture")] = None,
        bbox: Annotated[str | None, Query(description="West, south, east, north, or in the order of bbox-crs")] = None,
        bbox_crs: Annotated[str | None, Query(alias="bbox-crs", description="CRS of bbox; without it CRS84")] = None,
        subset: Annotated[
            list[str] | None, Query(description='Lat(10.01:10.05),Lon(105.7:105.8), time("2026-11-22T10:00:00Z")')
        ] = None,
        subset_crs: Annotated[str | None, Query(alias="subset-crs", description="CRS of subset")] = None,
        center: Annotated[str | None, Query(description="Middle of the map, in the order of center-crs")] = None,
        center_crs: Annotated[str | None, Query(alias="center-crs", description="CRS of center")] = None,
        crs: Annotated[str | None, Query(description="CRS of the map; without it that of the city")] = None,
        width: Annotated[int | None, Query(ge=1, description="Pixels across, at most 4096")] = None,
        height: Annotated[int | None, Query(ge=1, description="Pixels down, at most 4096")] = None,
        scale_denominator: Annotated[float | None, Query(alias="scale-denominator", gt=0.0)] = None,
        mm_per_pixel: Annotated[
            float | None,
            Query(alias="mm-per-pixel", ge=0.001, le=1000.0, description="Size of a pixel on the screen [mm]"),
        ] = None,
        datetime: Annotated[str | None, Query(description="A moment, or start/end with .. for an open end")] = None,
        bgcolor: Annotated[str | None, Query(description="0xRRGGBB or the name of a colour")] = None,
        transparent: Annotated[bool | None, Query(description="Clear ground; false where bgcolor is given")] = None,
        void_color: Annotated[str | None, Query(alias="void-color", description="As bgcolor")] = None,
        void_transparent: Annotated[bool | None, Query(alias="void-transparent", description="As transparent")] = None,
    ) -> None:
        self.f, self.bbox, self.bbox_crs, self.subset, self.subset_crs = f, bbox, bbox_crs, subset, subset_crs
        self.center, self.center_crs, self.crs, self.width, self.height = center, center_crs, crs, width, height
        self.scale, self.pixel_mm, self.datetime = scale_denominator, mm_per_pixel, datetime
        self.bgcolor, self.transparent = bgcolor, transparent
        # No offered frame reaches beyond its CRS, so nothing is ever void; a colour that is none is still an error.
        parse_color(void_color)


router = APIRouter(prefix="/api", tags=["maps"], dependencies=[Depends(refuse_unknown_or_twice)])
QueryOf = Annotated[MapQuery, Depends(MapQuery)]


@router.get(
    "/collections/{collection_id}/map",
    summary="A collection as a picture",
    operation_id="collection.getMap",
    response_class=Response,
    responses=_ANSWERS,
)
async def read_collection_map(request: Request, collection_id: str, query: QueryOf, resources: ResourcesOf) -> Response:
    """Return a map of a collection; a raster layer's is of its newest raster."""
    return await to_thread.run_sync(_answer, request, [collection_id], query, resources)


@router.get(
    "/map",
    summary="The city as a picture",
    operation_id="dataset.getMap",
    response_class=Response,
    responses=_ANSWERS,
)
async def read_city_map(
    request: Request,
    query: QueryOf,
    resources: ResourcesOf,
    collections: Annotated[
        str | None, Query(description="Ids of collections, the first at the bottom; without it those shown at first")
    ] = None,
) -> Response:
    """Return a map of several collections."""
    names = _split(collections) if collections is not None else None
    return await to_thread.run_sync(_answer, request, names, query, resources)


def parse_color(value: str | None) -> Rgb | None:
    """Return a colour written as ``0xRRGGBB``, ``#RRGGBB`` or by its name; None for None."""
    if value is None:
        return None
    if found := _COLOR.fullmatch(value):
        red, green, blue = bytes.fromhex(found[1])
        return red, green, blue
    if value.lower() in _NAMED:
        return _NAMED[value.lower()]
    raise InputError(f"colour '{value[:40]}' is not known", hint=f"write 0xRRGGBB or one of {', '.join(_NAMED)}")


def _answer(request: Request, names: list[str] | None, query: MapQuery, resources: Resources) -> Response:
    fmt = _choose_format(request, query.f)
    subset = parse_subset(query.subset or ())
    if query.datetime is not None and subset.time is not None:
        raise InputError("both datetime and a subset of time are given", hint="leave out one of them")
    written = query.datetime if query.datetime is not None else subset.time
    interval = None if written is None else parse_interval(written)
    with resources.engine.connect() as connection:
        city = read_city(connection)
        storage = parse_crs(f"{EPSG}{city.srid}", "crs")
        wanted = Wanted(
            crs=storage if query.crs is None else _parse_own_crs(query.crs, "crs"),
            width=query.width,
            height=query.height,
            bbox=_parse_box(query.bbox, query.bbox_crs),
            bbox_crs=_parse_own_crs(query.bbox_crs, "bbox-crs"),
            center=_parse_center(query.center, query.center_crs),
            center_crs=_parse_own_crs(query.center_crs, "center-crs"),
            subset=subset,
            subset_crs=_parse_own_crs(query.subset_crs, "subset-crs"),
            scale=query.scale,
            pixel_mm=PIXEL_M * 1000.0 if query.pixel_mm is None else query.pixel_mm,
        )
        asked = _list_default(connection, resources) if names is None else names
        shown = [step for name in asked if (step := _find_step(connection, name, interval)) is not None]
        if not shown:
            return Response(status_code=204)
        extent = _find_extent(connection, resources, shown)
        most = max(scale_of_zoom(each.layer.min_zoom) if isinstance(each.layer, VectorLayer) else math.inf
                   for each in shown)  # fmt: skip
        frame = choose_frame(wanted, extent, most)
        past = PRESENT if interval is None else Past(during=interval)
        body = draw_picture(
            connection, resources, shown, frame, fmt, background=_choose_ground(query, fmt), past=past
        )  # fmt: skip
    headers = {"content-bbox": _write_box(frame, wanted.crs), "cache-control": "no-cache"}
    if wanted.crs != DEGREES:
        headers["content-crs"] = f"<{EPSG}{wanted.crs.srid}>"
    if time := next((each.time for each in shown if each.time is not None), None):
        headers["content-datetime"] = write_moment(time)
    return Response(body, media_type=f"image/{fmt}", headers=headers)


def _choose_format(request: Request, f: str | None) -> PictureType:
    if f is not None:
        return _FORMATS[f]
    accepted = request.headers.get("accept", "*/*").lower()
    for part in accepted.split(","):
        media_type = part.split(";")[0].strip()
        if media_type in ("*/*", "image/*", "image/png"):
            return "png"
        if media_type.removeprefix("image/") in _FORMATS:
            return _FORMATS[media_type.removeprefix("image/")]
    return "png"


def _split(value: str) -> list[str]:
    """Return ids of collections; addresses of collections mean their last part."""
    names = [name.strip().rstrip("/").rsplit("/", 1)[-1] for name in value.split(",")]
    if len(names) > MAX_LAYERS:
        raise InputError(f"{len(names)} collections in one map, expected at most {MAX_LAYERS}")
    return names


def _list_default(connection: Connection, resources: Resources) -> list[str]:
    """Return the layers of features that the page shows at first, from the ground upwards."""
    shown = [layer for layer in visible_layers().values() if layer.visible]
    filled = [layer for layer in shown if resources.read_extent(connection, layer).count]
    return [layer.id for layer in sorted(filled, key=lambda layer: layer.rank)][:MAX_LAYERS]


def _find_step(connection: Connection, name: str, interval: Interval | None) -> Shown | None:
    """Return the layer at a time: of a series the step nearest to a moment or the last within a stretch of time.

    None where the series has no step there.
    """
    try:
        shown = find_shown(connection, name)
    except InputError:
        raise NotFoundError(f"collection '{name[:80]}' has no map", hint="/api/collections lists them") from None
    row = shown.row
    if row is None or not row.times or interval is None:
        return shown
    place = _choose_step(row, interval)
    return None if place is None else shown._replace(band=place + 1, time=row.times[place])


def _choose_step(row: RasterRow, interval: Interval) -> int | None:
    times = row.times or ()
    start, end = interval.start or times[0], interval.end or times[-1]
    if start == end and times[0] <= start <= times[-1]:
        return find_nearest(times, start)
    within = [place for place, moment in enumerate(times) if start <= moment <= end]
    return within[-1] if within else None


def _find_extent(connection: Connection, resources: Resources, shown: Sequence[Shown]) -> Bounds:
    """Return where the layers lie (CRS84), the city where they are empty."""
    found = []
    for each in shown:
        if each.row is not None:
            found.append(each.row.bounds)
        elif isinstance(each.layer, VectorLayer) and (known := resources.read_extent(connection, each.layer).bounds):
            found.append(known)
    if not found:
        city: Bounds = describe_city(connection, resources)["bounds"]
        return city
    west, south, east, north = zip(*found, strict=True)
    return _widen((min(west), min(south), max(east), max(north)))


def _widen(bounds: Bounds) -> Bounds:
    """Return ``bounds`` with an area, where all that lies in them is one point or one line."""
    west, south, east, north = bounds
    least = 0.001
    if east - west < least:
        west, east = (west + east - least) / 2.0, (west + east + least) / 2.0
    if north - south < least:
        south, north = (south + north - least) / 2.0, (south + north + least) / 2.0
    return west, south, east, north


def _parse_own_crs(value: str | None, name: str) -> OutputCrs:
    return DEGREES if value is None else parse_crs(value.strip("[]"), name)


def _parse_box(value: str | None, crs: str | None) -> Bounds | None:
    """Return a box with east first."""
    if value is None:
        return None
    a, b, c, d = parse_numbers(value)
    return (b, a, d, c) if _parse_own_crs(crs, "bbox-crs").flip else (a, b, c, d)


def _parse_center(value: str | None, crs: str | None) -> tuple[float, float] | None:
    """Return a place with east first."""
    if value is None:
        return None
    try:
        first, second = (float(part) for part in value.split(","))
    except ValueError:
        raise InputError(f"center '{value[:60]}' is not two numbers", hint="105.78,10.03") from None
    if not (math.isfinite(first) and math.isfinite(second)):
        raise InputError(f"center '{value[:60]}' is not finite")
    return (second, first) if _parse_own_crs(crs, "center-crs").flip else (first, second)


def _choose_ground(query: MapQuery, fmt: PictureType) -> Rgb | None:
    """Return the colour of the ground, None for a clear one: the default unless a colour is asked for."""
    color = parse_color(query.bgcolor)
    transparent = color is None if query.transparent is None else query.transparent
    return None if transparent and fmt != "jpeg" else color or (255, 255, 255)


def _write_box(frame: Frame, crs: OutputCrs) -> str:
    x0, y0, x1, y1 = frame.bounds
    sides: Any = (y0, x0, y1, x1) if crs.flip else (x0, y0, x1, y1)
    return ",".join(f"{side:.{crs.decimals + 2}f}" for side in sides)

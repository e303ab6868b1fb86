"""What lies in an area somebody drew, and what overlaps an item."""

from collections.abc import Iterable
from typing import Annotated, Any

import orjson
import shapely
from fastapi import APIRouter, Depends, Query, Request
from shapely.errors import GEOSException
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.answers import answer_json
from api.bodies import read_json
from api.dependencies import ConnectionOf, LinksOf, ResourcesOf, find_collection, refuse_unknown
from api.rasters.areas import measure_water
from api.rasters.rows import find_file
from api.resources import Resources
from layers.access import visible_layers
from layers.errors import InputError, NotFoundError, TooLargeError
from layers.schema import VectorLayer
from layers.store.query.area_parts import Sum, list_overlaps, measure_area, measure_parts
from layers.store.rasters import list_rasters

MAX_CORNERS, MAX_KM2, MAX_LAYERS = 2_000, 3_000.0, 12
DEPTH, ASSETS = "flood_depth_max", "flood_assets"
SUMS: dict[str, dict[str, Sum]] = {
    "buildings": {"people": Sum("residents"), "floor_area": Sum("storeys", by_area=True)},
    "population": {"people": Sum("population")},
    "luminaires": {"power": Sum("power")},
    "planning_projects": {"budget": Sum("budget")},
}
"""What is added up of a layer beside its counts and measures."""

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["geometry"],
                    "properties": {
                        "geometry": {"type": "object", "description": "Polygon or MultiPolygon, GeoJSON in CRS84"},
                        "run": {"type": "string", "description": "A run of a flood: what of it lies in the area"},
                        "collections": {"type": "array", "items": {"type": "string"}, "description": "Only of these"},
                    },
                }
            }
        },
    }
}

router = APIRouter(tags=["search"], dependencies=[Depends(refuse_unknown)])


@router.post("/api/areas/statistics", summary="What lies in an area", openapi_extra=_BODY)
async def read_statistics(request: Request, resources: ResourcesOf) -> Response:
    """Return counts, lengths and areas of every layer within an area, by class, and of the water of a run.

    Of lines and areas only the part within is measured; people and floor area go with that part.
    """
    asked = await read_json(request, ("application/json",), hint="geometry, and if wanted run and collections")
    unknown = set(asked) - {"geometry", "run", "collections"}
    if unknown:
        raise InputError(f"'{sorted(unknown)[0][:80]}' is not known", hint="known: geometry, run, collections")
    return await run_in_threadpool(_answer, resources, asked)


def _answer(resources: Resources, asked: dict[str, Any]) -> Response:
    shape = read_area(asked.get("geometry"))
    layers = _choose_layers(asked.get("collections"))
    run = asked.get("run")
    if run is not None and not isinstance(run, str):
        raise InputError("run is not text", hint="the id of a run")
    wkb = shapely.to_wkb(shape)
    with resources.engine.connect() as connection:
        area = measure_area(connection, wkb)
        if area > MAX_KM2 * 1e6:
            raise TooLargeError(f"the area has {area / 1e6:,.0f} km², at most {MAX_KM2:,.0f} are measured")
        found = [_describe(connection, layer, wkb) for layer in layers]
        water = None if run is None else _describe_water(connection, resources, run, shape)
    return answer_json(
        {"area": area, "collections": [each for each in found if each["count"]], "flood": water},
        headers={"cache-control": "no-store"},
    )


@router.get("/api/collections/{collection_id}/items/{feature_id:path}/overlaps", summary="What overlaps an item")
def read_overlaps(
    collection_id: str,
    feature_id: str,
    connection: ConnectionOf,
    links: LinksOf,
    collections: Annotated[str, Query(description="zoning,buildings: layers to look in", max_length=1000)],
) -> Response:
    """Return items of other layers that share more than an edge with an item: how much, and its share of the item."""
    layer = find_collection(collection_id)
    others = _choose_layers(collections.split(","))
    overlaps = [
        {
            "collection": other.id,
            "id": each.id,
            "properties": dict(each.values),
            "length": each.length,
            "area": each.area,
            "share": each.share,
        }
        for other in others
        for each in list_overlaps(connection, layer, feature_id, other, _list_public(other))
    ]
    return answer_json({"overlaps": overlaps, "links": links.of_item(layer.id, feature_id)})


def read_area(document: object) -> shapely.Geometry:
    """Return a GeoJSON area in CRS84; InputError says what is wrong with it."""
    if not isinstance(document, dict) or document.get("type") not in ("Polygon", "MultiPolygon"):
        raise InputError("geometry is no area", hint="a Polygon or MultiPolygon as GeoJSON")
    try:
        shape = shapely.from_geojson(orjson.dumps(document))
    except GEOSException as error:
        raise InputError(f"geometry cannot be read: {error}") from None
    corners = shapely.get_num_coordinates(shape)
    if shape.is_empty or corners > MAX_CORNERS:
        raise InputError(f"geometry has {corners} corners, expected 4 to {MAX_CORNERS}")
    x0, y0, x1, y1 = shapely.bounds(shape)
    if not (-180 <= x0 <= x1 <= 180 and -90 <= y0 <= y1 <= 90):
        raise InputError(f"geometry reaches from {x0:g}, {y0:g} to {x1:g}, {y1:g}, which are no degrees")
    if not shape.is_valid:
        raise InputError(f"geometry is no area: {shapely.is_valid_reason(shape)}")
    return shape


def _choose_layers(names: object) -> list[VectorLayer]:
    """Return the layers of the city, or those that are named."""
    if names is None:
        return [layer for layer in visible_layers().values() if not layer.of_runs]
    if not isinstance(names, list) or not 0 < len(names) <= MAX_LAYERS:
        raise InputError(f"collections is no list of 1 to {MAX_LAYERS} names")
    return [find_collection(str(name)) for name in names]


def _list_public(layer: VectorLayer) -> list[str]:
    return [prop.name for prop in layer.properties]


def _find_class(layer: VectorLayer) -> str | None:
    """Return the coded property by which a layer is classed: that of its style, else its first."""
    coded = [prop.name for prop in layer.properties if prop.codes]
    return layer.style.by if layer.style.by in coded else next(iter(coded), None)


def _describe(connection: Connection, layer: VectorLayer, wkb: bytes) -> dict[str, Any]:
    by, sums = _find_class(layer), SUMS.get(layer.id, {})
    parts = measure_parts(connection, layer, wkb, by=by, sums=sums)
    return {
        "collection": layer.id,
        "by": by,
        "count": sum(part.count for part in parts),
        "length": _add(part.length for part in parts),
        "area": _add(part.area for part in parts),
        **{name: sum(part.sums[name] for part in parts) for name in sums},
        "classes": [
            {"value": part.key, "count": part.count, "length": part.length, "area": part.area, **part.sums}
            for part in parts
        ],
    }


def _add(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _describe_water(connection: Connection, resources: Resources, run: str, shape: shapely.Geometry) -> dict[str, Any]:
    rows = list_rasters(connection, run_id=run, layer=DEPTH)
    if not rows:
        raise NotFoundError(f"run '{run[:80]}' has no raster '{DEPTH}'", hint="/api/runs lists the runs")
    water = measure_water(find_file(resources, rows[-1]), shape)
    touched = measure_parts(
        connection,
        visible_layers()[ASSETS],
        shapely.to_wkb(shape),
        by="asset_layer",
        sums={"people": Sum("people"), "length": Sum("length")},
        run_id=run,
    )
    return {
        "run": run,
        "covered_area": water.covered,
        "flooded_area": water.flooded,
        "share": water.flooded / water.covered if water.covered else None,
        "depth_max": water.depth_max,
        "depth_mean": water.depth_mean,
        "touched": [{"collection": part.key, "count": part.count, **part.sums} for part in touched],
    }

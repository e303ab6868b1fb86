"""Items: features of a collection, page by page, now or at a time past."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from api.answers import GEOJSON, answer_json, write_moment
from api.declarations import list_properties
from api.dependencies import LinksOf, ResourcesOf, find_collection, list_parameters, refuse_unknown
from api.links import Link, Links
from api.parameters import (
    CRS84,
    DEFAULT_LIMIT,
    MAX_LIMIT,
    parse_bbox,
    parse_cursor,
    parse_filters,
    parse_interval,
    write_cursor,
)
from layers.errors import NotFoundError
from layers.schema import VectorLayer
from layers.store.items import Item, ItemQuery, count_items, select_item, select_items

router = APIRouter(prefix="/api/collections/{collection_id}/items", tags=["items"])

Box = Annotated[str | None, Query(description="west,south,east,north in CRS84; six numbers carry heights")]
When = Annotated[
    str | None,
    Query(description="Reads the past: an instant, or start/end ('..' is open); each feature in its last version then"),
]
Limit = Annotated[int, Query(ge=1, description="Items a page", json_schema_extra={"maximum": MAX_LIMIT})]
_FILTERS = {
    "parameters": [
        {
            "name": "filters",
            "in": "query",
            "description": "Any property of the collection (see queryables): property=value",
            "style": "form",
            "explode": True,
            "schema": {"type": "object", "additionalProperties": {"type": "string"}},
        }
    ]
}


@router.get("", summary="Items of a collection", openapi_extra=_FILTERS)
async def list_items(
    request: Request,
    collection_id: str,
    resources: ResourcesOf,
    links: LinksOf,
    bbox: Box = None,
    bbox_crs: Annotated[str | None, Query(alias="bbox-crs", description="Only CRS84")] = None,
    when: Annotated[When, Query(alias="datetime")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(description="From the link 'next'")] = None,
    count: Annotated[bool, Query(description="Also count all matching items (numberMatched)")] = False,
) -> Response:
    """Return a page of items as GeoJSON; the link ``next`` leads to the following page."""
    layer = find_collection(collection_id)
    known = list_parameters(request)
    pairs = [(name, value) for name, value in request.query_params.multi_items() if name not in known]
    query = ItemQuery(
        bounds=parse_bbox(bbox, bbox_crs) if bbox is not None else None,
        equals=tuple(parse_filters([layer], pairs).items()),
        during=parse_interval(when) if when is not None else None,
    )
    after = parse_cursor(layer.id, cursor) if cursor is not None else 0
    size = min(limit, MAX_LIMIT)
    names = [prop.name for prop in list_properties(layer)]
    async with resources.pool.connection() as connection:
        # One item more than the page tells whether there is a next one.
        items = await select_items(connection, layer, names, query, after=after, limit=size + 1)
        matched = await count_items(connection, layer, query) if count else None
    page = items[:size]
    collection: dict[str, Any] = {
        "type": "FeatureCollection",
        "timeStamp": write_moment(datetime.now(UTC)),
        "numberReturned": len(page),
        "links": _link_page(request, layer, links, page[-1].fid if len(items) > size else None),
        "features": [_write_feature(item, names) for item in page],
    }
    if matched is not None:
        collection["numberMatched"] = matched
    return answer_json(collection, media_type=GEOJSON, headers={"content-crs": f"<{CRS84}>"})


@router.get("/{feature_id:path}", summary="One item", dependencies=[Depends(refuse_unknown)])
async def read_item(
    collection_id: str,
    feature_id: str,
    resources: ResourcesOf,
    links: LinksOf,
    when: Annotated[When, Query(alias="datetime")] = None,
) -> Response:
    """Return an item as GeoJSON."""
    layer = find_collection(collection_id)
    names = [prop.name for prop in list_properties(layer)]
    during = parse_interval(when) if when is not None else None
    async with resources.pool.connection() as connection:
        item = await select_item(connection, layer, names, feature_id, during=during)
    if item is None:
        raise NotFoundError(f"collection '{layer.id}' has no item '{feature_id[:80]}'")
    feature = _write_feature(item, names)
    feature["links"] = links.of_item(layer.id, item.id)
    return answer_json(feature, media_type=GEOJSON, headers={"content-crs": f"<{CRS84}>"})


def _write_feature(item: Item, names: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": item.id,
        "geometry": orjson.Fragment(item.geometry),
        "properties": dict(zip(names, item.values, strict=True)),
    }


def _link_page(request: Request, layer: VectorLayer, links: Links, last: int | None) -> list[Link]:
    """Return the links of a page; ``last`` is the key the next one follows, None on the last page."""
    path = f"/api/collections/{layer.id}/items"
    asked = dict(request.query_params)
    made: list[Link] = [
        {"href": links.url(path, asked), "rel": "self", "type": GEOJSON},
        links.link(f"/api/collections/{layer.id}", "collection"),
    ]
    if last is not None:
        following = {**asked, "cursor": write_cursor(layer.id, last)}
        made.append({"href": links.url(path, following), "rel": "next", "type": GEOJSON})
    return made

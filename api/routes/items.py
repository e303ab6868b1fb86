"""Items: features of a collection, page by page or whole in a file, now or at a time past."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.answers import GEOJSON, answer_json, write_moment
from api.asking import FILTERS, AskedOf, Recorded, When, read_past, read_query
from api.declarations import list_properties
from api.dependencies import LinksOf, ResourcesOf, find_collection, refuse_unknown
from api.etags import write_etag
from api.export import FORMATS, answer_file
from api.links import Link, Links
from api.parameters import (
    CRS84,
    DEFAULT_LIMIT,
    EPSG,
    MAX_LIMIT,
    parse_crs,
    parse_cursor,
    parse_names,
    write_cursor,
)
from api.resources import Resources
from layers.errors import NotFoundError
from layers.schema import VectorLayer
from layers.store.items import DEGREES, Item, OutputCrs, count_items, select_item, select_items
from layers.store.origins import PRESENT
from layers.store.query.ordering import Position, parse_sort
from layers.store.query.selection import ItemQuery

router = APIRouter(prefix="/api/collections/{collection_id}/items", tags=["items"])

Limit = Annotated[int, Query(ge=1, description="Items a page", json_schema_extra={"maximum": MAX_LIMIT})]
Sort = Annotated[str | None, Query(description="+a,-b: ascending, descending; nothing stands last")]
Names = Annotated[str | None, Query(description="Only these properties: a,b")]
Crs = Annotated[str, Query(description=f"CRS of the answer, {CRS84} or any EPSG code, in the order of its axes")]
Form = Annotated[str, Query(description=f"json: a page; a whole file: {', '.join(FORMATS)}")]


@router.get("", summary="Items of a collection", openapi_extra=FILTERS)
async def list_items(
    request: Request,
    collection_id: str,
    resources: ResourcesOf,
    links: LinksOf,
    asked: AskedOf,
    sortby: Sort = None,
    properties: Names = None,
    crs: Crs = CRS84,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(description="From the link 'next'")] = None,
    count: Annotated[bool, Query(description="Also count all matching items (numberMatched)")] = False,
    f: Form = "json",
) -> Response:
    """Return a page of items as GeoJSON, whose link ``next`` leads to the following page, or all in a file."""
    layer = find_collection(collection_id)
    return await answer_items(
        request, resources, links, layer, read_query(request, layer, asked),
        sortby=sortby, properties=properties, crs=crs, limit=limit, cursor=cursor, count=count, form=f,
    )  # fmt: skip


async def answer_items(
    request: Request,
    resources: Resources,
    links: Links,
    layer: VectorLayer,
    query: ItemQuery,
    *,
    sortby: str | None,
    properties: str | None,
    crs: str,
    limit: int,
    cursor: str | None,
    count: bool,
    form: str,
) -> Response:
    """Return the items of ``layer`` that match ``query``: a page that links to the next one, or a file."""
    order = parse_sort(sortby) if sortby is not None else ()
    names = parse_names(layer, properties) if properties is not None else [p.name for p in list_properties(layer)]
    output = parse_crs(crs, "crs")
    if form != "json":
        return await run_in_threadpool(answer_file, resources, layer, names, query, order, output, form)
    after = parse_cursor(layer, order, cursor) if cursor is not None else None
    size = min(limit, MAX_LIMIT)
    async with resources.pool.connection() as connection:
        # One item more than the page tells whether there is a next one.
        items = await select_items(
            connection, layer, names, query, limit=size + 1, order=order, after=after, crs=output
        )
        matched = await count_items(connection, layer, query) if count else None
    page = items[:size]
    last = page[-1].position if len(items) > size else None
    collection: dict[str, Any] = {
        "type": "FeatureCollection",
        "timeStamp": write_moment(datetime.now(UTC)),
        "numberReturned": len(page),
        "links": _link_page(request, layer, links, last),
        "features": [_write_feature(item, names) for item in page],
    }
    if matched is not None:
        collection["numberMatched"] = matched
    return answer_json(collection, media_type=GEOJSON, headers={"content-crs": _name_crs(output)})


@router.get("/{feature_id:path}", summary="One item", dependencies=[Depends(refuse_unknown)])
async def read_item(
    collection_id: str,
    feature_id: str,
    resources: ResourcesOf,
    links: LinksOf,
    when: When = None,
    recorded: Recorded = None,
    properties: Names = None,
    crs: Crs = CRS84,
) -> Response:
    """Return an item as GeoJSON."""
    layer = find_collection(collection_id)
    names = parse_names(layer, properties) if properties is not None else [p.name for p in list_properties(layer)]
    output = parse_crs(crs, "crs")
    past = read_past(when, recorded)
    async with resources.pool.connection() as connection:
        item = await select_item(connection, layer, names, feature_id, past=past, crs=output)
    if item is None:
        raise NotFoundError(f"collection '{layer.id}' has no item '{feature_id[:80]}'")
    feature = _write_feature(item, names)
    feature["links"] = links.of_item(layer.id, item.id)
    headers = {"content-crs": _name_crs(output)}
    if past == PRESENT:
        headers["etag"] = write_etag(item.fid, item.recorded_from)
    return answer_json(feature, media_type=GEOJSON, headers=headers)


def _write_feature(item: Item, names: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": item.id,
        "geometry": orjson.Fragment(item.geometry),
        "properties": dict(zip(names, item.values, strict=True)),
    }


def _name_crs(crs: OutputCrs) -> str:
    return f"<{CRS84}>" if crs == DEGREES else f"<{EPSG}{crs.srid}>"


def _link_page(request: Request, layer: VectorLayer, links: Links, last: Position | None) -> list[Link]:
    """Return the links of a page; ``last`` is the position the next one follows, None on the last page."""
    path = request.url.path
    asked = dict(request.query_params)
    made: list[Link] = [
        {"href": links.url(path, asked), "rel": "self", "type": GEOJSON},
        links.link(f"/api/collections/{layer.id}", "collection"),
    ]
    if last is not None:
        following = {**asked, "cursor": write_cursor(layer.id, last)}
        made.append({"href": links.url(path, following), "rel": "next", "type": GEOJSON})
    return made

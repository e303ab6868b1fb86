"""STAC 1.1: the catalogue of runs for those who look for results by place and time."""

import json
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.answers import GEOJSON, answer_json
from api.bodies import read_json
from api.catalog import describe_city
from api.cursors import write_time_cursor
from api.dependencies import ConnectionOf, LinksOf, ResourcesOf, refuse_unknown
from api.links import Links
from api.resources import Resources
from api.stac.documents import (
    STAC_CONFORMANCE,
    describe_root,
    describe_stac_collection,
    describe_stac_item,
)
from api.stac.search import DEFAULT_LIMIT, MAX_LIMIT, Asked, build_search, read_body
from layers.access import visible_rasters
from layers.errors import InputError, NotFoundError
from layers.store.migrate import read_city
from twin.store_stac import CatalogueExtent, list_catalogue, read_catalogue_item, search_catalogue


def list_shown() -> list[str]:
    """Return the raster layers that who asks sees."""
    return list(visible_rasters())


_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "bbox": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6},
                        "datetime": {"type": "string"},
                        "intersects": {"type": "object"},
                        "ids": {"type": "array", "items": {"type": "string"}},
                        "collections": {"type": "array", "items": {"type": "string"}},
                        "limit": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
                        "token": {"type": "string"},
                    },
                }
            }
        },
    }
}
_JSON_TYPES = ("application/json", GEOJSON)

router = APIRouter(prefix="/stac", tags=["stac"], dependencies=[Depends(refuse_unknown)])

Box = Annotated[str | None, Query(description="west,south,east,north [°]")]
During = Annotated[str | None, Query(alias="datetime", description="An instant, or start/end with .. for open")]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items a page; at most 100 come")]
Token = Annotated[str | None, Query(description="Where the page begins, from the link 'next'")]


@router.get("", summary="Catalogue of runs (STAC)")
def read_root(connection: ConnectionOf, resources: ResourcesOf, links: LinksOf) -> Response:
    """Say what the catalogue holds and where to search it."""
    city = describe_city(connection, resources)
    return answer_json(describe_root(city, list_catalogue(connection, list_shown()), links))


@router.get("/conformance", summary="Standards the catalogue keeps")
def read_conformance() -> Response:
    """List the conformance classes of the catalogue."""
    return answer_json({"conformsTo": STAC_CONFORMANCE})


@router.get("/collections", summary="Collections of the catalogue")
def list_collections(connection: ConnectionOf, resources: ResourcesOf, links: LinksOf) -> Response:
    """List the processes that have runs, and the rasters of the ground."""
    city = describe_city(connection, resources)
    described = [describe_stac_collection(each, city, links) for each in list_catalogue(connection, list_shown())]
    own = [links.link("/stac/collections", "self"), links.link("/stac", "root")]
    return answer_json({"collections": described, "links": own})


@router.get("/collections/{collection_id}", summary="One collection of the catalogue")
def read_collection(collection_id: str, connection: ConnectionOf, resources: ResourcesOf, links: LinksOf) -> Response:
    """Describe a collection."""
    extent = _find_collection(connection, collection_id)
    return answer_json(describe_stac_collection(extent, describe_city(connection, resources), links))


@router.get("/collections/{collection_id}/items", summary="Runs of a collection")
def list_items(
    collection_id: str,
    connection: ConnectionOf,
    resources: ResourcesOf,
    links: LinksOf,
    bbox: Box = None,
    during: During = None,
    limit: Limit = DEFAULT_LIMIT,
    token: Token = None,
) -> Response:
    """Return the items of a collection, the newest first."""
    _find_collection(connection, collection_id)
    asked = build_search(bbox=bbox, during=during, ids=None, collections=[collection_id], limit=limit, token=token)
    path = f"/stac/collections/{quote(collection_id)}"
    query = _drop_empty({"bbox": bbox, "datetime": during, "limit": str(limit)})
    page, following = _search(connection, resources, links, asked)
    page["links"] = [
        {"rel": "self", "href": links.url(f"{path}/items", _drop_empty({**query, "token": token})), "type": GEOJSON},
        links.link("/stac", "root"),
        links.link(path, "parent"),
        links.link(path, "collection"),
    ]
    if following:
        page["links"].append(_link_next(links.url(f"{path}/items", {**query, "token": following})))
    return answer_json(page, media_type=GEOJSON)


@router.get("/collections/{collection_id}/items/{item_id}", summary="One run")
def read_item(
    collection_id: str, item_id: str, connection: ConnectionOf, resources: ResourcesOf, links: LinksOf
) -> Response:
    """Return an item."""
    item = read_catalogue_item(connection, list_shown(), collection_id, item_id)
    described = describe_stac_item(item, resources, links, synthetic=read_city(connection).synthetic)
    return answer_json(described, media_type=GEOJSON)


@router.get("/search", summary="Runs by place and time")
def search(
    connection: ConnectionOf,
    resources: ResourcesOf,
    links: LinksOf,
    bbox: Box = None,
    during: During = None,
    intersects: Annotated[str | None, Query(description="A GeoJSON geometry")] = None,
    ids: Annotated[str | None, Query(description="Ids, separated by commas")] = None,
    collections: Annotated[str | None, Query(description="Collections, separated by commas")] = None,
    limit: Limit = DEFAULT_LIMIT,
    token: Token = None,
) -> Response:
    """Return the items that match all of what is given, the newest first."""
    asked = build_search(
        bbox=bbox,
        during=during,
        intersects=_read_geometry(intersects),
        ids=_split(ids),
        collections=_split(collections),
        limit=limit,
        token=token,
    )
    given = {"bbox": bbox, "datetime": during, "intersects": intersects, "ids": ids, "collections": collections}
    query = _drop_empty({**given, "limit": str(limit)})
    page, following = _search(connection, resources, links, asked)
    itself = links.url("/stac/search", _drop_empty({**query, "token": token}))
    page["links"] = [{"rel": "self", "href": itself, "type": GEOJSON}, links.link("/stac", "root")]
    if following:
        page["links"].append(_link_next(links.url("/stac/search", {**query, "token": following})))
    return answer_json(page, media_type=GEOJSON)


@router.post("/search", summary="Runs by place and time, asked in a body", openapi_extra=_BODY)
async def search_by_body(request: Request, resources: ResourcesOf, links: LinksOf) -> Response:
    """Return the items that match a JSON body; nothing is written."""
    document = await read_json(request, _JSON_TYPES, hint='{"collections": ["flood-forecast"]}')
    asked = read_body(document)

    def look() -> tuple[dict[str, Any], str | None]:
        with resources.engine.connect() as connection:
            return _search(connection, resources, links, asked)

    page, following = await run_in_threadpool(look)
    page["links"] = [links.link("/stac", "root")]
    if following:
        following_body = {**document, "token": following}
        page["links"].append({**_link_next(links.url("/stac/search")), "method": "POST", "body": following_body})
    return answer_json(page, media_type=GEOJSON)


def _search(
    connection: Connection, resources: Resources, links: Links, asked: Asked
) -> tuple[dict[str, Any], str | None]:
    """Return a page of items without its links, and the token of the next one if there is one."""
    found = search_catalogue(connection, list_shown(), asked.search, limit=asked.limit + 1, after=asked.after)
    shown = found[: asked.limit]
    synthetic = read_city(connection).synthetic
    features = [describe_stac_item(item, resources, links, synthetic=synthetic) for item in shown]
    page = {"type": "FeatureCollection", "features": features, "numberReturned": len(features)}
    return page, write_time_cursor(shown[-1].created, shown[-1].id) if len(found) > asked.limit else None


def _find_collection(connection: Connection, collection_id: str) -> CatalogueExtent:
    extents = {extent.collection: extent for extent in list_catalogue(connection, list_shown())}
    if collection_id not in extents:
        raise NotFoundError(f"collection '{collection_id[:80]}' does not exist", hint=f"one of {', '.join(extents)}")
    return extents[collection_id]


def _link_next(href: str) -> dict[str, Any]:
    return {"rel": "next", "href": href, "type": GEOJSON}


def _drop_empty(query: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in query.items() if value is not None}


def _split(names: str | None) -> list[str] | None:
    return None if names is None else [name.strip() for name in names.split(",")]


def _read_geometry(words: str | None) -> Any:
    if words is None:
        return None
    try:
        return json.loads(words)
    except (json.JSONDecodeError, RecursionError):
        raise InputError(f"intersects '{words[:80]}' is not JSON", hint="a GeoJSON geometry") from None

"""Saved queries: kept under a name, answered as items or as a file."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.answers import GEOJSON, answer_json, write_moment
from api.asking import AskedOf
from api.asking import read_query as read_asked
from api.dependencies import ConnectionOf, LinksOf, ResourcesOf, find_collection, refuse_unknown
from api.links import Links
from api.resources import Resources
from api.routes.items import WantedOf, answer_items
from api.writing import WriterOf
from layers.schema import Text
from layers.store.query.cql2 import parse_filter
from layers.store.query.queries import (
    QueryWords,
    SavedQuery,
    create_query,
    delete_query,
    list_queries,
    put_query,
    read_query,
)
from layers.store.query.selection import Filter

router = APIRouter(prefix="/api/queries", tags=["queries"], dependencies=[Depends(refuse_unknown)])


class TitleBody(BaseModel):
    """The same words in Vietnamese and in English."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)
    vi: str = Field(min_length=1, max_length=200)
    en: str = Field(min_length=1, max_length=200)


class QueryBody(BaseModel):
    """What of a query is written: the layer, a filter in CQL2 text, order and properties."""

    model_config = ConfigDict(extra="forbid")
    title: TitleBody
    collection: str
    filter: str | None = None
    sortby: str | None = None
    properties: str | None = None


class NewQueryBody(QueryBody):
    """A query with the name it is to have."""

    id: str


@router.get("", summary="Saved queries")
def list_saved(
    connection: ConnectionOf,
    links: LinksOf,
    collection: Annotated[str | None, Query(description="Only of this collection")] = None,
) -> Response:
    """List the saved queries."""
    saved = list_queries(connection, layer=find_collection(collection).id if collection is not None else None)
    return answer_json(
        {"queries": [write_saved(each, links) for each in saved], "links": [links.link("/api/queries", "self")]},
        headers={"cache-control": "no-cache"},
    )


@router.post("", summary="Save a query", status_code=201)
def save_query(body: NewQueryBody, connection: ConnectionOf, links: LinksOf, writer: WriterOf) -> Response:
    """Keep a query under a name that is free; it is checked first."""
    saved = create_query(connection, _read_words(body.id, body), author=writer.author)
    location = links.url(f"/api/queries/{saved.words.id}")
    return answer_json(write_saved(saved, links), status=201, headers={"location": location})


@router.get("/{query_id}", summary="One saved query")
def read_saved(query_id: str, connection: ConnectionOf, links: LinksOf) -> Response:
    """Return a saved query."""
    return answer_json(write_saved(read_query(connection, query_id), links), headers={"cache-control": "no-cache"})


@router.put("/{query_id}", summary="Save or change a query")
def put_saved(query_id: str, body: QueryBody, connection: ConnectionOf, links: LinksOf, writer: WriterOf) -> Response:
    """Keep a query in place of the one of that name, if there is one."""
    return answer_json(write_saved(put_query(connection, _read_words(query_id, body), author=writer.author), links))


@router.delete("/{query_id}", summary="Forget a query", status_code=204)
def delete_saved(query_id: str, connection: ConnectionOf, writer: WriterOf) -> Response:
    """Forget a saved query."""
    delete_query(connection, query_id)
    return Response(status_code=204)


@router.get("/{query_id}/items", summary="Items of a saved query")
async def list_saved_items(
    request: Request,
    query_id: str,
    resources: ResourcesOf,
    links: LinksOf,
    asked: AskedOf,
    wanted: WantedOf,
) -> Response:
    """Return what the query finds now; bbox, filter and the like narrow it further."""
    words = (await run_in_threadpool(_find_saved, resources, query_id)).words
    layer = find_collection(words.layer)
    query = read_asked(request, layer, asked)
    if words.filter is not None:
        query = replace(query, filters=(*query.filters, Filter(parse_filter(words.filter))))
    return await answer_items(
        request, resources, links, layer, query, wanted, sortby=words.sortby, properties=words.properties
    )


def write_saved(saved: SavedQuery, links: Links) -> dict[str, Any]:
    """Return a saved query as it is answered."""
    words = saved.words
    path = f"/api/queries/{words.id}"
    return {
        "id": words.id,
        "title": words.title._asdict(),
        "collection": words.layer,
        "filter": words.filter,
        "sortby": words.sortby,
        "properties": words.properties,
        "author": saved.author,
        "created": write_moment(saved.created),
        "changed": write_moment(saved.changed),
        "links": [
            links.link(path, "self"),
            links.link(f"{path}/items", "items", GEOJSON),
            links.link(f"/api/collections/{words.layer}", "collection"),
        ],
    }


def _find_saved(resources: Resources, query_id: str) -> SavedQuery:
    with resources.engine.connect() as connection:
        return read_query(connection, query_id)


def _read_words(query_id: str, body: QueryBody) -> QueryWords:
    return QueryWords(
        query_id, Text(body.title.vi, body.title.en), body.collection, body.filter, body.sortby, body.properties
    )

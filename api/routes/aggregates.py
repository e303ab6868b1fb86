"""Aggregates: counts, lengths, areas and sums of a collection in groups."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.answers import answer_json
from api.asking import FILTERS, AskedOf, read_query
from api.dependencies import ConnectionOf, LinksOf, find_collection
from layers.store.query.aggregates import aggregate

router = APIRouter(prefix="/api/collections/{collection_id}/aggregate", tags=["items"])


@router.get("", summary="Counts, lengths, areas and sums in groups", openapi_extra=FILTERS)
def read_aggregate(
    request: Request,
    collection_id: str,
    connection: ConnectionOf,
    links: LinksOf,
    asked: AskedOf,
    group_by: Annotated[
        str | None,
        Query(description="material, year(installed), age(installed), class(height), bins(height,10), inside(wards)"),
    ] = None,
    measure: Annotated[str, Query(description="count, length, area, sum(p), avg(p), min(p), max(p)")] = "count",
) -> Response:
    """Return measures of the items that match, the largest group first, and their total."""
    layer = find_collection(collection_id)
    found = aggregate(connection, layer, read_query(request, layer, asked), group_by=group_by, measure=measure)
    return answer_json(
        {
            "collection": layer.id,
            "numberReturned": len(found.groups),
            "truncated": found.truncated,
            "total": found.total,
            "groups": found.groups,
            "links": [
                {"href": links.url(request.url.path, dict(request.query_params)), "rel": "self"},
                links.link(f"/api/collections/{layer.id}", "collection"),
            ],
        }
    )

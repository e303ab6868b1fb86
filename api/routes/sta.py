"""SensorThings 1.1, reading: the service root, and everything one can GET below it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from api.answers import answer_json
from api.dependencies import ConnectionOf, ResourcesOf, refuse_unknown
from api.sta.answers import ROOT, find_root
from api.sta.conformance import write_service_root
from api.sta.reading import answer_resource

Text = str | None

router = APIRouter(prefix=ROOT, tags=["sensorthings"], dependencies=[Depends(refuse_unknown)])


@router.get("", summary="SensorThings 1.1: the entity sets and what is served")
@router.get("/", include_in_schema=False)
def read_service_root(request: Request, resources: ResourcesOf) -> Response:
    """Return the service root with serverSettings."""
    return answer_json(write_service_root(find_root(request), resources.settings))


@router.get("/{path:path}", summary="SensorThings 1.1: sets, entities, links, attributes")
def read_resource(
    path: str,
    request: Request,
    connection: ConnectionOf,
    filter_: Annotated[Text, Query(alias="$filter", description="result gt 1.5 and Datastream/id eq 'x'")] = None,
    expand: Annotated[Text, Query(alias="$expand", description="Links whose entities come along")] = None,
    select: Annotated[Text, Query(alias="$select", description="Attributes and links to write")] = None,
    orderby: Annotated[Text, Query(alias="$orderby", description="Expressions, each with asc or desc")] = None,
    top: Annotated[Text, Query(alias="$top", description="Entities a page, 100 without it, at most 10,000")] = None,
    skip: Annotated[Text, Query(alias="$skip", description="Entities to leave out")] = None,
    skiptoken: Annotated[Text, Query(alias="$skiptoken", description="Where a next page begins")] = None,
    count: Annotated[Text, Query(alias="$count", description="true: how many there are in all")] = None,
    result_format: Annotated[Text, Query(alias="$resultFormat", description="dataArray, of Observations")] = None,
    aggregate: Annotated[Text, Query(description="Buckets of Observations: 10min, 1h, 1d, PT1H")] = None,
) -> Response:
    """Return what the address names: a set, one entity, an attribute, its bare value, references, a count."""
    given = {
        "$filter": filter_, "$expand": expand, "$select": select, "$orderby": orderby, "$top": top, "$skip": skip,
        "$skiptoken": skiptoken, "$count": count, "$resultFormat": result_format, "aggregate": aggregate,
    }  # fmt: skip
    options = {name: text for name, text in given.items() if text is not None}
    return answer_resource(connection, path, options, find_root(request))

"""GeoServices REST below ``/esri/rest``: a FeatureServer and a VectorTileServer of the whole city."""

import functools
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.answers import GEOJSON, answer_json
from api.catalog import describe_city
from api.dependencies import ConnectionOf, ResourcesOf
from api.esri.asking import Parameters
from api.esri.describing import SERVICE, VERSION, describe_feature_service, describe_layer, describe_services
from api.esri.editing import carry_out_edits
from api.esri.numbers import find_numbered, list_numbers
from api.esri.querying import answer_query
from api.resources import Resources
from api.writing import MaybeWriterOf, WriterOf
from layers.access import visible_layers
from layers.errors import NotFoundError, TwinError
from layers.schema import VectorLayer

BASE = "/esri/rest"
_FEATURES = f"/services/{SERVICE}/FeatureServer"
# The kind of edit an operation carries out; None for all of them.
_EDITS = {"applyEdits": None, "addFeatures": "add", "updateFeatures": "update", "deleteFeatures": "delete"}
_FORM = {
    "requestBody": {
        "required": False,
        "content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}},
    }
}


class AnswerErrors(APIRoute):
    """A route whose errors are Esri's: a document with status 200, which is what its clients look at."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler that answers a TwinError by itself."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except TwinError as error:
                if error.status >= 500:
                    raise
                details = [error.hint] if error.hint else []
                return answer_json({"error": {"code": error.status, "message": error.message, "details": details}})

        return answer


router = APIRouter(prefix=BASE, tags=["esri"], route_class=AnswerErrors)


@router.get("/info", summary="The server's version")
def read_info() -> Response:
    """Return the version of GeoServices that is spoken, and that no token is needed to read."""
    return answer_json({"currentVersion": VERSION, "authInfo": {"isTokenBasedSecurity": False}})


@router.get("/services", summary="The services")
def list_services() -> Response:
    """List the services."""
    return answer_json(describe_services())


@router.get(_FEATURES, summary="The service of features")
def read_feature_service(connection: ConnectionOf, resources: ResourcesOf, writer: MaybeWriterOf) -> Response:
    """Return the service with its layers."""
    city = describe_city(connection, resources)
    described = describe_feature_service(
        city["title"]["vi"], city["attribution"], city["bounds"], writable=writer is not None
    )
    return answer_json(described)


@router.get(f"{_FEATURES}/layers", summary="All layers with their fields")
def list_layers(connection: ConnectionOf, resources: ResourcesOf, writer: MaybeWriterOf) -> Response:
    """Return every layer."""
    attribution = describe_city(connection, resources)["attribution"]
    layers = [
        describe_layer(connection, resources, visible_layers()[name], attribution, writable=writer is not None)
        for name in list_numbers()
    ]
    return answer_json({"layers": layers, "tables": []})


@router.get(f"{_FEATURES}/{{number}}", summary="A layer with its fields and drawing")
def read_layer(number: int, connection: ConnectionOf, resources: ResourcesOf, writer: MaybeWriterOf) -> Response:
    """Return a layer."""
    attribution = describe_city(connection, resources)["attribution"]
    layer = find_numbered(number)
    return answer_json(describe_layer(connection, resources, layer, attribution, writable=writer is not None))


@router.get(f"{_FEATURES}/{{number}}/query", summary="Features, counts, extents or statistics")
@router.post(f"{_FEATURES}/{{number}}/query", summary="The same with the parameters as a form", openapi_extra=_FORM)
async def query_layer(number: int, request: Request, resources: ResourcesOf) -> Response:
    """Return what is asked of a layer."""
    parameters = await Parameters.of(request)
    return await run_in_threadpool(_query, resources, find_numbered(number), parameters)


def _query(resources: Resources, layer: VectorLayer, parameters: Parameters) -> Response:
    with resources.engine.connect() as connection:
        answer = answer_query(connection, layer, parameters)
    return answer_json(answer, media_type=GEOJSON if answer.get("type") == "FeatureCollection" else "application/json")


@router.post(f"{_FEATURES}/{{number}}/{{operation}}", summary="Edit features", openapi_extra=_FORM)
async def edit_layer(
    number: int, operation: str, request: Request, resources: ResourcesOf, writer: WriterOf
) -> Response:
    """Carry out ``applyEdits``, ``addFeatures``, ``updateFeatures`` or ``deleteFeatures``."""
    if operation not in _EDITS:
        raise NotFoundError(f"operation '{operation[:40]}' does not exist", hint=f"one of query, {', '.join(_EDITS)}")
    parameters = await Parameters.of(request)
    carry_out = functools.partial(carry_out_edits, only=_EDITS[operation])
    results = await run_in_threadpool(carry_out, resources.engine, find_numbered(number), parameters, writer)
    return answer_json(results)

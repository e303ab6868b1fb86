"""Collections: the declared layers of features and of rasters, what they can be filtered by, and their schema."""

from contextlib import suppress

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from api.answers import SCHEMA, answer_json
from api.declarations import build_queryables, build_schema, build_sortables, describe_collection
from api.dependencies import ConnectionOf, LinksOf, ResourcesOf, find_collection, refuse_unknown
from api.routes.raster_collections import describe_raster_collections, read_raster_collection
from layers.access import visible_layers
from layers.errors import NotFoundError
from layers.store.migrate import read_city

router = APIRouter(prefix="/api/collections", tags=["collections"], dependencies=[Depends(refuse_unknown)])


@router.get("", summary="All collections")
def list_collections(connection: ConnectionOf, resources: ResourcesOf, links: LinksOf) -> Response:
    """List the layers of features, the empty ones too, and the layers of rasters that have one."""
    srid = read_city(connection).srid
    described = [
        describe_collection(layer, resources.read_extent(connection, layer), links, srid=srid)
        for layer in visible_layers().values()
    ]
    described += describe_raster_collections(connection, resources, links)
    return answer_json({"links": [links.link("/api/collections", "self")], "collections": described})


@router.get("/{collection_id}", summary="One collection")
def read_collection(collection_id: str, connection: ConnectionOf, resources: ResourcesOf, links: LinksOf) -> Response:
    """Describe a collection."""
    if collection_id not in visible_layers():
        # A raster is named by its layer or by its own id, which holds its run.
        with suppress(NotFoundError):
            return answer_json(read_raster_collection(collection_id, connection, resources, links))
    layer = find_collection(collection_id)
    extent = resources.read_extent(connection, layer)
    return answer_json(describe_collection(layer, extent, links, srid=read_city(connection).srid))


@router.get("/{collection_id}/queryables", summary="What items can be filtered by")
def read_queryables(request: Request, collection_id: str, links: LinksOf) -> Response:
    """Return the queryables as JSON Schema, under the name of plain JSON for who accepts only that."""
    accept = request.headers.get("accept", "")
    plain = "application/json" in accept and SCHEMA not in accept
    described = build_queryables(find_collection(collection_id), links)
    if plain:
        # The list of drafts, which GDAL 3.6 reads instead of the properties.
        listed = [{"id": name, "queryable": name} for name in described["properties"]]
        return answer_json({**described, "queryables": listed})
    return answer_json(described, media_type=SCHEMA)


@router.get("/{collection_id}/sortables", summary="What items can be sorted by")
def read_sortables(collection_id: str, links: LinksOf) -> Response:
    """Return the sortables as JSON Schema."""
    return answer_json(build_sortables(find_collection(collection_id), links), media_type=SCHEMA)


@router.get("/{collection_id}/schema", summary="The schema of the items")
def read_schema(collection_id: str, links: LinksOf) -> Response:
    """Return the schema of the items as JSON Schema."""
    return answer_json(build_schema(find_collection(collection_id), links), media_type=SCHEMA)

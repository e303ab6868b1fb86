"""Collections: the declared layers, what they can be filtered by, their schema and their tilesets."""

from typing import Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.answers import MVT, SCHEMA, answer_json
from api.declarations import build_queryables, build_schema, build_sortables, describe_collection
from api.dependencies import PUBLIC_LAYERS, ConnectionOf, LinksOf, ResourcesOf, find_collection, refuse_unknown
from api.links import WEB_MERCATOR_QUAD, Links
from api.style import MAX_SOURCE_ZOOM
from layers.errors import NotFoundError
from layers.schema import VectorLayer
from layers.store.migrate import read_city

TILE_TEMPLATE = "/{tileMatrix}/{tileRow}/{tileCol}"

router = APIRouter(prefix="/api/collections", tags=["collections"], dependencies=[Depends(refuse_unknown)])


@router.get("", summary="All collections")
def list_collections(connection: ConnectionOf, resources: ResourcesOf, links: LinksOf) -> Response:
    """List the layers of features, the empty ones too."""
    srid = read_city(connection).srid
    described = [
        describe_collection(layer, resources.read_extent(connection, layer), links, srid=srid)
        for layer in PUBLIC_LAYERS.values()
    ]
    return answer_json({"links": [links.link("/api/collections", "self")], "collections": described})


@router.get("/{collection_id}", summary="One collection")
def read_collection(collection_id: str, connection: ConnectionOf, resources: ResourcesOf, links: LinksOf) -> Response:
    """Describe a collection."""
    layer = find_collection(collection_id)
    extent = resources.read_extent(connection, layer)
    return answer_json(describe_collection(layer, extent, links, srid=read_city(connection).srid))


@router.get("/{collection_id}/queryables", summary="What items can be filtered by")
def read_queryables(collection_id: str, links: LinksOf) -> Response:
    """Return the queryables as JSON Schema."""
    return answer_json(build_queryables(find_collection(collection_id), links), media_type=SCHEMA)


@router.get("/{collection_id}/sortables", summary="What items can be sorted by")
def read_sortables(collection_id: str, links: LinksOf) -> Response:
    """Return the sortables as JSON Schema."""
    return answer_json(build_sortables(find_collection(collection_id), links), media_type=SCHEMA)


@router.get("/{collection_id}/schema", summary="The schema of the items")
def read_schema(collection_id: str, links: LinksOf) -> Response:
    """Return the schema of the items as JSON Schema."""
    return answer_json(build_schema(find_collection(collection_id), links), media_type=SCHEMA)


@router.get("/{collection_id}/tiles", summary="Tilesets of a collection")
def list_tilesets(collection_id: str, links: LinksOf) -> Response:
    """List the tilesets: there is one, in WebMercatorQuad."""
    layer = find_collection(collection_id)
    path = f"/api/collections/{layer.id}/tiles"
    return answer_json({"links": [links.link(path, "self")], "tilesets": [_describe_tileset(layer, links)]})


@router.get("/{collection_id}/tiles/{tile_matrix_set}", summary="One tileset")
def read_tileset(
    collection_id: str, tile_matrix_set: str, connection: ConnectionOf, resources: ResourcesOf, links: LinksOf
) -> Response:
    """Describe a tileset."""
    layer = find_collection(collection_id)
    if tile_matrix_set != "WebMercatorQuad":
        raise NotFoundError(f"tile matrix set '{tile_matrix_set[:80]}' is not served", hint="use WebMercatorQuad")
    described = _describe_tileset(layer, links)
    bounds = resources.read_extent(connection, layer).bounds
    if bounds:
        crs = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
        described["boundingBox"] = {"lowerLeft": bounds[:2], "upperRight": bounds[2:], "crs": crs}
    described["layers"] = [{"id": layer.id, "dataType": "vector", "minTileMatrix": str(layer.min_zoom)}]
    return answer_json(described)


def _describe_tileset(layer: VectorLayer, links: Links) -> dict[str, Any]:
    path = f"/api/collections/{layer.id}/tiles/WebMercatorQuad"
    return {
        "title": layer.title.en,
        "dataType": "vector",
        "crs": "http://www.opengis.net/def/crs/EPSG/0/3857",
        "tileMatrixSetURI": WEB_MERCATOR_QUAD,
        "mediaTypes": [MVT],
        "minTileMatrix": str(layer.min_zoom),
        "maxTileMatrix": str(MAX_SOURCE_ZOOM),
        "links": [
            links.link(path, "self"),
            links.of_tiles(path, TILE_TEMPLATE),
            links.link(f"/tiles/{layer.id}.json", "describedby", title="TileJSON"),
            {"href": WEB_MERCATOR_QUAD, "rel": "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"},
        ],
    }

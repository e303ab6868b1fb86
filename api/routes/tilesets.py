"""OGC API Tiles: tile matrix sets, the tilesets of the whole city and those of a collection."""

from typing import Annotated, Any
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from api.answers import answer_json
from api.catalog import describe_city
from api.dependencies import ConnectionOf, LinksOf, ResourcesOf, find_collection, refuse_unknown
from api.routes.tiles import VectorTile, find_layers
from api.tilesets import QUAD, describe_item, describe_quad, describe_tileset, list_quad, require_quad
from layers.access import visible_layers
from layers.errors import InputError

MAX_IDS = 2000

router = APIRouter(prefix="/api", tags=["tiles"], dependencies=[Depends(refuse_unknown)])

Collections = Annotated[
    str | None, Query(max_length=MAX_IDS, description="Only these collections: a,b; without it those shown at first")
]


@router.get("/tileMatrixSets", summary="Tile matrix sets")
def list_tile_matrix_sets(links: LinksOf) -> Response:
    """List the tile matrix sets: there is one, WebMercatorQuad."""
    return answer_json(list_quad(links))


@router.get("/tileMatrixSets/{tile_matrix_set}", summary="One tile matrix set")
def read_tile_matrix_set(tile_matrix_set: str) -> Response:
    """Return the full definition of a tile matrix set."""
    require_quad(tile_matrix_set)
    return answer_json(describe_quad())


@router.get("/tiles", summary="Tilesets of the city")
def list_dataset_tilesets(
    connection: ConnectionOf, resources: ResourcesOf, links: LinksOf, collections: Collections = None
) -> Response:
    """List the tilesets of several collections in one: there is one."""
    asked = _ask(collections)
    title = describe_city(connection, resources)["title"]["en"]
    made = describe_item(title, f"/api/tiles/{QUAD}", links, query=asked)
    itself = {"href": links.url("/api/tiles", asked), "rel": "self", "type": "application/json"}
    return answer_json({"links": [itself], "tilesets": [made]})


@router.get("/tiles/{tile_matrix_set}", summary="The tileset of the city")
def read_dataset_tileset(
    tile_matrix_set: str,
    connection: ConnectionOf,
    resources: ResourcesOf,
    links: LinksOf,
    collections: Collections = None,
) -> Response:
    """Describe the tileset of several collections."""
    require_quad(tile_matrix_set)
    asked = _ask(collections)
    layers = find_layers(choose_layers(collections))
    bounds = [(layer, resources.read_extent(connection, layer).bounds) for layer in layers]
    title = describe_city(connection, resources)["title"]["en"]
    return answer_json(describe_tileset(title, f"/api/tiles/{QUAD}", bounds, links, query=asked))


@router.get("/collections/{collection_id}/tiles", summary="Tilesets of a collection")
def list_tilesets(collection_id: str, links: LinksOf) -> Response:
    """List the tilesets: there is one, in WebMercatorQuad."""
    layer = find_collection(collection_id)
    path = f"/api/collections/{quote(layer.id)}/tiles"
    made = describe_item(layer.title.en, f"{path}/{QUAD}", links)
    return answer_json({"links": [links.link(path, "self")], "tilesets": [made]})


@router.get("/collections/{collection_id}/tiles/{tile_matrix_set}", summary="One tileset")
def read_tileset(
    collection_id: str, tile_matrix_set: str, connection: ConnectionOf, resources: ResourcesOf, links: LinksOf
) -> Response:
    """Describe a tileset."""
    layer = find_collection(collection_id)
    require_quad(tile_matrix_set)
    bounds = resources.read_extent(connection, layer).bounds
    path = f"/api/collections/{quote(layer.id)}/tiles/{QUAD}"
    return answer_json(describe_tileset(layer.title.en, path, [(layer, bounds)], links))


def choose_layers(collections: str | None) -> str:
    """Return the ids of the collections that are asked for, else of those a map shows at first.

    A collection may be named by its address, too. InputError for an empty list or a very long one.
    """
    if collections is None:
        return ",".join(layer.id for layer in visible_layers().values() if layer.visible)
    names = [name.strip().rstrip("/").rpartition("/")[2] for name in collections.split(",")]
    if len(collections) > MAX_IDS or not all(names):
        raise InputError(f"collections '{collections[:80]}' is not a list of ids", hint="collections=trees,buildings")
    unknown = next((name for name in names if name not in visible_layers()), None)
    if unknown is not None:
        raise InputError(f"collections: '{unknown[:80]}' does not exist", hint="/api/collections lists them")
    return ",".join(dict.fromkeys(names))


def _ask(collections: str | None) -> dict[str, str]:
    return {} if collections is None else {"collections": choose_layers(collections)}


class CityTile(VectorTile):
    """A tile of several collections, named by the parameter ``collections``."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: dict[str, Any] = dict(scope["path_params"])
        require_quad(path.pop("tile_matrix_set"))
        pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        named = [value for name, value in pairs if name == "collections"]
        if len(named) > 1:
            raise InputError("parameter 'collections' is given twice")
        rest = urlencode([pair for pair in pairs if pair[0] != "collections"])
        path["ids"] = choose_layers(named[0] if named else None)
        await super().__call__({**scope, "path_params": path, "query_string": rest.encode("latin-1")}, receive, send)


CITY_TILE = "/api/tiles/{tile_matrix_set}/{z}/{y}/{x}"
routes: list[BaseRoute] = [Route(CITY_TILE, CityTile(CITY_TILE), methods=["GET"])]

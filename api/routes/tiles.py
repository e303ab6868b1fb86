"""Vector tiles: the shortest way from an address to bytes, and TileJSON beside it."""

import gzip
import hashlib
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends
from isal import igzip
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from api.answers import MVT, answer_json
from api.asking import read_past
from api.cache import CachedTile
from api.compression import accepts_gzip
from api.dependencies import LinksOf, ResourcesOf, find_collection, refuse_unknown
from api.parameters import CRS84, parse_crs, parse_filters, parse_names
from api.resources import Resources
from api.styles.style import MAX_SOURCE_ZOOM
from layers.access import name_sight, who_asks
from layers.errors import InputError, NotFoundError
from layers.registry import VECTOR_LAYERS
from layers.schema import Access, VectorLayer
from layers.store.origins import PRESENT
from layers.store.query.cql2 import parse_filter
from layers.store.query.filters import reads_other_layers
from layers.store.query.selection import Filter
from layers.store.sensing.latest import read_latest_tokens
from layers.store.tiles import MadeTile, TileAddress, TileQuery, make_tile, name_columns

MAX_LAYERS = 32
_SHORT = 200
_PARAMETERS = ("properties", "filter", "filter-lang", "filter-crs", "datetime", "recorded", "live")
_VARY = b"accept-encoding, authorization, cookie, x-api-key"
router = APIRouter(tags=["tiles"], dependencies=[Depends(refuse_unknown)])


def find_layers(ids: str) -> tuple[VectorLayer, ...]:
    """Return the layers of a comma-separated list as who asks sees them, each once; InputError for too many."""
    return _find_layers(ids, who_asks().level)


@lru_cache(maxsize=512)
def _find_layers(ids: str, _level: Access) -> tuple[VectorLayer, ...]:
    names = dict.fromkeys(name.strip() for name in ids.split(","))
    if len(names) > MAX_LAYERS:
        raise InputError(f"{len(names)} layers in one tile, expected at most {MAX_LAYERS}")
    return tuple(find_collection(name) for name in names)


def parse_address(z: str, x: str, y: str) -> TileAddress:
    """Return the tile; InputError names the number that is none or does not exist."""
    for name, value in (("zoom", z), ("column x", x), ("row y", y)):
        if not (value.isascii() and value.isdigit() and len(value) <= 9):
            raise InputError(f"tile {name} '{value[:40]}' is not a whole number from 0 up")
    return TileAddress(int(z), int(x), int(y))


@lru_cache(maxsize=512)
def _mark_declaration(ids: str, level: Access) -> str:
    """Return a mark of what a tile of these layers holds, so that a new declaration makes old tiles stale."""
    told = repr(
        [
            (layer.id, layer.min_zoom, layer.geometry, layer.style.by, layer.overview, name_columns(layer))
            for layer in _find_layers(ids, level)
        ]
    )
    return hashlib.blake2b(told.encode(), digest_size=6).hexdigest()


class TileRequest(NamedTuple):
    """What the query string of a tile asks; ``joined`` where a filter looks at other layers too."""

    query: TileQuery
    joined: bool


_WHOLE = TileRequest(TileQuery(), joined=False)


def read_request(ids: str, asked: str) -> TileRequest:
    """Return what a query string asks of the layers; InputError names what is wrong with it.

    Parameters: ``properties``, ``filter``, ``filter-lang``, ``filter-crs``, ``datetime``, ``recorded``, ``live``; any
    other is a property to compare. Every layer must have the properties that are named.
    """
    layers, given, pairs = find_layers(ids), dict[str, str](), list[tuple[str, str]]()
    for name, value in parse_qsl(asked, keep_blank_values=True):
        if name not in _PARAMETERS:
            pairs.append((name, value))
        elif name in given:
            raise InputError(f"parameter '{name}' is given twice")
        else:
            given[name] = value
    live = given.get("live", "false")
    if live not in ("true", "false"):
        raise InputError(f"live '{live[:40]}' is not true or false")
    filters: tuple[Filter, ...] = ()
    joined = False
    if "filter" in given:
        crs = parse_crs(given.get("filter-crs", CRS84), "filter-crs")
        tree = parse_filter(given["filter"], given.get("filter-lang", "cql2-text"))
        filters, joined = (Filter(tree, crs.srid, crs.flip),), reads_other_layers(tree)
    columns: tuple[str, ...] | None = None
    if "properties" in given:
        wanted = [parse_names(layer, given["properties"]) for layer in layers]
        columns = tuple(wanted[0])
        if len({frozenset(names) for names in wanted}) > 1:
            raise InputError(f"properties '{given['properties'][:80]}' are not those of every layer")
    query = TileQuery(
        columns=columns,
        equals=tuple(parse_filters(layers, pairs).items()),
        filters=filters,
        past=read_past(given.get("datetime"), given.get("recorded")),
        live=live == "true",
    )
    return TileRequest(query, joined)


@lru_cache(maxsize=1024)
def _read_short(ids: str, asked: str, _level: Access) -> TileRequest:
    return read_request(ids, asked)


class VectorTile:
    """One tile of one or more layers, answered from its version, from memory, or from PostGIS.

    ``path`` is the pattern of the route, by which requests are counted.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, resources = scope["path_params"], scope["app"].state.resources
        ids = path["ids"] if "ids" in path else _find_tileset(path["collection_id"], path["tile_matrix_set"])
        layers = find_layers(ids)
        tile = parse_address(path["z"], path["x"], path["y"])
        asked = scope["query_string"].decode("latin-1")
        request = _WHOLE
        if asked:
            short = len(asked) <= _SHORT
            request = _read_short(ids, asked, who_asks().level) if short else read_request(ids, asked)
        # What a filter finds in other layers hangs on who asks even where the layers themselves do not.
        sight = name_sight(VECTOR_LAYERS.values() if request.joined else layers)
        read, position = await _read_age(resources, layers, tile, request)
        age = (*read, *sight)
        caching = (b"cache-control", b"private, no-cache" if sight and sight[0] != "public" else b"public, no-cache")
        # Maps that change the query of a source compare the tags of a tile across addresses: the query is part of it.
        mark = hashlib.blake2b(repr((age, asked)).encode(), digest_size=12).hexdigest()
        etag = f'W/"{mark}{_mark_declaration(ids, who_asks().level)}"'
        headers = Headers(scope=scope)
        if etag in headers.get("if-none-match", ""):
            await _send(send, 304, [(b"etag", etag.encode()), caching])
            return

        # A long query string stands in the key by its hash: keys are not counted in the budget of the cache.
        name = asked if len(asked) <= _SHORT else hashlib.blake2b(asked.encode(), digest_size=24).digest()
        made = await resources.tiles.get(
            (ids, tile, name, age), lambda: _make(resources, layers, tile, request.query, position)
        )
        fields = [(b"etag", etag.encode()), caching, (b"vary", _VARY if sight else b"accept-encoding")]
        if made.truncated:
            fields.append((b"twin-tile-truncated", b"true"))
        if not made.body:
            await _send(send, 204, fields)
            return
        body = made.body
        if accepts_gzip(headers):
            fields.append((b"content-encoding", b"gzip"))
        else:
            body = gzip.decompress(body)
        fields += [(b"content-type", MVT.encode()), (b"content-length", str(len(body)).encode())]
        await _send(send, 200, fields, b"" if scope["method"] == "HEAD" else body)


async def _make(
    resources: Resources, layers: tuple[VectorLayer, ...], tile: TileAddress, query: TileQuery, position: int | None
) -> CachedTile:
    async def make(connection: AsyncConnection[TupleRow]) -> MadeTile:
        with resources.metrics.sql.time():
            return await make_tile(connection, layers, tile, query)

    made = await resources.replicas.read("tiles", position, make)
    return CachedTile(igzip.compress(made.data, compresslevel=2) if made.data else b"", made.truncated)


async def _read_age(
    resources: Resources, layers: tuple[VectorLayer, ...], tile: TileAddress, request: TileRequest
) -> tuple[tuple[object, ...], int | None]:
    """Return what changes whenever the tile does: read before the tile is made, so that no tile is older than its key;
    and up to where who makes it must have read the log, None where only the primary will do.

    A past may change with any version of a feature, so it is as old as its layer; what a filter finds in other layers
    as old as the newest of all.
    """
    if request.joined:
        tokens = await resources.versions.read()
        return (tuple(sorted(tokens.items())),), resources.versions.position
    if request.query.past != PRESENT:
        tokens = await resources.versions.read()
        return tuple(tokens.get(layer.id, "") for layer in layers), resources.versions.position
    age: tuple[object, ...] = await resources.versions.read_tile([layer.id for layer in layers], tile.z, tile.x, tile.y)
    if request.query.live:
        # Readings are not told one by one: nobody knows whether a replica has the newest.
        return (*age, await _read_newest(resources)), None
    return age, resources.versions.position


async def _read_newest(resources: Resources) -> str:
    """Return a mark that changes with every reading and every flag."""
    async with resources.pools.tiles.connection() as connection:
        return (await read_latest_tokens(connection))[0]


async def _send(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes = b"") -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _find_tileset(layer_id: str, tile_matrix_set: str) -> str:
    if tile_matrix_set != "WebMercatorQuad":
        raise NotFoundError(f"tile matrix set '{tile_matrix_set[:80]}' is not served", hint="use WebMercatorQuad")
    return find_collection(layer_id).id


@router.get("/tiles/{ids}.json", summary="TileJSON of one or more layers, separated by commas")
def read_tilejson(ids: str, resources: ResourcesOf, links: LinksOf) -> Response:
    """Return TileJSON 3."""
    layers = find_layers(ids)
    with resources.engine.connect() as connection:
        extents = [resources.read_extent(connection, layer).bounds for layer in layers]
    known = [bounds for bounds in extents if bounds is not None]
    tilejson: dict[str, Any] = {
        "tilejson": "3.0.0",
        "name": ", ".join(layer.title.en for layer in layers),
        "scheme": "xyz",
        "tiles": [links.url(f"/tiles/{','.join(layer.id for layer in layers)}" + "/{z}/{x}/{y}.mvt")],
        "minzoom": min(layer.min_zoom for layer in layers),
        "maxzoom": MAX_SOURCE_ZOOM,
        "vector_layers": [_describe_fields(layer) for layer in layers],
    }
    if known:
        west, south, east, north = zip(*known, strict=True)
        tilejson["bounds"] = [min(west), min(south), max(east), max(north)]
    return answer_json(tilejson)


def _describe_fields(layer: VectorLayer) -> dict[str, Any]:
    kinds = {"integer": "Number", "number": "Number", "boolean": "Boolean"}
    carried = set(name_columns(layer))
    clusters = {"point_count": "Number: points of a cluster, below zoom 14"} if _has_clusters(layer) else {}
    fields = {
        prop.name: f"{kinds.get(prop.type, 'String')}: {prop.title.en}"
        for prop in layer.properties
        if prop.name in carried
    }
    return {
        "id": layer.id,
        "description": layer.title.en,
        "minzoom": layer.min_zoom,
        "maxzoom": MAX_SOURCE_ZOOM,
        "fields": {"id": "String: item id", **clusters, **fields},
    }


def _has_clusters(layer: VectorLayer) -> bool:
    return layer.geometry == "Point" and len(layer.overview_zooms) > 0


_PATHS = ("/tiles/{ids}/{z}/{x}/{y}.mvt", "/api/collections/{collection_id}/tiles/{tile_matrix_set}/{z}/{y}/{x}")
routes: list[BaseRoute] = [Route(path, VectorTile(path), methods=["GET"]) for path in _PATHS]

"""Operations of bare routes, which the framework does not know, and bodies that routes read themselves."""

from collections.abc import Mapping
from typing import Any

from api.parameters import CRS84

Operation = dict[str, Any]
FILTER_TEXT = (
    "Any declared property filters: property=value. live=true adds live_state, live_value and live_time of items that "
    "are watched. Twin-Tile-Truncated says when features were left out."
)


def _name_path(name: str, kind: str, description: str) -> Operation:
    return {"name": name, "in": "path", "required": True, "description": description, "schema": {"type": kind}}


def _name_query(name: str, description: str, schema: Mapping[str, Any]) -> Operation:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": dict(schema)}


_PLACE = [
    _name_path("z", "integer", "Zoom, tile matrix"),
    _name_path("x", "integer", "Column, from the west"),
    _name_path("y", "integer", "Row, from the north"),
]
_QUAD = {
    **_name_path("tile_matrix_set", "string", "WebMercatorQuad"),
    "schema": {"type": "string", "enum": ["WebMercatorQuad"]},
}
_FILTERS = {
    **_name_query("filters", "Any property of the layers: property=value", {"type": "object"}),
    "style": "form",
    "explode": True,
}
FORM = _name_query("f", "The form of the answer, json without it", {"type": "string", "enum": ["json"]})
"""What routes of OGC APIs take beside their own parameters."""
PAGE_FORM = _name_query(
    "f", "The form of the answer, else as Accept says", {"type": "string", "enum": ["json", "html"]}
)
"""The same where people are shown a page."""
_TILE_QUERY = [
    _name_query("live", "Also the state of watched items", {"type": "boolean", "default": False}),
    _name_query("properties", "Only these properties: a,b; empty: the ids alone", {"type": "string"}),
    _name_query("filter", "CQL2, as on items", {"type": "string"}),
    _name_query("filter-lang", "cql2-text or cql2-json", {"type": "string"}),
    _name_query("filter-crs", f"CRS of coordinates in the filter, {CRS84} or any EPSG code", {"type": "string"}),
    _name_query("datetime", "Reads the past: an instant, or start/end", {"type": "string"}),
    _name_query("recorded", "What the database knew at this instant", {"type": "string"}),
    _FILTERS,
]


def _describe_tile(first: list[Operation], summary: str, extra: list[Operation] | None = None) -> Operation:
    return {
        "tags": ["tiles"],
        "summary": summary,
        "description": FILTER_TEXT,
        "parameters": [*first, *_PLACE, *(extra or []), *_TILE_QUERY],
    }


BARE: Mapping[str, Operation] = {
    "GET /tiles/{ids}/{z}/{x}/{y}.mvt": _describe_tile(
        [_name_path("ids", "string", "Layers, separated by commas: trees,buildings")],
        "A vector tile of one or more layers",
    ),
    "GET /api/tiles/{tile_matrix_set}/{z}/{y}/{x}": _describe_tile(
        [_QUAD],
        "A vector tile of the city",
        [
            {
                **_name_query("collections", "Only these collections", {"type": "array", "items": {"type": "string"}}),
                "style": "form",
                "explode": False,
            }
        ],
    ),
    "GET /api/collections/{collection_id}/tiles/{tile_matrix_set}/{z}/{y}/{x}": _describe_tile(
        [_name_path("collection_id", "string", "Collection"), _QUAD], "A vector tile of a collection"
    ),
    "GET /esri/rest/services/twin/VectorTileServer/tile/{z}/{y}/{x}.pbf": {
        "tags": ["esri"],
        "summary": "A vector tile of what the map shows at first",
        "description": "The tile of those layers; parameters are not looked at.",
        "parameters": _PLACE,
    },
}
"""By method and path."""

COVERED: Mapping[str, str] = {
    "POST /sta/v1.1/Observations": "POST /sta/v1.1/{path}",
    "POST /sta/v1.1/Datastreams({key})/Observations": "POST /sta/v1.1/{path}",
    "POST /sta/v1.1/CreateObservations": "POST /sta/v1.1/{path}",
}
"""Bare routes that are quicker ways to an operation that is described already."""


def _read_json(schema: str, *media_types: str, required: bool = True) -> Operation:
    content = {each: {"schema": {"$ref": f"#/components/schemas/{schema}"}} for each in media_types}
    return {"required": required, "content": content}


_JSON = "application/json"
BODIES: Mapping[str, Operation] = {
    "POST /api/processes/{process_id}/execution": _read_json("Execute", _JSON),
    "POST /sta/v1.1/{path}": _read_json("Json", _JSON),
    "PATCH /sta/v1.1/{path}": _read_json("Json", _JSON, "application/json-patch+json"),
    "PUT /sta/v1.1/{path}": _read_json("Json", _JSON),
    "POST /sta/v1.1/$batch": _read_json("JsonObject", _JSON),
    "POST /alarm-rules": _read_json("JsonObject", _JSON),
    "PUT /alarm-rules/{rule_id}": _read_json("JsonObject", _JSON),
}
"""Bodies by method and path, of routes that read them without the framework."""

HEADERS: Mapping[str, list[Operation]] = {
    "POST /api/processes/{process_id}/execution": [
        {
            "name": "Prefer",
            "in": "header",
            "required": False,
            "description": "respond-async: runs are always asynchronous; Preference-Applied says that it was read",
            "schema": {"type": "string"},
        }
    ]
}
"""Headers that routes read without the framework."""

"""The API's own description: made from the routes, written as OpenAPI 3.0, which is what clients of OGC APIs read."""

from html import escape
from typing import Any

from fastapi import FastAPI

from api.answers import MVT
from api.links import Links

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "hint": {"type": "string"},
    },
}
_PAGE_STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "h2{font-size:1rem}td{padding:0 1rem 0 0}"
)


def _describe_tile(name: str, summary: str, numbers: tuple[str, ...]) -> dict[str, Any]:
    """Return the operation of a tile route, which the framework does not know."""
    parameters = [
        {"name": each, "in": "path", "required": True, "schema": {"type": kind}}
        for each, kind in ((name, "string"), *((number, "integer") for number in numbers))
    ]
    answers = {
        "200": {"description": "The tile", "content": {MVT: {"schema": {"type": "string", "format": "binary"}}}},
        "204": {"description": "Nothing is there"},
        "304": {"description": "Nothing changed since the given ETag"},
    }
    description = (
        "Any declared property filters: property=value. live=true adds live_state, live_value and live_time of items "
        "that are watched. Twin-Tile-Truncated says when features were left out."
    )
    return {
        "get": {
            "tags": ["tiles"],
            "summary": summary,
            "description": description,
            "parameters": parameters,
            "responses": answers,
        }
    }


_TILES = {
    "/tiles/{ids}/{z}/{x}/{y}.mvt": _describe_tile(
        "ids", "A vector tile of one or more layers, separated by commas", ("z", "x", "y")
    ),
    "/api/collections/{collectionId}/tiles/WebMercatorQuad/{tileMatrix}/{tileRow}/{tileCol}": _describe_tile(
        "collectionId", "A vector tile of a collection", ("tileMatrix", "tileRow", "tileCol")
    ),
}


def build_openapi(app: FastAPI, links: Links) -> dict[str, Any]:
    """Return the description of ``app`` in OpenAPI 3.0.3."""
    document: dict[str, Any] = _lower(app.openapi())
    document["openapi"] = "3.0.3"
    document["servers"] = [{"url": links.base}]
    document["paths"] |= _lower(_TILES)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = _PROBLEM
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    problem = {
        "description": "What went wrong",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
            operation["responses"].setdefault("default", problem)
    return document


def _lower(node: Any) -> Any:
    """Return ``node`` of an OpenAPI 3.1 document in the words of 3.0."""
    if isinstance(node, list):
        return [_lower(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    lowered = {key: _lower(value) for key, value in node.items()}
    choices = lowered.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        kept = [choice for choice in choices if choice != {"type": "null"}]
        del lowered["anyOf"]
        lowered |= kept[0] if len(kept) == 1 else {"anyOf": kept}
        lowered["nullable"] = True
    if "const" in lowered:
        lowered["enum"] = [lowered.pop("const")]
    for bound, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        value = lowered.get(bound)
        if isinstance(value, int | float) and not isinstance(value, bool):
            lowered |= {limit: value, bound: True}
    return lowered


def write_page(document: dict[str, Any]) -> str:
    """Return the description as a page that needs no script."""
    parts = [f"<h1>{escape(document['info']['title'])}</h1><p><a href='/api/openapi'>OpenAPI 3.0</a></p>"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            rows = "".join(
                f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{escape(parameter['in'])}</td>"
                f"<td>{escape(parameter.get('description', ''))}</td></tr>"
                for parameter in operation.get("parameters", ())
            )
            table = f"<table>{rows}</table>" if rows else ""
            parts.append(
                f"<h2><code>{method.upper()} {escape(path)}</code></h2>"
                f"<p>{escape(operation.get('summary', ''))}. {escape(operation.get('description', ''))}</p>{table}"
            )
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>API</title>"
        f"<style>{_PAGE_STYLE}</style></head><body>{''.join(parts)}</body></html>"
    )

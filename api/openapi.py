"""The API's own description: made from the routes and the tables of ``api.description``.

OpenAPI 3.0 is what clients of OGC APIs read; 3.1 is the same for others.
"""

import re
from collections import Counter
from html import escape
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Route

from api.answers import PROBLEM
from api.description.answers import ANSWERS, HTML, SHOWN, SUFFIXES
from api.description.bare import BARE, BODIES, COVERED, FORM, HEADERS, PAGE_FORM
from api.description.schemas import SCHEMAS
from api.description.security import list_schemes
from api.description.tags import TAGS
from api.links import Links
from api.resources import Resources

_REFERENCE = "#/components/schemas/"
# OGC API Tiles names its operations itself (20-057, 10.3).
_TILE_OPERATIONS = {
    "GET /api/tileMatrixSets": "getTileMatrixSetsList",
    "GET /api/tileMatrixSets/{tile_matrix_set}": "getTileMatrixSet",
    "GET /api/tiles": ".dataset.vector.getTileSetsList",
    "GET /api/tiles/{tile_matrix_set}": ".dataset.vector.getTileSet",
    "GET /api/tiles/{tile_matrix_set}/{z}/{y}/{x}": ".dataset.vector.getTile",
    "GET /api/collections/{collection_id}/tiles": ".collection.vector.getTileSetsList",
    "GET /api/collections/{collection_id}/tiles/{tile_matrix_set}": ".collection.vector.getTileSet",
    "GET /api/collections/{collection_id}/tiles/{tile_matrix_set}/{z}/{y}/{x}": ".collection.vector.getTile",
}
# GDAL and QGIS look for the items under the very path of the standard's example, below the landing page.
_ITEMS, _ITEMS_BELOW = "/api/collections/{collection_id}/items", "/collections/{collectionId}/items"
PAGE_STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b2733}"
    "h2{margin-top:2.5rem;border-bottom:1px solid #ccd}h3{font-size:1rem;margin-bottom:0}"
    "td{padding:0 1rem 0 0;vertical-align:top}code{background:#f2f4f7;padding:0 .2rem}"
    "p{margin:.3rem 0}nav a{margin-right:.8rem}"
)


def build_openapi(app: FastAPI, links: Links) -> dict[str, Any]:
    """Return the description of ``app`` in OpenAPI 3.0.3."""
    document: dict[str, Any] = _lower(build_openapi_31(app, links))
    return {**document, "openapi": "3.0.3"}


def build_openapi_31(app: FastAPI, links: Links) -> dict[str, Any]:
    """Return the description of ``app`` in OpenAPI 3.1."""
    made: dict[str, Any] = app.openapi()
    paths: dict[str, Any] = {
        path: {method: dict(operation) for method, operation in operations.items()}
        for path, operations in made["paths"].items()
    }
    for key, operation in BARE.items():
        method, _, path = key.partition(" ")
        if key in list_bare(app):
            paths.setdefault(path, {})[method.lower()] = dict(operation)
    for path, operations in paths.items():
        for method, operation in operations.items():
            _complete(f"{method.upper()} {path}", operation)
    _part_operations(paths)
    paths[_ITEMS_BELOW] = _describe_below(paths[_ITEMS], links)
    schemas = {**made.get("components", {}).get("schemas", {}), **SCHEMAS}
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    used = {
        tag
        for operations in paths.values()
        for name, each in operations.items()
        if name != "servers"
        for tag in each["tags"]
    }
    held: Resources | None = getattr(app.state, "resources", None)
    schemes_of_access = list_schemes(None if held is None else held.settings.oidc_issuer)
    return {
        "openapi": "3.1.0",
        "info": made["info"],
        "servers": [{"url": links.base}],
        "tags": [{"name": name, "description": TAGS.get(name, name)} for name in [*TAGS, *sorted(used - set(TAGS))]],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": schemes_of_access},
        # Nothing is needed to read what is public.
        "security": [{}, *({name: []} for name in schemes_of_access)],
    }


def _describe_below(items: dict[str, Any], links: Links) -> dict[str, Any]:
    """Return the operation on items as seen from the landing page, whose address is its server."""
    operation = dict(items["get"])
    renamed = {**next(each for each in operation["parameters"] if each["in"] == "path"), "name": "collectionId"}
    operation["parameters"] = [renamed, *(each for each in operation["parameters"] if each["in"] != "path")]
    operation["operationId"] += ".below"
    return {"servers": [{"url": links.url("/api")}], "get": operation}


def list_bare(app: FastAPI) -> set[str]:
    """Return method and path of every route the framework does not describe, but those that are covered."""
    found = {
        f"{method} {_plain(route.path)}"
        for route in app.routes
        if isinstance(route, Route) and not isinstance(route, APIRoute)
        for method in (route.methods or set()) - {"HEAD"}
    }
    return found - set(COVERED)


def _plain(path: str) -> str:
    """Return a path without the converters of its parameters."""
    return path.replace(":path}", "}")


def _name_operation(key: str, operation: dict[str, Any]) -> str:
    """Return the id of an operation: its family and the name of the function that answers."""
    if key in _TILE_OPERATIONS:
        return _TILE_OPERATIONS[key]
    method, _, path = key.partition(" ")
    # The framework's own id is the function's name, the path and the method.
    tail = re.sub(r"\W", "_", path) + f"_{method.lower()}"
    name = operation.get("operationId", f"read_tile{tail}").removesuffix(tail)
    return f"{operation['tags'][0]}.{name}"


def _part_operations(paths: dict[str, Any]) -> None:
    """Give operations that one function answers, or functions of one name, ids of their own."""
    named = [(path, method, operation) for path, each in paths.items() for method, operation in each.items()]
    counts = Counter(operation["operationId"] for _, _, operation in named)
    for path, method, operation in named:
        if counts[operation["operationId"]] > 1:
            operation["operationId"] += ".".join(["", method, *re.findall(r"[\w-]+", path)])


def _complete(key: str, operation: dict[str, Any]) -> None:
    """Add to an operation its id, its answers and what its route reads itself."""
    operation["operationId"] = _name_operation(key, operation)
    if key in BODIES:
        operation.setdefault("requestBody", BODIES[key])
    if key in HEADERS:
        operation["parameters"] = [*operation.get("parameters", ()), *HEADERS[key]]
    if key.startswith("GET /api") and key not in BARE:
        given = operation.get("parameters", [])
        if not any(each["name"] == "f" for each in given):
            operation["parameters"] = [*given, PAGE_FORM if key in SHOWN else FORM]
    answers: dict[str, Any] = dict(operation.get("responses", {}))
    answers.pop("422", None)
    if key in ANSWERS:
        for code in [code for code in answers if code.startswith("2")]:
            del answers[code]
        for code, kinds in ANSWERS[key].items():
            answers[code] = _write_answer({**kinds, HTML: "Text"} if key in SHOWN and kinds else kinds)
    for code, answer in answers.items():
        if code.startswith("2") and key not in ANSWERS:
            answers[code] = {**answer, **_settle(key, answer)}
    problem = {PROBLEM: {"schema": {"$ref": f"{_REFERENCE}Problem"}}}
    others = (HTML,) if key in SHOWN else ("application/xml", "text/xml") if "maps" in operation["tags"] else ()
    problem |= {kind: {"schema": {"$ref": f"{_REFERENCE}Text"}} for kind in others}
    answers.setdefault("default", {"description": "What went wrong", "content": problem})
    operation["responses"] = answers


def _write_answer(kinds: Any) -> dict[str, Any]:
    if not kinds:
        return {"description": "Nothing to send"}
    content = {kind: {"schema": {"$ref": f"{_REFERENCE}{name}"}} for kind, name in kinds.items()}
    return {"description": "What was asked for", "content": content}


def _settle(key: str, answer: dict[str, Any]) -> dict[str, Any]:
    """Return the content of an answer as its route declared it, else as the end of its path tells.

    The framework adds JSON of any kind to whatever a route declares; beside something else it means nothing.
    """
    content = {kind: dict(said) for kind, said in answer.get("content", {}).items()}
    if not content:
        return {}
    if not content.get("application/json", {"schema": "its own"}).get("schema"):
        told = SUFFIXES.get(key.rpartition(".")[2])
        if told is not None:
            content[told[0]] = {"schema": {"$ref": f"{_REFERENCE}{told[1]}"}}
        if len(content) > 1:
            del content["application/json"]
    for kind, said in content.items():
        if not said.get("schema"):
            name = "Json" if kind.endswith("json") else "Text" if kind.startswith("text/") else "Binary"
            said["schema"] = {"$ref": f"{_REFERENCE}{name}"}
    return {"content": content}


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
        # Beside a reference, 3.0 reads nothing else.
        lowered |= (
            {"allOf": kept} if len(kept) == 1 and "$ref" in kept[0] else kept[0] if len(kept) == 1 else {"anyOf": kept}
        )
        lowered["nullable"] = True
    if "const" in lowered:
        lowered["enum"] = [lowered.pop("const")]
    for bound, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        value = lowered.get(bound)
        if isinstance(value, int | float) and not isinstance(value, bool):
            lowered |= {limit: value, bound: True}
    return lowered


def write_page(document: dict[str, Any]) -> str:
    """Return the description as a page that needs no script, by family."""
    families: dict[str, list[str]] = {tag["name"]: [] for tag in document["tags"]}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method == "servers":
                continue
            families[operation["tags"][0]].append(_write_operation(method.upper(), path, operation))
    told = {tag["name"]: tag["description"] for tag in document["tags"]}
    shown = {name: entries for name, entries in families.items() if entries}
    parts = [
        f"<h1>{escape(document['info']['title'])}</h1><p><a href='/api/openapi'>OpenAPI 3.0</a> · "
        "<a href='/api/openapi?f=3.1'>OpenAPI 3.1</a></p>",
        "<nav>" + "".join(f"<a href='#{escape(name)}'>{escape(name)}</a>" for name in shown) + "</nav>",
    ]
    for name, entries in shown.items():
        parts.append(f"<h2 id='{escape(name)}'>{escape(name)}</h2><p>{escape(told[name])}</p>{''.join(entries)}")
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>API</title>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<style>{PAGE_STYLE}</style></head><body>{''.join(parts)}</body></html>"
    )


def _write_operation(method: str, path: str, operation: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{escape(parameter['in'])}</td>"
        f"<td>{escape(parameter.get('description', ''))}</td></tr>"
        for parameter in operation.get("parameters", ())
    )
    kinds = sorted({kind for answer in operation["responses"].values() for kind in answer.get("content", ())})
    table = f"<table>{rows}</table>" if rows else ""
    return (
        f"<h3><code>{method} {escape(path)}</code></h3>"
        f"<p>{escape(operation.get('summary', ''))}. {escape(operation.get('description', ''))}</p>{table}"
        f"<p>→ {', '.join(f'<code>{escape(kind)}</code>' for kind in kinds if 'problem' not in kind)}</p>"
    )

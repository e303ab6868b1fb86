"""What one GET below the service root answers: a set, one entity, an attribute, its bare value, references, a count."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from api.answers import answer_json
from api.sta.answers import make_self_link, write_entity, write_next
from api.sta.arrays import name_components, write_arrays
from api.sta.buckets import parse_width, write_bucket_arrays, write_buckets
from api.sta.options import parse_query
from api.sta.paths import parse_path, write_path
from layers.errors import InputError, NotFoundError
from layers.store.sensing.entities import Navigation
from layers.store.sensing.sta_aggregate import select_buckets
from layers.store.sensing.sta_request import Expansion, Query, ResourcePath
from layers.store.sensing.sta_select import count_entities, select_entity, select_page

Options = Mapping[str, str]
OPTIONS = (
    "$filter", "$expand", "$select", "$orderby", "$top", "$skip", "$skiptoken", "$count", "$resultFormat", "aggregate",
)  # fmt: skip
_OF_ONE = ("$select", "$expand")
_OF_REFERENCES = ("$filter", "$orderby", "$top", "$skip", "$skiptoken", "$count")
_OF_SETS = (*_OF_ONE, *_OF_REFERENCES, "$resultFormat")
_OF_BUCKETS = ("$filter", "$orderby", "$top", "$skip", "$count", "$resultFormat", "aggregate")
_DATASTREAM = Expansion(
    Navigation("Datastream", "Datastreams", False, "{b}.fid = {a}.datastream"), Query(select=("id",))
)
_FRESH = {"cache-control": "no-cache"}


def answer_resource(connection: Connection, path: str, options: Options, root: str) -> Response:
    """Answer a GET of ``path`` (below the service root, percent-decoded) with ``options`` (decoded, by name).

    Raises NotFoundError and InputError that name the wrong piece; the names of options are checked as well.
    """
    found = parse_path(path)
    _allow(options, OPTIONS, "this service")
    if found.attribute is not None or found.asks_id:
        return _answer_attribute(connection, found, options)
    if found.ending == "$count":
        _allow(options, ("$filter",), "$count")
        counted = count_entities(connection, found, parse_query(found.entity, options))
        return Response(str(counted), media_type="text/plain", headers=_FRESH)
    if "aggregate" in options:
        return _answer_buckets(connection, found, options, root)
    if found.many:
        return _answer_set(connection, found, options, root)
    _allow(options, _OF_ONE if not found.ending else (), "one entity")
    query = parse_query(found.entity, options)
    row = select_entity(connection, found, query)
    written = write_entity(found.entity, row, root, query)
    return answer_json(written if not found.ending else _write_reference(found, row, root), headers=_FRESH)


def _answer_set(connection: Connection, path: ResourcePath, options: Options, root: str) -> Response:
    arrays = _asks_arrays(path, options)
    _allow(options, _OF_REFERENCES if path.ending else _OF_SETS, path.ending or "a set")
    query = parse_query(path.entity, options)
    if arrays and query.expand:
        raise InputError("$expand cannot be used with $resultFormat=dataArray")
    answer: dict[str, Any] = {}
    if query.count:
        answer["@iot.count"] = count_entities(connection, path, query)
    page = select_page(connection, path, replace(query, expand=(_DATASTREAM,)) if arrays else query)
    if page.more:
        here = f"{root}/{write_path(path)}"
        answer["@iot.nextLink"] = write_next(here, query, query.skip + len(page.rows), page.after)
    if arrays:
        answer["value"] = write_arrays(page.rows, name_components(query), root)
    elif path.ending == "$ref":
        answer["value"] = [_write_reference(path, row, root) for row in page.rows]
    else:
        answer["value"] = [write_entity(path.entity, row, root, query) for row in page.rows]
    return answer_json(answer, headers=_FRESH)


def _answer_buckets(connection: Connection, path: ResourcePath, options: Options, root: str) -> Response:
    """Answer with minimum, mean, maximum, sum, count and last a bucket."""
    if path.entity.name != "Observations" or not path.many or path.ending:
        raise InputError("aggregate is for sets of Observations", hint="Datastreams('id')/Observations?aggregate=1h")
    _allow(options, _OF_BUCKETS, "buckets")
    width, arrays, query = (
        parse_width(options["aggregate"]),
        _asks_arrays(path, options),
        parse_query(path.entity, options),
    )
    found = select_buckets(connection, path, query, width)
    answer: dict[str, Any] = {} if found.count is None else {"@iot.count": found.count}
    if found.more:
        here = f"{root}/{write_path(path)}"
        answer["@iot.nextLink"] = write_next(here, query, query.skip + len(found.buckets))
    answer["value"] = write_bucket_arrays(found.buckets, root) if arrays else write_buckets(found.buckets, root)
    return answer_json(answer, headers=_FRESH)


def _asks_arrays(path: ResourcePath, options: Options) -> bool:
    """Return whether data arrays are asked for."""
    asked = options.get("$resultFormat")
    if asked is not None and (asked != "dataArray" or path.entity.name != "Observations" or path.ending):
        raise InputError(f"$resultFormat '{asked[:40]}' is not served here", hint="dataArray, of Observations")
    return asked is not None


def _answer_attribute(connection: Connection, path: ResourcePath, options: Options) -> Response:
    """Answer with one attribute as ``{name: value}``, or bare; 204 where it has no value."""
    _allow(options, (), "an attribute")
    name = "@iot.id" if path.attribute is None else path.attribute.name
    value = select_entity(connection, path, Query(select=(name,))).get(name)
    for inner in path.inner:
        value = _step_into(value, inner)
        name = inner
    if value is None:
        return Response(status_code=204, headers=_FRESH)
    if path.ending != "$value":
        return answer_json({name: value}, headers=_FRESH)
    if isinstance(value, str):
        return Response(value, media_type="text/plain", headers=_FRESH)
    return answer_json(value, media_type="application/json", headers=_FRESH)


def _step_into(value: Any, name: str) -> Any:
    """Return what JSON ``value`` holds under ``name``; NotFoundError when it holds nothing of the kind."""
    if isinstance(value, dict) and name in value:
        return value[name]
    if isinstance(value, list) and name.isdecimal() and int(name) < len(value):
        return value[int(name)]
    raise NotFoundError(f"there is nothing called '{name[:80]}' in it")


def _write_reference(path: ResourcePath, row: Mapping[str, Any], root: str) -> dict[str, str]:
    return {"@iot.selfLink": make_self_link(root, path.entity, str(row["@iot.id"]))}


def _allow(options: Options, known: Sequence[str], of: str) -> None:
    """Raise InputError for an option that has no meaning for what is asked."""
    for name in options:
        if name not in known:
            hint = f"it can have {', '.join(known)}" if known else "it takes none"
            raise InputError(f"{name} has no meaning for {of}", hint=hint)

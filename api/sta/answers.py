"""Entities as the JSON of SensorThings: @iot.id, @iot.selfLink, attributes, a navigation link a link.

A *row* is what the store gives for one entity: ``@iot.id``, its attributes by name in JSON form, and for every expanded
link either the row it leads to (or None) or a `dict` with ``value`` (rows), and ``count`` where it was asked.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request

from api.links import Links
from api.sta.paths import ID_NAMES, write_address
from layers.store.sensing.entities import ENTITIES, Entity
from layers.store.sensing.sta_request import Expansion, Query

ROOT = "/sta/v1.1"
SELF_NAMES = ("selfLink", "@iot.selfLink")
EVERYTHING = Query()


def find_root(request: Request) -> str:
    """Return the absolute address of the service root, without a slash at the end."""
    return Links.of(request).url(ROOT)


def make_self_link(root: str, entity: Entity, key: str) -> str:
    """Return the absolute address of one entity, as in @iot.selfLink and the header Location."""
    return f"{root}/{write_address(entity, key)}"


def write_entity(entity: Entity, row: Mapping[str, Any], root: str, query: Query = EVERYTHING) -> dict[str, Any]:
    """Return one entity as JSON, with what ``query`` selects and expands.

    Attributes without a value are left out, except those the standard wants. ``row`` is described above; for an entity
    without expansions it is just its id and its attributes.
    """
    key = str(row["@iot.id"])
    link = make_self_link(root, entity, key)
    chosen = query.select
    written: dict[str, Any] = {}
    if chosen is None or any(name in chosen for name in ID_NAMES):
        written["@iot.id"] = key
    if chosen is None or any(name in chosen for name in SELF_NAMES):
        written["@iot.selfLink"] = link
    for attribute in entity.attributes:
        name = attribute.name
        if chosen is not None and name not in chosen:
            continue
        value = row.get(name)
        if value is not None or attribute.always:
            written[name] = value
    expanded = {expansion.link.name: expansion for expansion in query.expand}
    for navigation in entity.navigations:
        name = navigation.name
        if name in expanded:
            _write_expanded(written, expanded[name], row.get(name), f"{link}/{name}", root)
        elif chosen is None or name in chosen:
            written[f"{name}@iot.navigationLink"] = f"{link}/{name}"
    return written


def _write_expanded(written: dict[str, Any], expansion: Expansion, found: Any, link: str, root: str) -> None:
    name, query = expansion.link.name, expansion.query
    target = ENTITIES[expansion.link.target]
    if not expansion.link.many:
        if found is not None:
            written[name] = write_entity(target, found, root, query)
        return
    rows = found["value"]
    if query.count:
        written[f"{name}@iot.count"] = found["count"]
    written[name] = [write_entity(target, row, root, query) for row in rows]
    if found.get("more"):
        written[f"{name}@iot.nextLink"] = write_next(link, query, query.skip + len(rows))


def write_next(link: str, query: Query, skip: int, after: str | None = None) -> str:
    """Return the address of the next page of the set at ``link``: behind the entity ``after``, or ``skip`` entities."""
    kept = [(name, text) for name, text in query.options if name not in ("$skip", "$skiptoken")]
    kept.append(("$skip", str(skip)) if after is None else ("$skiptoken", after))
    return f"{link}?{urlencode(kept, safe='$(),;/:', quote_via=quote)}"

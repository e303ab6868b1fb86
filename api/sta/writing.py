"""One change of SensorThings on one connection: what it asks, checked, done, and what is answered.

The same for a request of its own and for a part of a batch, where several share a transaction.
"""

from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection
from starlette.exceptions import HTTPException

from api.sta.answers import make_self_link
from api.sta.incoming_arrays import list_features, read_arrays, sort_rows
from api.sta.json_patch import KIND as JSON_PATCH
from api.sta.json_patch import apply_patch
from api.sta.paths import parse_path
from api.writing import Writer
from layers.errors import InputError
from layers.store.sensing.arrival import store_live
from layers.store.sensing.changing import delete_entity, find_target, read_attributes, update_entity
from layers.store.sensing.creating import (
    Writing,
    create_entity,
    find_all_series,
    find_features,
    link_many,
    require_entity,
)
from layers.store.sensing.documents import find_inverse, read_document
from layers.store.sensing.sta_request import ResourcePath
from layers.store.sensing.writing import SENT_AGAIN

CREATE_OBSERVATIONS = "CreateObservations"
JSON_KINDS = ("application/json", JSON_PATCH)
METHODS = ("POST", "PATCH", "PUT", "DELETE")


@dataclass(frozen=True, slots=True)
class Change:
    """What is asked: method, path below the service root (decoded), JSON body and its media type."""

    method: str
    path: str
    body: Any = None
    kind: str = "application/json"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is answered; ``changed`` are the entity sets that are no longer what they were."""

    status: int
    body: Any = None
    location: str | None = None
    changed: frozenset[str] = field(default=frozenset())


def parse_body(body: bytes) -> Any:
    """Return the JSON of a body; InputError says where it breaks or that it holds what no text may hold."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InputError(f"the body is not JSON: {error}") from None
    if rb"\u0000" in body:
        raise InputError("the body holds a NUL character")
    return document


def perform(connection: Connection, change: Change, writer: Writer, root: str) -> Outcome:
    """Do what is asked and return the answer; ``root`` is the absolute address of the service.

    Raises InputError, NotFoundError or ConflictError naming the piece that is wrong, and HTTPException 405 for a method
    an address does not take. The caller's transaction is then to be rolled back.
    """
    writing = Writing(connection, writer.author, writer.reason)
    if change.path.strip("/") == CREATE_OBSERVATIONS:
        _require_method(change, "POST")
        return create_from_arrays(writing, change.body, root)
    path = parse_path(change.path)
    if change.method == "POST":
        return _create(writing, path, change, root)
    if path.many or path.attribute is not None or path.ending or path.asks_id:
        allowed = "GET, POST" if path.many and not path.ending else "GET"
        raise HTTPException(405, headers={"Allow": allowed})
    found = find_target(connection, path.steps)
    entity = path.entity
    if change.method == "DELETE":
        delete_entity(writing, entity.name, found)
        return Outcome(200, changed=frozenset((entity.name,)))
    if change.kind == JSON_PATCH:
        _require_method(change, "PATCH")
        before = read_attributes(connection, entity.name, found)
        after = apply_patch(before, change.body)
        sent = {name: after.get(name) for name in (*before, *after) if after.get(name) != before.get(name)}
        updated = update_entity(writing, entity.name, found, sent)
    else:
        updated = update_entity(writing, entity.name, found, change.body, whole=change.method == "PUT")
    link = make_self_link(root, entity, updated)
    return Outcome(200, _write_brief(updated, link), link, frozenset((entity.name,)))


def _create(writing: Writing, path: ResourcePath, change: Change, root: str) -> Outcome:
    entity = path.entity
    if not path.many or path.ending not in ("", "$ref") or path.attribute is not None or change.kind == JSON_PATCH:
        raise HTTPException(
            405, headers={"Allow": "GET" if path.attribute or path.ending else "GET, PATCH, PUT, DELETE"}
        )
    given: dict[str, str] = {}
    if len(path.steps) > 1:
        owner = path.steps[-2].entity
        parent = find_target(writing.connection, path.steps[:-1])
        link = path.last.link
        assert link is not None
        document = read_document(entity, change.body)
        if document.is_reference and document.id is not None:
            # What is there is linked, not made anew.
            require_entity(writing.connection, entity, document.id)
            link_many(writing, owner, parent, link, [document.id])
            made = make_self_link(root, entity, document.id)
            return Outcome(201, _write_brief(document.id, made), made, frozenset((owner.name, entity.name)))
        given = {find_inverse(owner, link).name: parent}
    if path.ending:
        raise InputError("'$ref' takes a reference to an entity", hint='{"@iot.id": …}')
    created = create_entity(writing, entity.name, change.body, given)
    made = make_self_link(root, entity, created)
    return Outcome(201, _write_brief(created, made), made, frozenset((entity.name,)))


def create_from_arrays(writing: Writing, sent: Any, root: str) -> Outcome:
    """Store the rows of CreateObservations and answer for each its address, or its error."""
    entries, connection = read_arrays(sent), writing.connection
    series = find_all_series(connection, {entry.datastream_id for entry in entries})
    features = find_features(connection, list_features(entries))
    rows, answers = sort_rows(entries, series, features, f"{root}/Observations")
    store_live(connection, rows, author=writing.author, reason=writing.reason or SENT_AGAIN)
    return Outcome(201, answers, changed=frozenset(("Observations",)))


def _require_method(change: Change, method: str) -> None:
    if change.method != method:
        raise HTTPException(405, headers={"Allow": method})


def _write_brief(entity_id: str, link: str) -> dict[str, str]:
    return {"@iot.id": entity_id, "@iot.selfLink": link}

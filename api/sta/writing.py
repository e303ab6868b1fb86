"""One change of SensorThings on one connection: what it asks, checked, done, and what is answered.

The same for a request of its own and for a part of a batch, where several share a transaction.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection
from starlette.exceptions import HTTPException

from api.sta.answers import make_self_link
from api.sta.json_patch import KIND as JSON_PATCH
from api.sta.json_patch import apply_patch
from api.sta.paths import parse_path
from api.writing import Writer
from layers.errors import InputError, NotFoundError, TwinError
from layers.store.sensing.changing import delete_entity, find_target, read_attributes, update_entity
from layers.store.sensing.creating import Writing, create_entity, find_series, link_many, require_entity
from layers.store.sensing.documents import find_inverse, read_document
from layers.store.sensing.entities import ENTITIES
from layers.store.sensing.observing import Row, make_id, read_data_array
from layers.store.sensing.sta_request import ResourcePath
from layers.store.sensing.writing import store_observations

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
    """Store the rows of CreateObservations and answer for each its address, or the word error (13.3).

    A row that cannot be read, or whose Datastream or FeatureOfInterest is not there, harms no other.
    """
    entries = sent if isinstance(sent, list) else [sent]
    now, entity = datetime.now(UTC), ENTITIES["Observations"]
    rows: list[Row] = []
    answers: list[str] = []
    prefix = f"{root}/{entity.name}"
    features: dict[str, str | TwinError] = {}
    for entry in entries:
        read = list(read_data_array(entry, now))
        series: tuple[int, str | None] | TwinError
        try:
            series = find_series(writing.connection, str(entry["Datastream"]["@iot.id"]))
        except NotFoundError as error:
            series = error
        for row in read:
            wrong = row if isinstance(row, TwinError) else series if isinstance(series, TwinError) else None
            if wrong is None and isinstance(row, dict) and "feature_of_interest_id" in row:
                wrong = _check_feature(writing.connection, row["feature_of_interest_id"], features)
            if wrong is not None or isinstance(row, TwinError) or isinstance(series, TwinError):
                answers.append(f"error: {wrong.message}" if wrong is not None else "error")
                continue
            rows.append(row)
            answers.append(f"{prefix}('{make_id(series[0], row['phenomenon_time'])}')")
    reason = {"reason": writing.reason} if writing.reason else {}
    store_observations(writing.connection, rows, author=writing.author, **reason)
    return Outcome(201, answers, changed=frozenset(("Observations",)))


def _check_feature(connection: Connection, feature_id: str, known: dict[str, str | TwinError]) -> TwinError | None:
    if feature_id not in known:
        try:
            require_entity(connection, ENTITIES["FeaturesOfInterest"], feature_id)
            known[feature_id] = feature_id
        except NotFoundError as error:
            known[feature_id] = error
    found = known[feature_id]
    return found if isinstance(found, TwinError) else None


def _require_method(change: Change, method: str) -> None:
    if change.method != method:
        raise HTTPException(405, headers={"Allow": method})


def _write_brief(entity_id: str, link: str) -> dict[str, str]:
    return {"@iot.id": entity_id, "@iot.selfLink": link}

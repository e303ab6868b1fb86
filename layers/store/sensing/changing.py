"""Entities of SensorThings changed: named attributes (PATCH), all of them (PUT), or taken away with what hangs on them.

OGC 18-088, 10.3 and 10.4. A reading is never overwritten: a new result is a correction beside it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from layers.errors import InputError, NotFoundError
from layers.store.sensing.creating import Writing, find_or_create, link_many, require_entity
from layers.store.sensing.documents import find_inverse, read_document, require_all, write_columns
from layers.store.sensing.entities import ENTITIES, Attribute, Entity
from layers.store.sensing.places import (
    ensure_features,
    follow_history,
    follow_locations,
    list_things_at,
    settle_features,
)
from layers.store.sensing.sta_request import Step
from layers.store.sensing.withdrawing import change_observation, withdraw_observation, withdraw_of_feature


def update_entity(writing: Writing, set_name: str, entity_id: str, sent: Any, *, whole: bool = False) -> str:
    """Change an entity and return its id (a reading moved in time has another afterwards).

    Without ``whole`` only what is named changes; with it everything: optional attributes that are not named are
    emptied, mandatory ones must be there. Links that are not named stay.
    """
    entity = ENTITIES[set_name]
    require_entity(writing.connection, entity, entity_id)
    document = read_document(entity, sent)
    if document.id is not None and document.id != entity_id:
        raise InputError(f"the id of {entity.singular} '{entity_id}' cannot become '{document.id}'")
    links = {link.name: None for link in entity.navigations if link.column is not None and link.required}
    if whole:
        require_all(document, links)
    if entity.name == "Observations":
        return change_observation(writing, entity_id, document, whole=whole)
    values = dict(document.attributes)
    if whole:
        values = {one.name: None for one in entity.attributes if one.column and not one.required} | values
    columns: dict[str, tuple[str, Any]] = {}
    for name, value in values.items():
        attribute = entity.find_attribute(name)
        assert attribute is not None
        columns |= write_columns(entity, attribute, value)
    for link in entity.navigations:
        if link.column is not None and document.links.get(link.name) is not None:
            target = find_or_create(writing.go_deeper(), link, document.links[link.name])
            columns[link.column] = (f":{link.column}", target)
    if "geom" in columns and entity.name == "Locations":
        _move_location(writing.connection, entity, entity_id, columns)
    elif columns:
        _write(writing.connection, entity, entity_id, columns)
    for link in entity.navigations:
        if link.many and document.links.get(link.name):
            targets = document.links[link.name]
            if not isinstance(targets, list):
                raise InputError(f"{entity.singular}.{link.name} is a list")
            inverse = find_inverse(entity, link)
            given = {} if inverse.many else {inverse.name: entity_id}
            ids = [find_or_create(writing.go_deeper(), link, one, given) for one in targets]
            link_many(writing, entity, entity_id, link, ids)
    if entity.name == "HistoricalLocations":
        follow_history(writing.connection, entity_id)
    return entity_id


def delete_entity(writing: Writing, set_name: str, entity_id: str) -> None:
    """Delete an entity with what cannot be without it (table 26); NotFoundError when there is none.

    Thing: its Datastreams and HistoricalLocations; Location: its HistoricalLocations; Sensor and ObservedProperty:
    their Datastreams; Datastream: its Observations; FeatureOfInterest: its Observations. A reading deleted alone or
    with its feature is withdrawn: nobody reads it any more, and the raw row stays.
    """
    entity, connection = ENTITIES[set_name], writing.connection
    require_entity(connection, entity, entity_id)
    if set_name == "Observations":
        withdraw_observation(writing, entity_id)
        return
    things: Sequence[str] = ()
    if set_name == "Locations":
        things = list_things_at(connection, entity_id)
        connection.execute(
            text(
                "delete from sensing.historical_location h using sensing.historical_location_location x "
                "where x.historical_location_id = h.id and x.location_id = :id"
            ),
            {"id": entity_id},
        )
    elif set_name == "FeaturesOfInterest":
        withdraw_of_feature(writing, entity_id)
    connection.execute(text(f"delete from {entity.table} where id = :id"), {"id": entity_id})
    if things:
        follow_locations(connection, things)


def find_target(connection: Connection, steps: Sequence[Step]) -> str:
    """Return the id of the one entity an address leads to; NotFoundError where it leads to none.

    Every step is checked: ``Things('a')/Datastreams('b')`` is none when b is another thing's.
    """
    first = steps[0]
    if first.key is None:
        raise InputError(f"which of the {first.entity.name}?", hint=f"write {first.entity.name}('id')")
    require_entity(connection, first.entity, first.key)
    entity, found = first.entity, first.key
    for step in steps[1:]:
        if step.many or step.link is None:
            raise InputError(f"which of the {step.entity.name}?", hint=f"write {step.entity.name}('id')")
        join = step.link.join.format(a="a", b="b")
        condition, key = entity.key.format(a="a"), step.entity.key.format(a="b")
        rows = connection.execute(
            text(
                f"select {key} from {entity.table} a join {step.entity.table} b on {join} where {condition} = :found "
                "and (cast(:key as text) is null or " + key + " = :key) limit 1"
            ),
            {"found": found, "key": step.key},
        )
        target = rows.scalar()
        if target is None:
            wanted = f" '{step.key}'" if step.key is not None else ""
            raise NotFoundError(f"{entity.singular} '{found}' has no {step.entity.singular}{wanted}")
        entity, found = step.entity, str(target)
    return found


def read_attributes(connection: Connection, set_name: str, entity_id: str) -> dict[str, Any]:
    """Return the attributes of an entity that can be written, as JSON, for a JSON Patch to change."""
    entity = ENTITIES[set_name]
    require_entity(connection, entity, entity_id)
    pairs = ", ".join(f"'{one.name}', {_write_value(one)}" for one in entity.attributes if one.column)
    condition = "a.id = :id"
    parameters: dict[str, Any] = {"id": entity_id}
    if set_name == "Observations":
        number, _, micros = entity_id.partition("_")
        condition = "a.datastream = :fid and a.phenomenon_time = 'epoch'::timestamptz + :at * interval '1 microsecond'"
        parameters = {"fid": int(number), "at": int(micros)}
    found = connection.execute(
        text(f"select json_build_object({pairs}) from {entity.table} a where {condition}"), parameters
    ).scalar_one()
    return dict(found)


def _write_value(attribute: Attribute) -> str:
    start = attribute.expression.format(a="a")
    if attribute.kind not in ("time", "interval"):
        return start
    written = f"to_char({start} at time zone 'UTC', '{_ISO}')"
    if attribute.end is None:
        return written
    end = attribute.end.format(a="a")
    stretch = f"{written} || '/' || to_char({end} at time zone 'UTC', '{_ISO}')"
    return f"case when {end} = {start} then {written} else {stretch} end"


_ISO = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'


def _write(connection: Connection, entity: Entity, entity_id: str, columns: Mapping[str, tuple[str, Any]]) -> None:
    assigned = ", ".join(f"{name} = {expression}" for name, (expression, _) in columns.items())
    values = {name: value for name, (_, value) in columns.items()}
    connection.execute(
        text(f"update {entity.table} set {assigned} where id = :entity_id"), {**values, "entity_id": entity_id}
    )


def _move_location(
    connection: Connection, entity: Entity, entity_id: str, columns: Mapping[str, tuple[str, Any]]
) -> None:
    """Write a Location whose place changes: what was read there stays of the old place, its things move along."""
    things = list_things_at(connection, entity_id)
    before = text("select location from sensing.location where id = :id")
    old = connection.execute(before, {"id": entity_id}).scalar_one()
    moved = settle_features(connection, things)
    _write(connection, entity, entity_id, columns)
    if connection.execute(before, {"id": entity_id}).scalar_one() != old:
        follow_locations(connection, things)
    ensure_features(connection, moved)

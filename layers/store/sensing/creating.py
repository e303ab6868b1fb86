"""Entities of SensorThings created: one, or a tree of them (deep insert), linked to what is there or to each other.

All of it happens in the caller's transaction: half a tree is never left. OGC 18-088, 10.2.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from layers.errors import ConflictError, InputError, NotFoundError
from layers.store.sensing.arrival import store_live
from layers.store.sensing.documents import (
    MAX_DEPTH,
    Document,
    find_inverse,
    read_document,
    require_all,
    write_columns,
)
from layers.store.sensing.entities import ENTITIES, Entity, Navigation
from layers.store.sensing.observing import Row, make_id, parse_id, read_observation
from layers.store.sensing.places import ensure_features, follow_history, place_thing


@dataclass(frozen=True, slots=True)
class Writing:
    """A change under way: on which connection, by whom, why, and how deep in a tree of entities it is."""

    connection: Connection
    author: str
    reason: str = ""
    depth: int = 0

    def go_deeper(self) -> "Writing":
        """Return the same change one level down; InputError below ``MAX_DEPTH``."""
        if self.depth >= MAX_DEPTH:
            raise InputError(f"entities lie in each other more than {MAX_DEPTH} deep")
        return Writing(self.connection, self.author, self.reason, self.depth + 1)


def create_entity(writing: Writing, set_name: str, sent: Any, given: Mapping[str, str] | None = None) -> str:
    """Create an entity with all it holds and return its id; ``given`` are the ids it is linked to by its address.

    Raises InputError naming what is missing or wrong, NotFoundError for a link to what is not there, ConflictError
    for an id that is taken.
    """
    entity, linked = ENTITIES[set_name], dict(given or {})
    if set_name == "Observations":
        return create_observations(writing, [sent], linked)[0]
    document = read_document(entity, sent)
    require_all(document, linked)
    below = writing.go_deeper()
    # What it hangs on comes first, what hangs on it afterwards.
    columns: dict[str, tuple[str, Any]] = {}
    for link in entity.navigations:
        if link.column is None:
            continue
        if link.name in linked:
            columns[link.column] = (f":{link.column}", linked[link.name])
        elif document.links.get(link.name) is not None:
            columns[link.column] = (f":{link.column}", find_or_create(below, link, document.links[link.name]))
    for name, value in document.attributes.items():
        attribute = entity.find_attribute(name)
        if attribute is not None and value is not None:
            columns |= write_columns(entity, attribute, value)
    if document.id is not None:
        columns["id"] = (":id", document.id)
    created = _insert(writing.connection, entity, columns)
    if set_name == "Datastreams":
        _complete_series(writing.connection, created)
    _create_lower(below, document, created)
    # Links of the address that are to many: a Location of a Thing, a HistoricalLocation of a Location.
    for link in entity.navigations:
        if link.many and link.name in linked:
            link_many(writing, entity, created, link, [linked[link.name]])
    if set_name == "HistoricalLocations":
        follow_history(writing.connection, created)
    return created


def find_or_create(writing: Writing, link: Navigation, sent: Any, given: Mapping[str, str] | None = None) -> str:
    """Return the id of the entity a document names with ``{"@iot.id": …}``, or creates in place."""
    target = ENTITIES[link.target]
    document = read_document(target, sent)
    if document.is_reference and document.id is not None:
        require_entity(writing.connection, target, document.id)
        return document.id
    return create_entity(writing, target.name, sent, given)


def require_entity(connection: Connection, entity: Entity, entity_id: str) -> None:
    """Raise NotFoundError unless there is such an entity."""
    if entity.name == "Observations":
        find_observation(connection, entity_id)
        return
    there = connection.execute(text(f"select 1 from {entity.table} where id = :id"), {"id": entity_id}).scalar()
    if there is None:
        raise NotFoundError(f"{entity.singular} '{entity_id}' does not exist")


def find_observation(connection: Connection, observation_id: str) -> tuple[str, int, datetime]:
    """Return series id, series number and time of a reading that is not withdrawn; NotFoundError without one."""
    parsed = parse_id(observation_id)
    series = None
    if parsed is not None:
        series = connection.execute(
            text(
                "select d.id from sensing.datastream d join sensing.reading r on r.datastream = d.fid "
                "where d.fid = :fid and r.phenomenon_time = :at"
            ),
            {"fid": parsed[0], "at": parsed[1]},
        ).scalar()
    if parsed is None or series is None:
        raise NotFoundError(f"Observation '{observation_id[:80]}' does not exist")
    return str(series), *parsed


def create_observations(writing: Writing, sent: Sequence[Any], given: Mapping[str, str]) -> list[str]:
    """Store Observations, each with its Datastream and what it is of, and return their ids in order."""
    below, now = writing.go_deeper(), datetime.now(UTC)
    entity = ENTITIES["Observations"]
    rows: list[Row] = []
    ids: list[str] = []
    for one in sent:
        document = read_document(entity, one)
        require_all(document, given)
        if "Datastream" in given:
            stream = given["Datastream"]
        else:
            link = entity.find_navigation("Datastream")
            assert link is not None
            stream = find_or_create(below, link, document.links["Datastream"])
        fid, usual = find_series(writing.connection, stream)
        row = read_observation({**one, "result": document.attributes.get("result")}, stream, now)
        feature = given.get("FeatureOfInterest")
        if feature is None and document.links.get("FeatureOfInterest") is not None:
            link = entity.find_navigation("FeatureOfInterest")
            assert link is not None
            feature = find_or_create(below, link, document.links["FeatureOfInterest"])
        if feature is not None and feature != usual:
            row["feature_of_interest_id"] = feature
        rows.append(row)
        ids.append(make_id(fid, row["phenomenon_time"]))
    store_live(writing.connection, rows, author=writing.author, **_why(writing))
    return ids


def find_series(connection: Connection, datastream_id: str) -> tuple[int, str | None]:
    """Return the number of a series and the feature its readings are of; NotFoundError when there is none.

    A series that has no feature of interest yet gets that of the place of its thing.
    """
    found = find_all_series(connection, [datastream_id]).get(datastream_id)
    if found is None:
        raise NotFoundError(f"Datastream '{datastream_id[:80]}' does not exist")
    return found


def find_all_series(connection: Connection, datastream_ids: Collection[str]) -> dict[str, tuple[int, str | None]]:
    """Return number and feature of interest of those series that are there, by id, as ``find_series`` does for one."""
    found = text("select id, fid, feature_of_interest_id from sensing.datastream where id = any(:ids)")
    rows = connection.execute(found, {"ids": list(datastream_ids)}).all()
    without = [row.fid for row in rows if row.feature_of_interest_id is None]
    if without:
        ensure_features(connection, without)
        rows = connection.execute(found, {"ids": list(datastream_ids)}).all()
    return {row.id: (int(row.fid), row.feature_of_interest_id) for row in rows}


def find_features(connection: Connection, feature_ids: Collection[str]) -> set[str]:
    """Return those ids that a feature of interest has."""
    if not feature_ids:
        return set()
    found = text("select id from sensing.feature_of_interest where id = any(:ids)")
    return set(connection.execute(found, {"ids": list(feature_ids)}).scalars())


def link_many(writing: Writing, entity: Entity, entity_id: str, link: Navigation, target_ids: Sequence[str]) -> None:
    """Link an entity to others by a link to many: those that are linked already stay so."""
    connection = writing.connection
    match entity.name, link.target:
        case "Things", "Locations":
            place_thing(connection, entity_id, target_ids)
        case "Locations", "Things":
            for thing in target_ids:
                place_thing(connection, thing, [entity_id])
        case ("HistoricalLocations", "Locations") | ("Locations", "HistoricalLocations"):
            own, other = "historical_location_id", "location_id"
            if entity.name == "Locations":
                own, other = other, own
            connection.execute(
                text(
                    f"insert into sensing.historical_location_location ({own}, {other}) "
                    "select :own, unnest(cast(:others as text[])) on conflict do nothing"
                ),
                {"own": entity_id, "others": list(target_ids)},
            )
        case _:
            target, inverse = ENTITIES[link.target], find_inverse(entity, link)
            if target.name == "Observations":
                raise InputError(
                    f"an Observation that is there cannot be moved to another {entity.singular}",
                    hint="create it where it belongs",
                )
            connection.execute(
                text(f"update {target.table} set {inverse.column} = :own where id = any(:others)"),
                {"own": entity_id, "others": list(target_ids)},
            )


def _complete_series(connection: Connection, datastream_id: str) -> None:
    """Let a new series watch what its sensor watches, and be of the place where its thing stands."""
    connection.execute(
        text(
            "update sensing.datastream d set watched_layer = s.watched_layer, watched_id = s.watched_id "
            "from sensing.thing t join city.sensors s on t.layer = 'sensors' and s.id = t.feature "
            "where d.id = :id and t.id = d.thing_id"
        ),
        {"id": datastream_id},
    )
    find_series(connection, datastream_id)


def _create_lower(writing: Writing, document: Document, created: str) -> None:
    """Create or link what the document holds behind its links to many, Locations first: features come of them."""
    entity = document.entity
    links = [(link, document.links[link.name]) for link in entity.navigations if document.links.get(link.name)]
    for link, sent in sorted((pair for pair in links if pair[0].many), key=lambda pair: pair[0].name != "Locations"):
        if not isinstance(sent, list):
            raise InputError(f"{entity.singular}.{link.name} is a list")
        inverse = find_inverse(entity, link)
        if link.target == "Observations":
            create_observations(writing, sent, {inverse.name: created})
            continue
        given = {} if inverse.many else {inverse.name: created}
        ids = [find_or_create(writing, link, one, given) for one in sent]
        link_many(writing, entity, created, link, ids)
        if link.target == "HistoricalLocations":
            for past in ids:
                follow_history(writing.connection, past)


def _insert(connection: Connection, entity: Entity, columns: Mapping[str, tuple[str, Any]]) -> str:
    if entity.name == "Datastreams" and "unit" not in columns:
        columns = {**columns, "unit": (":unit", "")}
    names = ", ".join(columns)
    values = ", ".join(expression for expression, _ in columns.values())
    parameters = {name: value for name, (_, value) in columns.items()}
    statement = f"insert into {entity.table} ({names}) values ({values}) returning id"
    if not columns:
        statement = f"insert into {entity.table} default values returning id"
    try:
        return str(connection.execute(text(statement), parameters).scalar_one())
    except IntegrityError as error:
        taken = parameters.get("id")
        if taken is None:
            raise
        raise ConflictError(
            f"{entity.singular} '{taken}' exists already", hint="choose another id, or PATCH it"
        ) from error


def _why(writing: Writing) -> dict[str, str]:
    return {"reason": writing.reason} if writing.reason else {}

"""Series: which thing measures what, in which unit, and which item of which layer it watches."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, text

from layers.errors import NotFoundError
from layers.quantities import QUANTITIES
from layers.store.sensing.places import ensure_features

_CF_NAMES = "http://mmisw.org/ont/cf/parameter/"
_COLUMNS = (
    "id, thing_id, observed_property, unit, title_vi, title_en, watched_layer, watched_id, interval_s, quality_tests"
)


@dataclass(frozen=True, slots=True)
class Datastream:
    """One series of a thing (``sensor_id``): what it measures, in which unit (UCUM).

    ``watched_layer`` and ``watched_id`` name the item the series speaks of; ``interval_s`` [s] is how often a reading
    is due; ``quality_tests`` holds the limits of the QARTOD tests, by test.
    """

    id: str
    sensor_id: str
    observed_property: str
    unit: str
    title_vi: str
    title_en: str
    watched_layer: str | None = None
    watched_id: str | None = None
    interval_s: float | None = None
    quality_tests: Mapping[str, Any] | None = None


def attach_sensors(connection: Connection) -> None:
    """Let every item of layer ``sensors`` be a thing, where it stands, from now on and for those there are."""
    connection.execute(
        text(
            "create or replace trigger follow_sensor after insert or update on city.sensors "
            "for each row execute function sensing.follow_sensor()"
        )
    )
    connection.execute(
        text(
            "select sensing.follow(s.id, s.name, s.kind, st_transform(s.geom, 4326), s.watched_layer, s.watched_id) "
            "from city.sensors s where not exists "
            "(select from sensing.thing t where t.id = s.id and t.layer = 'sensors' and t.geom is not null)"
        )
    )


def upsert_datastreams(connection: Connection, rows: Iterable[Datastream], source_id: str) -> int:
    """Insert or update series by id and return how many were given.

    A thing, a procedure or an observed property that is not there yet is entered under its id. A series that does not
    say what it watches watches what its sensor does, and its readings are of the place where its thing stands.
    """
    given = [{**asdict(row), "source_id": source_id} for row in rows]
    if not given:
        return 0
    for row in given:
        quantity = QUANTITIES.get(row["observed_property"])
        name = quantity.cf_standard_name if quantity else None
        row["definition"] = f"{_CF_NAMES}{name}" if name else ""
        row["quality_tests"] = None if row["quality_tests"] is None else orjson.dumps(row["quality_tests"]).decode()
    for statement in (
        "insert into sensing.thing (id, name) values (:sensor_id, :sensor_id) on conflict do nothing",
        "insert into sensing.observed_property (id, name, definition, description) "
        "values (:observed_property, :observed_property, :definition, :title_en) on conflict do nothing",
        "insert into sensing.sensor (id, name) values ('measures-' || :observed_property, "
        "'measures ' || :observed_property) on conflict do nothing",
        "insert into sensing.datastream (id, thing_id, sensor_id, observed_property, unit, title_vi, title_en, "
        "source_id, watched_layer, watched_id, interval_s, quality_tests) values (:id, :sensor_id, "
        "'measures-' || :observed_property, :observed_property, :unit, :title_vi, :title_en, :source_id, "
        "coalesce(:watched_layer, (select watched_layer from city.sensors where id = :sensor_id)), "
        "coalesce(:watched_id, (select watched_id from city.sensors where id = :sensor_id)), "
        ":interval_s, cast(:quality_tests as jsonb)) "
        "on conflict (id) do update set thing_id = excluded.thing_id, unit = excluded.unit, "
        "observed_property = excluded.observed_property, title_vi = excluded.title_vi, "
        "title_en = excluded.title_en, source_id = excluded.source_id, watched_layer = excluded.watched_layer, "
        "watched_id = excluded.watched_id, interval_s = coalesce(excluded.interval_s, datastream.interval_s), "
        "quality_tests = coalesce(excluded.quality_tests, datastream.quality_tests)",
    ):
        connection.execute(text(statement), given)
    fids = connection.execute(
        text("select fid from sensing.datastream where id = any(:ids) and feature_of_interest_id is null"),
        {"ids": [row["id"] for row in given]},
    )
    ensure_features(connection, list(fids.scalars()))
    return len(given)


def list_datastreams(connection: Connection, sensor_id: str | None = None) -> list[Datastream]:
    """Return all series, or those of one sensor, by id."""
    rows = connection.execute(
        text(
            f"select {_COLUMNS} from sensing.datastream "
            "where cast(:sensor_id as text) is null or thing_id = :sensor_id order by id"
        ),
        {"sensor_id": sensor_id},
    )
    return [Datastream(*row) for row in rows]


def read_datastream(connection: Connection, datastream_id: str) -> Datastream:
    """Return the series ``datastream_id``; NotFoundError when there is none."""
    row = connection.execute(
        text(f"select {_COLUMNS} from sensing.datastream where id = :id"), {"id": datastream_id}
    ).first()
    if row is None:
        raise NotFoundError(f"datastream '{datastream_id}' does not exist")
    return Datastream(*row)


def read_fid(connection: Connection, datastream_id: str) -> int:
    """Return the number readings know a series by; NotFoundError when there is none."""
    fid = connection.execute(text("select fid from sensing.datastream where id = :id"), {"id": datastream_id}).scalar()
    if fid is None:
        raise NotFoundError(f"datastream '{datastream_id}' does not exist")
    return int(fid)

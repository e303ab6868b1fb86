"""SQL of what subscribers are told: readings and entities the database got to know since the last look."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, text

from layers.store.sensing.entities import ENTITIES, Entity
from layers.store.sensing.sta_build import build_row
from layers.store.sensing.sta_request import Query
from layers.store.sensing.sta_terms import Statement

NAME = "mqtt"
LATE, OVERLAP, HISTORY = timedelta(seconds=60), timedelta(seconds=5), timedelta(days=1)
LONGEST_GAP = timedelta(hours=1)
# Written by a transaction that the last look could not see yet.
_UNSEEN = "(cast(:horizon as text) is null or age({row}.xmin) <= age(cast(:horizon as text)::xid))"
_READINGS = """
with fresh as (
    select o.datastream, o.phenomenon_time from sensing.observation o
    where o.stored > :floor and o.phenomenon_time > :oldest and {observation}
    union
    select c.datastream, c.phenomenon_time from sensing.correction c
    where c.stored > :floor and c.phenomenon_time > :oldest and {correction}
)
select d.id, r.stored::text as version, {row} from fresh join sensing.reading r using (datastream, phenomenon_time)
join sensing.datastream d on d.fid = r.datastream order by r.stored
"""

# A feature of interest is hidden where all that is measured of it is.
_HIDDEN = """
with hidden as materialized (
    select sensing.hidden_things() as things, sensing.hidden_locations() as locations, sensing.hidden_names() as streams
)
select things, locations, streams,
    (select array_agg(l.id) from sensing.historical_location l where l.thing_id = any (things)) as moves,
    (select array_agg(one) from (
        select d.feature_of_interest_id as one from sensing.datastream d where d.feature_of_interest_id in
            (select h.feature_of_interest_id from sensing.datastream h where h.id = any (streams))
        group by 1 having bool_and(d.id = any (streams))
    ) as features) as features
from hidden
"""


@dataclass(frozen=True, slots=True)
class Look:
    """Up to where was looked: the moment, and the oldest transaction then at work (None after a restart)."""

    moment: datetime
    horizon: str | None


class News(NamedTuple):
    """An entity that is new or changed: its set, its id or that of its datastream, what tells versions, its JSON.

    ``hidden``: it is of a guarded sensor.
    """

    entity: str
    key: str
    version: str
    document: str
    hidden: bool = False


def read_told(connection: Connection) -> Look:
    """Return up to where subscribers were told; the present on the first call, at most an hour back after a stop."""
    row = connection.execute(
        text(
            "insert into sensing.told (name, until) values (:name, clock_timestamp()) "
            "on conflict (name) do update set until = greatest(told.until, clock_timestamp() - :gap) returning until"
        ),
        {"name": NAME, "gap": LONGEST_GAP},
    )
    return Look(row.scalar_one() - OVERLAP, None)


def write_told(connection: Connection, look: Look) -> None:
    """Write down up to where subscribers were told."""
    connection.execute(
        text("update sensing.told set until = :until where name = :name"), {"name": NAME, "until": look.moment}
    )


def look_ahead(connection: Connection) -> Look:
    """Return the present: a look after this one sees what it sees."""
    row = connection.execute(
        text("select clock_timestamp() as moment, pg_snapshot_xmin(pg_current_snapshot())::xid::text as horizon")
    ).one()
    return Look(row.moment, row.horizon)


def select_news(connection: Connection, last: Look) -> list[News]:
    """Return readings and entities written since ``last``, in the order the database got to know them.

    Some come again. Not told: readings of more than a day before they were stored (history that is loaded), and those
    of a transaction longer than a minute.
    """
    floor = last.moment - LATE if last.horizon is not None else last.moment
    given = {"horizon": last.horizon, "floor": floor, "oldest": floor - HISTORY}
    row = build_row(Statement(), ENTITIES["Observations"], "r", Query(), 1)[0]
    statement = _READINGS.format(
        observation=_UNSEEN.format(row="o"), correction=_UNSEEN.format(row="c"), row=row.removesuffix(" as j")
    )
    hidden = _read_hidden(connection)
    news = [News("Observations", *one) for one in connection.execute(text(statement), given)]
    if last.horizon is not None:
        for entity in ENTITIES.values():
            if entity.name != "Observations":
                news += _select_entities(connection, entity, last.horizon)
    return [one._replace(hidden=one.key in hidden.get(one.entity, ())) for one in news]


def _read_hidden(connection: Connection) -> dict[str, frozenset[str]]:
    """Return the keys of entities that belong to guarded sensors."""
    row = connection.execute(text(_HIDDEN)).one()
    things, locations, streams, moves, features = (frozenset(keys or ()) for keys in row)
    return {
        "Things": things, "Locations": locations, "Datastreams": streams, "Observations": streams,
        "HistoricalLocations": moves, "FeaturesOfInterest": features,
    }  # fmt: skip


def _select_entities(connection: Connection, entity: Entity, horizon: str) -> list[News]:
    row = build_row(Statement(), entity, "r", Query(), 1)[0].removesuffix(" as j")
    key = entity.key.replace("{a}", "r")
    rows = connection.execute(
        text(f"select {key}, r.xmin::text, {row} from {entity.table} r where {_UNSEEN.format(row='r')}"),
        {"horizon": horizon},
    )
    return [News(entity.name, *one) for one in rows]

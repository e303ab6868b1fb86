"""SQL of following: what became known since, up to where nothing older can still come, and who follows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

import psycopg
from sqlalchemy import Connection, text

from twin.alarms.applying import Series
from twin.alarms.state import Reading

# A row is dated a moment before its transaction can be seen to write.
MARGIN_S = 0.2
_LONGEST_AGE = "interval '2 days'"
_LOCK = 5_018_002
_CHANNELS = ("reading", "alarm_rule", "alarm")


def list_series(connection: Connection) -> list[Series]:
    """Return every series with what it watches and the ward it lies in."""
    rows = connection.execute(
        text(
            "select d.id, d.thing_id, t.kind, d.observed_property, d.watched_layer, d.watched_id, w.ward_code "
            "from sensing.datastream d join sensing.thing t on t.id = d.thing_id left join lateral ("
            "select ward_code from city.wards c where st_intersects(c.geom, "
            "st_transform(st_centroid(t.geom), (select srid from meta.city))) order by id limit 1) w on true "
            "order by d.id"
        )
    )
    return [Series(*row) for row in rows]


def read_safe_moment(connection: Connection, longest_writer_s: float) -> tuple[datetime, datetime]:
    """Return the moment before which nothing can be stored any more: no open transaction that writes is older.

    And the same without those that write for longer than ``longest_writer_s`` [s]: nobody waits for them.
    """
    row = connection.execute(
        text(
            "select least(now.at, min(xact_start)) as safe, "
            "greatest(least(now.at, min(xact_start)), now.at - make_interval(secs => :longest)) as clock "
            "from (select clock_timestamp() - make_interval(secs => :margin) as at) now left join pg_stat_activity "
            "on datname = current_database() and backend_xid is not null and pid <> pg_backend_pid() group by now.at"
        ),
        {"margin": MARGIN_S, "longest": longest_writer_s},
    ).one()
    return row.safe, row.clock


def select_arrivals(
    connection: Connection, series: Sequence[str], since: datetime, before: datetime, *, limit: int
) -> tuple[list[Reading], datetime | None]:
    """Return readings and corrections stored at ``since`` ≤ time < ``before``, and where to go on when there are more.

    At most ``limit`` of them; what was stored at one moment stays together. What was already two days old when it came
    is left out: it is history, not news.
    """
    rows = connection.execute(
        text(
            "select d.id, extract(epoch from n.phenomenon_time)::double precision as time, n.stored, "
            "extract(epoch from n.stored)::double precision as known, n.result, n.quality from ("
            "select o.datastream, o.phenomenon_time, o.stored, o.result, o.quality from sensing.observation o "
            f"where {_window('o')} and o.withdrawn is null "
            "union all select c.datastream, c.phenomenon_time, c.stored, c.result, o.quality from sensing.correction c "
            "join sensing.observation o using (datastream, phenomenon_time) "
            f"where {_window('c')} and c.revision = o.revision and o.withdrawn is null) n "
            "join sensing.datastream d on d.fid = n.datastream where d.id = any(:series) "
            "order by n.stored, n.phenomenon_time limit :limit"
        ),
        {"since": since, "before": before, "series": list(series), "limit": limit},
    ).all()
    more: datetime | None = None
    if len(rows) == limit and rows[-1].stored > since:
        more = rows[-1].stored
        rows = [row for row in rows if row.stored < more]
    return [Reading(row.id, row.time, row.known, row.result, row.quality) for row in rows], more


def _window(table: str) -> str:
    return (
        f"{table}.stored >= :since and {table}.stored < :before "
        f"and {table}.phenomenon_time >= cast(:since as timestamptz) - {_LONGEST_AGE}"
    )


def select_recent(connection: Connection, series: Sequence[str], since: datetime, before: datetime) -> list[Reading]:
    """Return readings that speak of ``since`` or later and were stored before ``before``, for what just begins."""
    rows = connection.execute(
        text(
            "select d.id, extract(epoch from r.phenomenon_time)::double precision as time, "
            "extract(epoch from r.stored)::double precision as known, r.result, r.quality from sensing.reading r "
            "join sensing.datastream d on d.fid = r.datastream where d.id = any(:series) "
            "and r.phenomenon_time >= :since and r.stored < :before order by r.phenomenon_time"
        ),
        {"series": list(series), "since": since, "before": before},
    )
    return [Reading(row.id, row.time, row.known, row.result, row.quality) for row in rows]


def read_cursor(connection: Connection, name: str) -> datetime | None:
    """Return how far ``name`` was followed."""
    found: datetime | None = connection.execute(
        text("select position from alarm.cursor where name = :name"), {"name": name}
    ).scalar()
    return found


def write_cursor(connection: Connection, name: str, position: datetime) -> None:
    """Remember how far ``name`` was followed."""
    connection.execute(
        text(
            "insert into alarm.cursor (name, position) values (:name, :position) "
            "on conflict (name) do update set position = excluded.position"
        ),
        {"name": name, "position": position},
    )


ListenerError = psycopg.OperationalError


class Listener:
    """A connection that hears of new readings and changed rules, and holds the right to be the one that watches."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True, application_name="twin-alarms")
        for channel in _CHANNELS:
            self._connection.execute(f"listen {channel}".encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        """End the connection, and with it the right to watch."""
        self._connection.close()

    def become_watcher(self) -> bool:
        """Return whether no other process watches; from now on this one does."""
        row = self._connection.execute("select pg_try_advisory_lock(%s)", (_LOCK,)).fetchone()
        return bool(row and row[0])

    def wait(self, timeout_s: float) -> set[str]:
        """Return the channels that were heard, as soon as one is or after ``timeout_s`` [s]."""
        heard = {one.channel for one in self._connection.notifies(timeout=timeout_s, stop_after=1)}
        return heard | {one.channel for one in self._connection.notifies(timeout=0)}

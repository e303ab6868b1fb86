"""What changed: the newest reading of each series that got to the database after a moment, or after the last look."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

_CHANGES = """
select d.id, d.thing_id, t.kind, d.observed_property, d.unit, l.result, l.value,
    l.phenomenon_time, l.quality, (extract(epoch from l.stored) * 1000000)::bigint,
    st_x(st_centroid(t.geom)), st_y(st_centroid(t.geom)),
    d.id = any ((select sensing.hidden_names())::text[])
from sensing.latest l join sensing.datastream d on d.fid = l.datastream join sensing.thing t on t.id = d.thing_id
where {condition} order by l.stored
"""
_STORED_AFTER = _CHANGES.format(condition="l.stored > %s")
# Written by a transaction that the last look could not see yet; age() counts transactions back, also past a wraparound.
_UNSEEN = _CHANGES.format(condition="age(l.xmin) <= age(cast(%s as text)::xid)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Change:
    """The newest reading of a series; ``stored`` [µs since 1970 UTC] is when the database got to know it.

    ``phenomenon_time`` is ISO 8601 in UTC; ``lon`` and ``lat`` [°] are None for a thing without a place. ``hidden``
    marks one of a sensor that is for few.
    """

    datastream_id: str
    sensor_id: str
    kind: str | None
    observed_property: str
    unit: str
    result: Any
    phenomenon_time: str
    quality: int
    stored: int
    lon: float | None
    lat: float | None
    hidden: bool = False


async def select_changes(connection: AsyncConnection[TupleRow], since: int) -> list[Change]:
    """Return the series whose newest reading was stored after ``since`` [µs since 1970 UTC], in that order."""
    return await _select(connection, _STORED_AFTER, _EPOCH + timedelta(microseconds=since))


async def select_unseen(connection: AsyncConnection[TupleRow], horizon: str) -> list[Change]:
    """Return the series whose newest reading was written by a transaction that was not over at ``horizon``.

    Nothing that commits late is missed; what was seen at the horizon's look may come once more.
    """
    return await _select(connection, _UNSEEN, horizon)


async def read_clock(connection: AsyncConnection[TupleRow]) -> int:
    """Return what the database's clock says [µs since 1970 UTC]: it stamps what is stored."""
    row = await (
        await connection.execute("select (extract(epoch from clock_timestamp()) * 1000000)::bigint")
    ).fetchone()
    assert row is not None
    return int(row[0])


async def read_horizon(connection: AsyncConnection[TupleRow]) -> str:
    """Return the oldest transaction that is still at work: a look after this one sees what it sees."""
    row = await (await connection.execute("select pg_snapshot_xmin(pg_current_snapshot())::xid::text")).fetchone()
    assert row is not None
    return str(row[0])


async def _select(connection: AsyncConnection[TupleRow], statement: str, after: object) -> list[Change]:
    cursor = await connection.execute(statement, (after,), prepare=True, binary=True)
    return [
        Change(
            row[0], row[1], row[2], row[3], row[4], row[5] if row[6] is None else row[6],
            row[7].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), row[8], row[9], row[10], row[11], row[12],
        )
        for row in await cursor.fetchall()
    ]  # fmt: skip


async def follow_notices(url: str, channels: tuple[str, ...], wait: float) -> AsyncGenerator[list[tuple[str, str]]]:
    """Yield what was notified on ``channels`` as (channel, payload), and none after ``wait`` [s] of silence."""
    listener = await AsyncConnection.connect(url, autocommit=True, application_name="twin events")
    async with listener:
        for channel in channels:
            await listener.execute(f'listen "{channel}"')
        yield []
        while True:
            notices = [(note.channel, note.payload) async for note in listener.notifies(timeout=wait, stop_after=1)]
            # What came with it is read before the next wait.
            notices += [(note.channel, note.payload) async for note in listener.notifies(timeout=0.0)]
            yield notices

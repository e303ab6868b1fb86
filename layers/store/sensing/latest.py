"""The newest of everything: every thing where it stands, with the latest reading of each of its series."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from sqlalchemy import Connection

from layers.errors import InputError
from layers.registry import read_vector_layer
from layers.store.mercator import Bounds, cut_mercator_boxes

_SELECT = """
select t.id, t.name, t.kind, s.alarm_1, s.alarm_2, s.alarm_3, st_x(p.point), st_y(p.point),
    d.id, d.observed_property, d.unit, d.title_vi, d.title_en,
    l.result, l.value, extract(epoch from l.phenomenon_time)::double precision, l.quality, d.fid
from sensing.thing t
cross join lateral (
    select case when geometrytype(t.geom) = 'POINT' then t.geom else st_centroid(t.geom) end as point
) p
left join city.sensors s on t.layer = 'sensors' and s.id = t.feature
left join sensing.datastream d on d.thing_id = t.id
left join sensing.latest l on l.datastream = d.fid
where {conditions} order by t.id, d.fid
"""
# Whatever changes a row gives it another transaction's number; that of a row gone leaves the sum.
_TOKENS = """
select (select sum(xmin::text::bigint) from sensing.latest)::text,
    concat_ws('-', (select sum(xmin::text::bigint) from sensing.datastream),
    (select sum(xmin::text::bigint) from sensing.thing),
    (select version from meta.layer_version where layer = 'sensors'))
"""
_READINGS = """
select datastream, result, value, extract(epoch from phenomenon_time)::double precision, quality from sensing.latest
"""
Query = tuple[str, dict[str, object]]


@dataclass(frozen=True, slots=True)
class LatestRow:
    """A sensor, where it stands (CRS84) and the latest reading of each of its datastreams.

    Each entry of ``datastreams`` has id, observed_property, unit, title_vi, title_en, result, phenomenon_time
    (ISO-8601 UTC or None), quality.
    """

    sensor_id: str
    name: str
    kind: str | None
    alarm_1: float | None
    alarm_2: float | None
    alarm_3: float | None
    lon: float
    lat: float
    datastreams: list[dict[str, Any]]


def build_latest_query(
    *, bbox_crs84: Bounds | None = None, kind: str | None = None, since: datetime | None = None
) -> Query:
    """Return the statement for every sensor and series, one row each, and its parameters.

    ``bbox_crs84`` (west, south, east, north; west > east crosses the antimeridian) and ``kind`` choose sensors;
    ``since`` keeps those with a reading at or after it. Raises InputError for a kind that sensors cannot have.
    """
    conditions, parameters = ["t.geom is not null"], dict[str, object]()
    if bbox_crs84 is not None:
        # In EPSG:3857, where the whole world has coordinates; in the city's own CRS it has none.
        boxes = []
        for place, corners in enumerate(cut_mercator_boxes(bbox_crs84)):
            names = [f"{side}{place}" for side in "wsen"]
            parameters.update(zip(names, corners, strict=True))
            boxes.append(f"t.geom_3857 && st_makeenvelope({', '.join(f'%({name})s' for name in names)}, 3857)")
        conditions.append(f"({' or '.join(boxes)})")
    if kind is not None:
        check_kind(kind)
        conditions.append("t.kind = %(kind)s")
        parameters["kind"] = kind
    if since is not None:
        conditions.append(
            "exists (select from sensing.datastream o join sensing.latest n on n.datastream = o.fid "
            "where o.thing_id = t.id and n.phenomenon_time >= %(since)s)"
        )
        parameters["since"] = since
    return _SELECT.format(conditions=" and ".join(conditions)), parameters


def select_latest(
    connection: Connection,
    *,
    bbox_crs84: Bounds | None = None,
    kind: str | None = None,
    since: datetime | None = None,
) -> list[LatestRow]:
    """Return every sensor with the latest reading of its datastreams; options as of ``build_latest_query``."""
    statement, parameters = build_latest_query(bbox_crs84=bbox_crs84, kind=kind, since=since)
    return group_latest(tuple(row) for row in connection.exec_driver_sql(statement, parameters))


async def read_latest(connection: AsyncConnection[TupleRow], query: Query) -> list[TupleRow]:
    """Return the rows of a query that ``build_latest_query`` built."""
    cursor = await connection.execute(*query, prepare=True, binary=True)
    return await cursor.fetchall()


async def read_latest_readings(
    connection: AsyncConnection[TupleRow], fids: list[int] | None
) -> dict[int, tuple[float | None, Any, float, int]]:
    """Return the newest of all series, or of those ``fids`` name: result, value, time [s since 1970 UTC], quality."""
    chosen, parameters = ("", ()) if fids is None else (" where datastream = any(%s)", (fids,))
    cursor = await connection.execute(_READINGS + chosen, parameters, prepare=True, binary=True)
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in await cursor.fetchall()}


async def read_latest_tokens(connection: AsyncConnection[TupleRow]) -> tuple[str, str]:
    """Return two marks: one changes whenever a reading does, the other when a series or a sensor does."""
    row = await (await connection.execute(_TOKENS, prepare=True)).fetchone()
    return ("", "") if row is None else (str(row[0]), str(row[1]))


def group_latest(rows: Iterable[TupleRow]) -> list[LatestRow]:
    """Return sensors with their series from rows of one series each."""
    moments: dict[float | None, str | None] = {None: None}
    grouped = []
    for _, same in groupby(rows, itemgetter(0)):
        streams: list[dict[str, Any]] = []
        for row in same:
            if row[8] is None:
                continue
            at = row[15]
            if at not in moments:
                moments[at] = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            streams.append(
                {
                    "id": row[8],
                    "observed_property": row[9],
                    "unit": row[10],
                    "title_vi": row[11],
                    "title_en": row[12],
                    "result": row[13] if row[14] is None else row[14],
                    "phenomenon_time": moments[at],
                    "quality": row[16],
                }
            )
        sensor_id, name, kind, alarm_1, alarm_2, alarm_3, lon, lat = row[:8]
        grouped.append(LatestRow(sensor_id, name, kind, alarm_1, alarm_2, alarm_3, lon, lat, streams))
    return grouped


def check_kind(kind: str) -> None:
    """Raise InputError for a kind that sensors cannot have."""
    declared = read_vector_layer("sensors").find("kind")
    known = [code.value for code in declared.codes] if declared else []
    if kind not in known:
        raise InputError(f"there is no kind '{kind[:80]}' of sensor", hint=f"one of {', '.join(known)}")

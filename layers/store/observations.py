"""Series and readings: idempotent batches into monthly partitions, the latest of everything, ranges for charts."""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from layers.errors import InputError, NotFoundError
from layers.registry import read_vector_layer
from layers.store.mercator import cut_mercator_boxes

MISSING, NOT_EVALUATED = 9, 2
_STAGE = "incoming_observation"


@dataclass(frozen=True, slots=True)
class Datastream:
    """One series: what a sensor measures, in which unit (UCUM)."""

    id: str
    sensor_id: str
    observed_property: str
    unit: str
    title_vi: str
    title_en: str


@dataclass(frozen=True, slots=True)
class ObservationCounts:
    """What a batch did; ``repeated`` rows named a datastream and time that a later row of the batch names again."""

    new: int
    changed: int
    unchanged: int
    repeated: int


@dataclass(frozen=True, slots=True)
class Observations:
    """A range of one series: ``times`` [s since 1970 UTC], ``results`` (NaN missing), ``qualities`` (QARTOD flags)."""

    times: NDArray[np.float64]
    results: NDArray[np.float64]
    qualities: NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class LatestRow:
    """A sensor, where it stands (CRS84) and the latest reading of each of its datastreams.

    Each entry of ``datastreams`` has id, observed_property, unit, title_vi, title_en, result, phenomenon_time
    (ISO-8601 UTC or None), quality.
    """

    sensor_id: str
    name: str
    kind: str
    alarm_1: float | None
    alarm_2: float | None
    alarm_3: float | None
    lon: float
    lat: float
    datastreams: list[dict[str, Any]]


def upsert_datastreams(connection: Connection, rows: Iterable[Datastream], source_id: str) -> int:
    """Insert or update series by id and return how many were given."""
    given = [
        {
            "id": row.id,
            "sensor_id": row.sensor_id,
            "observed_property": row.observed_property,
            "unit": row.unit,
            "title_vi": row.title_vi,
            "title_en": row.title_en,
            "source_id": source_id,
        }
        for row in rows
    ]
    if given:
        connection.execute(
            text(
                "insert into sensing.datastream "
                "(id, sensor_id, observed_property, unit, title_vi, title_en, source_id) values "
                "(:id, :sensor_id, :observed_property, :unit, :title_vi, :title_en, :source_id) "
                "on conflict (id) do update set sensor_id = excluded.sensor_id, unit = excluded.unit, "
                "observed_property = excluded.observed_property, title_vi = excluded.title_vi, "
                "title_en = excluded.title_en, source_id = excluded.source_id"
            ),
            given,
        )
    return len(given)


def insert_observations(connection: Connection, frame: pd.DataFrame) -> ObservationCounts:
    """Insert or correct readings and keep ``sensing.latest``; the same batch twice changes nothing.

    ``frame``: datastream_id, phenomenon_time (UTC-aware), result (NaN or infinite = missing) and, if it likes,
    quality. Months without a partition get one. Raises NotFoundError for a datastream that is not known and
    InputError for a row without time.
    """
    if frame.empty:
        return ObservationCounts(0, 0, 0, 0)
    batch, repeated = _prepare(frame)
    _ensure_partitions(connection, batch["phenomenon_time"])
    _copy_to_stage(connection, batch)
    unknown = connection.execute(
        text(
            f"select distinct datastream_id from {_STAGE} s where not exists "
            "(select 1 from sensing.datastream d where d.id = s.datastream_id) order by 1 limit 5"
        )
    ).scalars()
    names = ", ".join(f"'{name}'" for name in unknown)
    if names:
        raise NotFoundError(f"no datastream called {names}", hint="load the table of datastreams first")
    counted = connection.execute(
        text(
            "select count(*) filter (where o.datastream is null) as new, "
            "count(*) filter (where o.datastream is not null and "
            "(o.result, o.quality) is distinct from (s.result, s.quality)) as changed "
            f"from {_STAGE} s join sensing.datastream d on d.id = s.datastream_id "
            "left join sensing.observation o on o.datastream = d.fid and o.phenomenon_time = s.phenomenon_time"
        )
    ).one()
    if counted.new + counted.changed:
        _merge_stage(connection)
    connection.execute(text(f"drop table {_STAGE}"))
    return ObservationCounts(counted.new, counted.changed, len(batch) - counted.new - counted.changed, repeated)


def select_observations(
    connection: Connection, datastream_id: str, start: datetime, end: datetime, max_points: int | None = None
) -> Observations:
    """Return the readings of ``start`` ≤ time ≤ ``end`` in order.

    ``max_points`` thins a long range: of each of max_points/2 equal spans the lowest and highest reading remain, so
    that no peak is lost. Raises NotFoundError for an unknown datastream.
    """
    fid = connection.execute(text("select fid from sensing.datastream where id = :id"), {"id": datastream_id}).scalar()
    if fid is None:
        raise NotFoundError(f"datastream '{datastream_id}' does not exist")
    rows = connection.execute(
        text(
            "select extract(epoch from phenomenon_time)::double precision as at, result, quality "
            "from sensing.observation where datastream = :fid and phenomenon_time between :start and :end "
            "order by phenomenon_time"
        ),
        {"fid": fid, "start": start, "end": end},
    ).all()
    times = np.array([row.at for row in rows], dtype=np.float64)
    results = np.array([row.result for row in rows], dtype=np.float64)
    qualities = np.array([row.quality for row in rows], dtype=np.int16)
    if max_points is not None and len(times) > max_points:
        kept = _thin(times, results, max_points)
        times, results, qualities = times[kept], results[kept], qualities[kept]
    return Observations(times, results, qualities)


def read_extent(connection: Connection, datastream_id: str) -> tuple[datetime, datetime] | None:
    """Return the times of the first and last reading of a series, or None when it has none."""
    row = connection.execute(
        text(
            "select min(o.phenomenon_time) as first, max(o.phenomenon_time) as last from sensing.observation o "
            "join sensing.datastream d on d.fid = o.datastream where d.id = :id"
        ),
        {"id": datastream_id},
    ).one()
    return None if row.first is None else (row.first, row.last)


def list_datastreams(connection: Connection, sensor_id: str | None = None) -> list[Datastream]:
    """Return all series, or those of one sensor, by id."""
    rows = connection.execute(
        text(
            "select id, sensor_id, observed_property, unit, title_vi, title_en from sensing.datastream "
            "where cast(:sensor_id as text) is null or sensor_id = :sensor_id order by id"
        ),
        {"sensor_id": sensor_id},
    )
    return [Datastream(*row) for row in rows]


def read_datastream(connection: Connection, datastream_id: str) -> Datastream:
    """Return the series ``datastream_id``; NotFoundError when there is none."""
    row = connection.execute(
        text(
            "select id, sensor_id, observed_property, unit, title_vi, title_en from sensing.datastream where id = :id"
        ),
        {"id": datastream_id},
    ).first()
    if row is None:
        raise NotFoundError(f"datastream '{datastream_id}' does not exist")
    return Datastream(*row)


def select_latest(
    connection: Connection,
    *,
    bbox_crs84: tuple[float, float, float, float] | None = None,
    kind: str | None = None,
    since: datetime | None = None,
) -> list[LatestRow]:
    """Return every sensor with the latest reading of its datastreams.

    ``bbox_crs84`` (west, south, east, north; west > east crosses the antimeridian) and ``kind`` choose sensors;
    ``since`` keeps those with a reading at or after it. Raises InputError for a kind that sensors cannot have.
    """
    conditions, parameters = ["true"], dict[str, object]()
    if bbox_crs84 is not None:
        # In EPSG:3857, where the whole world has coordinates; in the city's own CRS it has none.
        boxes = []
        for place, corners in enumerate(cut_mercator_boxes(bbox_crs84)):
            names = [f"{side}{place}" for side in "wsen"]
            parameters.update(zip(names, corners, strict=True))
            boxes.append(f"s.geom_3857 && st_makeenvelope({', '.join(f':{name}' for name in names)}, 3857)")
        conditions.append(f"({' or '.join(boxes)})")
    if kind is not None:
        _check_kind(kind)
        conditions.append("s.kind = :kind")
        parameters["kind"] = kind
    having = ""
    if since is not None:
        having = "having max(l.phenomenon_time) >= :since"
        parameters["since"] = since
    rows = connection.execute(
        text(
            "select s.id as sensor_id, s.name, s.kind, s.alarm_1, s.alarm_2, s.alarm_3, "
            "st_x(st_transform(s.geom, 4326)) as lon, st_y(st_transform(s.geom, 4326)) as lat, "
            "coalesce(json_agg(json_build_object('id', d.id, 'observed_property', d.observed_property, "
            "'unit', d.unit, 'title_vi', d.title_vi, 'title_en', d.title_en, 'result', l.result, 'phenomenon_time', "
            "to_char(l.phenomenon_time at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), 'quality', l.quality) "
            "order by d.id) filter (where d.id is not null), '[]'::json) as datastreams "
            "from city.sensors s left join sensing.datastream d on d.sensor_id = s.id "
            "left join sensing.latest l on l.datastream = d.fid "
            f"where {' and '.join(conditions)} group by s.fid {having} order by s.id"
        ),
        parameters,
    )
    return [LatestRow(*row) for row in rows]


def _check_kind(kind: str) -> None:
    declared = read_vector_layer("sensors").find("kind")
    known = [code.value for code in declared.codes] if declared else []
    if kind not in known:
        raise InputError(f"there is no kind '{kind[:80]}' of sensor", hint=f"one of {', '.join(known)}")


def _prepare(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Return the batch with all columns, one row a datastream and time (the last given wins), and the rest's count."""
    times = pd.to_datetime(frame["phenomenon_time"], utc=True)
    if times.isna().any():
        row = int(np.flatnonzero(times.isna().to_numpy())[0])
        raise InputError(f"observation {row + 1} of '{frame['datastream_id'].iloc[row]}' has no phenomenon_time")
    results = pd.to_numeric(frame["result"]).astype(float).to_numpy(copy=True)
    results[~np.isfinite(results)] = np.nan
    given = frame["quality"].to_numpy() if "quality" in frame.columns else np.full(len(frame), NOT_EVALUATED)
    batch = pd.DataFrame(
        {
            "datastream_id": frame["datastream_id"].astype(str).to_numpy(),
            "phenomenon_time": times.to_numpy(),
            "result": results,
            "quality": np.where(np.isnan(results), MISSING, given).astype(int),
        }
    )
    kept = batch.drop_duplicates(["datastream_id", "phenomenon_time"], keep="last")
    return kept, len(batch) - len(kept)


def _ensure_partitions(connection: Connection, times: "pd.Series[Any]") -> None:
    moments = pd.DatetimeIndex(times)
    for year, month in sorted(set(zip(moments.year.tolist(), moments.month.tolist(), strict=True))):
        name = f"observation_{year:04d}_{month:02d}"
        if connection.execute(text("select to_regclass(:name)"), {"name": f"sensing.{name}"}).scalar():
            continue
        start = datetime(year, month, 1, tzinfo=UTC)
        end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
        # Two loaders may meet at the turn of the month; the second waits here and then finds the table.
        connection.execute(text("select pg_advisory_xact_lock(hashtext('sensing.observation'))"))
        connection.execute(
            text(
                f"create table if not exists sensing.{name} partition of sensing.observation "
                f"for values from ('{start.isoformat()}') to ('{end.isoformat()}')"
            )
        )


def _copy_to_stage(connection: Connection, batch: pd.DataFrame) -> None:
    connection.execute(text(f"drop table if exists {_STAGE}"))
    connection.execute(
        text(
            f"create temporary table {_STAGE} (datastream_id text, phenomenon_time timestamptz, "
            "result double precision, quality smallint) on commit drop"
        )
    )
    buffer = io.StringIO()
    batch.to_csv(buffer, index=False, header=False, na_rep="\\N", date_format="%Y-%m-%dT%H:%M:%S.%f+00")
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor, cursor.copy(f"copy {_STAGE} from stdin with (format csv, null '\\N')") as copy:
        copy.write(buffer.getvalue())
    connection.execute(text(f"analyze {_STAGE}"))


def _merge_stage(connection: Connection) -> None:
    """Write readings and their latest in one statement, so that the two can never differ."""
    connection.execute(
        text(
            "with incoming as (select d.fid as datastream, s.phenomenon_time, s.result, s.quality "
            f"from {_STAGE} s join sensing.datastream d on d.id = s.datastream_id), "
            "merged as (insert into sensing.observation as o (datastream, phenomenon_time, result, quality) "
            "select * from incoming order by datastream, phenomenon_time "
            "on conflict (datastream, phenomenon_time) do update set result = excluded.result, "
            "quality = excluded.quality, result_time = now() "
            "where (o.result, o.quality) is distinct from (excluded.result, excluded.quality)), "
            "newest as (select distinct on (datastream) * from incoming where result is not null "
            "order by datastream, phenomenon_time desc) "
            "insert into sensing.latest as l (datastream, phenomenon_time, result, quality) select * from newest "
            "on conflict (datastream) do update set phenomenon_time = excluded.phenomenon_time, "
            "result = excluded.result, quality = excluded.quality "
            "where excluded.phenomenon_time >= l.phenomenon_time"
        )
    )


def _thin(times: NDArray[np.float64], results: NDArray[np.float64], max_points: int) -> NDArray[np.int64]:
    """Return positions of the lowest and highest reading of each span, in order."""
    spans = max(max_points // 2, 1)
    span = np.minimum(((times - times[0]) / max(times[-1] - times[0], 1.0) * spans).astype(np.int64), spans - 1)
    order = np.lexsort((results, span))
    first = np.flatnonzero(np.r_[True, np.diff(span[order]) > 0])
    # NaN sorts last within its span, so the highest is the last finite one.
    finite = np.isfinite(results[order])
    last_finite = np.maximum.accumulate(np.where(finite, np.arange(len(order)), -1))
    ends = np.r_[first[1:], len(order)] - 1
    last = np.maximum(last_finite[ends], first)
    return np.unique(order[np.r_[first, last]])

"""SQL of forecasts: issues kept with their quantiles, the newest of all, what was said of a time that has come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from layers.errors import NotFoundError

Floats = NDArray[np.float64]

QUANTILES = ("q05", "q10", "q25", "q50", "q75", "q90", "q95")
_ISSUE = "i.id, d.id as datastream_id, i.issue_time, i.origin, i.model, i.parameters, i.skill, i.created"
_VALUES = ", ".join(QUANTILES)


@dataclass(frozen=True, slots=True)
class Issue:
    """One forecast as it was issued, without its values; ``origin`` is the newest reading it knew."""

    id: int
    datastream_id: str
    issue_time: datetime
    origin: datetime
    model: str
    parameters: dict[str, Any]
    skill: dict[str, Any]
    created: datetime


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """times [s, UTC epoch] (n,); quantiles (n, 7); warning, tide (n,), NaN without; in the unit of the series."""

    times: Floats
    quantiles: Floats
    warning: Floats
    tide: Floats


@dataclass(frozen=True, slots=True)
class StageGauge:
    """A series of stages: its sensor with name, latitude [°] and alarm levels [m], its newest reading."""

    datastream_id: str
    sensor_id: str
    name: str
    latitude: float | None
    alarm_levels: tuple[float | None, float | None, float | None]
    newest: datetime


def keep_issue(
    connection: Connection,
    datastream_id: str,
    *,
    issue_time: datetime,
    origin: datetime,
    model: str,
    parameters: Mapping[str, Any],
    skill: Mapping[str, Any],
    values: Values,
) -> tuple[int, bool]:
    """Keep a forecast; return its number and whether it is new. What was issued for that time before stays."""
    fresh = connection.execute(
        text(
            "insert into forecast.issue (datastream, issue_time, origin, model, parameters, skill) "
            "select fid, :issue_time, :origin, :model, cast(:parameters as jsonb), cast(:skill as jsonb) "
            "from sensing.datastream where id = :id on conflict (datastream, issue_time) do nothing returning id"
        ),
        {
            "id": datastream_id,
            "issue_time": issue_time,
            "origin": origin,
            "model": model,
            "parameters": _to_json(parameters),
            "skill": _to_json(skill),
        },
    ).scalar()
    if fresh is None:
        return read_issue(connection, datastream_id, issue_time).id, False
    columns = [*values.quantiles.T, values.warning, values.tide]
    names = (*QUANTILES, "warning", "tide")
    start = issue_time.timestamp()
    connection.execute(
        text(
            f"insert into forecast.value (issue, lead_s, time, {', '.join(names)}) "
            f"select :issue, lead, cast(:start as timestamptz) + make_interval(secs => lead), {', '.join(names)} "
            f"from unnest(cast(:leads as integer[]), {', '.join(f'cast(:{name} as real[])' for name in names)}) "
            f"as u (lead, {', '.join(names)})"
        ),
        {
            "issue": fresh,
            "start": issue_time,
            "leads": [round(at - start) for at in values.times.tolist()],
            **{
                name: [None if np.isnan(value) else value for value in column.tolist()]
                for name, column in zip(names, columns, strict=True)
            },
        },
    )
    connection.execute(text("select pg_notify('forecast', :id)"), {"id": datastream_id})
    return int(fresh), True


def read_issue(connection: Connection, datastream_id: str, issue_time: datetime | None = None) -> Issue:
    """Return the issue of a series for a time, or its newest; NotFoundError when there is none."""
    row = connection.execute(
        text(
            f"select {_ISSUE} from forecast.issue i join sensing.datastream d on d.fid = i.datastream "
            "where d.id = :id and (cast(:at as timestamptz) is null or i.issue_time = :at) "
            "order by i.issue_time desc limit 1"
        ),
        {"id": datastream_id, "at": issue_time},
    ).first()
    if row is None:
        when = "" if issue_time is None else f" issued for {issue_time.isoformat()}"
        raise NotFoundError(
            f"datastream '{datastream_id}' has no forecast{when}", hint="type: twin forecast issue, or wait for one"
        )
    return Issue(*row)


def list_issues(
    connection: Connection, datastream_id: str, *, limit: int, before: datetime | None = None
) -> list[Issue]:
    """Return the newest issues of a series first, those before a time if asked."""
    rows = connection.execute(
        text(
            f"select {_ISSUE} from forecast.issue i join sensing.datastream d on d.fid = i.datastream "
            "where d.id = :id and (cast(:before as timestamptz) is null or i.issue_time < :before) "
            "order by i.issue_time desc limit :limit"
        ),
        {"id": datastream_id, "limit": limit, "before": before},
    )
    return [Issue(*row) for row in rows]


def list_newest(connection: Connection, observed_property: str | None = None) -> list[Issue]:
    """Return the newest issue of every series that has one, by series."""
    rows = connection.execute(
        text(
            f"select {_ISSUE} from sensing.datastream d cross join lateral (select * from forecast.issue f "
            "where f.datastream = d.fid order by f.issue_time desc limit 1) i "
            "where cast(:property as text) is null or d.observed_property = :property order by d.id"
        ),
        {"property": observed_property},
    )
    return [Issue(*row) for row in rows]


def read_values(connection: Connection, issue_id: int) -> Values:
    """Return what an issue says, by time."""
    rows = connection.execute(
        text(
            f"select extract(epoch from time)::double precision, {_VALUES}, warning, tide from forecast.value "
            "where issue = :id order by lead_s"
        ),
        {"id": issue_id},
    ).all()
    table = np.array([tuple(row) for row in rows], dtype=np.float64).reshape(-1, 10)
    return Values(table[:, 0], table[:, 1:8], table[:, 8], table[:, 9])


def select_lead(
    connection: Connection, datastream_id: str, lead_s: int, start: datetime, end: datetime
) -> tuple[Floats, Values]:
    """Return issue times [s] (n,) and what was said ``lead_s`` [s] ahead for ``start`` < time ≤ ``end``."""
    rows = connection.execute(
        text(
            "select extract(epoch from i.issue_time)::double precision, "
            f"extract(epoch from v.time)::double precision, {_VALUES}, v.warning, v.tide "
            "from forecast.issue i join sensing.datastream d on d.fid = i.datastream "
            "join forecast.value v on v.issue = i.id and v.lead_s = :lead "
            "where d.id = :id and i.issue_time > cast(:start as timestamptz) - make_interval(secs => :lead) "
            "and i.issue_time <= cast(:end as timestamptz) - make_interval(secs => :lead) order by i.issue_time"
        ),
        {"id": datastream_id, "lead": lead_s, "start": start, "end": end},
    ).all()
    table = np.array([tuple(row) for row in rows], dtype=np.float64).reshape(-1, 11)
    return table[:, 0], Values(table[:, 1], table[:, 2:9], table[:, 9], table[:, 10])


def list_stage_gauges(connection: Connection) -> list[StageGauge]:
    """Return every series of stages that has a reading, by series."""
    rows = connection.execute(
        text(
            "select d.id, d.thing_id, coalesce(t.name, d.thing_id) as name, st_y(st_centroid(t.geom)) as latitude, "
            "s.alarm_1, s.alarm_2, s.alarm_3, l.phenomenon_time from sensing.datastream d "
            "join sensing.latest l on l.datastream = d.fid join sensing.thing t on t.id = d.thing_id "
            "left join city.sensors s on s.id = d.thing_id where d.observed_property = 'stage' order by d.id"
        )
    )
    return [StageGauge(r[0], r[1], r[2], r[3], (r[4], r[5], r[6]), r[7]) for r in rows]


def find_gauge(connection: Connection, datastream_id: str) -> StageGauge:
    """Return the stage gauge of a series; NotFoundError names those there are."""
    gauges = list_stage_gauges(connection)
    found = next((gauge for gauge in gauges if gauge.datastream_id == datastream_id), None)
    if found is None:
        listed = ", ".join(gauge.datastream_id for gauge in gauges) or "none"
        raise NotFoundError(f"'{datastream_id}' is no series of stages with readings", hint=f"one of {listed}")
    return found


def find_stage_series(connection: Connection, thing_id: str) -> str:
    """Return the series of stages of a gauge; NotFoundError when it has none."""
    found = connection.execute(
        text(
            "select id from sensing.datastream where thing_id = :id and observed_property = 'stage' order by id limit 1"
        ),
        {"id": thing_id},
    ).scalar()
    if found is None:
        raise NotFoundError(f"sensor '{thing_id}' has no series of stages")
    return str(found)


def read_place(connection: Connection, thing_id: str) -> tuple[float, float] | None:
    """Return where a thing stands (longitude, latitude [°]), or None."""
    row = connection.execute(
        text("select st_x(p), st_y(p) from (select st_centroid(geom) as p from sensing.thing where id = :id) t"),
        {"id": thing_id},
    ).first()
    return None if row is None or row[0] is None else (float(row[0]), float(row[1]))


def read_changed(connection: Connection, datastream_id: str, since: datetime) -> bool:
    """Return whether readings of a series older than ``since`` were stored or corrected after it."""
    return bool(
        connection.execute(
            text(
                "select exists (select from sensing.correction c join sensing.datastream d on d.fid = c.datastream "
                "where d.id = :id and c.stored > :since)"
            ),
            {"id": datastream_id, "since": since},
        ).scalar_one()
    )


def _to_json(value: Mapping[str, Any] | Sequence[Any]) -> str:
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_UTC_Z).decode()

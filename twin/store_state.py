"""SQL of what comes: forecasts of series at a time, and the flood run that covers it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class ForecastValue:
    """What the newest forecast of a series says of a time: quantiles in the unit of the series; warnings are given
    from ``warning``.
    """

    datastream_id: str
    issue_time: datetime
    q10: float
    q50: float
    q90: float
    warning: float


@dataclass(frozen=True, slots=True)
class FloodRun:
    """A flood run that covers a time; ``path`` is its raster of depth, ``times`` one a band or None where the raster
    holds the largest depth of the whole run, ``bounds`` where it lies (west, south, east, north [°]).
    """

    id: str
    base_time: datetime
    finished: datetime
    path: str
    times: tuple[datetime, ...] | None
    bounds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TouchedItem:
    """What a flood run does to an item: largest depth [m], first water, hazard class."""

    depth_max: float | None
    arrival: datetime | None
    hazard_class: str | None


def select_forecasts(
    connection: Connection, datastream_ids: Sequence[str], at: datetime, known: datetime | None
) -> dict[str, ForecastValue]:
    """Return by series what its newest forecast says of ``at``, between two of its times by interpolation.

    ``known`` leaves out what was issued later. Series without a forecast that reaches ``at`` are left out.
    """
    rows = connection.execute(
        text(
            "select d.id, i.issue_time, "
            + ", ".join(f"a.{name} + (b.{name} - a.{name}) * w.share" for name in ("q10", "q50", "q90", "warning"))
            + " from unnest(cast(:ids as text[])) g (id) join sensing.datastream d on d.id = g.id "
            "cross join lateral (select f.id, f.issue_time from forecast.issue f where f.datastream = d.fid "
            "and f.issue_time <= :at and (cast(:known as timestamptz) is null or f.created <= :known) "
            "order by f.issue_time desc limit 1) i "
            "cross join lateral (select v.* from forecast.value v where v.issue = i.id and v.time <= :at "
            "order by v.time desc limit 1) a "
            "cross join lateral (select v.* from forecast.value v where v.issue = i.id and v.time >= :at "
            "order by v.time limit 1) b "
            "cross join lateral (select case when b.time = a.time then 0 else extract(epoch from :at - a.time) "
            "/ extract(epoch from b.time - a.time) end::double precision as share) w"
        ),
        {"ids": list(datastream_ids), "at": at, "known": known},
    )
    return {row[0]: ForecastValue(*row) for row in rows}


def find_flood_run(connection: Connection, at: datetime, known: datetime | None) -> FloodRun | None:
    """Return the newest successful flood forecast, single or ensemble, whose horizon covers ``at``; None without one.

    ``known`` leaves out what was finished later. Of one run the raster with times is preferred.
    """
    row = connection.execute(
        text(
            "select r.id, r.base_time, r.finished, p.path, p.times, p.bounds "
            "from run.run r join run.raster p on p.run_id = r.id "
            "where r.status = 'successful' and r.process in ('flood-forecast', 'flood-ensemble') "
            "and p.layer in ('flood_depth', 'flood_depth_max') and r.base_time <= :at "
            "and r.base_time + make_interval(secs => r.horizon_hours * 3600) >= :at "
            "and (cast(:known as timestamptz) is null or r.finished <= :known) "
            "order by r.base_time desc, r.finished desc, p.layer limit 1"
        ),
        {"at": at, "known": known},
    ).first()
    if row is None:
        return None
    times = None if row.times is None else tuple(row.times)
    return FloodRun(row.id, row.base_time, row.finished, row.path, times, tuple(row.bounds))


def select_touched(
    connection: Connection, run_id: str, layer_id: str, items: Sequence[str] | None
) -> dict[str, TouchedItem]:
    """Return the items of a layer that a flood run touches, by id."""
    rows = connection.execute(
        text(
            "select asset_id, depth_max, arrival, hazard_class from city.flood_assets where run_id = :run "
            "and asset_layer = :layer and (cast(:items as text[]) is null or asset_id = any(:items))"
        ),
        {"run": run_id, "layer": layer_id, "items": None if items is None else list(items)},
    )
    return {row[0]: TouchedItem(*row[1:]) for row in rows}

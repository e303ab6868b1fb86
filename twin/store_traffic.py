"""SQL of traffic: the series that watch roads, with their newest readings, and readings of many of them at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

TRAFFIC = ("vehicle_speed", "vehicle_count", "occupancy", "motorbike_count", "car_count", "truck_count", "bus_count")
"""What series of roads measure: speed [km/h], flow [veh/h], occupancy (0 to 1), and flow by class."""
FAILED = (4, 9)


@dataclass(frozen=True, slots=True)
class RoadSeries:
    """A series that watches a road: of which station, what, every how many seconds, and its newest good reading.

    direction: both, forward or backward, as the road is drawn. x, y: where the station stands (city CRS), None where it
    is nowhere, such as speeds of vehicles. time, result: None without a reading.
    """

    id: str
    station: str
    name: str
    observed_property: str
    road: str
    direction: str
    interval_s: float | None
    x: float | None
    y: float | None
    time: datetime | None
    result: float | None


def select_road_series(connection: Connection, at: datetime) -> list[RoadSeries]:
    """Return the series of traffic that watch roads with their newest good reading up to ``at``, by station."""
    rows = connection.execute(
        text(
            "select d.id, d.thing_id, t.name, d.observed_property, d.watched_id, "
            "coalesce(s.watched_direction, t.properties->>'watched_direction', 'both'), d.interval_s, "
            "st_x(s.geom), st_y(s.geom), r.phenomenon_time, r.result "
            "from sensing.datastream d join sensing.thing t on t.id = d.thing_id "
            "left join city.sensors s on t.layer = 'sensors' and s.id = t.feature "
            "left join lateral (select r.phenomenon_time, r.result from sensing.reading r where r.datastream = d.fid "
            "and r.phenomenon_time <= :at and r.result is not null and r.quality <> all(:failed) "
            "order by r.phenomenon_time desc limit 1) r on true "
            "where d.watched_layer = 'road_links' and d.watched_id is not null "
            "and d.observed_property = any(:names) order by d.thing_id, d.id"
        ),
        {"at": at, "names": list(TRAFFIC), "failed": list(FAILED)},
    )
    return [RoadSeries(*row) for row in rows]


def select_many(
    connection: Connection, ids: Sequence[str], start: datetime, end: datetime
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return the good readings of ``start`` ≤ time ≤ ``end`` of several series: times [s since 1970 UTC] and values."""
    rows = connection.execute(
        text(
            "select d.id, array_agg(extract(epoch from r.phenomenon_time)::double precision "
            "order by r.phenomenon_time) as times, array_agg(r.result order by r.phenomenon_time) as results "
            "from sensing.datastream d join sensing.reading r on r.datastream = d.fid where d.id = any(:ids) "
            "and r.phenomenon_time between :start and :end and r.result is not null and r.quality <> all(:failed) "
            "group by d.id"
        ),
        {"ids": list(ids), "start": start, "end": end, "failed": list(FAILED)},
    )
    found = {row.id: (np.array(row.times, np.float64), np.array(row.results, np.float64)) for row in rows}
    nothing = np.empty(0), np.empty(0)
    return {name: found.get(name, nothing) for name in ids}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A reading of traffic that became known: its series, its time and when it was stored [s since 1970 UTC]."""

    series: str
    time: float
    stored: float


def select_arrived(connection: Connection, ids: Sequence[str], since: datetime, before: datetime) -> list[Arrival]:
    """Return the readings stored at ``since`` ≤ time < ``before``, in that order; what came days late is no news."""
    rows = connection.execute(
        text(
            "select d.id, extract(epoch from o.phenomenon_time)::double precision, "
            "extract(epoch from o.stored)::double precision from sensing.observation o "
            "join sensing.datastream d on d.fid = o.datastream where d.id = any(:ids) and o.stored >= :since "
            "and o.stored < :before and o.phenomenon_time >= cast(:since as timestamptz) - interval '2 days' "
            "and o.withdrawn is null order by o.stored, o.phenomenon_time"
        ),
        {"ids": list(ids), "since": since, "before": before},
    )
    return [Arrival(*row) for row in rows]


def set_direction(connection: Connection, things: Sequence[str], direction: str) -> None:
    """Say of things that are no sensors of the city which way of their road they watch."""
    connection.execute(
        text(
            "update sensing.thing set properties = coalesce(properties, '{}') "
            "|| jsonb_build_object('watched_direction', cast(:direction as text)) where id = any(:things)"
        ),
        {"things": list(things), "direction": direction},
    )

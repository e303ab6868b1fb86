"""What watches an item and what it reads: now, or at any time past, as it was known then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, text

from layers.schema import VectorLayer
from layers.store.mercator import Bounds, cut_mercator_boxes
from layers.store.names import quote
from layers.store.tables import CITY

# Items that are told of by series of other items: the layer watched, and the column that links one to the other.
MEMBERS: Mapping[str, tuple[str, str]] = MappingProxyType({"parking_areas": ("parking_spaces", "parking_id")})
"""A parking area is told of by its spaces."""
FEEDERS: Mapping[str, tuple[str, str]] = MappingProxyType({"luminaires": ("lighting_cabinets", "cabinet_id")})
"""A luminaire is told of by the cabinet that feeds it."""


@dataclass(frozen=True, slots=True)
class WatchedItem:
    """An item of a layer: its id, its key of paging, a point of it [°] and its geometry as GeoJSON text."""

    id: str
    fid: int
    lon: float
    lat: float
    geometry: str


@dataclass(frozen=True, slots=True)
class WatchingReading:
    """A series that speaks of an item, and its newest reading (None without one).

    ``via`` tells whether it watches the item itself, a ``member`` of it, or its ``feeder``. ``alarms`` are the alarm
    levels of its gauge, ``speed_limit`` [km/h] that of the road it watches, ``stored`` is when the database got to know
    the value.
    """

    item: str
    via: str
    datastream_id: str
    observed_property: str
    unit: str
    title_vi: str
    title_en: str
    interval_s: float | None
    alarms: tuple[float | None, float | None, float | None]
    speed_limit: float | None
    result: float | None
    value: Any
    time: datetime | None
    quality: int | None
    stored: datetime | None


_SERIES = """
select {item} as item, cast('{via}' as text) as via, d.fid, d.id, d.observed_property, d.unit, d.title_vi, d.title_en,
    d.interval_s, g.alarm_1, g.alarm_2, g.alarm_3, w.max_speed
from sensing.datastream d left join sensing.thing t on t.id = d.thing_id
left join city.sensors g on t.layer = 'sensors' and g.id = t.feature
left join city.road_links w on d.watched_layer = 'road_links' and w.id = d.watched_id
{joins} where {condition}
"""
_NOW = """
left join (select datastream, result, value, phenomenon_time, quality, stored from sensing.latest) r
    on r.datastream = s.fid
"""
_THEN = """
left join lateral (
    select r.result, r.value, r.phenomenon_time, r.quality, r.stored from sensing.reading r
    where r.datastream = s.fid and r.phenomenon_time <= :at and (r.result is not null or r.value is not null)
    order by r.phenomenon_time desc limit 1
) r on true
"""
# The raw reading, the last correction that was there, the flag and the withdrawal as they were: what changed after
# `known` is looked up in what was kept of before.
_AS_KNOWN = """
left join lateral (
    select e.* from (
        select o.phenomenon_time, coalesce(c.stored, o.stored) as stored,
            case when c.revision is null then o.result else c.result end as result,
            case when c.revision is null then o.value else c.value end as value,
            coalesce(h.quality, o.quality) as quality,
            case when h.at is null then o.withdrawn else h.withdrawn end as withdrawn
        from sensing.observation o
        left join lateral (
            select k.* from sensing.correction k where o.revision > 0 and k.datastream = o.datastream
                and k.phenomenon_time = o.phenomenon_time and k.stored <= :known order by k.revision desc limit 1
        ) c on true
        left join lateral (
            select p.* from sensing.past_flag p where p.datastream = o.datastream
                and p.phenomenon_time = o.phenomenon_time and p.at > :known order by p.at limit 1
        ) h on true
        where o.datastream = s.fid and o.phenomenon_time <= :at and o.stored <= :known
    ) e where (e.result is not null or e.value is not null) and (e.withdrawn is null or e.withdrawn > :known)
    order by e.phenomenon_time desc limit 1
) r on true
"""


def select_watching(
    connection: Connection,
    layer: VectorLayer,
    *,
    items: Sequence[str] | None = None,
    at: datetime | None = None,
    known: datetime | None = None,
) -> list[WatchingReading]:
    """Return every series that speaks of items of ``layer`` with its newest reading at or before ``at``.

    ``known`` takes the readings as the database knew them then: what was stored, corrected, flagged or withdrawn later
    does not count. Without ``at`` and ``known`` it is now. ``items`` chooses items by id.
    """
    reading = _NOW if at is None and known is None else _THEN if known is None else _AS_KNOWN
    if at is None:
        reading = reading.replace("and r.phenomenon_time <= :at", "").replace("and o.phenomenon_time <= :at", "")
    parts = [
        _SERIES.format(item=item, via=via, joins=joins, condition=condition)
        + ("" if items is None else f" and {item} = any(:items)")
        for item, via, joins, condition in _find_links(layer)
    ]
    rows = connection.execute(
        text(
            f"with s as ({' union all '.join(parts)}) select s.item, s.via, s.id, s.observed_property, s.unit, "
            "s.title_vi, s.title_en, s.interval_s, s.alarm_1, s.alarm_2, s.alarm_3, s.max_speed, r.result, r.value, "
            f"r.phenomenon_time, r.quality, r.stored from s {reading} order by s.item, s.via desc, s.id"
        ),
        {"items": list(items or ()), "at": at, "known": known},
    )
    return [WatchingReading(*(*row[:8], (row[8], row[9], row[10]), *row[11:])) for row in rows]


def _find_links(layer: VectorLayer) -> list[tuple[str, str, str, str]]:
    """Return the ways series speak of items of a layer: the item's id, the way, joins and condition."""
    if layer.id == "sensors":
        links = [("t.feature", "own", "", "t.layer = 'sensors'")]
    else:
        links = [("d.watched_id", "own", "", f"d.watched_layer = '{layer.id}'")]
    if layer.id in MEMBERS:
        other, column = MEMBERS[layer.id]
        joined = f"join {CITY}.{quote(other)} m on m.id = d.watched_id"
        links.append((f"m.{quote(column)}", "member", joined, f"d.watched_layer = '{other}'"))
    if layer.id in FEEDERS:
        other, column = FEEDERS[layer.id]
        joined = f"join {CITY}.{quote(layer.id)} m on m.{quote(column)} = d.watched_id"
        links.append(("m.id", "feeder", joined, f"d.watched_layer = '{other}'"))
    return links


def select_places(
    connection: Connection,
    layer: VectorLayer,
    *,
    items: Sequence[str] | None = None,
    bbox: Bounds | None = None,
    limit: int = 10_000,
) -> list[WatchedItem]:
    """Return items of ``layer`` with their place, by id: those named, or those in ``bbox`` [°]."""
    conditions, parameters = ["true"], dict[str, object](limit=limit)
    if items is not None:
        conditions.append("id = any(:items)")
        parameters["items"] = list(items)
    if bbox is not None:
        boxes = []
        for place, corners in enumerate(cut_mercator_boxes(bbox)):
            names = [f"{side}{place}" for side in "wsen"]
            parameters.update(zip(names, corners, strict=True))
            boxes.append(f"geom_3857 && st_makeenvelope({', '.join(f':{name}' for name in names)}, 3857)")
        conditions.append(f"({' or '.join(boxes)})")
    rows = connection.execute(
        text(
            "select id, fid, st_x(p), st_y(p), shape from (select id, fid, "
            "st_asgeojson(st_transform(geom, 4326), 7) as shape, "
            "st_transform(st_pointonsurface(geom), 4326) as p "
            f"from {CITY}.{quote(layer.id)} where {' and '.join(conditions)} order by id limit :limit) f"
        ),
        parameters,
    )
    return [WatchedItem(*row) for row in rows]

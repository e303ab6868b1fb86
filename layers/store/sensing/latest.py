"""The newest of everything: every thing where it stands, with the latest reading of each of its series."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from layers.errors import InputError
from layers.registry import read_vector_layer
from layers.store.mercator import cut_mercator_boxes


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
    conditions, parameters = ["t.geom is not null"], dict[str, object]()
    if bbox_crs84 is not None:
        # In EPSG:3857, where the whole world has coordinates; in the city's own CRS it has none.
        boxes = []
        for place, corners in enumerate(cut_mercator_boxes(bbox_crs84)):
            names = [f"{side}{place}" for side in "wsen"]
            parameters.update(zip(names, corners, strict=True))
            boxes.append(f"t.geom_3857 && st_makeenvelope({', '.join(f':{name}' for name in names)}, 3857)")
        conditions.append(f"({' or '.join(boxes)})")
    if kind is not None:
        _check_kind(kind)
        conditions.append("t.kind = :kind")
        parameters["kind"] = kind
    having = ""
    if since is not None:
        having = "having max(l.phenomenon_time) >= :since"
        parameters["since"] = since
    rows = connection.execute(
        text(
            "select t.id as sensor_id, t.name, t.kind, s.alarm_1, s.alarm_2, s.alarm_3, "
            "st_x(st_centroid(t.geom)) as lon, st_y(st_centroid(t.geom)) as lat, "
            "coalesce(json_agg(json_build_object('id', d.id, 'observed_property', d.observed_property, "
            "'unit', d.unit, 'title_vi', d.title_vi, 'title_en', d.title_en, "
            "'result', coalesce(to_jsonb(l.result), l.value), 'phenomenon_time', "
            "to_char(l.phenomenon_time at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), 'quality', l.quality) "
            "order by d.id) filter (where d.id is not null), '[]'::json) as datastreams "
            "from sensing.thing t left join city.sensors s on t.layer = 'sensors' and s.id = t.feature "
            "left join sensing.datastream d on d.thing_id = t.id "
            "left join sensing.latest l on l.datastream = d.fid "
            f"where {' and '.join(conditions)} group by t.id, s.fid {having} order by t.id"
        ),
        parameters,
    )
    return [LatestRow(*row) for row in rows]


def _check_kind(kind: str) -> None:
    declared = read_vector_layer("sensors").find("kind")
    known = [code.value for code in declared.codes] if declared else []
    if kind not in known:
        raise InputError(f"there is no kind '{kind[:80]}' of sensor", hint=f"one of {', '.join(known)}")

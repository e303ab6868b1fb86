"""Where the demo measures: gauges on river and canals, rain gauges, one sensor a pump and a gate."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from twin.demo.drainage import Drainage
from twin.demo.plan import CANALS, CROSS_CANALS, RIVER_ID, WARD_CODES, Plan, locate_ward
from twin.demo.shapes import Table, as_shapes, as_text, sample
from twin.demo.structures import find_links, site_of

MAIN_GAUGE = "S-HAU-01"
RAIN_GAUGES = (
    ("S-MUA-01", "Trạm mưa Bến Sậy", 0.0, 500.0), ("S-MUA-02", "Trạm mưa Lá Dừa", -1300.0, 900.0),
    ("S-MUA-03", "Trạm mưa Vàm Xanh", 1250.0, 800.0), ("S-MUA-04", "Trạm mưa Cầu Mận", -100.0, 2700.0),
)  # fmt: skip
CANAL_GAUGES = (
    ("S-LADUA-01", "LADUA", 320.0), ("S-BANXANH-01", "BANXANH", 300.0), ("S-BANXANH-02", "BANXANH", 2200.0),
    ("S-SAY-01", "SAY", 400.0), ("S-SAY-02", "SAY", 2100.0), ("S-MUU-01", "MUU", 400.0), ("S-MUU-02", "MUU", 1900.0),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Station:
    """One sensor. ``inland``: metres of canal between the river and it; ``gated``: behind a tide gate.

    ``scale`` is how large the watched item is: m³/d of a permit, W of lights and meters, lanes of a road, mean m³/s of
    a water main. ``still`` is the share of that flow that stays the same all day. ``curve``: pressures [m] at the loads
    of ``pressure_loggers``; ``leak``: what the leak there adds to a flow [m³/s] from ``leak_from`` on (Unix time).
    Counters of traffic stand in pairs on a street, ``side`` "up" and "down" of what begins between them at
    ``incident_from``.
    """

    id: str
    name: str
    name_en: str
    kind: str
    point: shapely.Point
    watched_layer: str
    watched_id: str
    inland: float = 0.0
    gated: bool = False
    scale: float = 1.0
    still: float = 0.0
    curve: tuple[float, ...] = ()
    leak: float = 0.0
    leak_from: int = 0
    pair: int = 0
    side: str = ""
    incident_from: int = 0


def place_stations(plan: Plan, drainage: Drainage) -> list[Station]:
    """Return all stations of the demo."""
    stations = [
        _on_river(plan, MAIN_GAUGE, "Trạm sông Hậu – Bến Sậy", "Hau river at Ben Say (synthetic)", -120.0),
        _on_river(plan, "S-HAU-02", "Trạm sông Hậu – Vàm Xanh", "Hau river at Vam Xanh (synthetic)", 1250.0),
    ]
    canals = {canal.key: canal for canal in CANALS}
    for gauge_id, key, v in CANAL_GAUGES:
        canal = canals[key]
        point = _point(plan, float(canal.centre(v)) + canal.width / 2 - 2.0, v)
        name, name_en = f"Trạm {canal.name} {gauge_id[-2:]}", f"{gauge_id[2:-3].title()} canal gauge {gauge_id[-2:]}"
        stations.append(Station(gauge_id, name, name_en, "stage", point, "water_bodies", canal.body_id, v, canal.gated))
    for cross in CROSS_CANALS:
        point = _point(plan, float(plan.column_u(cross.sector, 0.5, cross.v)), cross.v + cross.width / 2 - 2.0)
        stations.append(
            Station(
                f"S-{cross.key}-01", f"Trạm {cross.name}", f"{cross.key.title()} canal gauge", "stage", point,
                "water_bodies", cross.body_id, cross.v + 500.0, cross.gated,
            )
        )  # fmt: skip
    for gauge_id, name, u, v in RAIN_GAUGES:
        ward = f"W-{WARD_CODES[locate_ward(u, v)]}"
        name_en = f"Rain gauge {gauge_id[-2:]}"
        stations.append(Station(gauge_id, name, name_en, "rain", _point(plan, u, v), "wards", ward))
    gated = {canal.waterway_id for canal in (*CANALS, *CROSS_CANALS) if canal.gated}
    for kind, word in (("pump", "Bơm"), ("gate", "Cửa van")):
        for link in find_links(drainage, kind):
            label = link.id.split("-", 1)[1]
            stations.append(
                Station(
                    f"S-{link.id}", f"{word} {label}", f"{kind.title()} {label}", kind, site_of(link.line),
                    "drainage_links", link.id, 60.0, link.waterway_id in gated,
                )
            )  # fmt: skip
    return stations


def _point(plan: Plan, u: float, v: float) -> shapely.Point:
    x, y = plan.frame.to_map(u, v)
    return shapely.Point(round(float(x), 3), round(float(y), 3))


def _on_river(plan: Plan, gauge_id: str, name: str, name_en: str, u: float) -> Station:
    return Station(gauge_id, name, name_en, "stage", _point(plan, u, -14.0), "water_bodies", RIVER_ID)


def make_sensors(stations: list[Station], terrain: NDArray[np.float32]) -> Table:
    """Return the sensors layer; alarm levels are those of the main gauge, lower behind gates."""
    geometry = as_shapes([station.point for station in stations])
    levels = np.full((len(stations), 3), np.nan)
    for k, station in enumerate(stations):
        if station.kind == "stage":
            inner = (1.30, 1.40, 1.50) if station.gated else (1.70, 1.80, 1.90)
            levels[k] = (1.80, 1.90, 2.00) if station.watched_id == RIVER_ID else inner
    ground = sample(terrain, shapely.get_x(geometry), shapely.get_y(geometry)).round(2)
    elevation = np.where([station.kind == "stage" for station in stations], 0.0, ground.clip(0.6, 3.0))
    return Table(
        geometry,
        {
            "id": as_text([station.id for station in stations]),
            "name": as_text([station.name for station in stations]),
            "kind": as_text([station.kind for station in stations]),
            "elevation": elevation,
            "alarm_1": levels[:, 0],
            "alarm_2": levels[:, 1],
            "alarm_3": levels[:, 2],
            "watched_layer": as_text([station.watched_layer for station in stations]),
            "watched_id": as_text([station.watched_id for station in stations]),
            "watched_direction": np.array(
                ["forward" if station.kind == "traffic" else None for station in stations], object
            ),
            "installed": np.full(len(stations), np.datetime64("2022-05-01")),
        },
    )

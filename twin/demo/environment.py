"""Environment: monitoring stations for air, water and noise, and permits to discharge into the nearest water."""

import numpy as np
import shapely

from twin.demo.plan import EXTENT, WARD_CODES, Plan, Water, locate_ward
from twin.demo.shapes import Table, as_shapes, as_text, draw_dates, number_ids
from twin.demo.stations import Station
from twin.demo.water import describe_waters

OPERATOR = "Trung tâm Quan trắc Vàm Sông (mô phỏng)"
SITES = (
    ("Quan trắc không khí Bến Sậy", "air", -60.0, 520.0, "PM2.5, PM10, NO2, SO2, O3, CO"),
    ("Quan trắc không khí Vàm Xanh", "air", 2250.0, 420.0, "PM2.5, PM10, NO2, SO2"),
    ("Quan trắc không khí Lá Dừa", "air", -1350.0, 980.0, "PM2.5, PM10"),
    ("Quan trắc tiếng ồn Đại lộ Hòa Bình", "noise", 120.0, 950.0, "LAeq, Lmax"),
    ("Quan trắc tiếng ồn Vành Đai", "noise", -900.0, 2340.0, "LAeq, Lmax"),
    ("Giếng quan trắc Cầu Mận", "groundwater", 60.0, 2650.0, "Mực nước, độ mặn, NH4"),
    ("Giếng quan trắc Đồng Sen", "groundwater", 2700.0, 1500.0, "Mực nước, độ mặn"),
    ("Quan trắc đất vườn Vườn Trâm", "soil", -2600.0, 1500.0, "pH, kim loại nặng"),
)
WATER_PARAMETERS = "pH, DO, TSS, NH4, độ đục"
DISCHARGERS = {
    "industrial": ("seafood", 0.055), "hospital": ("hospital", 0.012), "apartment": ("domestic", 0.010),
    "school": ("domestic", 0.004), "public": ("domestic", 0.004),
}  # fmt: skip
LARGEST_SHARE = 45
TODAY = np.datetime64("2026-11-20")


def make_environment(plan: Plan, water: Water, buildings: Table, stations: list[Station]) -> dict[str, Table]:
    """Return monitoring_stations and discharge_permits."""
    return {
        "monitoring_stations": _make_stations(plan, stations),
        "discharge_permits": _make_permits(plan, water, buildings),
    }


def _make_stations(plan: Plan, stations: list[Station]) -> Table:
    """Return the sites on land, and surface water beside every second stage gauge."""
    gauges = [station for station in stations if station.kind == "stage"][::2]
    u = np.array([site[2] for site in SITES])
    v = np.array([site[3] for site in SITES])
    points = [
        shapely.Point(round(float(a), 3), round(float(b), 3)) for a, b in zip(*plan.frame.to_map(u, v), strict=True)
    ]
    points += [shapely.Point(round(gauge.point.x + 3.0, 3), round(gauge.point.y + 2.0, 3)) for gauge in gauges]
    count = len(points)
    geometry = as_shapes(points)
    ward = locate_ward(*plan.frame.to_frame(shapely.get_x(geometry), shapely.get_y(geometry)))
    media = [site[1] for site in SITES] + ["surface_water"] * len(gauges)
    return Table(
        geometry,
        {
            "id": number_ids("MS", count),
            "name": as_text(
                [site[0] for site in SITES] + [f"Quan trắc nước {gauge.name.removeprefix('Trạm ')}" for gauge in gauges]
            ),
            "medium": as_text(media),
            "operation": as_text(["periodic" if word in ("soil", "groundwater") else "automatic" for word in media]),
            "parameters": as_text([site[4] for site in SITES] + [WATER_PARAMETERS] * len(gauges)),
            "water_body_id": as_text([None] * len(SITES) + [gauge.watched_id for gauge in gauges]),
            "sensor_id": as_text([None] * len(SITES) + [gauge.id for gauge in gauges]),
            "height": np.array([4.0 if word in ("air", "noise") else np.nan for word in media]),
            "started": draw_dates(np.random.default_rng([plan.seed, 26]), count, since=2017, until=2025),
            "operator": as_text([OPERATOR] * count),
            "ward_code": WARD_CODES[ward].astype(object),
        },
    )


def _make_permits(plan: Plan, water: Water, buildings: Table) -> Table:
    """Return a permit for each of the largest works, hospitals, flats and schools, at the bank of the nearest water."""
    rng = np.random.default_rng([plan.seed, 27])
    use = buildings.columns["use"]
    floor = shapely.area(buildings.geometry) * buildings.columns["storeys"]
    volume = floor * np.array([DISCHARGERS.get(word, ("", 0.0))[1] for word in use])
    owner = np.argsort(-volume, kind="stable")[:LARGEST_SHARE]
    ids = np.array(list(water.bodies), dtype=object)
    banks = np.array([body.boundary for body in water.bodies.values()], dtype=object)
    sites = np.asarray(shapely.centroid(buildings.geometry[owner]), dtype=object)
    (_, body), _ = shapely.STRtree(banks).query_nearest(sites, all_matches=False, return_distance=True)
    outlet = shapely.get_point(shapely.shortest_line(banks[body], sites), 0)
    keep = shapely.covers(EXTENT.buffer(-1.0), outlet)
    owner, body, outlet = owner[keep], body[keep], outlet[keep]
    facts = describe_waters(water)
    count = len(owner)
    issued = draw_dates(rng, count, since=2019, until=2026)
    expires = issued + np.timedelta64(5 * 365 + 1, "D")
    status = np.where(
        expires < TODAY, "expired", np.where(expires < TODAY + np.timedelta64(180, "D"), "expiring", "valid")
    )
    column = np.where(use[owner] == "hospital", "A", "B")
    limit = np.where(column == "A", 1.0, 1.7)
    names = buildings.columns["name"][owner]
    ward = locate_ward(*plan.frame.to_frame(shapely.get_x(outlet), shapely.get_y(outlet)))
    return Table(
        as_shapes([shapely.Point(np.round(point.coords[0], 3)) for point in outlet]),
        {
            "id": number_ids("DP", count),
            "permit_number": as_text([f"{n:03d}/GP-MP" for n in range(1, count + 1)]),
            "facility": as_text([name or f"Cơ sở {n}" for n, name in enumerate(names, 1)]),
            "activity": as_text([DISCHARGERS[word][0] for word in use[owner]]),
            "daily_volume": np.ceil(volume[owner] / 5.0) * 5.0,
            "receiving_water": as_text([facts[ids[k]].name or "Ao" for k in body]),
            "water_body_id": ids[body],
            "standard": as_text(
                ["QCVN 40:2025/BTNMT" if word == "industrial" else "QCVN 14:2025/BTNMT" for word in use[owner]]
            ),
            "quality_column": column.astype(object),
            "bod_limit": (30.0 * limit).round(0),
            "cod_limit": (75.0 * limit).round(0),
            "tss_limit": (50.0 * limit).round(0),
            "issued": issued,
            "expires": expires,
            "status": status.astype(object),
            "ward_code": WARD_CODES[ward].astype(object),
        },
    )

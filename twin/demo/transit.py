"""Buses of the demo city: a line along each main street, to and fro, with a timetable of a working day and a Sunday."""

from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.datum import CRS84, make_transformer
from twin.demo.plan import CRS
from twin.demo.shapes import Table
from twin.transit.feed import Feed, make_table, write_time
from twin.transit.writing import write_feed

FEED_FILE = "transit.zip"
LEAST_STOPS = 4
SPEED, HALT = 22.0 / 3.6, 15.0
"""Between stops [m/s], at each stop [s]."""
FIRST, LAST = 5 * 3600, 20 * 3600
PEAKS = ((6 * 3600, 8 * 3600 + 1800), (16 * 3600, 18 * 3600 + 1800))
HEADWAY, PEAK_HEADWAY, SUNDAY_HEADWAY = 1200, 600, 1800
_MAIN = ("primary", "secondary")


def write_transit(path: Path, roads: Table, stops: Table) -> None:
    """Write the feed of the demo city's buses."""
    path.write_bytes(write_feed(make_transit(roads, stops)))


def make_transit(roads: Table, stops: Table) -> Feed:
    """Return the feed along the main roads of layer road_links; stops are those of the layer, their ids the same."""
    ids, names = stops.columns["gtfs_id"].astype(object), stops.columns["name"].astype(object)
    xy = shapely.get_coordinates(stops.geometry)
    lon, lat = make_transformer(CRS, CRS84).transform(xy[:, 0], xy[:, 1])
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in ("routes", "trips", "stop_times", "shapes")}
    used = np.zeros(len(xy), np.bool_)
    for number, (street, line) in enumerate(_list_streets(roads), start=1):
        own = np.flatnonzero([str(name).rsplit(" ", 1)[0] == f"Trạm {street}" for name in names])
        along = shapely.line_locate_point(line, shapely.points(xy[own]))
        is_right = _is_right_of(line, xy[own], along)
        if min(int(is_right.sum()), int((~is_right).sum())) < LEAST_STOPS:
            continue
        route = f"B{number:02d}"
        rows["routes"].append({
            "route_id": route, "agency_id": "demo", "route_short_name": route, "route_long_name": f"Tuyến {street}",
            "route_type": 3, "route_color": "2E7D6B", "route_text_color": "FFFFFF",
        })  # fmt: skip
        for direction, side in enumerate((is_right, ~is_right)):
            order = np.argsort(along[side] if direction == 0 else -along[side], kind="stable")
            calls = own[side][order]
            used[calls] = True
            drawn = line if direction == 0 else shapely.reverse(line)
            far = shapely.line_locate_point(drawn, shapely.points(xy[calls]))
            _add_direction(rows, route, direction, ids[calls], far, drawn, f"Cuối {street}")
    return Feed({
        "agency": make_table({
            "agency_id": ["demo"], "agency_name": ["Xe buýt mẫu (mô phỏng)"], "agency_url": ["https://example.org"],
            "agency_timezone": ["Asia/Ho_Chi_Minh"], "agency_lang": ["vi"],
        }),
        "stops": make_table({
            "stop_id": ids[used].tolist(), "stop_name": names[used].tolist(),
            "stop_lat": [f"{one:.7f}" for one in lat[used]],
            "stop_lon": [f"{one:.7f}" for one in lon[used]],
        }),
        **{
            name: make_table({key: [row[key] for row in each] for key in each[0]})
            for name, each in rows.items()
            if each
        },
        "calendar": make_table({
            "service_id": ["workday", "sunday"],
            **{day: [1, 0] for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday")},
            "sunday": [0, 1],
            "start_date": ["20250101"] * 2, "end_date": ["20341231"] * 2,
        }),
        "feed_info": make_table({
            "feed_publisher_name": ["Dữ liệu mô phỏng / Synthetic data"], "feed_publisher_url": ["https://example.org"],
            "feed_lang": ["vi"], "feed_start_date": ["20250101"], "feed_end_date": ["20341231"],
            "feed_version": ["1"], "feed_contact_url": ["https://example.org"],
        }),
    })  # fmt: skip


def _list_streets(roads: Table) -> list[tuple[str, Any]]:
    """Return the main streets, each as the longest line its links make, in order of their names."""
    parts: dict[str, list[Any]] = {}
    columns = (roads.columns["road_class"], roads.columns["name"], roads.geometry)
    for road_class, name, line in zip(*columns, strict=True):
        if road_class in _MAIN and name:
            parts.setdefault(str(name).removeprefix("Đường "), []).append(line)
    found = []
    for name, lines in sorted(parts.items()):
        merged = shapely.line_merge(shapely.MultiLineString(lines))
        found.append((name, max(shapely.get_parts(merged), key=lambda one: one.length)))
    return found


def _is_right_of(line: Any, xy: NDArray[np.float64], along: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which places lie on the right of a line (n,); one drives on the right in Viet Nam."""
    before = shapely.get_coordinates(shapely.line_interpolate_point(line, np.maximum(along - 1.0, 0.0)))
    after = shapely.get_coordinates(shapely.line_interpolate_point(line, along + 1.0))
    ahead, aside = after - before, xy - before
    return np.asarray(ahead[:, 0] * aside[:, 1] - ahead[:, 1] * aside[:, 0] < 0.0)


def _add_direction(
    rows: dict[str, list[dict[str, Any]]],
    route: str,
    direction: int,
    stops: NDArray[np.object_],
    along: NDArray[np.float64],
    line: Any,
    headsign: str,
) -> None:
    shape = f"{route}-{direction}"
    points = shapely.get_coordinates(line)
    lon, lat = make_transformer(CRS, CRS84).transform(points[:, 0], points[:, 1])
    rows["shapes"].extend(
        {"shape_id": shape, "shape_pt_lat": f"{y:.6f}", "shape_pt_lon": f"{x:.6f}", "shape_pt_sequence": at}
        for at, (x, y) in enumerate(zip(lon, lat, strict=True), start=1)
    )
    rides = np.round((along - along[0]) / SPEED + HALT * np.arange(along.size))
    for service, starts in (("workday", _list_starts()), ("sunday", range(FIRST, LAST + 1, SUNDAY_HEADWAY))):
        for start in starts:
            trip = f"{shape}-{service}-{start // 60:04d}"
            rows["trips"].append({
                "route_id": route, "service_id": service, "trip_id": trip, "trip_headsign": headsign,
                "direction_id": direction, "shape_id": shape,
            })  # fmt: skip
            for at, (stop, ride) in enumerate(zip(stops, rides, strict=True), start=1):
                leaves = write_time(start + ride)
                rows["stop_times"].append({
                    "trip_id": trip, "arrival_time": leaves, "departure_time": leaves, "stop_id": stop,
                    "stop_sequence": at, "timepoint": 1,
                })  # fmt: skip


def _list_starts() -> list[int]:
    """Return when buses leave on a working day [s]."""
    found, now = [], FIRST
    while now <= LAST:
        found.append(now)
        now += PEAK_HEADWAY if any(begin <= now < end for begin, end in PEAKS) else HEADWAY
    return found

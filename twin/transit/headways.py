"""From tables of routes, stops and headways, without a timetable, to GTFS with frequencies.

Many cities know of their buses no more than which stops a route calls at, from when until when it runs, and how often.
Running times are then estimated: the way by road where the city has roads, else the straight line times a factor, at a
declared speed, with a halt at each stop. They are marked as such: no stop is a timepoint, no frequency is exact.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layers.datum import CRS84, make_transformer
from layers.errors import InputError, MappingError, SourceError
from twin.transit.feed import Feed, FeedTable, make_table, write_time
from twin.transit.headway_mapping import CallColumns, HeadwayMapping, StopColumns
from twin.transit.opening_hours import Span, read_headway, read_hours
from twin.transit.road_ways import RoadWays, join_ways
from twin.transit.stop_order import mend_order
from twin.transit.stop_times import EARTH_RADIUS, measure_distance

MOST_ROWS = 200_000
_MOST_BYTES = 64 << 20


def read_headway_feed(
    folder: Path, mapping: HeadwayMapping, *, ways: RoadWays | None = None, crs: str | None = None
) -> tuple[Feed, list[str]]:
    """Return the feed of the tables in ``folder``, and what was done to the order of stops.

    ways: how buses drive, in the city's ``crs``; straight lines without. Raises SourceError for a file or column that
    is not there, InputError for hours, headways or places that cannot be read, naming the row.
    """
    agencies = _read_rows(folder, mapping.agencies.file)
    stops = _read_stops(folder, mapping.stops)
    routes = _read_rows(folder, mapping.routes.file)
    calls = _read_calls(folder, mapping.calls)
    built = _Builder(mapping, stops, ways, crs)
    for row, route in enumerate(routes, start=2):
        built.add_route(route, calls, f"{mapping.routes.file} row {row}")
    feed = Feed({
        "agency": make_table({
            "agency_id": [_take(one, mapping.agencies.id) for one in agencies],
            "agency_name": [_take(one, mapping.agencies.name) for one in agencies],
            "agency_url": [mapping.agencies.url] * len(agencies),
            "agency_timezone": [mapping.agencies.timezone] * len(agencies),
            "agency_lang": [mapping.agencies.language] * len(agencies),
        }),
        "stops": _write_stops(stops),
        **built.tables(),
        "feed_info": make_table({
            "feed_publisher_name": [_take(agencies[0], mapping.agencies.name)],
            "feed_publisher_url": [mapping.agencies.url],
            "feed_lang": [mapping.agencies.language],
            "feed_start_date": [f"{mapping.valid_from:%Y%m%d}"],
            "feed_end_date": [f"{mapping.valid_to:%Y%m%d}"],
            "feed_version": [f"estimated {mapping.speed:g} km/h"],
            "feed_contact_url": [mapping.agencies.url],
        }),
    })  # fmt: skip
    return feed, built.notes


@dataclass(frozen=True, eq=False)
class _Stops:
    ids: list[str]
    codes: list[str]
    names: list[str]
    notes: list[str]
    lon_lat: NDArray[np.float64]


class _Builder:
    """Rows of the feed, route after route."""

    def __init__(self, mapping: HeadwayMapping, stops: _Stops, ways: RoadWays | None, crs: str | None) -> None:
        self.mapping, self.stops = mapping, stops
        self.ways = ways
        self.to_city = None if crs is None else make_transformer(CRS84, crs)
        self.to_degrees = None if crs is None else make_transformer(crs, CRS84)
        self.positions = {one: at for at, one in enumerate(stops.ids)}
        self.rows: dict[str, list[dict[str, Any]]] = {
            name: []
            for name in (
                "routes",
                "trips",
                "stop_times",
                "calendar",
                "frequencies",
                "shapes",
                "fare_attributes",
                "fare_rules",
            )
        }
        self.services: set[str] = set()
        self.notes: list[str] = []

    def add_route(self, route: Mapping[str, str], calls: Mapping[tuple[str, int], list[str]], place: str) -> None:
        """Add a route with a trip in each direction; InputError names the row."""
        columns, own = self.mapping.routes, _take(route, self.mapping.routes.id)
        try:
            spans, (least, most) = read_hours(_take(route, columns.hours)), read_headway(_take(route, columns.headway))
        except InputError as error:
            raise InputError(f"{place}: {error.message}", hint=error.hint) from error
        note = _take(route, columns.description) if columns.description else ""
        often = f"{least // 60}" if least == most else f"{least // 60}–{most // 60}"
        self.rows["routes"].append({
            "route_id": own,
            "agency_id": _take(route, columns.agency) if columns.agency else "",
            "route_short_name": _take(route, columns.short_name),
            "route_long_name": _take(route, columns.long_name),
            "route_desc": f"{note}; {often} phút/chuyến".strip("; "),
            "route_type": columns.type,
        })  # fmt: skip
        self._add_fare(own, _take(route, columns.fare) if columns.fare else "", place)
        for direction in (0, 1):
            stops = calls.get((own, direction), [])
            unknown = next((one for one in stops if one not in self.positions), None)
            if unknown is not None:
                raise InputError(f"{place}: the route calls at stop '{unknown[:80]}', which is not in the stops")
            if len(stops) > 1:
                self._add_trips(own, direction, stops, spans, (least + most) // 2)

    def tables(self) -> dict[str, FeedTable]:
        """Return the tables that have rows."""
        return {
            name: make_table({column: [row[column] for row in rows] for column in rows[0]})
            for name, rows in self.rows.items()
            if rows
        }

    def _add_trips(self, route: str, direction: int, stops: list[str], spans: Sequence[Span], headway: int) -> None:
        at = self._order(route, direction, np.array([self.positions[one] for one in stops]))
        along, shape = self._measure(at, f"{route}-{direction}")
        rides = np.round(along / (self.mapping.speed / 3.6) + self.mapping.halt * np.arange(at.size))
        for span in spans:
            self._add_service(span)
            trip = f"{route}-{direction}-{span.name}"
            self.rows["trips"].append({
                "route_id": route, "service_id": span.name, "trip_id": trip, "trip_headsign": self.stops.names[at[-1]],
                "direction_id": direction, "shape_id": shape,
            })  # fmt: skip
            self.rows["frequencies"].append({
                "trip_id": trip, "start_time": write_time(span.begin), "end_time": write_time(span.end),
                "headway_secs": headway, "exact_times": 0,
            })  # fmt: skip
            for number, (stop, ride, far) in enumerate(zip(at.tolist(), rides, along, strict=True), start=1):
                arrival = span.begin + max(ride - (self.mapping.halt if number > 1 else 0.0), 0.0)
                self.rows["stop_times"].append({
                    "trip_id": trip, "arrival_time": write_time(arrival),
                    "departure_time": write_time(span.begin + ride),
                    "stop_id": self.stops.ids[stop], "stop_sequence": number,
                    "shape_dist_traveled": f"{far:.1f}", "timepoint": 0,
                })  # fmt: skip

    def _order(self, route: str, direction: int, at: NDArray[np.int64]) -> NDArray[np.int64]:
        if self.mapping.farthest is None:
            return at
        scale = np.radians(1.0) * EARTH_RADIUS
        lon, lat = self.stops.lon_lat[at].T
        xy = np.column_stack((lon * scale * np.cos(np.radians(lat.mean())), lat * scale))
        order, moved = mend_order(xy, self.mapping.farthest * 1000.0)
        if moved:
            self.notes.append(
                f"{route} chiều · direction {direction}: {moved} / {at.size} trạm xếp lại · stops reordered"
            )
        return at[order]

    def _measure(self, at: NDArray[np.int64], shape: str) -> tuple[NDArray[np.float64], str]:
        """Return how far along its way each stop is [m], and the id of the line if roads tell it."""
        places = self.stops.lon_lat[at]
        steps = measure_distance(places[:-1, 0], places[:-1, 1], places[1:, 0], places[1:, 1])
        straight = np.concatenate([np.zeros(1), np.cumsum(np.maximum(steps, 1.0) * self.mapping.detour)])
        if self.ways is None or self.to_city is None or self.to_degrees is None:
            return straight, ""
        xy = np.column_stack(self.to_city.transform(places[:, 0], places[:, 1]))
        line, along = join_ways(self.ways.lay(xy), xy)
        if line is None:
            return straight, ""
        along = np.maximum.accumulate(along + 0.1 * np.arange(at.size))
        points = np.array(line.coords)
        lengths = np.concatenate([np.zeros(1), np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
        lon, lat = self.to_degrees.transform(points[:, 0], points[:, 1])
        self.rows["shapes"].extend(
            {"shape_id": shape, "shape_pt_lat": f"{y:.6f}", "shape_pt_lon": f"{x:.6f}", "shape_pt_sequence": number,
             "shape_dist_traveled": f"{far:.1f}"}
            for number, (x, y, far) in enumerate(zip(lon, lat, lengths, strict=True), start=1)
        )  # fmt: skip
        return along, shape

    def _add_service(self, span: Span) -> None:
        if span.name in self.services:
            return
        self.services.add(span.name)
        days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
        self.rows["calendar"].append({
            "service_id": span.name, **{day: int(on) for day, on in zip(days, span.days, strict=True)},
            "start_date": f"{self.mapping.valid_from:%Y%m%d}", "end_date": f"{self.mapping.valid_to:%Y%m%d}",
        })  # fmt: skip

    def _add_fare(self, route: str, text: str, place: str) -> None:
        digits = "".join(letter for letter in text.split(" ")[0] if letter.isdigit() or letter == ".")
        if not digits:
            return
        try:
            price = float(digits)
        except ValueError as error:
            raise InputError(f"{place}: fare '{text[:80]}' does not begin with a price") from error
        fare = f"{price:g}-{self.mapping.routes.currency}"
        if all(row["fare_id"] != fare for row in self.rows["fare_attributes"]):
            self.rows["fare_attributes"].append({
                "fare_id": fare, "price": f"{price:.0f}", "currency_type": self.mapping.routes.currency,
                "payment_method": 0, "transfers": 0,
            })  # fmt: skip
        self.rows["fare_rules"].append({"fare_id": fare, "route_id": route})


def _read_stops(folder: Path, columns: StopColumns) -> _Stops:
    rows = _read_rows(folder, columns.file)
    places = []
    for number, row in enumerate(rows, start=2):
        words = _take(row, columns.lon_lat).split(",") if columns.lon_lat else [
            _take(row, name or "") for name in (columns.lon, columns.lat)
        ]  # fmt: skip
        try:
            lon, lat = map(float, words)
        except ValueError as error:
            found = ",".join(words)[:80]
            raise InputError(f"{columns.file} row {number}: '{found}' is no longitude and latitude") from error
        if not (abs(lon) <= 180.0 and abs(lat) <= 90.0):
            raise InputError(f"{columns.file} row {number}: {lon:g}, {lat:g} is no longitude and latitude")
        places.append((lon, lat))
    return _Stops(
        [_take(row, columns.id) for row in rows],
        [_take(row, columns.code) if columns.code else "" for row in rows],
        [_take(row, columns.name) for row in rows],
        [_take(row, columns.description) if columns.description else "" for row in rows],
        np.array(places, np.float64).reshape(-1, 2),
    )


def _write_stops(stops: _Stops) -> FeedTable:
    return make_table({
        "stop_id": stops.ids,
        "stop_code": stops.codes,
        "stop_name": stops.names,
        "stop_desc": ["" if note == name else note for note, name in zip(stops.notes, stops.names, strict=True)],
        "stop_lat": [f"{lat:.7f}" for lat in stops.lon_lat[:, 1]],
        "stop_lon": [f"{lon:.7f}" for lon in stops.lon_lat[:, 0]],
    })  # fmt: skip


def _read_calls(folder: Path, columns: CallColumns) -> dict[tuple[str, int], list[str]]:
    """Return the stops of each route and direction in order."""
    found: dict[tuple[str, int], list[tuple[float, str]]] = {}
    for number, row in enumerate(_read_rows(folder, columns.file), start=2):
        words = _take(row, columns.sequence), _take(row, columns.direction) if columns.direction else "0"
        try:
            sequence, direction = float(words[0]), int(words[1])
        except ValueError as error:
            raise InputError(f"{columns.file} row {number}: '{words[0]}', '{words[1]}' are no numbers") from error
        found.setdefault((_take(row, columns.route), direction), []).append((sequence, _take(row, columns.stop)))
    return {key: [stop for _, stop in sorted(calls)] for key, calls in found.items()}


def _read_rows(folder: Path, name: str) -> list[dict[str, str]]:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        raise SourceError(f"{folder} holds no {name}", hint="name the files in the mapping as they are called")
    if path.stat().st_size > _MOST_BYTES:
        raise SourceError(f"{name} is larger than {_MOST_BYTES >> 20} MiB")
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise SourceError(f"{name} cannot be read as CSV in UTF-8: {error}") from error
    if not rows or len(rows) > MOST_ROWS:
        raise SourceError(f"{name} has {len(rows)} rows, expected 1 to {MOST_ROWS:,}")
    return rows


def _take(row: Mapping[str, str], column: str) -> str:
    if column not in row:
        raise MappingError(f"there is no column '{column}'", hint=f"one of {', '.join(map(str, row))}")
    return (row[column] or "").strip()

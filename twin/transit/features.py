"""A feed as features of the city: its stops and its routes, in the city's CRS."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from layers.datum import CRS84, make_transformer
from twin.transit.feed import Feed, FeedTable
from twin.transit.frequencies import count_departures
from twin.transit.services import choose_day, find_active_trips
from twin.transit.shapes import read_shapes
from twin.transit.stop_times import read_places, read_stop_times

_TYPES = {
    0: "tram", 1: "subway", 2: "rail", 3: "bus", 4: "ferry", 5: "cable_tram", 6: "aerial_lift", 7: "funicular",
    11: "trolleybus", 12: "monorail",
}  # fmt: skip
# Extended types begin with the hundred of a basic one.
_EXTENDED = {1: 2, 2: 3, 4: 1, 7: 3, 8: 11, 9: 0, 10: 4, 12: 4, 13: 6, 14: 7}
_MODES = {"tram": "rail", "subway": "rail", "rail": "rail", "monorail": "rail", "ferry": "ferry"}
_LOCATIONS = {0: "stop", 1: "station", 2: "entrance"}
_WHEELCHAIR = {1: "yes", 2: "no"}


def name_feature(feed_id: str, *parts: str) -> str:
    """Return the id of a feature of a feed: of different feeds two never have the same."""
    return ".".join((feed_id, *parts))


def name_type(code: int) -> str:
    """Return the word of a route type, basic or extended."""
    basic = code if code in _TYPES else _EXTENDED.get(code // 100, -1)
    return _TYPES.get(basic, "other")


def make_stops(feed: Feed, feed_id: str, crs: str) -> gpd.GeoDataFrame:
    """Return the stops, stations and entrances that have a place, as rows of the layer ``stops``."""
    table = feed.table("stops")
    lat, lon = read_places(feed)
    types = table.codes("location_type")
    kept = np.flatnonzero(np.isfinite(lat) & np.isfinite(lon) & np.isin(types, list(_LOCATIONS)))
    x, y = make_transformer(CRS84, crs).transform(lon[kept], lat[kept])
    parents = table.texts("parent_station")[kept]
    modes = _find_modes(feed)
    ids = table.texts("stop_id")[kept]
    return gpd.GeoDataFrame(
        {
            "id": [name_feature(feed_id, one) for one in ids],
            "name": _or_none(table, "stop_name", kept),
            "mode": modes[kept],
            "gtfs_id": ids,
            "code": _or_none(table, "stop_code", kept),
            "location_type": [_LOCATIONS[int(one)] for one in types[kept]],
            "parent_station": [name_feature(feed_id, one) if one else None for one in parents],
            "wheelchair_boarding": [_WHEELCHAIR.get(int(one)) for one in table.codes("wheelchair_boarding")[kept]],
        },
        geometry=shapely.points(x, y),
        crs=crs,
    )


def make_routes(feed: Feed, feed_id: str, crs: str, today: date) -> gpd.GeoDataFrame:
    """Return the routes by direction as rows of the layer ``transit_routes``.

    Each is drawn along the shape most of its trips have, else from stop to stop; trips are those of ``today``, or of
    the nearest day that has any.
    """
    found = list_patterns(feed, choose_day(feed, today))
    to_city = make_transformer(CRS84, crs)
    lines = _draw(feed, found, to_city)
    routes, agency = feed.table("routes"), feed.table("agency")
    short, long = routes.texts("route_short_name"), routes.texts("route_long_name")
    agencies = agency.texts("agency_name")
    operators = routes.find("agency_id", agency.column("agency_id"))
    headsigns = feed.table("trips").texts("trip_headsign")
    shapes = feed.table("trips").texts("shape_id")
    types, colors = routes.codes("route_type", -1), routes.texts("route_color")
    rows = []
    for one, line in zip(found, lines, strict=True):
        if line is None:
            continue
        route, operator = one.route, int(operators[one.route])
        alone = len(agencies) == 1
        rows.append({
            "id": name_feature(feed_id, feed.route_ids[route].as_py(), str(one.direction)),
            "name": long[route] or short[route] or None,
            "short_name": short[route] or long[route] or None,
            "route_type": name_type(int(types[route])),
            "feed": feed_id,
            "route_id": feed.route_ids[route].as_py(),
            "direction": one.direction,
            "shape_id": shapes[one.trip] or None,
            "headsign": headsigns[one.trip] or None,
            "agency": agencies[operator] if operator >= 0 else agencies[0] if alone else None,
            "route_color": f"#{colors[route].lower()}" if len(colors[route]) == 6 else None,
            "stop_count": one.stops.size,
            "trip_count": one.departures,
            "headway": one.headway,
            "length": round(float(shapely.length(line)), 1),
            "geometry": line,
        })  # fmt: skip
    columns = [
        "id", "name", "short_name", "route_type", "feed", "route_id", "direction", "shape_id", "headsign", "agency",
        "route_color", "stop_count", "trip_count", "headway", "length",
    ]  # fmt: skip
    return gpd.GeoDataFrame(rows, columns=[*columns, "geometry"], geometry="geometry", crs=crs)


@dataclass(frozen=True, eq=False)
class RoutePattern:
    """A route in one direction: the trip that stands for it, the stops it calls at, departures and headway of a day."""

    route: int
    direction: int
    trip: int
    stops: NDArray[np.int64]
    departures: int
    headway: float | None


def list_patterns(feed: Feed, day: date) -> list[RoutePattern]:
    """Return each route and direction with its most frequent way; where none runs that day, of all days."""
    trips = feed.table("trips")
    routes = trips.find("route_id", feed.route_ids)
    directions = trips.codes("direction_id")
    found = read_stop_times(feed)
    begins = np.flatnonzero(found.is_first)
    ends = np.append(begins[1:], found.order.size)
    ways = {int(found.trips[a]): (int(a), int(b)) for a, b in zip(begins, ends, strict=True)}
    departures = count_departures(feed)
    runs = find_active_trips(feed, day)
    shapes = trips.texts("shape_id")
    groups: dict[tuple[int, int], list[int]] = {}
    for trip in ways:
        if routes[trip] >= 0:
            groups.setdefault((int(routes[trip]), int(directions[trip])), []).append(trip)
    patterns = []
    for (route, direction), members in sorted(groups.items()):
        today = [trip for trip in members if runs[trip]]
        weights: dict[Any, int] = {}
        for trip in today or members:
            way = ways[trip]
            key = (shapes[trip], found.stops[slice(*way)].tobytes())
            weights[key] = weights.get(key, 0) + int(departures[trip].count)
        best = max(weights, key=lambda key: weights[key])
        chosen = next(
            trip for trip in today or members if (shapes[trip], found.stops[slice(*ways[trip])].tobytes()) == best
        )
        total = sum(int(departures[trip].count) for trip in today)
        spans = [departures[trip] for trip in today]
        span = max(one.last for one in spans) - min(one.first for one in spans) if spans else 0.0
        headway = round(span / (total - 1), 1) if total > 1 and np.isfinite(span) else None
        patterns.append(RoutePattern(route, direction, chosen, found.stops[slice(*ways[chosen])], total, headway))
    return patterns


def _draw(feed: Feed, patterns: list[RoutePattern], to_city: Transformer) -> list[Any]:
    shapes = read_shapes(feed)
    lines = shapes.draw(*to_city.transform(shapes.lon, shapes.lat))
    own = feed.table("trips").find("shape_id", pa.array(shapes.ids, pa.string()))
    lat, lon = read_places(feed)
    x, y = to_city.transform(lon, lat)
    drawn: list[Any] = []
    for one in patterns:
        line = lines[own[one.trip]] if own.size and own[one.trip] >= 0 else None
        if line is None:
            stops = one.stops[one.stops >= 0]
            places = np.stack([x[stops], y[stops]], axis=1)
            places = places[np.isfinite(places).all(axis=1)]
            line = shapely.LineString(places) if len(places) > 1 else None
        drawn.append(line if line is not None and line.length > 0.0 else None)
    return drawn


def _find_modes(feed: Feed) -> NDArray[np.object_]:
    """Return the mode of each stop (stops,): of the routes that call there, rail before ferry before bus."""
    stops = feed.table("stops")
    modes = np.full(stops.size, "bus", object)
    found = read_stop_times(feed)
    routes = feed.table("trips").find("route_id", feed.route_ids)
    types = feed.table("routes").codes("route_type", -1)
    words = np.array([_MODES.get(name_type(int(one)), "bus") for one in types], object)
    if not routes.size or not words.size:
        return modes
    of_call = np.where(routes[found.trips] >= 0, words[routes[found.trips]], "bus")
    parents = stops.find("parent_station", feed.stop_ids)
    for mode in ("ferry", "rail"):
        called = np.unique(found.stops[(of_call == mode) & (found.stops >= 0)])
        modes[called] = mode
        above = parents[called]
        modes[above[above >= 0]] = mode
    return modes


def _or_none(table: FeedTable, name: str, kept: NDArray[np.int64]) -> list[str | None]:
    return [one or None for one in table.texts(name)[kept]]

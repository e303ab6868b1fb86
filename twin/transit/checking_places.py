"""Checks of stops and shapes: places, stations, distance of stops from the line a trip is drawn on."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from twin.transit.checking_fields import list_rows
from twin.transit.feed import Feed
from twin.transit.notices import MOST_SAMPLES, Notices
from twin.transit.shapes import Shapes, list_trip_calls, read_shapes
from twin.transit.stop_times import EARTH_RADIUS, read_places
from twin.transit.tables import TABLES

TOO_FAR = 100.0
"""A stop lies too far from its shape beyond this [m]; of the canonical validator."""
_STOPS = TABLES["stops"]


def check_places(feed: Feed, notices: Notices) -> None:
    """Check stops and shapes."""
    _check_stops(feed, notices)
    _check_parents(feed, notices)
    shapes = read_shapes(feed)
    _check_shapes(feed, shapes, notices)
    _check_distance(feed, shapes, notices)


def _check_stops(feed: Feed, notices: Notices) -> None:
    table = feed.table("stops")
    types = table.codes("location_type")
    placed = np.isin(types, (0, 1, 2))
    lat, lon = table.numbers("stop_lat"), table.numbers("stop_lon")
    without = placed & (np.isnan(lat) | np.isnan(lon))
    names, notes = table.texts("stop_name"), table.texts("stop_desc")
    for code, where in (
        ("stop_without_location", without),
        ("missing_stop_name", placed & (names == "")),
        ("same_name_and_description_for_stop", (names == notes) & (names != "")),
        ("point_near_origin", (np.abs(lat) <= 1.0) & (np.abs(lon) <= 1.0)),
        ("point_near_pole", np.abs(lat) >= 89.0),
    ):
        notices.add(code, list_rows(_STOPS, table, where, "stop_id", "stop_name"), count=int(where.sum()))


def _check_parents(feed: Feed, notices: Notices) -> None:
    table = feed.table("stops")
    types, given = table.codes("location_type"), table.texts("parent_station") != ""
    parents = table.find("parent_station", feed.stop_ids)
    of_parent = np.where(parents >= 0, types[np.maximum(parents, 0)] if types.size else 0, -1)
    expected = np.where(types == 4, 0, 1)
    for code, where in (
        ("location_without_parent_station", np.isin(types, (2, 3, 4)) & ~given),
        ("station_with_parent_station", (types == 1) & given),
        ("wrong_parent_location_type", (parents >= 0) & (types != 1) & (of_parent != expected)),
    ):
        notices.add(code, list_rows(_STOPS, table, where, "stop_id", "parent_station"), count=int(where.sum()))


def _check_shapes(feed: Feed, shapes: Shapes, notices: Notices) -> None:
    table = feed.table("shapes")
    if not shapes.order.size:
        return
    same = np.diff(shapes.owners) == 0
    fall = np.diff(shapes.distances)
    moved = (np.diff(shapes.lon) != 0.0) | (np.diff(shapes.lat) != 0.0)
    for code, found in (
        ("decreasing_shape_distance", same & (fall < 0.0)),
        ("equal_shape_distance_diff_coordinates", same & (fall == 0.0) & moved),
        ("equal_shape_distance_same_coordinates", same & (fall == 0.0) & ~moved),
    ):
        where = np.zeros(table.size, np.bool_)
        where[shapes.order[1:][found]] = True
        samples = list_rows(TABLES["shapes"], table, where, "shape_id", "shape_pt_sequence", "shape_dist_traveled")
        notices.add(code, samples, count=int(where.sum()))


def _check_distance(feed: Feed, shapes: Shapes, notices: Notices) -> None:
    """Compare each pair of shape and stop once, on a plane about the feed's middle."""
    calls = list_trip_calls(feed)
    if not shapes.ids.size or not calls.shapes.size:
        return
    lat, lon = read_places(feed)
    pairs = np.unique(np.stack([calls.shapes, calls.stops]), axis=1)
    pairs = pairs[:, (pairs[0] >= 0) & (pairs[1] >= 0)]
    pairs = pairs[:, np.isfinite(lat[pairs[1]]) & np.isfinite(lon[pairs[1]])]
    scale = np.radians(1.0) * EARTH_RADIUS
    east = scale * np.cos(np.radians(float(np.nanmean(lat))))
    lines = shapes.draw(shapes.lon * east, shapes.lat * scale)
    points = shapely.points(lon[pairs[1]] * east, lat[pairs[1]] * scale)
    usable = np.array([line is not None for line in lines], np.bool_)[pairs[0]]
    pairs, points = pairs[:, usable], points[usable]
    distance = shapely.distance(lines[pairs[0]], points)
    far = distance > TOO_FAR
    notices.add("stop_too_far_from_shape", _list_far(feed, shapes, pairs[:, far], distance[far]), count=int(far.sum()))


def _list_far(
    feed: Feed, shapes: Shapes, pairs: NDArray[np.int64], distance: NDArray[np.float64]
) -> Iterator[dict[str, Any]]:
    table = feed.table("stops")
    for (shape, stop), away in zip(pairs.T[:MOST_SAMPLES], distance, strict=False):
        yield {
            "filename": "stops.txt",
            "csvRowNumber": int(table.rows[stop]),
            "stopId": feed.stop_ids[int(stop)].as_py(),
            "shapeId": str(shapes.ids[shape]),
            "distance": round(float(away), 1),
        }

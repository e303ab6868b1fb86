"""Tracks on a grid of streets: what was driven comes back, in whatever form the track is given; speeds are right."""

import csv
import io
import json
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely

from layers.errors import InputError, NotFoundError, TooLargeError
from tests.twin.conftest import X0, Y0
from tests.twin.road_town import TO_DEGREES, ask, make_grid, place
from twin.process import Outputs
from twin.processes import map_match, route
from twin.roads.matching_tracks import read_track

GRID = make_grid()
LINE = {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def drive(*points: tuple[float, float], step: float = 30.0) -> np.ndarray:
    """Return positions [degrees] every ``step`` along lines of the grid."""
    line = shapely.LineString([(X0 + x, Y0 + y) for x, y in points])
    at = shapely.get_coordinates(shapely.line_interpolate_point(line, np.arange(0.0, line.length, step)))
    return np.column_stack(TO_DEGREES.transform(at[:, 0], at[:, 1]))


def match(track: Any, **values: Any) -> Outputs:
    return ask(GRID, map_match.PROCESS, track=track, **values)


def test_a_drive_comes_back_with_its_speeds() -> None:
    lonlat = drive((50, 100), (400, 100), (400, 600), (850, 600))
    times = [f"2026-11-20T08:{k // 20:02d}:{k % 20 * 3:02d}+07:00" for k in range(len(lonlat))]
    found = match({
        "type": "Feature", "properties": {"times": times},
        "geometry": {"type": "LineString", "coordinates": lonlat.tolist()},
    }, accuracy=3.0)  # fmt: skip
    frame = found.features["matched_links"]
    assert found.summary["stretches"] == 1
    assert found.summary["length"] == pytest.approx(30.0 * (len(lonlat) - 1), abs=1.0)
    names = list(dict.fromkeys(frame["name"]))
    assert names == ["Ngang 1", "Dọc 4", "Ngang 6"]
    # 30 m in 3 s.
    assert frame["speed"].to_numpy() == pytest.approx(np.full(len(frame), 36.0), rel=0.02)
    assert frame["position"].tolist() == list(range(1, len(frame) + 1))
    assert frame["entered"].is_monotonic_increasing
    rows = list(csv.DictReader(io.StringIO(found.files["speeds.csv"].decode())))
    assert {row["direction"] for row in rows} <= {"forward", "backward"}
    assert [float(row["speed"]) for row in rows] == pytest.approx([36.0] * len(rows), rel=0.02)
    assert {row["road_link_id"] for row in rows} <= set(frame["road_link_id"])
    joined = shapely.line_merge(shapely.union_all(frame.geometry.to_numpy()))
    assert joined.geom_type == "LineString"
    assert joined.length == pytest.approx(found.summary["length"], abs=1.0)


def test_a_route_driven_without_noise_is_matched_to_itself() -> None:
    gone = ask(GRID, route.PROCESS, origin=place(50, 0), destination=place(850, 870), mode="motorbike")
    shape = gone.features["routes"].geometry.iloc[0]
    at = shapely.get_coordinates(shapely.line_interpolate_point(shape, np.arange(0.0, shape.length, 20.0)))
    lonlat = np.column_stack(TO_DEGREES.transform(at[:, 0], at[:, 1])).tolist()
    found = match({"type": "LineString", "coordinates": lonlat}, accuracy=3.0)
    driven = shapely.union_all(found.features["matched_links"].geometry.to_numpy())
    assert shapely.hausdorff_distance(driven, shape) < 25.0
    assert found.summary["length"] == pytest.approx(20.0 * (len(lonlat) - 1), abs=1.0)


def test_a_track_is_read_in_every_form() -> None:
    lonlat = drive((50, 100), (400, 100))
    times = [1_795_136_400 + 3 * k for k in range(len(lonlat))]
    points = [
        {"type": "Feature", "properties": {"time": time}, "geometry": {"type": "Point", "coordinates": place}}
        for time, place in zip(times, lonlat.tolist(), strict=True)
    ]
    text = "lat,lon,time\n" + "\n".join(
        f"{lat},{lon},{time}" for time, (lon, lat) in zip(times, lonlat.tolist(), strict=True)
    )
    collection = {"type": "FeatureCollection", "features": points}
    for given in (collection, json.dumps(collection), text, "\ufeff" + text):
        track = read_track(given, ZONE)
        assert np.allclose(track.lonlat, lonlat)
        assert track.times is not None
        assert track.times.tolist() == times
    local = read_track("lon,lat,time\n105.7,10.0,2026-11-20T08:00:00\n105.7,10.1,2026-11-20T08:00:09", ZONE)
    assert local.times is not None
    assert local.times[1] - local.times[0] == 9.0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("a,b\n1,2", "neither GeoJSON nor CSV"),
        ("{", "not JSON"),
        ({"type": "Polygon"}, "expected a LineString"),
        ({"type": "LineString", "coordinates": [[105.7, 10.0]]}, "1 positions"),
        ({"type": "LineString", "coordinates": [[105.7, 10.0], [1e9, 0]]}, "position 2"),
        ({"type": "LineString", "coordinates": [[105.7, 10.0], "x"]}, "position 2"),
        ({"type": "LineString", "coordinates": 7}, "expected a LineString"),
        ({"type": "FeatureCollection", "features": [7, 8]}, "no Point"),
        ({"type": "Feature", "properties": {"times": [1]}, "geometry": LINE}, "1 times"),
        ("lon,lat,time\n105.7,10.0,9\n105.7,10.1,3", "earlier"),
        ("lon,lat,time\n105.7,10.0,soon\n105.7,10.1,3", "the time 'soon'"),
        ("lon,lat\n105.7,\n105.7,10.1", "no pair of numbers"),
    ],
)  # fmt: skip
def test_what_is_no_track_is_told(given: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        match(given)


def test_gaps_and_positions_off_the_road_are_told() -> None:
    first, second = drive((50, 100), (350, 100)), drive((50, 800), (350, 800))
    far = np.array([place(400, 3_000)])
    lonlat = np.vstack((first, far, second))
    # The second part begins one second after the first: nobody drives 700 m in that time.
    times = [3.0 * k for k in range(len(first))] + [3.0 * len(first) + 0.5] * 1
    times += [times[-1] + 0.5 + 3.0 * k for k in range(len(second))]
    text = "lon,lat,time\n" + "\n".join(
        f"{lon},{lat},{time}" for time, (lon, lat) in zip(times, lonlat.tolist(), strict=True)
    )
    found = match(text, accuracy=3.0)
    assert found.summary["stretches"] == 2
    assert found.summary["off_road"] == [len(first) + 1]
    assert found.summary["gaps"][0]["from_position"] == len(first)
    assert set(found.features["matched_links"]["stretch"]) == {1, 2}


def test_a_track_nowhere_near_a_road_and_one_too_long_are_told() -> None:
    with pytest.raises(NotFoundError, match="no road"):
        match({"type": "LineString", "coordinates": [place(0, 5_000), place(100, 5_000)]})
    with pytest.raises(TooLargeError, match="20,000"):
        match({"type": "LineString", "coordinates": [[105.7, 10.0]] * 20_001})

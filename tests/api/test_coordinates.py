"""Coordinates that people type are read, each way they can be meant; places are written so that they are read back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from layers.coordinates import read_coordinates, write_coordinates
from layers.datum import make_transformer
from layers.errors import CrsError

CITY = "EPSG:5897"
BOUNDS = (105.75, 10.0, 105.81, 10.06)
# 105.78° E, 10.03° N in VN-2000, by PROJ with EPSG:6960.
NORTH, EAST = 1109275.20, 585308.93


def read(text: str) -> list[tuple[float, float]]:
    return [one.position for one in read_coordinates(text, city=CITY, bounds=BOUNDS)]


@pytest.mark.parametrize(
    "text",
    [
        "10.03, 105.78",
        "105.78 10.03",
        "10,03 105,78",
        "10,03; 105,78",
        "10,03, 105,78",
        "(10.03,105.78)",
        "10.03 B, 105.78 Đ",
        "N10.03 E105.78",
        "vĩ độ 10,03 kinh độ 105,78",
        "lat: 10.03, lon: 105.78",
        "10°01'48.0\"N 105°46'48.0\"E",
        "10°01′48″ B; 105°46′48″ Đ",
        "10 01 48 N 105 46 48 E",
        "10°1.8'N, 105°46.8'E",
        "1109275.20 585308.93",
        "585308,93; 1109275,20",
        "X=1.109.275,20 Y=585.308,93",
        "1,109,275.20 585,308.93",
        "VN-2000 1109275.20 585308.93 KTT 105°00'",
        "1109275.20 585308.93 EPSG:5897",
    ],
)
def test_one_place_is_read_in_all_ways_it_is_written(text: str) -> None:
    assert [place == pytest.approx((105.78, 10.03), abs=2e-7) for place in read(text)] == [True]


def test_what_can_be_meant_in_two_ways_has_two_readings() -> None:
    assert read("10.03 20.5") == [(20.5, 10.03), (10.03, 20.5)]


def test_zones_are_told_or_found_by_the_city() -> None:
    place = make_transformer("EPSG:9210", "OGC:CRS84").transform(503_000, 1_109_275)
    told = read_coordinates("1109275 503000 kinh tuyến trục 105-45", city=CITY, bounds=BOUNDS)
    assert [one.position for one in told] == [place]
    assert "105°45'" in told[0].how.vi
    found = read_coordinates("1109275 503000", city=CITY, bounds=BOUNDS)
    assert [(one.crs, one.inside) for one in found] == [("EPSG:9210", True), (CITY, False)]
    with pytest.raises(CrsError, match="103°18'"):
        read("1109275 503000 KTT 103.3")
    with pytest.raises(CrsError, match="not in metres"):
        read("1109275 503000 EPSG:4326")


@pytest.mark.parametrize(
    "text",
    ["", "12 Nguyễn Trãi 5", "thửa 12 tờ 5", "12/3", "95 200", "10°75'N 105°00'E", "1109275", "10 N 11 N", "9" * 200],
)
def test_what_is_no_pair_of_coordinates_has_no_reading(text: str) -> None:
    assert read(text) == []


@given(st.floats(102.2, 109.4), st.floats(8.3, 23.3))
def test_every_writing_is_read_back(longitude: float, latitude: float) -> None:
    for writing in write_coordinates(longitude, latitude, city=CITY):
        places = [
            one.position for one in read_coordinates(writing.text, city=CITY, bounds=BOUNDS) if one.crs == writing.crs
        ]
        assert any(place == pytest.approx((longitude, latitude), abs=2e-6) for place in places), writing


@given(st.text(alphabet="0123456789.,;° '\"-NSBDĐxy:=KTT", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        places = read(text)
    except CrsError:
        return
    assert all(abs(lon) <= 180 and abs(lat) <= 90 for lon, lat in places)


def test_coordinates_are_read_and_written_over_http(client: TestClient) -> None:
    found: dict[str, Any] = client.get("/api/coordinates", params={"q": f"{NORTH} {EAST}"}).json()
    assert found["readings"][0]["position"] == pytest.approx([105.78, 10.03], abs=2e-7)
    assert found["readings"][0]["how"]["en"].startswith("VN-2000, central meridian 105°00'")
    written = client.get("/api/position", params={"lon": 105.78, "lat": 10.03}).json()["writings"]
    assert [one["text"] for one in written] == [
        "10.030000, 105.780000",
        "10°01'48.00\"N 105°46'48.00\"E",
        f"{NORTH:.2f} {EAST:.2f}",
    ]
    assert client.get("/api/coordinates", params={"q": "1109275 503000 KTT 103.3"}).status_code == 400
    for wrong in (
        "/api/coordinates",
        "/api/coordinates?q=1&z=2",
        "/api/position?lon=nan&lat=0",
        "/api/position?lon=0&lat=89",
    ):
        assert client.get(wrong).status_code == 400

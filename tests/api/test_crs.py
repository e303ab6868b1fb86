"""Coordinate systems of answers, boxes, filters and edits: the axes as the EPSG register has them."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pyproj import CRS, Transformer
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_crs_info
from pyproj.enums import PJType
from pyproj.exceptions import ProjError
from starlette.testclient import TestClient

from api.parameters import CRS84, EPSG, parse_crs
from layers.datum import bind, find_shift
from tests.api.conftest import TREES

TREE = "/api/collections/trees/items/t00100"
STOPS = "/api/collections/stops/items"
# VN-2000: geographic, UTM zones 48 and 49, the 3° zones of provinces, national TM-3.
VIETNAMESE = (4756, 3405, 3406, 5896, 5897, 5898, 5899, *range(9205, 9219))
OTHERS = (4326, 3857, 32648, 4544)
NEARBY = sorted(
    {
        int(one.code)
        for one in query_crs_info(
            "EPSG", [PJType.PROJECTED_CRS, PJType.GEOGRAPHIC_2D_CRS],
            area_of_interest=AreaOfInterest(105.7, 10.0, 105.8, 10.1), contains=True,
        )
    }
)  # fmt: skip


def read_place(client: TestClient, crs: str) -> list[float]:
    answer = client.get(TREE, params={"crs": crs})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-crs"] == f"<{crs}>"
    place: list[float] = answer.json()["geometry"]["coordinates"]
    return place


def compute(lon: float, lat: float, code: int) -> tuple[float, float]:
    """Return a place in EPSG:``code`` as the register orders it, by PROJ and the declared shift of its datum."""
    target = CRS.from_epsg(code)
    if find_shift(target) is None:
        return tuple(Transformer.from_crs(4326, target, always_xy=False).transform(lat, lon))
    base = target.geodetic_crs
    assert base is not None
    there = Transformer.from_crs(4326, bind(base), always_xy=True).transform(lon, lat)
    own = there[::-1] if base.axis_info[0].direction == "north" else there
    return tuple(Transformer.from_crs(base, target, always_xy=False).transform(*own)) if target != base else own


@pytest.mark.conformance("ogcapi-features-2/1.0/conf/crs")
@pytest.mark.parametrize("code", (*VIETNAMESE, *OTHERS))
def test_a_place_is_where_proj_says_with_the_axes_of_the_register(client: TestClient, code: int) -> None:
    lon, lat = read_place(client, CRS84)
    found = read_place(client, f"{EPSG}{code}")
    # Degrees are written to 1 cm, metres to 1 mm.
    tolerance = 2e-7 if CRS.from_epsg(code).is_geographic else 0.02
    assert found == pytest.approx(compute(lon, lat, code), abs=tolerance)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(code=st.sampled_from(NEARBY))
def test_any_crs_that_serves_the_place_is_ordered_as_the_register_says(client: TestClient, code: int) -> None:
    lon, lat = read_place(client, CRS84)
    try:
        x, y = compute(lon, lat, code)
    except ProjError:
        assume(False)
    assume(abs(x - y) > 3000 or CRS.from_epsg(code).is_geographic)
    answer = client.get(TREE, params={"crs": f"{EPSG}{code}"})
    assert answer.status_code in (200, 400), answer.text
    if answer.status_code == 200:
        found = answer.json()["geometry"]["coordinates"]
        # PostGIS may choose another shift between datums than PROJ here: up to a kilometre, never the other axis.
        assert found == pytest.approx((x, y), abs=0.02 if CRS.from_epsg(code).is_geographic else 1500)


@pytest.mark.parametrize(
    ("code", "flipped"),
    [(4326, True), (3857, False), (5897, False), (3405, False), (9210, False), (4756, True), (3031, False),
     (32661, True), (5041, False), (2177, True), (2048, False), (5515, False), (3413, False)],
)  # fmt: skip
def test_which_axis_comes_first_is_computed_not_guessed(code: int, flipped: bool) -> None:
    assert parse_crs(f"{EPSG}{code}", "crs").flip is flipped


@pytest.mark.parametrize(
    "name", [f"{EPSG}5897", "EPSG:5897", "urn:ogc:def:crs:EPSG::5897", "[EPSG:5897]", "http://www.opengis.net/def/crs/EPSG/9.9.1/5897"]
)  # fmt: skip
def test_a_crs_has_many_names(client: TestClient, name: str) -> None:
    assert client.get(TREE, params={"crs": name}).headers["content-crs"] == f"<{EPSG}5897>"


@pytest.mark.conformance("ogcapi-features-2/1.0/conf/crs")
@pytest.mark.parametrize("name", ["5897", "EPSG:1", "EPSG:4979", "EPSG:5773", "http://x/4326", "", "EPSG:32600"])
@pytest.mark.parametrize("parameter", ["crs", "bbox-crs", "filter-crs"])
def test_what_is_no_crs_is_refused_by_name(client: TestClient, name: str, parameter: str) -> None:
    asked = {parameter: name, "filter": "s_intersects(geometry, POINT(1 1))", "bbox": "1,1,2,2"}
    answer = client.get("/api/collections/trees/items", params=asked)
    assert answer.status_code == 400, answer.text


@pytest.mark.conformance("ogcapi-features-2/1.0/conf/crs")
def test_a_collection_says_how_it_is_stored_and_which_crs_it_takes(client: TestClient) -> None:
    described = client.get("/api/collections/trees").json()
    assert described["crs"][0] == CRS84
    assert described["storageCrs"] in described["crs"]
    for name in described["crs"]:
        assert client.get(TREE, params={"crs": name}).headers["content-crs"] == f"<{name}>"
    assert client.get(TREE).headers["content-crs"] == f"<{CRS84}>"


@pytest.mark.conformance("ogcapi-features-2/1.0/conf/crs")
@pytest.mark.parametrize("code", [4326, 5897, 9210, 3857, 32648, 4544])
def test_boxes_and_filters_are_read_in_their_own_crs(client: TestClient, code: int) -> None:
    name, half = f"{EPSG}{code}", 1e-6 if code == 4326 else 0.5
    a, b = read_place(client, name)
    box = f"{a - half},{b - half},{a + half},{b + half}"
    by_box = client.get("/api/collections/trees/items", params={"bbox": box, "bbox-crs": name}).json()
    words = f"s_intersects(geometry, BBOX({box}))"
    by_filter = client.get("/api/collections/trees/items", params={"filter": words, "filter-crs": name}).json()
    for page in (by_box, by_filter):
        assert [one["id"] for one in page["features"]] == ["t00100"]
    everywhere = client.get("/api/collections/trees/items", params={"bbox": "-180,-90,180,90", "bbox-crs": CRS84})
    assert everywhere.json()["numberReturned"] == 100 < TREES


@pytest.fixture
def stop(client: TestClient) -> Iterator[str]:
    """A stop made in CRS84, its address."""
    feature = {
        "type": "Feature", "id": "crs-1", "properties": {"name": "Bến"},
        "geometry": {"type": "Point", "coordinates": [105.7801, 10.0312]},
    }  # fmt: skip
    made = client.post(STOPS, json=feature)
    assert made.status_code == 201, made.text
    yield made.headers["location"]
    client.delete(made.headers["location"])


@pytest.mark.conformance("ogcapi-features-4/1.0/conf/features")
@pytest.mark.parametrize("code", [4326, 5897, 9210, 3405, 4756, 3857, 32648, 4544])
def test_what_was_read_in_a_crs_can_be_sent_back_in_it(client: TestClient, stop: str, code: int) -> None:
    name = f"{EPSG}{code}"
    read = client.get(stop, params={"crs": name}).json()
    headers = {"content-crs": f"<{name}>", "content-type": "application/geo+json"}
    same = client.put(stop, json=read, headers=headers)
    assert same.json()["results"][0]["status"] == "unchanged", same.text
    north = 0 if parse_crs(name, "crs").flip else 1
    step = 1e-5 if CRS.from_epsg(code).is_geographic else 1.0
    read["geometry"]["coordinates"][north] += step
    before = client.get(stop).json()["geometry"]["coordinates"]
    assert client.put(stop, json=read, headers=headers).status_code == 200
    after = client.get(stop).json()["geometry"]["coordinates"]
    assert after[1] - before[1] == pytest.approx(step if step < 1 else 9e-6, abs=3e-7)
    assert after[0] == pytest.approx(before[0], abs=2e-7)
    now = client.get(stop, params={"crs": name}).json()["geometry"]["coordinates"]
    assert now == pytest.approx(read["geometry"]["coordinates"], abs=1e-9)


@pytest.mark.parametrize("name", ["EPSG:1", "x", "EPSG:4979"])
def test_an_edit_in_no_crs_is_refused(client: TestClient, stop: str, name: str) -> None:
    body: dict[str, Any] = {"geometry": {"type": "Point", "coordinates": [105.7801, 10.0312]}}
    answer = client.patch(stop, json=body, headers={"content-crs": name})
    assert answer.status_code == 400, answer.text
    far = client.patch(stop, json=body, headers={"content-crs": f"{EPSG}3857"})
    assert far.status_code == 422, far.text
    assert "city's area" in far.text

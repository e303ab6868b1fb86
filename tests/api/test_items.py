"""Items over HTTP: pages, boxes, filters, the past."""

from datetime import UTC, datetime
from itertools import count

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from layers.registry import VECTOR_LAYERS
from layers.store.features import delete_features, upsert_features
from tests.api.conftest import TREES, X0, Y0

_numbers = count()


def make_lights(numbers: list[int], power: float = 50.0) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"id": [f"l{number}" for number in numbers], "power": power},
        geometry=shapely.points([[X0 + number, Y0] for number in numbers]),
        crs="EPSG:5897",
    )


def write(engine: Engine, layer_id: str, frame: gpd.GeoDataFrame) -> datetime:
    """Write and return a moment after which all of it is there."""
    with engine.begin() as connection:
        upsert_features(connection, VECTOR_LAYERS[layer_id], frame, source_id="test")
    with engine.connect() as connection:
        return connection.execute(text("select clock_timestamp()")).scalar_one()


def follow(client: TestClient, address: str) -> list[str]:
    """Return the ids of all pages."""
    found: list[str] = []
    following: str | None = address
    while following:
        page = client.get(following).json()
        found += [feature["id"] for feature in page["features"]]
        following = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
    return found


@pytest.mark.conformance("ogcapi-features-1/1.0/conf/core", "ogcapi-features-1/1.0/conf/geojson")
def test_a_page_says_what_it_holds(client: TestClient) -> None:
    answer = client.get("/api/collections/trees/items?limit=10&count=true")
    assert answer.headers["content-type"] == "application/geo+json"
    page = answer.json()
    assert (page["numberReturned"], page["numberMatched"], len(page["features"])) == (10, TREES, 10)
    assert page["timeStamp"].endswith("Z")
    assert "numberMatched" not in client.get("/api/collections/trees/items", params={"filter": "height > 0"}).json()
    assert client.get("/api/collections/trees/items").json()["numberReturned"] == 100


@pytest.mark.conformance("ogcapi-features-1/1.0/conf/core")
def test_paging_gives_every_item_once(client: TestClient) -> None:
    found = follow(client, "/api/collections/trees/items?limit=23")
    assert sorted(found) == [f"t{number:05d}" for number in range(TREES)]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=st.integers(1, 7), start=st.integers(1, 12), inserts=st.lists(st.integers(0, 3), max_size=6))
def test_inserts_between_pages_repeat_and_lose_nothing(
    client: TestClient, writer: Engine, size: int, start: int, inserts: list[int]
) -> None:
    with writer.begin() as connection:
        connection.execute(text("delete from city.luminaires"))
    first = [next(_numbers) for _ in range(start)]
    write(writer, "luminaires", make_lights(first))
    added: list[int] = []
    found: list[str] = []
    following: str | None = f"/api/collections/luminaires/items?limit={size}"
    waiting = list(inserts)
    while following:
        page = client.get(following).json()
        found += [feature["id"] for feature in page["features"]]
        following = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
        if waiting and following:
            more = [next(_numbers) for _ in range(waiting.pop())]
            if more:
                write(writer, "luminaires", make_lights(more))
                added += more
    assert len(found) == len(set(found))
    assert sorted(found) == sorted(f"l{number}" for number in first + added)


def test_a_limit_over_the_maximum_means_the_maximum(client: TestClient) -> None:
    assert client.get("/api/collections/trees/items?limit=99999999999999999999").json()["numberReturned"] == TREES


@pytest.mark.conformance("ogcapi-features-1/1.0/conf/core")
def test_boxes_choose_by_place(client: TestClient) -> None:
    trees = client.get("/api/collections/trees/items?limit=1000").json()["features"]
    longitudes = sorted(tree["geometry"]["coordinates"][0] for tree in trees)
    middle = (longitudes[99] + longitudes[100]) / 2
    west = client.get(f"/api/collections/trees/items?limit=1000&bbox=105,9,{middle},11").json()
    assert west["numberReturned"] == 100
    with_heights = client.get(f"/api/collections/trees/items?limit=1000&bbox=105,9,-10,{middle},11,99").json()
    assert with_heights["numberReturned"] == 100
    assert client.get("/api/collections/trees/items?limit=1000&bbox=-180,-90,180,90").json()["numberReturned"] == TREES
    across = client.get("/api/collections/trees/items?bbox=170,-90,-170,90").json()
    assert across["numberReturned"] == 0


def test_a_box_may_be_a_point_or_a_line(client: TestClient) -> None:
    path = "/api/collections/buildings/items"
    ring = client.get(f"{path}/b0").json()["geometry"]["coordinates"][0][0]
    x, y = (sum(corner[axis] for corner in ring[:4]) / 4 for axis in (0, 1))
    for box in (f"{x},{y},{x},{y}", f"{x},{y},{x},{y + 1e-6}"):
        assert [one["id"] for one in client.get(f"{path}?bbox={box}").json()["features"]] == ["b0"]


def test_a_box_over_a_concave_outline_finds_areas_not_boxes(client: TestClient, writer: Engine) -> None:
    corner = shapely.Polygon([(0, 0), (300, 0), (300, 10), (10, 10), (10, 300), (0, 300)])
    shape = shapely.MultiPolygon([shapely.transform(corner, lambda xy: xy + np.array([X0, Y0]))])
    frame = gpd.GeoDataFrame({"id": ["corner"], "area": 1.0}, geometry=[shape], crs="EPSG:5897")
    write(writer, "catchments", frame)
    inside = gpd.GeoSeries([shapely.Point(X0 + 200, Y0 + 200)], crs="EPSG:5897").to_crs(4326).iloc[0]
    box = f"{inside.x},{inside.y},{inside.x + 1e-6},{inside.y + 1e-6}"
    assert client.get(f"/api/collections/catchments/items?bbox={box}").json()["numberReturned"] == 0
    around = f"{inside.x - 0.01},{inside.y - 0.01},{inside.x + 0.01},{inside.y + 0.01}"
    assert client.get(f"/api/collections/catchments/items?bbox={around}").json()["numberReturned"] == 1


@pytest.mark.parametrize(
    ("layer", "query", "expected"),
    [
        ("buildings", "use=shop", 10),
        ("buildings", "use=shop&storeys=2", 2),
        ("buildings", "height=6", 40),
        ("buildings", "height=6.5", 0),
        ("road_links", "is_bridge=true", 1),
        ("road_links", "is_bridge=false", 14),
        ("trees", "species=D%E1%BA%A7u%20r%C3%A1i&limit=1000", TREES),
        ("trees", "species=%27%20or%20true--", 0),
        ("trees", "planted=2020-01-01", 0),
    ],
)
def test_properties_filter(client: TestClient, layer: str, query: str, expected: int) -> None:
    page = client.get(f"/api/collections/{layer}/items?count=true&{query}").json()
    assert page["numberReturned"] == page["numberMatched"] == expected


def test_filters_stay_with_the_pages(client: TestClient) -> None:
    assert len(follow(client, "/api/collections/buildings/items?use=house&limit=3")) == 10


@pytest.mark.conformance("ogcapi-features-1/1.0/conf/core", "ogcapi-features-1/1.0/conf/geojson")
def test_an_item_with_an_awkward_id_is_found_by_its_own_link(client: TestClient) -> None:
    item = client.get("/api/collections/road_links/items/r%203/%C3%A1").json()
    assert item["id"] == "r 3/á"
    assert item["properties"]["is_bridge"] is True
    own = next(link["href"] for link in item["links"] if link["rel"] == "self")
    assert client.get(own).json()["id"] == "r 3/á"


@pytest.mark.conformance("ogcapi-features-1/1.0/conf/core")
def test_the_past_is_read(client: TestClient, writer: Engine) -> None:
    path = "/api/collections/lighting_cabinets/items"
    place = shapely.Point(X0, Y0)

    def cabinet(item_id: str, voltage: float) -> gpd.GeoDataFrame:
        return gpd.GeoDataFrame({"id": [item_id], "voltage": voltage}, geometry=[place], crs="EPSG:5897")

    def read(when: str) -> dict[str, float]:
        page = client.get(path, params={"datetime": when}).json()
        return {feature["id"]: feature["properties"]["voltage"] for feature in page["features"]}

    first = write(writer, "lighting_cabinets", cabinet("c1", 220.0))
    second = write(writer, "lighting_cabinets", cabinet("c1", 230.0))
    write(writer, "lighting_cabinets", cabinet("c2", 380.0))
    with writer.begin() as connection:
        delete_features(connection, VECTOR_LAYERS["lighting_cabinets"], ["c1"])
    now = datetime.now(UTC).isoformat()

    assert read("2001-01-01T00:00:00Z") == {}
    assert read(first.isoformat()) == {"c1": 220.0}
    assert read(second.isoformat()) == {"c1": 230.0}
    assert read(now) == {"c2": 380.0}
    assert read(f"{first.isoformat()}/{now}") == {"c1": 230.0, "c2": 380.0}
    assert read(f"../{first.isoformat()}") == {"c1": 220.0}
    assert read(f"{now}/..") == {"c2": 380.0}
    assert client.get(f"{path}/c1").status_code == 404
    past = client.get(f"{path}/c1", params={"datetime": first.isoformat()})
    assert past.json()["properties"]["voltage"] == 220.0
    boxed = client.get(path, params={"datetime": first.isoformat(), "bbox": "105,9,106,11", "voltage": "220"})
    assert boxed.json()["numberReturned"] == 1


@pytest.mark.conformance("ogcapi-features-1/1.0/conf/core", "ogcapi-features-1/1.0/conf/geojson")
def test_links_of_a_page_say_their_types_and_stand_in_the_header_too(client: TestClient) -> None:
    answer = client.get("/api/collections/trees/items?limit=3")
    links = answer.json()["links"]
    for link in links:
        assert f'<{link["href"]}>; rel="{link["rel"]}"' in answer.headers["link"]
        if "type" in link and link["rel"] in ("self", "alternate", "next"):
            found = client.get(link["href"])
            assert found.headers["content-type"].startswith(link["type"].split(";")[0]), link
    assert {"self", "alternate", "next", "collection", "profile"} == {link["rel"] for link in links}


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=-1", "limit=a", "bbox=1,2", "bbox=a,b,c,d", "bbox=1,9,2,8", "datetime=x", "count=maybe",
     "nothing=1", "skipGeometry=x", "limit=1&limit=2", "f=xyz", "crs=x", "sortby=nothing", "properties=nothing",
     "profile=x", "cursor=x"],
)  # fmt: skip
def test_a_wrong_parameter_is_said(client: TestClient, query: str) -> None:
    answer = client.get(f"/api/collections/trees/items?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json"), answer.text


def test_geometry_may_be_left_out(client: TestClient) -> None:
    page = client.get("/api/collections/trees/items?skipGeometry=true&limit=2&properties=height").json()
    assert [(one["geometry"], list(one["properties"])) for one in page["features"]] == [(None, ["height"])] * 2
    one = client.get("/api/collections/trees/items/t00001?skipGeometry=true&f=jsonfg").json()
    assert (one["geometry"], one["place"]) == (None, None)


def test_how_many_match_is_told_where_it_costs_nothing(client: TestClient) -> None:
    assert client.get("/api/collections/trees").json()["itemCount"] == TREES
    path = "/api/collections/trees/items"
    assert client.get(f"{path}?limit=5").json()["numberMatched"] == TREES
    # All that match are on the page.
    assert client.get(path, params={"filter": "id = 't00003'"}).json()["numberMatched"] == 1
    assert "numberMatched" not in client.get(path, params={"filter": "height > 0", "limit": "5"}).json()


def test_an_item_that_is_known_is_not_sent_again(client: TestClient) -> None:
    path = "/api/collections/trees/items/t00001"
    read = client.get(path)
    again = client.get(path, headers={"if-none-match": f'"x", W/{read.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(path, headers={"if-none-match": '"x"'}).status_code == 200

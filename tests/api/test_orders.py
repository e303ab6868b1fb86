"""Sorted pages, chosen properties, other coordinate systems, words, the recorded past, files."""

import io
import zipfile
from itertools import count
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from api.export import FORMATS
from tests.api.conftest import TREES, X0, Y0
from tests.api.test_items import follow

_numbers = count()


def insert_cabinets(engine: Engine, rows: list[tuple[str | None, float | None]]) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "insert into city.antennas (id, source_id, name, height, geom) values (:id, 'test', :name, "
                ":height, ST_SetSRID(ST_MakePoint(580000, 1108000), 5897))"
            ),
            [{"id": f"c{next(_numbers)}", "name": name, "height": height} for name, height in rows],
        )


rows = st.lists(
    st.tuples(
        st.none() | st.sampled_from(["a", "B", "đ", "d", "Ấ", ""]), st.none() | st.sampled_from([1.0, 2.5, -1.0])
    ),
    min_size=1,
    max_size=15,
)
orders = st.lists(
    st.tuples(st.sampled_from(["+", "-", ""]), st.sampled_from(["name", "height", "id", "ward_code"])),
    min_size=1,
    max_size=3,
    unique_by=lambda key: key[1],
).map(lambda keys: ",".join(sign + name for sign, name in keys))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=rows, added=rows, order=orders, size=st.integers(1, 6))
def test_paging_covers_every_item_once_under_every_sort(
    client: TestClient, writer: Engine, first: Any, added: Any, order: str, size: int
) -> None:
    with writer.begin() as connection:
        connection.execute(text("delete from city.antennas"))
    insert_cabinets(writer, first)
    address = "/api/collections/antennas/items"
    whole = [f["id"] for f in client.get(address, params={"sortby": order, "limit": 1000}).json()["features"]]
    page = client.get(address, params={"sortby": order, "limit": size}).json()
    # What is added meanwhile may come or not, but nothing comes twice or is lost.
    insert_cabinets(writer, added)
    found = [feature["id"] for feature in page["features"]]
    following = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
    found += follow(client, following) if following else []
    assert len(found) == len(set(found))
    assert [item for item in found if item in set(whole)] == whole


def test_sorting_follows_the_alphabet_and_direction(client: TestClient, writer: Engine) -> None:
    with writer.begin() as connection:
        connection.execute(text("delete from city.antennas"))
    insert_cabinets(writer, [("đa", 1.0), ("e", 2.0), ("da", 3.0), ("Ấ", None), (None, 1.0)])
    address = "/api/collections/antennas/items"

    def read(order: str) -> list[Any]:
        page = client.get(address, params={"sortby": order}).json()
        return [(f["properties"]["name"], f["properties"]["height"]) for f in page["features"]]

    assert [name for name, _ in read("name")] == ["Ấ", "da", "đa", "e", None]
    assert [name for name, _ in read("-name")] == ["e", "đa", "da", "Ấ", None]
    assert [name for name, _ in read("+height,-name")] == ["đa", None, "e", "da", "Ấ"]


@pytest.mark.parametrize("order", ["nothing", "name,name", "geometry", ",", "a,b,c,d,e,f"])
def test_a_sort_that_cannot_be_is_refused(client: TestClient, order: str) -> None:
    assert client.get("/api/collections/trees/items", params={"sortby": order}).status_code == 400


def test_a_cursor_of_another_order_is_refused(client: TestClient) -> None:
    page = client.get("/api/collections/trees/items?sortby=height&limit=3").json()
    following = next(link["href"] for link in page["links"] if link["rel"] == "next")
    assert client.get(following).status_code == 200
    assert client.get(following.replace("sortby=height", "sortby=species")).status_code == 400
    assert client.get(following.replace("sortby=height", "sortby=height,species")).status_code == 400


def test_properties_choose_columns(client: TestClient) -> None:
    page = client.get("/api/collections/trees/items?properties=height,species&limit=1").json()
    assert set(page["features"][0]["properties"]) == {"species", "height"}
    item = client.get("/api/collections/trees/items/t00003?properties=height").json()
    assert item["properties"] == {"height": 4.5}
    assert client.get("/api/collections/trees/items?properties=nothing").status_code == 400


def test_geometry_comes_in_the_asked_crs(client: TestClient) -> None:
    address = "/api/collections/trees/items/t00002"
    answer = client.get(address, params={"crs": "http://www.opengis.net/def/crs/EPSG/0/5897"})
    assert answer.headers["content-crs"] == "<http://www.opengis.net/def/crs/EPSG/0/5897>"
    assert answer.json()["geometry"]["coordinates"] == [X0 + 16.0, Y0]
    degrees = client.get(address).json()["geometry"]["coordinates"]
    latitude_first = client.get(address, params={"crs": "EPSG:4326"}).json()["geometry"]["coordinates"]
    assert latitude_first == degrees[::-1]
    for wrong in ("EPSG:999999", "EPSG:5711", "x", "EPSG:"):
        assert client.get(address, params={"crs": wrong}).status_code == 400


def test_words_find_without_diacritics(client: TestClient) -> None:
    def matched(layer: str, words: str) -> int:
        return client.get(f"/api/collections/{layer}/items", params={"q": words, "count": "true"}).json()[
            "numberMatched"
        ]

    assert matched("trees", "dau rai") == TREES
    assert matched("trees", "RÁI dầ") == TREES
    assert matched("trees", "t00007") == 1
    assert matched("trees", "au") == 0
    assert matched("trees", "100%") == 0
    assert client.get("/api/collections/trees/items?q=%25").status_code == 400


@pytest.mark.parametrize("form", ["csv", "gpkg", "geojson", "fgb", "zip"])
def test_a_filtered_result_comes_as_a_file(client: TestClient, tmp_path: Path, form: str) -> None:
    asked = {"filter": "storeys = 2", "sortby": "-id", "properties": "use,storeys", "f": form}
    answer = client.get("/api/collections/buildings/items", params=asked)
    assert answer.status_code == 200, answer.text
    assert f'filename="buildings.{form}"' in answer.headers["content-disposition"]
    path = tmp_path / f"buildings.{form}"
    path.write_bytes(answer.content)
    if form == "csv":
        lines = answer.content.decode().splitlines()
        assert lines[0].startswith("id,use,storeys") and len(lines) == 9
        return
    if form == "zip":
        assert "buildings.shp" in zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    frame = gpd.read_file(path)
    assert sorted(frame["id"]) == sorted(f"b{k}" for k in range(40) if k % 5 == 1)
    assert set(frame.columns) == {"id", "use", "storeys", "geometry"}


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_is_answered(client: TestClient, form: str) -> None:
    answer = client.get("/api/collections/road_links/items", params={"f": form, "limit": "1"})
    assert answer.status_code == 200, answer.text
    assert len(answer.content) > 200


def test_files_know_their_limits(client: TestClient) -> None:
    assert client.get("/api/collections/trees/items?f=exe").status_code == 400
    wrong = client.get("/api/collections/trees/items?f=geojson&crs=EPSG:5897")
    assert wrong.json()["type"] == "urn:twin:problem:bad-crs"
    gpkg = client.get("/api/collections/trees/items?f=gpkg&crs=EPSG:5897")
    assert gpkg.content[:15] == b"SQLite format 3"


def test_the_recorded_past_is_what_was_known(client: TestClient, writer: Engine) -> None:
    address = "/api/collections/antennas/items"

    def now() -> str:
        with writer.connect() as connection:
            return str(connection.execute(text("select clock_timestamp()")).scalar_one().isoformat())

    def read(**asked: str) -> list[float]:
        page = client.get(address, params=asked).json()
        return [feature["properties"]["height"] for feature in page["features"]]

    with writer.begin() as connection:
        connection.execute(text("delete from city.antennas"))
    empty = now()
    insert_cabinets(writer, [("a", 220.0)])
    first = now()
    with writer.begin() as connection:
        connection.execute(text("update city.antennas set height = 230, valid_from = clock_timestamp()"))
    second = now()
    with writer.begin() as connection:
        connection.execute(text("delete from city.antennas"))
    assert (read(recorded=empty), read(recorded=first), read(recorded=second), read()) == ([], [220.0], [230.0], [])
    # Asked at the first moment, the database did not know yet that the value would end.
    assert read(recorded=first, datetime=second) == [220.0]
    assert read(recorded=second, datetime=first) == [220.0]
    assert read(recorded=now(), datetime=second) == [230.0]

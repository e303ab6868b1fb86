"""Search by words, addresses to places and back."""

from collections.abc import Iterator
from typing import Any

import geopandas as gpd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from starlette.testclient import TestClient

from layers.datum import make_transformer
from layers.registry import VECTOR_LAYERS
from layers.store.engine import open_engine
from layers.store.features import upsert_features
from layers.store.finding.geocode import parse_address
from layers.store.finding.search import expand_abbreviations, mark_words
from layers.store.finding.search_words import fold_words
from tests.api.conftest import X0, Y0

# On a street of their own, 20 m apart: odd numbers south, even ones north; 11 to 15 are missing.
HOUSES = [number for number in range(1, 31) if not 11 <= number <= 15]
LETTERS = "aàáảãạăằắẳẵặâầấẩẫậbcdđeèéẻẽẹêềếểễệghiìíỉĩịklmnoòóỏõọôồốổỗộơờớởỡợpqrstuùúủũụưừứửữựvxyỳýỷỹỵ"
to_degrees = make_transformer("EPSG:5897", "EPSG:4326").transform


@pytest.fixture(scope="module", autouse=True)
def named(database_url: str) -> Iterator[None]:
    """Streets with houses, a ward, the units it was made of, and some places."""

    def place(number: int) -> shapely.Point:
        return shapely.Point(X0 + 2000 + 10 * number, Y0 + 2000 + (10 if number % 2 == 0 else -10))

    def address(number: int | str, street: str, ward: str) -> dict[str, Any]:
        full = f"{number} {street}, {ward}, Thành phố Cần Thơ"
        return {"house_number": str(number), "street": street, "ward": ward, "full_address": full}

    square = shapely.MultiPolygon([shapely.box(X0 + 1500, Y0 + 1500, X0 + 2500, Y0 + 2500)])
    kieu = "Phường Ninh Kiều"
    houses = [{"id": f"A{n}", **address(n, "Đường Nguyễn Trãi", kieu), "geometry": place(n)} for n in HOUSES]
    houses.append({"id": "A12/3", **address("12/3A", "Đường Nguyễn Trãi", kieu), "geometry": place(40)})
    houses.append({"id": "B12", **address(12, "Đường Nguyễn Trãi", "Phường Cái Răng"), "geometry": place(200)})
    alley = address(4, "Đường Trần Phú", kieu) | {"alley": "Hẻm 7"}
    houses.append({"id": "H7-4", **alley, "full_address": f"4 Hẻm 7 Đường Trần Phú, {kieu}", "geometry": place(300)})
    houses.append({"id": "C120", **address(120, "Đường Trần Phú", kieu), "geometry": place(120)})
    line = shapely.LineString([(X0 + 2000, Y0 + 2000), (X0 + 2400, Y0 + 2000)])
    frames: dict[str, list[dict[str, Any]]] = {
        "addresses": houses,
        "streets": [
            {"id": "S1", "name": "Đường Nguyễn Trãi", "street_type": "street", "geometry": line},
            {"id": "S3", "name": "Đường 30 Tháng 4", "street_type": "street", "geometry": line},
            {"id": "S4", "name": "Đường An Cư", "street_type": "street", "geometry": line},
            {"id": "S2", "name": "Đường Trần Phú", "street_type": "street", "geometry": line},
        ],
        "wards": [{"id": "W1", "name": kieu, "name_en": "Ninh Kieu Ward", "ward_code": "31117", "geometry": square}],
        "admin_changes": [
            {"id": "O1", "old_name": "Phường An Cư", "old_code": "31120", "old_level": "ward", "change": "merged",
             "old_district": "Quận Ninh Kiều", "new_name": kieu, "new_code": "31117", "geometry": square},
        ],
        "places": [
            {"id": "P1", "name": "Chợ Ninh Kiều", "category": "market", "geometry": place(1)},
            {"id": "P2", "name": "Trường Tiểu học Ngô Quyền", "category": "school", "geometry": place(2)},
        ],
    }  # fmt: skip
    engine = open_engine(database_url)
    with engine.begin() as connection:
        for layer_id, rows in frames.items():
            frame = gpd.GeoDataFrame(rows, geometry="geometry", crs="EPSG:5897")
            upsert_features(connection, VECTOR_LAYERS[layer_id], frame, source_id="test")
    yield
    with engine.begin() as connection:
        for layer_id in frames:
            connection.execute(text(f"delete from city.{layer_id} where source_id = 'test'"))
    engine.dispose()


def hits(client: TestClient, q: str, **more: Any) -> list[tuple[str, str]]:
    answer = client.get("/api/search", params={"q": q, **more})
    assert answer.status_code == 200, answer.text
    return [(hit["collection"], hit["id"]) for hit in answer.json()["hits"]]


def places(client: TestClient, address: str) -> list[dict[str, Any]]:
    answer = client.get("/api/geocode", params={"address": address})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["places"])


def test_names_are_found_without_diacritics(client: TestClient) -> None:
    assert hits(client, "ninh kieu")[0] == ("wards", "W1")
    assert ("places", "P1") in hits(client, "ninh kieu")
    assert hits(client, "CHO NINH KIEU")[0] == ("places", "P1")
    assert hits(client, "Ngô quyền")[0] == ("places", "P2")
    assert hits(client, "nguyen trai")[0] == ("streets", "S1")


def test_addresses_codes_and_ids_are_found(client: TestClient) -> None:
    assert hits(client, "nguyen trai 10")[0] == ("addresses", "A10")
    assert hits(client, "10 Nguyễn Trãi, Ninh Kiều")[0] == ("addresses", "A10")
    assert hits(client, "31117")[0] == ("wards", "W1")
    assert hits(client, "31120")[0] == ("admin_changes", "O1")
    assert hits(client, "T00007")[0] == ("trees", "t00007")
    assert hits(client, "r 3/á")[0] == ("road_links", "r 3/á")


def test_a_feature_found_by_several_texts_is_one_hit(client: TestClient) -> None:
    found = client.get("/api/search", params={"q": "ninh kieu", "collections": "wards"}).json()["hits"]
    assert [(hit["id"], hit["title"]) for hit in found] == [("W1", "Phường Ninh Kiều")]


@pytest.mark.parametrize("words", ["nguyn trai", "ngyuen trai", "nguyen trail", "nguyen tri"])
def test_typing_errors_are_forgiven(client: TestClient, words: str) -> None:
    found = client.get("/api/search", params={"q": words}).json()["hits"]
    assert found[0]["title"] == "Đường Nguyễn Trãi"


def test_hits_say_what_matched_and_where(client: TestClient) -> None:
    hit = client.get("/api/search", params={"q": "nguyen tra", "collections": "streets"}).json()["hits"][0]
    assert [hit["title"][start:end] for start, end in hit["marks"]] == ["Nguyễn", "Trã"]
    assert hit["collection_title"]["vi"] == "Tên đường"
    west, south, east, north = hit["bbox"]
    assert west < hit["position"][0] < east and south <= hit["position"][1] <= north
    assert client.get(hit["links"][0]["href"]).json()["id"] == "S1"


def test_search_is_narrowed(client: TestClient) -> None:
    assert hits(client, "ninh kieu", theme="places") == [("places", "P1")]
    assert {layer for layer, _ in hits(client, "nguyen trai", collections="streets,wards")} == {"streets"}
    assert hits(client, "ninh kieu", bbox="100,9,101,10") == []
    assert hits(client, "ninh kieu", limit=1) == [("wards", "W1")]
    for wrong in ({"theme": "x"}, {"collections": "x"}, {"q": "%"}, {"q": "a" * 300}, {"bbox": "1"}, {"limit": 0}):
        assert client.get("/api/search", params={"q": "a", **wrong}).status_code == 400


def test_changes_are_found_at_once(client: TestClient, database_url: str) -> None:
    engine = open_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("update city.places set name = 'Bến Ninh Kiều', valid_from = now() where id = 'P1'"))
    assert hits(client, "ben ninh kieu")[0] == ("places", "P1")
    with engine.begin() as connection:
        connection.execute(text("update city.places set name = 'Chợ Ninh Kiều', valid_from = now() where id = 'P1'"))
        kept = connection.execute(text("select words from meta.search_entry where layer = 'places' and id = 'P1'"))
        assert kept.scalars().all() == ["Chợ Ninh Kiều"]
        connection.execute(text("update city.places set capacity = 5, valid_from = now() where id = 'P1'"))
        connection.execute(text("delete from city.places where id = 'P2'"))
        left = connection.execute(text("select id, words from meta.search_entry where layer = 'places'")).all()
        assert [tuple(row) for row in left] == [("P1", "Chợ Ninh Kiều")]
        connection.rollback()
    engine.dispose()


@pytest.mark.parametrize(
    "address",
    ["10 Nguyễn Trãi, Ninh Kiều", "số 10 đường nguyen trai", "10 Đ. Nguyễn Trãi, P. Ninh Kiều, TP. Cần Thơ",
     "nguyen trai 10", "10 nguyen trai ninh kieu", "10 NGUYEN TRAI, phường không có, tỉnh xa"],
)  # fmt: skip
def test_an_address_is_a_place(client: TestClient, address: str) -> None:
    found = places(client, address)[0]
    assert (found["match"], found["id"]) == ("address", "A10")


def test_a_branch_number_is_found_itself(client: TestClient) -> None:
    assert places(client, "12/3A Nguyễn Trãi")[0]["id"] == "A12/3"


def test_a_missing_number_is_interpolated_on_its_side(client: TestClient) -> None:
    found = places(client, "14 Nguyễn Trãi, Ninh Kiều")[0]
    assert (found["match"], found["interpolated"], found["between"]) == ("interpolated", True, ["10", "16"])
    assert found["position"] == pytest.approx(to_degrees(X0 + 2140, Y0 + 2010), abs=1e-7)
    assert places(client, "13 Nguyễn Trãi, Ninh Kiều")[0]["between"] == ["9", "17"]
    # Beyond the last number nothing is invented: the street is the answer.
    assert places(client, "400 Nguyễn Trãi, Ninh Kiều")[0]["match"] == "street"


def test_a_house_in_an_alley_is_found_by_either_writing(client: TestClient) -> None:
    assert places(client, "7/4 Trần Phú")[0]["id"] == "H7-4"
    assert places(client, "4 hẻm 7 Trần Phú")[0]["id"] == "H7-4"
    # Without the alley it is another house, which is not there: the street is the answer.
    assert places(client, "4 Trần Phú")[0]["match"] == "street"


def test_streets_named_by_a_day_are_found(client: TestClient) -> None:
    assert hits(client, "duong 30/4")[0] == ("streets", "S3")
    assert places(client, "đường 30/4")[0]["id"] == "S3"


def test_the_ward_tells_streets_of_one_name_apart(client: TestClient) -> None:
    assert places(client, "12 Nguyễn Trãi, Cái Răng")[0]["id"] == "B12"


def test_streets_wards_and_former_units_are_places(client: TestClient) -> None:
    assert places(client, "Đường Trần Phú")[0]["id"] == "S2"
    assert places(client, "phường Ninh Kiều")[0]["match"] == "ward"
    former = places(client, "P. An Cư, Q. Ninh Kiều")[0]
    assert (former["match"], former["title"]) == ("former", "Phường Ninh Kiều (Phường An Cư)")
    assert former["former"]["new_code"] == "31117"
    assert places(client, "đường An Cư")[0]["id"] == "S4"
    assert places(client, "phường An Cư")[0]["match"] == "former"
    assert places(client, "Nguyen Traai")[0]["match"] == "similar"
    assert places(client, "zzzz qqqq") == []


def test_a_point_says_what_is_there(client: TestClient) -> None:
    longitude, latitude = to_degrees(X0 + 2101, Y0 + 2010)
    found = client.get("/api/reverse", params={"lon": longitude, "lat": latitude}).json()
    assert found["address"]["id"] == "A10" and found["address"]["distance"] == pytest.approx(1.0, abs=0.1)
    assert found["street"]["distance"] == pytest.approx(10.0, abs=0.1)
    assert found["ward"]["ward_code"] == "31117"
    assert found["former"][0]["old_name"] == "Phường An Cư"
    assert client.get("/api/reverse?lon=0&lat=0").status_code == 404
    for wrong in ("lon=nan&lat=1", "lon=200&lat=1", "lon=1", "lon=a&lat=1"):
        assert client.get(f"/api/reverse?{wrong}").status_code == 400


@pytest.mark.parametrize(
    ("words", "number", "parts"),
    [
        ("12 Nguyễn Trãi", "12", (("nguyen", "trai"),)),
        ("Số nhà 12B, đường 3 Tháng 2", None, (("12b",), ("3", "thang", "2"))),
        ("12/3A Đ. Trần Phú, P. Cái Khế", "12/3a", (("tran", "phu"), ("cai", "khe"))),
        ("phường 5", None, (("5",),)),
        ("12", None, (("12",),)),
    ],
)
def test_addresses_are_taken_apart(words: str, number: str | None, parts: tuple[tuple[str, ...], ...]) -> None:
    assert tuple(parse_address(words)) == (number, parts)


def test_abbreviations_are_written_out() -> None:
    assert (
        expand_abbreviations("12 Đ. Trần Phú, P.5, Q. 1, TP.HCM")
        == "12 đường Trần Phú, phường 5, quận 1, thành phố HCM"
    )
    assert mark_words("Đường Trần Phú", ["tran", "ph"]) == ((6, 10), (11, 13))


@given(words=st.text(alphabet=LETTERS + LETTERS.upper() + " ,.-/0123456789", max_size=40))
def test_python_folds_as_the_database_does(database_url: str, words: str) -> None:
    engine = _engines.setdefault(database_url, open_engine(database_url))
    with engine.connect() as connection:
        stored = connection.execute(text("select meta.search_words(:words)"), {"words": words}).scalar_one()
    assert stored.split()[:12] == fold_words(words)


_engines: dict[str, Any] = {}

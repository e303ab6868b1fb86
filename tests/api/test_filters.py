"""CQL2 over HTTP: what is found, in both languages, and what is refused with which words."""

import datetime as dt
import json
from typing import Any

import cql2
import geopandas as gpd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from layers.registry import VECTOR_LAYERS
from layers.store.features import upsert_features
from tests.api.conftest import TREES, X0, Y0

WEST, SOUTH = gpd.GeoSeries([shapely.Point(X0, Y0)], crs="EPSG:5897").to_crs(4326).iloc[0].coords[0]


def count(client: TestClient, layer: str, words: str, **more: str) -> Any:
    answer = client.get(f"/api/collections/{layer}/items", params={"filter": words, "count": "true", **more})
    return answer.json().get("numberMatched", answer.json().get("detail"))


@pytest.mark.parametrize(
    ("layer", "words", "expected"),
    [
        ("buildings", "use = 'shop'", 10),
        ("buildings", "use <> 'shop'", 30),
        ("buildings", "use = 'shop' and storeys = 2", 2),
        ("buildings", "storeys > 4 or storeys < 2", 16),
        ("buildings", "not (use in ('shop', 'house'))", 20),
        ("buildings", "use not in ('shop', 'house')", 20),
        ("buildings", "storeys between 2 and 3", 16),
        ("buildings", "storeys between 1.5 and 2.5", 8),
        ("buildings", "name is null", 40),
        ("buildings", "name is not null", 0),
        ("buildings", "name = 'x'", 0),
        ("buildings", "not name = 'x'", 0),
        ("buildings", "storeys * 2 + 1 = 5", 8),
        ("buildings", "storeys % 2 = 0", 16),
        ("buildings", "storeys div 2 = 2", 16),
        ("buildings", "storeys ^ 2 = 25", 8),
        ("buildings", "height / (storeys - 1) > 0", 32),
        ("buildings", "-storeys < -4", 8),
        ("buildings", "height > storeys", 40),
        ("buildings", "height = storeys", 0),
        ("buildings", "id = 'b7'", 1),
        ("buildings", "id in ('b7', 'b8', 'none')", 2),
        ("buildings", "id like 'b1_'", 10),
        ("buildings", "true", 40),
        ("road_links", "is_bridge", 1),
        ("road_links", "is_bridge = false", 14),
        ("road_links", "id = 'r 3/á'", 1),
        ("trees", "species like 'Dầu%'", TREES),
        ("trees", "species like 'dầu%'", 0),
        ("trees", "casei(species) = casei('DẦU RÁI')", TREES),
        ("trees", "accenti(species) = 'Dau rai'", TREES),
        ("trees", "accenti(casei(species)) like accenti(casei('DẦU%'))", TREES),
        ("trees", "species = ''' or true --'", 0),
        ("trees", "planted > DATE('2020-01-01')", 0),
    ],
)
def test_filters_find(client: TestClient, layer: str, words: str, expected: int) -> None:
    assert count(client, layer, words) == expected
    as_json = json.dumps(cql2.parse_text(words).to_json())
    assert count(client, layer, as_json, **{"filter-lang": "cql2-json"}) == expected


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("usee = 'shop'", "has no property 'usee'"),
        ("use = 3", "compares 'use' (string) with a number"),
        ("storeys = 'many'", "compares 'storeys' (integer) with a text"),
        ("use = 'shoop'", "'shoop' is not in the code list of 'use'"),
        ("use", "expects a condition and finds 'use' (string)"),
        ("storeys + 'x' = 2", "'+' takes numbers, not a text"),
        ("casei(storeys) = 'x'", "casei takes text, not 'storeys' (integer)"),
        ("storeys like 'x%'", "'like' compares text, not 'storeys' (integer)"),
        ("a_contains(use, ('shop'))", "operator 'a_contains' is not served"),
        ("pg_sleep(10) = 1", "operator 'pg_sleep' is not served"),
        ("use = ", "it ends too early"),
        ("use == 'shop'", "cannot be read at character 6: '= 'shop''"),
        ("storeys = 1e400", "number that is not finite"),
        ("use = null", "NULL"),
        ("", "the filter is empty"),
        ("1e308 * 10 ^ storeys > 1", "out of range"),
        ("s_intersects(geometry, POINT(580000 1108000))", "which are no degrees"),
        ("s_intersects(geometry, POLYGON((0 0, 1 1, 0 1, 1 0, 0 0)))", "not valid: Self-intersection"),
        ("s_intersects(geometry, use)", "takes geometries, not 'use' (string)"),
        ("geometry = geometry", "does not compare geometries"),
        ("t_after(use, DATE('2020-01-01'))", "'use' (string) is not a time"),
        ("near(nowhere, 50)", "names layer 'nowhere', which does not exist"),
        ("near(trees, 50, nothing = 1)", "layer 'trees' has no property 'nothing'"),
        ("near(trees, 1e9)", "a distance of 1e+09 m cannot be asked for"),
        ("inside(trees)", "holds no areas"),
        ("related(trees, use)", "takes 3 or 4 arguments"),
        (" and ".join(["near(trees, 5)"] * 5), "joins more than 4 layers"),
        ("(" * 5000 + "use = 'shop'" + ")" * 5000, "nested brackets"),
        ("+".join(["1"] * 5000) + " = storeys", "operators"),
        ("not (" * 50 + "use = 'shop'" + ")" * 50, "nested more than 40 deep"),
    ],
)  # fmt: skip
def test_filters_say_what_is_wrong(client: TestClient, words: str, found: str) -> None:
    answer = client.get("/api/collections/buildings/items", params={"filter": words})
    assert answer.status_code in (400, 413), answer.text
    assert found in answer.json()["detail"]


@pytest.mark.parametrize(
    "words",
    ['{"op": "="}', "[1]", "{", '{"op": 3, "args": []}', '{"op": "in", "args": [{"property": "use"}, 3]}',
     '{"op": "=", "args": [{"property": "use"}, "a\\u0000b"]}', '{"op": "=", "args": [{"property": "use"}, "\\ud800"]}',
     '{"op": "and", "args": [true]}', '{"type": "Point"}', '{"op": "s_intersects", "args": [{"property": "geom"}, '
     '{"type": "Point", "coordinates": ["a", 1]}]}', '{"interval": []}', '{"date": "soon"}'],
)  # fmt: skip
def test_json_that_is_no_filter_is_refused(client: TestClient, words: str) -> None:
    answer = client.get("/api/collections/buildings/items", params={"filter": words, "filter-lang": "cql2-json"})
    assert answer.status_code == 400, answer.text


def test_shapes_choose_by_place(client: TestClient) -> None:
    box = f"BBOX({WEST - 1e-5}, {SOUTH - 1e-5}, {WEST + 3.0e-4}, {SOUTH + 1e-5})"
    inside = count(client, "trees", f"s_intersects(geometry, {box})")
    assert inside == 5
    assert count(client, "trees", f"not s_intersects(geometry, {box})") == TREES - inside
    assert count(client, "trees", f"s_disjoint(geometry, {box})") == TREES - inside
    assert count(client, "trees", f"s_within(geometry, {box})") == inside
    assert count(client, "trees", f"s_dwithin(geometry, POINT({WEST} {SOUTH}), 20)") == 3
    crossing = f"LINESTRING({WEST + 4.5e-3} {SOUTH - 1e-3}, {WEST + 4.5e-3} {SOUTH + 1e-3})"
    assert count(client, "road_links", f"s_crosses(geometry, {crossing})") == 1


def test_coordinates_may_be_in_the_citys_own_crs(client: TestClient) -> None:
    box = f"s_intersects(geometry, BBOX({X0 - 1}, {Y0 - 1}, {X0 + 17}, {Y0 + 1}))"
    assert count(client, "trees", box, **{"filter-crs": "EPSG:5897"}) == 3
    address = "/api/collections/trees/items"
    sides = f"{X0 - 1},{Y0 - 1},{X0 + 17},{Y0 + 1}"
    boxed = client.get(address, params={"bbox": sides, "bbox-crs": "http://www.opengis.net/def/crs/EPSG/0/5897"})
    assert boxed.json()["numberReturned"] == 3
    # EPSG:4326 has latitude first.
    swapped = f"{SOUTH - 1e-5},{WEST - 1e-5},{SOUTH + 1e-5},{WEST + 3.0e-4}"
    assert client.get(address, params={"bbox": swapped, "bbox-crs": "EPSG:4326"}).json()["numberReturned"] == 5


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("t_before(planted, DATE('2020-06-01'))", {"p1"}),
        ("t_after(planted, TIMESTAMP('2020-06-01T00:00:00Z'))", {"p3"}),
        ("t_during(planted, INTERVAL('2020-01-01', '2020-12-31'))", {"p2"}),
        ("t_intersects(planted, INTERVAL('2020-06-01', '..'))", {"p2", "p3"}),
        ("t_equals(planted, DATE('2020-06-01'))", {"p2"}),
        ("planted >= '2020-06-01'", {"p2", "p3"}),
        ("planted between DATE('2019-01-01') and DATE('2020-06-01')", {"p1", "p2"}),
        ("t_disjoint(planted, INTERVAL('..', '2020-06-01'))", {"p3"}),
        ("planted is null", {"p4"}),
    ],
)
def test_times_compare(client: TestClient, planted: None, words: str, expected: set[str]) -> None:
    page = client.get("/api/collections/luminaires/items", params={"filter": words.replace("planted", "installed")})
    assert {feature["id"] for feature in page.json()["features"]} == expected


@pytest.fixture
def planted(writer: Engine) -> None:
    """Four lights with dates of installation, one without."""
    dates = [dt.date(2019, 1, 1), dt.date(2020, 6, 1), dt.date(2021, 1, 1), None]
    frame = gpd.GeoDataFrame(
        {"id": ["p1", "p2", "p3", "p4"], "installed": dates},
        geometry=[shapely.Point(X0 + k, Y0 + 900) for k in range(4)],
        crs="EPSG:5897",
    )
    with writer.begin() as connection:
        connection.execute(text("delete from city.luminaires"))
        upsert_features(connection, VECTOR_LAYERS["luminaires"], frame, source_id="test")


def test_layers_are_joined(client: TestClient, planted: None) -> None:
    trees = "/api/collections/trees/items"
    schools = [b for b in range(40) if b % 4 == 3]
    near = [k for k in range(TREES) if any(30 * b <= k * 8.0 <= 30 * b + 20 for b in schools)]
    page = client.get(trees, params={"filter": "near(buildings, 50, use = 'school')", "limit": "1000"}).json()
    assert sorted(feature["id"] for feature in page["features"]) == [f"t{k:05d}" for k in near]
    assert count(client, "trees", "near(buildings, 49.9, use = 'school')") == 0
    assert count(client, "trees", "not near('buildings', 50)") == TREES - count(client, "trees", "near(buildings, 50)")
    assert count(client, "buildings", "related(buildings, storeys, storeys, use = 'school')") == 40
    assert count(client, "buildings", "related(buildings, id, id, near(trees, 50, id = 't00000'))") == 1


def test_joins_read_both_layers_at_the_same_time(client: TestClient) -> None:
    now = client.get("/api/collections/trees/items?limit=1").json()["timeStamp"]
    later = now.replace(now[:4], str(int(now[:4]) + 1))
    for words in ("near(buildings, 50, use = 'school')", "related(buildings, height, height)", "height > 3"):
        assert count(client, "trees", words, datetime=later) == count(client, "trees", words)
        assert count(client, "trees", words, recorded=later) == count(client, "trees", words)
        assert count(client, "trees", words, datetime="2001-01-01") == 0
    asked = {"filter": "near(buildings, 50)", "group_by": "inside(wards),bins(height,3)", "datetime": later}
    past = client.get("/api/collections/trees/aggregate", params=asked).json()
    present = client.get("/api/collections/trees/aggregate", params={**asked, "datetime": "../" + later}).json()
    assert past["groups"] == present["groups"] != []


def test_functions_say_how_they_are_used(client: TestClient) -> None:
    told = client.get("/api/functions").json()["functions"]
    assert [function["name"] for function in told] == ["near", "inside", "related", "s_dwithin", "in_trace"]
    for function in told[:2] + told[3:4]:
        assert isinstance(count(client, "luminaires", function["example"]), int), function


PROPERTIES = {"height": st.integers(-3, 3).map(float), "name": st.sampled_from(["a", "b", "Ab", "đ", "a%", "a_b", ""])}
features = st.lists(
    st.fixed_dictionaries({name: st.none() | values for name, values in PROPERTIES.items()}), min_size=1, max_size=8
)
numbers = st.integers(-3, 3).map(str)
words = PROPERTIES["name"].map(lambda word: f"'{word}'")
comparisons = st.one_of(
    st.tuples(st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), numbers).map(lambda p: f"height {p[0]} {p[1]}"),
    st.tuples(st.sampled_from(["=", "<>"]), words).map(lambda p: f"name {p[0]} {p[1]}"),
    st.tuples(numbers, numbers).map(lambda p: f"height between {p[0]} and {p[1]}"),
    st.lists(words, min_size=1, max_size=3).map(lambda listed: f"name in ({', '.join(listed)})"),
    st.sampled_from(["name is null", "height is not null", "height + 1 > 2", "name like 'a%'", "casei(name) = 'ab'"]),
)
conditions = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        inner.map(lambda one: f"not ({one})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda p: f"({p[0]}) {p[1]} ({p[2]})"),
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=features, words=conditions)
def test_comparisons_are_those_of_another_implementation(
    client: TestClient, writer: Engine, rows: list[dict[str, Any]], words: str
) -> None:
    with writer.begin() as connection:
        connection.execute(text("delete from city.antennas"))
        connection.execute(
            text(
                "insert into city.antennas (id, source_id, name, height, geom) values (:id, 'test', :name, "
                ":height, ST_SetSRID(ST_MakePoint(580000, 1108000), 5897))"
            ),
            [{"id": f"k{number}", **row} for number, row in enumerate(rows)],
        )
    parsed = cql2.parse_text(words)

    def matches(row: dict[str, Any]) -> bool:
        # What is neither true nor false, because a value is missing, cannot be reduced and is not found.
        try:
            return parsed.matches({"type": "Feature", "geometry": None, "properties": row})
        except Exception:
            return False

    page = client.get("/api/collections/antennas/items", params={"filter": words}).json()
    assert {feature["id"] for feature in page["features"]} == {f"k{n}" for n, row in enumerate(rows) if matches(row)}


leaves = st.sampled_from(
    [
        1,
        -0.5,
        1e308,
        "x",
        "",
        True,
        None,
        {},
        [1, "x"],
        {"property": "use"},
        {"property": "height"},
        {"property": "geom"},
        {"property": "nothing"},
        {"date": "2020-01-01"},
        {"date": 3},
        {"timestamp": "2020-01-01T00:00:00Z"},
        {"interval": ["..", "2020-01-01"]},
        {"interval": [1, 2]},
        {"bbox": [1, 2, 3, 4]},
        {"bbox": ["a", 2, 3, 4]},
        {"type": "Point", "coordinates": [1, 2]},
        {"type": "Point", "coordinates": []},
        {"op": 3},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]},
    ]
)
operators = st.sampled_from(
    [
        "and",
        "or",
        "not",
        "=",
        "<",
        "between",
        "in",
        "like",
        "isNull",
        "casei",
        "accenti",
        "+",
        "/",
        "^",
        "div",
        "%",
        "s_intersects",
        "S_WITHIN",
        "s_dwithin",
        "t_after",
        "t_during",
        "near",
        "inside",
        "related",
        "drop",
    ]
)
trees = st.recursive(
    leaves, lambda inner: st.builds(lambda op, args: {"op": op, "args": args}, operators, st.lists(inner, max_size=3))
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=trees)
def test_whatever_is_sent_is_answered_or_refused(client: TestClient, tree: Any) -> None:
    asked = {"filter": json.dumps(tree), "filter-lang": "cql2-json", "limit": "1"}
    answer = client.get("/api/collections/buildings/items", params=asked)
    assert answer.status_code in (200, 400, 413), answer.text
    assert answer.status_code == 200 or answer.json()["detail"]

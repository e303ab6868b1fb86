"""GeoServices: what ArcGIS, QGIS and TerriaJS read, ask and write."""

import json
from typing import Any

import pytest
import shapely
from starlette.testclient import TestClient

from api.esri.numbers import ORDER
from api.esri.shapes import read_shape, write_shape
from api.esri.where import parse_where
from layers.errors import InputError, TooLargeError
from layers.registry import VECTOR_LAYERS
from layers.store.query.cql2 import parse_filter
from tests.api.conftest import ADDRESS, BOUNDS, TREE_TILE, TREES

BASE = "/esri/rest/services/twin/FeatureServer"
BUILDINGS, ROADS = VECTOR_LAYERS["buildings"], VECTOR_LAYERS["road_links"]


def ask(client: TestClient, layer: str, **parameters: object) -> dict[str, Any]:
    answer = client.get(f"{BASE}/{ORDER.index(layer)}/query", params={"f": "json", **parameters})
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def test_every_layer_keeps_its_number() -> None:
    assert len(set(ORDER)) == len(ORDER)
    assert set(ORDER) == set(VECTOR_LAYERS), "a new layer goes to the end of api/esri/numbers.py"
    assert (ORDER.index("parcels"), ORDER.index("buildings"), ORDER.index("trees"), ORDER.index("flood_assets")) == (
        0, 4, 37, 57,
    )  # fmt: skip


def test_the_service_lists_its_layers(client: TestClient) -> None:
    service = client.get(BASE, params={"f": "json"}).json()
    assert [layer["id"] for layer in service["layers"]] == list(range(len(ORDER)))
    assert "Editing" in service["capabilities"]
    named = client.get("/esri/rest/services").json()["services"]
    assert {"name": "twin", "type": "FeatureServer"} in named
    assert client.get("/esri/rest/info").json()["authInfo"] == {"isTokenBasedSecurity": False}


def test_a_layer_says_fields_domains_and_drawing(client: TestClient) -> None:
    described = client.get(f"{BASE}/{ORDER.index('buildings')}").json()
    fields = {field["name"]: field for field in described["fields"]}
    assert fields["fid"]["type"] == "esriFieldTypeOID"
    assert fields["height"]["type"] == "esriFieldTypeDouble"
    assert fields["height"]["alias"].endswith("[m]")
    codes = [code.value for code in BUILDINGS.find("use").codes]  # type: ignore[union-attr]
    assert [one["code"] for one in fields["use"]["domain"]["codedValues"]] == codes
    assert described["geometryType"] == "esriGeometryPolygon"
    assert described["drawingInfo"]["renderer"]["type"] in ("uniqueValue", "classBreaks", "simple")
    assert described["extent"]["spatialReference"]["latestWkid"] == 3857
    assert len(client.get(f"{BASE}/layers").json()["layers"]) == len(ORDER)


def test_pages_cover_every_feature_once(client: TestClient) -> None:
    seen: list[int] = []
    while True:
        page = ask(client, "trees", where="1=1", outFields="*", resultOffset=len(seen), resultRecordCount=100)
        seen += [feature["attributes"]["fid"] for feature in page["features"]]
        if not page.get("exceededTransferLimit"):
            break
    assert len(seen) == len(set(seen)) == TREES
    assert ask(client, "trees", where="1=1", returnCountOnly="true") == {"count": TREES}
    assert sorted(ask(client, "trees", where="1=1", returnIdsOnly="true")["objectIds"]) == sorted(seen)


@pytest.mark.parametrize(
    ("where", "filter_"),
    [
        ("USE IN ('house', 'shop') AND storeys >= 3", "use in ('house', 'shop') and storeys >= 3"),
        ("NOT (use = 'house' OR storeys < 2)", "not (use = 'house' or storeys < 2)"),
        ("storeys BETWEEN 2 AND 4 AND use <> 'school'", "storeys between 2 and 4 and use <> 'school'"),
        ("id LIKE 'b1%' AND name IS NULL", "id like 'b1%' and name is null"),
        ("UPPER(id) = 'B7'", "casei(id) = casei('b7')"),
        ("storeys * 2 - 1 = 5", "storeys * 2 - 1 = 5"),
        ("year_built IS NOT NULL OR id <> 'b2'", "year_built is not null or id <> 'b2'"),
    ],
)
def test_where_finds_what_the_same_filter_finds(client: TestClient, where: str, filter_: str) -> None:
    found = ask(client, "buildings", where=where, outFields="id")["features"]
    pages = client.get("/api/collections/buildings/items", params={"filter": filter_, "limit": 1000}).json()
    assert {one["attributes"]["id"] for one in found} == {one["id"] for one in pages["features"]}
    assert 0 < len(found) < 40


def test_a_flag_is_0_or_1(client: TestClient) -> None:
    found = ask(client, "road_links", where="is_bridge = 1", outFields="id,is_bridge")["features"]
    assert [one["attributes"] for one in found] == [found[0]["attributes"] | {"id": "r 3/á", "is_bridge": 1}]
    assert parse_where("is_bridge = 0", ROADS) == parse_filter("is_bridge = false")


def test_object_ids_choose_features(client: TestClient) -> None:
    fids = ask(client, "trees", where="1=1", returnIdsOnly="true")["objectIds"][:5]
    found = ask(client, "trees", objectIds=",".join(map(str, fids)))["features"]
    assert [one["attributes"]["fid"] for one in found] == sorted(fids)
    later = ask(client, "trees", where=f"OBJECTID > {fids[2]}", orderByFields="fid ASC", resultRecordCount=1)
    assert later["features"][0]["attributes"]["fid"] == fids[3]


@pytest.mark.parametrize(
    "relation", ["esriSpatialRelIntersects", "esriSpatialRelContains", "esriSpatialRelEnvelopeIntersects"]
)
def test_an_area_finds_what_lies_in_it(client: TestClient, relation: str) -> None:
    west, south, east, north = BOUNDS
    middle = (west + east) / 2
    envelope = {"xmin": west, "ymin": south, "xmax": middle, "ymax": north, "spatialReference": {"wkid": 4326}}
    found = ask(client, "trees", geometry=json.dumps(envelope), spatialRel=relation, outFields="id", outSR=4326)
    assert 0 < len(found["features"]) < TREES
    assert all(west <= one["geometry"]["x"] <= middle for one in found["features"])
    same = client.get(
        "/api/collections/trees/items", params={"bbox": f"{west},{south},{middle},{north}", "limit": 1000}
    )
    assert {one["attributes"]["id"] for one in found["features"]} == {one["id"] for one in same.json()["features"]}


def test_a_distance_finds_what_is_near(client: TestClient) -> None:
    tree = ask(client, "trees", where="id = 't00010'", outSR=4326)["features"][0]["geometry"]
    near = ask(client, "trees", geometry=f"{tree['x']},{tree['y']}", geometryType="esriGeometryPoint", inSR=4326,
               distance=17, units="esriSRUnit_Meter", outFields="id")  # fmt: skip
    # Trees stand 8 m apart in a row.
    assert sorted(one["attributes"]["id"] for one in near["features"]) == [f"t0000{k}" for k in (8, 9)] + [
        f"t000{k}" for k in (10, 11, 12)
    ]


def test_shapes_come_in_the_reference_asked_for(client: TestClient) -> None:
    esri = ask(client, "buildings", where="id = 'b0'", outSR=5897)
    (ring,) = esri["features"][0]["geometry"]["rings"]
    area = shapely.Polygon(ring)
    assert area.area == pytest.approx(300.0, abs=0.5)
    assert not area.exterior.is_ccw
    assert esri["spatialReference"]["wkid"] == 5897
    plain = ask(client, "buildings", where="id = 'b0'", f="geojson", outFields="*")
    assert plain["features"][0]["geometry"]["type"] == "MultiPolygon"
    assert plain["features"][0]["properties"]["id"] == "b0"
    assert "geometry" not in ask(client, "buildings", where="id = 'b0'", returnGeometry="false")["features"][0]


def test_statistics_extents_and_different_values(client: TestClient) -> None:
    asked = [{"statisticType": "count", "onStatisticField": "fid", "outStatisticFieldName": "n"},
             {"statisticType": "avg", "onStatisticField": "storeys", "outStatisticFieldName": "mean"}]  # fmt: skip
    rows = ask(client, "buildings", outStatistics=json.dumps(asked), groupByFieldsForStatistics="use")["features"]
    assert {row["attributes"]["use"]: row["attributes"]["n"] for row in rows} == dict.fromkeys(
        ("house", "shop", "office", "school"), 10
    )
    different = ask(client, "buildings", returnDistinctValues="true", outFields="use", returnGeometry="false")
    assert [row["attributes"]["use"] for row in different["features"]] == ["house", "office", "school", "shop"]
    extent = ask(client, "trees", where="1=1", returnExtentOnly="true", outSR=4326)["extent"]
    assert BOUNDS[0] < extent["xmin"] < extent["xmax"]


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"where": "height >"}, "ends too early"),
        ({"where": "no_such = 1"}, "no field 'no_such'"),
        ({"where": "1=1; drop table city.trees"}, "cannot be read at"),
        ({"where": "use = 'castle'"}, "code list"),
        ({"geometry": "1,2,3"}, "3 numbers"),
        ({"geometry": '{"rings": [[[0, 0]]]}'}, "cannot be read"),
        ({"geometry": "5,1,2,3"}, "do not ascend"),
        ({"outSR": "999999"}, "does not exist"),
        ({"objectIds": "1,x"}, "whole numbers"),
        ({"resultOffset": "-1"}, "from 0 up"),
        ({"orderByFields": "height UP"}, "ASC or DESC"),
        ({"outStatistics": "[1]"}, "not an object"),
        ({"outStatistics": '[{"statisticType": "mode", "onStatisticField": "height"}]'}, "not computed"),
        ({"outStatistics": '[{"statisticType": "sum", "onStatisticField": "use"}]'}, "takes numbers"),
        ({"returnCountOnly": "perhaps"}, "not true or false"),
        ({"spatialRel": "esriSpatialRelRelation", "geometry": "1,2"}, "not served"),
    ],
)
def test_bad_questions_are_answered_as_esri_does(client: TestClient, parameters: dict[str, str], words: str) -> None:
    error = ask(client, "buildings", **parameters)["error"]
    assert error["code"] == 400
    assert words in error["message"]


def test_what_is_not_there_is_named(client: TestClient) -> None:
    assert client.get(f"{BASE}/9999").json()["error"]["code"] == 404
    assert client.post(f"{BASE}/0/moveFeatures").json()["error"]["code"] == 404


def test_edits_are_carried_out_and_can_be_read(client: TestClient) -> None:
    point = {"x": 105.74, "y": 10.02, "spatialReference": {"wkid": 4326}}
    number = ORDER.index("hydrants")
    adds = [{"attributes": {"id": f"H-{k}", "status": "working"}, "geometry": point} for k in (1, 2)]
    answer = client.post(f"{BASE}/{number}/applyEdits", data={"f": "json", "adds": json.dumps(adds)}).json()
    assert [one["success"] for one in answer["addResults"]] == [True, True], answer
    first, second = (one["objectId"] for one in answer["addResults"])
    moved = [{"attributes": {"fid": first}, "geometry": {**point, "x": 105.741}}]
    answer = client.post(
        f"{BASE}/{number}/applyEdits", data={"updates": json.dumps(moved), "deletes": str(second)}
    ).json()
    assert answer == {
        "addResults": [],
        "updateResults": [{"objectId": first, "success": True}],
        "deleteResults": [{"objectId": second, "success": True}],
    }
    (left,) = ask(client, "hydrants", where="1=1", outSR=4326)["features"]
    assert left["geometry"]["x"] == pytest.approx(105.741, abs=1e-6)
    versions = client.get("/api/collections/hydrants/items/H-1/versions").json()
    assert json.dumps(versions).count("GeoServices") >= 2
    gone = client.post(f"{BASE}/{number}/deleteFeatures", data={"where": "id = 'H-1'"}).json()
    assert gone == {"deleteResults": [{"objectId": first, "success": True}]}


def test_of_edits_that_do_not_fit_none_or_the_others_are_written(client: TestClient) -> None:
    number = ORDER.index("hydrants")
    point = {"x": 105.74, "y": 10.02, "spatialReference": {"wkid": 4326}}
    adds = json.dumps(
        [
            {"attributes": {"id": "H-7", "status": "working"}, "geometry": point},
            {"attributes": {"id": "H-8", "status": "working", "flow": "much"}, "geometry": point},
        ]
    )
    both = client.post(f"{BASE}/{number}/addFeatures", data={"features": adds}).json()["addResults"]
    assert [one["success"] for one in both] == [False, False]
    assert ask(client, "hydrants", where="1=1", returnCountOnly="true") == {"count": 0}
    each = client.post(f"{BASE}/{number}/addFeatures", data={"features": adds, "rollbackOnFailure": "false"}).json()
    assert [one["success"] for one in each["addResults"]] == [True, False]
    assert each["addResults"][1]["error"]["description"]
    client.post(f"{BASE}/{number}/deleteFeatures", data={"where": "1=1"})
    assert ask(client, "hydrants", where="1=1", returnCountOnly="true") == {"count": 0}


def test_depth_and_length_are_limited() -> None:
    with pytest.raises(TooLargeError):
        parse_where("(" * 200 + "1" + ")" * 200, BUILDINGS)
    with pytest.raises(TooLargeError):
        parse_where("height = 1 and " * 10_000 + "height = 1", BUILDINGS)
    with pytest.raises(InputError):
        parse_where("height = 1 height", BUILDINGS)


def test_holes_stay_holes_whichever_way_they_turn() -> None:
    outer, hole = [[0, 0], [0, 9], [9, 9], [9, 0], [0, 0]], [[3, 3], [6, 3], [6, 6], [3, 6], [3, 3]]
    for inner in (hole, hole[::-1]):
        shape = read_shape({"rings": [outer, inner]})
        assert shape.area == 72.0
        written = write_shape(shapely.MultiPolygon([shape]), 3)
        assert read_shape(written).equals(shape)


def test_the_vector_tile_server_gives_the_tiles_of_the_map(client: TestClient) -> None:
    base = "/esri/rest/services/twin/VectorTileServer"
    service = client.get(base, params={"f": "json"}).json()
    zoom, column, row = TREE_TILE.split("/")
    address = service["tiles"][0].format(z=zoom, x=column, y=row)
    tile = client.get(f"{base}/{address}", params={"f": "pbf", "token": "x"})
    assert tile.status_code == 200
    assert b"buildings" in tile.content
    level = service["tileInfo"]["lods"][3]
    # To Esri an inch is 1 / 39.37 m.
    assert level["resolution"] * 96 * 39.37 == pytest.approx(level["scale"], rel=1e-6)
    style = client.get(f"{base}/{service['defaultStyles']}/root.json").json()
    assert style["sources"] == {"esri": {"type": "vector", "url": f"{ADDRESS}{base}"}}
    assert {part["source"] for part in style["layers"][1:]} == {"esri"}

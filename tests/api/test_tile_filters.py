"""What may be asked of a tile: properties, filters in CQL2, and a time to read at."""

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import geopandas as gpd
import pyogrio
import pytest
import shapely
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from layers.registry import VECTOR_LAYERS
from layers.store.features import upsert_features
from tests.api.conftest import TREE_TILE, X0, Y0

BUILDINGS = f"/tiles/buildings/{TREE_TILE}.mvt"
LOW = "13/6502/3866"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Folder for tiles."""
    return tmp_path


def read(client: TestClient, folder: Path, address: str, layer: str) -> gpd.GeoDataFrame:
    answer = client.get(address)
    assert answer.status_code in (200, 204), answer.text
    if answer.status_code == 204:
        return gpd.GeoDataFrame({"id": []})
    z, x, y = address.split(".mvt")[0].split("/")[-3:]
    path = folder / z / x / f"{y}.mvt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(answer.content)
    frame: gpd.GeoDataFrame = pyogrio.read_dataframe(path, layer=layer, X=int(x), Y=int(y), Z=int(z))
    return frame


def test_a_filter_chooses_the_features_that_items_have(client: TestClient, folder: Path) -> None:
    words = "use in ('shop', 'office') and height > 3"
    told = read(client, folder, f"{BUILDINGS}?filter={quote(words)}", "buildings")
    assert set(told["use"]) == {"shop", "office"}
    tree = '{"op":"in","args":[{"property":"use"},["shop","office"]]}'
    again = read(client, folder, f"{BUILDINGS}?filter={quote(tree)}&filter-lang=cql2-json", "buildings")
    assert set(again["id"]) == set(told["id"])
    items = client.get(f"/api/collections/buildings/items?limit=100&filter={quote(words)}").json()["features"]
    assert set(told["id"]) <= {item["id"] for item in items}
    both = client.get(f"{BUILDINGS}?filter={quote(words)}&use=shop")
    assert both.status_code == 200


def test_a_filter_is_exact_where_points_are_clusters(client: TestClient, folder: Path) -> None:
    def count(address: str) -> int:
        frame = read(client, folder, address, "trees")
        return int(frame["point_count"].fillna(1).sum()) if len(frame) else 0

    zoom, x, y = (int(part) for part in LOW.split("/"))
    around = [f"/tiles/trees/{zoom}/{x + right}/{y + down}.mvt" for right in (-1, 0, 1, 2) for down in (-1, 0, 1, 2)]
    everything = client.get("/api/collections/trees/items?count=true&limit=1").json()["numberMatched"]
    tall = client.get("/api/collections/trees/items?count=true&limit=1&filter=height%20%3E%205").json()["numberMatched"]
    assert sum(map(count, around)) == everything
    assert sum(count(f"{address}?filter=height%20%3E%205") for address in around) == tall < everything


def test_properties_are_those_asked_for(client: TestClient, folder: Path) -> None:
    chosen = read(client, folder, f"{BUILDINGS}?properties=storeys,use", "buildings")
    assert set(chosen.columns) - {"mvt_id", "geometry"} == {"id", "storeys", "use"}
    bare = read(client, folder, f"{BUILDINGS}?properties=", "buildings")
    assert set(bare.columns) - {"mvt_id", "geometry"} == {"id"}
    low = read(client, folder, f"/tiles/road_links/{LOW}.mvt?properties=road_class,is_bridge", "road_links")
    assert {"road_class", "is_bridge"} <= set(low.columns)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("filter=", "the filter is empty"),
        ("filter=height%20%3E", "cannot be read"),
        ("filter=colour%20%3D%201", "has no property 'colour'"),
        ("filter=true&filter=true", "given twice"),
        ("filter=true&filter-lang=sql", "filter-lang 'sql'"),
        ("filter=true&filter-crs=x", "filter-crs 'x'"),
        ("properties=colour", "no property 'colour'"),
        ("datetime=yesterday", "datetime 'yesterday'"),
        ("recorded=x", "recorded 'x'"),
        ("live=true&filter=true", "live tiles take no filter"),
        ("colour=red", "parameter 'colour'"),
    ],
)
def test_what_cannot_be_asked_is_refused(client: TestClient, asked: str, words: str) -> None:
    answer = client.get(f"{BUILDINGS}?{asked}")
    assert (answer.status_code, words in answer.json()["detail"]) == (400, True), answer.text


def test_every_layer_must_have_what_is_filtered_by(client: TestClient) -> None:
    refused = client.get(f"/tiles/buildings,trees/{TREE_TILE}.mvt?filter=storeys%20%3E%202")
    assert refused.status_code == 400
    assert "layer 'trees' has no property 'storeys'" in refused.json()["detail"]
    assert client.get(f"/tiles/buildings,trees/{TREE_TILE}.mvt?filter=height%20%3E%202").status_code == 200


def test_the_past_is_drawn_as_it_was_and_follows_corrections(client: TestClient, writer: Engine, folder: Path) -> None:
    def put(name: str) -> None:
        frame = gpd.GeoDataFrame(
            {"id": ["past-1"], "name": [name]}, geometry=[shapely.Point(X0 + 320, Y0 + 10)], crs="EPSG:5897"
        )
        with writer.begin() as connection:
            upsert_features(connection, VECTOR_LAYERS["waste_points"], frame, source_id="test")

    put("before")
    with writer.begin() as connection:
        since = connection.execute(text("select valid_from from city.waste_points where id = 'past-1'")).scalar_one()
    asked = f"/tiles/waste_points/{TREE_TILE}.mvt?datetime={since.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S.%fZ')}"
    assert list(read(client, folder, asked, "waste_points")["name"]) == ["before"]
    etag = client.get(asked).headers["etag"]
    put("after")
    assert list(read(client, folder, f"/tiles/waste_points/{TREE_TILE}.mvt", "waste_points")["name"]) == ["after"]
    assert list(read(client, folder, asked, "waste_points")["name"]) == ["before"]
    assert client.get(asked).headers["etag"] != etag
    plain = client.get(f"/tiles/waste_points/{TREE_TILE}.mvt").headers["etag"]
    assert client.get(asked).headers["etag"] != plain, "a map would keep the tile of the other address"
    early = datetime(2000, 1, 1, tzinfo=UTC).isoformat().replace("+00:00", "Z")
    assert client.get(f"/tiles/waste_points/{TREE_TILE}.mvt?recorded={early}").status_code == 204


def test_a_filter_on_other_layers_changes_with_them(client: TestClient, writer: Engine, folder: Path) -> None:
    asked = f"{BUILDINGS}?filter={quote('near(antennas, 30)')}"
    before = client.get(asked)
    assert before.status_code == 204
    frame = gpd.GeoDataFrame(
        {"id": ["w"], "name": ["Trạm"]}, geometry=[shapely.Point(X0 + 310, Y0 + 57)], crs="EPSG:5897"
    )
    with writer.begin() as connection:
        upsert_features(connection, VECTOR_LAYERS["antennas"], frame, source_id="test")
    after = client.get(asked, headers={"if-none-match": before.headers["etag"]})
    assert after.status_code == 200
    assert len(read(client, folder, asked, "buildings")) >= 1

"""Vector tiles over HTTP: what they hold, and what is answered without making them."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from sqlalchemy import Engine
from starlette.testclient import TestClient

from layers.registry import VECTOR_LAYERS
from layers.store import tiles as tile_store
from layers.store.features import upsert_features
from layers.store.tiles import TileAddress
from tests.api.conftest import TREE_TILE, TREES, X0, Y0

# Bytes of the tile layer that tells of what was left out.
TOLD = 100
Decode = Callable[[bytes, str], dict[str, gpd.GeoDataFrame]]


@pytest.fixture
def decode(tmp_path: Path) -> Decode:
    """Return a function that reads a tile with GDAL: layer name to frame in EPSG:3857."""

    def read(body: bytes, address: str) -> dict[str, gpd.GeoDataFrame]:
        z, x, y = address.split("/")
        path = tmp_path / z / x / f"{y}.mvt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        names = [name for name, _ in pyogrio.list_layers(path)]
        return {
            name: pyogrio.read_dataframe(path, layer=name, fid_as_index=True, X=int(x), Y=int(y), Z=int(z))
            for name in names
        }

    return read


def test_a_tile_holds_the_declared_properties_the_id_and_a_number(client: TestClient, decode: Decode) -> None:
    answer = client.get(f"/tiles/buildings,trees/{TREE_TILE}.mvt")
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    assert answer.headers["content-encoding"] == "gzip"
    layers = decode(answer.content, TREE_TILE)
    assert set(layers) == {"buildings", "trees"}
    declared = set(VECTOR_LAYERS["buildings"].tile_properties)
    assert set(layers["buildings"].columns) - {"geometry", "mvt_id"} <= declared | {"id"}
    assert layers["trees"]["id"].str.match(r"^t\d{5}$").all()
    assert set(layers["buildings"]["use"]) == {"house", "shop", "office", "school"}


def test_positions_agree_with_items_within_a_quarter_metre(client: TestClient, decode: Decode) -> None:
    trees = decode(client.get(f"/tiles/trees/{TREE_TILE}.mvt").content, TREE_TILE)["trees"].set_index("id")
    items = client.get("/api/collections/trees/items?limit=1000").json()["features"]
    points = gpd.GeoSeries(
        [shapely.Point(item["geometry"]["coordinates"]) for item in items],
        index=[item["id"] for item in items],
        crs=4326,
    ).to_crs(3857)
    points = points.loc[trees.index]
    apart = np.hypot(points.x - trees.geometry.x, points.y - trees.geometry.y)
    assert len(trees) > 20
    assert apart.max() < 0.25


def test_tiles_side_by_side_hold_everything(client: TestClient, decode: Decode) -> None:
    tiles = [TileAddress(16, x, y) for x in range(52015, 52021) for y in (30933, 30934, 30935)]
    found: set[str] = set()
    for tile in tiles:
        address = f"{tile.z}/{tile.x}/{tile.y}"
        answer = client.get(f"/tiles/trees/{address}.mvt")
        if answer.status_code == 200:
            found |= set(decode(answer.content, address)["trees"]["id"])
    assert len(found) == TREES


def test_a_list_of_layers_counts_each_once(client: TestClient, decode: Decode) -> None:
    once = client.get(f"/tiles/trees/{TREE_TILE}.mvt").content
    twice = client.get(f"/tiles/trees,trees/{TREE_TILE}.mvt").content
    assert once == twice


def test_the_tileset_of_ogc_gives_the_same_tile(client: TestClient) -> None:
    z, x, y = TREE_TILE.split("/")
    ogc = client.get(f"/api/collections/trees/tiles/WebMercatorQuad/{z}/{y}/{x}")
    assert ogc.content == client.get(f"/tiles/trees/{TREE_TILE}.mvt").content


def test_filters_work_on_tiles(client: TestClient, decode: Decode) -> None:
    shops = decode(client.get(f"/tiles/buildings/{TREE_TILE}.mvt?use=shop").content, TREE_TILE)["buildings"]
    assert set(shops["use"]) == {"shop"}
    wrong = client.get(f"/tiles/buildings,trees/{TREE_TILE}.mvt?use=shop")
    assert wrong.status_code == 400
    assert "use" in wrong.json()["detail"]


def test_nothing_there_and_too_far_out_are_204(client: TestClient) -> None:
    assert client.get("/tiles/trees/16/0/0.mvt").status_code == 204
    assert client.get("/tiles/trees/10/812/483.mvt").status_code == 204


def test_who_does_not_take_gzip_gets_it_plain(client: TestClient) -> None:
    packed = client.get(f"/tiles/trees/{TREE_TILE}.mvt")
    plain = client.get(f"/tiles/trees/{TREE_TILE}.mvt", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == packed.content


def test_an_unchanged_tile_is_304_and_a_changed_one_is_not(client: TestClient, writer: Engine, decode: Decode) -> None:
    layer = VECTOR_LAYERS["signals"]
    address = f"/tiles/signals/{TREE_TILE}.mvt"
    point = shapely.Point(X0 + 200, Y0)

    def write(item_id: str) -> None:
        frame = gpd.GeoDataFrame({"id": [item_id]}, geometry=[point], crs="EPSG:5897")
        with writer.begin() as connection:
            upsert_features(connection, layer, frame, source_id="test")

    write("a")
    first = read_fresh(client, address)
    again = client.get(address, headers={"if-none-match": first})
    assert (again.status_code, again.content) == (304, b"")
    write("b")
    second = read_fresh(client, address, first)
    assert second != first
    assert set(decode(client.get(address).content, TREE_TILE)["signals"]["id"]) == {"a", "b"}


def test_no_notification_is_missed(client: TestClient, writer: Engine) -> None:
    """Every change arrives though many come while the tokens of the one before are read."""
    layer = VECTOR_LAYERS["stops"]
    address = f"/tiles/stops/{TREE_TILE}.mvt"
    old = client.get(address).headers["etag"]
    for number in range(40):
        frame = gpd.GeoDataFrame({"id": [f"s{number}"]}, geometry=[shapely.Point(X0 + 200, Y0)], crs="EPSG:5897")
        with writer.begin() as connection:
            upsert_features(connection, layer, frame, source_id="test")
        old = read_fresh(client, address, old)


def read_fresh(client: TestClient, address: str, old: str | None = None) -> str:
    """Return the ETag of a tile that is not the one with the ETag ``old``."""
    answer = client.get(address, headers={"if-none-match": old or '"none"'})
    assert answer.status_code == 200
    return answer.headers["etag"]


def test_a_304_needs_no_database(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"/tiles/trees/{TREE_TILE}.mvt"
    etag = client.get(address).headers["etag"]
    resources = client.app.state.resources  # type: ignore[attr-defined]
    monkeypatch.setattr(resources, "pools", None)
    assert client.get(address, headers={"if-none-match": etag}).status_code == 304
    assert client.get(address).status_code == 200


def test_a_tile_over_the_budget_says_so(client: TestClient, monkeypatch: pytest.MonkeyPatch, decode: Decode) -> None:
    whole = client.get(f"/tiles/trees/{TREE_TILE}.mvt?height=2.5")
    assert "twin-tile-truncated" not in whole.headers
    monkeypatch.setattr(tile_store, "FEATURE_BUDGET", 3)
    cut = client.get(f"/tiles/trees/{TREE_TILE}.mvt?height=3.5")
    assert cut.headers["twin-tile-truncated"] == "true"
    layers = decode(cut.content, TREE_TILE)
    assert len(layers["trees"]) <= 4
    told = layers["twin:truncated"]
    assert (list(told["layer"]), list(told["kept"])) == (["trees"], [3])
    monkeypatch.setattr(tile_store, "FEATURE_BUDGET", 50_000)
    monkeypatch.setattr(tile_store, "BYTE_BUDGET", 200)
    small = client.get(f"/tiles/trees/{TREE_TILE}.mvt?height=4.5", headers={"accept-encoding": "identity"})
    assert small.headers["twin-tile-truncated"] == "true"
    assert 0 < len(small.content) <= 200 + TOLD
    assert "trees" in set(decode(small.content, TREE_TILE)["twin:truncated"]["layer"])


def test_far_out_shapes_are_simpler_and_tiny_ones_gone(client: TestClient, writer: Engine, decode: Decode) -> None:
    circle = shapely.Point(X0 + 3000, Y0).buffer(400, quad_segs=200)
    speck = shapely.box(X0 + 3600, Y0, X0 + 3601, Y0 + 1)
    shapes = [shapely.MultiPolygon([shape]) for shape in (circle, speck)]
    frame = gpd.GeoDataFrame({"id": ["circle", "speck"]}, geometry=shapes, crs="EPSG:5897")
    with writer.begin() as connection:
        upsert_features(connection, VECTOR_LAYERS["green_spaces"], frame, source_id="test")
    where = gpd.GeoSeries([circle.centroid], crs="EPSG:5897").to_crs(3857).iloc[0]
    counts = {}
    for zoom in (12, 14):
        width = TileAddress(zoom, 0, 0).width
        x, y = int((where.x + tile_store.HALF_WORLD) / width), int((tile_store.HALF_WORLD - where.y) / width)
        address = f"{zoom}/{x}/{y}"
        read_fresh(client, f"/tiles/green_spaces/{address}.mvt")
        green = decode(client.get(f"/tiles/green_spaces/{address}.mvt").content, address)["green_spaces"]
        found = green[green["id"] == "circle"].geometry
        counts[zoom] = (int(shapely.get_num_coordinates(found.to_numpy()).sum()), "speck" in set(green["id"]))
    assert counts[12][0] < counts[14][0] / 2
    assert counts[12][1] is False


def test_tilejson_describes_the_layers(client: TestClient) -> None:
    said = client.get("/tiles/trees,buildings.json").json()
    assert said["tilejson"] == "3.0.0"
    assert [layer["id"] for layer in said["vector_layers"]] == ["trees", "buildings"]
    z, x, y = TREE_TILE.split("/")
    assert client.get(said["tiles"][0].format(z=z, x=x, y=y)).status_code == 200
    west, south, east, north = said["bounds"]
    assert 105.7 < west < east < 105.8
    assert 10.0 < south < north < 10.1


def test_a_tile_is_valid_gzip_of_one_member(client: TestClient) -> None:
    with client.stream("GET", f"/tiles/buildings,trees/{TREE_TILE}.mvt") as answer:
        raw = b"".join(answer.iter_raw())
    assert len(gzip.decompress(raw)) > 0
    assert raw.count(b"\x1f\x8b\x08") == 1


def test_answers_are_json_where_they_say_so(client: TestClient) -> None:
    assert json.loads(client.get("/tiles/trees.json").content)["name"] == "Trees"


def test_an_area_over_several_tiles_is_named_once(client: TestClient, writer: Engine, decode: Decode) -> None:
    park = shapely.MultiPolygon([shapely.box(X0 + 5000, Y0, X0 + 9000, Y0 + 4000)])
    frame = gpd.GeoDataFrame({"id": ["park"], "name": ["Công viên"]}, geometry=[park], crs="EPSG:5897")
    with writer.begin() as connection:
        upsert_features(connection, VECTOR_LAYERS["green_spaces"], frame, source_id="test")
    west, south, east, north = gpd.GeoSeries([park], crs="EPSG:5897").to_crs(3857).total_bounds
    width = TileAddress(14, 0, 0).width
    columns, rows = (
        range(int((low + tile_store.HALF_WORLD) / width), int((high + tile_store.HALF_WORLD) / width) + 1)
        for low, high in ((west, east), (-north, -south))
    )
    drawn, named = 0, []
    for address in (f"14/{x}/{y}" for x in columns for y in rows):
        read_fresh(client, f"/tiles/green_spaces/{address}.mvt")
        layers = decode(client.get(f"/tiles/green_spaces/{address}.mvt").content, address)
        drawn += "park" in set(layers["green_spaces"]["id"])
        named += list(layers.get("green_spaces-label", {"name": []})["name"])
    assert drawn >= 4
    assert named == ["Công viên"]

"""Buildings as 3D Tiles: every vertex in its box and where the footprint is, every item once, edits seen at once."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from starlette.testclient import TestClient

from api.app import create_app
from layers.datum import CRS84, make_transformer
from layers.registry import VECTOR_LAYERS
from layers.scene.levels import LEVELS, find_error
from layers.store.engine import open_engine
from layers.store.features import upsert_features
from tests.clients.scene_files import Glb, walk_tiles
from tests.conftest import ROOT
from twin.settings import Settings

ADDRESS = "http://127.0.0.1:8000"
X0, Y0 = 580_000.0, 1_108_000.0
HOUSES = 400
VALIDATOR = ROOT / ".run" / "clients" / "scene" / "node_modules" / "gltf-validator"
TO_PLACE = Transformer.from_crs("EPSG:4978", "EPSG:4979", always_xy=True)


def make_buildings() -> gpd.GeoDataFrame:
    """Return houses over 4 × 4 km, a school with a yard, a tower, a shed of 500 m, and some with little known."""
    rng = np.random.default_rng(7)
    x, y = X0 + rng.uniform(0, 4000, HOUSES), Y0 + rng.uniform(0, 4000, HOUSES)
    turn = rng.uniform(0, np.pi, HOUSES)
    shapes = [
        shapely.affinity.rotate(shapely.box(a - 3, b - 8, a + 3, b + 8), float(angle), use_radians=True)
        for a, b, angle in zip(x, y, turn, strict=True)
    ]
    yard = shapely.box(X0 + 100, Y0 + 100, X0 + 160, Y0 + 140) - shapely.box(X0 + 115, Y0 + 110, X0 + 145, Y0 + 130)
    shapes += [yard, shapely.box(X0 + 900, Y0 + 900, X0 + 940, Y0 + 940), shapely.box(X0, Y0 - 700, X0 + 500, Y0 - 600)]
    rows = HOUSES + 3
    frame = gpd.GeoDataFrame(
        {
            "id": [*(f"nhà {k}/á" for k in range(HOUSES)), "school", "tower", "shed"],
            "name": [*([None] * HOUSES), "Trường Tiểu học", "Tháp", None],
            "use": [*(["house", "shop"] * (HOUSES // 2)), "school", "office", "industrial"],
            "height": [*rng.uniform(3.5, 15.0, HOUSES), 12.0, 120.0, 9.0],
            "storeys": [*rng.integers(1, 5, HOUSES), 3, 30, 1],
            "ground_elevation": [*rng.uniform(0.8, 2.2, HOUSES), 1.5, 1.75, np.nan],
        },
        geometry=[shapely.MultiPolygon([shape]) for shape in shapes],
        crs="EPSG:5897",
    )
    frame["storeys"] = frame["storeys"].astype("Int64")
    frame.loc[frame.index[0:2], "height"] = np.nan
    frame.loc[frame.index[1], "storeys"] = None
    assert len(frame) == rows
    return frame


@pytest.fixture(scope="module")
def buildings() -> gpd.GeoDataFrame:
    return make_buildings()


@pytest.fixture(scope="module")
def client(
    make_database: Callable[..., str], tmp_path_factory: pytest.TempPathFactory, buildings: gpd.GeoDataFrame
) -> Iterator[TestClient]:
    """Client of a server on a city of buildings of its own."""
    url, folder = make_database("scene"), tmp_path_factory.mktemp("scene")
    engine = open_engine(url)
    with engine.begin() as connection:
        upsert_features(connection, VECTOR_LAYERS["buildings"], buildings, source_id="s")
    engine.dispose()
    app = create_app(Settings(database_url=url, data_dir=folder, web_dir=folder / "web", tile_cache_mb=16))
    with TestClient(app, ADDRESS, client=("127.0.0.1", 50_000), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def tileset(client: TestClient) -> dict[str, Any]:
    answer = client.get("/3d/buildings/tileset.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    return dict(answer.json())


@pytest.fixture(scope="module")
def contents(client: TestClient, tileset: dict[str, Any]) -> dict[str, tuple[dict[str, Any], NDArray[np.float64], Glb]]:
    """By address: the tile, its transform, its content."""
    found = {}
    for tile, transform in walk_tiles(tileset["root"]):
        if "content" in tile:
            # Clients put the version of the tileset behind the address of a tile.
            answer = client.get(f"/3d/buildings/{tile['content']['uri']}?v={tileset['asset']['tilesetVersion']}")
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "model/gltf-binary"
            found[tile["content"]["uri"]] = tile, transform, Glb.read(answer.content)
    return found


def to_places(positions: NDArray[np.float64], transform: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return longitude, latitude [°] and ellipsoidal height [m] of vertices (v, 3), by PROJ."""
    earth = positions @ transform[:3, :3].T + transform[:3, 3]
    return np.column_stack(TO_PLACE.transform(*earth.T))


def holds(outer: list[float], inner: list[float]) -> bool:
    west, south, east, north, low, high = outer
    return (
        west <= inner[0] and south <= inner[1] and inner[2] <= east and inner[3] <= north
        and low <= inner[4] and inner[5] <= high
    )  # fmt: skip


def test_the_tree_keeps_the_rules_of_3d_tiles(tileset: dict[str, Any]) -> None:
    assert tileset["asset"]["version"] == "1.1"
    assert set(tileset["metadata"]["properties"]) == set(tileset["schema"]["classes"]["tileset"]["properties"])
    assert tileset["root"]["refine"] == "ADD"
    assert tileset["geometricError"] >= tileset["root"]["geometricError"]
    uris = []
    for tile, transform in walk_tiles(tileset["root"]):
        west, south, east, north, low, high = tile["boundingVolume"]["region"]
        assert -np.pi <= west < east <= np.pi
        assert -np.pi / 2 <= south < north <= np.pi / 2
        assert low < high
        if "content" in tile:
            uris.append(tile["content"]["uri"])
            assert holds(tile["boundingVolume"]["region"], tile["content"]["boundingVolume"]["region"])
            # Turned and moved, neither stretched nor mirrored.
            np.testing.assert_allclose(transform[:3, :3] @ transform[:3, :3].T, np.eye(3), atol=1e-12)
            assert np.linalg.det(transform[:3, :3]) == pytest.approx(1.0)
        assert "content" in tile or tile["children"]
        assert (tile["geometricError"] > 0.0) == ("children" in tile)
        for child in tile.get("children", ()):
            assert child["geometricError"] < tile["geometricError"]
            assert holds(tile["boundingVolume"]["region"], child["boundingVolume"]["region"])
    assert len(set(uris)) == len(uris)


def test_every_vertex_lies_in_its_box_and_every_item_in_one_tile(
    contents: dict[str, Any], buildings: gpd.GeoDataFrame
) -> None:
    ids: list[str] = []
    for tile, transform, glb in contents.values():
        west, south, east, north, low, high = tile["content"]["boundingVolume"]["region"]
        lon, lat, height = to_places(glb.positions, transform).T
        assert (np.radians(lon) >= west).all() and (np.radians(lon) <= east).all()
        assert (np.radians(lat) >= south).all() and (np.radians(lat) <= north).all()
        assert (height >= low).all() and (height <= high).all()
        assert np.abs(glb.positions[:, :2]).max() < 20_000.0
        ids += [row["id"] for row in glb.table]
    assert sorted(ids) == sorted(buildings["id"])


def test_a_solid_stands_on_its_footprint_as_high_as_the_item_says(
    contents: dict[str, Any], buildings: gpd.GeoDataFrame
) -> None:
    """The reference is PROJ: footprint → CRS84 by the declared shift, earth-centred vertex → geodetic."""
    frame = buildings.set_index("id")
    to_degrees = make_transformer("EPSG:5897", CRS84)
    seen = 0
    for _, transform, glb in contents.values():
        owner, rows = glb.attribute("_FEATURE_ID_0")[:, 0].astype(int), glb.table
        places = to_places(glb.positions, transform)
        for number in np.unique(owner):
            item = frame.loc[rows[number]["id"]]
            mine = places[owner == number]
            corners = np.column_stack(to_degrees.transform(*shapely.get_coordinates(item.geometry).T))
            off = np.abs(mine[:, None, :2] - corners[None]).max(axis=2).min(axis=1)
            assert off.max() < 1e-8  # 1 mm
            base = 0.0 if np.isnan(item["ground_elevation"]) else item["ground_elevation"]
            assert mine[:, 2].min() == pytest.approx(base, abs=2e-3)
            assert mine[:, 2].max() - mine[:, 2].min() == pytest.approx(rows[number]["height"], abs=2e-3)
            seen += 1
    assert seen == len(frame)


def test_large_ones_stand_in_large_tiles(contents: dict[str, Any]) -> None:
    zooms = {row["id"]: int(uri.split("/")[0]) for uri, (_, _, glb) in contents.items() for row in glb.table}
    assert zooms["shed"] == 11
    assert zooms["tower"] == 13
    assert zooms["school"] == 14
    assert zooms["nhà 1/á"] == 16
    assert [error for _, error in LEVELS] == sorted((error for _, error in LEVELS), reverse=True)
    assert find_error(16) == 0.0


def test_a_picked_solid_tells_what_it_is(contents: dict[str, Any], buildings: gpd.GeoDataFrame) -> None:
    rows = {row["id"]: row for _, _, glb in contents.values() for row in glb.table}
    tower = rows["tower"]
    told = {name: tower[name] for name in ("name", "use", "height", "height_source", "storeys", "base")}
    assert told == {
        "name": "Tháp", "use": "office", "height": 120.0, "height_source": "height", "storeys": 30, "base": 1.75,
    }  # fmt: skip
    by_storeys, assumed = rows["nhà 0/á"], rows["nhà 1/á"]
    storeys = int(buildings["storeys"].iloc[0])
    assert by_storeys["height"] == pytest.approx(3.3 * storeys)
    assert (by_storeys["height_source"], assumed["height_source"]) == ("storeys", "assumed")
    assert (assumed["height"], assumed["storeys"], assumed["name"]) == (6.0, None, None)


def test_the_feature_id_is_that_of_the_vector_tiles_and_colours_are_the_styles(
    client: TestClient, contents: dict[str, Any]
) -> None:
    etag = client.get("/api/collections/buildings/items/tower").headers["etag"]
    for _, _, glb in contents.values():
        for number, row in enumerate(glb.table):
            if row["id"] == "tower":
                assert f'"{row["fid"]:x}-' == etag.split("-")[0] + "-"
                colour = glb.attribute("COLOR_0")[glb.attribute("_FEATURE_ID_0")[:, 0] == number]
                # #cdbcd6 of offices in linear light.
                np.testing.assert_allclose(colour[:, :3] / 255.0, [[0.610, 0.503, 0.672]] * len(colour), atol=3e-3)


def test_faces_look_outward_and_indices_are_short(contents: dict[str, Any]) -> None:
    for _, _, glb in contents.values():
        a, b, c = (glb.attribute("POSITION")[glb.triangles[:, corner]].astype(float) for corner in range(3))
        normal = glb.attribute("NORMAL")[glb.triangles[:, 0]]
        faces = np.cross(b - a, c - a)
        lengths = np.linalg.norm(faces, axis=1)
        assert (np.einsum("ij,ij->i", faces, normal)[lengths > 1e-3] > 0.999 * lengths[lengths > 1e-3]).all()
        assert glb.document["accessors"][glb.primitive["indices"]]["componentType"] == 5123


def test_one_item_is_a_closed_solid(client: TestClient) -> None:
    for item in ("school", "nhà 3/á"):
        answer = client.get(f"/3d/buildings/items/{item}.glb")
        assert answer.status_code == 200
        glb = Glb.read(answer.content)
        assert [row["id"] for row in glb.table] == [item]
        points = glb.positions
        a, b, c = (points[glb.triangles[:, corner]] for corner in range(3))
        volume = np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0
        area = {"school": 60.0 * 40.0 - 30.0 * 20.0, "nhà 3/á": 96.0}[item]
        # The grid of the city is stretched by up to 0.02 %.
        assert volume == pytest.approx(area * glb.table[0]["height"], rel=1e-3)


def test_a_scene_is_kept_until_it_changes_and_then_follows_at_once(
    client: TestClient, contents: dict[str, Any]
) -> None:
    tile = next(
        tile["content"]["uri"]
        for tile, _ in walk_tiles(client.get("/3d/buildings/tileset.json").json()["root"])
        if "content" in tile and tile["content"]["uri"].startswith("13/")
    )
    paths = ("/3d/buildings/tileset.json", f"/3d/buildings/{tile}", "/3d/buildings/items/tower.glb")
    far = next(f"/3d/buildings/{uri}" for uri in sorted(contents, reverse=True) if uri.startswith("16/"))
    kept = client.get(far).headers["etag"]
    etags = {path: client.get(path).headers["etag"] for path in paths}
    for path in paths:
        assert client.get(path, headers={"if-none-match": etags[path]}).status_code == 304
    for path in paths[:2]:
        answer = client.get(path, headers={"accept-encoding": "gzip"})
        assert answer.headers["content-encoding"] == "gzip"
        plain = client.get(path, headers={"accept-encoding": "identity"})
        assert "content-encoding" not in plain.headers
        assert plain.content == answer.content
    changed = client.patch(
        "/api/collections/buildings/items/tower",
        content=json.dumps({"properties": {"height": 100.0}}),
        headers={
            "content-type": "application/merge-patch+json",
            "if-match": client.get("/api/collections/buildings/items/tower").headers["etag"],
        },
    )
    assert changed.status_code == 200, changed.text
    for path in paths:
        answer = client.get(path, headers={"if-none-match": etags[path]})
        assert answer.status_code == 200
        assert answer.headers["etag"] != etags[path]
    rows = {row["id"]: row for row in Glb.read(client.get(f"/3d/buildings/{tile}").content).table}
    assert rows["tower"]["height"] == 100.0
    assert client.get(far, headers={"if-none-match": kept}).status_code == 304


def read_zooms(client: TestClient) -> dict[str, list[int]]:
    """Return in tiles of which zooms each item stands now."""
    zooms: dict[str, list[int]] = {}
    for tile, _ in walk_tiles(client.get("/3d/buildings/tileset.json").json()["root"]):
        if "content" in tile:
            for row in Glb.read(client.get(f"/3d/buildings/{tile['content']['uri']}").content).table:
                zooms.setdefault(row["id"], []).append(int(tile["content"]["uri"].split("/")[0]))
    return zooms


def test_a_house_that_grows_moves_to_a_larger_tile_and_stands_in_no_other(client: TestClient) -> None:
    before = read_zooms(client)
    path = "/api/collections/buildings/items/nhà 1/á"
    for height, zoom in ((200.0, 12), (4.0, 16)):
        changed = client.patch(
            path,
            content=json.dumps({"properties": {"height": height}}),
            headers={"content-type": "application/merge-patch+json", "if-match": client.get(path).headers["etag"]},
        )
        assert changed.status_code == 200, changed.text
        assert read_zooms(client) == before | {"nhà 1/á": [zoom]}


def test_a_collection_and_an_item_lead_to_their_scene(client: TestClient) -> None:
    kinds = {"buildings": "application/json", "buildings/items/nhà 3/á": "model/gltf-binary"}
    for path, kind in kinds.items():
        links = client.get(f"/api/collections/{path}").json()["links"]
        (led,) = [link["href"] for link in links if link["rel"] == "alternate" and "/3d/" in link["href"]]
        answer = client.get(led)
        assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    links = client.get("/api/collections/trees").json()["links"]
    assert not [link for link in links if "/3d/" in link["href"]]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/3d/dragons/tileset.json", 404),
        ("/3d/trees/tileset.json", 404),
        ("/3d/buildings/tileset.json?colour=red", 400),
        ("/3d/buildings/13/a/3.glb", 400),
        ("/3d/buildings/13/9000/3.glb", 400),
        ("/3d/buildings/30/1/1.glb", 400),
        ("/3d/buildings/5/1/1.glb", 404),
        ("/3d/buildings/16/1/1.glb", 404),
        ("/3d/buildings/items/none.glb", 404),
        ("/3d/buildings/items/.glb", 404),
        ("/3d/buildings/items/%00.glb", 400),
        (f"/3d/buildings/items/{'x' * 5000}.glb", 404),
        (f"/3d/buildings/16/1/1.glb?v={'x' * 300}", 400),
        ("/3d/buildings/16/1/1.glb?v=1&v=2", 400),
        ("/3d/buildings/99999999999999999999/1/1.glb", 400),
    ],
)
def test_a_wrong_address_is_refused(client: TestClient, path: str, status: int) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_validator_of_khronos_finds_nothing(client: TestClient, contents: dict[str, Any], tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None or not VALIDATOR.exists():
        pytest.skip("gltf-validator is not installed; run: python -m tests.clients.scene_validate")
    files = [*(f"/3d/buildings/{uri}" for uri in contents), "/3d/buildings/items/school.glb"]
    paths = []
    for number, file in enumerate(files):
        paths.append(tmp_path / f"{number}.glb")
        paths[-1].write_bytes(client.get(file).content)
    script = ROOT / "tests" / "clients" / "scene_validate.cjs"
    done = subprocess.run([node, script, VALIDATOR, *paths], capture_output=True, text=True, check=True, timeout=120)
    report = json.loads(done.stdout)
    assert len(report) == len(files)
    assert {name: found for name, found in report.items() if found["errors"] or found["warnings"]} == {}

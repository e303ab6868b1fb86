"""Baked archives: what the engine makes and no other bytes, whole or not at all, of one moment."""

import asyncio
import gzip
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import psycopg
import pytest
import shapely
from pmtiles.reader import MemorySource, Reader, all_tiles
from pmtiles.tile import TileType, zxy_to_tileid
from sqlalchemy import Engine

from layers.errors import InputError
from layers.registry import VECTOR_LAYERS
from layers.schema import Text
from layers.store.engine import plain_url
from layers.store.features import upsert_features
from layers.store.snapshots import share_snapshot
from layers.store.tiles import TileAddress, make_tile
from twin.baking.archive import list_archives, read_archive, write_archive
from twin.baking.bake import Baked, Order, bake
from twin.baking.files import list_files, open_local
from twin.baking.walk import list_children

X0, Y0 = 580_000.0, 1_108_000.0
LAYERS = ("buildings", "road_links", "trees", "wards")
ZOOMS = range(10, 16)


@pytest.fixture(scope="module")
def city(engine: Engine) -> Engine:
    """Engine on a city of two groups of features 6 km apart, one tree far away, and a ward around the first."""
    rng = np.random.default_rng(3)
    x, y = rng.uniform(0, 600, (2, 300))
    x[150:] += 6000.0
    squares = shapely.box(X0 + x, Y0 + y, X0 + x + 12.0, Y0 + y + 9.0)
    ward = shapely.MultiPolygon([shapely.box(X0 - 50, Y0 - 50, X0 + 900, Y0 + 900)])
    geometries = {
        "buildings": shapely.multipolygons([[square] for square in squares]),
        "road_links": shapely.linestrings(np.stack([[X0 + x, Y0 + y], [X0 + x + 90, Y0 + y + 20]]).transpose(2, 0, 1)),
        "trees": shapely.points([*(X0 + x), X0 + 30_000.0], [*(Y0 + y), Y0 - 20_000.0]),
        "wards": [ward],
    }
    with engine.begin() as connection:
        for layer_id, shapes in geometries.items():
            own = {"road_links": {"road_class": "residential"}, "wards": {"name": "Cái Khế", "ward_code": "31117"}}.get(
                layer_id, {}
            )
            frame = gpd.GeoDataFrame(
                {"id": [f"{layer_id}{k}" for k in range(len(shapes))], **own}, geometry=shapes, crs="EPSG:5897"
            )
            upsert_features(connection, VECTOR_LAYERS[layer_id], frame, source_id="test")
    return engine


def place_order(layers: tuple[str, ...] = LAYERS, zooms: range = ZOOMS, bounds: object = None) -> Order:
    chosen = tuple(VECTOR_LAYERS[layer_id] for layer_id in layers)
    return Order(chosen, zooms, bounds, Text("Thành phố thử", "Test city"), "nobody")  # type: ignore[arg-type]


def bake_now(engine: Engine, order: Order, path: Path) -> Baked:
    return asyncio.run(bake(plain_url(engine), order, path, connections=2, report=lambda share, words: None))


def read_tiles(path: Path) -> dict[tuple[int, int, int], bytes]:
    return {tile: gzip.decompress(body) for tile, body in all_tiles(MemorySource(path.read_bytes()))}


@pytest.fixture(scope="module")
def baked(city: Engine, tmp_path_factory: pytest.TempPathFactory) -> Baked:
    return bake_now(city, place_order(), tmp_path_factory.mktemp("baked") / "city.pmtiles")


def test_an_archive_holds_every_tile_that_is_not_empty_and_the_same_bytes(city: Engine, baked: Baked) -> None:
    """The reference is each tile of the pyramid around the data, made one by one without a walk."""
    layers = [VECTOR_LAYERS[layer_id] for layer_id in LAYERS]
    found = read_tiles(baked.path)
    west, north = min(x for z, x, _ in found if z == 10), min(y for z, _, y in found if z == 10)
    east, south = max(x for z, x, _ in found if z == 10), max(y for z, _, y in found if z == 10)

    async def make_all() -> dict[tuple[int, int, int], bytes]:
        made = {}
        async with share_snapshot(plain_url(city), 1) as (connection,):
            for z in range(10, 14):
                wide = 2 ** (z - 10)
                for x in range((west - 1) * wide, (east + 2) * wide):
                    for y in range((north - 1) * wide, (south + 2) * wide):
                        tile = await make_tile(connection, layers, TileAddress(z, x, y))
                        if tile.data:
                            made[z, x, y] = tile.data
        return made

    expected = asyncio.run(make_all())
    assert {tile: body for tile, body in found.items() if tile[0] < 14} == expected
    assert len(found) == baked.tiles


def test_a_layer_that_begins_deeper_is_found_below_tiles_that_are_empty(city: Engine, tmp_path: Path) -> None:
    trees = VECTOR_LAYERS["trees"]
    assert trees.min_zoom > 10
    made = bake_now(city, place_order(("trees",)), tmp_path / "trees.pmtiles")
    zooms = {z for z, _, _ in read_tiles(made.path)}
    assert zooms == set(range(trees.min_zoom, ZOOMS.stop))


def test_small_areas_are_found_below_the_zoom_that_leaves_them_out(city: Engine, tmp_path: Path) -> None:
    made = bake_now(city, place_order(("buildings",), range(8, 18)), tmp_path / "b.pmtiles")
    deepest = [tile for tile in read_tiles(made.path) if tile[0] == 17]
    assert len(deepest) > 8


def test_what_the_archive_says_of_itself(city: Engine, baked: Baked) -> None:
    reader = Reader(MemorySource(baked.path.read_bytes()))
    header, metadata = reader.header(), reader.metadata()
    assert header["version"] == 3
    assert header["clustered"]
    assert header["tile_type"] == TileType.MVT
    assert (header["min_zoom"], header["max_zoom"]) == (10, 15)
    told = read_archive(open_local(baked.path))
    assert told.bounds[0] < 105.75 < told.bounds[2]
    assert told.tiles == baked.tiles
    assert metadata["name:vi"] == "Thành phố thử"
    assert metadata["name:en"] == "Test city"
    assert metadata["attribution"] == "nobody"
    entries = {entry["id"]: entry for entry in metadata["vector_layers"]}
    assert set(entries) == {*LAYERS, "wards-label"}
    assert entries["buildings"]["fields"]["height"] == "Number"
    assert entries["trees"]["minzoom"] == VECTOR_LAYERS["trees"].min_zoom
    with psycopg.connect(plain_url(city)) as connection:
        rows = connection.execute("select layer, version from meta.layer_version").fetchall()
    versions = {layer: token.split("-")[0] for layer, token in metadata["twin:layer_versions"].items()}
    assert versions == {layer: str(version) for layer, version in rows if layer in LAYERS}


def test_bounds_leave_out_what_lies_elsewhere(city: Engine, baked: Baked, tmp_path: Path) -> None:
    order = place_order(bounds=(105.72, 10.01, 105.745, 10.03))
    made = bake_now(city, order, tmp_path / "part.pmtiles")
    whole, part = read_tiles(baked.path), read_tiles(made.path)
    assert 0 < len(part) < len(whole)
    assert all(whole[tile] == body for tile, body in part.items())


def test_a_bake_sees_one_moment(city: Engine, tmp_path: Path) -> None:
    """A tree that is planted while tiles are made is in none of them, and the versions are those of before."""
    planted = []

    def plant(share: float, words: str) -> None:
        if not planted:
            planted.append(words)
            frame = gpd.GeoDataFrame({"id": ["late"]}, geometry=shapely.points([[X0 + 5, Y0 + 5]]), crs="EPSG:5897")
            with city.begin() as connection:
                upsert_features(connection, VECTOR_LAYERS["trees"], frame, source_id="test")

    path = tmp_path / "moment.pmtiles"
    asyncio.run(bake(plain_url(city), place_order(("trees",)), path, connections=2, report=plant))
    assert planted
    assert not any(b"late" in body for body in read_tiles(path).values())
    again = bake_now(city, place_order(("trees",)), tmp_path / "later.pmtiles")
    assert any(b"late" in body for body in read_tiles(again.path).values())
    before, after = (read_archive(open_local(each)).metadata["twin:layer_versions"] for each in (path, again.path))
    assert before["trees"] != after["trees"]


def test_truncated_tiles_are_counted(city: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layers.store.tiles.FEATURE_BUDGET", 20)
    made = bake_now(city, place_order(("road_links",)), tmp_path / "cut.pmtiles")
    assert made.truncated > 0
    assert len(made.first_truncated) == min(made.truncated, 20)
    assert read_archive(open_local(made.path)).metadata["twin:truncated_tiles"] == made.truncated


def test_an_archive_that_fails_leaves_nothing_and_keeps_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a" / "city.pmtiles"
    path.parent.mkdir()
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError), write_archive(path) as writer:
        writer.write_tile(zxy_to_tileid(0, 0, 0), b"x")
        raise RuntimeError("power cut")
    assert path.read_bytes() == b"old"
    assert [each.name for each in path.parent.iterdir()] == ["city.pmtiles"]


def test_a_place_without_features_is_refused_and_leaves_no_file(city: Engine, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing to bake"):
        bake_now(city, place_order(bounds=(-10.0, 40.0, -9.0, 41.0)), tmp_path / "sea.pmtiles")
    with pytest.raises(InputError, match="hold no features"):
        bake_now(city, place_order(("luminaires",)), tmp_path / "no.pmtiles")
    assert list(tmp_path.iterdir()) == []


def test_children_come_along_the_curve() -> None:
    level = [TileAddress(0, 0, 0)]
    for _ in range(4):
        level = [child for tile in level for child in list_children(tile)]
        ids = [zxy_to_tileid(tile.z, tile.x, tile.y) for tile in level]
        assert ids == list(range(ids[0], ids[0] + len(level)))


def test_files_that_are_no_archive_are_not_listed(baked: Baked, tmp_path: Path) -> None:
    (tmp_path / "broken.pmtiles").write_bytes(b"PMTiles\x03" + bytes(40))
    (tmp_path / "short.pmtiles").write_bytes(baked.path.read_bytes()[:300])
    (tmp_path / "good.pmtiles").write_bytes(baked.path.read_bytes())
    assert [archive.name for archive in list_archives(list_files(tmp_path, None))] == ["good"]


def test_the_command_bakes_and_says_what(
    city: Engine, run: Callable[..., "subprocess.CompletedProcess[str]"], tmp_path: Path
) -> None:
    done = run("bake", "trees", "road_links", "--max-zoom", "14", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    path = tmp_path / "processed" / "archives" / "trees-road_links.pmtiles"
    assert said["path"] == str(path)
    assert said["layers"] == ["trees", "road_links"]
    assert said["size"] == path.stat().st_size
    assert read_archive(open_local(path)).metadata["name:en"].endswith(": Trees, Road links")
    refused = run("bake", "trees", "--out", tmp_path / "x.zip")
    assert refused.returncode == 1
    assert "does not end with .pmtiles" in refused.stderr

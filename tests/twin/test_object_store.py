"""A bucket of a real S3 server: what runs deliver and archives that are baked there, read by a server elsewhere."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from api.app import create_app
from layers.errors import InputError, NotFoundError, ObjectStoreError, SetupError
from layers.ingest.catalog import Source, Words
from layers.ingest.load import load_source
from layers.registry import VECTOR_LAYERS, read_vector_layer
from layers.schema import Text
from layers.store.engine import plain_url
from layers.store.features import upsert_features
from layers.store.objects import (
    ChangedError,
    Reach,
    delete_objects,
    fetch_folder,
    fetch_object,
    list_objects,
    name_for_gdal,
    put_object,
    reach_objects,
    read_range,
    split_url,
    stat_object,
)
from layers.store.rasters import list_rasters, read_grid, read_raster_row, write_cog
from tests.s3_server import Served, serving
from twin.baking.bake import Order, bake
from twin.run_files import remove_run_files
from twin.runs import execute, submit_run
from twin.settings import Settings
from twin.store import RunRow, find_run_folder

LEVEL = {"stage_level": 2.0, "ramp_hours": 1.0, "horizon_hours": 3.0}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A bucket, and a process that reaches it."""
    with serving(tmp_path_factory.mktemp("s3")) as served, pytest.MonkeyPatch.context() as patch:
        for name, value in served.environment.items():
            patch.setenv(name, value)
        reach_objects(Reach(served.endpoint))
        yield served
    reach_objects(Reach())


@pytest.fixture(scope="module")
def settings(store: Served, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a worker or server that keeps what it makes in the bucket."""
    folder = tmp_path_factory.mktemp("data")
    return Settings(
        data_dir=folder,
        web_dir=folder / "web",
        database_url=plain_url(engine),
        run_dir=tmp_path_factory.mktemp("run"),
        object_store=f"{store.bucket}/can-tho",
        s3_endpoint=store.endpoint,
    )


@pytest.fixture(scope="module")
def run(settings: Settings, engine: Engine, request: pytest.FixtureRequest) -> RunRow:
    """A flood computed where nothing but the database and the bucket is shared: its terrain lies in the bucket too."""
    city = request.getfixturevalue("make_tiny_city")()
    array, grid = city.rasters["terrain"]
    write_cog(settings.raw_dir / "dem.tif", array, grid)
    with engine.begin() as connection:
        connection.execute(text('update meta.city set declaration = \'{"main_gauge": "S1"}\''))
        for layer_id, frame in city.layers.items():
            upsert_features(connection, read_vector_layer(layer_id), frame, source_id="tiny")
    source = Source(
        id="dem", kind="raster", layer="terrain", uri="dem.tif", title=Words(vi="Địa hình", en="Terrain"),
        licence="none", attribution="none", crs=grid.crs,
    )  # fmt: skip
    load_source(
        engine, source, settings.raw_dir, processed_dir=settings.processed_dir, object_store=settings.object_store
    )
    elsewhere = settings.model_copy(update={"data_dir": settings.data_dir / "worker"})
    return execute(engine, elsewhere, submit_run(engine, "flood-scenario", LEVEL))


@pytest.fixture(scope="module")
def client(settings: Settings, run: RunRow) -> Iterator[TestClient]:
    """HTTP client of a server with a disk of its own."""
    server = settings.model_copy(update={"data_dir": settings.data_dir / "server"})
    with TestClient(create_app(server), "http://127.0.0.1:8000", client=("127.0.0.1", 50_000)) as opened:
        yield opened


def test_objects_are_written_whole_read_in_ranges_and_listed(store: Served, tmp_path: Path) -> None:
    body = np.random.default_rng(1).bytes(300_000)
    (tmp_path / "a.bin").write_bytes(body)
    put_object(tmp_path / "a.bin", f"{store.bucket}/x/a.bin")
    put_object(tmp_path / "a.bin", f"{store.bucket}/x/b.tif")
    first = stat_object(f"{store.bucket}/x/a.bin")
    assert first.size == len(body)
    assert read_range(f"{store.bucket}/x/a.bin", 1000, 50, etag=first.etag) == body[1000:1050]
    assert read_range(f"{store.bucket}/x/a.bin", 299_990, 50, etag=first.etag) == body[299_990:]
    assert list_objects(f"{store.bucket}/x") == ["a.bin", "b.tif"]
    fetch_folder(f"{store.bucket}/x", tmp_path / "there", but=".tif")
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["a.bin"]
    assert (tmp_path / "there" / "a.bin").read_bytes() == body
    (tmp_path / "a.bin").write_bytes(body[::-1])
    put_object(tmp_path / "a.bin", f"{store.bucket}/x/a.bin")
    with pytest.raises(ChangedError):
        read_range(f"{store.bucket}/x/a.bin", 0, 10, etag=first.etag)
    assert delete_objects(f"{store.bucket}/x") == 2
    with pytest.raises(NotFoundError, match="there is no object"):
        stat_object(f"{store.bucket}/x/a.bin")
    with pytest.raises(NotFoundError):
        fetch_object(f"{store.bucket}/x/a.bin", tmp_path / "none")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("url", ["s3://", "s3://B/x", "http://city/x", "s3://city//x", "s3://city/a/../b"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="no address of an object"):
        split_url(url)


def test_what_the_store_refuses_is_told_without_its_keys(store: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret")
        reach_objects(Reach(store.endpoint))
        with pytest.raises(ObjectStoreError, match=r"cannot be read or written: \w+Error") as told:
            stat_object(f"{store.bucket}/x")
    assert "secret" not in str(told.value)
    reach_objects(Reach(store.endpoint, "no-such-profile"))
    try:
        with pytest.raises(SetupError, match="there is no profile"):
            stat_object(f"{store.bucket}/x")
    finally:
        reach_objects(Reach(store.endpoint))


def test_a_run_without_a_common_disk_leaves_its_rasters_in_the_bucket(
    run: RunRow, settings: Settings, engine: Engine
) -> None:
    assert run.status == "successful"
    with engine.connect() as connection:
        rows = list_rasters(connection, run_id=run.id)
        stored = connection.execute(text("select stored from run.run where id = :id"), {"id": run.id}).scalar_one()
    assert stored == f"{settings.object_store}/runs/{run.id}/1"
    assert {row.path for row in rows} == {name_for_gdal(f"{stored}/{row.layer}.tif") for row in rows}
    assert list((settings.data_dir / "worker" / "processed" / "runs").iterdir()) == []
    deepest = next(row for row in rows if row.layer == "flood_depth_max")
    depth, _ = read_grid(settings.processed_dir / deepest.path)
    assert np.nanmax(depth) == pytest.approx(deepest.maximum)


def test_the_server_draws_and_hands_out_rasters_of_the_bucket(client: TestClient, run: RunRow, engine: Engine) -> None:
    with engine.connect() as connection:
        row = read_raster_row(connection, f"{run.id}.flood_depth_max")
    west, south, east, north = row.bounds
    picture = client.get(
        "/maps/wms",
        params={
            "service": "WMS", "version": "1.3.0", "request": "GetMap", "layers": "flood_depth_max", "styles": "",
            "crs": "CRS:84", "bbox": f"{west},{south},{east},{north}", "width": 64, "height": 64, "format": "image/png",
        },
    )  # fmt: skip
    assert picture.status_code in (200, 404)
    address = f"/tiles/raster/{row.id}.tif"
    whole = client.get(address)
    assert whole.status_code == 200 and whole.content[:2] in (b"II", b"MM")
    part = client.get(address, headers={"range": "bytes=4-19"})
    assert (part.status_code, part.content) == (206, whole.content[4:20])
    assert part.headers["content-range"] == f"bytes 4-19/{len(whole.content)}"
    assert client.get(address, headers={"range": "bytes=-8"}).content == whole.content[-8:]
    assert client.get(address, headers={"range": f"bytes={len(whole.content)}-"}).status_code == 416
    assert client.get(address, headers={"if-none-match": part.headers["etag"]}).status_code == 304
    value = client.get(f"/tiles/raster/{row.id}/value", params={"lon": (west + east) / 2, "lat": (south + north) / 2})
    assert value.status_code in (200, 404)


def test_archives_are_baked_into_the_bucket_and_served_out_of_it(
    client: TestClient, settings: Settings, engine: Engine, tmp_path: Path
) -> None:
    layers = (replace(VECTOR_LAYERS["buildings"]),)
    order = Order(layers, range(14, 16), None, Text("Nhà", "Buildings"), "nobody")
    path = tmp_path / "houses.pmtiles"
    asyncio.run(bake(plain_url(engine), order, path, connections=1, report=lambda share, words: None))
    put_object(path, f"{settings.object_store}/archives/houses.pmtiles")
    (told,) = client.get("/tiles/archives").json()["archives"]
    assert (told["name"], told["bytes"]) == ("houses", path.stat().st_size)
    head = client.get("/tiles/archives/houses.pmtiles", headers={"range": "bytes=0-126"})
    assert (head.status_code, head.content[:7]) == (206, b"PMTiles")
    assert client.get("/tiles/archives/houses.json").json()["minzoom"] == 14
    assert client.get("/tiles/archives/nothing.json").status_code == 404


def test_files_of_a_run_are_brought_where_they_are_needed_and_go_with_it(
    run: RunRow, settings: Settings, engine: Engine, tmp_path: Path
) -> None:
    with engine.connect() as connection:
        folder = find_run_folder(connection, tmp_path, run.id)
    assert "flood_depth_max.tif" in [path.name for path in folder.iterdir()]
    here = settings.model_copy(update={"data_dir": tmp_path})
    remove_run_files(here, [run.id])
    assert list_objects(f"{settings.object_store}/runs") == []

"""Live states on vector tiles: only when asked for, fresh with every reading."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import geopandas as gpd
import pyogrio
import shapely
from sqlalchemy import Engine
from starlette.testclient import TestClient

from layers.registry import read_vector_layer
from layers.store.features import upsert_features
from layers.store.sensing.arrival import store_live
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from tests.api.conftest import TREE_TILE, X0, Y0

TILE = f"/tiles/parking_spaces/{TREE_TILE}.mvt"
NOW = datetime.now(UTC).replace(microsecond=0)


def read_tile(body: bytes, folder: Path) -> gpd.GeoDataFrame:
    z, x, y = TREE_TILE.split("/")
    path = folder / z / x / f"{y}.mvt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    frame: gpd.GeoDataFrame = pyogrio.read_dataframe(path, layer="parking_spaces", X=int(x), Y=int(y), Z=int(z))
    return frame.set_index("id")


def send(writer: Engine, occupied: float, at: datetime) -> None:
    with writer.begin() as connection:
        row = {"datastream_id": "BAY.bay", "phenomenon_time": at, "result": occupied}
        store_live(connection, [row], author="test")


def test_live_tiles_follow_the_readings(client: TestClient, writer: Engine, tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame(
        {"id": ["bay-1", "bay-2"], "status": ["unknown", "unknown"]},
        geometry=[shapely.Point(X0 + 300.0 * k, Y0) for k in (1, 2)],
        crs="EPSG:5897",
    )
    with writer.begin() as connection:
        upsert_features(connection, read_vector_layer("parking_spaces"), frame, source_id="test")
        stream = Datastream("BAY.bay", "BAY", "bay_occupied", "1", "Chỗ", "Bay", "parking_spaces", "bay-1", 600.0)
        upsert_datastreams(connection, [stream], "test")
    send(writer, 1.0, NOW - timedelta(minutes=5))
    plain = client.get(TILE)
    live = client.get(f"{TILE}?live=true")
    assert not {"live_state", "live_value", "live_time"} & set(read_tile(plain.content, tmp_path).columns)
    told = read_tile(live.content, tmp_path)
    assert (told.loc["bay-1", "live_state"], told.loc["bay-1", "live_value"]) == ("occupied", 1.0)
    assert told.loc["bay-1", "live_time"] == (NOW - timedelta(minutes=5)).timestamp()
    assert told["live_state"].isna().to_dict() == {"bay-1": False, "bay-2": True}

    same = client.get(f"{TILE}?live=true", headers={"if-none-match": live.headers["etag"]})
    assert same.status_code == 304
    send(writer, 0.0, NOW)
    fresh = client.get(f"{TILE}?live=true", headers={"if-none-match": live.headers["etag"]})
    assert read_tile(fresh.content, tmp_path).loc["bay-1", "live_state"] == "free"
    assert client.get(TILE, headers={"if-none-match": plain.headers["etag"]}).status_code == 304


def test_live_is_yes_or_no(client: TestClient) -> None:
    assert client.get(f"{TILE}?live=false").headers["etag"]
    refused = client.get(f"{TILE}?live=perhaps")
    assert (refused.status_code, refused.json()["detail"]) == (400, "live 'perhaps' is not true or false")

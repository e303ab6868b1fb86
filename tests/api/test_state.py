"""The state of assets over HTTP."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import geopandas as gpd
import pytest
import shapely
from starlette.testclient import TestClient

from layers.registry import read_vector_layer
from layers.store.engine import open_engine
from layers.store.features import upsert_features
from layers.store.sensing.arrival import store_live
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from tests.api.conftest import X0, Y0

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def bins(client: TestClient, database_url: str) -> Iterator[None]:
    """Two bins, of which one has a sensor that speaks; its id holds a slash."""
    engine = open_engine(database_url)
    frame = gpd.GeoDataFrame(
        {"id": ["bin/1", "bin-2"], "waste_kind": ["mixed", "mixed"], "has_sensor": [True, False]},
        geometry=[shapely.Point(X0 + 40 * k, Y0 + 200) for k in range(2)],
        crs="EPSG:5897",
    )
    with engine.begin() as connection:
        upsert_features(connection, read_vector_layer("waste_bins"), frame, source_id="test")
        stream = Datastream("BIN.level", "BIN", "filling_level", "1", "Mức đầy", "Level", "waste_bins", "bin/1", 600.0)
        upsert_datastreams(connection, [stream], "test")
        for minutes, level in ((90, 0.4), (5, 0.9)):
            row = {"datastream_id": "BIN.level", "phenomenon_time": NOW - timedelta(minutes=minutes), "result": level}
            store_live(connection, [row], author="test")
    engine.dispose()
    yield


def test_one_item_with_what_speaks_of_it(client: TestClient, bins: None) -> None:
    told = client.get("/state/waste_bins/bin/1").json()
    assert (told["state"], told["title"], told["basis"]) == ("full", {"vi": "đầy", "en": "full"}, "reading")
    assert (told["value"], told["unit"], told["quality"], told["stale"]) == (0.9, "1", 1, False)
    assert told["readings"][0]["datastream"] == "BIN.level"
    then = client.get("/state/waste_bins/bin/1", params={"at": (NOW - timedelta(hours=1)).isoformat()}).json()
    assert (then["state"], then["value"]) == ("room", 0.4)
    unknown = client.get("/state/waste_bins/bin/1", params={"known": (NOW - timedelta(days=1)).isoformat()}).json()
    assert unknown["state"] == "unknown"


def test_a_layer_as_geojson(client: TestClient, bins: None) -> None:
    answer = client.get("/state?layer=waste_bins")
    assert answer.headers["content-type"] == "application/geo+json"
    assert answer.headers["cache-control"] == "no-cache"
    told = {feature["id"]: feature["properties"] for feature in answer.json()["features"]}
    assert {name: one["state"] for name, one in told.items()} == {"bin/1": "full", "bin-2": "unknown"}
    assert told["bin-2"]["note"] == {"vi": "không có cảm biến", "en": "no sensor watches it"}
    assert answer.json()["features"][0]["geometry"]["type"] == "Point"
    assert client.get("/state?layer=waste_bins&bbox=0,0,1,1").json()["numberReturned"] == 0


def test_what_cannot_be_asked_is_named(client: TestClient, bins: None) -> None:
    assert client.get("/state/waste_bins/none").status_code == 404
    assert client.get("/state?layer=none").status_code == 404
    assert "known: at, bbox" in client.get("/state?layer=waste_bins&when=1").text
    assert "at 'soon' is not a date-time" in client.get("/state?layer=waste_bins&at=soon").json()["detail"]
    assert client.get("/state?layer=waste_bins&at=0001-01-01T00:00:00Z").status_code == 400

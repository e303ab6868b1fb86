"""OWSLib, a client that knows nothing of us, over real HTTP: features and processes."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from owslib.ogcapi.features import Features
from owslib.ogcapi.processes import Processes
from starlette.testclient import TestClient

from api.app import create_app
from tests.api.conftest import TREES
from twin.registry import PROCESSES
from twin.settings import Settings


@pytest.fixture(scope="module")
def address(settings: Settings) -> Iterator[str]:
    """Address of a server in a thread."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(create_app(settings), port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}/api"
    server.should_exit = True
    thread.join(20)


@pytest.mark.conformance("ogcapi-features-1/1.0/conf/core", "ogcapi-features-1/1.0/conf/geojson")
def test_features_are_found_filtered_and_read(address: str) -> None:
    service = Features(address)
    assert {"trees", "buildings"} <= set(service.feature_collections())
    assert "use" in service.collection_queryables("buildings")["properties"]
    assert len(service.collection_items("trees", limit=1000)["features"]) == TREES
    shops = service.collection_items("buildings", limit=10, filter="use = 'shop'")["features"]
    assert {feature["properties"]["use"] for feature in shops} == {"shop"}
    assert service.collection_item("buildings", shops[0]["id"])["geometry"] == shops[0]["geometry"]


@pytest.mark.conformance("ogcapi-processes-1/1.0/conf/core", "ogcapi-processes-1/1.0/conf/ogc-process-description")
def test_a_process_is_described_and_executed(address: str, client: TestClient) -> None:
    service = Processes(address)
    assert {each["id"] for each in service.processes()} == set(PROCESSES)
    assert service.process("flood-forecast")["inputs"]["cell_size"]["schema"]["x-ogc-unit"] == "m"
    job = service.execute("flood-forecast", {"horizon_hours": 24}, outputs={"summary": {}}, async_=True)
    assert service.response_headers["preference-applied"] == "respond-async"
    assert client.delete(f"/api/jobs/{job['jobID']}").json()["status"] == "dismissed"

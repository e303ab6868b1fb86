"""OWSLib: features with CQL2, processes up to the results of a run, WMS, WMTS."""

import json
import math
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
from owslib.ogcapi.features import Features
from owslib.ogcapi.processes import Processes
from owslib.wms import WebMapService
from owslib.wmts import WebMapTileService

from tests.clients.serving import Wire

RUN_WITHIN_S = 400.0
QUICK = {"cell_size": 60.0, "horizon_hours": 6.0, "output_minutes": 60.0}


def check_features(wire: Wire) -> str:
    """Return what was checked of features; AssertionError says what does not hold."""
    service = Features(f"{wire.base}/api")
    assert "buildings" in service.feature_collections()
    assert any("features-3" in name for name in service.conformance()["conformsTo"])
    assert "use" in service.collection_queryables("buildings")["properties"]
    page = service.collection_items("buildings", limit=10, filter="use = 'shop'")
    assert {feature["properties"]["use"] for feature in page["features"]} == {"shop"}
    one = page["features"][0]["id"]
    assert service.collection_item("buildings", one)["id"] == one
    return "collections, queryables, CQL2, an item"


def check_processes(wire: Wire) -> str:
    """Return what was checked of processes; AssertionError says what does not hold."""
    service = Processes(f"{wire.base}/api")
    assert {"flood-forecast", "flood-scenario"} <= {each["id"] for each in service.processes()}
    described = service.process("flood-forecast")
    assert described["inputs"]["cell_size"]["schema"]["x-ogc-unit"] == "m"
    dismissed = service.execute("flood-forecast", QUICK, async_=True)
    assert service.response_headers["preference-applied"] == "respond-async"
    assert httpx.delete(dismissed["links"][0]["href"]).json()["status"] == "dismissed"
    with Listener() as listener:
        # OWSLib knows no subscriber: that request is sent as its own are.
        payload = {
            "inputs": QUICK,
            "subscriber": {"successUri": listener.base + "/done", "inProgressUri": listener.base + "/on"},
        }
        job = service._request("POST", "processes/flood-forecast/execution", data=payload)
        deadline = time.monotonic() + RUN_WITHIN_S
        while (status := httpx.get(job["links"][0]["href"]).json())["status"] in ("accepted", "running"):
            assert time.monotonic() < deadline, status
            time.sleep(1.0)
        assert status["status"] == "successful", status
        results = httpx.get(next(link["href"] for link in status["links"] if link["rel"].endswith("/results"))).json()
        assert results["flood_depth_max"]["type"].startswith("image/tiff")
        assert httpx.get(results["flood_depth_max"]["href"]).content[:2] in (b"II", b"MM")
        while not any(path == "/done" for path, _ in listener.told) and time.monotonic() < deadline:
            time.sleep(0.5)
        told = dict(listener.told)
        assert told["/done"]["run"]["href"].endswith(job["jobID"])
        assert told["/on"]["status"] == "running"
    return f"described, dismissed, run to {status['finished']} with {len(results)} results, callbacks told"


def check_wms(wire: Wire) -> str:
    """Return what was checked of WMS; AssertionError says what does not hold."""
    service = WebMapService(f"{wire.base}/wms", version="1.3.0")
    names = list(service.contents)
    assert "terrain" in names, names[:10]
    layer = service["terrain"]
    picture = service.getmap(
        layers=["terrain"], srs="CRS:84", bbox=layer.boundingBoxWGS84, size=(300, 200), format="image/png"
    ).read()
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    timed = [name for name in names if service[name].timepositions]
    return f"{len(names)} layers ({len(timed)} with times), a map of terrain of {len(picture)} bytes"


def check_wmts(wire: Wire) -> str:
    """Return what was checked of WMTS; AssertionError says what does not hold."""
    service = WebMapTileService(f"{wire.base}/wmts?SERVICE=WMTS&REQUEST=GetCapabilities")
    layer = service["terrain"]
    matrix = next(iter(layer.tilematrixsetlinks))
    west, south, east, north = layer.boundingBoxWGS84
    column, row = _find_tile((west + east) / 2, (south + north) / 2, 12)
    tile = service.gettile(
        layer="terrain", tilematrixset=matrix, tilematrix="12", row=row, column=column, format=layer.formats[0]
    ).read()
    assert tile[:4] in (b"\x89PNG", b"RIFF")
    return f"{len(service.contents)} layers in {matrix}, a tile of {len(tile)} bytes"


def _find_tile(longitude: float, latitude: float, zoom: int) -> tuple[int, int]:
    angle = math.radians(latitude)
    share = (1 - math.asinh(math.tan(angle)) / math.pi) / 2
    return int((longitude + 180) / 360 * 2**zoom), int(share * 2**zoom)


class Listener:
    """An HTTP server that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []
        kept = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                kept.told.append((self.path, json.loads(self.rfile.read(int(self.headers["content-length"])))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Listener":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

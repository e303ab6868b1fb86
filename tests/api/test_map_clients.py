"""OWSLib, a client others wrote, reads the map services of a server on a port."""

import io
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import requests
import uvicorn
from owslib.util import ServiceException
from owslib.wms import WebMapService
from owslib.wmts import WebMapTileService
from PIL import Image

from api.app import create_app
from tests.api.conftest import BOUNDS
from twin.settings import Settings


@pytest.fixture(scope="module")
def address(settings: Settings) -> Iterator[str]:
    """Address of a server on the small city."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(create_app(settings), port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 60.0
        while not server.started:
            assert thread.is_alive() and time.monotonic() < deadline
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(30.0)


@pytest.mark.parametrize("version", ["1.3.0", "1.1.1"])
def test_owslib_reads_and_draws_the_wms(address: str, version: str) -> None:
    wms = WebMapService(f"{address}/wms", version=version)
    assert wms.identification.version == version
    terrain, depth = wms.contents["terrain"], wms.contents["flood_depth"]
    assert terrain.boundingBoxWGS84 == pytest.approx(BOUNDS)
    assert terrain.queryable
    assert "EPSG:3857" in terrain.crsOptions
    assert depth.timepositions == ["2026-11-01T00:00:00Z/2026-11-01T02:00:00Z/PT1H"]
    assert terrain.styles["default"]["legend"].startswith(f"{address}/wms?")
    assert {operation.name for operation in wms.operations} >= {"GetCapabilities", "GetMap", "GetFeatureInfo"}
    # OWSLib turns the box itself where 1.3.0 wants latitude first.
    asked = {"srs": "EPSG:4326", "bbox": BOUNDS, "size": (200, 200)}
    drawn = wms.getmap(layers=["terrain", "buildings"], format="image/png", transparent=True, **asked)
    picture = Image.open(io.BytesIO(drawn.read()))
    assert picture.size == (200, 200)
    assert picture.convert("RGBA").getpixel((100, 100))[3] == 255
    told = wms.getfeatureinfo(
        layers=["terrain"], query_layers=["terrain"], info_format="text/plain", xy=(100, 100), **asked
    )
    west, south, east, north = BOUNDS
    place = {"lon": west + (east - west) * 100.5 / 200.0, "lat": north - (north - south) * 100.5 / 200.0}
    value = requests.get(f"{address}/tiles/raster/terrain/point", params=place, timeout=20).json()["values"][0]
    assert f"Value: {value:.4g} m" in told.read().decode()
    with pytest.raises(ServiceException, match="not defined"):
        wms.getmap(layers=["none"], format="image/png", **asked)


def test_owslib_reads_and_draws_the_wmts(address: str) -> None:
    wmts = WebMapTileService(f"{address}/wmts")
    layer = wmts["flood_depth"]
    assert layer.dimensions["Time"]["values"][-1] == "2026-11-01T02:00:00Z"
    assert layer.boundingBoxWGS84 == pytest.approx(BOUNDS)
    assert set(layer.tilematrixsetlinks) == {"WebMercatorQuad"}
    matrix = wmts.tilematrixsets["WebMercatorQuad"].tilematrix["15"]
    assert (matrix.matrixwidth, matrix.tilewidth) == (2**15, 256)
    limits = layer.tilematrixsetlinks["WebMercatorQuad"].tilematrixlimits["15"]
    tile = wmts.gettile(
        layer="terrain", tilematrixset="WebMercatorQuad", tilematrix="15", row=limits.mintilerow + 1,
        column=limits.mintilecol + 1, format="image/png",
    )  # fmt: skip
    assert Image.open(io.BytesIO(tile.read())).size == (256, 256)
    url = wmts.buildTileResource(
        layer="terrain", tilematrixset="WebMercatorQuad", tilematrix="15", row=15467, column=26008, style="default"
    )
    assert url.startswith(f"{address}/wmts/terrain/default/default/WebMercatorQuad/15/15467/26008.")

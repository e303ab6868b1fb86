"""MapLibre in Chromium: the style loads, tiles are drawn, a feature has its number and the id of its item."""

import http.server
import json
import shutil
import threading
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from tests.clients.environments import MissingError
from tests.clients.serving import Wire
from tests.conftest import ROOT

try:
    from playwright.sync_api import sync_playwright
except ImportError:  # the page tests bring it
    sync_playwright = None  # type: ignore[assignment]

PACKAGE = ROOT / "web" / "node_modules" / "maplibre-gl" / "dist"
_CHROMIUM = ("--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
_PAGE = """<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="maplibre-gl.css">
<style>html,body,#map{margin:0;height:100%}</style><div id="map"></div><script type="module">
import * as maplibregl from "./maplibre-gl.mjs";
window.faults = [];
const map = new maplibregl.Map({container: "map", style: STYLE, center: CENTER, zoom: 15, fadeDuration: 0,
  canvasContextAttributes: {preserveDrawingBuffer: true}});
map.on("error", (event) => window.faults.push(String(event.error?.message ?? event)));
map.once("idle", () => {
  const found = map.queryRenderedFeatures().filter((each) => each.sourceLayer === "buildings");
  window.seen = {buildings: found.length, fid: found[0]?.id, id: found[0]?.properties.id,
    layers: new Set(map.queryRenderedFeatures().map((each) => each.sourceLayer)).size};
});
</script>"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def check(wire: Wire) -> str:
    """Return what was checked; AssertionError says what does not hold."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        raise MissingError("Chromium is not installed; type: apt-get install chromium")
    if sync_playwright is None or not (PACKAGE / "maplibre-gl.mjs").exists():
        raise MissingError("playwright or web/node_modules is not there; type: make setup-tests")
    # Where buildings are: a box of one of them.
    feature = httpx.get(f"{wire.base}/api/collections/buildings/items?limit=1").json()["features"][0]
    longitude, latitude = feature["geometry"]["coordinates"][0][0][0][:2]
    with TemporaryDirectory() as name:
        folder = Path(name)
        for file in (*PACKAGE.glob("*.mjs"), PACKAGE / "maplibre-gl.css"):
            (folder / file.name).write_bytes(file.read_bytes())
        style = json.dumps(f"{wire.base}/api/styles/light")
        page = _PAGE.replace("STYLE", style).replace("CENTER", json.dumps([longitude, latitude]))
        (folder / "index.html").write_text(page, encoding="utf-8")
        handler = partial(_Quiet, directory=str(folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            return _look(f"http://127.0.0.1:{server.server_port}/", chromium, wire)
        finally:
            server.shutdown()


def _look(address: str, chromium: str, wire: Wire) -> str:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(_CHROMIUM))
        page = browser.new_page(viewport={"width": 700, "height": 500})
        page.goto(address)
        page.wait_for_function("window.seen !== undefined", timeout=90_000)
        seen, faults = page.evaluate("window.seen"), page.evaluate("window.faults")
        browser.close()
    assert faults == [], faults
    assert seen["buildings"] > 0, seen
    assert isinstance(seen["fid"], int) and seen["id"], seen
    assert httpx.get(f"{wire.base}/api/collections/buildings/items/{seen['id']}").status_code == 200
    return (
        f"{seen['buildings']} buildings and {seen['layers']} layers drawn, feature {seen['fid']} is item {seen['id']}"
    )

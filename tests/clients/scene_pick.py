"""Clicks on buildings in CesiumJS and compares what is picked with what the API says stands there.

``python -m tests.clients.scene_pick [ADDRESS] [--picture FILE.png]``; without an address it serves a city of its own.
Exit code 1 when a click names another item.
"""

import argparse
import contextlib
import functools
import http.server
import json
import shutil
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import shapely
from playwright.sync_api import Page, sync_playwright

from tests.clients.scene_tools import install, serve_city

CLICKS = 12
BROWSER = ("--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
PAGE = """<!doctype html><meta charset="utf-8"><title>Cảnh 3D</title>
<link rel="stylesheet" href="/cesium/Build/Cesium/Widgets/widgets.css">
<style>html,body,#c{margin:0;width:100%;height:100%}</style><div id="c"></div>
<script>window.CESIUM_BASE_URL = "/cesium/Build/Cesium/"</script>
<script src="/cesium/Build/Cesium/Cesium.js"></script>
<script>
const plain = { animation: false, timeline: false, baseLayer: false, baseLayerPicker: false, geocoder: false,
  homeButton: false, sceneModePicker: false, navigationHelpButton: false, fullscreenButton: false, infoBox: false,
  selectionIndicator: false, skyBox: false };
const viewer = new Cesium.Viewer("c", plain);
viewer.scene.globe.baseColor = Cesium.Color.fromCssColorString("#d9d6ce");
viewer.clock.currentTime = Cesium.JulianDate.fromIso8601("2026-03-01T04:00:00Z");
window.failed = [];
window.picked = null;
// Frames on end in which nothing was missing: one alone may be older than the camera's move.
window.still = 0;
viewer.scene.postRender.addEventListener(() => { still = window.tileset?.tilesLoaded ? still + 1 : 0; });
window.show = async (url) => {
  window.tileset = await Cesium.Cesium3DTileset.fromUrl(url);
  tileset.tileFailed.addEventListener(({ url, message }) => failed.push(`${url}: ${message}`));
  viewer.scene.primitives.add(tileset);
};
window.look = (lon, lat, height, distance, heading, pitch) => {
  picked = null;
  still = 0;
  const target = Cesium.Cartesian3.fromDegrees(lon, lat, height);
  const offset = new Cesium.HeadingPitchRange(Cesium.Math.toRadians(heading), Cesium.Math.toRadians(pitch), distance);
  viewer.camera.lookAt(target, offset);
  viewer.camera.lookAtTransform(Cesium.Matrix4.IDENTITY);
};
const handler = new Cesium.ScreenSpaceEventHandler(viewer.scene.canvas);
handler.setInputAction(({ position }) => {
  const found = viewer.scene.pick(position);
  picked = found && found.getPropertyIds
    ? Object.fromEntries(found.getPropertyIds().map((name) => [name, found.getProperty(name)])) : "nothing";
}, Cesium.ScreenSpaceEventType.LEFT_CLICK);
</script>
"""


class _Files(http.server.SimpleHTTPRequestHandler):
    """Serves the page and the modules beside it."""

    def do_GET(self) -> None:
        """Answer the page at ``/`` and files elsewhere."""
        if self.path != "/":
            super().do_GET()
            return
        body = PAGE.encode()
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def serve_page(modules: Path) -> Iterator[str]:
    """Serve the page with the library and yield its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Files, directory=str(modules)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()


def read_features(address: str, query: str) -> list[dict[str, Any]]:
    """Return a page of buildings."""
    with urllib.request.urlopen(f"{address}/api/collections/buildings/items?{query}", timeout=60) as answer:
        return list(json.load(answer)["features"])


def choose_clicks(address: str) -> list[tuple[float, float, str]]:
    """Return longitude and latitude [°] of points in some buildings, and the id of the tallest that stands there."""
    clicks = []
    features = read_features(address, "limit=1000")
    for feature in features[:: max(1, len(features) // CLICKS)][:CLICKS]:
        place = shapely.point_on_surface(shapely.geometry.shape(feature["geometry"]))
        box = ",".join(f"{value:.8f}" for value in place.buffer(1e-7).bounds)
        here = read_features(address, f"bbox={box}")
        clicks.append((place.x, place.y, max(here, key=lambda each: each["properties"]["height"] or 0.0)["id"]))
    return clicks


def click(page: Page, lon: float, lat: float) -> Any:
    """Look straight down at a place, click on it and return what was picked."""
    page.evaluate("([lon, lat]) => look(lon, lat, 0, 250, 0, -90)", [lon, lat])
    page.wait_for_function("still > 5", timeout=120_000)
    width, height = page.viewport_size["width"], page.viewport_size["height"]  # type: ignore[index]
    page.mouse.click(width / 2, height / 2)
    page.wait_for_function("picked !== null", timeout=60_000)
    return page.evaluate("picked")


def check(address: str, picture: Path | None) -> int:
    """Return how many clicks did not name the building that was clicked; print each."""
    wrong = 0
    with sync_playwright() as playwright, serve_page(install("cesium")) as url:
        program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=program, args=list(BROWSER))
        page = browser.new_page(viewport={"width": 900, "height": 600})
        page.on("pageerror", lambda error: print(f"page: {error}", file=sys.stderr))
        page.goto(url)
        page.evaluate("(url) => show(url)", f"{address}/3d/buildings/tileset.json")
        for lon, lat, item in choose_clicks(address):
            picked = click(page, lon, lat)
            right = isinstance(picked, dict) and picked.get("id") == item
            wrong += not right
            print(f"{'ok' if right else 'WRONG'}  clicked {item}  picked {picked}")
        failed = page.evaluate("failed")
        print(f"tiles that failed: {failed}")
        if picture is not None:
            page.evaluate("([lon, lat]) => look(lon, lat, 0, 900, 30, -28)", [lon, lat])
            page.wait_for_function("still > 20", timeout=240_000)
            page.screenshot(path=picture)
        browser.close()
    return wrong + len(failed)


def main() -> int:
    """Read the arguments, check, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address", nargs="?", help="a running server, as http://127.0.0.1:8000")
    parser.add_argument("--picture", type=Path, help="write a picture of the last building's surroundings")
    given = parser.parse_args()
    with contextlib.ExitStack() as stack:
        address = given.address or stack.enter_context(serve_city())
        return 1 if check(address, given.picture) else 0


if __name__ == "__main__":
    sys.exit(main())

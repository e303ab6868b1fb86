"""A visit to the viewer in a real browser: what the tests of the page share."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import ConsoleMessage, Page, Request, ViewportSize, expect

ROOT = Path(__file__).resolve().parents[2]
ARTEFACTS = ROOT / "test-artefacts"
AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
# Without a graphics card a browser draws its pages by the processor and only the map by software WebGL. Debian's build
# draws the pages by software WebGL as well, at thrice the cost, unless it is told not to.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu-rasterization",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
TABLET: ViewportSize = {"width": 1024, "height": 768}
PHONE: ViewportSize = {"width": 390, "height": 844}
LOAD_MS = 60_000
JOB_MS = 300_000

SETTLE = """() => new Promise(resolve => {
  const map = window.twin.map;
  if (map.loaded() && !map.isMoving()) resolve(); else map.once('idle', () => resolve());
})"""

# A screen point at which the topmost fill of a building lies, away from the panels.
FIND_BUILDING = """() => {
  const { map } = window.twin;
  const { width, height } = map.getCanvas().getBoundingClientRect();
  for (let y = height * 0.3; y < height * 0.7; y += 6) {
    for (let x = width * 0.2; x < width * 0.6; x += 6) {
      if (map.queryRenderedFeatures([x, y], { layers: ['buildings'] }).length > 0) {
        const box = map.getCanvas().getBoundingClientRect();
        return [box.left + x, box.top + y];
      }
    }
  }
  return null;
}"""


# What a page breaks of WCAG 2.2 AA, as axe finds it: the rule, what it says, where. The map itself is a picture; what
# it tells is in panels and tables beside it.
CHECK_AXE = """async () => {
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
  const found = await axe.run({ exclude: [['.maplibregl-canvas-container']] }, { runOnly: tags });
  return found.violations.flatMap(rule =>
    rule.nodes.map(node => `${rule.id}: ${rule.help}: ${node.target.join(' ')}: ${node.html.slice(0, 160)}`));
}"""


# Where a longitude and latitude lie on the screen.
ON_SCREEN = """place => {
  const { map } = window.twin;
  const box = map.getCanvas().getBoundingClientRect();
  const { x, y } = map.project(place);
  return [box.left + x, box.top + y];
}"""

TABS = "() => [...document.querySelectorAll('.rail-tab')].map(tab => tab.dataset.tab)"
USES = "() => [...document.querySelectorAll('.panel [role=tablist] [data-tool]')].filter(use => use.offsetParent)" + (
    ".map(use => use.dataset.tool)"
)


def run_process(server_url: str, process: str, **inputs: object) -> str:
    """Have a process carried out and return the id of the run."""
    with httpx.Client(base_url=server_url, timeout=60.0) as client:
        address, waiting = f"/api/processes/{process}/execution", {"prefer": "respond-async"}
        run = str(client.post(address, json={"inputs": inputs}, headers=waiting).json()["jobID"])
        deadline = time.monotonic() + JOB_MS / 1000
        while (status := client.get(f"/api/jobs/{run}").json()["status"]) in ("accepted", "running"):
            assert time.monotonic() < deadline, f"{process} takes too long"
            time.sleep(0.3)
    assert status == "successful"
    return run


class Visit:
    """A page that is open, with what it complained about and what it asked for."""

    def __init__(self, page: Page, server_url: str) -> None:
        self.page = page
        self.server_url = server_url.rstrip("/")
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._see)

    def _hear(self, message: ConsoleMessage) -> None:
        # A sensor without a forecast answers 404, which the browser reports and the page expects.
        url = message.location.get("url", "")
        if message.type == "error" and "/forecast" not in url:
            self.complaints.append(f"{message.text} {url}")

    def _see(self, request: Request) -> None:
        self.requests.append(request.url)

    def open(self, fragment: str = "") -> None:
        """Load the viewer and wait until the map is drawn."""
        self.page.goto(f"{self.server_url}/{fragment}")
        self.wait("() => Boolean(window.twin && window.twin.map.loaded())")
        self.settle()

    def wait(self, condition: str, arg: Any = None, *, timeout: int = LOAD_MS) -> None:
        """Wait until a function of the page returns true.

        Playwright's own wait evaluates text inside the page, which the server's content security policy forbids.
        """
        deadline = time.monotonic() + timeout / 1000
        while not self.page.evaluate(condition, arg):
            assert time.monotonic() < deadline, f"still false after {timeout / 1000:.0f} s: {condition}"
            self.page.wait_for_timeout(100)

    def settle(self) -> None:
        """Wait until the map neither loads nor moves."""
        self.page.evaluate(SETTLE)

    def find_flood_times(self) -> set[str]:
        """Return the moments of which flood pictures were asked for."""
        return {found[1] for url in self.requests if (found := re.search(r"/tiles/raster/.*\.png\?time=(.+)$", url))}

    def check_axe(self) -> None:
        """Assert that what is on the screen breaks no rule of WCAG 2.2 AA that a program can check."""
        if not AXE.exists():
            pytest.skip("axe-core is not installed: make setup")
        if not self.page.evaluate("() => Boolean(window.axe)"):
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        assert self.page.evaluate(CHECK_AXE) == []

    def save(self, name: str) -> None:
        """Keep a picture for a person to look at."""
        ARTEFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTEFACTS / f"viewer-{name}.png")

    def zoom_to_buildings(self) -> tuple[float, float]:
        """Move to a building that the server knows and return a screen point on one."""
        feature = self.page.evaluate("fetch('/api/collections/buildings/items?limit=1').then(r => r.json())")[
            "features"
        ]
        if not feature:
            pytest.skip("the demo city has no buildings")
        lon, lat = feature[0]["geometry"]["coordinates"][0][0][0]
        self.page.evaluate("place => window.twin.map.jumpTo({ center: place, zoom: 17 })", [lon, lat])
        self.settle()
        point = self.page.evaluate(FIND_BUILDING)
        assert point is not None, "no building is drawn where the server has one"
        return point[0], point[1]


def visit_uses(page: Page, most: int | None = None) -> Iterator[str]:
    """Open every panel and each (or the first ``most``) of its uses, and yield its name once nothing is loading."""
    for tab in page.evaluate(TABS):
        panel = page.locator(".panel")
        chosen = page.locator(f'.rail [data-tab="{tab}"]')
        # A click on the tab that is open would close it.
        if chosen.get_attribute("aria-selected") != "true":
            chosen.click()
        expect(panel).to_be_visible()
        expect(panel.locator(".message-loading:visible")).to_have_count(0, timeout=LOAD_MS)
        uses = page.evaluate(USES)[:most]
        for use in uses:
            panel.locator(f'[data-tool="{use}"]:visible').click()
            expect(panel.locator(".message-loading:visible")).to_have_count(0, timeout=LOAD_MS)
            yield f"{tab}-{use}"
        if not uses:
            yield tab

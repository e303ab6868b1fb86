"""The viewer in a browser with software rendering: how soon the map is there, how long our code holds the page.

Needs Chromium and a built viewer.

The limits are the product's own: the map 3 s after the address was opened, no 200 ms of our code at a stretch, 700 kB.
"""

import gzip
import shutil
import statistics
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

from tests.web.visits import CHROMIUM_FLAGS, DESKTOP
from tests.whole_twin import run_whole_twin
from twin.settings import Settings

Row = dict[str, Any]

OPENINGS = 5
FIRST_MAP_S, HELD_MS, BUNDLE_KB = 3.0, 200.0, 700.0
PATIENCE_MS = 60_000
WATCHED = """
window.frames_ = [];
new PerformanceObserver(list => {
  for (const frame of list.getEntries()) window.frames_.push({
    duration: frame.duration,
    scripts: frame.scripts.map(one => ({ duration: one.duration, source: one.sourceURL, from: one.invoker })),
  });
}).observe({ type: 'long-animation-frame', buffered: true });
"""
"""Frames that took longer than 50 ms, with the scripts that ran in them."""
DRAWN = "() => Boolean(window.twin && window.twin.map.loaded() && window.twin.map.areTilesLoaded())"
FIRST_MAP = "() => performance.getEntriesByName('first-map')[0].startTime / 1000"
"""When the map with its first layers was on the screen; the water of the forecast comes after it."""
LIBRARY = "maplibre"
CITY = "demo city, 1440 × 900"


def rows() -> list[Row]:
    """Return seconds to the first map, the size of the first view, the longest script of ours by what a person does."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("viewer bench: Chromium is not installed")
    with run_whole_twin() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        try:
            openings = [_open(browser, address) for _ in range(OPENINGS)]
            held = _work(browser, address)
        finally:
            browser.close()
    found = [
        _row(CITY, "first map", "s", statistics.median(one["map"] for one in openings), FIRST_MAP_S),
        _row(CITY, "all drawn, with the water", "s", statistics.median(one["all"] for one in openings), None),
        _row("first view", "scripts and styles, gzip", "kB", _weigh(openings[-1]["files"]), BUNDLE_KB),
    ]
    return found + [_row(what, "longest script of ours", "ms", longest, HELD_MS) for what, longest in held.items()]


def _row(case: str, metric: str, unit: str, ours: float, limit: float | None) -> Row:
    return {"case": case, "metric": metric, "unit": unit, "ours": ours, "peers": {}, "limit": limit}


def _open(browser: Browser, address: str) -> dict[str, Any]:
    """Open the viewer with an empty cache and return when its map was drawn and which files it took."""
    context = browser.new_context(viewport=DESKTOP, locale="vi-VN")
    page = context.new_page()
    files: list[str] = []
    page.on("request", lambda request: files.append(urlsplit(request.url).path))
    page.goto(address)
    drawn = _wait_drawn(page)
    first = float(page.evaluate(FIRST_MAP))
    context.close()
    return {"map": first, "all": drawn, "files": files}


def _wait_drawn(page: Page) -> float:
    """Wait until the map is drawn and return the seconds since the page was asked for."""
    for _ in range(PATIENCE_MS // 20):
        if page.evaluate(DRAWN):
            return float(page.evaluate("() => performance.now() / 1000"))
        page.wait_for_timeout(20)
    raise SystemExit("viewer bench: the map was not drawn within a minute")


def _weigh(files: list[str]) -> float:
    """Return the size of scripts and styles as they travel [kB]."""
    folder = Settings().web_dir
    paths = {folder / path.lstrip("/") for path in files if path.endswith((".js", ".css"))}
    return sum(len(gzip.compress(Path(path).read_bytes())) for path in paths if path.exists()) / 1000


def _work(browser: Browser, address: str) -> dict[str, float]:
    """Do what people do and return the longest script of ours meanwhile [ms]."""
    page = browser.new_page(viewport=DESKTOP, locale="vi-VN")
    page.add_init_script(WATCHED)
    page.goto(address)
    _wait_drawn(page)
    held = {"opening": _longest(page)}
    for tab in page.locator(".rail-tab").evaluate_all("tabs => tabs.map(tab => tab.dataset.tab)"):
        page.click(f'.rail [data-tab="{tab}"]')
        page.wait_for_timeout(1500)
        held[f"tab {tab}"] = _longest(page)
    page.click('.rail [data-tab="layers"]')
    page.wait_for_timeout(500)
    page.locator("#layer-search").press_sequentially("cong", delay=60)
    page.wait_for_timeout(1000)
    held["searching layers"] = _longest(page)
    box = page.locator(".map").bounding_box()
    if box is None:
        raise SystemExit("viewer bench: the page has no map")
    for share in (0.45, 0.5, 0.55):
        page.mouse.click(box["x"] + share * box["width"], box["y"] + 0.5 * box["height"])
        page.wait_for_timeout(1000)
    held["clicking the map"] = _longest(page)
    page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    for step in range(20):
        page.mouse.move(box["x"] + (0.4 + 0.01 * step) * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.up()
    page.wait_for_timeout(1500)
    held["dragging the map"] = _longest(page)
    page.evaluate("() => window.twin.setState({ lang: 'en' })")
    page.wait_for_timeout(1000)
    held["changing the language"] = _longest(page)
    page.close()
    return held


def _longest(page: Page) -> float:
    """Return the longest script of the page since the last look that is not the map library's own [ms]."""
    frames = page.evaluate("() => window.frames_.splice(0)")
    ours = [one["duration"] for frame in frames for one in frame["scripts"] if LIBRARY not in one["source"]]
    return max(ours, default=0.0)

"""Real cities in a real browser: no demo base lies under them, so what is missing must be said and not be broken."""

import os
import shutil
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect, sync_playwright

from layers.ingest.catalog import Source, Words
from layers.ingest.load import load_source
from layers.store.engine import open_engine
from tests.commands import start_twin
from tests.ports import find_port
from tests.web.visits import CHROMIUM_FLAGS, DESKTOP, visit_uses
from twin.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
MAPPINGS = ROOT / "tests" / "mappings"
READY = "() => Boolean(window.twin && window.twin.map.loaded() && !window.twin.map.isMoving())"
NAMES = """layer => [...new Set(
  window.twin.map.queryRenderedFeatures({ layers: [layer] }).map(feature => feature.properties.name)
)]"""


def load_file(url: str, path: Path, mapping: str) -> None:
    engine = open_engine(url)
    name = path.stem.lower()
    load_source(
        engine,
        Source(
            id=name,
            uri=str(path),
            title=Words(vi=name, en=name),
            licence="ODbL-1.0",
            attribution="© OpenStreetMap contributors",
            mapping=mapping,
        ),
        Path(),
    )
    engine.dispose()


@contextmanager
def serve(url: str, folder: Path) -> Iterator[str]:
    """Serve a database as ``twin serve`` does and yield the address."""
    port = find_port()
    address = f"http://127.0.0.1:{port}"
    settings = {"TWIN_DATABASE_URL": url, "TWIN_PORT": str(port), "TWIN_DATA_DIR": str(folder)}
    server = start_twin("serve", settings={**os.environ, **settings}, log=folder / "serve.log")
    try:
        deadline = time.monotonic() + 60.0
        while True:
            try:
                urllib.request.urlopen(f"{address}/readyz", timeout=5).close()
                break
            except OSError:
                said = (folder / "serve.log").read_text()
                assert server.poll() is None and time.monotonic() < deadline, f"the server did not start: {said}"
                time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture
def page() -> Iterator[Page]:
    """A page of headless Chromium with software WebGL; skipped where there is no browser or no built viewer."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        pytest.skip("Chromium is not installed: the viewer cannot be tested in a browser")
    if not (Settings().web_dir / "index.html").exists():
        pytest.skip("the viewer is not built: make setup")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
        yield browser.new_page(viewport=DESKTOP, locale="vi-VN")
        browser.close()


def say(message: ConsoleMessage) -> str:
    return f"{message.text} {message.location.get('url', '')}"


def open_city(page: Page, address: str, fragment: str = "") -> list[str]:
    """Open the viewer, wait until the map is drawn and return the list of what the browser will complain about."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(say(message)) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{address}/{fragment}")
    settle(page)
    return complaints


def settle(page: Page) -> None:
    deadline = time.monotonic() + 60.0
    page.wait_for_timeout(300)
    while not page.evaluate(READY):
        assert time.monotonic() < deadline, "the map is not drawn after 60 s"
        page.wait_for_timeout(100)


def save(page: Page, name: str) -> None:
    folder = ROOT / "test-artefacts"
    folder.mkdir(exist_ok=True)
    page.screenshot(path=folder / f"real-{name}.png")


def test_can_tho_of_openstreetmap(
    page: Page, make_database: Callable[..., str], shared: Callable[[str], Path], tmp_path: Path
) -> None:
    url = make_database("viewer_can_tho")
    load_file(url, shared("cantho-osm/cantho_hungloi_xuankhanh_2026.osm"), "osm")
    load_file(url, shared("vn-admin-2025/can_tho_wards_2025.geojson"), str(MAPPINGS / "vn_wards.yml"))
    with serve(url, tmp_path) as address:
        complaints = open_city(page, address)
        # All houses are in the view that the panel leaves.
        west, south, east, north = page.evaluate(
            "fetch('/api/catalog').then(answer => answer.json()).then(catalog => catalog.city.bounds)"
        )
        seen = page.evaluate("window.twin.map.getBounds().toArray().flat()")
        assert seen[0] < west and seen[1] < south and seen[2] > east and seen[3] > north
        expect(page.locator('[data-layer="buildings"] .layer-count')).to_have_text("2.165")
        for layer in ("flood_depth", "terrain", "sensors"):
            expect(page.locator(f'[data-layer="{layer}"] .layer-count')).to_have_text("Chưa có dữ liệu")
            expect(page.locator(f'[data-layer="{layer}"] input')).to_be_disabled()
        page.evaluate("window.twin.map.jumpTo({ center: [105.7609, 10.0167], zoom: 16 })")
        settle(page)
        assert {"Đường 3 Tháng 2", "Trần Hoàng Na"} <= set(page.evaluate(NAMES, "road_links"))
        assert page.evaluate(NAMES, "wards") == ["Tân An"]
        save(page, "can-tho")
        page.locator('[data-tab="flood"]').click()
        page.locator('[data-tool="water"]').click()
        expect(page.locator(".panel")).to_contain_text("Chưa có lần chạy nào hoàn tất.")
        page.locator('[data-tab="sensors"]').click()
        expect(page.locator(".panel")).to_contain_text("Chưa có trạm đo nào.")
        page.locator('[data-tab="scenario"]').click()
        expect(page.locator(".panel")).to_contain_text("Thành phố chưa khai báo trạm mực nước chính")
        expect(page.locator('[name="stage_level"]')).to_be_visible()
        for use in visit_uses(page):
            expect(page.locator(".panel")).not_to_be_empty()
            assert page.locator(".panel .message-error:visible").all_inner_texts() == [], use
        assert complaints == []


def test_sewers_alone(
    page: Page, make_database: Callable[..., str], shared: Callable[[str], Path], tmp_path: Path
) -> None:
    url = make_database("viewer_montpelier", crs="EPSG:32145")
    load_file(
        url, shared("sewer-vermont/Montpelier/MontpelierLinearFeatures.geojson"), str(MAPPINGS / "vermont_links.yml")
    )
    with serve(url, tmp_path) as address:
        complaints = open_city(page, address)
        # Sewers are off at first and drawn from zoom 14, but nothing else is there.
        expect(page.locator('[data-layer="drainage_links"] input')).to_be_checked()
        page.get_by_role("button", name="Phóng to để thấy dữ liệu").click()
        settle(page)
        assert page.evaluate("window.twin.map.queryRenderedFeatures({ layers: ['drainage_links'] }).length") > 50
        expect(page.get_by_role("button", name="Phóng to để thấy dữ liệu")).to_be_hidden()
        save(page, "montpelier")
        # The networks that the city lacks are not offered, and the one it has is followed.
        page.locator('.rail [data-tab="networks"]').click()
        expect(page.locator("select[name=commodity]")).to_have_value("drainage")
        expect(page.locator("select[name=commodity] option")).to_have_count(2)
        page.locator("select[name=commodity]").select_option("sewer")
        pipe = page.evaluate(
            "fetch('/api/collections/drainage_links/items?limit=1&system=sanitary').then(answer => answer.json())"
        )
        page.locator("[name=network-starts]").fill(f"drainage_links/{pipe['features'][0]['id']}")
        page.locator("[name=network-starts]").press("Enter")
        expect(page.locator(".answer .figure").first).to_contain_text("Đoạn tuyến", timeout=60_000)
        assert complaints == []

"""A browser and a visit to the running twin."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.web.visits import CHROMIUM_FLAGS, DESKTOP, Visit, run_process


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium with software WebGL; the tests are skipped where there is none."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        pytest.skip("Chromium is not installed: the viewer cannot be tested in a browser")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def high_water(server_url: str) -> str:
    """A run whose river is high enough to flood on any day; it is as long as a tide."""
    return run_process(server_url, "flood-scenario", stage_offset=0.5, horizon_hours=13, cell_size=30)


@pytest.fixture
def visit(browser: Browser, server_url: str) -> Iterator[Visit]:
    """A fresh page on a large screen; what moves by itself is drawn without a graphics card, and stays away."""
    context = browser.new_context(viewport=DESKTOP, locale="vi-VN", accept_downloads=True, reduced_motion="reduce")
    yield Visit(context.new_page(), server_url)
    context.close()

"""What everyone has in hand: search, coordinates, measuring, drawing, a link that restores it all, a printed sheet."""

import io
import json
import math
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, ViewportSize, expect
from pyproj import Geod

from layers.datum import make_transformer
from tests.web.pdf import read_pdf
from tests.web.visits import LOAD_MS, PHONE, Visit

# Four places of the demo city, in the order they are drawn.
CORNERS = [(105.780, 10.030), (105.784, 10.031), (105.785, 10.028), (105.781, 10.027)]
DRAWN = (
    """() => (window.twin.map.getStyle().sources.drawing?.data.features ?? []).map(one => one.properties.name).sort()"""
)
STATE = """() => {
  const { lang, scheme, threeD, tab, layers, runId, product, time, selection } = window.twin.getState();
  const { lng, lat } = window.twin.map.getCenter();
  const camera = [lng, lat, window.twin.map.getZoom(), window.twin.map.getBearing()].map(one => one.toFixed(4));
  const shown = [...layers].sort();
  return JSON.stringify({ lang, scheme, threeD, tab, shown, runId, product, time, selection, camera });
}"""
# How many colours the picture on the sheet has.
COLOURS = """async () => {
  const image = document.querySelector('.print-root .sheet-picture');
  await image.decode();
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [200, 140];
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0, 200, 140);
  const { data } = context.getImageData(0, 0, 200, 140);
  const seen = new Set();
  for (let at = 0; at < data.length; at += 4) seen.add((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]);
  return seen.size;
}"""

# Two pictures are compared on it: names of places weigh less the larger it is.
LARGE: ViewportSize = {"width": 1440, "height": 900}


def read_number(text: str) -> float:
    """Return the number of a Vietnamese text: points between thousands, a comma before decimals."""
    found = re.search(r"[\d.]+(?:,\d+)?", text)
    assert found, text
    return float(found[0].replace(".", "").replace(",", "."))


def type_places(visit: Visit, places: list[tuple[float, float]]) -> None:
    """Set the corners of a shape by their coordinates."""
    page = visit.page
    field = page.locator(".typing input")
    if not field.is_visible():
        page.locator(".typing summary").click()
    for lon, lat in places:
        field.fill(f"{lat:.6f} {lon:.6f}".replace(".", ","))
        field.press("Enter")
        expect(field).to_have_value("", timeout=LOAD_MS)


def seek(visit: Visit, words: str) -> Any:
    """Type in the search box and return the options once the server has answered."""
    visit.page.locator("#seek").fill(words)
    expect(visit.page.locator(".seek [role=status]")).to_contain_text("kết quả", timeout=LOAD_MS)
    return visit.page.get_by_role("option")


def test_the_search_box_finds_layers_things_numbers_and_coordinates(visit: Visit) -> None:
    page = visit.page
    visit.open()
    page.keyboard.press("/")
    expect(page.locator("#seek")).to_be_focused()
    places = page.evaluate("fetch('/api/collections/places/items?limit=1').then(r => r.json())")["features"]
    name = places[0]["properties"]["name"]
    options = seek(visit, name)
    expect(options.filter(has_text=name).first).to_be_visible()
    visit.check_axe()
    visit.save("guide-tools-search")

    options = seek(visit, "thua dat")
    layer = options.filter(has_text="Bật lớp Thửa đất")
    expect(layer).to_be_visible()
    layer.click()
    visit.wait("() => window.twin.getState().layers.has('parcels')")
    parcel = page.evaluate("fetch('/api/collections/parcels/items?limit=1').then(r => r.json())")["features"][0]
    sheet, number = parcel["properties"]["map_sheet"], parcel["properties"]["parcel_number"]
    expect(seek(visit, f"thửa {number} tờ {sheet}").first).to_contain_text(f"Thửa đất {number}")
    expect(seek(visit, "S-HAU-01").first).to_contain_text("S-HAU-01")

    north, east = 1_109_275.20, 585_308.93
    expect(seek(visit, f"{north} {east}").first).to_contain_text("VN-2000, kinh tuyến trục 105°00'")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#seek")).to_have_attribute("aria-activedescendant", "seek-option-0")
    page.keyboard.press("Enter")
    visit.wait("() => Math.abs(window.twin.map.getCenter().lng - 105.78) < 1e-5 && !window.twin.map.isMoving()")
    page.keyboard.press("Escape")
    page.locator(".where-button").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator(".where-row")).to_have_count(3, timeout=LOAD_MS)
    expect(dialog).to_contain_text(f"{north:.2f} {east:.2f}")
    expect(dialog).to_contain_text("10°01'48.00\"N 105°46'48.00\"E")
    visit.check_axe()
    visit.save("guide-tools-where")
    page.keyboard.press("Escape")
    page.locator(".map canvas").focus()
    page.keyboard.press("?")
    expect(dialog.get_by_role("heading", name="Phím tắt")).to_be_visible()
    page.keyboard.press("Escape")

    page.set_viewport_size(PHONE)
    page.get_by_role("button", name="Công cụ").click()
    page.get_by_role("menuitem", name="Đo trên bản đồ").click()
    expect(page.locator(".tool-window")).to_be_visible(timeout=LOAD_MS)
    expect(page.get_by_role("button", name="Kết thúc")).to_be_visible(timeout=LOAD_MS)
    visit.check_axe()
    visit.save("guide-tools-phone")
    assert visit.complaints == []


def test_measured_and_drawn_shapes_go_with_the_link_that_restores_all(
    visit: Visit, browser: Browser, tmp_path: Path
) -> None:
    page = visit.page
    page.set_viewport_size(LARGE)
    visit.open("#map=15.4/10.0290/105.7826&layers=-sensors")
    geod = Geod(ellps="WGS84")
    page.get_by_role("button", name="Đo trên bản đồ").click()
    expect(page.get_by_role("button", name="Kết thúc")).to_be_visible(timeout=LOAD_MS)
    type_places(visit, [*CORNERS[:3], CORNERS[3]])
    page.get_by_role("button", name="Bỏ điểm cuối").click()
    page.get_by_role("button", name="Kết thúc").click()
    expect(page.get_by_role("button", name="Giữ trong bản vẽ")).to_be_visible(timeout=LOAD_MS)
    parts = [read_number(text) for text in page.locator(".measured-parts li").all_inner_texts()]
    lengths = [geod.inv(*a, *b)[2] for a, b in pairwise(CORNERS[:3])]
    assert parts == pytest.approx(lengths, abs=0.02)
    page.get_by_role("button", name="Diện tích").click()
    expect(page.get_by_role("button", name="Kết thúc")).to_be_visible(timeout=LOAD_MS)
    type_places(visit, CORNERS)
    page.get_by_role("button", name="Kết thúc").click()
    expect(page.get_by_role("button", name="Giữ trong bản vẽ")).to_be_visible(timeout=LOAD_MS)
    lons, lats = zip(*CORNERS, strict=True)
    area, perimeter = geod.polygon_area_perimeter(lons, lats)
    hectares, around = page.locator(".measured strong").all_inner_texts()
    assert read_number(hectares) == pytest.approx(abs(area) / 1e4, abs=0.001)
    assert read_number(around) == pytest.approx(perimeter / 1000, abs=0.001)
    visit.check_axe()
    visit.save("guide-tools-measure")
    page.get_by_role("button", name="Giữ trong bản vẽ").click()

    page.get_by_role("button", name="Vẽ và ghi chú").click()
    page.get_by_role("button", name="Ghi chú", exact=True).click()
    expect(page.get_by_role("button", name="Bỏ qua")).to_be_visible(timeout=LOAD_MS)
    page.mouse.click(1200, 300)
    page.get_by_label("Nội dung ghi chú").fill("Cống nghẹt ở đây!")
    page.get_by_label("Nội dung ghi chú").press("Enter")
    page.get_by_label("Xanh lá").check(force=True)
    page.get_by_role("button", name="Đóng", exact=True).last.click()
    assert page.evaluate("() => window.twin.getState().selection") is None, "the click that drew also chose a feature"
    visit.wait(f"() => ({DRAWN})().length === 2")
    visit.check_axe()
    visit.save("guide-tools-draw")
    with page.expect_download() as download:
        page.get_by_role("button", name="Xuất GeoJSON").click()
    saved = tmp_path / "drawing.geojson"
    download.value.save_as(saved)
    names = sorted(one["properties"]["name"] for one in json.loads(saved.read_text(encoding="utf-8"))["features"])
    assert names == page.evaluate(DRAWN)
    page.get_by_role("button", name="Xóa hết").click()
    expect(page.locator(".drawn")).to_have_count(0)
    page.locator(".tool-draw input[type=file]").set_input_files(saved)
    expect(page.locator(".drawn")).to_have_count(2)

    page.locator('.rail [data-tab="sensors"]').click()
    page.evaluate("""() => {
      const layers = new Set(window.twin.getState().layers);
      layers.add('parcels'); layers.delete('buildings');
      window.twin.setState({ layers, product: 'flood_depth_max', scheme: 'dark', lang: 'en' });
      window.twin.map.jumpTo({ center: [105.7826, 10.0285], zoom: 15.5, bearing: 20 });
    }""")
    visit.settle()
    page.locator(".tool-window").get_by_role("button", name="Close").click()
    page.get_by_role("button", name="Share", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The drawing: 2 shapes", timeout=LOAD_MS)
    visit.check_axe()
    visit.save("guide-tools-share")
    link = dialog.locator("textarea").input_value()
    page.keyboard.press("Escape")
    visit.settle()
    before, picture = page.evaluate(STATE), page.locator(".map canvas").screenshot()

    context = browser.new_context(viewport=LARGE, locale="vi-VN")
    other = Visit(context.new_page(), visit.server_url)
    other.open(link[link.index("#") :])
    other.wait(f"() => ({DRAWN})().length > 1")
    other.settle()
    assert other.page.evaluate(STATE) == before
    assert other.page.evaluate(DRAWN) == names
    one, two = (np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), dtype=int) for png in
                (picture, other.page.locator(".map canvas").screenshot()))  # fmt: skip
    assert one.shape == two.shape
    assert (abs(one - two).max(axis=2) > 40).mean() < 0.02, "the link shows another picture"
    assert visit.complaints == other.complaints == []
    context.close()


def test_a_sheet_is_printed_with_all_that_a_map_needs(visit: Visit) -> None:
    page = visit.page
    visit.open("#map=14.6/10.0290/105.7826/30/0&draw=p1!Trạm bơm Rạch Ngỗng!g9y4pG0lrkT")
    page.get_by_role("button", name="In hoặc lưu PDF").click()
    printing = page.get_by_role("dialog").get_by_role("button", name="In / lưu PDF")
    page.get_by_label("Hướng giấy").select_option("portrait")
    page.get_by_label("Độ phân giải").select_option("96")
    page.get_by_label("Tỉ lệ").select_option("25000")
    expect(page.locator(".print-frame .sheet-a4-portrait").first).to_be_visible(timeout=LOAD_MS)
    expect(printing).to_be_enabled(timeout=LOAD_MS)
    page.get_by_label("Tiêu đề").fill("Nguy cơ ngập phường Lá Dừa")
    page.get_by_label("Phụ đề").fill("Phục vụ họp giao ban")
    visit.check_axe()
    visit.save("guide-tools-print")
    sheet = page.locator(".print-root .sheet").first
    turned = sheet.locator(".sheet-north g").get_attribute("transform")
    assert turned is not None and turned.startswith("rotate(-30")
    # The bar is as long on paper as its words say.
    bar = sheet.locator(".sheet-bar").evaluate("bar => parseFloat(bar.style.width)")
    metres = read_number(sheet.locator(".sheet-bar-row span").last.inner_text())
    assert bar * 25 == pytest.approx(metres if metres > 10 else metres * 1000)
    printed = read_pdf(page.pdf(prefer_css_page_size=True, print_background=True))
    assert set(printed.sizes) == {(210, 297)}
    assert 1 <= len(printed.sizes) <= 2
    for words in (
        "Nguy cơ ngập phường Lá Dừa",
        "Phục vụ họp giao ban",
        "Chú giải",
        "Tỉ lệ 1:25.000",
        "Nguồn và giấy phép",
        "Trạm bơm Rạch Ngỗng",
        "Dữ liệu mô phỏng",
        "EPSG:5897",
        "Mặt nước",
    ):
        assert re.sub(r"\s", "", words) in printed.text, words
    assert page.evaluate(COLOURS) > 50, "the map on the sheet is blank"
    corner = re.search(r"Góctrêntrái([\d.]+),([\d.]+)/XY([\d.]{10})([\d.]{9})", printed.text)
    assert corner, printed.text[-900:]
    east, north = make_transformer("OGC:CRS84", "EPSG:5897").transform(float(corner[2]), float(corner[1]))
    assert math.hypot(north - float(corner[3]), east - float(corner[4])) < 0.3
    page.keyboard.press("Escape")
    expect(page.locator(".print-root")).to_have_count(0)
    assert visit.complaints == []

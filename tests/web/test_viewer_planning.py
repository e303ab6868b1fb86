"""The planner's tasks in a real browser: a pond drawn, run and compared by swipe; an area measured and exported."""

import re
from typing import Any

from playwright.sync_api import expect

from tests.web.visits import JOB_MS, LOAD_MS, ON_SCREEN, Visit

expect.set_options(timeout=LOAD_MS)

EDITS = "#tab=planning&plan=edits&trial=120,2,0.3,1,30&lang=vi"
BUILT_UP = "fetch('/api/collections/places/items?limit=1').then(answer => answer.json())"

# Where a ward's middle lies, and a parcel with a building on it.
FIRST_PARCEL = """async () => {
  const ask = path => fetch(path).then(answer => answer.json());
  const [building] = (await ask('/api/collections/buildings/items?limit=1')).features;
  const [lon, lat] = building.geometry.coordinates[0][0][0];
  const filter = encodeURIComponent(`S_DWITHIN(geometry, POINT(${lon} ${lat}), 1)`);
  return (await ask(`/api/collections/parcels/items?limit=1&filter=${filter}`)).features[0];
}"""


def click_at(visit: Visit, *places: tuple[float, float]) -> None:
    """Click places of the map one after the other, the last one twice: that ends a drawing."""
    for lon, lat in (*places, places[-1]):
        x, y = visit.page.evaluate(ON_SCREEN, [lon, lat])
        visit.page.mouse.move(x, y)
        visit.page.mouse.click(x, y)


def look_at(visit: Visit, zoom: float) -> tuple[float, float]:
    """Bring a built-up place into the middle of the map and return it."""
    place: Any = visit.page.evaluate(BUILT_UP)
    lon, lat = place["features"][0]["geometry"]["coordinates"]
    visit.page.evaluate("([center, zoom]) => window.twin.map.jumpTo({ center, zoom })", [[lon, lat], zoom])
    visit.settle()
    return lon, lat


def around(place: tuple[float, float], half: float) -> list[tuple[float, float]]:
    """Return four corners around a place."""
    lon, lat = place
    return [(lon - half, lat - half), (lon + half, lat - half), (lon + half, lat + half), (lon - half, lat + half)]


def test_a_pond_is_drawn_run_and_compared(visit: Visit) -> None:
    page = visit.page
    visit.open(EDITS)
    place = look_at(visit, 15.5)
    panel = page.locator(".panel")
    panel.get_by_role("button", name="Hồ điều hòa").click()
    expect(panel.locator(".sketcher-words")).to_be_visible()
    visit.wait("() => window.twin.map.getStyle().layers.some(layer => layer.id.startsWith('td-'))")
    click_at(visit, *around(place, 0.0012))
    work = panel.locator("[data-work=pond]")
    expect(work).to_contain_text("ha")
    expect(work).to_contain_text("m³")
    work.get_by_label("Sâu").fill("2.5")
    work.get_by_label("Sâu").press("Tab")
    visit.wait("() => decodeURIComponent(location.hash).includes('works=pond:2.5:')")
    panel.get_by_role("button", name="Dừng bơm").click()
    panel.get_by_label("Bơm dừng").select_option(index=1)
    expect(panel.locator("[data-work=pump]")).to_have_count(1)
    panel.get_by_role("button", name=re.compile("^Bỏ Bơm dừng")).click()
    page.locator(".notice").get_by_role("button", name="Hoàn tác").click()
    expect(panel.locator("[data-work]")).to_have_count(2)
    visit.check_axe()
    visit.save("guide-planning-edits")

    panel.get_by_role("button", name="Tính và so sánh").click()
    figures = panel.locator(".run-figures")
    expect(figures).to_be_visible(timeout=JOB_MS)
    expect(figures).to_contain_text("Phường")
    expect(figures).to_contain_text("m³")
    handle = page.get_by_role("slider", name="Vạch chia hai bản đồ")
    expect(handle).to_have_attribute("aria-valuenow", "50")
    handle.focus()
    page.keyboard.press("PageUp")
    expect(handle).to_have_attribute("aria-valuenow", "60")
    box = handle.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 22, box["y"] + 300)
    page.mouse.down()
    page.mouse.move(box["x"] - 200, box["y"] + 300)
    page.mouse.up()
    assert int(handle.get_attribute("aria-valuenow") or 0) < 60
    visit.settle()
    visit.check_axe()
    visit.save("guide-planning-compare")
    page.locator("[data-look=beside]").click()
    expect(handle).to_be_hidden()
    first, second = (page.locator(name).bounding_box() for name in ("main.map", ".second-map"))
    assert first is not None and second is not None
    assert abs(first["width"] - second["width"]) < 4 and second["x"] > first["x"] + first["width"] - 4
    page.locator("[data-look=list]").click()
    expect(page.locator(".second-map")).to_be_hidden()
    visit.wait("() => decodeURIComponent(location.hash.replaceAll('+', ' ')).includes('pair=run ')")

    # Two moments: nothing changed since an hour ago but what somebody edited, and the list says so.
    page.locator("[name=compare-left]").select_option("date")
    page.locator("[name=compare-right]").select_option("now")
    expect(panel.get_by_role("heading", name=re.compile("^Thay đổi từ"))).to_be_visible()
    assert any("/changes?" in url for url in visit.requests)
    page.locator("[data-tool=edits]").click()
    expect(page.locator(".second-map")).to_have_count(0)
    assert visit.complaints == []


def test_an_area_is_measured_and_exported(visit: Visit) -> None:
    page = visit.page
    visit.open("#tab=planning&plan=area&lang=vi")
    place = look_at(visit, 15.5)
    panel = page.locator(".panel")
    panel.get_by_role("button", name="Đa giác").click()
    visit.wait("() => window.twin.map.getStyle().layers.some(layer => layer.id.startsWith('td-'))")
    click_at(visit, *around(place, 0.002))
    statistics = panel.locator(".statistics")
    expect(statistics).to_be_visible()
    expect(statistics.get_by_text("Diện tích khu vực")).to_be_visible()
    expect(statistics.locator(".share-bar").first).to_be_visible()
    with page.expect_download() as download:
        panel.get_by_role("button", name="Tải CSV").click()
    text = download.value.path().read_text(encoding="utf-8-sig")
    assert text.startswith("khu vực đã vẽ") and "floor area [m2]" in text and len(text.splitlines()) > 20
    visit.wait("() => location.hash.includes('area=1')")
    visit.check_axe()
    visit.save("guide-planning-area")
    panel.get_by_label("Phường, xã").select_option(index=1)
    expect(
        panel.get_by_role("heading", name="Thống kê: Phường").or_(panel.get_by_role("heading", name="Thống kê: Xã"))
    ).to_be_visible()

    # The parcel by its sheet and number.
    parcel: Any = page.evaluate(FIRST_PARCEL)
    page.locator("[data-tool=parcel]").click()
    page.locator("[name=map_sheet]").fill(parcel["properties"]["map_sheet"])
    page.locator("[name=parcel_number]").fill(parcel["properties"]["parcel_number"])
    page.locator("[name=parcel_number]").press("Enter")
    card = panel.locator(".parcel")
    expect(card).to_be_visible()
    for words in ("Mục đích sử dụng", "Quy hoạch phân khu", "Ngập tại thửa", "Đường tiếp cận"):
        expect(card).to_contain_text(words)
    # Who holds it is shown once the ground is given.
    owners = panel.locator(".owners")
    expect(owners.get_by_role("heading", name="Chủ sử dụng đất")).to_be_visible()
    expect(owners.locator("table")).to_have_count(0)
    owners.locator("[name=purpose]").select_option("compensation")
    owners.locator("[name=ground]").fill("hồ sơ thử 1/2026")
    owners.get_by_role("button", name="Xem chủ sử dụng đất").click()
    expect(owners.locator("table").or_(owners.get_by_text("Chưa có thông tin chủ sử dụng"))).to_be_visible()
    visit.check_axe()
    visit.save("guide-planning-parcel")

    # The projects, those late, and the bar of time.
    page.locator("[data-tool=projects]").click()
    expect(panel.locator("[data-project]").nth(3)).to_be_visible()
    every = panel.locator("[data-project]").count()
    expect(panel.locator(".gantt-chart")).to_be_visible()
    panel.get_by_label("Chỉ dự án quá hạn hoặc chậm").check()
    visit.wait("count => document.querySelectorAll('[data-project]').length < count", every)
    assert panel.locator("[data-project]").count() > 0
    visit.check_axe()
    visit.save("guide-planning-projects")
    assert visit.complaints == []

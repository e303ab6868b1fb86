"""Layers and the card of a feature: order, opacity, filter, hidden classes, record; history, files, what is near."""

import io

from PIL import Image
from playwright.sync_api import Browser, expect

from tests.web.visits import LOAD_MS, PHONE, Visit

# The layers of the style that are drawn, from the ground up.
DRAWN = """() => {
  const { map } = window.twin;
  return map.getLayersOrder().filter(id => map.getLayoutProperty(id, 'visibility') !== 'none');
}"""
PAINT = "([id, name]) => window.twin.map.getPaintProperty(id, name)"
# Where a circle that stands for several trees lies on the screen.
FIND_CLUSTER = """() => {
  const { map } = window.twin;
  const { width, height } = map.getCanvas().getBoundingClientRect();
  const box = [[width * 0.35, height * 0.3], [width * 0.75, height * 0.7]];
  const found = map.queryRenderedFeatures(box, { layers: ['trees'] }).filter(one => one.properties.point_count > 3)[0];
  if (!found) return null;
  const { x, y } = map.project(found.geometry.coordinates);
  const canvas = map.getCanvas().getBoundingClientRect();
  return [canvas.left + x, canvas.top + y];
}"""
PUMP = "/api/collections/drainage_links/items?filter=link_type%3D'pump'&limit=1"


def test_layers_are_filtered_ordered_and_faded_and_the_link_says_so(visit: Visit) -> None:
    page = visit.page
    visit.open()
    row = page.locator("[data-layer=buildings]")
    row.locator(".layer-expand").click()
    row.locator(".legend-choice", has_text="Nhà ở").locator("input").uncheck(timeout=LOAD_MS)
    row.locator(".fold", has_text="Lọc đối tượng").locator("summary").first.click()
    form = row.locator(".filter-form")
    form.locator(".filter-property").select_option("height")
    form.locator(".test-fields select").select_option("ge")
    form.locator(".test-fields input").fill("9")
    form.get_by_role("button", name="Lọc", exact=True).first.click()
    expect(form.locator(".filter-said")).to_contain_text("đối tượng khớp", timeout=LOAD_MS)
    visit.wait("() => window.twin.map.getSource('buildings')?.tiles[0].includes('filter=')")
    visit.settle()
    uses = "() => window.twin.map.querySourceFeatures('buildings', { sourceLayer: 'buildings' })"
    assert page.evaluate(f"() => ({uses})().filter(one => one.properties.use === 'house').length") == 0
    visit.check_axe()
    visit.save("guide-layers-filter")

    form.locator("summary", has_text="CQL2").click()
    form.locator("textarea").fill("height >")
    form.locator("details .button").click()
    expect(form.get_by_role("alert")).to_contain_text("Yêu cầu chưa đúng")
    # The browser reports the refusal, which the page expects.
    visit.complaints.clear()
    row.locator(".fold", has_text="Thông tin về lớp").locator("summary").click()
    expect(row.locator(".metadata")).to_contain_text("EPSG:")
    expect(row.locator(".metadata")).to_contain_text("Giấy phép")
    row.get_by_role("button", name="Kiểm tra theo quy tắc").click()
    expect(row.locator(".metadata")).to_contain_text("quy tắc:", timeout=LOAD_MS)

    page.get_by_role("tab", name="Đang bật").click()
    ports = page.locator("[data-shown=ports]")
    up = ports.locator("[data-control=up]")
    up.click()
    up.press("Alt+ArrowUp")
    expect(up).to_be_disabled()
    assert page.evaluate("() => document.activeElement.closest('[data-shown]').dataset.shown") == "ports"
    drawn = page.evaluate(DRAWN)
    assert drawn.index("live-sensors") < drawn.index("ports") < drawn.index("ports-label")
    slider = ports.locator("[data-control=opacity]")
    slider.focus()
    slider.press("PageDown")
    slider.press("ArrowLeft")
    share = page.evaluate(PAINT, ["ports", "circle-opacity"])[1]
    assert share < 1
    visit.check_axe()
    visit.save("guide-layers-order")

    visit.wait("() => location.hash.includes('opacity=ports:') && location.hash.includes('hide=buildings:house')")
    fragment = page.evaluate("() => location.hash")
    page.goto("about:blank")
    visit.open(fragment.replace("lang=vi", "lang=vi&scheme=dark"))
    drawn = page.evaluate(DRAWN)
    assert drawn.index("live-sensors") < drawn.index("ports")
    assert page.evaluate(PAINT, ["ports", "circle-opacity"])[1] == share
    visit.wait("() => window.twin.map.getSource('buildings').tiles[0].includes('height')")
    page.locator("[data-layer=buildings] .layer-filtered").click()
    visit.wait("() => !window.twin.map.getSource('buildings').tiles[0].includes('filter=')")
    page.get_by_role("tab", name="Đang bật").click()
    page.get_by_role("button", name="Về thứ tự thường dùng").click()
    drawn = page.evaluate(DRAWN)
    assert drawn.index("ports") < drawn.index("live-sensors")
    page.get_by_role("button", name="Tắt hết").click()
    expect(page.locator(".shown")).to_contain_text("Chưa bật lớp nào")
    page.locator(".notice").get_by_role("button", name="Hoàn tác").click()
    expect(page.locator("[data-shown=ports]")).to_be_visible()
    assert visit.complaints == []


def test_the_card_of_a_pump_tells_state_history_files_and_what_is_near(visit: Visit) -> None:
    page = visit.page
    ask = page.request
    pump = ask.get(f"{visit.server_url}{PUMP}").json()["features"][0]
    item = f"{visit.server_url}/api/collections/drainage_links/items/{pump['id']}"
    kind = {"content-type": "application/merge-patch+json", "twin-author": "Doi 1", "twin-reason": "khao sat"}
    assert ask.patch(item, headers=kind, data={"properties": {"note": "Moi sua"}}).ok
    seen = {"inspected": "2026-01-05", "inspector": "Doi 2", "grade": 4, "remarks": "Ro dau"}
    assert ask.post(f"{item}/inspections", data=seen).ok
    lon, lat = pump["geometry"]["coordinates"][0]
    visit.open(f"#item=drainage_links/{pump['id']}&map=17/{lat}/{lon}&layers=~drainage_links")
    card = page.locator(".card")
    expect(card.locator(".card-layer")).to_contain_text("Cống, kênh, bơm", timeout=LOAD_MS)
    expect(card.locator(".state-word")).to_be_visible(timeout=LOAD_MS)
    expect(card.locator("[data-chart=item] canvas")).to_be_visible(timeout=LOAD_MS)
    history = card.locator("[data-part=history]")
    history.locator("summary").click()
    expect(history).to_contain_text("Doi 1", timeout=LOAD_MS)
    expect(history).to_contain_text("Moi sua")
    card.locator("[data-part=inspections] > summary").click()
    expect(card.locator("[data-part=inspections]")).to_contain_text("Ro dau", timeout=LOAD_MS)
    card.locator("[data-part=related] > summary").click()
    expect(card.locator("[data-part=related]")).to_contain_text("Phường", timeout=LOAD_MS)
    card.locator("[data-part=runs] > summary").click()
    card.locator("[data-part=orders] > summary").click()

    files = card.locator("[data-part=files]")
    files.locator("summary").click()
    picture = io.BytesIO()
    Image.new("RGB", (320, 240), (40, 120, 160)).save(picture, "JPEG")
    adder = files.locator(".file-adder")
    adder.locator("[type=text]").fill("Trạm bơm")
    photo = {"name": "bom.jpg", "mimeType": "image/jpeg", "buffer": picture.getvalue()}
    adder.locator("[type=file]").set_input_files(photo)  # type: ignore[arg-type]
    dialog = page.locator("dialog")
    dialog.locator("[name=author]").fill("Đội 1")
    dialog.locator("[type=submit]").click()
    expect(files.locator("img[alt='Trạm bơm']").first).to_be_visible(timeout=LOAD_MS)
    visit.check_axe()
    visit.save("guide-layers-card")
    card.get_by_role("button", name="Đi từ đây").click()
    assert page.evaluate("() => window.twin.getState().journey.points.length") == 1
    assert visit.complaints == []


def test_on_a_phone_a_circle_opens_and_the_card_is_half_or_all_of_the_screen(browser: Browser, server_url: str) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    visit = Visit(context.new_page(), server_url)
    try:
        visit.open("#layers=~trees,-sensors&map=12.5/10.032/105.782")
        place = visit.page.evaluate(FIND_CLUSTER)
        assert place is not None, "no circle of several trees is drawn"
        visit.page.touchscreen.tap(*place)
        visit.wait("() => window.twin.map.getZoom() >= 13.9")
        expect(visit.page.locator(".card")).to_be_hidden()
        visit.page.evaluate("() => window.twin.setState({ selection: { layer: 'wards', id: 'W-99006' } })")
        card = visit.page.locator(".card")
        expect(card.locator(".property").first).to_be_visible(timeout=LOAD_MS)
        half = card.bounding_box()
        card.get_by_role("button", name="Mở rộng thẻ").click()
        full = card.bounding_box()
        assert half is not None and full is not None
        assert full["height"] > half["height"]
        assert full["y"] < PHONE["height"] * 0.1
        visit.check_axe()
        card.get_by_role("button", name="Thu nhỏ thẻ").click()
        visit.save("guide-layers-phone")
        assert visit.complaints == []
    finally:
        context.close()

"""The viewer in a real browser against a real server: what a person does, and what must then be seen."""

import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.web.visits import JOB_MS, LOAD_MS, ON_SCREEN, PHONE, Visit


def test_page_opens_without_complaints_and_without_foreign_hosts(visit: Visit) -> None:
    visit.open()
    title = visit.page.evaluate("fetch('/api/catalog').then(r => r.json()).then(c => c.city.title.vi)")
    expect(visit.page.locator(".brand h1")).to_contain_text(title)
    expect(visit.page.locator(".theme").first).to_be_visible()
    visit.page.wait_for_timeout(1500)
    visit.save("start")
    assert visit.complaints == []
    foreign = [url for url in visit.requests if not url.startswith((visit.server_url, "blob:", "data:"))]
    assert foreign == []


def test_layer_tree_lists_every_layer_and_finds_without_diacritics(visit: Visit) -> None:
    visit.open()
    catalog = visit.page.evaluate("fetch('/api/catalog').then(r => r.json())")
    count = sum(len(theme["layers"]) for theme in catalog["themes"])
    expect(visit.page.locator("[data-layer]")).to_have_count(count)
    visit.page.fill("#layer-search", "cay xanh")
    expect(visit.page.locator("[data-layer=trees]")).to_be_visible()
    expect(visit.page.locator("[data-layer=buildings]")).to_be_hidden()


def test_a_folded_theme_opens_and_its_layer_comes_on_the_map(visit: Visit) -> None:
    visit.open()
    pipes = visit.page.locator("[data-layer=water_pipes]")
    expect(pipes).to_be_hidden()
    visit.page.click("[data-theme=water_supply] .theme-header")
    expect(pipes).to_be_visible()
    visible = "() => window.twin.map.getLayoutProperty('water_pipes', 'visibility')"
    assert visit.page.evaluate(visible) == "none"
    pipes.locator("input[type=checkbox]").check()
    assert visit.page.evaluate(visible) == "visible"
    themes = visit.page.evaluate("fetch('/api/catalog').then(r => r.json())")["themes"]
    count = next(len(theme["layers"]) for theme in themes if theme["id"] == "water_supply")
    expect(visit.page.locator("[data-theme=water_supply] .theme-count")).to_contain_text(f"1/{count}")


def test_layer_can_be_hidden_and_shown_and_the_link_says_so(visit: Visit) -> None:
    visit.open()
    visible = "() => window.twin.map.getLayoutProperty('buildings', 'visibility')"
    assert visit.page.evaluate(visible) == "visible"
    box = visit.page.locator("[data-layer=buildings] input[type=checkbox]")
    box.uncheck()
    assert visit.page.evaluate(visible) == "none"
    visit.wait("() => location.hash.includes('-buildings')")
    fragment = visit.page.evaluate("() => location.hash")
    visit.page.goto("about:blank")
    visit.open(fragment)
    assert visit.page.evaluate(visible) == "none"
    visit.page.locator("[data-layer=buildings] input[type=checkbox]").check()
    assert visit.page.evaluate(visible) == "visible"


def test_click_on_a_building_opens_its_card_and_escape_closes_it(visit: Visit) -> None:
    visit.open()
    x, y = visit.zoom_to_buildings()
    visit.page.mouse.click(x, y)
    card = visit.page.locator(".card")
    expect(card).to_be_visible()
    candidate = card.locator(".candidate", has_text="Nhà và công trình")
    if candidate.count():
        candidate.first.click()
    expect(card.locator(".card-layer")).to_contain_text("Nhà và công trình")
    expect(card.locator(".property").first).to_be_visible()
    visit.save("card")
    assert visit.page.evaluate("() => window.twin.getState().selection.layer") == "buildings"
    visit.page.keyboard.press("Escape")
    expect(card).to_be_hidden()


def test_flood_plays_through_time(visit: Visit) -> None:
    visit.open("#tab=flood&desk=water")
    player = visit.page.locator(".player")
    expect(player).to_be_visible(timeout=LOAD_MS)
    expect(visit.page.locator(".figure").first).to_be_visible()
    before = visit.page.evaluate("() => window.twin.getState().time")
    visit.requests.clear()
    player.get_by_role("button", name="Chạy").click()
    visit.wait("time => window.twin.getState().time !== time", before)
    deadline = time.monotonic() + LOAD_MS / 1000
    while len(visit.find_flood_times()) < 3:
        assert time.monotonic() < deadline, f"pictures of three moments were expected, seen {visit.find_flood_times()}"
        visit.page.wait_for_timeout(200)
    player.get_by_role("button", name="Dừng").click()
    slider = player.locator("input[type=range]")
    slider.focus()
    slider.press("End")
    last = visit.page.evaluate("() => window.twin.getState().time")
    assert last > before
    visit.settle()
    visit.save("flood")
    assert visit.complaints == []


def test_flood_tables_list_assets_and_zoom_to_one(visit: Visit) -> None:
    visit.open("#tab=flood&desk=water")
    visit.page.get_by_role("tab", name="Theo mức").click(timeout=LOAD_MS)
    rows = visit.page.locator("#impact-view tbody tr")
    if rows.count() == 0:
        pytest.skip("the demo run floods no assets")
    visit.page.get_by_role("tab", name="Danh sách").click()
    first = visit.page.locator("#impact-view .link-button").first
    expect(first).to_be_visible(timeout=LOAD_MS)
    with visit.page.expect_download() as download:
        visit.page.locator("#impact-view").get_by_role("link", name="Tải về dạng CSV").click()
    text = Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert text.splitlines()[0].startswith("id,")
    assert len(text.splitlines()) > 1
    zoom = visit.page.evaluate("() => window.twin.map.getZoom()")
    first.click()
    expect(visit.page.locator(".card")).to_be_visible()
    visit.wait("zoom => window.twin.map.getZoom() > zoom", zoom)


def test_a_layer_of_the_run_is_chosen_with_its_legend(visit: Visit) -> None:
    visit.open("#tab=flood&desk=water")
    chooser = visit.page.locator("[name=flood-product]")
    expect(chooser).to_have_value("flood_depth", timeout=LOAD_MS)
    chooser.select_option("flood_hazard_class")
    expect(visit.page.locator(".product-words .legend")).to_contain_text("H3: nguy hiểm cho mọi xe")
    expect(visit.page.locator(".player")).to_be_hidden()
    chooser.select_option("flood_duration_03")
    expect(visit.page.locator(".product-words .legend li").first).to_contain_text("10 phút")
    visit.wait("() => location.hash.includes('product=flood_duration_03')")


STUDIED: dict[str, Any] = {
    "sewer": {
        "surface_to_sewer": 1234.0, "sewer_to_surface": 56.0, "outfalls_out": 900.0, "outfalls_back": 0.0,
        "stored": 278.0, "flooded_manholes": 1, "unheard_of": 1,
        "manholes": [{"node": "DN-9", "volume_out": 56.0, "volume_in": 0.0, "head_above_ground": 0.21,
                      "first_hours": 1.5}],
    },
    "ensemble": {
        "expected": {"people": 40.0}, "exceeded": [{"probability": 0.5, "people": 30}],
        "members": [{"member": 1, "peak_stage": 1.9, "rain_factor": None, "stopped_pumps": ["PUMP-7"], "people": 40}],
    },
    "comparison": {
        "damage_in": "m2", "annual_damage": [],
        "cases": [
            {"event": "E", "climate": "today", "measure": name, "return_period": 20.0, "people": people,
             "damage": None, "damaged_area": 5.0, "saved_share": {"people": share, "buildings": None}}
            for name, people, share in (("none", 100, 0.0), ("Pump house", 60, 0.4))
        ],
        "map": {"before": {"event": "E", "climate": "today", "measure": "none"}, "wetted_area": 0.0,
                "after": {"event": "E", "climate": "today", "measure": "Pump house"}, "dried_area": 900.0},
    },
}  # fmt: skip
"""What runs with sewers, ensembles and comparisons tell beyond a forecast, with gaps and a word from the future."""


def test_sewers_members_and_measures_of_a_run_are_shown(visit: Visit) -> None:
    def add(route: Route) -> None:
        answer = route.fetch()
        run = answer.json()
        structures = {"PUMP-7": {"forward": 4321.0, "backward": 0.0}, "GATE-IDLE": {"forward": 0.0, "backward": 0.0}}
        provenance = {"parameters": {"structures": structures}}
        route.fulfill(response=answer, json={**run, "summary": {**run["summary"], **STUDIED}, "provenance": provenance})

    visit.page.route(re.compile(r"/api/runs/[^?]+$"), add)
    visit.open("#tab=flood&desk=water")
    panel = visit.page.locator(".panel")
    for section, words in (
        ("So sánh giải pháp", ["E (20 năm một lần) · hiện nay", "Pump house", "40 %"]),
        ("Tổ hợp", ["50 % vượt", "PUMP-7"]),
        ("Cống ngầm", ["1.234 m³", "DN-9", "0,21 m"]),
        ("Nước qua bơm, cống", ["PUMP-7", "4.321 m³"]),
    ):
        found = panel.locator(".section").filter(has=visit.page.get_by_role("heading", name=section, exact=True))
        for word in words:
            expect(found).to_contain_text(word, timeout=LOAD_MS)
    expect(panel).not_to_contain_text("GATE-IDLE")
    assert visit.complaints == []


def test_depth_at_a_point_is_charted(visit: Visit) -> None:
    visit.open("#tab=flood&desk=water")
    expect(visit.page.locator(".player")).to_be_visible(timeout=LOAD_MS)
    run = visit.page.evaluate("() => window.twin.getState().runId")
    rasters = visit.page.evaluate("id => fetch('/api/runs/' + id).then(r => r.json()).then(r => r.rasters)", run)
    bounds, depths = rasters[0]["bounds"], next(one["id"] for one in rasters if one["layer"] == "flood_depth")
    centre = [(bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2]
    visit.page.evaluate("place => window.twin.map.jumpTo({ center: place, zoom: 15 })", centre)
    visit.settle()
    box = visit.page.locator(".map canvas").bounding_box()
    assert box is not None
    # The ground under the pointer is asked for too; it has one value.
    with visit.page.expect_response(re.compile(rf"/tiles/raster/{re.escape(depths)}/point\?")) as answer:
        visit.page.mouse.click(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.4)
    assert len(answer.value.json()["values"]) > 1
    expect(visit.page.locator(".card")).to_contain_text("Ngập tại điểm này")
    visit.save("point")


def test_a_trace_and_an_isolation_are_asked_on_the_map(visit: Visit) -> None:
    page = visit.page
    visit.open("#tab=networks")
    pipes = page.evaluate("fetch('/api/collections/water_pipes/items?limit=20').then(r => r.json())")["features"]
    line = max((pipe["geometry"]["coordinates"] for pipe in pipes), key=len)
    middle = line[len(line) // 2]
    page.evaluate("place => window.twin.map.jumpTo({ center: place, zoom: 17 })", middle)
    visit.settle()
    expect(page.locator(".aim-button").first).to_have_attribute("aria-pressed", "true")
    page.mouse.click(*page.evaluate(ON_SCREEN, middle))
    answer = page.locator(".answer")
    expect(answer.locator(".figure", has_text="Chiều dài").first).to_contain_text("m", timeout=LOAD_MS)
    visit.settle()
    drawn = "() => window.twin.map.queryRenderedFeatures({ layers: ['network-line'] }).length"
    visit.wait(f"() => ({drawn})() > 0")
    visit.wait("() => location.hash.includes('net=water.upstream') && location.hash.includes('from=')")
    with page.expect_download() as download:
        answer.get_by_role("link", name="CSV").click()
    assert len(Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()) > 1
    visit.save("trace")

    answer.locator(".section").last.locator("tbody .link-button").first.click()
    page.locator(".card").get_by_role("button", name="Cô lập sự cố").click()
    expect(page.locator("select[name=kind]")).to_have_value("isolation")
    valve = answer.locator("[data-role=close] .valve").first
    expect(valve).to_contain_text("vòng", timeout=LOAD_MS)
    item = valve.get_attribute("data-item")
    assert item is not None
    valve.get_by_role("button", name="Kẹt").click()
    stuck = answer.locator(f'[data-role=stuck] [data-item="{item}"]')
    expect(stuck.get_by_role("button", name="Kẹt")).to_have_attribute("aria-pressed", "true", timeout=LOAD_MS)
    expect(answer.locator(f'[data-role=close] [data-item="{item}"]')).to_have_count(0)
    visit.settle()
    visit.save("isolation")
    page.emulate_media(media="print")
    expect(page.locator(".network-form")).to_be_hidden()
    expect(answer.locator("h1")).to_contain_text("Phiếu cô lập")
    page.emulate_media(media="screen")

    visit.wait("item => location.hash.includes('stuck=' + item)", item)
    fragment = page.evaluate("() => location.hash")
    page.goto("about:blank")
    visit.open(fragment)
    expect(stuck).to_be_visible(timeout=LOAD_MS)
    page.get_by_role("button", name="Xóa").click()
    expect(answer).to_have_count(0)
    assert visit.complaints == []


def test_gauge_card_charts_readings_and_forecast(visit: Visit) -> None:
    visit.open("#tab=sensors")
    gauge = visit.page.evaluate("fetch('/api/catalog').then(r => r.json()).then(c => c.city.main_gauge)")
    visit.page.locator(f'[data-sensor="{gauge}"] button').click()
    chart = visit.page.locator(".card [data-chart=sensor]")
    expect(chart.locator("canvas")).to_be_visible(timeout=LOAD_MS)
    expect(chart).to_contain_text("Thực đo")
    expect(visit.page.locator(".card")).to_contain_text("Báo động")
    visit.save("gauge")
    assert visit.complaints == []


def test_a_reading_that_arrives_is_shown_at_once(visit: Visit) -> None:
    visit.open("#tab=sensors")
    row = visit.page.locator('[data-sensor="S-KK-01"]')
    expect(row).to_be_visible(timeout=LOAD_MS)
    row.locator("button").focus()
    said = visit.page.request.post(
        f"{visit.server_url}/sta/v1.1/Datastreams('S-KK-01-pm2p5')/Observations",
        data={"phenomenonTime": datetime.now(UTC).isoformat(), "result": 123.4},
    )
    assert said.status == 201, said.text()
    expect(row).to_contain_text("123,4", timeout=LOAD_MS)
    # Rows are changed in their place: who walks the list by keyboard is not thrown out of it.
    assert visit.page.evaluate("document.activeElement.closest('[data-sensor]').dataset.sensor") == "S-KK-01"
    assert visit.complaints == []


def test_language_changes_and_is_remembered(visit: Visit) -> None:
    visit.open()
    visit.page.get_by_role("button", name="Switch to English").click()
    expect(visit.page.locator("[data-tab=flood]")).to_contain_text("Flood")
    expect(visit.page.locator("html")).to_have_attribute("lang", "en")
    visit.page.goto("about:blank")
    visit.open()
    expect(visit.page.locator("[data-tab=layers]")).to_contain_text("Layers")
    visit.save("english")


def test_dark_colours_keep_the_overlays(visit: Visit) -> None:
    visit.open()
    visit.page.get_by_role("button", name="Chuyển sang nền tối").click()
    expect(visit.page.locator("html")).to_have_attribute("data-scheme", "dark")
    visit.wait("() => window.twin.map.isStyleLoaded() && Boolean(window.twin.map.getLayer('live-sensors'))")
    visit.settle()
    visit.save("dark")
    assert visit.complaints == []


def test_scenario_runs_to_the_end_and_is_shown(visit: Visit) -> None:
    visit.open("#tab=scenario")
    run_button = visit.page.get_by_role("button", name="Chạy", exact=True).and_(visit.page.locator("[type=submit]"))
    expect(run_button).to_be_visible(timeout=LOAD_MS)
    # A coarse and short run says as much about the form as a fine and long one.
    for name, value in (("horizon_hours", "3"), ("cell_size", "60")):
        field = visit.page.locator(f"[name={name}]")
        if field.count():
            field.fill(value)
    run_button.click()
    job = visit.page.locator("[data-job]").first
    expect(job).to_be_visible(timeout=LOAD_MS)
    visit.save("scenario")
    job_id = job.get_attribute("data-job")
    visit.wait("id => window.twin.getState().runId === id", job_id, timeout=JOB_MS)
    expect(visit.page.locator(".player")).to_be_visible(timeout=LOAD_MS)
    expect(visit.page.locator("[data-tab=flood]")).to_have_attribute("aria-selected", "true")


def test_wrong_input_is_refused_in_words_before_it_is_sent(visit: Visit) -> None:
    visit.open("#tab=scenario")
    number = visit.page.locator("form input[type=number][max]").first
    expect(number).to_be_visible(timeout=LOAD_MS)
    number.fill("99999999")
    visit.requests.clear()
    visit.page.locator("form [type=submit]").click()
    expect(visit.page.locator(".field-error", has_text="Giá trị")).to_be_visible()
    expect(number).to_have_attribute("aria-invalid", "true")
    assert [url for url in visit.requests if "execution" in url] == []


def test_the_parts_of_a_comparison_are_rows_of_a_name_and_words(visit: Visit) -> None:
    visit.open("#tab=scenario")
    form = visit.page.locator("form")
    expect(form).to_be_visible(timeout=LOAD_MS)
    visit.page.locator(".panel .select").first.select_option("flood-compare")
    events = form.locator("fieldset", has_text="Trận ngập").first
    events.get_by_role("button", name="Thêm").click()
    events.locator("[name=name]").fill("Triều cường")
    changes = events.locator("textarea[name=changes]")
    changes.fill("{stage_offset")
    visit.requests.clear()
    form.locator("[type=submit]").click()
    expect(events.locator(".field-error", has_text="JSON")).to_be_visible()
    assert [url for url in visit.requests if "execution" in url] == []
    changes.fill("stage_offset=0.3; pumps_off=PUMP-SAY")
    sent: list[Any] = []

    def refuse(route: Route) -> None:
        sent.append(route.request.post_data_json)
        route.abort()

    visit.page.route("**/execution", refuse)
    form.locator("[type=submit]").click()
    visit.page.wait_for_timeout(300)
    assert sent[0]["inputs"]["events"] == [{"name": "Triều cường", "changes": "stage_offset=0.3; pumps_off=PUMP-SAY"}]


def test_unreachable_server_is_said_in_plain_words(visit: Visit) -> None:
    visit.page.route("**/api/catalog", lambda route: route.abort())
    visit.page.goto(f"{visit.server_url}/")
    expect(visit.page.get_by_role("alert")).to_contain_text("Không liên lạc được với máy chủ")
    expect(visit.page.get_by_role("button", name="Thử lại")).to_be_visible()


def test_phone_layout_keeps_the_map_and_opens_sheets(browser: Browser, server_url: str) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    visit = Visit(context.new_page(), server_url)
    try:
        visit.open()
        expect(visit.page.locator(".panel")).to_be_hidden()
        visit.save("phone")
        visit.page.locator("[data-tab=flood]").click()
        sheet = visit.page.locator(".panel")
        expect(sheet).to_be_visible()
        box = sheet.bounding_box()
        assert box is not None
        assert box["width"] == PHONE["width"]
        assert box["y"] > PHONE["height"] * 0.3
        overflow = visit.page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0
        visit.page.wait_for_timeout(1000)
        visit.save("phone-flood")
        assert visit.complaints == []
    finally:
        context.close()

"""The operations centre's tasks in a real browser: the wall, the alarms, widgets and links for others."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.web.visits import LOAD_MS, PHONE, Visit

BIN, RULE, TITLE = "S-RAC-02-filling_level", "test-bin-full", "Thùng rác thử đã đầy"


def send(visit: Visit, level: float) -> None:
    """Let a sensor in a bin say how full it is."""
    data = {"phenomenonTime": datetime.now(UTC).isoformat(), "result": level}
    said = visit.page.request.post(f"{visit.server_url}/sta/v1.1/Datastreams('{BIN}')/Observations", data=data)
    assert said.status == 201, said.text()


def read(visit: Visit, path: str) -> Any:
    """Ask the server."""
    return visit.page.request.get(f"{visit.server_url}{path}").json()


@pytest.fixture
def rule(visit: Visit) -> Iterator[str]:
    """An alarm for the bin, which is not full to begin with; taken away again."""
    send(visit, 0.1)
    address = f"{visit.server_url}/alarm-rules"
    body = {
        "id": RULE, "title": {"vi": TITLE, "en": "Test bin is full"}, "event": "full-bin", "priority": "high",
        # What the simulated sensor sends meanwhile does not end it.
        "conditions": [{"kind": "limit", "on": 0.9, "off": 0.5, "off_delay_s": 3600}],
        "target": {"series": BIN}, "lateness_s": 0,
    }  # fmt: skip
    made = visit.page.request.put(f"{address}/{RULE}", data=body)
    assert made.ok, made.text()
    yield RULE
    visit.page.request.delete(f"{address}/{RULE}")
    send(visit, 0.1)


def test_the_wall_follows_what_changes_without_being_loaded_again(visit: Visit, rule: str) -> None:
    page = visit.page
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.goto(f"{visit.server_url}/wall.html")
    tile = page.locator("[data-indicator=full_bins]")
    expect(tile).to_be_visible(timeout=LOAD_MS)
    expect(page.locator(".wall-line-live")).to_contain_text("Đang kết nối", timeout=LOAD_MS)
    expect(page.locator(".fan-middle")).to_be_visible(timeout=LOAD_MS)
    expect(page.locator(".fan-words")).to_contain_text("Dự báo cao nhất")
    before = int(read(visit, "/indicators/full_bins")["value"])
    expect(tile.locator("strong").first).to_have_text(str(before))
    page.evaluate("() => { window.marked = true; }")
    send(visit, 0.97)
    expect(tile.locator("strong").first).to_have_text(str(before + 1), timeout=LOAD_MS)
    expect(page.locator(".alarm-line", has_text=TITLE)).to_contain_text("Chưa xác nhận", timeout=LOAD_MS)
    assert page.evaluate("() => window.marked && document.documentElement.scrollHeight <= innerHeight")
    visit.wait("() => Boolean(document.querySelector('.city-map canvas'))")
    visit.check_axe()
    visit.save("guide-operations-wall")

    page.get_by_role("button", name="Chọn").click()
    dialog = page.locator("dialog")
    dialog.locator("input[name=gauges_over_alarm]").uncheck()
    expect(dialog.locator("li").first).to_contain_text("Diện tích ngập hiện nay")
    dialog.get_by_role("button", name="Xuống sau: Diện tích ngập hiện nay").click()
    visit.check_axe()
    dialog.get_by_label("Chuyển trang").select_option("0")
    dialog.get_by_role("button", name="Đóng").last.click()
    visit.wait("() => location.hash.startsWith('#tiles=flooded_area_forecast,flooded_area_now,')")
    tile.get_by_role("button").click()
    expect(dialog).to_contain_text("Thùng rác", timeout=LOAD_MS)
    visit.check_axe()
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    expect(tile).to_be_visible()
    visit.save("operations-wall-phone")
    assert visit.complaints == []


def test_an_alarm_is_acknowledged_shelved_and_its_history_read(visit: Visit, rule: str) -> None:
    page = visit.page
    visit.open("#tab=alarms")
    panel = page.locator(".panel")
    row = panel.locator(".alarm-row", has_text=TITLE)
    expect(panel.locator(".alarm-filter")).to_be_visible(timeout=LOAD_MS)
    send(visit, 0.98)
    expect(row).to_contain_text("Chưa xác nhận", timeout=LOAD_MS)
    row.get_by_role("button", name="Xác nhận").click()
    writer = page.locator("dialog")
    writer.locator("[name=author]").fill("Trực ban")
    writer.locator("button[type=submit]").click()
    expect(row).to_contain_text("Đã xác nhận", timeout=LOAD_MS)
    row.locator(".alarm-tick").check()
    panel.locator(".alarm-bar").get_by_role("button", name="Ghi chú").click()
    page.locator("dialog textarea").fill("Đã gọi đội thu gom")
    page.locator("dialog button[type=submit]").click()
    row.get_by_role("button", name="Lịch sử").click()
    expect(row.locator(".alarm-steps")).to_contain_text("Đã gọi đội thu gom", timeout=LOAD_MS)
    expect(row.locator(".alarm-steps")).to_contain_text("Trực ban")
    visit.check_axe()
    visit.save("guide-operations-alarms")
    row.get_by_role("button", name="Tạm gác").click()
    page.locator("dialog select").select_option("30")
    page.locator("dialog textarea").fill("Chờ xe đến")
    page.locator("dialog button[type=submit]").click()
    expect(row).to_have_count(0, timeout=LOAD_MS)
    panel.locator("[name=alarm-state]").select_option("SHELVED")
    expect(row).to_contain_text("Tạm gác đến", timeout=LOAD_MS)
    visit.wait("() => decodeURIComponent(location.hash).includes('alarms=state=SHELVED')")
    row.get_by_role("button", name="Bỏ gác").click()
    expect(row).to_have_count(0, timeout=LOAD_MS)
    panel.get_by_role("tab", name="Thống kê").click()
    expect(panel.locator(".figure", has_text="Báo động đã phát")).to_be_visible(timeout=LOAD_MS)
    visit.check_axe()
    panel.get_by_role("tab", name="Quy tắc").click()
    panel.locator("[name=rule-words]").fill("thung rac thu")
    expect(panel.locator(f"[data-rule={RULE}]")).to_contain_text("đạt từ 0,9 trở lên", timeout=LOAD_MS)
    visit.check_axe()
    assert visit.complaints == []


def test_a_link_is_copied_and_fetched_and_a_widget_stands_in_a_frame(visit: Visit) -> None:
    page = visit.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit.open("#tab=alarms")
    page.get_by_role("button", name="Liên kết dữ liệu").last.click(timeout=LOAD_MS)
    dialog = page.locator("dialog")
    dialog.locator("[name=overlay-layer]").select_option("buildings")
    link = dialog.locator("[data-overlay=tilejson]")
    link.get_by_role("button", name="Chép địa chỉ TileJSON").click()
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied == f"{visit.server_url}/tiles/buildings.json"
    assert page.request.get(copied).json()["tilejson"]
    for protocol in ("tilejson", "mvt", "wms"):
        one = dialog.locator(f"[data-overlay={protocol}]")
        one.get_by_role("button", name="Thử").click()
        expect(one.locator(".overlay-said")).to_contain_text("OK", timeout=LOAD_MS)
    visit.check_axe()
    visit.save("guide-operations-links")

    dialog.get_by_role("button", name="Nhúng vào trang web").click()
    dialog.locator("[name=widget-id]").select_option("air_pm25", timeout=LOAD_MS)
    expect(page.frame_locator(".widget-preview").locator(".tile")).to_contain_text("PM2.5", timeout=LOAD_MS)
    code = dialog.locator("textarea").input_value()
    assert code.startswith(f'<iframe src="{visit.server_url}/widget.html?type=indicator&amp;id=air_pm25')
    visit.check_axe()
    visit.save("guide-operations-widget")
    assert visit.complaints == []

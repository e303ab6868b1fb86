"""The flood desk by night: a scenario and what it changes, who is hit as a file, a warning from draft to end."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.web.visits import JOB_MS, LOAD_MS, Visit


def read_job(page: Page) -> str:
    """Return the id of the newest job of the list."""
    return page.locator("[data-job]").first.get_attribute("data-job") or ""


def test_a_scenario_is_run_who_is_hit_is_exported_and_the_difference_is_read(visit: Visit) -> None:
    page = visit.page
    visit.open("#tab=scenario&layers=-sensors")
    page.get_by_role("button", name="Triều cường báo động III").click(timeout=LOAD_MS)
    expect(page.locator("[name=stage_level]")).not_to_have_value("")
    # Long enough for the river to rise, coarse enough to be quick.
    page.fill("[name=horizon_hours]", "7")
    page.fill("[name=cell_size]", "30")
    page.locator("form [type=submit]").click()
    expect(page.locator(".job-running progress, .job-accepted progress").first).to_be_visible(timeout=LOAD_MS)
    visit.save("guide-warnings-scenario")
    job = read_job(page)
    visit.wait("id => window.twin.getState().runId === id", job, timeout=JOB_MS)
    assert page.evaluate("() => window.twin.getState().desk") == "water"

    page.get_by_role("tab", name="Địa điểm").click(timeout=LOAD_MS)
    page.locator("#impact-view").get_by_role("button", name="Bệnh viện", exact=True).click()
    expect(page.locator("[name=asset-category]")).to_have_value("hospital")
    hospital = page.locator("#impact-view .asset-name").first
    expect(hospital).to_contain_text("Bệnh viện", timeout=LOAD_MS)
    name = hospital.inner_text()
    page.select_option("[name=asset-sort]", "arrival")
    expect(hospital).to_have_text(name, timeout=LOAD_MS)
    with page.expect_download() as download:
        page.get_by_role("link", name="Tải về dạng CSV").click()
    rows = Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert rows[0].startswith("id,") and len(rows) > 1 and any(name in row for row in rows[1:])
    with page.expect_download() as download:
        page.get_by_role("link", name="Tải về dạng GeoPackage").click()
    assert Path(download.value.path()).read_bytes()[:15] == b"SQLite format 3"
    page.get_by_role("button", name="Sâu nhất", exact=True).click()
    visit.wait("() => window.twin.getState().product === 'flood_depth_max'")
    visit.settle()
    visit.save("guide-warnings-list")
    hospital.click()
    expect(page.locator(".card h2")).to_contain_text("Bệnh viện", timeout=LOAD_MS)
    page.keyboard.press("Escape")

    page.get_by_role("tab", name="Chênh lệch").click()
    expect(page.locator("[name=difference-after]")).to_have_value(job)
    people = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="Người", exact=True))
    expect(people).to_contain_text("→", timeout=LOAD_MS)
    draw = page.get_by_role("button", name="Vẽ bản đồ chênh lệch")
    if draw.count():
        draw.click()
    expect(page.locator(".figure", has_text="Ngập thêm")).to_contain_text("m", timeout=JOB_MS)
    assert page.evaluate("() => window.twin.getState().product") == "flood_depth_change"
    expect(page.get_by_role("heading", name="Hết ngập (")).to_be_visible(timeout=LOAD_MS)
    visit.wait("() => location.hash.includes('differ=')")
    visit.settle()
    visit.save("guide-warnings-difference")
    visit.check_axe()
    assert visit.complaints == []


def test_a_warning_is_drafted_previewed_issued_as_exercise_and_ended(visit: Visit) -> None:
    page = visit.page
    # When the tide is high the demo warns by itself, and a warned ward is not warned again.
    for alert in page.request.get(f"{visit.server_url}/cap/alerts.json").json()["alerts"]:
        address = f"{visit.server_url}/cap/alerts/{alert['identifier']}/cancel"
        page.request.post(address, headers={"twin-reason": "another exercise"})
    visit.open("#tab=flood&desk=warnings&layers=-sensors")
    page.evaluate("() => localStorage.setItem('twin.author', 'Trực ban thử')")
    page.get_by_role("button", name="Soạn bản tin mới").click(timeout=LOAD_MS)
    expect(page.get_by_role("radio", name="TIN THẬT")).to_be_disabled(timeout=LOAD_MS)
    expect(page.locator(".mode-band").first).to_contain_text("DIỄN TẬP")
    page.get_by_role("button", name="Bỏ chọn").click()
    expect(page.locator(".warning-editor .field-error", has_text="Hãy chọn ít nhất")).to_be_visible()
    page.locator(".ward-list").get_by_role("checkbox").nth(0).check()
    page.get_by_role("radio", name="Báo động II Moderate").check()
    headline = page.get_by_label("Tiêu đề").first
    expect(headline).to_have_value(re.compile("báo động II "), timeout=LOAD_MS)
    headline.fill("Nước lên nhanh, kê cao đồ đạc")
    visit.check_axe()
    visit.save("guide-warnings-editor")
    page.get_by_role("button", name="Lưu nháp").click()
    visit.wait("() => location.hash.includes('warning=draft:')")

    page.get_by_role("button", name="Xem trước, phát hành").click(timeout=LOAD_MS)
    preview = page.locator("dialog")
    expect(preview.locator(".said[lang=vi-VN] .said-headline")).to_have_text("DIỄN TẬP – Nước lên nhanh, kê cao đồ đạc")
    expect(preview.locator(".said[lang=en-US] .said-headline")).to_contain_text("EXERCISE")
    expect(preview.locator(".area-picture")).to_be_visible()
    preview.get_by_text("Bản tin CAP 1.2 (XML)").click()
    expect(preview.locator("pre")).to_contain_text("<status>Exercise</status>")
    visit.check_axe()
    visit.save("guide-warnings-preview")
    preview.get_by_role("button", name="Phát tin diễn tập").click()
    visit.wait("() => location.hash.includes('warning=alert:')", timeout=LOAD_MS)
    expect(page.locator(".warnings .identifier")).to_contain_text("-", timeout=LOAD_MS)
    visit.save("guide-warnings-issued")

    page.get_by_role("button", name="Kết thúc cảnh báo").click()
    page.get_by_role("button", name="Phát tin kết thúc").click()
    expect(page.locator("dialog .field-error")).to_have_text("Hãy ghi lý do.")
    page.fill("[name=cancel-reason]", "Nước đã rút")
    page.get_by_role("button", name="Phát tin kết thúc").click()
    expect(page.locator(".warnings")).to_contain_text("Chuỗi bản tin này không còn hiệu lực", timeout=LOAD_MS)
    expect(page.locator(".warnings")).to_contain_text("Nước đã rút")
    page.get_by_role("button", name="Về danh sách").click()
    expect(page.get_by_role("button", name="Chép địa chỉ").first).to_be_visible(timeout=LOAD_MS)
    assert visit.complaints == []

"""The engineer: an item edited and undone, many changed at once, a rejected row mended, a work order to its end."""

import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.commands import run_twin
from tests.web.visits import LOAD_MS, Visit
from tests.whole_twin import ROOT

AUTHOR = "Tổ thoát nước 3"
NODES = "drainage_nodes"
# A manhole of the demo city that has all of its values, and one that is not the first that other tests meet.
FIND = f"/api/collections/{NODES}/items?limit=1&node_type=manhole&sortby=-id"
READ = f"id => fetch('/api/collections/{NODES}/items/' + id).then(r => r.json()).then(one => one.properties)"

PATCH = f"""([id, note]) => fetch('/api/collections/{NODES}/items/' + id, {{
  method: 'PATCH', headers: {{ 'content-type': 'application/json' }},
  body: JSON.stringify({{ properties: {{ note }} }}),
}})"""


@pytest.fixture
def desk(visit: Visit) -> Visit:
    """A visit of somebody who has said who writes."""
    visit.page.add_init_script(f"try {{ localStorage.setItem('twin.author', '{AUTHOR}'); }} catch {{}}")
    return visit


def find_manhole(desk: Visit) -> str:
    return str(desk.page.request.get(desk.server_url + FIND).json()["features"][0]["id"])


def say_why(part: Page | Locator, words: str) -> None:
    part.get_by_label("Lý do sửa *").fill(words)


def test_a_manhole_is_edited_refused_mended_and_undone(desk: Visit) -> None:
    page = desk.page
    desk.open("#layers=-sensors,~drainage_nodes&map=15/10.03/105.78")
    manhole = find_manhole(desk)
    before = page.evaluate(READ, manhole)
    page.evaluate("([layer, id]) => window.twin.setState({ selection: { layer, id } })", [NODES, manhole])
    page.locator(".card").get_by_role("button", name="Sửa", exact=True).click()
    editor = page.locator(".editor")
    rim = editor.get_by_label("Cao độ mặt [m]")
    expect(rim).to_be_visible(timeout=LOAD_MS)

    # The declaration speaks while one types, the rules when it is checked.
    rim.fill("cao")
    expect(editor.get_by_text("Hãy nhập một số.")).to_be_visible()
    rim.fill("-200")
    expect(rim).to_have_attribute("aria-invalid", "false")
    say_why(editor, "đo lại cao độ")
    editor.get_by_role("button", name="Lưu", exact=True).click()
    expect(editor.get_by_text("Chưa lưu được")).to_be_visible(timeout=LOAD_MS)
    expect(editor.locator(".field-error:not(:empty)").first).to_be_visible()
    desk.check_axe()
    desk.save("guide-work-edit")

    # A draft survives a reload, of which the page warns.
    page.on("dialog", lambda dialog: dialog.accept())
    desk.wait("() => location.hash.includes('edit=')")
    page.reload()
    expect(rim).to_have_value("-200", timeout=LOAD_MS)

    rim.fill(f"{before['ground_elevation'] + 0.05:.3f}")
    say_why(editor, "đo lại cao độ")
    editor.get_by_role("button", name="Lưu", exact=True).click()
    notice = page.locator(".notice")
    expect(notice).to_contain_text("Đã lưu", timeout=LOAD_MS)
    assert page.evaluate(READ, manhole)["ground_elevation"] == pytest.approx(before["ground_elevation"] + 0.05)
    edit = page.locator(".edit").first
    expect(edit).to_contain_text("đo lại cao độ", timeout=LOAD_MS)
    expect(edit).to_contain_text(AUTHOR)
    edit.locator("summary").first.click()
    expect(edit.get_by_role("row", name="Cao độ mặt")).to_be_visible(timeout=LOAD_MS)
    desk.save("guide-work-edits")

    notice.get_by_role("button", name="Hoàn tác").click()
    expect(notice).to_contain_text("Đã hoàn tác", timeout=LOAD_MS)
    assert page.evaluate(READ, manhole) == before
    # What was refused is what the browser reports, and nothing else.
    assert [words for words in desk.complaints if "422" not in words] == []


def test_somebody_else_was_faster_and_both_versions_are_shown(desk: Visit) -> None:
    page = desk.page
    manhole = find_manhole(desk)
    lid = f"nắp {uuid.uuid4().hex[:6]}"
    desk.open(f"#tab=inventory&job=edits&edit={NODES}/{manhole}&layers=-sensors")
    before = page.evaluate(READ, manhole)
    editor = page.locator(".editor")
    note = editor.get_by_label("Ghi chú")
    expect(note).to_be_visible(timeout=LOAD_MS)
    note.fill(f"{lid} mới")
    page.evaluate(PATCH, [manhole, f"{lid} cũ"])
    say_why(editor, "thay nắp")
    editor.get_by_role("button", name="Lưu", exact=True).click()
    conflict = page.locator(".conflict")
    expect(conflict).to_contain_text(f"{lid} cũ", timeout=LOAD_MS)
    expect(conflict).to_contain_text(f"{lid} mới")
    desk.save("work-conflict")
    conflict.get_by_role("button", name="Tiếp tục với lựa chọn này").click()
    expect(conflict).to_have_count(0)
    say_why(editor, "thay nắp")
    editor.get_by_role("button", name="Lưu", exact=True).click()
    expect(page.locator(".notice")).to_contain_text("Đã lưu", timeout=LOAD_MS)
    assert page.evaluate(READ, manhole)["note"] == f"{lid} mới"
    page.locator(".notice").get_by_role("button", name="Hoàn tác").click()
    expect(page.locator(".notice")).to_contain_text("Đã hoàn tác", timeout=LOAD_MS)
    page.evaluate(PATCH, [manhole, before["note"]])
    assert [words for words in desk.complaints if "412" not in words] == []


def test_many_are_changed_after_a_preview_and_undone_as_one(desk: Visit) -> None:
    page = desk.page
    desk.open(f"#tab=inventory&job=bulk&bulk={NODES}:id like 'DN-0000%25'&layers=-sensors")
    part = page.locator("#inventory-tool")
    expect(part.get_by_label("Bộ lọc (CQL2)")).to_have_value("id like 'DN-0000%'", timeout=LOAD_MS)
    part.get_by_label("Thêm thuộc tính cần đặt").select_option("accuracy_class")
    part.get_by_label("Cấp chính xác vị trí").select_option("B")
    part.get_by_role("button", name="Xem trước").click()
    expect(part.get_by_text("9 trong 9 đối tượng")).to_be_visible(timeout=LOAD_MS)
    expect(part.get_by_role("row", name="DN-00001")).to_contain_text("B – dò bằng thiết bị")
    desk.check_axe()
    desk.save("guide-work-bulk")
    say_why(part, "dò lại bằng máy")
    part.get_by_role("button", name="Sửa 9 đối tượng").click()
    notice = page.locator(".notice")
    expect(notice).to_contain_text("Đã lưu 9 thay đổi", timeout=LOAD_MS)
    assert page.evaluate(READ, "DN-00009")["accuracy_class"] == "B"
    notice.get_by_role("button", name="Hoàn tác").click()
    expect(notice).to_contain_text("Đã hoàn tác", timeout=LOAD_MS)
    assert page.evaluate(READ, "DN-00009")["accuracy_class"] is None
    assert desk.complaints == []


@pytest.fixture
def rejected(whole_twin: tuple[str, dict[str, str]], tmp_path: Path) -> str:
    """A file of manholes, new ones each time, of which three rows could not be loaded; its source."""
    source = f"kiem-ke-{uuid.uuid4().hex[:6]}"
    lines = ["id,node_type,ground_elevation,condition,lon,lat", f"{source}-1,manhole,1.9,good,105.7801,10.0312"]
    lines += [f"{source}-2,manhole,hai mét,good,105.7803,10.0312"]
    lines += [f"{source}-{number},manhole,1.9,tốt,105.780{number},10.0313" for number in (3, 4)]
    path = tmp_path / "kiem-ke.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    run_twin("load", path, "--layer", NODES, "--source", source, settings=whole_twin[1]).check_returncode()
    return source


def test_rejected_rows_are_mended_and_loaded(desk: Visit, rejected: str) -> None:
    page = desk.page
    desk.open(f"#tab=inventory&job=quarantine&quarantine=source={rejected}&layers=-sensors,~drainage_nodes")
    part = page.locator("#inventory-tool")
    row = part.locator(".count-row", has_text="hai mét")
    expect(row).to_contain_text("không phải số", timeout=LOAD_MS)
    row.click()
    rim = part.get_by_label("ground_elevation")
    expect(rim).to_have_attribute("aria-invalid", "true")
    say_why(part, "đọc lại sổ đo")
    rim.fill("99999")
    part.get_by_role("button", name="Sửa và nạp lại").click()
    # What failed again says why.
    expect(part.locator(".finding").first).to_contain_text("ngoài khoảng", timeout=LOAD_MS)
    desk.check_axe()
    desk.save("guide-work-quarantine")
    rim.fill("2.0")
    say_why(part, "đọc lại sổ đo")
    part.get_by_role("button", name="Sửa và nạp lại").click()
    expect(page.locator(".notice")).to_contain_text(f"Đã nạp: {rejected}-2", timeout=LOAD_MS)
    assert page.evaluate(READ, f"{rejected}-2")["ground_elevation"] == 2.0

    # The others have the same mistake: one value in place of it.
    part.get_by_role("button", name="Mọi lý do").click()
    part.locator(".counts .count-row", has_text="Tình trạng").filter(has_text=rejected).click()
    part.get_by_text("Sửa nhiều dòng một lần").click()
    part.get_by_label("Giá trị thay cho tốt").fill("good")
    say_why(part, "đổi mã tình trạng")
    part.get_by_role("button", name="Thay giá trị và nạp lại").click()
    expect(part.get_by_text("Đã nạp 2 dòng, còn 0 dòng")).to_be_visible(timeout=LOAD_MS)
    assert page.evaluate(READ, f"{rejected}-4")["condition"] == "good"
    assert [words for words in desk.complaints if "422" not in words] == []


def test_a_work_order_goes_from_an_item_to_verified(desk: Visit, tmp_path: Path) -> None:
    page = desk.page
    desk.open("#layers=-sensors,~drainage_nodes&map=15/10.03/105.78")
    manhole = find_manhole(desk)
    page.evaluate("([layer, id]) => window.twin.setState({ selection: { layer, id } })", [NODES, manhole])
    page.locator(".card").get_by_role("button", name="Lập phiếu").click()
    part = page.locator("#inventory-tool")
    title = part.get_by_label("Tên việc *")
    expect(title).to_have_value(f"Hố ga, cửa thu, cửa xả {manhole}: ", timeout=LOAD_MS)
    task = f"Thay nắp {uuid.uuid4().hex[:6]}"
    title.fill(task)
    part.get_by_label("Ưu tiên").last.select_option("urgent")
    part.get_by_label("Hạn hoàn thành").fill("2020-01-31")
    part.get_by_role("button", name="Lập phiếu").click()
    status = part.locator("[data-status]")
    expect(status).to_have_text("Mới mở", timeout=LOAD_MS)
    expect(part.get_by_text("Quá hạn")).to_be_visible()

    part.get_by_role("button", name="Giao việc").click()
    expect(part.get_by_text("Hãy nhập đội hoặc đơn vị nhận việc.")).to_be_visible()
    part.locator("input[name=assignee]").first.fill("Đội 3")
    part.get_by_role("button", name="Giao việc").click()
    expect(status).to_have_text("Đã giao", timeout=LOAD_MS)
    picture = tmp_path / "nap.png"
    page.locator(".card").screenshot(path=picture)
    part.get_by_label("Đính kèm ảnh hoặc tệp PDF").set_input_files(picture)
    expect(part.locator(".file img").first).to_be_visible(timeout=LOAD_MS)
    desk.check_axe()
    desk.save("guide-work-order")
    page.evaluate(
        "() => { window.print = () => { window.printed = document.querySelector('.job-sheet').innerText; }; }"
    )
    part.get_by_role("button", name="In phiếu").click()
    desk.wait("() => window.printed?.includes('Đội 3')")

    part.get_by_label("Ghi chú").first.fill("đã thay nắp gang")
    part.get_by_role("button", name="Làm xong").click()
    expect(status).to_have_text("Đã làm xong", timeout=LOAD_MS)
    part.get_by_role("button", name="Quay lại danh sách").click()
    part.get_by_role("button", name="Bảng công việc").click()
    board = page.get_by_role("dialog")
    card = board.locator(".board-card", has_text=task)
    expect(card).to_be_visible(timeout=LOAD_MS)
    desk.save("guide-work-board")
    card.get_by_role("button", name="Nghiệm thu").click()
    done = board.get_by_role("region", name="Đã nghiệm thu")
    expect(done.locator(".board-card", has_text=task)).to_be_visible(timeout=LOAD_MS)
    assert desk.complaints == []


def test_checks_lead_to_an_edit_and_what_is_due_is_listed(desk: Visit) -> None:
    page = desk.page
    desk.open("#tab=inventory&job=checks&checked=water_pipes&layers=-sensors,~water_pipes")
    part = page.locator("#inventory-tool")
    check = part.locator("[data-rule='node-exists/water_pipes']")
    expect(check).to_contain_text("Lỗi", timeout=LOAD_MS)
    check.locator("summary").click()
    expect(check.get_by_text("không tồn tại")).to_be_visible()
    desk.check_axe()
    desk.save("guide-work-checks")
    check.get_by_role("button", name="Sửa", exact=True).click()
    expect(page.locator(".editor").get_by_label("Nút cuối")).to_have_value("WN-99999", timeout=LOAD_MS)
    page.get_by_role("tab", name="Phiếu công việc").click()
    part.get_by_label("Hiện").select_option("due")
    expect(part.locator(".due").first).to_be_visible(timeout=LOAD_MS)
    assert desk.complaints == []

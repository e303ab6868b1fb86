"""The engineer's work in the viewer: a table of a layer, a query that is kept, a trace with its long profile."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Page, expect

from tests.web.visits import LOAD_MS, ON_SCREEN, Visit

expect.set_options(timeout=LOAD_MS)

ASK = "path => fetch(path).then(answer => answer.json())"


def link_table(**view: Any) -> str:
    """Return the part of a link that opens a table."""
    return f"table={quote(json.dumps({'views': [view]}))}"


def count(page: Page, layer: str, condition: str) -> int:
    """Return how many items of a layer the server finds."""
    answer = page.evaluate(ASK, f"/api/collections/{layer}/aggregate?filter={quote(condition)}")
    return int(answer["total"]["count"])


def write_count(number: int) -> str:
    """Write a count as the page does in Vietnamese."""
    return f"{number:,}".replace(",", ".")


def save_file(page: Page, command: str) -> str:
    """Choose a command of the menu that is open and return the text of the file it saves."""
    with page.expect_download() as download:
        page.get_by_role("menuitem", name=command, exact=True).click()
    return Path(download.value.path()).read_text(encoding="utf-8-sig")


def test_lamps_are_filtered_grouped_by_ward_and_exported(visit: Visit) -> None:
    page = visit.page
    visit.open(f"#lang=vi&{link_table(layer='luminaires')}")
    page.locator("[data-column=lamp_type] .grid-more").click()
    page.get_by_label("Natri cao áp").check()
    found = count(page, "luminaires", "lamp_type IN ('sodium')")
    expect(page.locator(".dock-count")).to_contain_text(f"{write_count(found)} hàng")
    page.keyboard.press("Escape")
    # The order is the server's: the strongest lamp of all comes first.
    page.locator("[data-column=power]").click()
    page.locator("[data-column=power]").click()
    expect(page.locator("[data-column=power]")).to_have_attribute("aria-sort", "descending")
    strongest = page.evaluate(
        ASK, "/api/collections/luminaires/items?lamp_type=sodium&sortby=-power&limit=1&skipGeometry=true"
    )["features"][0]["id"]
    first = page.locator(".grid-row").first
    expect(first).to_have_attribute("data-id", strongest)
    # By keyboard: a row is ticked, and its card opened.
    page.locator(".grid").focus()
    page.keyboard.press("Control+Home")
    page.keyboard.press("Space")
    expect(page.locator(".dock-count")).to_contain_text("đã chọn 1")
    page.keyboard.press("Enter")
    expect(page.locator(".card")).to_contain_text(strongest)
    expect(first).to_have_class("grid-row grid-chosen")
    visit.settle()
    visit.check_axe()
    visit.save("guide-table-rows")
    page.locator(".card-close").click()

    page.get_by_role("button", name="Nhóm", exact=True).click()
    groups = page.evaluate(ASK, "/api/collections/luminaires/aggregate?lamp_type=sodium&group_by=inside(wards)")[
        "groups"
    ]
    expect(page.locator(".group-toggle")).to_have_count(len(groups))
    page.locator(".group-toggle").first.click()
    expect(page.locator(".group-rows tbody tr").first).to_be_visible()
    visit.save("guide-table-groups")
    page.get_by_role("button", name="Xuất tệp").click()
    table = save_file(page, "Bảng nhóm (CSV)")
    assert len(table.splitlines()) == len(groups) + 1
    page.get_by_role("button", name="Xuất tệp").click()
    rows = save_file(page, "CSV")
    assert len(rows.splitlines()) == found + 1
    # The link carries the whole view.
    visit.wait("() => location.hash.includes('sodium') && location.hash.includes('inside')")
    assert visit.complaints == []


def test_a_query_is_built_kept_and_opened_again_by_its_link(visit: Visit) -> None:
    page = visit.page
    visit.open("#lang=vi&tab=inventory&job=query")
    page.locator("[data-example=trees]").click()
    counted = page.locator(".query-count")
    expect(counted).to_contain_text("Cây xanh")
    # A circle around a tree that is found; its condition joins the others.
    condition = "near(power_lines, 4, laying = 'overhead') AND NOT inside(green_spaces)"
    before = count(page, "trees", condition)
    expect(counted).to_contain_text(write_count(before))
    tree = page.evaluate(ASK, f"/api/collections/trees/items?limit=1&filter={quote(condition)}")["features"][0]
    place = tree["geometry"]["coordinates"]
    page.evaluate("place => window.twin.map.jumpTo({ center: place, zoom: 15.5 })", place)
    visit.settle()
    page.get_by_role("button", name="Thêm điều kiện").last.click()
    page.get_by_role("menuitem", name="Trong vòng tròn tự vẽ").click()
    expect(page.locator(".notice")).to_contain_text("Nhấp tâm")
    visit.wait("() => window.twin.map.getStyle().layers.some(layer => layer.id.startsWith('td-'))")
    x, y = page.evaluate(ON_SCREEN, place)
    page.mouse.click(x, y)
    page.mouse.move(x + 60, y, steps=4)
    page.mouse.click(x + 90, y)
    expect(page.locator(".query-shape")).to_be_visible()
    visit.wait(
        "before => { const found = document.querySelector('.query-count strong')?.textContent ?? '';"
        " const number = Number(found.split(' ')[0].replace('.', '')); return number > 0 && number < before; }",
        before,
    )
    kept = counted.inner_text()
    visit.settle()
    visit.check_axe()
    visit.save("guide-table-query")

    page.locator(".query-buttons").get_by_role("button", name="Lưu", exact=True).click()
    page.get_by_label("Tên tiếng Việt").fill("Cây gần dây điện trong vòng tròn")
    page.locator("dialog").get_by_role("button", name="Lưu").click()
    signer = page.locator("dialog [name=author]")
    signer.fill("Trần Kỹ Sư")
    signer.press("Enter")
    saved = page.locator(".query-saved", has_text="Cây gần dây điện trong vòng tròn")
    expect(saved).to_be_visible()
    visit.wait("() => location.hash.includes('saved')")
    name = json.loads(page.evaluate("() => new URLSearchParams(location.hash.slice(1)).get('query')"))["saved"]

    page.goto("about:blank")
    visit.open(f"#lang=vi&tab=inventory&query={quote(json.dumps({'saved': name}))}")
    expect(page.locator(".query-count")).to_have_text(kept)
    expect(page.locator(".query-shape")).to_be_visible()
    page.get_by_role("button", name="Xem bảng").click()
    expect(page.locator(".dock-count")).to_contain_text(f"{kept.split(' ')[0]} hàng")
    # What is wrong in the text is said with its place.
    page.get_by_text("Văn bản CQL2").click()
    page.locator(".query-text").fill("height > ")
    expect(page.locator("#query-problem")).to_contain_text("filter")
    visit.complaints = [words for words in visit.complaints if "400" not in words]
    page.locator(".query-saved .grid-more").first.click()
    page.get_by_role("menuitem", name="Xóa").click()
    page.locator("dialog").get_by_role("button", name="Xóa").click()
    expect(page.locator(".query-saved", has_text="Cây gần dây điện trong vòng tròn")).to_have_count(0)
    assert visit.complaints == []


def test_a_row_is_traced_and_its_way_drawn(visit: Visit) -> None:
    page = visit.page
    path = "/api/collections/drainage_links/items?link_type=conduit&system=storm&limit=1&skipGeometry=true"
    link = page.request.get(f"{visit.server_url}{path}").json()["features"][0]
    node = link["properties"]["from_node"]
    visit.open(f"#lang=vi&{link_table(layer='drainage_nodes', words=node)}")
    page.locator(f".grid-row[data-id='{node}'] .grid-more").click()
    page.get_by_role("menuitem", name="Dò mạng: Xuôi dòng").click()
    page.locator(".way-button").click()
    expect(page.locator(".profile-dock svg [data-link]").first).to_be_visible()
    visit.settle()
    visit.check_axe()
    visit.save("guide-table-trace")
    page.locator(".profile-head .button").click()
    stations = save_file(page, "Bảng CSV").splitlines()
    assert stations[1].startswith(f"{node},0,")
    page.locator(".profile-head .button").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Ảnh PNG").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
    # What was found opens beside the table it came from.
    page.get_by_role("button", name="Mở bảng").click()
    links = page.locator(".profile-dock [data-link]").count()
    expect(page.locator(".dock-count")).to_contain_text(" hàng")
    expect(page.locator(".filter-chip")).to_contain_text("in_trace")
    assert links > 0
    assert visit.complaints == []

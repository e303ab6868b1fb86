"""Signing in by the viewer: the dialog, who one is, a key, a change in one's own name, signing out; on a phone too."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.commands import run_twin
from tests.conftest import ROOT
from tests.web.visits import LOAD_MS, PHONE, Visit

PASSWORD = "nước lên cầu Ninh Kiều"


@pytest.fixture
def account(whole_twin: tuple[str, dict[str, str]]) -> Iterator[None]:
    """The only account of the twin, an administrator; taken away again, for the other tests trust this machine."""

    def twin(*words: str) -> None:
        run_twin("accounts", *words, settings=whole_twin[1], given=f"{PASSWORD}\n").check_returncode()

    twin("add", "an", "--role", "administrator", "--title", "Nguyễn Văn Ân", "--stdin")
    yield
    twin("remove", "an", "--last")


def test_one_signs_in_makes_a_key_and_signs_out(visit: Visit, account: None) -> None:
    page = visit.page
    visit.open("#layers=-sensors")
    page.get_by_role("button", name="Đăng nhập", exact=True).click(timeout=LOAD_MS)
    dialog = page.get_by_role("dialog", name="Đăng nhập")
    visit.check_axe()
    visit.save("account-sign-in")
    dialog.get_by_label("Tên đăng nhập").fill("an")
    dialog.get_by_label("Mật khẩu").fill("wrong")
    dialog.get_by_role("button", name="Đăng nhập", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("không đúng", timeout=LOAD_MS)
    dialog.get_by_label("Mật khẩu").fill(PASSWORD)
    dialog.get_by_role("button", name="Đăng nhập", exact=True).click()
    expect(dialog).to_have_count(0, timeout=LOAD_MS)
    # The wrong password was told by the server too.
    visit.complaints.clear()

    # The page begins anew: more of the city is seen now.
    page.get_by_role("button", name="Tài khoản: Nguyễn Văn Ân").click(timeout=LOAD_MS)
    own = page.get_by_role("dialog", name="Nguyễn Văn Ân")
    expect(own).to_contain_text("Quản trị")
    own.get_by_role("button", name="Khóa API").click()
    expect(own).to_contain_text("Chưa có khóa nào", timeout=LOAD_MS)
    own.get_by_label("Dùng để làm gì").fill("QGIS")
    own.get_by_role("button", name="Tạo khóa").click()
    expect(own.locator(".account-secret code")).to_contain_text("twin_", timeout=LOAD_MS)
    expect(own.locator(".account-list li")).to_have_count(1)
    visit.check_axe()
    visit.save("account-keys")
    page.set_viewport_size(PHONE)
    visit.save("account-phone")
    wide = page.evaluate("() => document.querySelector('dialog').scrollWidth <= innerWidth")
    assert wide, "the dialog is wider than a phone"
    own.get_by_role("button", name="Nơi đang đăng nhập").click()
    expect(own).to_contain_text("Trình duyệt này", timeout=LOAD_MS)
    own.get_by_role("button", name="Đăng xuất", exact=True).click()
    expect(own).to_have_count(0, timeout=LOAD_MS)
    expect(page.get_by_role("button", name="Đăng nhập", exact=True)).to_be_visible(timeout=LOAD_MS)
    assert visit.complaints == []

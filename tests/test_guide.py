"""The user guide: its pictures are there, and each is taken by a test that does what the page describes."""

import re

from docs.guide_pictures import GUIDE, find_pictures
from twin.settings import ROOT

SAVED = re.compile(r'\.save\("guide-([\w-]+)"')


def test_every_picture_is_there_and_no_other() -> None:
    assert find_pictures() == {path.stem for path in (GUIDE / "images").glob("*.webp")}, "run: make guide"


def test_every_picture_is_taken_by_a_test() -> None:
    tests = (ROOT / "tests" / "web").glob("test_*.py")
    taken = {name for path in tests for name in SAVED.findall(path.read_text(encoding="utf-8"))}
    assert find_pictures() <= taken


def test_every_page_is_in_the_contents() -> None:
    contents = (GUIDE / "README.md").read_text(encoding="utf-8")
    pages = {path.name for path in GUIDE.glob("*.md")} - {"README.md"}
    assert {name for name in pages if f"({name})" not in contents} == set()

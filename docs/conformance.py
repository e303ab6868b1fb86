"""Which tests prove which conformance class: read from the marks in the sources of the tests."""

import ast
from collections.abc import Iterator
from pathlib import Path

from api.conformance import CONFORMANCE
from api.sta.conformance import CREATING, MET, RECEIVING, REQUIREMENTS
from api.stac.documents import STAC_CONFORMANCE
from twin.settings import ROOT

TESTS = ROOT / "tests"
_SPECIFICATIONS = "http://www.opengis.net/spec/"
SERVICES = {
    "`/api/conformance`": CONFORMANCE,
    "`/sta/v1.1`": tuple(f"{REQUIREMENTS}/{name}" for name in (*MET, CREATING, RECEIVING)),
    "`/stac/conformance`": STAC_CONFORMANCE,
}
"""What each service claims."""


def shorten(address: str) -> str:
    """Return the name a class has in a mark: its address without what all of them begin with."""
    return address.removeprefix(_SPECIFICATIONS)


def collect_marks(folder: Path = TESTS) -> dict[str, list[str]]:
    """Return class → tests that prove it, as ``file::test`` below ``folder``; nothing is imported."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.rglob("test_*.py")):
        name = path.relative_to(folder.parent).as_posix()
        for test, proved in _read_marks(ast.parse(path.read_text(encoding="utf-8"))):
            found.setdefault(proved, []).append(f"{name}::{test}" if test else name)
    return found


def _read_marks(module: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield test and class of every mark; a test of '' is the whole file."""
    for node in module.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "pytestmark" for t in node.targets):
            yield from (("", proved) for proved in _read_classes(node.value))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                yield from ((node.name, proved) for proved in _read_classes(decorator))


def _read_classes(tree: ast.expr) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "conformance":
            for argument in node.args:
                if not (isinstance(argument, ast.Constant) and isinstance(argument.value, str)):
                    raise TypeError(f"line {node.lineno}: a conformance mark names its classes in plain words")
                yield argument.value


def describe_conformance() -> str:
    """Return the page of all classes that are claimed, each with its tests."""
    marks = collect_marks()
    lines = [
        "# Conformance",
        "",
        "Every class that is claimed, and the tests that prove it: derived from the marks `conformance` of the tests",
        "by `make docs`. `tests/api/test_conformance.py` sees to it that no class is claimed without a test.",
        "",
    ]
    for service, classes in SERVICES.items():
        lines += [f"## {service}", "", "| class | tests |", "|---|---|"]
        for address in classes:
            tests = "<br>".join(f"`{test.removeprefix('tests/')}`" for test in marks.get(shorten(address), ()))
            lines.append(f"| `{shorten(address)}` | {tests} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"

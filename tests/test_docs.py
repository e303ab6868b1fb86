"""Documentation keeps its word: derived pages are current, every address and command is named, links lead on."""

import ast
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from api.app import create_app
from api.links import Links
from api.openapi import build_openapi
from docs.__main__ import FOLDER, build_pages
from tests.conftest import ROOT
from twin.commands.table import COMMANDS, load_command
from twin.process import Process, describe_inputs
from twin.registry import PROCESSES
from twin.settings import Settings

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PACKAGES = ("layers", "hydrology", "network", "twin", "api", "docs")
MODULES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
Described = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("name", build_pages())
def test_a_derived_page_is_current(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == build_pages()[name], "run: make docs"


def test_no_derived_page_is_left_over() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(build_pages())


def blank(address: str) -> str:
    """Return an address whose placeholders have no names."""
    return re.sub(r"\{[^}]*\}", "{}", address)


def test_every_address_is_in_the_api_page_and_no_other() -> None:
    paths = build_openapi(create_app(), Links("http://test"))["paths"]
    # A path with a server of its own stands below that one's address.
    below = {path: urlsplit(each["servers"][0]["url"]).path for path, each in paths.items() if "servers" in each}
    served = {blank(below.get(path, "") + path) for path in paths}
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in page.splitlines() if line.startswith("|")]
    named = {blank(words.split()[-1]) for row in rows for words in re.findall(r"`([^`]+)`", row)}
    assert named == served


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_listed_with_its_own_words(name: str) -> None:
    command = load_command(name)
    assert " ".join(command.help.split()) == COMMANDS[name].help
    page = (FOLDER / "commands.md").read_text(encoding="utf-8")
    for words in [f"twin {name} {inner}" for inner in getattr(command, "commands", ())] or [f"twin {name}"]:
        assert re.search(rf"^## `{words}[` ]", page, re.MULTILINE), f"`{words}` is not described"


def test_every_setting_is_in_the_example_file() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    missing = [name for name in Settings.model_fields if f"TWIN_{name.upper()}=" not in example]
    assert missing == []
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize("process", PROCESSES.values(), ids=PROCESSES)
def test_every_input_is_described_in_two_languages(process: Process) -> None:
    for name, found in describe_inputs(process).items():
        inner = found["schema"].get("items", {}).get("properties", {})
        for label, each in {name: found, **{f"{name}.{key}": value for key, value in inner.items()}}.items():
            for texts in (each["title_i18n"], each["description_i18n"]):
                assert texts["vi"] and texts["en"] and texts["vi"] != texts["en"], label


def list_public(path: Path) -> list[tuple[str, Described]]:
    """Return the public classes, functions and methods of a module with their names."""
    found: list[tuple[str, Described]] = []
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, Described) and not node.name.startswith("_"):
            found.append((node.name, node))
            methods = node.body if isinstance(node, ast.ClassDef) else []
            for inner in methods:
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) and not inner.name.startswith("_"):
                    found.append((f"{node.name}.{inner.name}", inner))
    return found


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_what_is_public_says_what_it_does(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), f"{relative(path)} has no docstring"
    silent = [
        f"{relative(path)}:{node.lineno} {name}" for name, node in list_public(path) if not ast.get_docstring(node)
    ]
    assert silent == []


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_links_within_the_project_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        found = path.parent / file if file else path
        assert found.exists(), f"{relative(path)} points to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", found.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in slugs, f"{relative(path)} points to {target}"

"""What is claimed is proved: every conformance class has a test, and every mark names a class."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.conformance import CONFORMANCE
from api.sta.conformance import CREATING, RECEIVING, REQUIREMENTS
from docs.conformance import SERVICES, collect_marks, describe_conformance, shorten
from tests.conftest import ROOT

CLAIMED = [shorten(address) for classes in SERVICES.values() for address in classes]
MARKS = collect_marks()


@pytest.mark.parametrize("name", CLAIMED)
def test_a_class_that_is_claimed_is_proved(name: str) -> None:
    proved = name in MARKS
    assert proved, f"no test is marked conformance({name!r}): mark one, or claim it no longer"


def test_every_mark_names_a_class_that_is_claimed() -> None:
    assert set(MARKS) - set(CLAIMED) == set()


def test_no_service_claims_a_class_twice() -> None:
    assert all(len(set(classes)) == len(classes) for classes in SERVICES.values())


def test_services_claim_what_the_page_lists(client: TestClient) -> None:
    assert client.get("/api/conformance").json()["conformsTo"] == list(CONFORMANCE)
    told = client.get("/sta/v1.1").json()["serverSettings"]["conformance"]
    optional = {f"{REQUIREMENTS}/{name}" for name in (CREATING, RECEIVING)}
    assert set(told) <= set(SERVICES["`/sta/v1.1`"])
    assert set(SERVICES["`/sta/v1.1`"]) - set(told) <= optional
    assert client.get("/stac/conformance").json()["conformsTo"] == list(SERVICES["`/stac/conformance`"])


def test_the_page_is_current() -> None:
    page = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
    assert page == describe_conformance(), "run: make docs"


def test_marks_are_read_from_functions_and_from_whole_files(tmp_path: Path) -> None:
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "test_a.py").write_text(
        "import pytest\npytestmark = [pytest.mark.conformance('x')]\n"
        "@pytest.mark.conformance('y', 'z')\n@pytest.mark.parametrize('n', [1])\ndef test_one(n): ...\n"
    )
    assert collect_marks(folder) == {
        "x": ["tests/test_a.py"], "y": ["tests/test_a.py::test_one"], "z": ["tests/test_a.py::test_one"],
    }  # fmt: skip
    (folder / "test_a.py").write_text("import pytest\n@pytest.mark.conformance(NAME)\ndef test_one(): ...\n")
    with pytest.raises(TypeError, match="plain words"):
        collect_marks(folder)

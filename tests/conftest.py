"""Fixtures every test may use: the shared real data, and a private PostGIS of the suite's own."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("TWIN_TEST_DATA", ROOT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """Return a function that gives the path of a real test file or skips the test, naming what is missing."""

    def find(relative: str) -> Path:
        path = SHARED / relative
        if not path.exists():
            pytest.skip(f"real test data absent: {relative} (set TWIN_TEST_DATA to the folder that holds it)")
        return path

    return find

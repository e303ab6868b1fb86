"""One town for all faults: what a test breaks it mends again."""

from collections.abc import Iterator

import pytest

from tests.faults.plant import Plant


@pytest.fixture(scope="session")
def plant() -> Iterator[Plant]:
    """A town with a private database; servers and workers are started by who needs them."""
    made = Plant()
    yield made
    made.close()

"""Fixtures every test may use: the shared real data, and a private PostGIS of the suite's own."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Connection, Engine
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from layers.store.cluster import start_cluster, stop_cluster
from layers.store.engine import open_engine
from layers.store.migrate import migrate
from tests.folders import find_parent, make_folder
from tests.whole_twin import ROOT, start_whole_twin

SHARED = Path(os.environ.get("TWIN_TEST_DATA", ROOT.parent / "shared" / "data"))
CITY_CRS = "EPSG:5897"
WHOLE_TWIN = (
    "tests/twin/test_up.py",
    "tests/web/test_viewer.py",
    *(
        f"tests/web/test_viewer_{name}.py"
        for name in (
            "account",
            "desk",
            "layers",
            "operations",
            "pages",
            "planning",
            "scene",
            "table",
            "tools",
            "traffic",
            "warnings",
            "work",
        )
    ),
)
DEMO = tuple(
    f"tests/twin/test_{name}.py"
    for name in ("demo", "demo_themes", "isolation_demo", "leak_demo", "planted_faults", "simulation")
)


def name_share(nodeid: str) -> str:
    """Return what a test shares with others that is costly to make: the whole twin, the demo, the API's databases, the
    town of faults, its file.
    """
    path = nodeid.split("::")[0]
    if path in WHOLE_TWIN:
        return "whole twin"
    if path in DEMO:
        return "demo"
    return next((name for name in ("api", "faults") if path.startswith(f"tests/{name}/")), path)


class BySharing(LoadScopeScheduling):
    """Hands out tests side by side, on one worker what shares something."""

    def _split_scope(self, nodeid: str) -> str:
        return name_share(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> BySharing:
    """Return the scheduler of a run on several workers."""
    return BySharing(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: the tests of the whole twin."""
    items.sort(key=lambda item: name_share(item.nodeid) != "whole twin")


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """Return a function that gives the path of a real test file or skips the test, naming what is missing."""

    def find(relative: str) -> Path:
        path = SHARED / relative
        if not path.exists():
            pytest.skip(f"real test data absent: {relative} (set TWIN_TEST_DATA to the folder that holds it)")
        return path

    return find


@pytest.fixture(scope="session")
def cluster_url() -> Iterator[str]:
    """URL of a private cluster that lives as long as the suite."""
    # Not pytest's own tmp folder: that one is closed to the unprivileged owner of the cluster.
    folder = make_folder("twin-test-")
    try:
        url = start_cluster(folder / "postgres")
        with psycopg.connect(url, autocommit=True) as connection:
            # What is in it need not outlive the machine.
            for name in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(f"alter system set {name} = off")
            connection.execute("alter system set max_wal_size = '256MB'")
            connection.execute("select pg_reload_conf()")
        yield url
    finally:
        stop_cluster(folder / "postgres")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def make_database(cluster_url: str) -> Callable[..., str]:
    """Return a function that makes a migrated database ``make_database(name, crs="EPSG:5897")`` and gives its URL.

    Each CRS is migrated once; the others are copies of that database.
    """
    patterns: dict[str, str] = {}
    server = cluster_url.rsplit("/", 1)[0]

    def create(name: str, pattern: str) -> None:
        with psycopg.connect(cluster_url, autocommit=True) as connection:
            connection.execute(f'drop database if exists "{name}" with (force)')
            connection.execute(f'create database "{name}" template "{pattern}" strategy file_copy')

    def make(name: str, crs: str = CITY_CRS) -> str:
        if crs not in patterns:
            pattern = f"pattern_{crs.rsplit(':', 1)[-1]}"
            create(pattern, "template1")
            engine = open_engine(f"{server}/{pattern}")
            migrate(engine, "test", crs, {"id": "test", "crs": crs})
            engine.dispose()
            patterns[crs] = pattern
        create(name, patterns[crs])
        return f"{server}/{name}"

    return make


@pytest.fixture(scope="session")
def shared_database(make_database: Callable[..., str]) -> str:
    """URL of one migrated, empty database for tests that roll back."""
    return make_database("rolled_back")


@pytest.fixture(scope="module")
def engine(request: pytest.FixtureRequest, cluster_url: str, make_database: Callable[..., str]) -> Iterator[Engine]:
    """Engine on a migrated, empty database of the test module's own (commits stay inside it)."""
    name = "m_" + request.module.__name__.rsplit(".", 1)[-1]
    opened = open_engine(make_database(name))
    yield opened
    opened.dispose()
    with psycopg.connect(cluster_url, autocommit=True) as connection:
        connection.execute(f'drop database "{name}" with (force)')


@pytest.fixture
def connection(shared_database: str) -> Iterator[Connection]:
    """Connection whose transaction is rolled back after the test."""
    opened = open_engine(shared_database)
    with opened.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()
    opened.dispose()


@pytest.fixture(scope="session")
def whole_twin() -> Iterator[tuple[str, dict[str, str]]]:
    """The whole twin, started as a user would: demo city, first forecast, worker and server.

    Its address, and the environment in which commands reach it. ``TWIN_TEST_URL`` names one that runs already.
    """
    if running := os.environ.get("TWIN_TEST_URL"):
        yield running, dict(os.environ)
        return
    with start_whole_twin(find_parent()) as twin:
        yield twin


@pytest.fixture(scope="session")
def server_url(whole_twin: tuple[str, dict[str, str]]) -> str:
    """Address of the whole twin."""
    return whole_twin[0]

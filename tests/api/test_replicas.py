"""Reading from a real streaming standby: never older than the primary would answer, and without it all goes on."""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.app import create_app
from layers.registry import VECTOR_LAYERS
from layers.store.cluster import start_cluster, stop_cluster
from layers.store.engine import open_engine
from layers.store.features import upsert_features
from layers.store.migrate import migrate
from tests.api.conftest import ADDRESS, CITY, TREE_TILE, make_trees
from tests.folders import make_folder
from tests.standby import ask, restart_standby, start_standby
from twin.settings import Settings

TILE, FAR = f"/tiles/trees/{TREE_TILE}.mvt", "/tiles/trees/12/3251/1933.mvt"


@dataclass(frozen=True)
class Pair:
    """A primary and its standby."""

    folder: Path
    primary: str
    standby: str
    engine: Engine

    def plant(self, first: int) -> None:
        """Write a tree on the primary."""
        with self.engine.begin() as connection:
            upsert_features(connection, VECTOR_LAYERS["trees"], make_trees(1, first=first), source_id="t")

    def replay(self, on: bool) -> None:
        """Let the standby replay the log, or stop where it is."""
        ask(self.standby, f"select pg_wal_replay_{'resume' if on else 'pause'}()")


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """Two servers with a city of a few trees."""
    folder = make_folder("twin-pair-")
    try:
        primary = start_cluster(folder / "primary")
        engine = open_engine(primary)
        migrate(engine, "test", "EPSG:5897", CITY)
        made = Pair(folder, primary, start_standby(primary, folder / "primary", folder / "standby"), engine)
        for number in range(20, 25):
            made.plant(number)
        yield made
        engine.dispose()
    finally:
        stop_cluster(folder / "standby")
        stop_cluster(folder / "primary")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def client(pair: Pair) -> Iterator[TestClient]:
    """HTTP client of a server that reads from the standby."""
    settings = Settings(
        database_url=pair.primary, read_database_urls=pair.standby, data_dir=pair.folder / "data",
        web_dir=pair.folder / "web", run_dir=pair.folder / "run", rate_limit=0, tile_cache_mb=0,
    )  # fmt: skip
    with TestClient(create_app(settings), ADDRESS, client=("127.0.0.1", 50_000)) as opened:
        yield opened


def count_reads(client: TestClient) -> dict[tuple[str, str], float]:
    """Return how many questions each server answered, and why it did."""
    found = {}
    for line in client.get("/metrics").text.splitlines():
        if line.startswith("twin_reads_total{"):
            by, why = (part.split('"')[1] for part in line.split("{")[1].split("}")[0].split(","))
            found[by, why] = float(line.split()[-1])
    return found


def read_standing(client: TestClient) -> str:
    (check,) = [check for check in client.get("/readyz").json()["checks"] if check["name"] == "replica-1"]
    return str(check["state"])


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60.0
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def answers(client: TestClient, by: str, address: str = "/api/collections/trees/items?limit=1") -> bool:
    """Ask, and return whether ``by`` answered."""
    before = sum(count for (who, _), count in count_reads(client).items() if who == by)
    assert client.get(address).status_code == 200
    return sum(count for (who, _), count in count_reads(client).items() if who == by) > before


def test_the_standby_answers_tiles_and_items(client: TestClient, pair: Pair) -> None:
    wait_for(lambda: answers(client, "replica-1"))
    wait_for(lambda: answers(client, "replica-1", "/api/collections/trees/items/t00021"))
    wait_for(lambda: answers(client, "replica-1", TILE))
    wait_for(lambda: read_standing(client) == "ok")


def test_the_standby_draws_maps(client: TestClient, pair: Pair) -> None:
    near = "/api/collections/trees/map?bbox=105.73,10.016,105.734,10.02&width=200&height=200&f=png"
    wait_for(lambda: answers(client, "replica-1", near))
    wait_for(lambda: answers(client, "replica-1", near.replace("105.734,10.02", "105.77,10.056")))


def test_who_wrote_reads_it_while_the_standby_is_behind(client: TestClient, pair: Pair) -> None:
    wait_for(lambda: answers(client, "replica-1"))
    old = client.get(TILE)
    pair.replay(False)
    try:
        pair.plant(25)
        new = client.get(TILE)
        assert new.headers["etag"] != old.headers["etag"] and b"t00025" in new.content
        assert client.get("/api/collections/trees/items/t00025").status_code == 200
        assert ask(pair.standby, "select count(*) from city.trees") == 5
        wait_for(lambda: read_standing(client) == "degraded")
        assert count_reads(client)["primary", "behind"] > 0
    finally:
        pair.replay(True)
    wait_for(lambda: answers(client, "replica-1"))
    again = client.get(TILE)
    assert (again.headers["etag"], again.content) == (new.headers["etag"], new.content)
    wait_for(lambda: read_standing(client) == "ok")


def test_an_overview_that_must_be_drawn_is_drawn_by_the_primary(client: TestClient, pair: Pair) -> None:
    pair.plant(26)
    wait_for(lambda: answers(client, "replica-1"))
    far = client.get(FAR)
    assert far.status_code == 200
    assert count_reads(client).get(("primary", "drawing"), 0) + count_reads(client).get(("primary", "behind"), 0) > 0
    assert ask(pair.primary, "select count(*) from meta.overview_mark where layer = 'trees'") == 0


def test_without_the_standby_the_primary_answers_and_it_is_told(client: TestClient, pair: Pair) -> None:
    stop_cluster(pair.folder / "standby")
    assert client.get("/api/collections/trees/items/t00021").status_code == 200
    wait_for(lambda: read_standing(client) == "degraded")
    pair.plant(27)
    assert b"t00027" in client.get(TILE).content
    assert client.get("/readyz").json()["ready"]
    restart_standby(pair.primary, pair.folder / "standby")
    wait_for(lambda: answers(client, "replica-1"))
    wait_for(lambda: read_standing(client) == "ok")


def test_while_the_primary_is_away_tiles_are_as_the_standby_knows_them(client: TestClient, pair: Pair) -> None:
    pair.plant(28)
    wait_for(lambda: ask(pair.standby, "select count(*) from city.trees where id = 't00028'") == 1)
    pair.engine.dispose()
    stop_cluster(pair.folder / "primary")
    wait_for(lambda: client.get(TILE).status_code == 200)
    assert b"t00028" in client.get(TILE).content
    start_cluster(pair.folder / "primary")
    wait_for(lambda: client.get("/readyz").json()["ready"])
    pair.plant(29)
    # Until it is heard again, which takes two seconds.
    wait_for(lambda: b"t00029" in client.get(TILE).content)

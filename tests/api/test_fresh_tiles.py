"""No tile is ever stale: what was committed before a request is in its answer, on every server."""

import itertools
import re
import threading
import time
from collections.abc import Iterator

import psycopg
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from layers.store.mercator import to_degrees
from layers.store.tiles import HALF_WORLD, TileAddress
from tests.api.conftest import ADDRESS
from twin.settings import Settings

LAYER = "ferry_landings"
ZOOMS = (12, 13, 14, 16, 18)
# Places some kilometres apart: (x, y) in EPSG:3857 [m].
PLACES = [(11_775_000.0 + 4_000.0 * k, 1_120_000.0) for k in range(3)]


LISTENING = (
    "select pid from pg_stat_activity "
    "where application_name = 'twin hears layer_version' and datname = current_database()"
)


@pytest.fixture(scope="module")
def url(database_url: str) -> str:
    """URL of the database."""
    return database_url


@pytest.fixture(scope="module")
def listeners() -> set[int]:
    """Server processes that the two servers listen on."""
    return set()


@pytest.fixture(scope="module")
def servers(settings: Settings, url: str, listeners: set[int]) -> Iterator[list[TestClient]]:
    """Two servers on one database, each with its own cache and its own ear."""
    with psycopg.connect(url, autocommit=True) as connection:
        others = {row[0] for row in connection.execute(LISTENING)}
        with TestClient(create_app(settings), ADDRESS) as one, TestClient(create_app(settings), ADDRESS) as two:
            for server in (one, two):
                server.get(address(0, 16))
            end = time.monotonic() + 30.0
            while len(listeners) < 2 and time.monotonic() < end:
                listeners |= {row[0] for row in connection.execute(LISTENING)} - others
            yield [one, two]


def address(place: int, zoom: int) -> str:
    x, y = PLACES[place]
    width = TileAddress(zoom, 0, 0).width
    return f"/tiles/{LAYER}/{zoom}/{int((x + HALF_WORLD) / width)}/{int((HALF_WORLD - y) / width)}.mvt"


def write(connection: psycopg.Connection[tuple[object, ...]], place: int, number: int) -> None:
    longitude, latitude = to_degrees(*PLACES[place])
    connection.execute(
        f"insert into city.{LAYER} (id, source_id, name, geom) values (%s, 'test', %s, "
        "ST_Transform(ST_SetSRID(ST_MakePoint(%s, %s), 4326), 5897)) "
        "on conflict (id) do update set name = excluded.name",
        (f"landing-{place}", f"n{place}-{number:06d}", longitude, latitude),
    )


def read_number(body: bytes, place: int) -> int:
    found = re.search(rb"n%d-(\d{6})" % place, body)
    return int(found[1]) if found else 0


def test_what_was_committed_is_in_the_next_answer_of_every_server(servers: list[TestClient], url: str) -> None:
    """Writers commit and readers ask, all at once; nobody waits for anybody."""
    committed = [0] * len(PLACES)
    stale: list[str] = []
    seen: set[tuple[int, int]] = set()
    end = time.monotonic() + 2.5
    numbers = itertools.count(1)

    def keep_writing(place: int) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while time.monotonic() < end:
                number = next(numbers)
                write(connection, place, number)
                committed[place] = number

    def keep_reading(server: int, first: int) -> None:
        held: dict[tuple[int, int], tuple[str, int]] = {}
        for turn in itertools.count(first):
            if time.monotonic() >= end:
                return
            place, zoom = turn % len(PLACES), ZOOMS[turn % len(ZOOMS)]
            asked = address(place, zoom)
            etag, number = held.get((place, zoom), ('"none"', 0))
            wanted = committed[place]
            answer = servers[server].get(asked, headers={"if-none-match": etag})
            if answer.status_code != 304:
                number = read_number(answer.content, place)
                held[place, zoom] = (answer.headers["etag"], number)
            seen.add((server, answer.status_code))
            if number < wanted:
                stale.append(f"{asked} on server {server}: {number}, but {wanted} was committed")

    readers = [threading.Thread(target=keep_reading, args=(server, 5 * server)) for server in (0, 1, 0, 1)]
    writers = [threading.Thread(target=keep_writing, args=(place,)) for place in range(2)]
    for thread in (*readers, *writers):
        thread.start()
    for thread in (*readers, *writers):
        thread.join()
    assert not stale, stale[:3]
    assert {status for _, status in seen} >= {200, 304}
    assert min(committed[:2]) > 20


def test_an_edit_leaves_tiles_elsewhere_as_they_are(servers: list[TestClient], url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for place in (0, 2):
            write(connection, place, 900_000)
        before = {
            (place, zoom): servers[0].head(address(place, zoom)).headers["etag"] for place in (0, 2) for zoom in ZOOMS
        }
        write(connection, 0, 900_001)
        after = {key: servers[1].head(address(*key)).headers["etag"] for key in before}
    assert all(after[2, zoom] == before[2, zoom] for zoom in (14, 16, 18))
    assert all(after[0, zoom] != before[0, zoom] for zoom in ZOOMS)


def test_a_server_that_hears_nothing_asks(servers: list[TestClient], url: str, listeners: set[int]) -> None:
    assert len(listeners) == 2
    with psycopg.connect(url, autocommit=True) as connection:
        for number in range(900_100, 900_110):
            for pid in listeners:
                connection.execute("select pg_terminate_backend(%s)", (pid,))
            write(connection, 1, number)
            for server in servers:
                assert read_number(server.get(address(1, 16)).content, 1) == number


def test_an_empty_tile_is_kept_too(servers: list[TestClient]) -> None:
    empty = f"/tiles/{LAYER}/16/0/0.mvt"
    first = servers[0].get(empty)
    assert first.status_code == 204
    assert servers[0].get(empty, headers={"if-none-match": first.headers["etag"]}).status_code == 304

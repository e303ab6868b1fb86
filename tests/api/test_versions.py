"""Two servers' knowledge of how old tiles are: exact right after a commit, though neither had time to hear of it."""

import asyncio
from collections.abc import Awaitable, Callable

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from api.versions import LayerVersions
from layers.store.listening import Listener

LAYER = "lighting_cabinets"
TILE = (16, 52016, 30934)
Writer = psycopg.Connection[tuple[object, ...]]


def write(connection: Writer) -> None:
    """Commit, without giving the event loop a moment."""
    connection.execute(
        f"insert into city.{LAYER} (id, source_id, name, geom) "
        "values ('version', 'test', 'a', ST_SetSRID(ST_MakePoint(580200, 1108000), 5897)) "
        "on conflict (id) do update set name = excluded.name"
    )


def run(database_url: str, play: Callable[[Writer, list[LayerVersions]], Awaitable[None]]) -> None:
    """Play with two servers that follow the database."""

    async def open_all() -> None:
        async with AsyncConnectionPool(
            database_url, kwargs={"autocommit": True}, open=False, connection_class=AsyncConnection
        ) as pool:
            servers = [LayerVersions(database_url, pool) for _ in range(2)]
            followers = [asyncio.create_task(server.follow()) for server in servers]
            try:
                while any(server.tokens is None for server in servers):
                    await asyncio.sleep(0.01)
                with psycopg.connect(database_url, autocommit=True) as connection:
                    await play(connection, servers)
            finally:
                for follower in followers:
                    follower.cancel()
                await asyncio.gather(*followers, return_exceptions=True)

    asyncio.run(open_all())


def test_the_age_of_a_tile_is_new_right_after_a_commit(database_url: str) -> None:
    async def play(connection: Writer, servers: list[LayerVersions]) -> None:
        write(connection)
        last = [(await server.read_tile([LAYER], *TILE))[0] for server in servers]
        for _ in range(60):
            write(connection)
            ages = [(await server.read_tile([LAYER], *TILE))[0] for server in servers]
            assert ages[0] == ages[1] > last[0]
            last = ages
            token = [(await server.read())[LAYER] for server in servers]
            assert token[0] == token[1]

    run(database_url, play)


def test_many_who_ask_at_once_are_all_told_the_newest(database_url: str) -> None:
    async def play(connection: Writer, servers: list[LayerVersions]) -> None:
        for _ in range(10):
            before = (await servers[0].read_tile([LAYER], *TILE))[0]
            early = [asyncio.create_task(servers[1].read_tile([LAYER], *TILE)) for _ in range(20)]
            await asyncio.sleep(0)
            write(connection)
            late = [asyncio.create_task(servers[1].read_tile([LAYER], *TILE)) for _ in range(20)]
            assert min(await asyncio.gather(*late))[0] > before
            assert min(await asyncio.gather(*early))[0] >= before

    run(database_url, play)


def test_who_does_not_follow_asks_the_database(database_url: str) -> None:
    async def play(connection: Writer, servers: list[LayerVersions]) -> None:
        deaf = LayerVersions(database_url, servers[0]._pool)
        for _ in range(3):
            write(connection)
            assert await deaf.read_tile([LAYER], *TILE) == await servers[0].read_tile([LAYER], *TILE)
            assert dict(await deaf.read()) == dict(await servers[0].read())

    run(database_url, play)


def test_a_barrier_on_a_lost_connection_says_so(database_url: str) -> None:
    async def play() -> None:
        heard: list[str] = []
        listener = await Listener.open(database_url, "a_channel", heard.append)
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("select pg_notify('a_channel', 'one')")
            await listener.catch_up()
            assert heard == ["one"]
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where query = 'listen \"a_channel\"'"
            )
            with pytest.raises(ConnectionError):
                await listener.catch_up()
            with pytest.raises(ConnectionError):
                await listener.catch_up()
            with pytest.raises(ConnectionError):
                await listener.wait()
        await listener.close()

    asyncio.run(play())

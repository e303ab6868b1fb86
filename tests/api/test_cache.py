"""The tile cache: its budget, one making at a time, and clients that go away."""

import asyncio

import pytest

from api.cache import CachedTile, TileCache


def test_the_least_recently_used_goes_first() -> None:
    async def play() -> None:
        cache = TileCache(3 * (100 + 400))

        async def make() -> CachedTile:
            return CachedTile(b"x" * 100)

        for key in ("a", "b", "c"):
            await cache.get(key, make)
        assert cache.find("a")
        await cache.get("d", make)
        assert cache.find("b") is None
        assert cache.find("a") and cache.find("c") and cache.find("d")
        assert cache.used <= cache.budget

    asyncio.run(play())


def test_a_tile_is_made_once_for_all_who_wait_and_survives_one_who_leaves() -> None:
    async def play() -> None:
        cache, made, open_door = TileCache(10_000), 0, asyncio.Event()

        async def make() -> CachedTile:
            nonlocal made
            made += 1
            await open_door.wait()
            return CachedTile(b"tile")

        waiting = [asyncio.create_task(cache.get("k", make)) for _ in range(5)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        open_door.set()
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert made == 1
        assert isinstance(results[0], asyncio.CancelledError)
        assert [tile.body for tile in results[1:]] == [b"tile"] * 4  # type: ignore[union-attr]

    asyncio.run(play())


def test_a_failure_is_told_and_not_kept() -> None:
    async def play() -> None:
        cache = TileCache(10_000)

        async def fail() -> CachedTile:
            raise ValueError("broken")

        async def make() -> CachedTile:
            return CachedTile(b"whole")

        with pytest.raises(ValueError, match="broken"):
            await cache.get("k", fail)
        assert (await cache.get("k", make)).body == b"whole"

    asyncio.run(play())


def test_without_a_budget_nothing_is_kept() -> None:
    async def play() -> None:
        cache = TileCache(0)

        async def make() -> CachedTile:
            return CachedTile(b"x")

        await cache.get("k", make)
        assert cache.find("k") is None

    asyncio.run(play())

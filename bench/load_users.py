"""People at the map: they open it, pan and zoom, click what they see, search, and think in between."""

import asyncio
import math
import random
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import orjson

from bench.load_client import Client
from bench.load_tally import Tally

THINK_S = 6.0
"""Time between two moves of the map, on average [s]."""
OPENED_WITHIN_S = 30.0
"""Time within which all open the map [s]."""
LOWEST, HIGHEST = 10, 17
FINEST_VECTOR, FINEST_RASTER = 16, 16
SCREEN = (1440, 900)
CONNECTIONS = 4
_VECTOR_PX, _RASTER_PX = 512, 256
_CLICKS, _SEARCHES, _WATER, _NEW_READINGS = 0.25, 0.1, 0.3, 0.2
_REMEMBERED = 400
_SAMPLE = 40
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class KnownCity:
    """What people find in a city: where it is, its tiles, what can be clicked and searched for."""

    bounds: Box
    ids: str
    tiles: str
    rasters: tuple[tuple[str, Box], ...]
    features: tuple[tuple[str, str], ...]
    words: tuple[str, ...]


async def learn_city(port: int, headers: Mapping[str, str] | None = None) -> KnownCity:
    """Ask the twin at ``port`` what there is; RuntimeError where it does not answer or is empty."""
    client = Client(port, Tally(), headers)
    try:
        catalog, style = await _read(client, "/api/catalog"), await _read(client, "/api/styles/light")
        template = urlsplit(style["sources"]["base"]["tiles"][0]).path
        ids = template.split("/")[2]
        features: list[tuple[str, str]] = []
        words: set[str] = set()
        for layer in ids.split(","):
            for item in (await _read(client, f"/api/collections/{layer}/items?limit={_SAMPLE}"))["features"]:
                features.append((layer, str(item["id"])))
                words.update(str(item["properties"].get("name") or item["id"]).split(",")[0].split()[:2])
        rasters = [raster for run in (await _read(client, "/api/runs?limit=5"))["runs"] for raster in
                   (await _read(client, f"/api/runs/{run['id']}")).get("rasters", ())]  # fmt: skip
    finally:
        client.close()
    if not features:
        raise RuntimeError("the city has no features that are shown at first")
    water = tuple((raster["tiles"], tuple(raster["bounds"])) for raster in rasters if "flood_depth" in raster["layer"])
    return KnownCity(
        tuple(catalog["city"]["bounds"]), ids, template, water, tuple(features),
        tuple(sorted(word for word in words if len(word) > 1)),
    )  # fmt: skip


async def map_user(
    port: int,
    city: KnownCity,
    tally: Tally,
    stop: asyncio.Event,
    *,
    seed: int,
    think_s: float = THINK_S,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Use the map until told to stop; everything asked for goes into ``tally``."""
    user = _User(port, city, tally, random.Random(seed), headers)
    # Not all open the map in the same second.
    await _pause(stop, user.chance.uniform(0.0, OPENED_WITHIN_S))
    following = asyncio.create_task(user.follow_readings(stop))
    try:
        if not stop.is_set():
            await user.open()
        while not stop.is_set():
            await user.look()
            await _pause(stop, user.chance.uniform(0.5, 1.5) * think_s)
    finally:
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following
        user.close()


class _User:
    """One person: where the map is, what the browser has already."""

    def __init__(
        self, port: int, city: KnownCity, tally: Tally, chance: random.Random, headers: Mapping[str, str] | None
    ) -> None:
        self.chance, self._city = chance, city
        self._all = [Client(port, tally, headers) for _ in range(CONNECTIONS)]
        self._free: asyncio.Queue[Client] = asyncio.Queue()
        for client in self._all:
            self._free.put_nowait(client)
        self._stream = Client(port, tally, headers)
        west, south, east, north = city.bounds
        self._lon, self._lat = chance.uniform(west, east), chance.uniform(south, north)
        self._zoom = chance.randint(12, 15)
        self._raster = chance.choice(city.rasters) if city.rasters and chance.random() < _WATER else None
        self._tags: dict[str, str] = {}
        self._shown: set[str] = set()

    async def follow_readings(self, stop: asyncio.Event) -> None:
        """Hear of new readings as every open map does."""
        while not stop.is_set():
            await self._stream.listen("events", "/sensors/events")

    async def open(self) -> None:
        """Ask for what the page asks for before the first tile."""
        await _all(
            self._ask("catalog", "/api/catalog"),
            self._ask("style", "/api/styles/light"),
            self._ask("tilejson", f"/tiles/{self._city.ids}.json"),
            self._ask("latest", "/sensors/latest"),
            self._ask("runs", "/api/runs?limit=100"),
            self._ask("alarms", "/alarms"),
        )

    async def look(self) -> None:
        """Move the map, wait for what is new on it, then perhaps click, search or read the sensors anew."""
        self._move()
        wanted = dict(self._list_tiles())
        new = [(kind, address) for address, kind in wanted.items() if address not in self._shown]
        self._shown = set(wanted)
        await _all(*(self._fetch(kind, address) for kind, address in new))
        drawn = self.chance.random()
        if drawn < _CLICKS:
            layer, feature = self.chance.choice(self._city.features)
            await self._ask("feature", f"/api/collections/{layer}/items/{quote(feature, safe='')}")
        elif drawn < _CLICKS + _SEARCHES and self._city.words:
            await self._ask("search", f"/api/search?limit=8&q={quote(self.chance.choice(self._city.words))}")
        elif drawn < _CLICKS + _SEARCHES + _NEW_READINGS:
            await self._ask("latest", "/sensors/latest")

    def close(self) -> None:
        """Leave."""
        for client in (*self._all, self._stream):
            client.close()

    def _move(self) -> None:
        """Pan by up to a screen's half, or zoom by one; now and then jump elsewhere."""
        west, south, east, north = self._city.bounds
        drawn = self.chance.random()
        if drawn < 0.1:
            self._lon, self._lat = self.chance.uniform(west, east), self.chance.uniform(south, north)
        elif drawn < 0.4:
            self._zoom = min(HIGHEST, max(LOWEST, self._zoom + self.chance.choice((-1, 1))))
        else:
            width = 360.0 * SCREEN[0] / _VECTOR_PX / 2**self._zoom
            self._lon = min(east, max(west, self._lon + self.chance.uniform(-0.5, 0.5) * width))
            self._lat = min(north, max(south, self._lat + self.chance.uniform(-0.3, 0.3) * width))

    def _list_tiles(self) -> Iterator[tuple[str, str]]:
        """Yield address and kind of all tiles on the screen."""
        for place in _cover(self._lon, self._lat, self._zoom, _VECTOR_PX, FINEST_VECTOR):
            yield _fill(self._city.tiles, place), "tile"
        if self._raster is not None:
            template, bounds = self._raster
            for place in _cover(self._lon, self._lat, self._zoom, _RASTER_PX, FINEST_RASTER):
                if _touches(place, bounds):
                    yield _fill(template, place), "raster tile"

    async def _fetch(self, kind: str, address: str) -> None:
        tag = self._tags.get(address)
        answer = await self._ask(kind, address, {"if-none-match": tag} if tag else None)
        if "etag" in answer.headers:
            if len(self._tags) >= _REMEMBERED:
                self._tags.pop(next(iter(self._tags)))
            self._tags[address] = answer.headers["etag"]

    async def _ask(self, kind: str, address: str, headers: Mapping[str, str] | None = None) -> Any:
        client = await self._free.get()
        try:
            return await client.ask(kind, address, headers=headers)
        finally:
            self._free.put_nowait(client)


async def _read(client: Client, address: str) -> Any:
    answer = await client.ask("learn", address, headers={"accept-encoding": "identity"}, keep=True)
    if answer.status != 200:
        raise RuntimeError(f"{address} answers {answer.status}: {answer.body[:200]!r}")
    return orjson.loads(answer.body)


async def _all(*asked: Awaitable[object]) -> None:
    await asyncio.gather(*asked)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait ``seconds`` or until told to stop."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


def _cover(lon: float, lat: float, zoom: int, size: int, finest: int) -> Iterator[tuple[int, int, int]]:
    """Yield z, x, y of the tiles of ``size`` pixels under a screen whose middle is at ``lon``, ``lat``."""
    level = min(finest, zoom + (1 if size == _RASTER_PX else 0))
    # A tile beyond the finest is that one drawn larger.
    across = size * 2.0 ** (zoom - level + (1 if size == _RASTER_PX else 0))
    count = 2**level
    x = (lon + 180.0) / 360.0 * count
    y = (1.0 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2.0 * count
    wide, high = SCREEN[0] / across / 2.0, SCREEN[1] / across / 2.0
    for column in range(max(0, math.floor(x - wide)), min(count - 1, math.floor(x + wide)) + 1):
        for row in range(max(0, math.floor(y - high)), min(count - 1, math.floor(y + high)) + 1):
            yield level, column, row


def _touches(place: tuple[int, int, int], bounds: Sequence[float]) -> bool:
    zoom, x, y = place
    count = 2**zoom
    west, east = x / count * 360.0 - 180.0, (x + 1) / count * 360.0 - 180.0
    north, south = (math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row / count)))) for row in (y, y + 1))
    return west < bounds[2] and east > bounds[0] and south < bounds[3] and north > bounds[1]


def _fill(template: str, place: tuple[int, int, int]) -> str:
    return template.replace("{z}", str(place[0])).replace("{x}", str(place[1])).replace("{y}", str(place[2]))

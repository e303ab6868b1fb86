"""The latest of everything as GeoJSON: what seldom changes is written once and kept, readings are put into it."""

import asyncio
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from api.answers import write_json
from api.cache import CachedTile, TileCache
from layers.store.sensing.latest import Query, read_latest, read_latest_readings, read_latest_tokens

MOST_FRAMES = 16
MOST_BYTES = 16_000_000
ALL_AT_ONCE = 2_000
Reading = tuple[float | None, Any, float, int]
# A sensor as JSON up to its list of series, and each series by number as JSON up to its result.
Frame = list[tuple[bytes, list[tuple[int, bytes]]]]
_NO_READING = b'null,"phenomenon_time":null,"quality":null}'


class LatestAnswers:
    """Answers kept until a reading, a series or a sensor changes; frames kept until a series or a sensor does."""

    def __init__(self, pool: AsyncConnectionPool[AsyncConnection[TupleRow]]) -> None:
        self._pool = pool
        self._answers = TileCache(MOST_BYTES)
        self._frames: OrderedDict[Hashable, Frame] = OrderedDict()

    async def read_tokens(self) -> tuple[str, str]:
        """Return the marks of the readings, and of the sensors and series, there are now."""
        async with self._pool.connection() as connection:
            return await read_latest_tokens(connection)

    async def write(self, tokens: tuple[str, str], asked: Hashable, query: Query, since: datetime | None) -> bytes:
        """Return the features that ``query`` chooses, with commas between, as of ``tokens``.

        ``asked`` names what the query asks for; ``since`` keeps sensors with a reading at or after it.
        """
        made = await self._answers.get(
            (tokens, asked, since), lambda: self._make((tokens[1], asked), query, since.timestamp() if since else None)
        )
        return made.body

    async def _make(self, key: Hashable, query: Query, since: float | None) -> CachedTile:
        frame = self._frames.get(key)
        async with self._pool.connection() as connection:
            if frame is None:
                rows = await read_latest(connection, query)
                # Not on the loop: thousands of sensors take some tens of milliseconds.
                frame = await asyncio.to_thread(build_frame, rows)
            fids = [fid for _, streams in frame for fid, _ in streams]
            readings = await read_latest_readings(connection, None if len(fids) > ALL_AT_ONCE else fids)
        self._keep(key, frame)
        return CachedTile(await asyncio.to_thread(fill_frame, frame, readings, since))

    def _keep(self, key: Hashable, frame: Frame) -> None:
        self._frames[key] = frame
        self._frames.move_to_end(key)
        while len(self._frames) > MOST_FRAMES:
            self._frames.popitem(last=False)


def build_frame(rows: list[TupleRow]) -> Frame:
    """Return sensors and series as JSON without readings; ``rows`` are those of ``build_latest_query``."""
    frame: Frame = []
    for _, same in groupby(rows, itemgetter(0)):
        streams = []
        for row in same:
            if row[8] is not None:
                title = {"vi": row[11], "en": row[12]}
                what = {"id": row[8], "observed_property": row[9], "unit": row[10], "title": title}
                streams.append((row[17], write_json(what)[:-1] + b',"result":'))
        sensor = {
            "type": "Feature",
            "id": row[0],
            "geometry": {"type": "Point", "coordinates": [round(row[6], 7), round(row[7], 7)]},
            "properties": {
                "name": row[1],
                "kind": row[2],
                "alarm_1": row[3],
                "alarm_2": row[4],
                "alarm_3": row[5],
                "datastreams": [],
            },
        }
        frame.append((write_json(sensor).removesuffix(b"]}}"), streams))
    return frame


def fill_frame(frame: Frame, readings: Mapping[int, Reading], since: float | None) -> bytes:
    """Return the features with their readings, those without one at or after ``since`` [s] left out."""
    moments: dict[float, bytes] = {}
    shown = []
    for head, streams in frame:
        written, newest = [], -float("inf")
        for fid, opening in streams:
            reading = readings.get(fid)
            if reading is None:
                written.append(opening + _NO_READING)
                continue
            result, value, at, quality = reading
            newest = max(newest, at)
            moment = moments.get(at)
            if moment is None:
                moment = moments[at] = write_json(datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
            what = write_json(result if value is None else value)
            written.append(b'%b%b,"phenomenon_time":%b,"quality":%d}' % (opening, what, moment, quality))
        if since is None or newest >= since:
            shown.append(b"%b%b]}}" % (head, b",".join(written)))
    return b",".join(shown)

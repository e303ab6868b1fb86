"""Devices that send: messages of one reading each over MQTT with QoS 1, at an even pace, and what became of them."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import psycopg
from sqlalchemy import Engine

from bench.load_tally import Tally
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from twin.simulation.messages import write_message
from twin.simulation.publishing import Publisher

RATE = 1_000.0
"""Messages a second."""
MESSAGE = "message"
_TICK_S = 0.05
_LAST_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Stored:
    """What the database holds of what was sent: how many, and from reading to stored [s]."""

    count: int
    p50: float
    p95: float
    p99: float


def enter_series(engine: Engine, count: int) -> tuple[str, ...]:
    """Enter ``count`` series for what is sent and return their ids."""
    ids = tuple(f"load-{number:05d}" for number in range(1, count + 1))
    series = [Datastream(name, name, "stage", "m", f"Tải – {name}", f"Load – {name}") for name in ids]
    with engine.begin() as connection:
        upsert_datastreams(connection, series, "load")
    return ids


async def sensors(
    port: int,
    series: Sequence[str],
    tally: Tally,
    stop: asyncio.Event,
    *,
    rate: float = RATE,
    username: str | None = None,
    password: str | None = None,
) -> None:
    """Send ``rate`` messages a second to the broker at ``port``, in turns of ``series``, until told to stop.

    Every reading has a time of its own. ``tally.acknowledged`` counts what the broker took.
    """
    await asyncio.to_thread(_send, port, series, tally, stop, rate, username, password)


def count_stored(url: str, series: Sequence[str], since: datetime) -> Stored:
    """Return what the database holds of ``series`` since ``since``, each reading once."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "select count(*), coalesce(percentile_cont(array[0.5, 0.95, 0.99]) within group "
            "(order by extract(epoch from o.stored - o.phenomenon_time)), array[0, 0, 0]::double precision[]) "
            "from sensing.observation o join sensing.datastream d on d.fid = o.datastream "
            "where d.id = any(%s) and o.phenomenon_time >= %s",
            (list(series), since),
        ).fetchone()
    assert row is not None
    return Stored(int(row[0]), *(float(value) for value in row[1]))


async def await_stored(url: str, series: Sequence[str], since: datetime, wanted: int, *, within_s: float) -> Stored:
    """Return what is stored when it is ``wanted`` readings, or what there is after ``within_s`` [s]."""
    deadline = time.monotonic() + within_s
    while True:
        stored = await asyncio.to_thread(count_stored, url, series, since)
        if stored.count >= wanted or time.monotonic() > deadline:
            return stored
        await asyncio.sleep(1.0)


def _send(
    port: int,
    series: Sequence[str],
    tally: Tally,
    stop: asyncio.Event,
    rate: float,
    username: str | None,
    password: str | None,
) -> None:
    with Publisher("127.0.0.1", port, username=username, password=password) as publisher:
        began, first, sent = time.monotonic(), time.time(), 0
        while not stop.is_set():
            due = int((time.monotonic() - began) * rate)
            for number in range(sent, due):
                publisher.publish(
                    write_message(series[number % len(series)], [(first + number / rate, _level(number))])
                )
            sent = max(sent, due)
            time.sleep(_TICK_S)
        publisher.wait(_LAST_WITHIN_S)
        tally.acknowledged[MESSAGE] += publisher.acknowledged


def _level(number: int) -> float:
    """Return a stage that creeps, so that no test of quality minds it [m]."""
    return round(1.0 + number // 1_000 % 100 / 1_000.0, 3)

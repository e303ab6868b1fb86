"""The whole twin under load: people at the map, people who write, devices that send, all at once on this machine.

One process makes the load, so on two cores it takes its share of them; the share is said. ``limit`` of an answer's time
is the most that is wanted of its kind; where there is none, nothing was promised.
"""

import asyncio
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.load_sensors import MESSAGE, RATE, await_stored, enter_series, sensors
from bench.load_tally import Figures, Tally
from bench.load_users import learn_city, map_user
from bench.load_writers import EDIT, INSPECTION, count_written, list_editable, writer
from bench.memory import measure_memory, name_processes
from layers.store.cluster import find_running
from layers.store.engine import open_engine
from tests.whole_twin import start_whole_twin
from twin.sensors.broker import name_broker, read_broker

Row = dict[str, Any]
SECONDS = 300.0
SERIES = 1_000
ITEMS_OF_A_WRITER = 10
STORED_WITHIN_S = 120.0
LIMITS_MS: Mapping[str, float] = {}


@dataclass(frozen=True, slots=True)
class Plan:
    """How many use the twin, how many write, how many messages come a second, and for how long [s]."""

    users: int = 200
    writers: int = 20
    rate: float = RATE
    seconds: float = SECONDS


@dataclass(frozen=True, slots=True)
class Running:
    """A twin that runs on this machine: the server's port, the broker's, the database, the folder of its state."""

    port: int
    broker_port: int
    url: str
    state_dir: Path

    @classmethod
    def find(cls, port: int, state_dir: Path) -> "Running":
        """Return the twin of ``state_dir`` that answers at ``port``; RuntimeError where a part of it is missing."""
        broker, url = read_broker(name_broker(state_dir)), find_running(state_dir / "postgres")
        if broker is None or url is None:
            raise RuntimeError(f"in {state_dir} there is no running database, or no broker (Debian: mosquitto)")
        return cls(port, broker.device_port, url, state_dir)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it: the tally, messages sent and stored and their delay, lost writes, memory, own CPU share."""

    tally: Tally
    messages: int
    lost: dict[str, int]
    delays: tuple[float, float, float]
    memory: dict[str, tuple[float, float]]
    share: float


def rows(seconds: float = SECONDS) -> list[Row]:
    """Return the rows of a load of ``seconds`` on a twin started for it."""
    # With the flood loop, as a city runs it.
    with start_whole_twin(TWIN_LOOP_MINUTES="10") as (address, environment):
        twin = Running.find(int(address.rsplit(":", 1)[1]), Path(environment["TWIN_RUN_DIR"]))
        return write_rows(press(twin, Plan(seconds=seconds)))


def press(twin: Running, plan: Plan) -> Outcome:
    """Put the load of ``plan`` on ``twin`` and return what came of it."""
    engine = open_engine(twin.url)
    series = enter_series(engine, SERIES)
    engine.dispose()
    processes = name_processes(twin.state_dir, twin.url)
    before = measure_memory(processes)
    since, began, cpu = datetime.now(UTC), time.monotonic(), time.process_time()
    run = f"load-{since:%Y%m%dT%H%M%S}"
    names = [f"{run}-{number}" for number in range(plan.writers)]
    tally = Tally()
    asyncio.run(_press(twin, plan, tally, series, names))
    share = (time.process_time() - cpu) / (time.monotonic() - began)
    after = measure_memory(processes)
    sent = tally.acknowledged[MESSAGE]
    stored = asyncio.run(await_stored(twin.url, series, since, sent, within_s=STORED_WITHIN_S))
    written = count_written(twin.url, names)
    lost = {kind: tally.acknowledged[kind] - written[kind] for kind in (EDIT, INSPECTION)}
    return Outcome(
        tally, sent, {MESSAGE: sent - stored.count, **lost}, (stored.p50, stored.p95, stored.p99),
        {name: (before[name], after[name]) for name in processes}, share,
    )  # fmt: skip


async def _press(twin: Running, plan: Plan, tally: Tally, series: tuple[str, ...], names: list[str]) -> None:
    stop = asyncio.Event()
    city = await learn_city(twin.port)
    items = await list_editable(twin.port, max(1, plan.writers) * ITEMS_OF_A_WRITER)
    tasks = [
        asyncio.create_task(map_user(twin.port, city, tally, stop, seed=number)) for number in range(plan.users)
    ] + [
        # Neighbours share half of their items: some edits meet a newer version, as in an office.
        asyncio.create_task(
            writer(
                twin.port, items[max(0, number - 1) * ITEMS_OF_A_WRITER : (number + 1) * ITEMS_OF_A_WRITER],
                tally, stop, name=name, seed=number,
            )
        )
        for number, name in enumerate(names)
    ]  # fmt: skip
    if plan.rate > 0:
        tasks.append(asyncio.create_task(sensors(twin.broker_port, series, tally, stop, rate=plan.rate)))
    _tell(f"{plan.users} users, {plan.writers} writers, {plan.rate:,.0f} messages/s for {plan.seconds:,.0f} s")
    ending = asyncio.create_task(_end(tally, stop, plan.seconds))
    await asyncio.wait([*tasks, ending], return_when=asyncio.FIRST_EXCEPTION)
    stop.set()
    await asyncio.gather(*tasks, ending)
    for figures in tally.describe():
        if figures.failed:
            _tell(f"{figures.kind}: how often which status (0: no answer): {tally.list_statuses(figures.kind)}")


async def _end(tally: Tally, stop: asyncio.Event, seconds: float) -> None:
    """Say every ten seconds how it goes, and tell all to stop after ``seconds``."""
    began = time.monotonic()
    while not stop.is_set() and (left := began + seconds - time.monotonic()) > 0:
        await asyncio.sleep(min(10.0, left))
        spent = time.monotonic() - began
        _tell(f"{spent:,.0f} s: {tally.requests / spent:,.0f} requests/s, {tally.failed} failed")
    stop.set()


def write_rows(outcome: Outcome) -> list[Row]:
    """Return an outcome as rows of the bench."""
    made = [row for figures in outcome.tally.describe() for row in _write_kind(figures)]
    requests, failed = outcome.tally.requests, outcome.tally.failed
    made.append(_row("all requests", "count", "1", requests, None))
    made.append(_row("all requests", "failed", "%", 100.0 * failed / max(1, requests), 0.0))
    made.append(_row("all requests", "wrong answers", "1", sum(outcome.tally.faults.values()), 0.0))
    made.append(_row("messages over MQTT, QoS 1", "acknowledged", "1", outcome.messages, None))
    made += [_row(f"{kind}s", "acknowledged and lost", "1", count, 0.0) for kind, count in outcome.lost.items()]
    made += [
        _row("messages over MQTT, QoS 1", f"from reading to stored, {name}", "s", value, None)
        for name, value in zip(("p50", "p95", "p99"), outcome.delays, strict=True)
    ]
    for name, (before, after) in outcome.memory.items():
        made.append(_row(f"process {name}", "memory before", "MB", before, None))
        made.append(_row(f"process {name}", "memory after", "MB", after, None))
    made.append(_row("who makes the load", "share of a core", "%", 100.0 * outcome.share, None))
    return made


def _write_kind(figures: Figures) -> list[Row]:
    kind = figures.kind
    return [
        _row(kind, "count", "1", figures.count, None),
        _row(kind, "failed", "%", 100.0 * figures.failed / figures.count, 0.0),
        _row(kind, "refused (429, 503)", "%", 100.0 * figures.refused / figures.count, None),
        *([_row(kind, "conflicts (412)", "1", figures.conflicts, None)] if figures.conflicts else []),
        _row(kind, "time p50", "ms", figures.p50, None),
        _row(kind, "time p95", "ms", figures.p95, LIMITS_MS.get(kind)),
        _row(kind, "time p99", "ms", figures.p99, None),
    ]


def _row(case: str, metric: str, unit: str, ours: float, limit: float | None) -> Row:
    return {"case": case, "metric": metric, "unit": unit, "ours": float(f"{ours:.4g}"), "peers": {}, "limit": limit}


def _tell(words: str) -> None:
    sys.stderr.write(f"load bench: {words} (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores)\n")

"""``python -m bench.soak``: a whole twin at load for half an hour, and things that break meanwhile; what was lost.

Map users, writers and sensors are those of the load bench, fewer of each, for it is not the limit that is looked for.
Runs are asked for all the time. The exit code is 1 when something was lost or done twice, when more failed than may,
or when memory grows. Slopes of memory are judged where a process lived for a quarter of an hour, else only shown.
"""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import psycopg
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.load_client import Client
from bench.load_sensors import MESSAGE, await_stored, enter_series, sensors
from bench.load_tally import Tally
from bench.load_users import learn_city, map_user
from bench.load_writers import EDIT, INSPECTION, count_written, list_editable, writer
from bench.soak_memory import MemoryLog
from bench.soak_town import Town
from layers.store.engine import open_engine
from tests.whole_twin import start_whole_twin
from twin.sensors.broker import name_broker, read_broker

Row = dict[str, Any]
SECONDS, JUDGED_FROM_S = 1800.0, 900.0
USERS, WRITERS, RATE, SERIES = 20, 4, 100.0, 200
ITEMS_OF_A_WRITER = 10
RUNS, SETTLE_S, STORED_WITHIN_S = 60, 300.0, 120.0
RUN = {"inputs": {"stage_level": 2.0, "ramp_hours": 1.0, "horizon_hours": 3.0, "cell_size": 30.0}}
MOST_FAILED, MOST_GROWTH = 0.5, 60.0
"""Requests that may end without an answer or in an error [%]; how fast a process may grow [MB/h]."""


def main() -> int:
    """Soak a twin, print the figures and return 1 where one of them is beyond its limit."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long it lasts [s]")
    parser.add_argument("--json", action="store_true", help="print JSON")
    wanted = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="twin-soak-"))
    folder.chmod(0o755)
    try:
        rows = soak(folder, wanted.seconds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if wanted.json:
        sys.stdout.write(orjson.dumps({"bench": "soak", "rows": rows}).decode() + "\n")
    else:
        print_rows(rows, wanted.seconds)
    beyond = [row for row in rows if row["limit"] is not None and row["ours"] > row["limit"]]
    for row in beyond:
        sys.stderr.write(f"soak: {row['case']}, {row['metric']}: {row['ours']:g} where {row['limit']:g} is the most\n")
    return 1 if beyond else 0


def soak(folder: Path, seconds: float) -> list[Row]:
    """Return the rows of ``seconds`` of a twin made below ``folder``."""
    own = {"TWIN_RUN_DIR": f"{folder}/run", "TWIN_DATA_DIR": f"{folder}/data", "TWIN_RATE_LIMIT": "0"}
    # A city, its first forecast and its broker, as a user gets them.
    with start_whole_twin(**own) as (address, environment):
        port = int(address.rsplit(":", 1)[1])
    settings = {name: value for name, value in environment.items() if name.startswith("TWIN_")}
    town = Town(folder / "run", {**settings, "TWIN_LOOP_MINUTES": "10"})
    url = town.start()
    try:
        asyncio.run(_await_ready(port))
        return _press(town, url, port, seconds)
    finally:
        town.stop()


def _press(town: Town, url: str, port: int, seconds: float) -> list[Row]:
    engine = open_engine(url)
    series = enter_series(engine, SERIES)
    engine.dispose()
    broker = read_broker(name_broker(town.state_dir))
    assert broker is not None
    tally, since, runs = Tally(), datetime.now(UTC), list[str]()
    names = [f"soak-{number}" for number in range(WRITERS)]
    memory = MemoryLog(town, max(1.0, seconds / 300.0))
    try:
        asyncio.run(_use(town, port, broker.device_port, tally, series, names, runs, seconds))
        stored = asyncio.run(await_stored(url, series, since, tally.acknowledged[MESSAGE], within_s=STORED_WITHIN_S))
        over = _await_runs(url, runs)
    finally:
        memory.close()
    written = count_written(url, names)
    lost = {
        MESSAGE: tally.acknowledged[MESSAGE] - stored.count,
        **{kind: tally.acknowledged[kind] - written[kind] for kind in (EDIT, INSPECTION)},
    }
    return [
        *_write_requests(tally),
        *[_row(f"{kind}s", "acknowledged and lost", "1", count, 0.0) for kind, count in lost.items()],
        _row(f"{MESSAGE}s", "acknowledged", "1", tally.acknowledged[MESSAGE]),
        _row(f"{MESSAGE}s", "stored", "1", stored.count),
        *_write_runs(url, runs, over),
        *_write_alarms(url, since),
        *_write_memory(memory),
        *[_row(name, "started again", "1", count) for name, count in sorted(town.restarts.items())],
    ]


async def _use(
    town: Town, port: int, broker_port: int, tally: Tally, series: tuple[str, ...], names: list[str],
    runs: list[str], seconds: float,
) -> None:  # fmt: skip
    stop = asyncio.Event()
    city, items = await learn_city(port), await list_editable(port, WRITERS * ITEMS_OF_A_WRITER)
    users = [map_user(port, city, tally, stop, seed=number) for number in range(USERS)]
    writers = [
        writer(port, items[k * ITEMS_OF_A_WRITER : (k + 1) * ITEMS_OF_A_WRITER], tally, stop, name=name, seed=k)
        for k, name in enumerate(names)
    ]
    asking = _ask_for_runs(port, tally, runs, stop, max(5.0, seconds / RUNS))
    sending = sensors(broker_port, series, tally, stop, rate=RATE)
    tasks = [asyncio.create_task(task) for task in (*users, *writers, asking, sending)]
    breaking = asyncio.create_task(_break(town, tally, stop, seconds))
    await asyncio.wait([*tasks, breaking], return_when=asyncio.FIRST_EXCEPTION)
    stop.set()
    await asyncio.gather(*tasks, breaking)


async def _break(town: Town, tally: Tally, stop: asyncio.Event, seconds: float) -> None:
    """Break one part after another, each at its share of the time, then tell all to stop.

    What lives on afterwards lives long enough to show whether its memory grows.
    """
    plan: tuple[tuple[float, str, Callable[[], None]], ...] = (
        (0.05, "the worker is killed", town.kill_worker),
        (0.10, "the server's processes are replaced", town.replace_servers),
        (0.15, "the broker is restarted", town.restart_broker),
        (0.20, "the database breaks down and is started again", town.restart_database),
        (0.28, "the worker is killed", town.kill_worker),
        (0.34, "the server's processes are replaced", town.replace_servers),
        (0.40, "the broker is restarted", town.restart_broker),
    )
    began = time.monotonic()
    for share, words, break_it in plan:
        await asyncio.sleep(max(0.0, began + share * seconds - time.monotonic()))
        if stop.is_set():
            return
        _tell(f"{time.monotonic() - began:,.0f} s, {tally.requests:,} requests, {tally.failed} failed: {words}")
        await asyncio.to_thread(break_it)
    await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))
    stop.set()


async def _ask_for_runs(port: int, tally: Tally, runs: list[str], stop: asyncio.Event, pause_s: float) -> None:
    """Ask for a run every ``pause_s`` [s], and keep the ids of those that were accepted."""
    client = Client(port, tally)
    headers = {"content-type": "application/json", "prefer": "respond-async", "accept-encoding": "identity"}
    path, body = "/api/processes/flood-scenario/execution", orjson.dumps(RUN)
    while not stop.is_set():
        answer = await client.send("run", "POST", path, body, headers=headers, keep=True)
        if answer.status == 201:
            runs.append(answer.headers["location"].rsplit("/", 1)[1])
        try:
            await asyncio.wait_for(stop.wait(), pause_s)
        except TimeoutError:
            continue
    client.close()


async def _await_ready(port: int) -> None:
    client, deadline = Client(port, Tally()), time.monotonic() + SETTLE_S
    while (await client.ask("ready", "/readyz")).status != 200:
        if time.monotonic() > deadline:
            raise RuntimeError(f"the server at port {port} did not get ready within {SETTLE_S:.0f} s")
        await asyncio.sleep(0.5)
    client.close()


def _await_runs(url: str, runs: list[str]) -> int:
    """Return how many of ``runs`` are over, once all are or after a while."""
    deadline = time.monotonic() + SETTLE_S
    while True:
        over = _count(url, "select count(*) from run.run where id = any(%s) and status = 'successful'", runs)
        if over == len(runs) or time.monotonic() > deadline:
            return over
        time.sleep(1.0)


def _count(url: str, statement: str, *given: object) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute(statement, given).fetchone()
    return int(row[0]) if row else 0


def _write_requests(tally: Tally) -> list[Row]:
    made = []
    for figures in tally.describe():
        made += [
            _row(figures.kind, "count", "1", figures.count),
            _row(figures.kind, "failed", "1", figures.failed),
            _row(figures.kind, "refused (429, 503)", "1", figures.refused),
            _row(figures.kind, "time p50 / p95 / p99", "ms", figures.p50),
        ]
        made[-1]["shown"] = f"{figures.p50:.4g} / {figures.p95:.4g} / {figures.p99:.4g}"
        made[-1]["p95"], made[-1]["p99"] = figures.p95, figures.p99
    return [
        *made,
        _row("all requests", "count", "1", tally.requests),
        _row("all requests", "failed", "%", 100.0 * tally.failed / max(1, tally.requests), MOST_FAILED),
        _row("all requests", "wrong answers", "1", sum(tally.faults.values()), 0.0),
    ]


def _write_runs(url: str, runs: list[str], over: int) -> list[Row]:
    # A row that was written twice has a version of before.
    twice = "select count(distinct run_id) from history.flood_assets where run_id = any(%s)"
    attempts = "select coalesce(sum(attempts), 0) from run.run where id = any(%s)"
    return [
        _row("runs", "accepted", "1", len(runs)),
        _row("runs", "accepted and not carried out", "1", len(runs) - over, 0.0),
        _row("runs", "applied twice", "1", _count(url, twice, runs), 0.0),
        _row("runs", "attempts", "1", _count(url, attempts, runs)),
    ]


def _write_alarms(url: str, since: datetime) -> list[Row]:
    steps = "select count(*) from alarm.event where recorded >= %s"
    twice = (
        "select count(*) from (select from alarm.event where recorded >= %s and state_before <> state_after "
        "group by alarm, at, kind, state_before, state_after having count(*) > 1) doubled"
    )
    return [
        _row("alarms", "steps", "1", _count(url, steps, since)),
        _row("alarms", "steps taken twice", "1", _count(url, twice, since), 0.0),
    ]


def _write_memory(memory: MemoryLog) -> list[Row]:
    made = []
    for name, life in sorted(memory.describe().items()):
        made.append(_row(f"process {name}", "memory at the end", "MB", life.size))
        if life.slope is not None:
            limit = MOST_GROWTH if life.seconds >= JUDGED_FROM_S else None
            made.append(_row(f"process {name}", "memory, slope", "MB/h", life.slope, limit))
    return made


def _row(case: str, metric: str, unit: str, ours: float, limit: float | None = None) -> Row:
    return {"case": case, "metric": metric, "unit": unit, "ours": float(f"{ours:.6g}"), "limit": limit}


def print_rows(rows: list[Row], seconds: float) -> None:
    """Print a table of the figures and their limits."""
    table = Table("case", "metric", "figure", "limit", title=f"soak — {seconds:.0f} s, {os.cpu_count()} cores")
    for row in rows:
        limit = "" if row["limit"] is None else f"{row['limit']:g}"
        table.add_row(
            row["case"], escape(f"{row['metric']} [{row['unit']}]"), row.get("shown", f"{row['ours']:,.4g}"), limit
        )
    Console().print(table)


def _tell(words: str) -> None:
    sys.stderr.write(f"soak: {words}\n")


if __name__ == "__main__":
    sys.exit(main())

"""``twin sensors ingest``, ``broker``, ``ledger``: from the broker into the store, and the account of it."""

import fcntl
import gc
import os
import signal
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from layers.errors import ConflictError, SetupError
from layers.store.cluster import find_running
from layers.store.engine import open_engine
from twin.connect import connect_to_city
from twin.observing.heart import alive
from twin.observing.intake import IntakeFigures
from twin.observing.logs import begin_logging
from twin.sensors.announcer import Announcer
from twin.sensors.broker import build_command, name_broker, prepare_broker, read_broker
from twin.sensors.broker_rights import Gatekeeper
from twin.sensors.clocks import judge_clock
from twin.sensors.consumer import Consumer
from twin.sensors.ingest import Ingest, Store
from twin.sensors.spill import Spill
from twin.settings import Settings, read_settings
from twin.store_telemetry import list_ledger

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register_telemetry(sensors: typer.Typer) -> None:
    """Add the commands to the family."""
    sensors.command("broker")(run_broker)
    sensors.command("ingest")(ingest)
    sensors.command("ledger")(show_ledger)


def run_broker() -> None:
    """Run the private MQTT broker until stopped; `twin up` does it too."""
    settings = read_settings()
    folder = name_broker(settings.state_dir)
    command = build_command(folder)
    broker = prepare_broker(folder, settings.mqtt_port)
    typer.echo(f"mqtt://127.0.0.1:{broker.device_port} thiết bị gửi · devices send")
    typer.echo(f"mqtt://127.0.0.1:{broker.reader_port} đọc · subscribers read")
    os.execv(command[0], command)


def ingest() -> None:
    """Store what devices send to the broker and tell subscribers, until stopped; nothing acknowledged is lost."""
    settings = read_settings()
    begin_logging("ingest", settings)
    broker = read_broker(name_broker(settings.state_dir))
    if broker is None:
        raise SetupError("no broker was started here", hint="type: twin sensors broker — or start all: twin up")
    stopping: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda got, _frame: stopping.append(got))
    folder = settings.state_dir / "spill"
    lock = _take_place(folder)
    # A batch is a hundred thousand small objects without cycles: looking through them for some took half of the time.
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
    work = Ingest(
        Consumer(broker),
        Store(lambda: _find_store(settings), settings.clock_tolerance),
        Spill(folder, settings.spill_mb * 1_000_000),
    )
    address = settings.public_url or f"http://{settings.host}:{settings.port}"
    stopped = threading.Event()
    announcer = Announcer(broker.socket, lambda: _find_store(settings), f"{address.rstrip('/')}/sta/v1.1")
    gatekeeper = Gatekeeper(name_broker(settings.state_dir), lambda: _find_store(settings))
    beside = [
        threading.Thread(target=announcer.run, args=(stopped,), name="announcer"),
        threading.Thread(target=gatekeeper.run, args=(stopped,), name="gatekeeper"),
    ]
    for thread in beside:
        thread.start()
    try:
        with alive(settings, "ingest", IntakeFigures(work).registry):
            work.run(lambda: bool(stopping))
    finally:
        stopped.set()
        for thread in beside:
            thread.join()
        lock.close()


def show_ledger(
    device: Annotated[str | None, typer.Option(help="Only of this device or thing.")] = None,
    hours: Annotated[int, typer.Option(min=1, help="So many hours back.")] = 24,
    as_json: Json = False,
) -> None:
    """Show by device and hour what was received, stored, repeated, corrected and rejected, and why."""
    since = datetime.now(UTC) - timedelta(hours=hours)
    with connect_to_city(read_settings()).connect() as connection:
        rows = list_ledger(connection, device=device, since=since, limit=100_000)
    for row in rows:
        row["clock"] = judge_clock(row["lag_least"], row["lag_most"])
    if as_json:
        typer.echo(orjson.dumps(rows).decode())
        return
    table = Table("giờ · hour", "thiết bị · device", box=None, header_style="bold")
    for title in ("nhận · received", "lưu · stored", "lặp · repeated", "sửa · corrected", "loại · rejected"):
        table.add_column(title, justify="right")
    table.add_column("lý do · why")
    table.add_column("đồng hồ · clock")
    for row in rows:
        counts = [f"{row[name]:,}" for name in ("received", "stored", "repeated", "corrected", "rejected")]
        why = ", ".join(f"{code} {count:,}" for code, count in sorted(row["reasons"].items()))
        table.add_row(f"{row['hour']:%Y-%m-%d %H:%MZ}", row["device"], *counts, why, row["clock"] or "")
    Console(width=160).print(table)


def _find_store(settings: Settings) -> Engine | None:
    """Return an engine on the database; None while the private cluster is down: who stopped it may want it so."""
    url = settings.database_url or find_running(settings.state_dir / "postgres")
    return None if url is None else open_engine(url, statement_timeout_s=60.0, pool_size=1)


def _take_place(folder: Path) -> IO[str]:
    """Return the lock of the one ingest of an installation."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise ConflictError("another ingest is at work here", hint="one is enough: twin up starts it") from error
    return lock

"""What can be wrong with a running twin: each thing looked at, how it stands, and what to do about it."""

import os
import shutil
import socket
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection

from layers.errors import TwinError
from layers.store.migrate import read_city
from layers.store.revisions import list_known_revisions, read_revision
from twin.sensors.broker import name_broker, read_broker
from twin.settings import Settings
from twin.store_forecast_loop import read_loop
from twin.store_observing import list_processes, read_moment
from twin.store_queue import count_workers, read_backlog

Standing = Literal["ok", "off", "degraded", "failed"]
WORKER_SEEN_S = 60.0
LONG_WAIT_S = 900.0
LEAST_FREE, LOW_FREE = 200_000_000, 0.05
CLOCK_S = 5.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at; the process cannot serve while a ``required`` one has failed."""

    name: str
    state: Standing
    detail: str
    hint: str = ""
    required: bool = False


def check_city(connection: Connection) -> Check:
    """Look whether there is a city to serve."""
    try:
        city = read_city(connection)
    except TwinError as error:
        return Check("database", "failed", error.message, error.hint or "", True)
    return Check("database", "ok", f"city '{city.id}' in EPSG:{city.srid}", required=True)


def check_migrations(connection: Connection) -> Check:
    """Look whether the tables are those this program knows; newer ones are served while others are upgraded."""
    present, known = read_revision(connection), _list_revisions()
    if present == known[0]:
        return Check("migrations", "ok", f"revision {present}", required=True)
    if present in known:
        words = f"the tables are at revision {present}, this program needs {known[0]}"
        return Check("migrations", "failed", words, "type: twin db migrate", True)
    words = f"the tables are at revision {present}, newer than this program's {known[0]}"
    return Check("migrations", "degraded", words, "start this process anew with the new version", True)


@lru_cache(maxsize=1)
def _list_revisions() -> tuple[str, ...]:
    return list_known_revisions()


def check_workers(connection: Connection) -> Check:
    """Look whether anybody carries out runs."""
    workers = count_workers(connection, seen_within_s=WORKER_SEEN_S)
    if workers:
        return Check("worker", "ok", f"{workers} at work")
    return Check("worker", "degraded", "none seen: runs and forecasts wait", "type: twin worker")


def check_queue(connection: Connection) -> Check:
    """Look how long runs wait."""
    waiting, oldest_s = read_backlog(connection)
    if oldest_s is None or oldest_s < LONG_WAIT_S:
        return Check("queue", "ok", f"{waiting} wait")
    words = f"{waiting} wait, the oldest for {oldest_s / 60.0:.0f} min"
    return Check("queue", "degraded", words, "start more workers, or look at: twin jobs list")


def check_loop(connection: Connection, settings: Settings) -> Check:
    """Look whether the loop from readings to floods turns in time."""
    loop = read_loop(connection)
    if settings.loop_minutes == 0 or loop is None:
        return Check("loop", "off", "the flood loop does not run here")
    if loop.late_since is None:
        return Check("loop", "ok", f"every {loop.interval_s / 60.0:.0f} min")
    return Check("loop", "degraded", f"late since {loop.late_since:%Y-%m-%d %H:%M}Z", "see: twin forecast loop")


def check_parts(connection: Connection) -> list[Check]:
    """Look at the other processes of the twin: those that were there within the hour and gave no leave."""
    found: dict[str, list[bool]] = {}
    for row in list_processes(connection):
        if row.part not in ("serve", "worker"):
            found.setdefault(row.part, []).append(row.is_alive)
    commands = {"ingest": "sensors ingest", "alarms": "alarms watch", "warnings": "warnings send"}
    return [
        Check(part, "ok", f"{sum(alive)} at work")
        if any(alive)
        else Check(part, "degraded", "silent: it ended, or cannot reach the database", f"type: twin {commands[part]}")
        for part, alive in found.items()
        if part in commands
    ]


def check_broker(settings: Settings) -> Check:
    """Look whether the broker of devices answers, where one was started on this machine."""
    broker = read_broker(name_broker(settings.state_dir))
    if broker is None:
        return Check("broker", "off", "no broker was started here")
    try:
        socket.create_connection(("127.0.0.1", broker.device_port), timeout=0.5).close()
    except OSError:
        words = f"nothing answers at port {broker.device_port}: devices cannot send over MQTT"
        return Check("broker", "degraded", words, "type: twin sensors broker")
    return Check("broker", "ok", f"devices send to port {broker.device_port}")


def check_disk(folder: Path) -> Check:
    """Look how much room is left where files are written."""
    while not folder.exists():
        folder = folder.parent
    used = shutil.disk_usage(folder)
    words = f"{used.free / 1e9:.1f} GB of {used.total / 1e9:.0f} GB free"
    hint = "make room: twin jobs prune, or a larger disk"
    if used.free < LEAST_FREE or not os.access(folder, os.W_OK):
        return Check("disk", "failed", words, hint)
    return Check("disk", "degraded" if used.free < LOW_FREE * used.total else "ok", words, hint)


class Clock:
    """Watches this machine's clock: against the database's, and for jumps since the process began."""

    def __init__(self) -> None:
        self._wall, self._steady = time.time(), time.monotonic()

    def check(self, connection: Connection) -> Check:
        """Look whether the clock can be trusted; a jump is told for an hour."""
        now, steady = time.time(), time.monotonic()
        jump = (now - self._wall) - (steady - self._steady)
        if abs(jump) < CLOCK_S or steady - self._steady > 3600.0:
            self._wall, self._steady = now, steady
        apart = now - read_moment(connection).timestamp()
        hint = "see: timedatectl; a time server is needed"
        if abs(apart) > CLOCK_S:
            return Check("clock", "degraded", f"{apart:+.0f} s against the database's clock", hint)
        if abs(jump) >= CLOCK_S:
            return Check("clock", "degraded", f"it jumped by {jump:+.0f} s", hint)
        return Check("clock", "ok", "with the database's clock")

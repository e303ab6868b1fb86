"""Members of an ensemble on workers of other machines: each in a network namespace that reaches the database alone.

Members wait instead of computing, one at a time on each worker, so that what is measured is the queue, the board and
the way through the database: on two cores, four workers that compute would only share them. The way is 1 ms long. A
worker is killed in the middle, and a worker's link is cut so that neither side is told.
"""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, text

from bench.city import find_free_port, fresh_database
from bench.scale_member import SECONDS, wait
from bench.scale_point import Point
from layers.schema import Text
from layers.store.cluster import start_cluster, start_recovery, stop_cluster
from layers.store.engine import plain_url
from twin.board import Board
from twin.ensemble import run_members
from twin.process import Quiet
from twin.queue import call_for_help
from twin.store import create_run
from twin.store_queue import count_workers

ROOT = Path(__file__).resolve().parent.parent
A_WORKER = 40
"""Members for each that computes."""
DELAY_MS = 0.5
_READY_S = 120.0


@dataclass(frozen=True, slots=True)
class Place:
    """A worker's namespace: its name, its end of the link here, and the processes in it."""

    name: str
    link: str
    worker: "subprocess.Popen[bytes]"
    relay: "subprocess.Popen[bytes]"


def measure(size: int) -> Iterator[Point]:
    """Yield the figures of ``size`` workers beside the one that offers."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        sys.stderr.write("bench: namespaces need root and iproute2; workers are left out\n")
        return
    members = A_WORKER * (size + 1)
    with _reachable_cluster() as url, fresh_database(url, "scale_workers") as engine:
        calm = _run(engine, size, members, None)
        slots = size + 1
        yield Point("workers", size, "members a second", "1/s", members / calm)
        yield Point("workers", size, "of what so many could do", "1", members * SECONDS / (calm * slots))
        cost = 1e3 * (calm * slots / members - SECONDS)
        yield Point("workers", size, "cost of a member beside its own time", "ms", cost)
        if size > 1:
            for metric, harm in (("later when one is killed", _kill), ("later when a link is cut", _cut)):
                yield Point("workers", size, metric, "s", _run(engine, size, members, harm) - calm)


def _run(engine: Engine, size: int, members: int, harm: Callable[[Place], None] | None) -> float:
    """Return how long an ensemble takes from the first member that a worker finished on [s]; each counts once."""
    with engine.begin() as connection:
        run_id = create_run(connection, process="flood-ensemble", inputs={}, title=Text("đo", "measured"))
    with ExitStack() as stack:
        places = [stack.enter_context(_place(engine, number)) for number in range(size)]
        _await_workers(engine, size)
        board = Board(engine, run_id)
        board.open("here", wait)
        stack.callback(board.close)
        call_for_help(engine, run_id, size)
        _await_helpers(engine, board, size)
        tasks = ((f"member {number}", SECONDS) for number in range(members))
        began, done = time.monotonic(), 0
        with closing(run_members(wait, tasks, count=members, progress=Quiet(), processes=1, board=board)) as results:
            for _ in results:
                done += 1
                if harm is not None and done == members // 3:
                    harm(places[0])
        took = time.monotonic() - began
        with engine.connect() as connection:
            settled = connection.execute(
                text("select count(*) from run.member where run_id = :id and done"), {"id": run_id}
            ).scalar_one()
        if done != members or settled != members:
            raise RuntimeError(f"{done} results and {settled} settled of {members} members")
    return took


def _kill(place: Place) -> None:
    os.killpg(place.worker.pid, signal.SIGKILL)


def _cut(place: Place) -> None:
    subprocess.run(["ip", "link", "set", place.link, "down"], check=True)


@contextlib.contextmanager
def _reachable_cluster() -> Iterator[str]:
    """Give a PostGIS that listens on every address of this machine."""
    folder = Path(tempfile.mkdtemp(prefix="twin-scale-"))
    folder.chmod(0o755)
    try:
        start_cluster(folder / "postgres")
        stop_cluster(folder / "postgres")
        with (folder / "postgres" / "data" / "pg_hba.conf").open("a") as rules:
            rules.write("host all all 10.77.0.0/16 scram-sha-256\n")
        yield start_recovery(folder / "postgres", "listen_addresses = '*'\nmax_connections = 200\n", within_s=60)
    finally:
        stop_cluster(folder / "postgres")
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _place(engine: Engine, number: int) -> Iterator[Place]:
    """Make a namespace with a link to here, and a worker in it that computes one member at a time."""
    mark = secrets.token_hex(3)
    name, here, there = f"twin-{mark}", f"tw{mark}a", f"tw{mark}b"
    gateway, own, port = f"10.77.{number}.1", f"10.77.{number}.2", find_free_port()
    for command in (
        f"netns add {name}",
        f"link add {here} type veth peer name {there}",
        f"link set {there} netns {name}",
        f"addr add {gateway}/30 dev {here}",
        f"link set {here} up",
        f"-n {name} addr add {own}/30 dev {there}",
        f"-n {name} link set {there} up",
        f"-n {name} link set lo up",
    ):
        subprocess.run(["ip", *command.split()], check=True)
    inside = ["ip", "netns", "exec", name]
    with tempfile.TemporaryDirectory(prefix="twin-scale-worker-") as folder:
        url = engine.url
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "TWIN_DATABASE_URL": plain_url(engine).replace(f"@127.0.0.1:{url.port}/", f"@127.0.0.1:{port}/"),
            "TWIN_DATA_DIR": folder,
            "TWIN_RUN_DIR": folder,
            "TWIN_MACHINE": name,
        }
        words = [sys.executable, "-m", "bench.scale_relay", str(port), f"{gateway}:{url.port}", str(DELAY_MS)]
        relay = subprocess.Popen([*inside, *words], env=environment)
        core = str(number % (os.cpu_count() or 1))
        twin = str(Path(sys.executable).with_name("twin"))
        worker = subprocess.Popen(
            [*inside, "taskset", "-c", core, twin, "worker", "--members"],
            env=environment, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        try:
            yield Place(name, here, worker, relay)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)
            relay.kill()
            worker.wait()
            relay.wait()
            subprocess.run(["ip", "netns", "del", name], check=False)
            subprocess.run(["ip", "link", "del", here], check=False, stderr=subprocess.DEVNULL)


def _await_workers(engine: Engine, size: int) -> None:
    end = time.monotonic() + _READY_S
    while time.monotonic() < end:
        with engine.connect() as connection:
            if count_workers(connection, seen_within_s=10.0) >= size:
                return
        time.sleep(0.2)
    raise RuntimeError(f"{size} workers did not begin within {_READY_S:.0f} s")


def _await_helpers(engine: Engine, board: Board, size: int) -> None:
    """Let every helper begin: each computes something first, for its processes to be there."""
    for number in range(1_000_000, 1_000_000 + size):
        board.offer(number, "warm up", 2.0)
    end = time.monotonic() + _READY_S
    waiting = set(range(1_000_000, 1_000_000 + size))
    while waiting:
        waiting.difference_update(number for number, _ in board.collect(sorted(waiting)))
        if time.monotonic() > end:
            raise RuntimeError("helpers did not begin")
        time.sleep(0.1)
    with engine.begin() as connection:
        connection.execute(text("delete from run.member where run_id = :id"), {"id": board.run_id})

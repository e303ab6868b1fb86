"""A town with everything real: its own database, servers and workers as processes, a balancer before the servers."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
from sqlalchemy import Engine, text

from layers.registry import read_vector_layer
from layers.store.cluster import Cluster, start_cluster, stop_cluster
from layers.store.engine import open_engine
from layers.store.features import upsert_features
from layers.store.migrate import migrate
from layers.store.rasters import list_rasters, register_raster, write_cog
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from layers.store.sensing.writing import insert_observations
from tests.commands import TwinProcess, start_twin
from tests.folders import make_folder
from tests.ports import find_port
from tests.twin.conftest import make_city, make_tide
from tests.whole_twin import ROOT
from twin.queue import defer_run
from twin.runs import submit_run
from twin.settings import Settings
from twin.store import RunRow, read_run

PATIENCE_S = 300.0
STALLED_S = 2.0
Process = TwinProcess | subprocess.Popen[bytes]


def wait_for(done: Callable[[], object], what: str) -> None:
    """Return when ``done``; fail, saying ``what`` was waited for. A busy machine may take its time."""
    end = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.05)


class Plant:
    """The town below a folder of its own; all processes it started end with it."""

    def __init__(self) -> None:
        self.folder = make_folder("twin-faults-")
        self.cluster = Cluster(self.folder / "postgres")
        self.url = start_cluster(self.cluster.folder)
        self.engine: Engine = open_engine(self.url)
        self.settings = Settings(database_url=self.url, data_dir=self.folder / "data", run_dir=self.folder / "run")
        self._children: list[Process] = []
        self._worker: Process | None = None
        self.servers: dict[int, Process] = {}
        declaration: dict[str, object] = {
            "id": "test",
            "crs": "EPSG:5897",
            "main_gauge": "S1",
            "title": {"vi": "Thử", "en": "Test"},
        }
        migrate(self.engine, "test", "EPSG:5897", declaration)
        self._fill()

    def _fill(self) -> None:
        city = make_city()
        array, grid = city.rasters["terrain"]
        write_cog(self.settings.processed_dir / "terrain.tif", array, grid)
        times = np.arange(time.time() - 30 * 86400.0, time.time(), 600.0)
        with self.engine.begin() as connection:
            for layer_id, frame in city.layers.items():
                upsert_features(connection, read_vector_layer(layer_id), frame, source_id="tiny")
            register_raster(
                connection, raster_id="terrain", layer_id="terrain", run_id=None, path="terrain.tif", times=None,
                bounds_crs84=(105.7, 10.0, 105.8, 10.1), minimum=-6.0, maximum=3.0, source_id="tiny", fingerprint="abc",
            )  # fmt: skip
            upsert_datastreams(connection, [Datastream("S1.stage", "S1", "stage", "m", "Mực nước", "Stage")], "tiny")
            moments = [datetime.fromtimestamp(at, UTC) for at in times]
            readings = {"datastream_id": "S1.stage", "phenomenon_time": moments, "result": make_tide(times)}
            insert_observations(connection, pd.DataFrame(readings))

    def start(self, *words: str, log: str, **settings: str) -> Process:
        """Start ``twin …`` as a process of its own."""
        environment = {
            **os.environ,
            "TWIN_DATABASE_URL": self.url,
            "TWIN_DATA_DIR": str(self.settings.data_dir),
            "TWIN_RUN_DIR": str(self.folder / "run"),
            "TWIN_LOOP_MINUTES": "0",
            # Longer than a look of the balancer takes on a busy machine.
            "TWIN_LEAVE_SECONDS": "2",
            **settings,
        }
        path = self.folder / f"{log}.log"
        child: Process
        if "LD_PRELOAD" in settings:
            # A library that is loaded before others needs a program that starts anew.
            with path.open("ab") as out:
                command = [sys.executable, "-m", "twin", *words]
                child = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
        else:
            child = start_twin(*words, settings=environment, log=path)
        self._children.append(child)
        return child

    def start_server(self, port: int, *words: str, **settings: str) -> Process:
        """Start a server; it need not answer yet."""
        return self.start("serve", "--port", str(port), *words, log=f"serve-{port}", **settings)

    def start_worker(self, *words: str, **settings: str) -> Process:
        """Start a worker whose silence is noticed soon."""
        return self.start("worker", "--stalled-after", str(STALLED_S), *words, log="worker", **settings)

    def take_worker(self) -> Process:
        """Return the worker that lives, or a new one."""
        if self._worker is None or self._worker.poll() is not None:
            self._worker = self.start_worker()
        return self._worker

    def end_worker(self) -> None:
        """End the worker that lives, if any."""
        if self._worker is not None and self._worker.poll() is None:
            self.end(self._worker)

    def take_servers(self, count: int = 1) -> list[int]:
        """Return the ports of so many servers that live."""
        fresh = [find_port() for _ in range(count - len(self.servers))]
        for port in fresh:
            self.servers[port] = self.start_server(port)
        await_ready(*fresh)
        return list(self.servers)[:count]

    def read_log(self, name: str) -> str:
        """Return what a process said."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def break_database(self) -> None:
        """Shut the database down at once, as a power cut would."""
        stop_cluster(self.cluster.folder, mode="immediate")

    def start_database(self) -> None:
        """Start it again where it was."""
        assert start_cluster(self.cluster.folder) == self.url

    def ask(self, process: str, inputs: Mapping[str, object]) -> str:
        """Enter a run into the queue and return its id."""
        run_id = submit_run(self.engine, process, inputs)
        defer_run(self.engine, run_id)
        return run_id

    def read_run(self, run_id: str) -> RunRow:
        """Return the record of a run."""
        with self.engine.connect() as connection:
            return read_run(connection, run_id)

    def read_error(self, run_id: str) -> dict[str, str]:
        """Return why a run failed."""
        return self.read_run(run_id).error or {}

    def list_rasters(self, run_id: str) -> list[str]:
        """Return the layers of the rasters a run has, each of which is a file."""
        with self.engine.connect() as connection:
            rows = list_rasters(connection, run_id=run_id)
        assert all((self.settings.processed_dir / row.path).exists() for row in rows)
        return sorted(row.layer for row in rows)

    def list_leftovers(self) -> list[str]:
        """Return the work folders that runs left."""
        return sorted(path.name for path in (self.settings.processed_dir / "runs").glob(".*"))

    def read_value(self, sql: str) -> object:
        """Return the one value a query gives."""
        with self.engine.connect() as connection:
            return connection.execute(text(sql)).scalar()

    def write(self, sql: str, **values: object) -> None:
        """Carry out one statement and commit it."""
        with self.engine.begin() as connection:
            connection.execute(text(sql), values)

    def end(self, child: Process, number: signal.Signals = signal.SIGTERM) -> int:
        """Signal a process and return its exit code once it is gone."""
        child.send_signal(number)
        self._children.remove(child)
        return child.wait(PATIENCE_S)

    def close(self) -> None:
        """End everything and leave nothing."""
        for child in self._children:
            child.kill()
            child.wait()
        self.engine.dispose()
        stop_cluster(self.cluster.folder)
        shutil.rmtree(self.folder, ignore_errors=True)


def is_ready(port: int) -> bool:
    """Return whether the server at ``port`` says that it can serve."""
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5.0).status_code == 200
    return False


def await_ready(*ports: int) -> None:
    """Return when the servers at ``ports`` can serve."""
    wait_for(lambda: all(is_ready(port) for port in ports), f"servers at {ports} are ready")


class Balancer:
    """Passes connections on to the servers that say they are ready, in turn; looks at each ten times a second."""

    def __init__(self, ports: list[int]) -> None:
        self._ready = list(ports)
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port = int(self._socket.getsockname()[1])
        self._stop = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()
        for port in ports:
            threading.Thread(target=self._look, args=(port,), daemon=True).start()

    def close(self) -> None:
        """Stop passing on."""
        self._stop.set()
        self._socket.close()

    def _look(self, port: int) -> None:
        while not self._stop.wait(0.1):
            try:
                ready = httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=30.0).status_code == 200
            except httpx.HTTPError:
                ready = False
            if ready != (port in self._ready):
                self._ready = [*self._ready, port] if ready else [other for other in self._ready if other != port]

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            turn = 0
            while not self._stop.is_set():
                client, _ = self._socket.accept()
                turn += 1
                threading.Thread(target=self._pass_on, args=(client, turn), daemon=True).start()

    def _pass_on(self, client: socket.socket, turn: int) -> None:
        while not (ready := self._ready):
            time.sleep(0.05)
        with (
            client,
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", ready[turn % len(ready)])) as server,
        ):
            back = threading.Thread(target=_copy, args=(server, client), daemon=True)
            back.start()
            _copy(client, server)
            back.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


class Asking:
    """Threads that ask until stopped; ``answers`` are (seconds since the start, status or why, seconds it took)."""

    def __init__(self, port: int, paths: list[str], *, threads: int = 3) -> None:
        self.answers: list[tuple[float, int | str, float]] = []
        self._base, self._paths = f"http://127.0.0.1:{port}", paths
        self._began, self._stop = time.monotonic(), threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def _ask(self) -> None:
        with httpx.Client(base_url=self._base, timeout=30.0) as client:
            number = 0
            while not self._stop.is_set():
                path, number = self._paths[number % len(self._paths)], number + 1
                asked = time.monotonic()
                try:
                    status: int | str = client.get(path).status_code
                except httpx.ConnectError:
                    time.sleep(0.05)
                    continue
                except httpx.HTTPError as error:
                    status = f"{path}: {type(error).__name__} {error}"
                self.answers.append((asked - self._began, status, time.monotonic() - asked))

    def await_more(self, count: int, what: str) -> None:
        """Return when there are ``count`` more answers."""
        wanted = len(self.answers) + count
        wait_for(lambda: len(self.answers) >= wanted, what)

    def end(self) -> list[tuple[float, int | str, float]]:
        """Stop and return the answers: when asked [s], status or what happened, how long it took [s]."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        return sorted(self.answers, key=lambda answer: answer[0])


@contextlib.contextmanager
def mount_small(path: Path, size: str) -> Iterator[None]:
    """Give ``path`` a disk of its own of ``size`` (as 1m); whoever may not mount is skipped by ``can_mount``."""
    path.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=777", "tmpfs", str(path)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def can_mount() -> bool:
    """Return whether this machine lets us mount a disk."""
    if os.geteuid() != 0:
        return False
    with tempfile.TemporaryDirectory() as folder:
        try:
            with mount_small(Path(folder), "1m"):
                return True
        except (subprocess.CalledProcessError, OSError):
            return False

"""A twin whose parts are started again when they end, as by systemd, and what is done to them."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bench.cpu import list_family
from layers.store.cluster import find_running, start_cluster, stop_cluster
from tests.whole_twin import ROOT
from twin.sensors.broker import await_broker, build_command, name_broker, read_broker

LOOK_S, AGAIN_AFTER_S, END_WITHIN_S = 0.25, 1.0, 30.0
DATABASE_AWAY_S = 5.0
SERVER, WORKER, BROKER = "serve --workers 2", "worker", "broker"
COMMANDS = (WORKER, SERVER, "alarms watch", "warnings send", "sensors ingest", "sensors simulate")


@dataclass
class Town:
    """The parts of a twin below ``state_dir``, run with ``environment``; ``restarts`` counts those that ended."""

    state_dir: Path
    environment: dict[str, str]
    restarts: Counter[str] = field(default_factory=Counter)
    _parts: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)

    def start(self) -> str:
        """Start everything and return the URL of the database."""
        url = start_cluster(self.state_dir / "postgres")
        # Parts that were told of no database would start it themselves.
        self.environment["TWIN_DATABASE_URL"] = url
        self._start(BROKER)
        broker = read_broker(name_broker(self.state_dir))
        assert broker is not None
        await_broker(broker, self._parts[BROKER])
        for name in COMMANDS:
            self._start(name)
        threading.Thread(target=self._keep, daemon=True).start()
        return url

    def stop(self) -> None:
        """End everything."""
        self._stop.set()
        for part in self._parts.values():
            part.terminate()
        for part in self._parts.values():
            try:
                part.wait(END_WITHIN_S)
            except subprocess.TimeoutExpired:
                part.kill()
                part.wait()
        stop_cluster(self.state_dir / "postgres")

    def list_processes(self) -> dict[str, tuple[int, ...]]:
        """Return the processes of each part, the first of a name being its own."""
        named = {name: list_family(part.pid) for name, part in list(self._parts.items()) if part.poll() is None}
        if find_running(self.state_dir / "postgres") is not None:
            pid = int((self.state_dir / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
            named["database"] = list_family(pid)
        return named

    def kill_worker(self) -> None:
        """Kill the worker without a word."""
        self._parts[WORKER].kill()

    def replace_servers(self) -> None:
        """Let the server replace its processes, one after another."""
        self._parts[SERVER].send_signal(signal.SIGHUP)

    def restart_broker(self) -> None:
        """End the broker; it is started again."""
        self._parts[BROKER].terminate()

    def restart_database(self) -> None:
        """Break the database down, and start it again some seconds later."""
        stop_cluster(self.state_dir / "postgres", mode="immediate")
        time.sleep(DATABASE_AWAY_S)
        start_cluster(self.state_dir / "postgres")

    def _start(self, name: str) -> None:
        command = build_command(name_broker(self.state_dir)) if name == BROKER else [sys.executable, "-m", "twin"]
        words = [] if name == BROKER else name.split()
        with (self.state_dir / f"soak-{name.split(' --')[0].replace(' ', '-')}.log").open("ab") as log:
            self._parts[name] = subprocess.Popen(
                [*command, *words], cwd=ROOT, env={**os.environ, **self.environment}, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log,
            )  # fmt: skip

    def _keep(self) -> None:
        while not self._stop.wait(LOOK_S):
            for name, part in list(self._parts.items()):
                if part.poll() is not None:
                    self.restarts[name] += 1
                    if not self._stop.wait(AGAIN_AFTER_S):
                        self._start(name)

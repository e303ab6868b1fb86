"""The counters of a server of several processes are one, whichever of them is asked, also when one dies."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.conftest import ROOT
from tests.ports import find_port
from twin.settings import Settings

ROUTE, TIMES = "/api/conformance", 24


def wait_for(ready: Callable[[], bool], what: str, within_s: float = 90.0) -> None:
    deadline = time.monotonic() + within_s
    while not ready():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def read_figure(base: str, name: str, **labels: str) -> float:
    """Return the sum of the samples of a name that have the labels; each request is a connection of its own."""
    told = httpx.get(f"{base}/metrics").raise_for_status().text
    return sum(
        sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


def is_up(base: str) -> bool:
    try:
        return httpx.get(f"{base}/healthz", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def list_children(pid: int) -> list[int]:
    """Return the processes of a server that answer: those that hold its listening socket through a spawn."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_text()
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            if parent == pid and "spawn_main" in words:
                found.append(int(entry.name))
    return found


def test_counts_of_all_processes_are_one(settings: Settings, tmp_path: Path) -> None:
    port = find_port()
    base = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ, "TWIN_DATABASE_URL": str(settings.database_url), "TWIN_DATA_DIR": str(settings.data_dir),
        "TWIN_RUN_DIR": str(tmp_path), "TWIN_WEB_DIR": str(settings.web_dir),
    }  # fmt: skip
    command = [sys.executable, "-m", "twin", "serve", "--workers", "2", "--port", str(port)]
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        wait_for(lambda: is_up(base), "the server answers")
        wait_for(
            lambda: len(list((tmp_path / "counters" / str(port)).glob("counter_*.db"))) == 2, "both processes count"
        )
        for _ in range(TIMES):
            assert httpx.get(f"{base}{ROUTE}").status_code == 200
        counted = {read_figure(base, "twin_requests_total", route=ROUTE, status="200") for _ in range(6)}
        assert counted == {TIMES}
        assert read_figure(base, "twin_pool_connections", state="limit") > 0
        os.kill(list_children(server.pid)[0], signal.SIGKILL)
        wait_for(lambda: is_up(base), "the server answers with one process less")
        assert read_figure(base, "twin_requests_total", route=ROUTE, status="200") == TIMES
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=30)

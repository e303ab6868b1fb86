"""Starting everything, and the doctor: what is refused or missing is one line, and nothing is left behind."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.commands import run_twin


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="twin-up-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def call(folder: Path, *words: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """Run a ``twin`` command with a state of its own."""
    given = {"TWIN_RUN_DIR": f"{folder}/run", "TWIN_DATA_DIR": f"{folder}/data", **settings}
    (folder / "data").mkdir(exist_ok=True)
    return run_twin(*words, settings={**os.environ, **given})


def test_a_taken_port_is_one_line_and_starts_nothing(folder: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = call(folder, "up", TWIN_PORT=str(port))
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"twin: port {port} is taken by another program — choose another: TWIN_PORT={port + 1} make run"
    ]
    assert not (folder / "run" / "postgres").exists()
    assert not any((folder / "data").iterdir())


def test_the_doctor_names_what_is_missing_and_starts_nothing(folder: Path) -> None:
    done = call(folder, "doctor", "--json", TWIN_PORT="1")
    findings = {finding["name"]: finding for finding in json.loads(done.stdout)}
    assert done.returncode == 1
    assert findings["catalogue"]["verdict"] == "missing" and findings["catalogue"]["remedy"] == "twin demo"
    assert findings["PostGIS"]["verdict"] == "ok"
    assert findings["database"]["verdict"] == "optional"
    assert not (folder / "run").exists()


def test_the_whole_twin_is_ready(server_url: str) -> None:
    ready = httpx.get(f"{server_url}/readyz").json()
    assert ready["ready"] and {check["name"]: check["ok"] for check in ready["checks"]}["worker"]
    runs = httpx.get(f"{server_url}/api/runs").json()["runs"]
    assert [run["process"] for run in runs][-1:] == ["flood-forecast"] and runs[-1]["status"] == "successful"
    layers = [layer for theme in httpx.get(f"{server_url}/api/catalog").json()["themes"] for layer in theme["layers"]]
    counts = {layer["id"]: layer["count"] for layer in layers if layer["kind"] == "vector"}
    assert counts["buildings"] > 15_000 and counts["sensors"] > 10
    assert all(layer["synthetic"] for layer in layers if layer["kind"] == "vector" and layer["count"])

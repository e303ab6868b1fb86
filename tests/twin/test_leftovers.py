"""What a killed run leaves behind is found and ended; what is not ours is left alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from layers.errors import ConflictError
from twin.leftovers import end_leftovers, read_start, remember, take_lock


def start_sleeper() -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])


def test_children_of_a_killed_run_are_ended(tmp_path: Path) -> None:
    child = start_sleeper()
    remember(tmp_path, [child.pid])
    assert end_leftovers(tmp_path) == 1
    assert child.wait(5) != 0
    assert end_leftovers(tmp_path) == 0


def test_a_process_that_took_over_a_number_is_left_alone(tmp_path: Path) -> None:
    other = start_sleeper()
    started = read_start(other.pid)
    assert started is not None
    (tmp_path / "children.json").write_text(json.dumps([{"pid": other.pid, "started": started - 1}]))
    assert end_leftovers(tmp_path) == 0
    assert other.poll() is None
    other.kill()
    other.wait(5)


def test_only_one_runs_at_a_time(tmp_path: Path) -> None:
    held = take_lock(tmp_path)
    held.write(f"process {os.getpid()}, http://127.0.0.1:8000")
    held.flush()
    with pytest.raises(ConflictError, match=r"already running .*8000"):
        take_lock(tmp_path)
    held.close()
    take_lock(tmp_path).close()

"""What a killed run leaves behind: its children are found again by process id and start time, and ended."""

import fcntl
import json
import os
import signal
import time
from pathlib import Path
from typing import IO

from layers.errors import ConflictError


def take_lock(folder: Path) -> IO[str]:
    """Return the open lock of this installation; ConflictError when another ``twin up`` holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "up.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.seek(0)
        where = lock.read().strip() or "another terminal"
        raise ConflictError(f"the twin is already running ({where})", hint="stop it there with Ctrl-C first") from error
    return lock


def remember(folder: Path, pids: list[int]) -> None:
    """Write down the children of this run with their start times."""
    known = [{"pid": pid, "started": read_start(pid)} for pid in pids]
    (folder / "children.json").write_text(json.dumps(known))


def end_leftovers(folder: Path) -> int:
    """End the children an earlier, killed run left behind and return how many there were."""
    path = folder / "children.json"
    known = json.loads(path.read_text()) if path.exists() else []
    alive = [entry["pid"] for entry in known if entry["started"] and read_start(entry["pid"]) == entry["started"]]
    end_processes(alive)
    path.unlink(missing_ok=True)
    return len(alive)


def end_processes(pids: list[int], *, patience_s: float = 10.0) -> None:
    """Ask processes to end, wait ``patience_s`` seconds for them, then kill what is left."""
    for pid in pids:
        _signal(pid, signal.SIGTERM)
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline and any(_is_alive(pid) for pid in pids):
        time.sleep(0.05)
    for pid in pids:
        _signal(pid, signal.SIGKILL)


def read_start(pid: int) -> int | None:
    """Return the kernel's start time of a process, or None when there is no such process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


def _is_alive(pid: int) -> bool:
    return read_start(pid) is not None


def _signal(pid: int, number: signal.Signals) -> None:
    if _is_alive(pid):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return

"""CPU seconds of processes, read from /proc: those of a server and those of the PostgreSQL it writes to."""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import psycopg

_TICKS = os.sysconf("SC_CLK_TCK")
_UTIME, _STIME, _CUTIME, _CSTIME, _PARENT = 11, 12, 13, 14, 1
_SETTLE_S = 0.3


def measure_cpu(url: str, pids: Sequence[int], work: Callable[[], object]) -> float:
    """Return the CPU seconds of ``pids`` and of all processes of the database at ``url`` while ``work`` runs."""
    postmaster = find_postmaster(url)
    before = _sum_database(postmaster) + sum(_read(pid)[0] for pid in pids)
    work()
    # Writers behind the scenes finish what was committed.
    time.sleep(_SETTLE_S)
    return _sum_database(postmaster) + sum(_read(pid)[0] for pid in pids) - before


def find_postmaster(url: str) -> int:
    """Return the process of the cluster at ``url``, which must be on this machine."""
    with psycopg.connect(url) as connection:
        row = connection.execute("show data_directory").fetchone()
    assert row is not None
    return int((Path(row[0]) / "postmaster.pid").read_text().split()[0])


def list_family(pid: int) -> tuple[int, ...]:
    """Return ``pid`` and the processes it started, and those they started."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(FileNotFoundError, ProcessLookupError):
                parents[int(entry.name)] = _read(int(entry.name))[2]
    family = [pid]
    for member in family:
        family += [child for child, parent in parents.items() if parent == member]
    return tuple(family)


def _sum_database(postmaster: int) -> float:
    """Return the CPU seconds of the postmaster, its children, and those that ended."""
    own, ended, _ = _read(postmaster)
    total = own + ended
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                cpu, _, parent = _read(int(entry.name))
            except (FileNotFoundError, ProcessLookupError):
                continue
            if parent == postmaster:
                total += cpu
    return total


def _read(pid: int) -> tuple[float, float, int]:
    """Return the CPU seconds of a process, those of its children that ended, and its parent."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = int(fields[_UTIME]) + int(fields[_STIME])
    return own / _TICKS, (int(fields[_CUTIME]) + int(fields[_CSTIME])) / _TICKS, int(fields[_PARENT])

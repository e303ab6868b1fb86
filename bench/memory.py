"""Memory of processes, read from /proc: what is theirs alone and their part of what is shared."""

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from bench.cpu import find_postmaster, list_family

_SHARE = re.compile(r"^(Pss|Pss_Shmem):\s+(\d+) kB", re.MULTILINE)


def name_processes(state_dir: Path, url: str) -> dict[str, tuple[int, ...]]:
    """Return the processes of a running ``twin up`` by name, and those of its database at ``url``."""
    named: dict[str, list[int]] = {}
    for child in json.loads((state_dir / "children.json").read_text()):
        named.setdefault(_read_name(child["pid"]), []).extend(list_family(child["pid"]))
    named["database"] = list(list_family(find_postmaster(url)))
    return {name: tuple(pids) for name, pids in named.items()}


def measure_memory(processes: Mapping[str, Iterable[int]], *, segments: bool = True) -> dict[str, float]:
    """Return the memory of every group of processes [MB]; those that ended have none.

    ``segments``: with shared segments; those of a database are as large as they are set, and fill with time.
    """
    return {name: sum(_read_share(pid, segments) for pid in pids) for name, pids in processes.items()}


def read_available() -> int:
    """Return how much memory the machine could give to another program [B]."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))


def _read_name(pid: int) -> str:
    """Return the words of a ``twin`` command, or the name of another program."""
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        return " ".join(words[words.index("twin") + 1 :]).strip() if "twin" in words else Path(words[0]).name
    return "gone"


def _read_share(pid: int, segments: bool) -> float:
    with suppress(OSError):
        found = {name: int(size) / 1e3 for name, size in _SHARE.findall(Path(f"/proc/{pid}/smaps_rollup").read_text())}
        return found.get("Pss", 0.0) - (0.0 if segments else found.get("Pss_Shmem", 0.0))
    return 0.0

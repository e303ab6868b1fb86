"""Memory of processes, read from /proc: what is theirs alone and their part of what is shared."""

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from bench.cpu import find_postmaster, list_family

_SHARE = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)


def name_processes(state_dir: Path, url: str) -> dict[str, tuple[int, ...]]:
    """Return the processes of a running ``twin up`` by name, and those of its database at ``url``."""
    named: dict[str, list[int]] = {}
    for child in json.loads((state_dir / "children.json").read_text()):
        named.setdefault(_read_name(child["pid"]), []).extend(list_family(child["pid"]))
    named["database"] = list(list_family(find_postmaster(url)))
    return {name: tuple(pids) for name, pids in named.items()}


def measure_memory(processes: Mapping[str, Iterable[int]]) -> dict[str, float]:
    """Return the memory of every group of processes [MB]; those that ended have none."""
    return {name: sum(map(_read_share, pids)) for name, pids in processes.items()}


def _read_name(pid: int) -> str:
    """Return the words of a ``twin`` command, or the name of another program."""
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        return " ".join(words[words.index("twin") + 1 :]).strip() if "twin" in words else Path(words[0]).name
    return "gone"


def _read_share(pid: int) -> float:
    with suppress(OSError):
        found = _SHARE.search(Path(f"/proc/{pid}/smaps_rollup").read_text())
        return int(found.group(1)) / 1e3 if found else 0.0
    return 0.0

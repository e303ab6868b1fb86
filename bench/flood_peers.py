"""The peers of the flood bench: each in an environment of its own, made on first use, and each run a process.

None of them comes near the product's environment. What cannot be installed or run is left out, with the reason on
standard error.
"""

import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / ".run" / "bench"
_LONGEST = 1800.0
_VERSION = "import sys; print(*sys.version_info[:2])"

Measured = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Peer:
    """An engine to compare with: its name, the script that runs it, what to install, the oldest Python it takes."""

    name: str
    script: str
    requirement: str
    oldest: tuple[int, int] = (3, 11)


ITZI = Peer("itzi-core", "bench.peers.itzi_case", "itzi-core==0.8.0", (3, 12))
LANDLAB = Peer("landlab", "bench.peers.landlab_case", "landlab==2.11.0", (3, 12))
ANUGA = Peer("anuga", "bench.peers.anuga_case", "anuga==4.1.0")


class LeftOutError(Exception):
    """A peer that cannot be measured on this machine, and why."""


def run_peers(peers: tuple[Peer, ...], case: Measured) -> dict[str, Measured]:
    """Return what each of ``peers`` measured in ``case``, on one thread; those that fail are left out and named."""
    found: dict[str, Measured] = {}
    for peer in peers:
        try:
            found[peer.name] = run_process(prepare_environment(peer), peer.script, case)
        except LeftOutError as why:
            sys.stderr.write(f"flood bench: {peer.name} is left out: {why}\n")
    return found


def run_ours(case: Measured, *, script: str = "bench.flood_ours") -> Measured:
    """Return what our engine measured in ``case``, which says how many threads it may use."""
    return run_process(Path(sys.executable), script, case, threads=case["threads"])


def run_process(python: Path, script: str, case: Measured, *, threads: int = 1) -> Measured:
    """Run ``script`` as a module on ``case`` and return the figures it printed; raise LeftOutError where it fails."""
    own = {name: str(threads) for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    try:
        done = subprocess.run(
            [python, "-m", script],
            input=json.dumps(case),
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, **own},
            timeout=_LONGEST,
        )
    except subprocess.TimeoutExpired:
        raise LeftOutError(f"{script} took longer than {_LONGEST:g} s") from None
    if done.returncode:
        raise LeftOutError(f"{script} ended with {done.returncode}: {_last_line(done.stderr)}")
    measured: Measured = json.loads(_last_line(done.stdout))
    return measured


def prepare_environment(peer: Peer) -> Path:
    """Return the Python of the peer's environment, made and filled where it is not yet; raise LeftOutError."""
    folder = ENVIRONMENTS / peer.name
    python, ready = folder / "bin" / "python", folder / "installed.txt"
    if ready.exists() and ready.read_text(encoding="utf-8") == peer.requirement:
        return python
    sys.stderr.write(f"flood bench: installing {peer.requirement} into {folder.relative_to(ROOT)}\n")
    shutil.rmtree(folder, ignore_errors=True)
    _make_environment(folder, peer.oldest)
    _call([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", peer.requirement])
    ready.write_text(peer.requirement, encoding="utf-8")
    return python


def _make_environment(folder: Path, oldest: tuple[int, int]) -> None:
    """Make a virtual environment with pip on the first Python that is new enough."""
    if sys.version_info[:2] >= oldest:
        venv.create(folder, with_pip=True)
        return
    wanted = ".".join(str(part) for part in oldest)
    python = next((path for path in _list_pythons() if _read_version(path) >= oldest), None)
    if python:
        _call([python, "-m", "venv", folder])
    elif uv := shutil.which("uv"):
        _call([uv, "venv", "--quiet", "--seed", "--python", f">={wanted}", folder])
    else:
        raise LeftOutError(f"it needs Python {wanted} or newer, and neither that nor uv is on the path")


def _list_pythons() -> Iterator[Path]:
    """Yield the Pythons of the path, newest names first, and then those that pyenv keeps beside its shims."""
    for minor in range(20, 10, -1):
        if found := shutil.which(f"python3.{minor}"):
            yield Path(found)
    if pyenv := shutil.which("pyenv"):
        root = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=False).stdout.strip()
        yield from sorted(Path(root).glob("versions/3.*/bin/python"), reverse=True)


def _read_version(python: Path) -> tuple[int, ...]:
    """Return (3, 12) or the like; () of a name that does not run, such as the shim of a version manager."""
    told = subprocess.run([python, "-c", _VERSION], capture_output=True, text=True, check=False)
    return tuple(int(part) for part in told.stdout.split()) if told.returncode == 0 else ()


def _call(command: list[Path | str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LeftOutError(f"{' '.join(str(part) for part in command)}: {_last_line(done.stderr)}")


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no word"

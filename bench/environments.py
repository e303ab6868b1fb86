"""Environments of the peers: each of its own, made on first use, far from the product's.

What cannot be installed or run is left out, with the reason on standard error.
"""

import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / ".run" / "bench"
_VERSION = "import sys; print(*sys.version_info[:2])"


@dataclass(frozen=True, slots=True)
class Peer:
    """A program to compare with: its name, the module that runs it, what to install, the oldest Python it takes.

    ``requirement`` may name several packages, parted by spaces.
    """

    name: str
    script: str
    requirement: str
    oldest: tuple[int, int] = (3, 11)


class LeftOutError(Exception):
    """A peer that cannot be measured on this machine, and why."""


def prepare_environment(peer: Peer) -> Path:
    """Return the Python of the peer's environment, made and filled where it is not yet; raise LeftOutError."""
    folder = ENVIRONMENTS / peer.name
    python, ready = folder / "bin" / "python", folder / "installed.txt"
    if ready.exists() and ready.read_text(encoding="utf-8") == peer.requirement:
        return python
    sys.stderr.write(f"bench: installing {peer.requirement} into {folder.relative_to(ROOT)}\n")
    shutil.rmtree(folder, ignore_errors=True)
    _make_environment(folder, peer.oldest)
    _call([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *peer.requirement.split()])
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
        raise LeftOutError(f"{' '.join(str(part) for part in command)}: {read_last_line(done.stderr)}")


def read_last_line(text: str) -> str:
    """Return the last line of what a process printed."""
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no word"

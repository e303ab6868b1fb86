"""A board of members that several machines compute: tasks and results as files in a folder all of them reach.

A member belongs to whoever made its claim, a file that can be made once. Who works on one keeps touching its claim; one
that was not touched for a while is left, and somebody else may take it. Only for folders of our own: to read a task or
a result can run code.
"""

import contextlib
import os
import pickle
import secrets
from pathlib import Path
from typing import Any

from layers.errors import TwinError
from twin.parcel import read_parcel, write_parcel

LEFT_S = 30.0
"""A claim that was not touched for so long is left."""


class Board:
    """Tasks by number in one folder: offered, claimed, settled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self, home: str, compute: object) -> None:
        """Make the folder: ``home`` names the machine that offers, ``compute`` is the function of a module to call."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write("home", home.encode())
        self._write("compute", pickle.dumps(compute))

    def close(self) -> None:
        """Tell who helps that nothing more is wanted."""
        with contextlib.suppress(FileNotFoundError):
            self._write("closed", b"")

    @property
    def is_open(self) -> bool:
        """Whether somebody still waits for results."""
        return (self.folder / "compute").exists() and not (self.folder / "closed").exists()

    def read_home(self) -> str:
        """Return the machine that offers."""
        return (self.folder / "home").read_text()

    def read_compute(self) -> Any:
        """Return the function that computes a member."""
        return pickle.loads((self.folder / "compute").read_bytes())

    def offer(self, number: int, name: str, task: object) -> None:
        """Let anybody compute member ``number``."""
        self._write(f"{number}.task", pickle.dumps((name, task)))

    def list_open(self) -> list[int]:
        """Return the members nobody is at, in order."""
        found = {path.stem: path for path in self.folder.glob("*.task")}
        try:
            left = self._now() - LEFT_S
        except FileNotFoundError:
            return []
        for claim in self.folder.glob("*.claim"):
            with contextlib.suppress(FileNotFoundError):
                if claim.stat().st_mtime < left and not claim.with_suffix(".done").exists():
                    # Renamed by one of those who see it, so that not two of them take the member over.
                    aside = claim.with_name(f"{secrets.token_hex(8)}.left")
                    claim.rename(aside)
                    aside.unlink()
                else:
                    found.pop(claim.stem, None)
        return sorted(int(stem) for stem in found)

    def claim(self, number: int) -> tuple[str, Any] | None:
        """Return the name and task of a member that is now the caller's, or None where another was faster."""
        try:
            os.close(os.open(self.folder / f"{number}.claim", os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            return None
        name, task = pickle.loads((self.folder / f"{number}.task").read_bytes())
        return str(name), task

    def keep(self, number: int) -> None:
        """Say that the caller is still at the member."""
        with contextlib.suppress(FileNotFoundError):
            (self.folder / f"{number}.claim").touch()

    def settle(self, number: int, result: object) -> None:
        """Hand in what a member gave: its result, or the TwinError it ended with."""
        with contextlib.suppress(FileNotFoundError):
            fresh = self.folder / f"{secrets.token_hex(8)}.fresh"
            write_parcel(fresh, result)
            fresh.rename(self.folder / f"{number}.done")

    def collect(self, number: int) -> tuple[Any] | None:
        """Return (result,) of a member, or None while there is none; raise the TwinError it ended with."""
        path = self.folder / f"{number}.done"
        if not path.exists():
            return None
        result = read_parcel(path)
        path.unlink()
        if isinstance(result, TwinError):
            raise result
        return (result,)

    def _write(self, name: str, content: bytes) -> None:
        fresh = self.folder / f"{secrets.token_hex(8)}.fresh"
        fresh.write_bytes(content)
        fresh.rename(self.folder / name)

    def _now(self) -> float:
        """Return the time of the folder's own clock, which may be that of a file server [s]."""
        probe = self.folder / f"{secrets.token_hex(8)}.fresh"
        probe.touch()
        try:
            return probe.stat().st_mtime
        finally:
            probe.unlink(missing_ok=True)

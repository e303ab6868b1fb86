"""``twin …`` as a shell types it, in a process of its own that is forked from one which has imported the twin.

Starting Python and importing takes seconds each time; what a command does, prints and returns is the same.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from twin.cli import main
from twin.commands.table import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["twin.cli", *(entry.module for entry in COMMANDS.values()), "api.app"])


class TwinProcess:
    """A ``twin`` command that was started; its methods are those of ``subprocess.Popen``."""

    def __init__(self, command: list[str], settings: Mapping[str, str], given: Path, out: Path, err: Path) -> None:
        self._process = _FORKS.Process(target=_carry_out, args=(command, dict(settings), given, out, err))
        self._process.start()
        self.args = command
        assert self._process.pid is not None
        self.pid: int = self._process.pid

    def poll(self) -> int | None:
        """Return the exit code, minus the signal that ended it, None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code once it is over; ``subprocess.TimeoutExpired`` after ``timeout`` [s]."""
        self._process.join(timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal unless it is over."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Tell it to stop."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


def start_twin(*words: object, settings: Mapping[str, str], log: Path = Path(os.devnull)) -> TwinProcess:
    """Start a ``twin`` command with ``settings`` as its whole environment; what it says is added to ``log``."""
    log.open("ab").close()
    return TwinProcess(["twin", *map(str, words)], settings, Path(os.devnull), log, log)


def run_twin(
    *words: object, settings: Mapping[str, str], given: str = "", timeout: float = 300.0
) -> "subprocess.CompletedProcess[str]":
    """Run a ``twin`` command to its end, with ``given`` to read, and return what it said.

    Raises ``subprocess.TimeoutExpired`` after ``timeout`` [s].
    """
    command = ["twin", *map(str, words)]
    with tempfile.TemporaryDirectory(prefix="twin-command-") as name:
        read, out, err = (Path(name, stream) for stream in ("given", "out", "err"))
        read.write_text(given, encoding="utf-8")
        process = TwinProcess(command, settings, read, out, err)
        try:
            code = process.wait(timeout)
        finally:
            process.kill()
        return subprocess.CompletedProcess(command, code, *(one.read_text(encoding="utf-8") for one in (out, err)))


def _carry_out(command: list[str], settings: dict[str, str], given: Path, out: Path, err: Path) -> None:
    for number, path, mode in ((0, given, os.O_RDONLY), (1, out, os.O_WRONLY), (2, err, os.O_WRONLY)):
        opened = os.open(path, mode | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    os.environ.clear()
    os.environ.update(settings)
    os.chdir(ROOT)
    sys.argv = command
    main()

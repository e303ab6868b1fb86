"""The whole twin as a user starts it: database, demo city, first forecast, worker and server."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.ports import find_port

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN_S = 900.0


@contextlib.contextmanager
def run_whole_twin(**settings: str) -> Iterator[str]:
    """Run ``twin up`` in a folder of its own with further ``settings`` and give its address; nothing is left behind."""
    with start_whole_twin(**settings) as (address, _):
        yield address


@contextlib.contextmanager
def start_whole_twin(parent: Path | None = None, /, **settings: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Do the same below ``parent`` and also give the environment in which commands reach that twin."""
    folder = Path(tempfile.mkdtemp(prefix="twin-up-", dir=parent))
    folder.chmod(0o755)
    port = find_port()
    own = {
        "TWIN_RUN_DIR": f"{folder}/run",
        "TWIN_DATA_DIR": f"{folder}/data",
        "TWIN_PORT": str(port),
        "TWIN_LOOP_MINUTES": "0",
    }
    log = folder / "up.log"
    with log.open("wb") as out:
        command = [sys.executable, "-m", "twin", "up"]
        twin = subprocess.Popen(command, stdout=out, stderr=out, cwd=ROOT, env={**os.environ, **own, **settings})
    try:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + READY_WITHIN_S
        while address not in log.read_text(errors="replace"):
            if twin.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"twin up did not start: {log.read_text(errors='replace')}")
            time.sleep(0.5)
        yield address, {**os.environ, **own, **settings}
    finally:
        twin.send_signal(signal.SIGINT)
        try:
            twin.wait(60)
        finally:
            twin.kill()
            shutil.rmtree(folder, ignore_errors=True)

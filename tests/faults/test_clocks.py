"""A machine whose clock jumps, a day ahead and two back: nothing is done twice, nothing waits for the time to come."""

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.faults.plant import Plant, await_ready, wait_for
from tests.ports import find_port

LIBRARY = next(iter(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")), None)
pytestmark = pytest.mark.skipif(LIBRARY is None, reason="libfaketime is not installed")
SHORT = {"stage_level": 2.0, "ramp_hours": 1.0, "horizon_hours": 3.0}


def test_a_clock_that_jumps_stops_nothing_and_starts_nothing_twice(plant: Plant) -> None:
    clock = plant.folder / "clock"
    clock.write_text("+0\n")
    faked = {
        "LD_PRELOAD": str(LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(clock), "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
        # Caches of compiled code are known by the times of files.
        "NO_FAKE_STAT": "1",
    }  # fmt: skip
    plant.end_worker()
    port = find_port()
    children = [
        plant.start_server(port, **faked),
        plant.start_worker(**faked),
    ]
    await_ready(port)
    for jump in ("+1d", "-1d"):
        clock.write_text(f"{jump}\n")
        run_id = plant.ask("flood-scenario", SHORT)
        wait_for(partial(is_over, plant, run_id), f"a run is carried out ({jump})")
        assert plant.read_run(run_id).attempts == 1
        assert httpx.get(f"http://127.0.0.1:{port}/sensors/latest", timeout=30.0).status_code == 200
        assert send_future(port) == "future"
    assert all(child.poll() is None for child in children)
    for child in children:
        plant.end(child)


def is_over(plant: Plant, run_id: str) -> bool:
    """Return whether a run was carried out."""
    return plant.read_run(run_id).status == "successful"


def send_future(port: int) -> str:
    """Send a reading of the day after tomorrow, and return what became of it."""
    later = (datetime.now(UTC) + timedelta(days=2)).timestamp()
    record = [{"n": "S1.stage", "t": later, "v": 1.0}]
    answer = httpx.post(f"http://127.0.0.1:{port}/sensors/telemetry/senml", json=record, timeout=30.0)
    (refused,) = answer.json()["refusals"]
    return str(refused["code"])

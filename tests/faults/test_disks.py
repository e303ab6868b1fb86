"""Disks that are full: what cannot be written is said so, nothing half is left, and all goes on when there is room."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import numpy as np
import pytest

from layers.errors import DiskFullError
from layers.grid import Grid
from layers.store.rasters import write_cog
from tests.faults.plant import Plant, can_mount, mount_small, wait_for
from twin.sensors.message import Message
from twin.sensors.spill import Spill

pytestmark = pytest.mark.skipif(not can_mount(), reason="no disk may be mounted here: it needs root")
SHORT = {"stage_level": 2.0, "ramp_hours": 1.0, "horizon_hours": 3.0}


@pytest.fixture
def small(plant: Plant) -> Iterator[Path]:
    """A disk of a megabyte."""
    folder = plant.folder / "small"
    with mount_small(folder, "1m"):
        yield folder


def fill(folder: Path) -> Path:
    """Take all room below a folder, and return the file that has it."""
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(folder).free)
    return ballast


def test_a_run_without_room_for_its_results_fails_with_a_word(plant: Plant) -> None:
    runs = plant.settings.processed_dir / "runs"
    plant.take_worker()
    with mount_small(runs, "1m"):
        run_id = plant.ask("flood-scenario", SHORT)
        wait_for(lambda: plant.read_run(run_id).status == "failed", "the run has failed")
        error = plant.read_error(run_id)
        assert error["code"] == "disk-full" and "no room on the disk" in error["message"]
        assert list(runs.iterdir()) == [] and plant.list_rasters(run_id) == []
    again = plant.ask("flood-scenario", SHORT)
    wait_for(lambda: plant.read_run(again).status == "successful", "there is room again")


@pytest.mark.parametrize("size", [100, 500, 1200])
def test_a_raster_is_whole_or_not_there(small: Path, size: int) -> None:
    array = np.random.default_rng(1).normal(size=(size, size)).astype(np.float32)
    path = small / "depth.tif"
    if size == 100:
        write_cog(path, array, Grid(size, size, 0.0, 0.0, 1.0, "EPSG:5897"))
        assert path.exists()
        return
    with pytest.raises(DiskFullError, match=r"no room on the disk for depth\.tif"):
        write_cog(path, array, Grid(size, size, 0.0, 0.0, 1.0, "EPSG:5897"))
    assert list(small.iterdir()) == []


def test_a_spill_without_room_keeps_what_it_said_it_has(small: Path) -> None:
    spill = Spill(small / "spill", 100_000_000)
    sent, taken = 0, []
    ballast = fill(small)
    ballast.open("r+b").truncate(ballast.stat().st_size // 2)

    def send(count: int) -> list[bool]:
        nonlocal sent
        told = []
        for _ in range(count):
            body = f"{sent:06d}".encode() * 3_000
            told.append(spill.append([Message("t", body, datetime.now(UTC), "mqtt")]))
            sent += told[-1]
        return told

    assert not all(send(60)) and sent > 5
    # While nothing can be written, what is there can still be taken back.
    for message in spill.peek(3, 10**9):
        taken.append(message.payload)
    spill.drop()
    ballast.unlink()
    assert all(send(10))
    spill.close()
    spill = Spill(small / "spill", 100_000_000)
    while found := spill.peek(100, 10**9):
        taken += [message.payload for message in found]
        spill.drop()
    numbers = [int(body[:6]) for body in taken]
    assert sorted(set(numbers)) == list(range(sent)), "nothing that was taken is lost"
    assert all(len(body) == 18_000 for body in taken)


def test_a_database_without_room_can_still_be_read(plant: Plant, small: Path) -> None:
    base = f"http://127.0.0.1:{plant.take_servers()[0]}"
    shutil.chown(small, (plant.cluster.data).owner(), (plant.cluster.data).group())
    with plant.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"create tablespace small location '{small}'")
        connection.exec_driver_sql("alter table city.stops set tablespace small")
    try:
        assert post(base, "first").status_code == 201
        ballast = fill(small)
        answers = [post(base, f"s{number:04d}") for number in range(60)]
        refused = [answer for answer in answers if answer.status_code != 201]
        assert {answer.status_code for answer in refused} == {507}
        assert refused[0].json()["type"] == "urn:twin:problem:disk-full"
        assert httpx.get(f"{base}/api/collections/stops/items/first").status_code == 200
        ballast.unlink()
        assert post(base, "last").status_code == 201
        assert plant.read_value("select count(*) from city.stops") == 2 + len(answers) - len(refused)
    finally:
        with plant.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("alter table city.stops set tablespace pg_default")
            connection.exec_driver_sql("drop tablespace small")


def post(base: str, name: str) -> httpx.Response:
    """Enter a stop whose row takes a good part of a page."""
    item = {
        "type": "Feature", "id": name, "geometry": {"type": "Point", "coordinates": [105.78, 10.03]},
        "properties": {"name": name * 200},
    }  # fmt: skip
    return httpx.post(f"{base}/api/collections/stops/items", json=item, timeout=30.0)

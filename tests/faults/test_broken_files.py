"""Raster files that are cut short or overwritten: who asks for one is told which, the others are served."""

import httpx
import numpy as np
import pytest

from layers.grid import Grid
from layers.store.rasters import register_raster, write_cog
from tests.faults.plant import Plant

X0, Y0 = 586_000.0, 1_109_000.0


@pytest.fixture(scope="module")
def base(plant: Plant) -> str:
    """Address of a server with three rasters of a layer: one whole, one cut short, one of garbage."""
    array = np.random.default_rng(1).normal(1.0, 0.3, size=(600, 600)).astype(np.float32)
    for name in ("whole", "cut", "garbage"):
        path = plant.settings.processed_dir / f"{name}.tif"
        write_cog(path, array, Grid(600, 600, X0, Y0, 5.0, "EPSG:5897"))
        with plant.engine.begin() as connection:
            register_raster(
                connection, raster_id=name, layer_id="flood_depth_max", run_id=None, path=f"{name}.tif", times=None,
                bounds_crs84=(105.78, 10.0, 105.82, 10.03), minimum=0.0, maximum=2.0, source_id="tiny",
                fingerprint=name,
            )  # fmt: skip
    with (plant.settings.processed_dir / "cut.tif").open("r+b") as file:
        file.truncate(plant.settings.processed_dir.joinpath("cut.tif").stat().st_size // 2)
    (plant.settings.processed_dir / "garbage.tif").write_bytes(b"II*\0" + np.random.default_rng(2).bytes(5000))
    return f"http://127.0.0.1:{plant.take_servers()[0]}"


ASKED = (
    "/tiles/raster/{}/preview.png",
    "/tiles/raster/{}/17/104060/61875.png",
    "/api/collections/{}/coverage",
    "/api/collections/{}/position?coords=POINT(105.80 10.015)",
)


@pytest.mark.parametrize("path", ASKED)
@pytest.mark.parametrize("name", ["cut", "garbage"])
def test_a_broken_raster_is_named(base: str, name: str, path: str) -> None:
    assert httpx.get(base + path.format("whole"), timeout=30.0).status_code == 200
    answer = httpx.get(base + path.format(name), timeout=30.0)
    assert answer.status_code == 503
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["type"] == "urn:twin:problem:broken-file"
    assert f"{name}.tif" in answer.json()["detail"]

"""The rasters a run hands back that follow from its water: stage, hazard class, durations."""

from datetime import UTC, datetime

import numpy as np
import pytest

from layers.grid import Grid
from layers.registry import RASTER_LAYERS
from twin.processes.flood_inputs import FloodDomain
from twin.processes.flood_run import DURATION_LAYERS, FloodWater, to_rasters

GRID = Grid(1, 4, 0.0, 10.0, 10.0, "EPSG:5897")


def row(*values: float) -> np.ndarray:
    return np.array([values], dtype=np.float32)


def make(durations: dict[float, np.ndarray]) -> dict[str, np.ndarray]:
    """Dry, 0.2 m of slow water, 0.4 m at 2 m/s whose peaks do not meet, and river."""
    depth = row(0.0, 0.2, 0.4, np.nan)
    water = FloodWater(
        np.array([0.0]), depth[None], depth, row(0.0, 0.1, 2.0, np.nan), row(0.0, 0.02, 0.5, np.nan), row(0, 0, 0, 0),
        {}, {}, 1, durations,
    )  # fmt: skip
    nothing, no = np.zeros(GRID.shape), np.zeros(GRID.shape, dtype=np.bool_)
    domain = FloodDomain(GRID, np.full(GRID.shape, 1.5), nothing, nothing, nothing, no, no, ())
    return {name: found.array for name, found in to_rasters(water, domain, datetime(2026, 1, 1, tzinfo=UTC)).items()}


def test_stage_and_hazard_class_follow_from_depth_and_speed() -> None:
    found = make({})
    assert found["flood_stage_max"] == pytest.approx(row(np.nan, 1.7, 1.9, np.nan), nan_ok=True)
    # 0.02 m²/s: H1; 0.5 m²/s in 0.4 m at 2 m/s: H2.
    assert found["flood_hazard_class"] == pytest.approx(row(0.0, 1.0, 2.0, np.nan), nan_ok=True)
    assert not set(found) & set(DURATION_LAYERS.values())
    assert set(found) <= set(RASTER_LAYERS)


def test_durations_are_written_where_the_engine_counts_them() -> None:
    counted = {depth: row(0.0, 60.0, depth, np.nan) for depth in DURATION_LAYERS}
    found = make(counted)
    for depth, name in DURATION_LAYERS.items():
        np.testing.assert_array_equal(found[name], counted[depth])
        assert RASTER_LAYERS[name].quantity == "duration"

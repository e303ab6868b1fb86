"""The engine of coarse cells in the city: the flood of the grid, restarts, what is kept and what is refused."""

import os
from pathlib import Path

import numpy as np
import pytest

from layers.errors import InputError
from tests.twin.conftest import Interrupted
from twin.derived import keep_arrays
from twin.process import Arrays, Outputs, Quiet, StoppedError, parse_inputs
from twin.processes.flood_run import warm_up
from twin.processes.flood_scenario import FloodScenarioInputs, prepare_scenario
from twin.processes.flood_steps import PARAMETERS, run_case
from twin.registry import PROCESSES

COARSE = {"engine": "subgrid", "subgrid_factor": 4}
STORM = {"stage_level": 2.0, "ramp_hours": 1.0, "storm_depth": 60.0, "storm_hours": 1.0}


def compute(city, progress: Quiet | None = None, process_id: str = "flood-scenario", **values: object) -> Outputs:
    process = PROCESSES[process_id]
    return process.compute(city, parse_inputs(process, {"horizon_hours": 4.0, **values}), progress or Quiet())


def test_it_is_the_flood_of_the_grid(city) -> None:
    fine, coarse = compute(city, **STORM), compute(city, **STORM, **COARSE)
    assert set(coarse.rasters) == set(fine.rasters)
    for name, raster in fine.rasters.items():
        assert coarse.rasters[name].array.shape == raster.array.shape
        assert coarse.rasters[name].array.dtype == np.float32
    there, here = (np.nan_to_num(found.rasters["flood_depth_max"].array) for found in (fine, coarse))
    assert np.sqrt(np.mean((here - there)[there > 0.05] ** 2)) < 0.03
    assert coarse.summary["flooded_area"] == pytest.approx(fine.summary["flooded_area"], rel=0.05)
    assert coarse.balance["rain"] == pytest.approx(fine.balance["rain"], rel=0.05)
    assert abs(coarse.balance["relative_error"]) < 1e-9
    spans = [np.nan_to_num(found.rasters["flood_duration_03"].array) for found in (fine, coarse)]
    assert np.abs(spans[1] - spans[0]).mean() < 300.0
    assert (coarse.parameters["engine"], coarse.parameters["subgrid_factor"]) == ("subgrid", 4)
    assert (fine.parameters["engine"], fine.parameters["subgrid_factor"]) == ("grid", None)
    assert set(coarse.parameters["structures"]) == set(fine.parameters["structures"])


def test_a_breach_lets_it_in(city) -> None:
    # Walls right down to the canal, and no way in but the breach.
    city.layers["dykes"] = city.layers["dykes"].assign(crest_elevation=3.0)
    array, _ = city.rasters["terrain"]
    array[22:, 6:8] = array[17, 6:8] = 3.0
    level = {"stage_level": 2.0, "ramp_hours": 1.0, "pumps_off": ["P1"], "gates_closed": ["G1"]}
    gap = {"breaches": [{"dyke_id": "D1", "width": 30.0}]}
    fine, coarse = compute(city, **level, **gap), compute(city, **level, **gap, **COARSE)
    whole = compute(city, **level, **COARSE)
    assert coarse.summary["flooded_area"] == pytest.approx(fine.summary["flooded_area"], rel=0.1)
    assert whole.summary["flooded_area"] == 0.0


def test_the_forecast_runs_on_it_too(city) -> None:
    outputs = compute(city, process_id="flood-forecast", horizon_hours=6.0, **COARSE)
    assert outputs.parameters["engine"] == "subgrid"
    assert outputs.summary["flooded_area"] >= 0.0


def test_the_city_keeps_the_tables_and_makes_them_once(city) -> None:
    first = compute(city, **STORM, **COARSE)
    (kept,) = city.kept
    # An entry that no table has shows that what was kept is what is read.
    assert kept.startswith("subgrid/")
    city.kept[kept] = {**city.kept[kept], "seen": np.zeros(1)}
    with pytest.raises(TypeError, match="seen"):
        compute(city, **STORM, **COARSE)
    del city.kept[kept]["seen"]
    again = compute(city, **STORM, **COARSE)
    np.testing.assert_array_equal(again.rasters["flood_depth"].array, first.rasters["flood_depth"].array)
    compute(city, **STORM, engine="subgrid", subgrid_factor=5)
    assert len(city.kept) == 2


def test_an_interrupted_run_ends_as_if_it_never_was(city) -> None:
    progress = Interrupted(0.6)
    with pytest.raises(StoppedError):
        compute(city, progress, **STORM, **COARSE)
    progress.after = 2.0
    resumed, whole = compute(city, progress, **STORM, **COARSE), compute(city, **STORM, **COARSE)
    for name, raster in whole.rasters.items():
        np.testing.assert_array_equal(raster.array, resumed.rasters[name].array, err_msg=name)
    assert resumed.balance == pytest.approx(whole.balance, abs=1e-3)
    # The grid does not go on from it.
    progress = Interrupted(0.6)
    with pytest.raises(StoppedError):
        compute(city, progress, **STORM, **COARSE)
    progress.after = 2.0
    grid = compute(city, progress, **STORM)
    np.testing.assert_array_equal(
        grid.rasters["flood_depth_max"].array, compute(city, **STORM).rasters["flood_depth_max"].array
    )


def test_water_that_was_warmed_up_begins_with_nothing_remembered(city) -> None:
    inputs = FloodScenarioInputs(**STORM, **COARSE, horizon_hours=2.0)
    case = prepare_scenario(city, inputs)
    past = case.stage.shift(0.0)
    early = type(past)(past.times - 3600.0, past.stages, past.usual, past.report)
    state = warm_up(case.domain, early, None, PARAMETERS, Quiet(), subgrid=case.subgrid)
    assert state.time == 0.0
    assert state.depth.any() and not state.depth_max.any() and not state.spans.any()
    water = run_case(case, Quiet(), initial=state, keeps_frames=False)
    assert water.times[-1] == 7200.0
    assert np.nanmax(water.durations[0.1]) <= 7200.0 + 1.0


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"wind_speed": 20.0, "wind_direction": 270.0}, "computes no wind"),
        ({"subgrid_factor": 1}, "subgrid_factor"),
        ({"engine": "finite volumes"}, "engine"),
    ],
)
def test_what_it_cannot_compute_is_named(city, values: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        compute(city, **{**STORM, **COARSE, **values})


def test_arrays_are_kept_in_files_and_the_oldest_go(tmp_path: Path) -> None:
    made: list[str] = []

    def keep(name: str) -> Arrays:
        def make() -> Arrays:
            made.append(name)
            return {"values": np.arange(3.0), "name": np.array(name)}

        return keep_arrays(tmp_path / "kind", name, make, most=3)

    for number, name in enumerate("abcd"):
        assert str(keep(name)["name"]) == name
        path = tmp_path / "kind" / f"{name}.npz"
        # The files of a test are as old as each other.
        stamp = 1_000_000_000 + number
        os.utime(path, (stamp, stamp))
    assert made == list("abcd")
    assert sorted(path.name for path in (tmp_path / "kind").iterdir()) == ["b.npz", "c.npz", "d.npz"]
    np.testing.assert_array_equal(keep("b")["values"], np.arange(3.0))
    keep("e")
    # What was used last stays: b was read again, so c is the oldest.
    assert sorted(path.name for path in (tmp_path / "kind").iterdir()) == ["b.npz", "d.npz", "e.npz"]
    assert made == list("abcde")

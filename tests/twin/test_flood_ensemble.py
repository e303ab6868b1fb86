"""The flood ensemble: its members are runs of their own to the bit, probabilities and figures follow from them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from twin.process import Outputs, Quiet, StoppedError, parse_inputs
from twin.processes import flood_ensemble
from twin.processes.flood_members import MEMBER_PARAMETERS
from twin.processes.flood_run import warm_up
from twin.processes.flood_scenario import build_scenario, find_stage, prepare_scenario
from twin.processes.flood_spread import draw_members, find_past, spread_stage
from twin.processes.flood_stage import StageSeries
from twin.processes.flood_steps import run_case
from twin.registry import PROCESSES

HOURS = 7.0
ENSEMBLE = PROCESSES["flood-ensemble"]


def compute(city, progress: Quiet | None = None, **values: object) -> Outputs:
    wanted = {"horizon_hours": HOURS, "cell_size": 10.0, "members": 3, **values}
    return ENSEMBLE.compute(city, parse_inputs(ENSEMBLE, wanted), progress or Quiet())


def test_three_members_are_three_runs_to_the_bit(city) -> None:
    outputs = compute(city, storm_depth=40.0, storm_hours=2.0, rain_factors=[1.0], past_hours=3.0)
    inputs = parse_inputs(
        ENSEMBLE, {"horizon_hours": HOURS, "cell_size": 10.0, "storm_depth": 40.0, "storm_hours": 2.0}
    )
    scenario = build_scenario(inputs, city.now)
    middle = find_stage(city, inputs, scenario)
    stages = spread_stage(middle, np.array([1, 3, 5]) / 6.0, city.now, spread=None, ramp_hours=6.0)
    past = find_past(city, middle, city.now, 3.0)
    whole = StageSeries(
        np.concatenate([past.times[:-1], middle.times]),
        np.concatenate([past.stages[:-1], np.max([stage.stages for stage in stages], axis=0)]),
        middle.usual,
        middle.report,
    )
    case = prepare_scenario(city, inputs, stage=whole)
    start = warm_up(case.domain, past, case.rain, MEMBER_PARAMETERS, Quiet())
    depths = [
        run_case(replace(case, stage=stage), Quiet(), parameters=MEMBER_PARAMETERS, initial=start).depth_max
        for stage in stages
    ]
    assert (depths[0] != depths[2]).any() and (depths[0] > 0.0).any()
    for threshold, layer in flood_ensemble.PROBABILITY_LAYERS.items():
        share = np.mean([np.where(np.isnan(depth), np.nan, depth >= np.float32(threshold)) for depth in depths], axis=0)
        np.testing.assert_array_equal(outputs.rasters[layer].array, share.astype(np.float32))
    # Of three, the middle one is exceeded by half; quantiles are kept in whole millimetres.
    middle_depth = np.sort(depths, axis=0)[1]
    np.testing.assert_allclose(outputs.rasters["flood_depth_max"].array, middle_depth, atol=0.000501)
    assert outputs.parameters["ensemble"]["past_hours"] == 3.0


def test_probability_falls_with_depth_and_figures_add_up(city) -> None:
    outputs = compute(city, members=4, stage_level=1.8, ramp_hours=1.0, stage_spread=0.2)
    shallow, medium, deep = (outputs.rasters[layer].array for layer in flood_ensemble.PROBABILITY_LAYERS.values())
    land = np.isfinite(shallow)
    assert (shallow[land] >= medium[land]).all() and (medium[land] >= deep[land]).all()
    assert set(np.unique(shallow[land])) <= {0.0, 0.25, 0.5, 0.75, 1.0}
    assert 0.0 < deep[land].mean() < shallow[land].mean()
    told = outputs.summary["ensemble"]
    rows = told["members"]
    assert [row["member"] for row in rows] == [1, 2, 3, 4]
    peaks = [row["peak_stage"] for row in rows]
    assert peaks == sorted(peaks) and peaks[0] < outputs.summary["peak_stage"] < peaks[-1]
    areas = [row["flooded_area"] for row in rows]
    assert areas == sorted(areas) and areas[0] < areas[-1]
    assert told["expected"]["people"] == np.mean([row["people"] for row in rows])
    half, tenth = told["exceeded"]
    assert half["flooded_area"] == outputs.summary["flooded_area"] <= tenth["flooded_area"] == areas[-1]
    assert abs(outputs.balance["relative_error"]) == max(abs(row["mass_error"]) for row in rows) < 1e-6
    assert all(row["rain_factor"] is None for row in rows), "no rain, no factor"
    wet = outputs.features["flood_assets"]
    assert len(wet) == sum(group["count"] for group in outputs.summary["affected"])


def test_rain_and_pumps_differ_by_the_seed(city) -> None:
    storm = {"storm_depth": 80.0, "storm_hours": 2.0, "stage_level": 1.0, "usual_level": 1.0, "gates_closed": ["G1"]}
    outputs = compute(city, **storm, horizon_hours=3.0, pump_failure=0.5, seed=3)
    drawn = draw_members(3, 1, rain_spread=0.25, rain_factors=(), pump_failure=0.5, seed=3)
    rows = outputs.summary["ensemble"]["members"]
    assert [row["rain_factor"] for row in rows] == pytest.approx(drawn.rain_factors.tolist(), abs=1e-4)
    assert [row["stopped_pumps"] for row in rows] == [["P1"] if failed else [] for failed in drawn.failed[:, 0]]
    assert outputs.parameters["ensemble"]["seed"] == 3
    assert outputs.parameters["ensemble"]["past_hours"] == 0.0, "a held level has no past"


def test_draws_are_equally_probable_and_follow_the_seed() -> None:
    drawn = draw_members(1000, 4, rain_spread=0.4, rain_factors=(), pump_failure=0.25, seed=7)
    logs = np.log(drawn.rain_factors)
    assert np.median(drawn.rain_factors) == pytest.approx(1.0, abs=1e-3) and logs.std() == pytest.approx(0.4, rel=0.01)
    again = draw_members(1000, 4, rain_spread=0.4, rain_factors=(), pump_failure=0.25, seed=7)
    assert (again.rain_factors == drawn.rain_factors).all() and (again.failed == drawn.failed).all()
    assert abs(np.corrcoef(logs, drawn.quantiles)[0, 1]) < 0.1, "rain does not follow the stage"
    assert drawn.failed.mean() == pytest.approx(0.25, abs=0.03)
    other = draw_members(1000, 4, rain_spread=0.4, rain_factors=(), pump_failure=0.25, seed=8)
    assert (other.rain_factors != drawn.rain_factors).any() and (other.failed != drawn.failed).any()
    dealt = draw_members(5, 0, rain_spread=0.4, rain_factors=(0.8, 1.2), pump_failure=0.0, seed=1)
    assert sorted(dealt.rain_factors) == [0.8, 0.8, 0.8, 1.2, 1.2]


def test_the_stages_keep_the_band_of_the_forecast(city) -> None:
    inputs = parse_inputs(ENSEMBLE, {"horizon_hours": HOURS})
    stage = find_stage(city, inputs, build_scenario(inputs, city.now))
    low, middle, high = spread_stage(stage, np.array([0.1, 0.5, 0.9]), city.now, spread=None, ramp_hours=6.0)
    np.testing.assert_allclose(low.stages[1:], stage.report["lower"], atol=1e-3)
    np.testing.assert_allclose(high.stages[1:], stage.report["upper"], atol=1e-3)
    np.testing.assert_array_equal(middle.stages, stage.stages)
    assert low.stages[0] == high.stages[0] == stage.stages[0], "the present is known"
    wide = spread_stage(stage, np.array([0.975]), city.now, spread=0.2, ramp_hours=2.0)[0]
    # 1.96 standard deviations, after the ramp; half of it half way.
    np.testing.assert_allclose(wide.stages[12:] - stage.stages[12:], 0.392, atol=1e-3)
    assert wide.stages[6] - stage.stages[6] == pytest.approx(0.196, abs=1e-3)


class Impatient(Quiet):
    """Progress that asks to stop once the members are a little under way."""

    fraction = 0.0

    def report(self, fraction: float, message: str) -> None:
        self.fraction = fraction

    def should_stop(self) -> bool:
        return self.fraction > 0.08


def test_a_dismissed_ensemble_leaves_no_file(city, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(StoppedError):
        compute(city, Impatient())
    assert list(tmp_path.iterdir()) == []

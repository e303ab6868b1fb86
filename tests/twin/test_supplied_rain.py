"""A supplied rain forecast in a flood run: its volume is what was given, and it excludes other rains."""

import numpy as np
import pytest

from hydrology.rainfall import RainSeries
from layers.errors import InputError
from layers.grid import Grid
from twin.process import Quiet, parse_inputs
from twin.processes.flood_rain import make_rain
from twin.processes.flood_scenario import build_scenario
from twin.registry import PROCESSES

SCENARIO = PROCESSES["flood-scenario"]
HELD = {"stage_level": 0.5, "usual_level": 0.5, "horizon_hours": 3.0, "cell_size": 10.0}


def test_depths_become_intensities_that_end(city) -> None:
    inputs = parse_inputs(SCENARIO, {**HELD, "rain_depths": [3.0, 0.0, 12.0], "rain_step_minutes": 30.0})
    scenario = build_scenario(inputs, city.now)
    rain = make_rain(city, scenario, Grid(2, 2, 0.0, 20.0, 10.0, "EPSG:5897"), np.ones((2, 2)), 3.0)
    assert isinstance(rain, RainSeries)
    np.testing.assert_array_equal(rain.times, [0.0, 1800.0, 3600.0, 5400.0])
    np.testing.assert_array_equal(rain.intensity, [6.0, 0.0, 24.0, 0.0])


def test_a_flood_run_takes_it(city) -> None:
    def run(**rain: object) -> float:
        outputs = SCENARIO.compute(city, parse_inputs(SCENARIO, {**HELD, **rain}), Quiet())
        return float(outputs.balance["rain"])

    steps = run(rain_depths=[10.0, 20.0, 10.0], rain_step_minutes=20.0)
    storm = run(storm_depth=40.0, storm_hours=1.0)
    assert steps == pytest.approx(storm, rel=1e-6) and steps > 0.0
    assert run(rain_depths=[10.0, 20.0, 10.0], rain_step_minutes=20.0, rain_factor=0.5) == pytest.approx(0.5 * steps)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"rain_depths": [1.0], "storm_depth": 20.0}, "exclude each other"),
        ({"rain_depths": [1.0], "recorded_rain": True}, "exclude each other"),
        ({"rain_depths": [1.0, -2.0]}, "-2 mm, expected 0 or more"),
    ],
)
def test_rain_that_does_not_fit_is_refused(values: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        parse_inputs(SCENARIO, {**HELD, **values})

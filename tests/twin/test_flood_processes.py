"""Both flood processes on a tiny city in memory: the edits do what they say, the water balances."""

from datetime import timedelta

import numpy as np
import pytest

from layers.errors import InputError, NotFoundError, TooLargeError
from twin.process import Checkpoint, Outputs, Quiet, StoppedError, parse_inputs
from twin.processes import flood_inputs
from twin.registry import PROCESSES

HOURS = 7.0


def compute(city, process_id: str, progress: Quiet | None = None, **values: object) -> Outputs:
    process = PROCESSES[process_id]
    return process.compute(city, parse_inputs(process, {"horizon_hours": HOURS, **values}), progress or Quiet())


def flooded(outputs: Outputs) -> np.ndarray:
    return np.nan_to_num(outputs.rasters["flood_depth_max"].array)


def test_forecast_of_the_tiny_city(city) -> None:
    outputs = compute(city, "flood-forecast", horizon_hours=26.0)
    depth = outputs.rasters["flood_depth"]
    assert depth.array.shape == (26 * 4 + 1, 40, 60)
    assert depth.times[0] == city.now and depth.times[-1] == city.now + timedelta(hours=26)
    assert np.isnan(depth.array[:, :, :6]).all(), "the river is no flood"
    assert abs(outputs.balance["relative_error"]) < 1e-6
    assert outputs.stage_forecast["datastream_id"] == "S1.stage"
    # The tide of the tiny city has its highest value of the coming 26 hours at 2.03 m.
    assert outputs.summary["peak_stage"] == pytest.approx(2.03, abs=0.05)
    highest = flooded(outputs) + np.where(flooded(outputs) > 0, city.rasters["terrain"][0], 0.0)
    assert highest.max() < outputs.summary["peak_stage"] + 0.1, "water stands no higher than the river that brings it"
    assert outputs.summary["people"] == 4 * outputs.summary["buildings"] > 0
    assert set(outputs.features["flood_assets"]["asset_layer"]) >= {"buildings", "road_links"}
    assert outputs.title.vi.startswith("Dự báo ngập")


def test_readings_after_the_issue_time_are_not_used(city, changed_city) -> None:
    times, stages = city.readings["S1.stage"]
    issue = city.now - timedelta(days=2)
    later = times > issue.timestamp()
    other = changed_city(readings={"S1.stage": (times, np.where(later, 9.0, stages))})
    wanted = {"issue_time": issue.isoformat()}
    first, second = compute(city, "flood-forecast", **wanted), compute(other, "flood-forecast", **wanted)
    assert first.stage_forecast == second.stage_forecast


def test_a_gauge_without_fresh_readings_is_named_with_its_last(city) -> None:
    wanted = (city.now + timedelta(days=3)).isoformat()
    with pytest.raises(InputError, match=r"gauge 'S1' has no stage reading .* newest reading is of 2026-10-25T06:00"):
        compute(city, "flood-forecast", issue_time=wanted)
    with pytest.raises(NotFoundError, match="'S7'"):
        compute(city, "flood-forecast", gauge="S7")
    with pytest.raises(InputError, match="names no time zone"):
        compute(city, "flood-forecast", issue_time="2026-10-25T00:00:00")


def test_a_record_too_short_for_a_tide_is_named(changed_city, city) -> None:
    times, stages = city.readings["S1.stage"]
    short = changed_city(readings={"S1.stage": (times[-500:], stages[-500:])})
    with pytest.raises(InputError, match=r"gauge 'S1' from .*expected at least"):
        compute(short, "flood-forecast")


def test_no_edit_is_the_forecast(city) -> None:
    forecast, scenario = compute(city, "flood-forecast"), compute(city, "flood-scenario")
    for name, raster in forecast.rasters.items():
        np.testing.assert_array_equal(raster.array, scenario.rasters[name].array)


def test_a_higher_stage_never_floods_less(city) -> None:
    usual, higher = (compute(city, "flood-scenario", stage_offset=metres) for metres in (0.0, 0.4))
    assert (flooded(higher) >= flooded(usual) - 0.01).all()
    assert higher.summary["flooded_area"] > usual.summary["flooded_area"]
    assert higher.summary["peak_stage"] == pytest.approx(usual.summary["peak_stage"] + 0.4)


def test_a_level_needs_no_gauge(changed_city) -> None:
    city = changed_city(readings={}, main_gauge=None)
    outputs = compute(city, "flood-scenario", stage_level=2.2, ramp_hours=1.0)
    assert outputs.summary["peak_stage"] == 2.2
    assert outputs.stage_forecast is None
    last = outputs.rasters["flood_depth"].array[-1]
    level = last + city.rasters["terrain"][0]
    assert np.median(level[last > 0.2]) == pytest.approx(2.2, abs=0.02), "still water stands at the river's level"
    with pytest.raises(InputError, match="no gauge given"):
        compute(city, "flood-scenario")


def make_gated(changed_city):
    """The tiny city with walls right down to the canal and no way in but the gate."""
    city = changed_city()
    city.layers["dykes"] = city.layers["dykes"].assign(crest_elevation=3.0)
    array, grid = city.rasters["terrain"]
    array = array.copy()
    array[22:, 6:8] = array[17, 6:8] = 3.0
    city.rasters["terrain"] = (array, grid)
    return city


def test_a_closed_gate_keeps_the_water_out(changed_city) -> None:
    city = make_gated(changed_city)
    level = {"stage_level": 2.0, "ramp_hours": 1.0, "pumps_off": ["P1"]}
    opened = compute(city, "flood-scenario", **level, gates_open=["G1"])
    working = compute(city, "flood-scenario", **level)
    closed = compute(city, "flood-scenario", **level, gates_closed=["G1"])
    assert opened.summary["flooded_area"] > 50_000.0
    assert closed.summary["flooded_area"] == 0.0
    assert working.summary["flooded_area"] == 0.0, "a gate that works shuts at high water"


def test_a_breach_lets_it_in(changed_city) -> None:
    city = make_gated(changed_city)
    level = {"stage_level": 2.0, "ramp_hours": 1.0, "pumps_off": ["P1"], "gates_closed": ["G1"]}
    breached = compute(city, "flood-scenario", **level, breaches=[{"dyke_id": "D1", "width": 30.0}])
    assert breached.summary["flooded_area"] > 50_000.0
    blocked = compute(city, "flood-scenario", **level, breaches=[{"dyke_id": "D1", "width": 30.0, "crest": 2.5}])
    assert blocked.summary["flooded_area"] == 0.0
    with pytest.raises(InputError, match="outside the terrain"):
        compute(city, "flood-scenario", **level, breaches=[{"lon": 100.0, "lat": 10.0}])


def test_a_storm_behind_closed_gates_and_its_pump(changed_city) -> None:
    city = make_gated(changed_city)
    storm = {"stage_level": 1.0, "usual_level": 1.0, "storm_depth": 120.0, "storm_hours": 2.0, "gates_closed": ["G1"]}
    on, off = compute(city, "flood-scenario", **storm), compute(city, "flood-scenario", **storm, pumps_off=["P1"])
    assert off.balance["rain"] == pytest.approx(on.balance["rain"])
    # Urban ground of 40 × 60 cells less the river: 0.12 m × 0.8 on about 0.2 km².
    assert off.balance["rain"] == pytest.approx(0.12 * 0.8 * 212_000.0, rel=0.15)
    assert off.parameters["structures"] == {}
    pumped = on.parameters["structures"]["P1"]["forward"]
    assert 0.0 < pumped <= 1.5 * HOURS * 3600.0
    assert pumped == pytest.approx(on.balance["structures_out"])
    assert on.summary["flooded_area"] <= off.summary["flooded_area"]


def test_a_storm_by_its_return_period_in_any_shape(changed_city) -> None:
    city = make_gated(changed_city)
    still = {"stage_level": 1.0, "usual_level": 1.0, "gates_closed": ["G1"], "storm_hours": 2.0}
    # With C = 1, once in ten years is twice once in one; t + b = 150 min, so A = 7500 is 50 l/s/ha: 36 mm in 2 h.
    storm = {"storm_return_period": 10.0, "storm_curve": [7500.0, 1.0, 30.0, 1.0]}
    given = compute(city, "flood-scenario", **still, storm_depth=72.0)
    shapes = [compute(city, "flood-scenario", **still, **storm, storm_shape=k) for k in ("chicago", "uniform")]
    assert [found.balance["rain"] for found in shapes] == pytest.approx([given.balance["rain"]] * 2, rel=1e-6)
    assert (flooded(shapes[0]) != flooded(shapes[1])).any(), "the shape matters"
    assert shapes[0].title.vi == "Kịch bản: mực nước 1 m, mưa 2 giờ 10 năm một lần, đóng cống G1"
    assert {"edit": "ReturnStorm", "return_period": 10.0}.items() <= shapes[1].parameters["edits"][1].items()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"storm_return_period": 10.0}, "storm_return_period and storm_curve go together"),
        ({"storm_return_period": 10.0, "storm_curve": [7500.0, 1.0, 30.0]}, "storm_curve"),
        ({"storm_return_period": 10.0, "storm_curve": [7500.0, 1.0, 30.0, 1.0], "storm_depth": 5.0}, "exclude"),
        ({"storm_return_period": 10.0, "storm_curve": [7500.0, 1.0, 30.0, 9.0]}, "coefficient n .* is 9"),
        (
            {"storm_return_period": 10.0, "storm_curve": [7500.0, 1.0, 30.0, 1.5], "storm_hours": 3.0},
            "grows only to 1 h",
        ),
        ({"storm_shape": "round"}, "input 'storm_shape'"),
    ],
)
def test_storms_that_cannot_be_are_named(city, values: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        compute(city, "flood-scenario", stage_level=1.0, **values)


def test_low_ground_at_the_edge_is_the_river_where_no_polygon_says_so(changed_city) -> None:
    city = changed_city(main_gauge=None)
    city.layers = {}
    outputs = compute(city, "flood-scenario", stage_level=1.8, ramp_hours=1.0, river_below=0.0)
    river = np.isnan(outputs.rasters["flood_depth_max"].array)
    assert river[:, :6].all() and river[18:22, 6:25].all() and river.sum() == 40 * 6 + 4 * 19
    assert outputs.summary["flooded_area"] > 0.0
    with pytest.raises(InputError, match="river_below -20 m finds no river: the lowest cell at the edge lies at -6"):
        compute(city, "flood-scenario", stage_level=1.8, river_below=-20.0)
    with pytest.raises(InputError, match="no river or tidal canal"):
        compute(city, "flood-scenario", stage_level=1.8)


def test_too_many_cells_are_refused(city, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flood_inputs, "MAX_CELLS", 1000)
    with pytest.raises(TooLargeError, match="2,400 cells of 10 m exceed the limit of 1,000"):
        compute(city, "flood-scenario", stage_level=1.0)


class Interrupted(Quiet):
    """Progress of an attempt that is stopped after some reports and keeps what it saved."""

    def __init__(self, after: float) -> None:
        self.after, self.saved, self.fraction = after, None, 0.0

    def report(self, fraction: float, message: str) -> None:
        self.fraction = fraction

    def should_stop(self) -> bool:
        return self.fraction > self.after

    def read_checkpoint(self) -> Checkpoint | None:
        return self.saved

    def write_checkpoint(self, make) -> None:
        self.saved = make()


def test_an_interrupted_run_ends_as_if_it_never_was(city) -> None:
    progress = Interrupted(0.6)
    with pytest.raises(StoppedError):
        compute(city, "flood-forecast", progress)
    assert 0.0 < progress.saved["state_time"] < HOURS * 3600.0
    progress.after = 2.0
    resumed, whole = compute(city, "flood-forecast", progress), compute(city, "flood-forecast")
    for name, raster in whole.rasters.items():
        np.testing.assert_array_equal(raster.array, resumed.rasters[name].array, err_msg=name)
    assert resumed.summary == whole.summary
    assert resumed.balance == pytest.approx(whole.balance, abs=1e-3)


def test_a_checkpoint_of_another_flood_is_not_taken(city) -> None:
    progress = Interrupted(0.6)
    with pytest.raises(StoppedError):
        compute(city, "flood-forecast", progress)
    progress.after = 2.0
    higher = compute(city, "flood-scenario", progress, stage_offset=0.3)
    np.testing.assert_array_equal(flooded(higher), flooded(compute(city, "flood-scenario", stage_offset=0.3)))

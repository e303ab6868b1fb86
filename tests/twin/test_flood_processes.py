"""Both flood processes on a tiny city in memory: the edits do what they say, the water balances."""

from datetime import timedelta

import geopandas as gpd
import numpy as np
import pytest
import shapely

from hydrology.parameters import FloodParameters
from layers.errors import InputError, NotFoundError, NumericsError, TooLargeError
from tests.twin.conftest import Interrupted
from twin.process import Outputs, Quiet, StoppedError, parse_inputs
from twin.processes import flood_inputs
from twin.processes.flood_scenario import entitle, prepare_scenario
from twin.processes.flood_stage import hold_stage
from twin.processes.flood_steps import run_case
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


def test_a_closed_gate_keeps_the_water_out(gated_city) -> None:
    city = gated_city
    level = {"stage_level": 2.0, "ramp_hours": 1.0, "pumps_off": ["P1"]}
    opened = compute(city, "flood-scenario", **level, gates_open=["G1"])
    working = compute(city, "flood-scenario", **level)
    closed = compute(city, "flood-scenario", **level, gates_closed=["G1"])
    assert opened.summary["flooded_area"] > 50_000.0
    assert closed.summary["flooded_area"] == 0.0
    assert working.summary["flooded_area"] == 0.0, "a gate that works shuts at high water"


def test_a_breach_lets_it_in(gated_city) -> None:
    city = gated_city
    level = {"stage_level": 2.0, "ramp_hours": 1.0, "pumps_off": ["P1"], "gates_closed": ["G1"]}
    breached = compute(city, "flood-scenario", **level, breaches=[{"dyke_id": "D1", "width": 30.0}])
    assert breached.summary["flooded_area"] > 50_000.0
    blocked = compute(city, "flood-scenario", **level, breaches=[{"dyke_id": "D1", "width": 30.0, "crest": 2.5}])
    assert blocked.summary["flooded_area"] == 0.0
    with pytest.raises(InputError, match="outside the terrain"):
        compute(city, "flood-scenario", **level, breaches=[{"lon": 100.0, "lat": 10.0}])


def test_a_storm_behind_closed_gates_and_its_pump(gated_city) -> None:
    city = gated_city
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


def test_a_breach_grows_from_its_start(gated_city) -> None:
    city = gated_city
    level = {"stage_level": 2.0, "ramp_hours": 0.5, "pumps_off": ["P1"], "gates_closed": ["G1"]}
    gap = {"dyke_id": "D1", "width": 30.0, "start_hours": 2.0, "formation_hours": 1.0}
    late = compute(city, "flood-scenario", **level, breaches=[gap])
    early = compute(city, "flood-scenario", **level, breaches=[{**gap, "start_hours": 0.0}])
    frames = np.nan_to_num(late.rasters["flood_depth"].array)[:, :, 7:]
    wet = (frames > 0.05).sum(axis=(1, 2))
    assert wet[: 2 * 4 + 1].max() == 0, "the dyke holds for two hours"
    assert 0 < wet[2 * 4 + 2] < wet[3 * 4] < wet[-1], "then the water spreads as the gap grows"
    sooner = np.nan_to_num(early.rasters["flood_depth"].array)[2 * 4, :, 7:]
    assert (sooner > 0.05).sum() > 100, "and at once where nothing waits"


def test_a_gate_lets_the_rain_out_and_the_tide_not_in(gated_city) -> None:
    city = gated_city
    storm = {"storm_depth": 60.0, "storm_hours": 1.0, "pumps_off": ["P1"], "horizon_hours": 12.0}
    working = compute(city, "flood-scenario", **storm)
    passed = working.parameters["structures"]["G1"]
    # In 12 hours of tide the river stands below the canal, and above it.
    assert passed["forward"] > 1000.0 and passed["backward"] < 0.01 * passed["forward"]
    assert working.balance["structures_out"] == pytest.approx(passed["forward"] - passed["backward"], rel=1e-3)
    plan = [{"id": "G1", "hours": [0.0], "settings": [0.0]}]
    by_hand = compute(city, "flood-scenario", **storm, gate_operations=plan)
    assert by_hand.parameters["structures"]["G1"] == {"forward": 0.0, "backward": 0.0}
    assert working.balance["final"] < by_hand.balance["final"]
    assert by_hand.title.en.endswith("gate G1 worked by hand")


def test_the_ground_takes_rain_by_its_soil(gated_city) -> None:
    city = gated_city
    storm = {"stage_level": 1.0, "usual_level": 1.0, "storm_depth": 60.0, "storm_hours": 2.0, "gates_closed": ["G1"]}
    found = {
        name: compute(city, "flood-scenario", **storm, horizon_hours=4.0, **ground).balance
        for name, ground in {
            "sand": {"losses": "green_ampt", "soil": "sand"},
            "clay": {"losses": "green_ampt", "soil": "clay"},
            "number": {"losses": "curve_number", "soil": "clay"},
        }.items()
    }
    assert found["sand"]["infiltrated"] > found["clay"]["infiltrated"] > 0.0
    # All of the rain falls, on 40 × 60 cells less the river.
    assert found["clay"]["rain"] == pytest.approx(0.06 * 216_000.0)
    # Curve number 80 in inches: S = 2.5, (P - 0.2 S)² / (P + 0.8 S) of P = 60 / 25.4; the rest stays in the ground.
    rain, retention = 60.0 / 25.4, 1000.0 / 80.0 - 10.0
    kept = 1.0 - (rain - 0.2 * retention) ** 2 / (rain + 0.8 * retention) / rain
    # The canal behind the gate has 4 × 19 cells, which take nothing; of urban ground 35 % are open.
    on_land = 0.06 * (216_000.0 - 4 * 19 * 100.0)
    assert found["number"]["infiltrated"] == pytest.approx(0.35 * kept * on_land, rel=1e-3)
    assert all(abs(balance["relative_error"]) < 1e-6 for balance in found.values())


def test_roofs_give_their_rain_away_without_losing_any(gated_city) -> None:
    city = gated_city
    storm = {"stage_level": 1.0, "usual_level": 1.0, "storm_depth": 50.0, "gates_closed": ["G1"], "horizon_hours": 4.0}
    rough = compute(city, "flood-scenario", **storm)
    raised = compute(city, "flood-scenario", **storm, buildings="raised")
    porous = compute(city, "flood-scenario", **storm, buildings="porous")
    assert raised.balance["rain"] == pytest.approx(rough.balance["rain"], rel=1e-6)
    assert porous.balance["rain"] == pytest.approx(rough.balance["rain"], rel=1e-6)
    assert flooded(porous).mean() > flooded(rough).mean(), "water stands higher where houses take its place"


def add_rain_gauges(city):
    """Two gauges: 30 mm in half an hour from the start at one, a gap and nothing more at the other."""
    start = city.now.timestamp()
    city.layers["sensors"] = gpd.GeoDataFrame(
        {"id": ["S1", "R1", "R2", "R3"], "name": ["a", "b", "c", "d"], "kind": ["stage", "rain", "rain", "rain"]},
        geometry=[shapely.Point(586_300.0 + 100.0 * k, 1_108_800.0) for k in range(4)],
        crs=city.crs,
    )
    times = start + np.arange(-600.0, 7201.0, 600.0)
    city.readings["R1.rainfall"] = times, np.where((times > start) & (times <= start + 1800.0), 10.0, 0.0)
    city.readings["R2.rainfall"] = times[[0, 1, -1]], np.zeros(3)
    return city


def test_recorded_rain_falls_again_and_heavier_if_asked(gated_city) -> None:
    city = add_rain_gauges(gated_city)
    level = {
        "stage_level": 1.0,
        "usual_level": 1.0,
        "gates_closed": ["G1"],
        "recorded_rain": True,
        "horizon_hours": 2.0,
    }
    once, half = (compute(city, "flood-scenario", **level, rain_factor=factor) for factor in (1.0, 0.5))
    assert half.balance["rain"] == pytest.approx(0.5 * once.balance["rain"])
    # Between nothing and the 30 mm of the wet gauge, on urban ground that lets 80 % run off.
    assert 0.1 < once.balance["rain"] / (0.030 * 0.8 * 212_000.0) < 0.95
    assert once.title.en.endswith("recorded rain")
    del city.readings["R2.rainfall"]
    alone = compute(city, "flood-scenario", **level)
    on_land, on_canal = 216_000.0 - 4 * 19 * 100.0, 4 * 19 * 100.0
    assert alone.balance["rain"] == pytest.approx(0.030 * (0.8 * on_land + on_canal)), "one gauge rules everywhere"
    with pytest.raises(InputError, match="no rain gauge has readings from 2026-10-20T06:00:00Z"):
        compute(city, "flood-scenario", **level, base_time="2026-10-20T06:00:00Z")


def test_a_higher_sea_lifts_the_stage_and_its_usual_level(city) -> None:
    held = hold_stage(0.8, 1.6, 2.0, HOURS)
    case, sea, sunk = (
        prepare_scenario(
            city, parse_inputs(PROCESSES["flood-scenario"], {"horizon_hours": HOURS, **values}), stage=held
        )
        for values in ({}, {"sea_level_rise": 0.3}, {"subsidence": 0.3})
    )
    np.testing.assert_allclose(sea.stage.stages, held.stages + 0.3)
    assert sea.stage.usual == pytest.approx(1.1)
    assert sea.domain.depth[20, 15] + sea.domain.bed[20, 15] == pytest.approx(1.1), "canals stand higher too"
    np.testing.assert_array_equal(sunk.stage.stages, case.stage.stages)
    assert entitle(sunk.scenario).vi == "Kịch bản: sụt lún 0,3 m"
    assert entitle(sea.scenario).en == "Scenario: sea level +0.3 m"


def test_wind_leans_on_the_water(gated_city) -> None:
    city = gated_city
    pond = {"stage_level": 2.0, "ramp_hours": 0.5, "gates_open": ["G1"], "pumps_off": ["P1"], "horizon_hours": 6.0}
    calm, west = (
        compute(city, "flood-scenario", **pond),
        compute(city, "flood-scenario", **pond, wind_speed=25.0, wind_direction=270.0),
    )
    tilt = west.rasters["flood_depth"].array[-1] - calm.rasters["flood_depth"].array[-1]
    assert np.nanmean(tilt[:16, 28:32]) > np.nanmean(tilt[:16, 8:12]) + 0.005, "it stands higher in the east"


def test_a_gauge_on_another_datum_stops_the_forecast(changed_city, city) -> None:
    times, stages = city.readings["S1.stage"]
    other = changed_city(readings={"S1.stage": (times, stages + 30.0)})
    with pytest.raises(InputError, match=r"'S1.stage' stands at 31.* banks lie at 1"):
        compute(other, "flood-forecast")


def test_a_collapsing_step_names_the_cell(changed_city) -> None:
    city = changed_city(readings={}, main_gauge=None)
    array, grid = city.rasters["terrain"]
    array = array.copy()
    array[5, 20] = -300.0
    city.rasters["terrain"] = (array, grid)
    process = PROCESSES["flood-scenario"]
    case = prepare_scenario(city, parse_inputs(process, {"stage_level": 2.5, "ramp_hours": 0.0, "horizon_hours": 2.0}))
    with pytest.raises(NumericsError, match=r"limiting cell is \(5, 20\) with a depth of"):
        run_case(case, Quiet(), parameters=FloodParameters(dt_min=1.0))


def test_a_storm_by_its_return_period_in_any_shape(gated_city) -> None:
    city = gated_city
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
        ({"storm_depth": 0.12}, "storm_depth 0.12 mm is less than any storm: give mm, not m"),
        ({"storm_depth": 50.0, "recorded_rain": True}, "recorded_rain and a storm exclude each other"),
        (
            {"gates_closed": ["G1"], "gate_operations": [{"id": "G1", "hours": [0], "settings": [1]}]},
            "gate 'G1' cannot",
        ),
        ({"pumps_off": ["P1"], "pump_operations": [{"id": "P1", "hours": [0], "settings": [1]}]}, "pump 'P1' cannot"),
        ({"pump_operations": [{"id": "P1", "hours": [2, 1], "settings": [1, 0]}]}, "expected rising ones"),
        ({"pump_operations": [{"id": "P1", "hours": [1], "settings": [50]}]}, "expected shares from 0 to 1"),
        ({"pump_operations": [{"id": "P1", "hours": [1], "settings": []}]}, "settings"),
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

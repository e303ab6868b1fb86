"""Energy by meter against plan: each kind of fault is told from the readings of a cabinet, and the demo's are found."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from layers.errors import InputError
from twin.demo.lighting_meters import COUNTED_FROM, meter_lighting
from twin.demo.stations import Station
from twin.lighting.metering import Metered, compare
from twin.lighting.plan import Load, compute_share, plan_loads
from twin.networks.circuits import read_circuits
from twin.process import Quiet, parse_inputs
from twin.processes import circuit_energy

X, Y, CRS = 586_000.0, 1_109_000.0, "EPSG:5897"
END = datetime(2026, 11, 20, 6, tzinfo=UTC)
DIMMED = {
    "programs": {"dim": [{"at": "sunset", "level": 1}, {"at": "23:00", "level": 0.5}, {"at": "sunrise", "level": 0}]},
    "usual": "dim",
}


def frame(ids: list[str], shapes: list[Any], **columns: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"id": ids, **columns}, geometry=shapes, crs=CRS)


@pytest.fixture
def cabinet(changed_city: Callable[..., Any]) -> Any:
    """One cabinet with ten lamps of 100 W, metered every hour."""
    lamps = [shapely.Point(X + 30.0 * k, Y) for k in range(1, 11)]
    line = shapely.LineString([(X, Y), *((point.x, point.y) for point in lamps)])
    layers = {
        "luminaires": frame([f"L{k}" for k in range(10)], lamps, power=[100.0] * 10, lamp_type=["led"] * 10),
        "lighting_cabinets": frame(["C-1", "C-2"], [shapely.Point(X, Y), shapely.Point(X, Y + 99)],
                                   name=["Tủ", "Tủ 2"]),
        "lighting_circuits": frame(["W1"], [line], circuit_id=["C-1-M1"]),
        "sensors": frame(["M-1"], [shapely.Point(X, Y)], kind=["electricity_meter"],
                         watched_layer=["lighting_cabinets"], watched_id=["C-1"]),
    }  # fmt: skip
    return changed_city(layers=layers, now=END, lamp_calendars=[("", datetime(2026, 1, 1, tzinfo=UTC), DIMMED)])


def plan(city: Any) -> tuple[Load, NDArray[np.float64]]:
    start = END - timedelta(days=14)
    load = plan_loads(city, read_circuits(city), start, END, [0])[0]
    return load, np.arange(start.timestamp(), END.timestamp() + 1.0, 3600.0)


def take(city: Any, change: Callable[[Load, NDArray[np.float64]], NDArray[np.float64]]) -> Any:
    load, hours = plan(city)
    energy = change(load, hours)
    city.readings["M-1.energy_imported"] = (hours, 1000.0 + np.concatenate([[0.0], np.cumsum(energy)]))
    values = {"start": (END - timedelta(days=14)).isoformat(), "end": END.isoformat(), "tariff": 2000}
    outputs = circuit_energy.compute(city, parse_inputs(circuit_energy.PROCESS, values), Quiet())
    return outputs.features["circuit_energy"].set_index("cabinet_id").loc["C-1"], outputs.summary


def hourly(load: Load, hours: NDArray[np.float64], late: float = 0.0) -> NDArray[np.float64]:
    return np.diff(load.integrate(hours - late))


def is_off(load: Load, hours: NDArray[np.float64]) -> NDArray[np.bool_]:
    return hourly(load, hours) == 0.0


@pytest.mark.parametrize(
    ("change", "hint", "deviation"),
    [
        (lambda load, hours: hourly(load, hours) * 1.03, "as_planned", 0.03),
        (lambda load, hours: np.where(is_off(load, hours), 1.0, hourly(load, hours)), "burns_by_day", None),
        (lambda load, hours: hourly(load, hours) * 2 / 3, "dead_phase", -1 / 3),
        (lambda load, hours: hourly(load, hours) * 0.8, "dark_lamps", -0.2),
        (lambda load, hours: np.where(is_off(load, hours), 0.0, np.maximum(hourly(load, hours), 0.98)), "not_dimmed",
         None),
        (lambda load, hours: hourly(load, hours, 2 * 3600.0), "clock_wrong", None),
        (lambda load, hours: hourly(load, hours) * 1.3, "more_load", 0.3),
        (lambda load, hours: hourly(load, hours) * 0.0, "off", -1.0),
    ],
)  # fmt: skip
def test_what_may_explain_a_difference(cabinet: Any, change: Any, hint: str, deviation: float | None) -> None:
    row, summary = take(cabinet, change)
    assert row["hint"] == hint
    if deviation is not None:
        assert row["deviation"] == pytest.approx(deviation, abs=1e-3)
    assert summary["hints"] == {hint: 1} and summary["metered"] == 1
    assert row["covered"] == 1.0
    assert row["cost_year"] == pytest.approx(2000 * row["metered_energy_year"], rel=1e-4, abs=2000)
    if hint == "clock_wrong":
        assert summary["to_look_at"][0]["clock_late_hours"] == 2.0


def test_a_cabinet_without_a_meter_has_its_plan(cabinet: Any) -> None:
    outputs = circuit_energy.compute(cabinet, circuit_energy.CircuitEnergyInputs(), Quiet())
    row = outputs.features["circuit_energy"].iloc[0]
    assert row["hint"] == "no_meter" and row["planned_energy"] > 0.0 and np.isnan(row["deviation"] or np.nan)
    # 1 kW for about 5 h and 500 W for about 7 h a night.
    assert outputs.summary["planned_energy_year"] / 365.0 == pytest.approx(5.3 + 0.5 * 6.8, abs=0.5)
    assert outputs.summary["circuits"][0]["circuit_id"] == "C-1-M1"
    for values, message in (
        ({"start": "2026-11-01T00:00"}, "has no zone"),
        ({"start": "2026-11-02T00:00Z", "end": "2026-11-01T00:00Z"}, "1 hour to 400 days"),
        ({"start": "2020-11-02T00:00Z"}, "1 hour to 400 days"),
        ({"tariff": -1}, "greater than 0"),
        ({"price": 1}, "no input 'price'"),
    ):
        with pytest.raises(InputError, match=message):
            circuit_energy.compute(cabinet, parse_inputs(circuit_energy.PROCESS, values), Quiet())


def test_gaps_and_a_changed_meter_are_left_out(cabinet: Any) -> None:
    load, hours = plan(cabinet)
    kept = np.concatenate([hours[:100], hours[130:]])
    register = np.concatenate([[0.0], np.cumsum(np.diff(load.integrate(kept)))])
    register[200:] -= register[200]
    cabinet.readings["M-1.energy_imported"] = (kept, register)
    values = {"start": (END - timedelta(days=14)).isoformat(), "end": END.isoformat()}
    outputs = circuit_energy.compute(cabinet, parse_inputs(circuit_energy.PROCESS, values), Quiet())
    row = outputs.features["circuit_energy"].iloc[0]
    assert row["hint"] == "as_planned" and abs(row["deviation"]) < 1e-6
    assert row["covered"] == pytest.approx(1.0 - 32 / (14 * 24), abs=0.002)


def test_a_lamp_takes_what_its_gradient_says() -> None:
    assert compute_share(np.array([0.0, 0.5, 1.0]), 1.0).tolist() == [0.0, 0.5, 1.0]
    assert compute_share(0.5, 1.5) == pytest.approx(2.0 / 3.0)
    with pytest.raises(InputError, match="gradient"):
        compute_share(0.5, 0.0)


def make_meter(number: int) -> Station:
    kind, layer = "electricity_meter", "lighting_cabinets"
    return Station(f"S-CT-D-{number:02d}", "", "", kind, shapely.Point(), layer, "C", scale=1000.0)


def test_the_registers_of_the_demo_are_exact_integrals() -> None:
    seconds = COUNTED_FROM + np.arange(20_000, 20_200) * 3600
    for number, hint in (
        (1, "as_planned"),
        (2, "burns_by_day"),
        (5, "dead_phase"),
        (9, "clock_wrong"),
        (13, "dark_lamps"),
    ):
        station = make_meter(number)
        whole = meter_lighting(station, seconds, 7, 3)["energy_imported"]
        alone = [meter_lighting(station, seconds[k : k + 1], 7, 3)["energy_imported"][0] for k in (0, 77, 199)]
        assert whole[[0, 77, 199]].tolist() == alone, hint
        assert (np.diff(whole) >= 0.0).all()
        times = seconds.astype(float)
        late = 7200.0 if hint == "clock_wrong" else 0.0
        true = meter_lighting(make_meter(1), seconds, 7, 3)["energy_imported"]
        load = Load(times[:-1], np.diff(true) * 1000.0, float(times[-1]), 1000.0)
        found = compare(load, Metered(times[:-1], times[1:], np.diff(whole)))
        assert found.hint == hint and found.clock_late * 3600.0 == late

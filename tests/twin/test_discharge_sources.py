"""Which connected sources can have caused an exceedance: by way, time, substance, permit and their own readings."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from layers.errors import InputError
from tests.twin.made_up import X, Y, frame, join, place
from twin.networks.discharge_travel import compute_speeds
from twin.process import Quiet, parse_inputs
from twin.processes import discharge_sources

BEGIN = datetime(2026, 11, 19, 6, tzinfo=UTC)


@pytest.fixture
def drains(changed_city: Callable[..., Any]) -> Any:
    """N3 → N2 → N1 → OUT into canal K, 1000 m each; N9 drains elsewhere. Works at N2 and N3, a clinic at N9."""
    square = shapely.box(X - 60, Y - 500, X - 5, Y + 500)
    names = ["OUT", "N1", "N2", "N3", "N9", "OUT2"]
    at = [(0, 0), (1000, 0), (2000, 0), (3000, 0), (2000, 3000), (2000, 4000)]
    layers = {
        "drainage_nodes": frame(names, place(*at), node_type=["outfall", *["manhole"] * 4, "outfall"]),
        "drainage_links": frame(
            ["L1", "L2", "L3", "L9"],
            [join((1000, 0), (0, 0)), join((2000, 0), (1000, 0)), join((3000, 0), (2000, 0)),
             join((2000, 3000), (2000, 4000))],
            link_type=["conduit"] * 4, from_node=["N1", "N2", "N3", "N9"], to_node=["OUT", "N1", "N2", "OUT2"],
            height=[1.0] * 4, mannings_n=[0.013] * 4, from_invert=[1.0, 2.0, 3.0, 1.0], to_invert=[0.0, 1.0, 2.0, 0.0],
        ),
        "discharge_permits": frame(
            ["DP-1", "DP-2", "DP-9"], place((2000, 20), (3000, 20), (-8, 100)), permit_number=["1", "2", "9"],
            facility=["Xưởng A", "Xưởng B", "Xưởng C"], activity=["industry", "domestic", "seafood"],
            daily_volume=[100.0, 100.0, 100.0], status=["valid"] * 3, water_body_id=[None, None, "K"],
            cod_limit=[75.0] * 3, bod_limit=[30.0] * 3, tss_limit=[50.0] * 3,
        ),
        "buildings": frame(
            ["B-1", "B-2", "B-3", "B-4"],
            [shapely.MultiPolygon([at.buffer(9.0)]) for at in place((2000, 40), (3000, 40), (2000, 3040), (1000, 40))],
            name=["Xưởng A", None, "Trạm y tế", "Xưởng C"], use=["industrial", "industrial", "hospital", "industrial"],
        ),
        "water_bodies": frame(["K"], [shapely.MultiPolygon([square])]),
        "sensors": frame(
            ["S-K", "S-N", "S-DP", "S-AIR"], place((-20, 0), (1000, 30), (3000, 20), (500, 900)), kind=["x"] * 4,
            watched_layer=["water_bodies", "places", "discharge_permits", "places"], watched_id=["K", "Z", "DP-2", "Z"],
        ),
    }  # fmt: skip
    return changed_city(layers=layers, now=BEGIN + timedelta(hours=6))


def ask(city: Any, **values: Any) -> tuple[gpd.GeoDataFrame, dict[str, Any]]:
    outputs = discharge_sources.compute(city, parse_inputs(discharge_sources.PROCESS, values), Quiet())
    return outputs.features["discharge_suspects"].set_index("asset_id"), outputs.summary


def window(hours: float = 1.0) -> dict[str, str]:
    return {"start": BEGIN.isoformat(), "end": (BEGIN + timedelta(hours=hours)).isoformat()}


def test_sources_upstream_are_told_with_their_way_and_time(drains: Any) -> None:
    found, summary = ask(drains, place="OUT", substance="chemical_oxygen_demand", **window())
    assert set(found.index) == {"DP-1", "DP-2", "B-2", "B-4"}, "DP-1 is the permit of B-1; B-3 drains elsewhere"
    assert found.loc["DP-1", "distance"] == 2000.0 and found.loc["DP-2", "distance"] == 3000.0
    # Manning, a full pipe of 1 m at 1/1000: 0.25^(2/3) sqrt(0.001) / 0.013 m/s.
    full = 0.25 ** (2 / 3) * np.sqrt(1e-3) / 0.013
    slow, quick = compute_speeds(drains.network("drainage"))
    assert quick == pytest.approx(1.14 * full) and slow == pytest.approx(0.3 * full)
    assert found.loc["DP-1", "travel_quickest"] == pytest.approx(2000 / (1.14 * full), abs=1)
    assert found.loc["DP-1", "released_from"] == BEGIN - timedelta(seconds=2000 / (0.3 * full))
    assert found["rank"].tolist() == [1, 2, 3, 4] and found["score"].is_monotonic_decreasing
    assert "không thấy giấy phép" in found.loc["B-2", "why"]
    assert found.loc["B-4", "permit_number"] == "9" and "nguồn khác" in found.loc["B-4", "why"]
    assert summary["suspects"] == 4
    metals, _ = ask(drains, place="OUT", substance="metals", **window())
    assert set(metals.index) == {"DP-1", "B-2", "B-4"}, "only works hold metals"


def test_what_a_source_measured_makes_it_more_or_less_suspect(drains: Any) -> None:
    def score(value: float) -> float:
        times = BEGIN.timestamp() - np.arange(0, 12 * 3600.0, 600.0)[::-1]
        drains.readings["S-DP.chemical_oxygen_demand"] = (times, np.full(times.size, value))
        found, _ = ask(drains, place="OUT", substance="chemical_oxygen_demand", **window())
        assert found.loc["DP-2", "measured"] == value
        return float(found.loc["DP-2", "score"])

    assert score(200.0) > score(20.0) + 0.5


def test_the_last_exceedance_of_a_sensor_is_the_window(drains: Any) -> None:
    hours = BEGIN.timestamp() + 3600.0 * np.arange(-48, 6)
    values = np.full(hours.size, 30.0)
    values[[10, 11, 45, 46, 48]] = 90.0
    drains.readings["S-K.turbidity"] = (hours, values)
    found, summary = ask(drains, place="S-K", substance="turbidity", limit=60.0)
    assert datetime.fromisoformat(summary["exceeded_from"]) == BEGIN - timedelta(hours=3)
    assert datetime.fromisoformat(summary["exceeded_to"]) == BEGIN
    assert summary["water_body"] == "K"
    assert found.loc["DP-9", "distance"] == pytest.approx(np.hypot(12, 100), abs=0.1), "it discharges into the canal"
    assert found.loc["DP-1", "distance"] == pytest.approx(2020.0), "over the outfall, 20 m from the sensor"
    near, _ = ask(drains, place="S-N", substance="turbidity", **window())
    assert near.loc["DP-1", "distance"] == 1000.0 and "DP-9" not in near.index, "a gauge at a manhole"


def test_a_wrong_question_is_told(drains: Any) -> None:
    drains.readings["S-K.turbidity"] = (np.array([BEGIN.timestamp()]), np.array([1.0]))
    for values, message in (
        ({"place": "NOWHERE", **window()}, "neither a drainage node nor a sensor"),
        ({"place": "S-AIR", **window()}, "no drain is within"),
        ({"place": "OUT"}, "neither start and end nor a limit"),
        ({"place": "S-K", "limit": 60.0}, "never read turbidity above 60"),
        ({"place": "S-N", "limit": 60.0}, "has no series"),
        ({"place": "OUT", **window(-1.0)}, "before it begins"),
        ({"place": "OUT", "start": "2026-11-19T06:00", "end": "2026-11-19T07:00"}, "no zone"),
    ):
        with pytest.raises(InputError, match=message):
            ask(drains, substance="turbidity", **values)
    with pytest.raises(InputError, match="'substance'"):
        ask(drains, place="OUT", substance="gold", **window())

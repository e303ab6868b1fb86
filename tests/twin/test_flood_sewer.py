"""A flood with sewers on the tiny city: rain leaves through them, the tide comes in, all water is accounted for."""

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import shapely

from hydrology.drainage_process import DrainageProcess
from layers.errors import InputError, NumericsError
from twin.process import Outputs, Quiet, StoppedError, parse_inputs
from twin.processes import flood_sewer
from twin.registry import PROCESSES

STILL = {"stage_level": 0.9, "usual_level": 0.9, "ramp_hours": 0.0, "gates_closed": ["G1"], "pumps_off": ["P1"]}
STORM = {"storm_depth": 60.0, "storm_hours": 1.0}


def compute(city: Any, progress: Quiet | None = None, *, hours: float = 3.0, **values: object) -> Outputs:
    process = PROCESSES["flood-scenario"]
    inputs = parse_inputs(process, {"horizon_hours": hours, "sewer": "layers", **values})
    return process.compute(city, inputs, progress or Quiet())


def lay_drains(city: Any, *, rim: float = 1.2, has_gate: bool = True) -> Any:
    """Give the tiny city a sewer along row 8: an inlet every 40 m from column 10 on, and an outfall in the river."""
    west, north = city.rasters["terrain"][1].bounds[0], city.rasters["terrain"][1].bounds[3]
    columns = [3, 10, 14, 18, 22, 26]
    place = [(west + 10.0 * (col + 0.5), north - 85.0) for col in columns]
    kinds = ["outfall", *["inlet"] * 5]
    frame = type(city.layers["dykes"])
    city.layers["drainage_nodes"] = frame(
        {
            "id": [f"N{col}" for col in columns],
            "node_type": kinds,
            "ground_elevation": [1.5, *[rim] * 5],
            "invert_elevation": [-0.5 + 0.02 * k for k in range(6)],
            "has_gate": [has_gate, *[False] * 5],
        },
        geometry=[shapely.Point(at) for at in place],
        crs=city.crs,
    )
    pipes = frame(
        {
            "id": [f"C{k}" for k in range(5)],
            "link_type": "conduit",
            "from_node": [f"N{col}" for col in columns[1:]],
            "to_node": [f"N{col}" for col in columns[:-1]],
            "shape": "circular",
            "height": 0.8,
            "mannings_n": 0.013,
            "is_active": True,
        },
        geometry=[shapely.LineString(place[k : k + 2][::-1]) for k in range(5)],
        crs=city.crs,
    )
    both = [city.layers["drainage_links"], pipes]
    city.layers["drainage_links"] = frame(
        {name: [value for part in both for value in part.get(name, [None] * len(part))] for name in pipes.columns
         if name != "geometry"} | {"capacity": [None, 1.5, *[None] * 5]},
        geometry=[shape for part in both for shape in part.geometry],
        crs=city.crs,
    )  # fmt: skip
    return city


def test_rain_leaves_through_the_sewer_and_every_drop_is_accounted_for(changed_city: Callable[..., Any]) -> None:
    with_sewer, without = (
        compute(lay_drains(changed_city()), **STILL, **STORM, sewer=sewer) for sewer in ("layers", "none")
    )
    found = with_sewer.summary["sewer"]
    assert found["surface_to_sewer"] > 500.0
    assert found["outfalls_out"] == pytest.approx(found["surface_to_sewer"] - found["sewer_to_surface"], rel=0.2)
    assert found["outfalls_back"] == 0.0
    assert found["relative_residual"] < 1e-6
    assert abs(found["swmm_continuity_error"]) < 0.1
    balance = with_sewer.balance
    assert balance["points_out"] == pytest.approx(found["surface_to_sewer"], abs=0.1)
    assert abs(balance["relative_error"]) < 1e-6
    # The river is outside of the account: what is missing on the land went into the sewer.
    assert without.balance["final"] - balance["final"] > 0.3 * found["surface_to_sewer"]
    assert with_sewer.summary["flooded_area"] <= without.summary["flooded_area"]
    assert "sewer" not in without.summary and "sewer" not in without.parameters
    told = with_sewer.parameters["sewer"]
    assert told["coupling_step"] == flood_sewer.COUPLING_S
    assert told["model"] == {
        "lengths_measured": 5, "link_ends_at_node_inverts": 10, "links": 5, "links_out_of_use": 2, "mouths": 1,
        "nodes": 6, "openings": 5,
    }  # fmt: skip


def test_high_water_comes_up_through_manholes_unless_a_flap_keeps_it_out(changed_city: Callable[..., Any]) -> None:
    high = {**STILL, "stage_level": 1.5, "usual_level": 0.5, "ramp_hours": 0.5}
    flooded = {}
    for has_gate in (True, False):
        city = lay_drains(changed_city(), has_gate=has_gate)
        city.layers["dykes"] = city.layers["dykes"].assign(crest_elevation=3.0)
        array, grid = city.rasters["terrain"]
        array = array.copy()
        array[:, 6:8] = 3.0
        city.rasters["terrain"] = (array, grid)
        outputs = compute(city, **high)
        flooded[has_gate] = outputs.summary["flooded_area"]
        found = outputs.summary["sewer"]
        assert found["relative_residual"] < 1e-6
        worst = found["manholes"][:1]
        assert found["flooded_manholes"] == (0 if has_gate else 5)
        if not has_gate:
            assert found["outfalls_back"] > found["sewer_to_surface"] > 100.0
            # The head in the lowest manhole can rise to the river's 1.5 m over ground at 1.2 m.
            assert 0.0 < worst[0]["head_above_ground"] < 0.35
            assert worst[0]["node"] == "N10"
            assert 0.0 < worst[0]["first_hours"] < 1.0
    assert flooded[True] == 0.0 < flooded[False]


class Told(Quiet):
    """Progress that is stopped after some share of the work, and remembers whether a checkpoint was made."""

    def __init__(self, after: float) -> None:
        self.after, self.fraction, self.saved = after, 0.0, 0

    def report(self, fraction: float, message: str) -> None:
        self.fraction = fraction

    def should_stop(self) -> bool:
        return self.fraction > self.after

    def write_checkpoint(self, make: Callable[[], object]) -> None:
        self.saved += 1


def test_a_run_with_sewers_can_be_stopped_and_starts_again(changed_city: Callable[..., Any]) -> None:
    progress = Told(0.5)
    with pytest.raises(StoppedError):
        compute(lay_drains(changed_city()), progress, **STILL, **STORM)
    assert progress.saved == 0
    first, second = (compute(lay_drains(changed_city()), hours=1.5, **STILL, **STORM) for _ in range(2))
    assert first.summary == second.summary
    for name, raster in first.rasters.items():
        np.testing.assert_array_equal(raster.array, second.rasters[name].array, err_msg=name)


def test_a_sewer_that_dies_ends_the_run(changed_city: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    route = DrainageProcess.route

    def die(self: DrainageProcess, *arguments: Any) -> Any:
        os.kill(self.process_id, 9)
        return route(self, *arguments)

    monkeypatch.setattr(DrainageProcess, "route", die)
    with pytest.raises(NumericsError, match="the process of the drainage model ended with code -9"):
        compute(lay_drains(changed_city()), **STILL)


def test_a_city_without_sewers_says_so(city: Any) -> None:
    with pytest.raises(InputError, match=r"no storm sewer that ends in an outfall: .*links without nodes"):
        compute(city, stage_level=1.0)
    with pytest.raises(InputError, match="input 'sewer'"):
        compute(city, stage_level=1.0, sewer="/etc/passwd")

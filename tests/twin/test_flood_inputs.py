"""What of the city reaches the water: walls, breaches, structures, ground, and bad input that is named."""

from datetime import UTC, datetime
from typing import get_args

import numpy as np
import pytest
import shapely

from hydrology.breaches import suggest_breach
from hydrology.infiltration import SOILS, CurveNumber, GreenAmpt
from hydrology.structures import Culvert, Gate, Pump, Weir
from layers.datum import CRS84, make_transformer
from layers.errors import InputError, NotFoundError
from layers.grid import Grid
from tests.twin.conftest import CRS, X0, Y0, MemoryCity, box, frame
from twin.processes.flood_conditions import SOIL_TITLES
from twin.processes.flood_ground import (
    LEAST_STORAGE,
    PLINTH,
    ROOF_MOST,
    SOIL_GROUPS,
    Ground,
    SoilTexture,
    build_surface,
    choose_losses,
    condition_terrain,
    drain_roofs,
)
from twin.processes.flood_inputs import CLOSED_GATE_FREEBOARD, FloodDomain, build_domain, read_terrain
from twin.processes.flood_walls import choose_formation
from twin.processes.flood_water import Levels, check_stage, find_voids
from twin.scenario import (
    BlowWind,
    BreachDyke,
    CloseGate,
    EditedCity,
    OpenGate,
    OperateGate,
    OperatePump,
    Scenario,
    Subside,
    check_edits,
)

BASE = Scenario(datetime(2026, 10, 25, 6, tzinfo=UTC))
HIGH = Levels(start=1.0, highest=2.0, usual=1.0)
LOW = Levels(start=1.0, highest=1.1, usual=1.0)
CALM = np.s_[:, 26:]
"""Cells of the tiny city far from its water and dyke."""


def prepare(city: MemoryCity, *edits, levels: Levels = HIGH, **options) -> FloodDomain:
    scenario = BASE
    for edit in edits:
        scenario = scenario.with_edit(edit)
    bed, grid = read_terrain(city, 10.0)
    return build_domain(EditedCity(city, scenario), scenario, bed, grid, levels, **options)


def line(*cells: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString([(X0 + col * 10.0, Y0 - row * 10.0) for col, row in cells])


def find(domain: FloodDomain, name: str):
    return next(item for item in domain.structures if item.id == name)


# Walls and breaches


def test_a_dyke_is_a_wall_between_cells_and_leaves_the_ground(city) -> None:
    city.layers["dykes"] = frame(["D2"], [line((30.0, -0.5), (30.0, 40.5))], crest_elevation=[2.2])
    domain = prepare(city)
    np.testing.assert_allclose(domain.bed[CALM], city.rasters["terrain"][0][CALM])
    assert (domain.walls.x[:, 30] == 2.2).all(), "the line runs between columns 29 and 30 all the way"
    assert np.isfinite(domain.walls.x).sum() == 40


def test_a_dyke_on_the_bank_takes_its_cells_from_the_river(city) -> None:
    bed = prepare(city).bed
    assert bed[:17, 6] == pytest.approx(1.6), "cells between the dyke and the river are the dyke's"
    assert bed[:17, 7] == pytest.approx(1.2), "those behind it are as surveyed"


def test_a_road_on_an_embankment_is_a_wall_and_one_on_the_ground_is_none(city) -> None:
    city.layers["road_links"] = frame(
        ["high", "low", "bridge", "viaduct"],
        [line((10, row + 0.0), (25, row + 0.0)) for row in (5, 10, 30, 35)],
        elevation=[2.0, 1.3, 2.0, 9.0],
        is_bridge=[False, False, True, False],
    )
    walls = prepare(city).walls
    assert np.isfinite(walls.y[5, 10:25]).all() and (walls.y[5, 10:25] == 2.0).all()
    assert np.isnan(walls.y[[10, 30, 35], 10:25]).all()


def test_a_breach_opens_its_wall_and_the_ground_that_holds_it(city) -> None:
    array, grid = city.rasters["terrain"]
    array = array.copy()
    array[:18, 6] = 3.0
    city.rasters["terrain"] = (array, grid)
    city.layers["dykes"] = frame(["D1"], [line((6.5, 0), (6.5, 17.5))], crest_elevation=[3.0])
    domain = prepare(city, BreachDyke(30.0, None, "D1", start_hours=2.0, formation_hours=0.5))
    middle = domain.bed[6:11, 6]
    assert middle.min() == pytest.approx(1.2), "down to the ground beside it, not to the river's bed"
    assert domain.bed[:5, 6] == pytest.approx(3.0) and domain.bed[13:17, 6] == pytest.approx(3.0)
    (breach,) = domain.breaches
    assert (breach.start, breach.duration, breach.final_width) == (7200.0, 1800.0, pytest.approx(30.0, rel=0.01))
    assert breach.place == pytest.approx(87.5) and breach.final_crest == pytest.approx(1.2)


def test_a_breach_wider_than_its_stretch_goes_on_into_the_next(city) -> None:
    city.layers["dykes"] = frame(
        ["A", "B", "across"],
        [line((30, 0), (30, 20)), line((30, 20), (30, 40)), line((34, 0), (34, 40))],
        crest_elevation=[2.5, 2.5, 2.5],
    )
    x, y = X0 + 300.0, Y0 - 200.0
    lon, lat = to_degrees(x, y)
    parts = prepare(city, BreachDyke(40.0, 1.2, lon=lon, lat=lat)).breaches
    assert sorted((part.line, round(part.final_width)) for part in parts) == [(0, 20), (1, 20)]
    assert {round(part.place) for part in parts} == {190, 10}


def to_degrees(x: float, y: float) -> tuple[float, float]:
    lon, lat = make_transformer(CRS, CRS84).transform(x, y)
    return float(lon), float(lat)


def test_a_breach_without_a_dyke_cannot_wait(city) -> None:
    lon, lat = to_degrees(X0 + 400.0, Y0 - 200.0)
    assert prepare(city, BreachDyke(20.0, 1.0, lon=lon, lat=lat)).breaches == ()
    with pytest.raises(InputError, match=r"opens after 1 h, but no dyke lies within 15 m"):
        prepare(city, BreachDyke(20.0, 1.0, lon=lon, lat=lat, start_hours=1.0))


def test_the_formation_time_is_that_of_the_volume_that_gives_the_width() -> None:
    edit = BreachDyke(40.0)
    seconds = choose_formation(edit, 2.0)
    # The volume of that time in Froehlich's second formula, put into his first, gives the width back.
    volume = (seconds / 63.2) ** 2 * 9.80665 * 2.0**2
    assert suggest_breach(volume, 2.0)[0] == pytest.approx(40.0)
    assert choose_formation(BreachDyke(40.0, formation_hours=0.25), 2.0) == 900.0


# Structures


def test_a_gate_works_by_the_levels_on_its_sides_at_high_water(city) -> None:
    domain = prepare(city)
    gate = find(domain, "G1")
    assert isinstance(gate, Gate) and gate.rule.head_difference == 0.0 and gate.schedule is None
    assert domain.stage_cells[gate.to_row, gate.to_col] and not domain.stage_cells[gate.row, gate.col]
    assert domain.depth[gate.row, gate.col] > 0.0
    # The canal is 4 cells wide where it meets the river, and the layer gives no width.
    assert gate.width == pytest.approx(40.0, abs=10.0)
    assert domain.bed[18:22, 6] == pytest.approx(HIGH.highest + CLOSED_GATE_FREEBOARD)


@pytest.mark.parametrize("edit", [OpenGate("G1"), CloseGate("G1")])
def test_a_gate_stuck_open_or_closed_is_no_structure(city, edit) -> None:
    domain = prepare(city, edit)
    assert [item.id for item in domain.structures if isinstance(item, Gate)] == []
    assert domain.stage_cells[20, 15] == isinstance(edit, OpenGate)


def test_a_gate_stands_open_at_usual_water_and_one_worked_by_hand_does_as_told(city) -> None:
    assert prepare(city, levels=LOW).stage_cells[20, 15]
    plan = OperateGate("G1", (0.0, 2.0), (1.0, 0.0))
    domain = prepare(city, plan, levels=LOW)
    gate = find(domain, "G1")
    assert not domain.stage_cells[20, 15] and gate.rule is None
    assert (gate.schedule.setting_at(0.0), gate.schedule.setting_at(7201.0)) == (1.0, 0.0)
    with pytest.raises(InputError, match="'G1' has 2 schedules"):
        prepare(city, plan, OperateGate("G1", (0.0,), (0.5,)))


def test_a_pump_draws_behind_the_gate_and_may_be_run_by_hand(city) -> None:
    plan = OperatePump("P1", (0.0, 1.0), (0.0, 0.5))
    pump = find(prepare(city, plan), "P1")
    assert isinstance(pump, Pump) and pump.schedule.setting_at(3600.0) == 0.5
    assert prepare(city).stage_cells[pump.to_row, pump.to_col]
    city.layers["drainage_links"] = frame(["P2"], [line((6.5, 20.5), (3, 20.5))], link_type=["pump"], capacity=[1.0])
    moved = find(prepare(city), "P2")
    assert moved.col == 7, "its sump lies in the gate's wall: the water next to it is meant"


def add_network(city: MemoryCity, *, has_gate, **columns) -> None:
    """A street pipe to the river, a weir and a culvert from a pond to the canal."""
    city.layers["water_bodies"] = frame(
        ["W1", "W3"],
        [shapely.MultiPolygon([box(0, 0, 6, 40)]), shapely.MultiPolygon([box(30, 30, 34, 34)])],
        water_type=["river", "pond"],
        is_tidal=[True, False],
        gate_id=[None, None],
    )
    city.layers["drainage_nodes"] = frame(
        ["M1", "O1"],
        [shapely.Point(X0 + 85, Y0 - 255), shapely.Point(X0 + 55, Y0 - 255)],
        node_type=["manhole", "outfall"],
        has_gate=[None, has_gate],
    )
    values = {
        "link_type": ["conduit", "weir", "conduit", "conduit"],
        "from_node": ["M1", None, None, "M1"],
        "to_node": ["O1", None, None, "M1"],
        "shape": ["circular", "rect_open", "rect_closed", "circular"],
        "height": [0.8, 1.0, 1.0, 0.6],
        "width": [None, 3.0, 1.5, None],
        "from_invert": [0.1, None, 0.5, 0.0],
        "to_invert": [-0.2, None, 0.4, 0.0],
        "crest_elevation": [None, 1.1, None, None],
        "mannings_n": [0.013, None, None, None],
        "is_active": [True] * 4,
    }
    city.layers["drainage_links"] = frame(
        ["C1", "V1", "K1", "C2"],
        [
            line((8.5, 25.5), (5.5, 25.5)),
            line((31.5, 31.5), (5.5, 31.5)),
            line((32.5, 32.5), (5.5, 32.5)),
            line((8.5, 25.5), (12.5, 25.5)),
        ],
        **{**values, **columns},
    )


def test_outfalls_weirs_and_culverts_join_what_the_layer_says(city) -> None:
    add_network(city, has_gate=True)
    domain = prepare(city)
    outfall, weir, culvert = find(domain, "C1"), find(domain, "V1"), find(domain, "K1")
    assert isinstance(outfall, Culvert) and outfall.flap and outfall.diameter == 0.8 and outfall.length == 30.0
    assert (outfall.row, outfall.col) == (25, 8) and domain.stage_cells[outfall.to_row, outfall.to_col]
    assert isinstance(weir, Weir) and (weir.crest, weir.width) == (1.1, 3.0)
    assert isinstance(culvert, Culvert) and (culvert.width, culvert.height) == (1.5, 1.0) and not culvert.flap
    assert [item.id for item in domain.structures] == ["C1", "V1", "K1"], "a pipe between manholes is the sewer's"
    assert domain.notes["structure_counts"] == {"culvert": 2, "weir": 1}
    assert not any(item.id == "C1" for item in prepare(city, sewer=True).structures)


def test_what_cannot_be_built_is_listed_with_the_reason(city) -> None:
    add_network(city, has_gate=None, crest_elevation=[None] * 4, height=[0.8, 1.0, None, 0.6])
    assert prepare(city).notes["structures_left_out"] == {
        "not known whether it has a flap": ["C1"],
        "no crest or width": ["V1"],
        "no height or inverts": ["K1"],
    }


def test_a_negative_roughness_of_a_pipe_is_named(city) -> None:
    add_network(city, has_gate=True, mannings_n=[-0.013, None, None, None])
    with pytest.raises(InputError, match=r"culvert 'C1' has mannings_n -0.013"):
        prepare(city)


# The ground


def test_the_ground_is_known_for_every_soil() -> None:
    assert set(get_args(SoilTexture)) == set(SOILS) == set(SOIL_GROUPS) == set(SOIL_TITLES)


def test_losses_follow_cover_and_soil() -> None:
    codes = np.array([[1, 2, 4, 8]])
    assert choose_losses(Ground(), codes) is None
    clay = choose_losses(Ground(losses="green_ampt", soil="clay", saturation=0.25, groundwater_depth=2.0), codes)
    assert isinstance(clay, GreenAmpt)
    assert clay.impervious.tolist() == [[1.0, 1.0, 0.0, 0.65]]
    # Clay: porosity 0.385, three quarters of it free, over 2 m.
    assert clay.storage == pytest.approx(np.full((1, 4), 0.385 * 0.75 * 2.0))
    numbers = choose_losses(Ground(losses="curve_number", soil="clay"), codes)
    assert isinstance(numbers, CurveNumber)
    # Grass on soil D has curve number 84: S = 1000/84 - 10 inches.
    assert numbers.retention[0, 2] == pytest.approx(0.0254 * (1000.0 / 84.0 - 10.0))


def make_houses(city: MemoryCity, floor: float | None) -> None:
    """One house over the whole of cell (10, 40) and a third of the next, on ground of 1.86 m."""
    house = shapely.MultiPolygon([box(40.0, 10.0, 41.3, 11.0)])
    city.layers["buildings"] = frame(["B1"], [house], floor_elevation=[floor])


@pytest.mark.parametrize("floor", [2.6, None])
def test_houses_raised_to_their_floors_drain_their_roofs(city, floor: float | None) -> None:
    make_houses(city, floor)
    rough, raised = prepare(city), prepare(city, ground=Ground(buildings="raised"))
    ground = rough.bed[10, 40]
    assert raised.bed[10, 40] == pytest.approx(floor or ground + PLINTH)
    changed = raised.bed != rough.bed
    assert changed.sum() == 1
    assert raised.runoff.sum() == pytest.approx(rough.runoff.sum())
    assert raised.runoff[10, 40] == 0.0
    assert raised.runoff.max() == pytest.approx(2 * 0.80)


def test_porous_cells_hold_less_and_pass_less(city) -> None:
    make_houses(city, None)
    rough, porous = prepare(city), prepare(city, ground=Ground(buildings="porous"))
    assert porous.storage[10, 40] == LEAST_STORAGE
    assert porous.storage[10, 41] == pytest.approx(0.75, abs=0.05), "footprints are drawn on quarters of a cell"
    assert porous.mannings_n[10, 41] == pytest.approx(rough.mannings_n[10, 41] / porous.storage[10, 41])
    np.testing.assert_array_equal(porous.bed, rough.bed)


def test_roof_water_is_moved_and_neither_made_nor_lost() -> None:
    rng = np.random.default_rng(5)
    runoff, roofs = rng.uniform(0.3, 1.0, (30, 40)), rng.random((30, 40)) < 0.8
    closed = rng.random((30, 40)) < 0.05
    shared = drain_roofs(runoff, roofs, closed)
    assert shared.sum() == pytest.approx(runoff.sum(), rel=1e-12)
    assert shared.max() <= ROOF_MOST + 1e-12 and shared.min() >= 0.0
    assert (shared[closed & ~roofs] == runoff[closed & ~roofs]).all()
    assert shared[roofs].sum() < 0.2 * runoff[roofs].sum(), "most of it finds open ground"


def test_land_cover_gives_roughness_and_runoff(city) -> None:
    codes = np.full((40, 60), 4, dtype=np.float32)
    codes[:, 50:] = np.nan
    city.rasters["land_cover"] = (codes, Grid(40, 60, X0, Y0, 10.0, CRS))
    domain = prepare(city)
    assert (domain.mannings_n[5, 30], domain.runoff[5, 30]) == (0.035, 0.35)
    assert (domain.mannings_n[5, 55], domain.runoff[5, 55]) == (0.080, 0.80), "urban where it is not known"
    assert domain.mannings_n[5, 2] == 0.030 and domain.runoff[5, 2] == 1.0


def make_rough_terrain() -> tuple[np.ndarray, Grid]:
    """A slope to the east with a shallow pit, a pit behind a low bar, a hole and a road across a ditch's line."""
    bed = np.tile(np.linspace(3.0, 2.0, 40), (20, 1))
    bed[3, 10] -= 0.04
    bed[10, 10:14] = bed[10, 14] - 0.08
    bed[16, 20] = np.nan
    bed[:, 30] += 0.5
    return bed, Grid(20, 40, X0, Y0, 10.0, CRS)


def test_conditioning_says_what_it_changed(changed_city) -> None:
    bed, grid = make_rough_terrain()
    city = changed_city(
        layers={"waterways": frame(["w"], [line((25, 5.5), (38, 5.5))], waterway=["ditch"], width=[3.0])}
    )
    kept = np.zeros(grid.shape, dtype=np.bool_)
    kept[5, 35] = True
    mended, log = condition_terrain(city, bed, grid, np.zeros(grid.shape, dtype=np.bool_), kept)
    assert log["holes"]["cells"] == 1 and np.isfinite(mended[16, 20])
    assert mended[5, 30] == pytest.approx(bed[5, 30] - 0.5), "the ditch goes under the road"
    assert mended[5, 35] == bed[5, 35], "but through no dyke"
    assert log["waterways"]["volume"] < 0.0 and log["ditches"]["cells"] > 0
    assert mended[3, 10] > bed[3, 10], "noise is filled"
    total = sum(step["volume"] for step in log.values())
    assert total == pytest.approx(float(np.nansum(mended - bed)) * 100.0, abs=1e-6)


def test_a_hole_in_the_terrain_is_named_or_mended(city) -> None:
    array, grid = city.rasters["terrain"]
    array = array.copy()
    array[30, 40:42] = np.nan
    array[:3, 55:] = np.nan
    city.rasters["terrain"] = (array, grid)
    with pytest.raises(InputError, match=r"no value in cell \(30, 40\) at \(586405, 1108695\) and 1 more"):
        prepare(city)
    domain = prepare(city, ground=Ground(condition=True))
    assert np.isfinite(domain.bed[30, 40:42]).all() and domain.notes["conditioning"]["holes"]["cells"] == 2
    assert np.isnan(domain.bed[:3, 55:]).all(), "the outside of the map is no hole"


def test_a_river_that_the_survey_did_not_see_through_has_a_bed(city) -> None:
    array, grid = city.rasters["terrain"]
    array = array.copy()
    array[10:14, 2:4] = np.nan
    city.rasters["terrain"] = (array, grid)
    assert find_voids(array.astype(float)).sum() == 8
    assert prepare(city).stage_cells[10:14, 2:4].all()


# Climate and datum


def test_land_that_subsides_takes_its_dykes_along_and_leaves_the_river(city) -> None:
    city.layers["dykes"] = frame(["D2"], [line((30.0, -0.5), (30.0, 40.5))], crest_elevation=[2.2])
    before, after = prepare(city), prepare(city, Subside(0.4))
    land = ~before.water
    assert (before.bed - after.bed)[land] == pytest.approx(0.4)
    np.testing.assert_array_equal(before.bed[before.stage_cells], after.bed[before.stage_cells])
    assert after.walls.x[5, 30] == pytest.approx(1.8)
    add_network(city, has_gate=True)
    assert find(prepare(city, Subside(0.4)), "C1").invert == pytest.approx(0.1 - 0.4)


def test_what_is_worked_by_hand_must_exist(city) -> None:
    for edit, words in (
        (OperateGate("P1", (0.0,), (1.0,)), "gate 'P1'"),
        (OperatePump("G1", (0.0,), (1.0,)), "pump 'G1'"),
    ):
        with pytest.raises(NotFoundError, match=f"{words} does not exist"):
            check_edits(city, BASE.with_edit(edit))
        assert BASE.with_edit(edit).without_edit(edit) == BASE and hash(BASE.with_edit(edit)) != hash(BASE)


def test_wind_blows_once(city) -> None:
    wind = prepare(city, BlowWind(20.0, 45.0)).wind
    assert (wind.speed.tolist(), wind.direction.tolist()) == ([20.0], [45.0])
    with pytest.raises(InputError, match="2 winds"):
        prepare(city, BlowWind(20.0, 45.0), BlowWind(5.0, 45.0))


def test_a_gauge_on_another_datum_is_named_with_both_levels(city) -> None:
    domain = prepare(city)
    check_stage("S1.stage", 1.0, domain.bed, domain.stage_cells, domain.water)
    with pytest.raises(InputError, match=r"'S1.stage' stands at 12.00 m on average, .* banks lie at 1.[0-9]+ m"):
        check_stage("S1.stage", 12.0, domain.bed, domain.stage_cells, domain.water)
    with pytest.raises(InputError, match=r"stands at -9.00 m .* bed at -6.00 m"):
        check_stage("S1.stage", -9.0, domain.bed, domain.stage_cells, domain.water)


def test_surface_keeps_water_smooth(city) -> None:
    water = np.zeros((40, 60), dtype=np.bool_)
    water[:, :6] = True
    bed, grid = read_terrain(city, 10.0)
    city.layers["buildings"] = frame(["B1"], [shapely.MultiPolygon([box(2, 2, 4, 4)])], floor_elevation=[5.0])
    surface = build_surface(city, Ground(buildings="raised"), bed, grid, water)
    assert (surface.bed == bed).all(), "a house over the river raises no cell of it"

"""What else works on coarse cells: structures, points, rain grids, losses, walls, storage, durations, going on."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hydrology.boundaries import StageBoundary
from hydrology.breaches import Breach
from hydrology.coupling import Surface
from hydrology.engine import Engine
from hydrology.flood import FloodSolver
from hydrology.infiltration import CurveNumber, GreenAmpt, InitialConstant, Losses
from hydrology.parameters import FloodParameters
from hydrology.rainfall import RainGrid, RainSeries
from hydrology.structures import Culvert, Gate, Pump, Structure, Weir
from hydrology.subgrid import build_tables
from hydrology.subgrid_breaches import locate_breaches, open_breaches
from hydrology.subgrid_ends import Land
from hydrology.subgrid_flood import SubgridSolver
from hydrology.subgrid_record import SubgridState
from hydrology.walls import trace_walls
from layers.errors import InputError
from layers.grid import Grid

Array = NDArray[np.float64]
F = 4


def make_grid(rows: int, cols: int, cell_size: float = 10.0) -> Grid:
    return Grid(rows, cols, 0.0, rows * cell_size, cell_size, "EPSG:5897")


def part_basin(wall: int, depth: float, shape: tuple[int, int] = (16, 32)) -> tuple[Array, Array]:
    """Return the bed of two flat basins with a wall in column ``wall``, and water ``depth`` [m] in the west one."""
    bed = np.zeros(shape)
    bed[:, wall] = 5.0
    water = np.zeros(shape)
    water[:, :wall] = depth
    return bed, water


def run_both(bed: Array, seconds: float, **given: Any) -> tuple[Any, Any]:
    grid = make_grid(*bed.shape)
    fine = FloodSolver(grid, bed, 0.03, **given).run(seconds, output_interval_s=seconds)
    coarse = SubgridSolver(grid, bed, 0.03, F, **given).run(seconds, output_interval_s=seconds)
    return fine, coarse


WORKS: dict[str, Structure] = {
    "pump": Pump("w", 8, 2, 8, 28, capacity=2.0),
    "pump out": Pump("w", 8, 2, None, None, capacity=2.0),
    "weir": Weir("w", 8, 14, 8, 18, crest=0.5, width=4.0),
    "gate": Gate("w", 8, 14, 8, 18, sill=0.0, width=3.0, opening=0.4),
    "culvert": Culvert("w", 8, 14, 8, 18, 0.0, -0.1, length=40.0, diameter=1.2, barrels=2),
}


def spill(columns: int) -> float:
    """Return what the weir takes in 20 minutes of a basin that stays level [m3]: dh/dt = -C b h^1.5 / A from 1 m on."""
    area, rate = columns * 16 * 100.0, 1.7 * 4.0
    return area * (1.0 - (1.0 + 0.5 * rate * 1200.0 / area) ** -2.0)


@pytest.mark.parametrize("name", WORKS)
def test_structures_move_what_they_move_between_pixels(name: str) -> None:
    bed, water = part_basin(16, 1.5)
    fine, coarse = run_both(bed, 1200.0, depth=water, structures=[WORKS[name]])
    # Pixels beside a structure swash more than cells do, and a gravity structure with them.
    assert coarse.moved["w"][0] == pytest.approx(fine.moved["w"][0], rel=1e-6 if name.startswith("pump") else 0.1)
    assert coarse.moved["w"][0] > 500.0
    if name == "weir":
        assert coarse.moved["w"][0] == pytest.approx(spill(16), rel=0.03)
    assert coarse.balance.relative_error < 1e-12
    out = coarse.balance.structures_out
    assert out == (pytest.approx(coarse.moved["w"][0]) if name == "pump out" else 0.0)


def test_both_ends_in_one_cell_reach_over_the_wall_that_splits_it() -> None:
    # Beyond the wall only the next cell has water of its own.
    bed, water = part_basin(18, 1.5)
    weir = Weir("w", 8, 17, 8, 19, crest=0.5, width=4.0)
    _, coarse = run_both(bed, 1200.0, depth=water, structures=[weir])
    # The split cell's water stands 8 cm lower at first, for it fills the pixels beyond the wall too.
    assert coarse.moved["w"][0] == pytest.approx(spill(18), rel=0.1)
    assert coarse.depth[:, 24:].min() > 0.05


def test_an_end_on_a_prescribed_pixel_has_its_stage_though_its_cell_is_ground() -> None:
    # One pixel of river in a cell of ground: the gate runs from it into the basin beside it, and back at low water.
    bed = np.zeros((16, 32))
    bed[:, 0:8] = 3.0
    bed[8, 3] = -1.0
    bed[9:11, 8:] = -0.5
    river = np.zeros(bed.shape, dtype=np.bool_)
    river[8, 3] = True
    times = np.array([0.0, 1800.0, 5400.0, 7200.0])
    stage = StageBoundary(river, times, np.array([1.0, 1.0, -0.8, -0.8]))
    gate = Gate("g", 8, 3, 9, 12, sill=-0.5, width=4.0, opening=2.0)
    fine, coarse = run_both(bed, 7200.0, boundaries=[stage], structures=[gate])
    for way in (0, 1):
        assert coarse.moved["g"][way] == pytest.approx(fine.moved["g"][way], rel=0.12)
        assert coarse.moved["g"][way] > 1000.0
    assert coarse.balance.structures_in == pytest.approx(coarse.moved["g"][0])
    assert coarse.balance.structures_out == pytest.approx(coarse.moved["g"][1])
    assert coarse.balance.relative_error < 1e-12


def test_a_structure_without_two_cells_does_nothing() -> None:
    bed = np.zeros((F, F))
    culvert = Weir("w", 0, 0, 3, 3, crest=0.1, width=4.0)
    solver = SubgridSolver(make_grid(F, F), bed, 0.03, F, depth=np.ones((F, F)), structures=[culvert])
    assert solver.run(100.0, output_interval_s=100.0).moved == {"w": (0.0, 0.0)}
    with pytest.raises(InputError, match="pump 'p' draws from cell"):
        SubgridSolver(make_grid(F, F), bed, 0.03, F, structures=[Pump("p", 9, 9, None, None, 1.0)])


def test_rain_that_differs_from_place_to_place_falls_where_it_falls() -> None:
    bed = np.random.default_rng(4).uniform(0.0, 0.3, (24, 40))
    cell = np.repeat(np.arange(2, dtype=np.int32)[None, :], 24, axis=0).repeat(20, axis=1)
    share = np.random.default_rng(5).uniform(0.0, 1.0, bed.shape)
    rain = RainGrid(np.array([0.0, 600.0]), np.array([[60.0, 0.0], [0.0, 30.0]]), cell, share)
    fine, coarse = run_both(bed, 1800.0, rain=rain)
    assert coarse.balance.rain == pytest.approx(fine.balance.rain, rel=1e-6)
    expected = (share[:, :20].sum() * 60.0 * 600.0 + share[:, 20:].sum() * 30.0 * 1200.0) / 3.6e6 * 100.0
    assert coarse.balance.rain == pytest.approx(expected, rel=1e-9)
    assert coarse.depth[:, :16].sum() == pytest.approx(fine.depth[:, :16].sum(), rel=0.05)


def make_losses(kind: str, shape: tuple[int, int]) -> Losses:
    one = np.ones(shape)
    match kind:
        case "green ampt":
            return GreenAmpt(1.0e-6 * one, 0.2 * one, 0.3 * one, np.inf * one, 0.3 * one)
        case "curve number":
            return CurveNumber(0.05 * one, 0.2 * one, 0.3 * one)
    return InitialConstant(0.005 * one, 2.0e-6 * one, 0.3 * one)


@pytest.mark.parametrize("kind", ["green ampt", "curve number", "initial constant"])
def test_the_ground_takes_what_it_takes_of_the_pixels(kind: str) -> None:
    # A plane that sheds nothing before the rain is over: all cells are wet all over, so that both are the same.
    bed = np.random.default_rng(6).uniform(0.0, 0.001, (16, 24))
    bed[:3, :3] = np.nan
    rain = RainSeries(np.array([0.0, 1200.0]), np.array([60.0, 0.0]))
    fine, coarse = run_both(bed, 2400.0, rain=rain, losses=make_losses(kind, bed.shape))
    assert coarse.balance.rain == pytest.approx(fine.balance.rain, rel=1e-9)
    assert coarse.balance.infiltrated == pytest.approx(fine.balance.infiltrated, rel=0.02)
    assert coarse.balance.infiltrated > 200.0
    assert coarse.balance.relative_error < 1e-12


def test_standing_water_infiltrates_through_wet_ground_only() -> None:
    # A pond on a quarter of the cell, 0.4 m deep: in an hour the constant loss takes 36 mm of it there.
    bed = np.full((F, F), 1.0)
    bed[:2, :2] = 0.0
    losses = InitialConstant(np.zeros((F, F)), np.full((F, F), 1.0e-5), np.zeros((F, F)))
    depth = np.where(bed == 0.0, 0.4, 0.0)
    result = SubgridSolver(make_grid(F, F), bed, 0.03, F, depth=depth, losses=losses).run(
        3600.0, output_interval_s=3600.0
    )
    assert result.balance.infiltrated == pytest.approx(0.036 * 400.0, rel=1e-3)


def test_a_traced_wall_holds_and_storage_shares_the_volume() -> None:
    bed, water = np.zeros((16, 32)), np.zeros((16, 32))
    water[:, :8] = 1.0
    grid = make_grid(16, 32)
    wall = trace_walls([np.array([[160.0, -5.0], [160.0, 165.0]])], [2.0], grid)
    for walls, dry in ((wall, True), (None, False)):
        result = SubgridSolver(grid, bed, 0.03, F, depth=water, walls=walls).run(1200.0, output_interval_s=1200.0)
        assert (result.depth[:, 20:].max() == 0.0) == dry
    share = np.random.default_rng(7).uniform(0.2, 1.0, bed.shape)
    rain = RainSeries(np.array([0.0, 600.0]), np.array([100.0, 0.0]))
    fine, coarse = run_both(bed, 3600.0, rain=rain, storage=share)
    assert coarse.balance.final == pytest.approx(fine.balance.final, rel=1e-6)
    # A flat closed basin with less room: 16.7 mm stand higher by 1 / the mean share.
    assert coarse.depth.mean() == pytest.approx(1.0 / 60.0 / share.mean(), rel=0.02)


@pytest.mark.parametrize("duration", [0.0, 1200.0])
def test_a_breach_opens_and_lets_through_what_it_lets_through_pixels(duration: float) -> None:
    # A dyke between two plains, not along the sides of coarse cells; the river rises before the breach and stays.
    shape = (48, 64)
    bed = np.random.default_rng(9).uniform(0.0, 0.05, shape)
    grid = make_grid(*shape)
    wall = trace_walls([np.array([[220.0, -5.0], [220.0, 485.0]])], [3.0], grid)
    river = np.zeros(shape, dtype=np.bool_)
    river[:, :12] = True
    stage = StageBoundary(river, np.array([0.0, 600.0]), np.array([0.0, 1.5]))
    breach = Breach("b", 0, 235.0, 1800.0, duration, 40.0, 0.0, initial_width=20.0)
    given: dict[str, Any] = {"boundaries": [stage], "walls": wall, "breaches": [breach]}
    fine = FloodSolver(grid, bed, 0.03, **given).run(5400.0, output_interval_s=2700.0)
    coarse = SubgridSolver(grid, bed, 0.03, F, **given).run(5400.0, output_interval_s=2700.0)
    behind = np.s_[:, 24:]
    # The faces of a breach are whole pixels and it opens in eight steps, and weirs do not limit coarse faces.
    assert coarse.depth[behind].sum() == pytest.approx(fine.depth[behind].sum(), rel=0.15)
    assert np.nanmin(coarse.arrival_time[behind]) >= 1800.0
    assert coarse.balance.relative_error < 1e-12
    solver, again = (SubgridSolver(grid, bed, 0.03, F, **given) for _ in range(2))
    solver.run(2700.0, output_interval_s=2700.0)
    again.restore(solver.state())
    assert np.array_equal(again.run(2700.0, output_interval_s=2700.0).depth, coarse.depth)


def test_only_what_a_breach_touches_is_tabulated_again() -> None:
    shape = (31, 42)
    bed, n = np.random.default_rng(10).uniform(0.0, 0.5, shape), np.full(shape, 0.03)
    share = np.random.default_rng(11).uniform(0.5, 1.0, shape)
    grid = make_grid(*shape)
    wall = trace_walls([np.array([[220.0, -5.0], [220.0, 315.0]])], [3.0], grid)
    crests = wall.x[:, :-1], wall.y[:-1]
    faces = locate_breaches([Breach("b", 0, 100.0, 0.0, 0.0, 30.0, 0.2)], wall, bed, 10.0)
    tables = build_tables(bed, n, F, walls=crests, storage=share)
    opened = open_breaches(tables, faces, 0.0, Land(bed, crests, F), n, share)
    x = crests[0].copy()
    lowered = np.zeros(shape, dtype=np.bool_)
    lowered[faces.row - 1, faces.col - 1] = (faces.crest < faces.top) & (faces.share >= 0.5)
    assert lowered.sum() == 3
    x[lowered] = np.maximum(bed, np.roll(bed, 1, axis=1))[lowered].clip(min=0.2)
    whole = build_tables(bed, n, F, walls=(x, crests[1]), storage=share)
    for name in ("anchor", "access", "low_x", "low_y", "span_x", "span_y", "face_x", "face_y", "stage"):
        assert np.array_equal(getattr(opened, name), getattr(whole, name)), name
    assert not np.array_equal(tables.low_x, opened.low_x)


def test_a_prescribed_cell_does_not_wet_what_a_wall_in_it_keeps_dry() -> None:
    bed = np.zeros((16, 32))
    river = np.zeros(bed.shape, dtype=np.bool_)
    river[:, :6] = True
    wall = trace_walls([np.array([[60.0, -5.0], [60.0, 165.0]])], [2.0], make_grid(16, 32))
    stage = StageBoundary(river, np.array([0.0, 600.0, 1200.0]), np.array([0.5, 1.5, 2.5]))
    solver = SubgridSolver(make_grid(16, 32), bed, 0.03, F, boundaries=[stage], walls=wall)
    held = solver.run(600.0, output_interval_s=600.0)
    assert held.depth[:, 6:].max() == held.depth_max[:, 6:].max() == 0.0
    assert held.durations[0.1][:, 6:].max() == 0.0 and np.isnan(held.arrival_time[:, 6:]).all()
    over = solver.run(600.0, output_interval_s=600.0)
    # It rises past the wall after 900 s.
    assert over.arrival_time[:, 6:8] == pytest.approx(np.full((16, 2), 900.0), abs=1.0)
    assert over.durations[0.1][:, 6:8] == pytest.approx(np.full((16, 2), 300.0), abs=1.0)


def test_durations_are_those_of_the_pixels() -> None:
    shape = (24, 48)
    bed = np.random.default_rng(8).uniform(0.0, 0.6, shape)
    river = np.zeros(shape, dtype=np.bool_)
    river[:, :8] = True
    times = np.arange(0.0, 14401.0, 300.0)
    tide = StageBoundary(river, times, 0.3 + 0.9 * np.sin(np.pi * times / 14400.0))
    fine, coarse = run_both(bed, 14400.0, boundaries=[tide])
    assert set(coarse.durations) == {0.1, 0.3, 0.5}
    for depth in (0.1, 0.3, 0.5):
        there, here = fine.durations[depth], coarse.durations[depth]
        assert there[:, 8:].max() > 3600.0
        assert np.abs(here - there)[:, 8:].mean() < 0.02 * 14400.0


def test_durations_of_more_pixels_than_levels_are_linear_between() -> None:
    # Sixteen by sixteen pixels have 256 beds and three thresholds; the stage rises by 1 m in an hour.
    bed = np.linspace(0.0, 0.5, 1024).reshape(32, 32)
    bed[16:] -= 0.25
    rain = RainSeries(np.array([0.0]), np.array([150.0]))
    solver = SubgridSolver(make_grid(32, 32), bed, 0.03, 16, rain=rain)
    found: list[tuple[float, Array]] = []
    result = solver.run(7200.0, output_interval_s=10.0, on_frame=lambda frame: found.append((frame.time, frame.depth)))
    cells = solver.stage.repeat(16, axis=0).repeat(16, axis=1)
    assert np.nanmax(np.abs(cells - bed - result.depth)) < 0.05
    # Counted frame by frame from the stages that the cells had.
    wet = sum((depth >= 0.3).astype(np.float64) * 10.0 for _, depth in found[1:])
    assert np.abs(result.durations[0.3] - wet).mean() < 60.0


def test_points_are_given_and_lose_water_as_a_coupling_wants() -> None:
    bed = np.zeros((16, 16))
    points = np.array([2, 13]), np.array([2, 13])
    solver = SubgridSolver(make_grid(16, 16), bed, 0.03, F, depth=np.full(bed.shape, 0.1), points=points)
    surface: Surface = solver
    engine: Engine = solver
    assert engine.cell_area == 100.0
    surface.set_point_rates(np.array([2.0, -1.0]))
    surface.advance(100.0)
    assert surface.point_volumes() == pytest.approx([200.0, -100.0])
    balance = solver.collect().balance
    assert (balance.points_in, balance.points_out) == pytest.approx((200.0, 100.0))
    assert balance.relative_error < 1e-12
    assert surface.stage_at(*points)[0] > 0.1
    solver.set_point_rates(np.array([0.0, -1.0e4]))
    solver.advance(600.0)
    balance = solver.collect().balance
    assert 500.0 < balance.points_out == pytest.approx(balance.initial - balance.final, rel=1e-9)
    assert solver.state().depth.min() == 0.0
    with pytest.raises(InputError, match="point 0 lies in cell"):
        SubgridSolver(make_grid(16, 16), bed, 0.03, F, points=(np.array([20]), np.array([2])))


def test_a_run_with_everything_goes_on_bit_for_bit() -> None:
    bed, water = part_basin(16, 1.0)
    rain = RainSeries(np.array([0.0, 500.0]), np.array([40.0, 0.0]))
    works = [WORKS["gate"], Pump("p", 8, 28, None, None, 1.0, ramp_time=300.0)]

    def build() -> SubgridSolver:
        return SubgridSolver(
            make_grid(16, 32), bed, 0.03, F, depth=water, rain=rain, structures=works,
            losses=make_losses("green ampt", bed.shape),
        )  # fmt: skip

    whole, first, second = build(), build(), build()
    expected = whole.run(1200.0, output_interval_s=300.0)
    before = first.run(600.0, output_interval_s=300.0)
    second.restore(first.state())
    result = second.run(600.0, output_interval_s=300.0)
    for name in ("depth_max", "arrival_time", "velocity_max", "depth"):
        assert np.array_equal(getattr(result, name), getattr(expected, name), equal_nan=True)
    assert np.array_equal(result.durations[0.1], expected.durations[0.1])
    assert before.moved["p"][0] + result.moved["p"][0] == pytest.approx(expected.moved["p"][0], rel=1e-12)
    forgotten = second.state().forget()
    assert isinstance(forgotten, SubgridState)
    third = build()
    third.restore(forgotten)
    assert third.run(1.0, output_interval_s=1.0).durations[0.1].max() <= 1.0
    with pytest.raises(InputError, match="saved state has settings"):
        SubgridSolver(make_grid(16, 32), bed, 0.03, F).restore(first.state())


def test_what_it_cannot_do_is_said() -> None:
    with pytest.raises(InputError, match="advection is True"):
        SubgridSolver(make_grid(8, 8), np.zeros((8, 8)), 0.03, F, parameters=FloodParameters(advection=True))
    with pytest.raises(InputError, match="losses have shape"):
        SubgridSolver(make_grid(8, 8), np.zeros((8, 8)), 0.03, F, losses=make_losses("curve number", (3, 3)))

"""The subgrid solver: water is kept, rest stays rest, and the flood is the fine one on a fraction of the cells."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hydrology.boundaries import DischargeBoundary, FreeBoundary, StageBoundary
from hydrology.flood import FloodFrame, FloodSolver
from hydrology.parameters import FloodParameters
from hydrology.rainfall import RainSeries
from hydrology.subgrid import SubgridTables
from hydrology.subgrid_flood import SubgridResult, SubgridSolver
from hydrology.subgrid_sources import pour
from hydrology.verification import compute_rmse
from hydrology.walls import trace_walls
from layers.errors import InputError, NumericsError
from layers.grid import Grid

Array = NDArray[np.float64]
PLAIN = FloodParameters(theta=1.0)
SLOW = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def make_grid(rows: int, cols: int, cell_size: float = 10.0) -> Grid:
    return Grid(rows, cols, 0.0, rows * cell_size, cell_size, "EPSG:5897")


def mark(shape: tuple[int, int], rows: slice, cols: slice) -> NDArray[np.bool_]:
    mask = np.zeros(shape, dtype=np.bool_)
    mask[rows, cols] = True
    return mask


@SLOW
@given(
    seed=st.integers(0, 10_000), level=st.floats(0.1, 1.2), base=st.floats(-5.0, 900.0), factor=st.sampled_from([3, 4])
)
def test_lake_at_rest_stays_exactly_at_rest(seed: int, level: float, base: float, factor: int) -> None:
    bed = np.random.default_rng(seed).uniform(0.0, 1.0, (13, 80)) + base
    depth = np.maximum(level + base - bed, 0.0)
    solver = SubgridSolver(make_grid(13, 80), bed, 0.03, factor, depth=depth)
    before = solver.depth
    result = solver.run(300.0, output_interval_s=100.0)
    state = solver.state()
    assert not state.discharge_x.any()
    assert not state.discharge_y.any()
    assert np.array_equal(solver.depth, before)
    assert np.allclose(before, depth, atol=1e-4)
    assert result.velocity_max.max() == 0.0


@SLOW
@given(seed=st.integers(0, 10_000), rain=st.floats(0.1, 150.0), inflow=st.floats(0.0, 30.0))
def test_water_is_conserved_and_depth_is_never_negative(seed: int, rain: float, inflow: float) -> None:
    rng = np.random.default_rng(seed)
    shape = (30, 71)
    bed = rng.uniform(0.0, 1.0, shape) * rng.uniform(0.1, 5.0)
    bed[rng.random(shape) < 0.05] = np.nan
    bed[0:4, 0:4] = bed[16:18, 8:10] = 0.2
    times = np.array([0.0, 300.0, 600.0])
    share = rng.uniform(0.0, 1.0, shape)
    solver = SubgridSolver(
        make_grid(*shape),
        bed,
        rng.uniform(0.01, 0.1, shape),
        4,
        depth=np.where(rng.random(shape) < 0.3, rng.uniform(0.0, 2.0, shape), 0.0),
        boundaries=[
            StageBoundary(mark(shape, slice(0, 4), slice(0, 4)), times, np.array([0.0, 1.5, 0.1])),
            DischargeBoundary(mark(shape, slice(16, 18), slice(8, 10)), times, np.array([0.0, inflow, 0.0])),
            FreeBoundary(("east",), 0.01),
        ],
        rain=RainSeries(np.array([0.0, 200.0]), np.array([rain, 0.0]), share),
    )
    frames: list[FloodFrame] = []
    result = solver.run(600.0, output_interval_s=150.0, on_frame=frames.append)
    assert result.balance.relative_error < 1e-9
    assert solver.state().depth.min() >= 0.0
    assert len(frames) == 5
    assert all(np.nanmin(frame.depth) >= 0.0 for frame in frames)
    assert np.array_equal(np.isnan(result.depth), np.isnan(bed))
    assert result.balance.discharge_in == pytest.approx(inflow * 300.0, rel=1e-9, abs=1e-9)
    fallen = np.where(np.isnan(bed), 0.0, share)
    fallen[0:4, 0:4] = 0.0
    assert result.balance.rain == pytest.approx(fallen.sum() * 100.0 * rain * 200.0 / 3.6e6, rel=1e-9)


def run_spill(bed: Array, n: Array, depth: Array) -> SubgridResult:
    return SubgridSolver(make_grid(*bed.shape), bed, n, 4, depth=depth).run(400.0, output_interval_s=400.0)


def test_mirrored_domain_gives_the_mirrored_flood() -> None:
    rng = np.random.default_rng(3)
    bed, n, depth = rng.uniform(0, 1, (40, 88)), rng.uniform(0.02, 0.08, (40, 88)), np.zeros((40, 88))
    depth[8:16, 28:40] = 3.0
    plain = run_spill(bed, n, depth)
    assert np.nanmax(plain.arrival_time) > 0.0
    for axis in (0, 1):
        other = run_spill(*(np.flip(a, axis).copy() for a in (bed, n, depth)))
        assert np.allclose(np.flip(other.depth_max, axis), plain.depth_max, atol=1e-5)
        assert np.allclose(np.flip(other.velocity_max, axis), plain.velocity_max, atol=1e-4)
    turned = run_spill(bed.T.copy(), n.T.copy(), depth.T.copy())
    assert np.allclose(turned.depth.T, plain.depth, atol=1e-4)


def test_an_interrupted_run_goes_on_bit_for_bit_with_tables_read_again() -> None:
    shape, times = (24, 130), np.array([0.0, 250.0, 900.0])
    bed = np.random.default_rng(5).uniform(0.0, 1.0, shape)
    river = StageBoundary(mark(shape, slice(8, 16), slice(0, 4)), times, np.array([0.5, 2.0, 0.7]))
    rain = RainSeries(np.array([0.0]), np.array([30.0]))

    def build(tables: SubgridTables | None = None) -> SubgridSolver:
        return SubgridSolver(make_grid(*shape), bed, 0.04, 4, boundaries=[river], rain=rain, tables=tables)

    whole, first = build(), build()
    kept = {name: values.copy() for name, values in first.tables._asdict().items()}
    second = build(SubgridTables(**kept))
    expected = whole.run(900.0, output_interval_s=150.0)
    first.run(450.0, output_interval_s=150.0)
    second.restore(first.state())
    assert second.time == 450.0
    result = second.run(450.0, output_interval_s=150.0)
    assert np.array_equal(second.state().depth, whole.state().depth)
    assert np.array_equal(second.state().discharge_x, whole.state().discharge_x)
    assert np.array_equal(result.depth_max, expected.depth_max)
    assert np.array_equal(result.arrival_time, expected.arrival_time, equal_nan=True)
    with pytest.raises(InputError, match="another terrain"):
        SubgridSolver(make_grid(*shape), bed + 0.01, 0.04, 4, tables=first.tables)


def fill_valley(sides: float, noise: float, factor: int) -> tuple[SubgridResult, Array, Array]:
    shape = (48, 120)
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    bed = np.abs(y - 23.5) * sides + x * 0.004 + np.random.default_rng(1).uniform(0.0, noise, shape)
    times = np.arange(0.0, 7201.0, 60.0)
    river = StageBoundary(mark(shape, slice(None), slice(0, 8)), times, 0.2 + 1.2 * np.sin(np.pi * times / 7200.0) ** 2)
    given_input = {"boundaries": [river], "parameters": PLAIN}
    fine = FloodSolver(make_grid(*shape), bed, 0.03, **given_input).run(7200.0, output_interval_s=7200.0)  # type: ignore[arg-type]
    coarse = SubgridSolver(make_grid(*shape), bed, 0.03, factor, **given_input).run(7200.0, output_interval_s=7200.0)  # type: ignore[arg-type]
    return coarse, fine.depth_max.astype(np.float64), fine.arrival_time


@pytest.mark.parametrize("factor", [4, 8])
def test_a_valley_filled_by_a_tide_is_that_of_the_fine_solver(factor: int) -> None:
    coarse, depth, arrival = fill_valley(0.08, 0.05, factor)
    wet = (depth > 0.02) | (coarse.depth_max > 0.02)
    assert compute_rmse(coarse.depth_max[wet].astype(np.float64), depth[wet]) < 0.01
    assert abs(np.nanmean(coarse.arrival_time - arrival)) < 60.0
    assert np.nanmean(np.abs(coarse.arrival_time - arrival)) < 120.0


def test_with_one_pixel_a_cell_it_is_the_fine_solver() -> None:
    coarse, depth, _ = fill_valley(0.08, 0.05, 1)
    # Their steps differ, and with them the seconds at which the maxima are looked at.
    assert np.allclose(coarse.depth_max, depth, atol=4e-4)


@pytest.mark.parametrize("factor", [4, 8])
def test_a_channel_narrower_than_a_cell_carries_the_discharge_of_the_fine_solver(factor: int) -> None:
    # 20 m wide, slope 0.0005, n 0.03: 8 m3/s in both; what stands in it is compared as discharge, h^(5/3).
    shape, slope = (24, 96), 0.0005
    bed = 4.0 - slope * 10.0 * np.arange(shape[1]) + np.zeros(shape)
    bed[9:11] -= 2.5
    inflow = DischargeBoundary(mark(shape, slice(9, 11), slice(0, 1)), np.array([0.0]), np.array([8.0]))
    given_input = {"boundaries": [inflow, FreeBoundary(("east",), slope)], "parameters": PLAIN}
    fine = FloodSolver(make_grid(*shape), bed, 0.03, **given_input).run(9000.0, output_interval_s=9000.0)  # type: ignore[arg-type]
    coarse = SubgridSolver(make_grid(*shape), bed, 0.03, factor, **given_input).run(9000.0, output_interval_s=9000.0)  # type: ignore[arg-type]
    there, here = fine.depth[9, 40:80], coarse.depth[9, 40:80]
    assert there.mean() == pytest.approx((0.4 * 0.03 / slope**0.5) ** 0.6, rel=0.01)
    assert (here / there) ** (5 / 3) == pytest.approx(np.ones(40), abs=0.05)
    # The largest speed is that of the front, which is a coarse cell long.
    assert coarse.velocity_max[9, 60] == pytest.approx(fine.velocity_max[9, 60], rel=0.2)


@pytest.mark.parametrize("row", [17, 18, 20, 22, 23])
def test_a_levee_inside_coarse_cells_holds_water_below_its_crest_and_lets_it_over_above(row: int) -> None:
    shape = (48, 64)
    bed = np.random.default_rng(row).uniform(0.0, 0.2, shape)
    bed[row] = 2.0
    river = mark(shape, slice(0, 8), slice(None))

    def run(stage: float) -> SubgridResult:
        # Slowly: a bore would run up the levee.
        boundary = StageBoundary(river, np.array([0.0, 7200.0]), np.array([0.0, stage]))
        return SubgridSolver(make_grid(*shape), bed, 0.03, 8, boundaries=[boundary]).run(
            9000.0, output_interval_s=9000.0
        )

    below, above = run(1.95), run(2.3)
    assert below.depth[8:16].min() > 1.5
    assert below.depth_max[24:].max() == 0.0
    assert above.depth[24:].max() > 0.3


def test_a_canal_narrower_than_half_a_cell_still_holds_its_stage() -> None:
    shape = (24, 40)
    bed = np.full(shape, 1.0)
    bed[:, 18:20] = -1.0
    canal = StageBoundary(mark(shape, slice(None), slice(18, 20)), np.array([0.0, 3600.0]), np.array([0.5, 1.4]))
    result = SubgridSolver(make_grid(*shape), bed, 0.03, 8, boundaries=[canal]).run(3600.0, output_interval_s=600.0)
    assert result.balance.stage_in > 100.0
    assert result.depth_max[:, 18] == pytest.approx(np.full(24, 2.4), abs=2e-3)
    assert result.depth[:, 30].min() > 0.0
    # The stage rises 0.9 m in an hour and passes the bank by 5 cm after (1.05 - 0.5) / 0.9 h.
    assert result.arrival_time[0, 17] == pytest.approx(2200.0, abs=1.0)
    assert result.arrival_time[0, 18] == 0.0


def test_rain_ponds_below_the_sills_without_flow_and_arrival_follows_the_rain() -> None:
    # A hole of 1 pixel of 16 is 1 m deep: 25 mm/h on the cell fill 5 cm of it in 0.05 / 16 / 0.025 h = 450 s.
    bed = np.ones((12, 12))
    bed[::4, ::4] = 0.0
    rain = RainSeries(np.array([0.0]), np.array([25.0]))
    solver = SubgridSolver(make_grid(12, 12), bed, 0.05, 4, rain=rain, parameters=FloodParameters(source_step=0.0))
    result = solver.run(1800.0, output_interval_s=1800.0)
    assert not solver.state().discharge_x.any()
    assert result.depth[::4, ::4] == pytest.approx(np.full((3, 3), 0.2), abs=1e-6)
    assert result.arrival_time[::4, ::4] == pytest.approx(np.full((3, 3), 450.0), abs=25.0)
    assert np.isnan(result.arrival_time[1, 1])


def test_interpolation_never_wets_what_a_wall_keeps_dry() -> None:
    # A sloping river beside a dyke: the ground behind it lies lower than the water and stays dry.
    shape = (32, 64)
    bed = 1.0 - 0.01 * np.arange(64) + np.zeros(shape)
    bed[16] += 3.0
    bed[17:] -= 0.5
    inflow = DischargeBoundary(mark(shape, slice(0, 8), slice(0, 2)), np.array([0.0]), np.array([60.0]))
    solver = SubgridSolver(make_grid(*shape), bed, 0.03, 8, boundaries=[inflow, FreeBoundary(("east",), 0.001)])
    result = solver.run(3600.0, output_interval_s=3600.0)
    assert result.depth[4].min() > 0.2
    assert result.depth[17:].max() == 0.0
    stage = result.depth[4] + bed[4]
    assert np.abs(np.diff(stage[8:56], 2)).max() < 0.03


def test_poured_water_raises_the_stage_and_no_more_is_taken_than_there_is() -> None:
    bed = np.random.default_rng(2).uniform(0.0, 1.0, (8, 8))
    solver = SubgridSolver(make_grid(8, 8), bed, 0.03, 8)
    parts = solver._water, solver._terrain, solver._blocks
    assert pour(*parts, 1, 1, 1000.0, 80.0) == pytest.approx(1000.0)
    assert np.maximum(solver.stage[0, 0] - bed, 0.0).sum() * 100.0 == pytest.approx(1000.0, rel=0.01)
    assert pour(*parts, 1, 1, -1500.0, 80.0) == pytest.approx(-1000.0)
    assert np.isnan(solver.stage[0, 0])


BAD: dict[str, tuple[dict[str, object], str]] = {
    "bed shape": ({"bed": np.zeros((3, 3))}, "bed has shape"),
    "bed empty": ({"bed": np.full((8, 8), np.nan)}, "bed has no cell"),
    "negative n": ({"mannings_n": np.full((8, 8), -0.1)}, r"mannings_n is -0.1 in cell \(0, 0\)"),
    "negative depth": ({"depth": np.full((8, 8), -1.0)}, "initial depth is -1.0"),
    "factor": ({"factor": 0}, "factor is 0"),
    "walls": ({"walls": trace_walls([], [], make_grid(3, 8))}, r"walls are of a grid \(3, 8\)"),
    "doubled edge": ({"boundaries": [FreeBoundary(("east", "east"))]}, "two free boundaries"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named(case: str) -> None:
    changes, message = BAD[case]
    given_input: dict[str, object] = {"bed": np.zeros((8, 8)), "mannings_n": 0.03, "factor": 4, **changes}
    with pytest.raises(InputError, match=message):
        SubgridSolver(make_grid(8, 8), **given_input)  # type: ignore[arg-type]


def test_a_collapsing_step_names_the_cell_and_a_run_can_be_stopped() -> None:
    depth = np.zeros((12, 12))
    depth[4:8, 8:] = 50.0
    solver = SubgridSolver(make_grid(12, 12, 0.005), np.zeros((12, 12)), 0.03, 4, depth=depth)
    with pytest.raises(NumericsError, match=r"coarse cell is \(1, 2\)"):
        solver.run(10.0, output_interval_s=10.0)
    calm = SubgridSolver(make_grid(12, 12), np.zeros((12, 12)), 0.03, 4, depth=np.full((12, 12), 0.1))
    result = calm.run(100.0, output_interval_s=10.0, should_stop=lambda: calm.time >= 45.0)
    assert result.stopped
    assert result.time == 50.0

"""Properties every flood run must have: water is kept, rest stays rest, mirrors mirror, bad input is named."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hydrology.boundaries import DischargeBoundary, FreeBoundary, StageBoundary
from hydrology.breaches import Breach
from hydrology.flood import FloodSolver
from hydrology.flood_record import FloodFrame, FloodResult
from hydrology.infiltration import describe_soil
from hydrology.parameters import FloodParameters
from hydrology.rainfall import RainGrid, RainSeries
from hydrology.structures import Pump
from hydrology.walls import trace_walls
from hydrology.wind import Wind
from layers.errors import InputError, MassBalanceError, NumericsError
from layers.grid import Grid

Array = NDArray[np.float64]
SLOW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def make_grid(rows: int, cols: int, cell_size: float = 10.0) -> Grid:
    return Grid(rows, cols, 0.0, rows * cell_size, cell_size, "EPSG:5897")


def cells(shape: tuple[int, int], *where: tuple[int, int]) -> NDArray[np.bool_]:
    mask = np.zeros(shape, dtype=np.bool_)
    for row, col in where:
        mask[row, col] = True
    return mask


def make_rough_bed(rows: int, cols: int, seed: int) -> Array:
    return np.random.default_rng(seed).uniform(0.0, 1.0, (rows, cols))


@SLOW
@given(seed=st.integers(0, 10_000), level=st.floats(0.1, 1.2), base=st.floats(-5.0, 900.0))
def test_lake_at_rest_stays_exactly_at_rest(seed: int, level: float, base: float) -> None:
    bed = make_rough_bed(13, 80, seed) + base
    depth = np.maximum(level + base - bed, 0.0)
    solver = FloodSolver(make_grid(13, 80), bed, 0.03, depth=depth)
    before = solver.depth
    result = solver.run(300.0, output_interval_s=100.0)
    state = solver.state()
    assert not state.discharge_x.any()
    assert not state.discharge_y.any()
    assert np.array_equal(solver.depth, before)
    assert result.velocity_max.max() == 0.0


@SLOW
@given(
    seed=st.integers(0, 10_000),
    rain=st.floats(0.1, 150.0),
    inflow=st.floats(0.0, 30.0),
    theta=st.sampled_from([1.0, 0.8]),
)
def test_water_is_conserved_and_depth_is_never_negative(seed: int, rain: float, inflow: float, theta: float) -> None:
    rng = np.random.default_rng(seed)
    shape = (17, 70)
    bed = make_rough_bed(*shape, seed) * rng.uniform(0.1, 5.0)
    bed[rng.random(shape) < 0.05] = np.nan
    bed[0, :3] = bed[8, 8:10] = bed[5, 5] = 0.2
    times = np.array([0.0, 300.0, 600.0])
    solver = FloodSolver(
        make_grid(*shape),
        bed,
        rng.uniform(0.01, 0.1, shape),
        depth=np.where(rng.random(shape) < 0.3, rng.uniform(0.0, 2.0, shape), 0.0),
        boundaries=[
            StageBoundary(cells(shape, (0, 0), (0, 1), (0, 2)), times, np.array([0.0, 1.5, 0.1])),
            DischargeBoundary(cells(shape, (8, 8), (8, 9)), times, np.array([0.0, inflow, 0.0])),
            FreeBoundary(("east",), 0.01),
        ],
        rain=RainSeries(np.array([0.0, 200.0]), np.array([rain, 0.0])),
        structures=[Pump("p", 8, 8, 5, 5, 2.0), Pump("out", 8, 9, None, None, 1.0)],
        parameters=FloodParameters(theta=theta),
    )
    frames: list[FloodFrame] = []
    result = solver.run(600.0, output_interval_s=150.0, on_frame=frames.append)
    assert result.balance.relative_error < 1e-9
    assert all(np.nanmin(frame.depth) >= 0.0 for frame in frames)
    assert np.nanmin(solver.state().stage[1:-1, 1:71] - np.nan_to_num(bed, nan=1.0e5).astype(np.float32)) >= 0.0
    assert np.array_equal(np.isnan(result.depth), np.isnan(bed))
    assert result.balance.discharge_in == pytest.approx(inflow * 300.0, rel=1e-9, abs=1e-9)


def run_spill(bed: Array, n: Array, depth: Array) -> FloodResult:
    rows, cols = bed.shape
    return FloodSolver(make_grid(rows, cols), bed, n, depth=depth).run(400.0, output_interval_s=400.0)


def test_mirrored_domain_gives_the_mirrored_flood() -> None:
    rng = np.random.default_rng(3)
    bed, n, depth = rng.uniform(0, 1, (40, 90)), rng.uniform(0.02, 0.08, (40, 90)), np.zeros((40, 90))
    depth[10:14, 30:37] = 3.0
    plain = run_spill(bed, n, depth)
    assert np.nanmax(plain.arrival_time) > 0.0
    for axis in (0, 1):
        other = run_spill(*(np.flip(a, axis).copy() for a in (bed, n, depth)))
        assert np.allclose(np.flip(other.depth_max, axis), plain.depth_max, atol=1e-5)
        assert np.allclose(np.flip(other.velocity_max, axis), plain.velocity_max, atol=1e-4)
    turned = run_spill(bed.T.copy(), n.T.copy(), depth.T.copy())
    assert np.allclose(turned.depth.T, plain.depth, atol=1e-4)


def test_an_interrupted_run_goes_on_bit_for_bit() -> None:
    shape, times = (12, 130), np.array([0.0, 250.0, 900.0])
    bed = make_rough_bed(*shape, 5)
    river = StageBoundary(cells(shape, (3, 0), (4, 0)), times, np.array([0.5, 2.0, 0.7]))
    rain = RainSeries(np.array([0.0]), np.array([30.0]))

    def build() -> FloodSolver:
        return FloodSolver(make_grid(*shape), bed, 0.04, boundaries=[river], rain=rain)

    whole, first, second = build(), build(), build()
    expected = whole.run(900.0, output_interval_s=150.0)
    first.run(450.0, output_interval_s=150.0)
    second.restore(first.state())
    assert second.time == 450.0
    result = second.run(450.0, output_interval_s=150.0)
    assert np.array_equal(second.state().stage, whole.state().stage)
    assert np.array_equal(result.depth_max, expected.depth_max)
    assert np.array_equal(result.arrival_time, expected.arrival_time, equal_nan=True)


def test_frames_come_at_the_start_and_at_every_interval_and_a_run_can_be_stopped() -> None:
    frames: list[float] = []
    solver = FloodSolver(make_grid(5, 5), np.zeros((5, 5)), 0.03, depth=np.full((5, 5), 0.1))
    solver.run(25.0, output_interval_s=10.0, on_frame=lambda frame: frames.append(frame.time))
    assert frames == [0.0, 10.0, 20.0, 25.0]
    result = solver.run(100.0, output_interval_s=10.0, should_stop=lambda: solver.time >= 45.0)
    assert result.stopped
    assert result.time == 45.0


def test_prescribed_cells_exchange_water_both_ways_and_deep_ones_cost_no_short_steps() -> None:
    shape = (6, 40)
    bed = np.zeros(shape)
    bed[:, :5] = -40.0
    river = np.zeros(shape, dtype=np.bool_)
    river[:, :5] = True
    times = np.arange(0.0, 7201.0, 60.0)
    solver = FloodSolver(
        make_grid(*shape), bed, 0.03, boundaries=[StageBoundary(river, times, 0.5 * np.sin(times / 7200.0 * 2 * np.pi))]
    )
    result = solver.run(7200.0, output_interval_s=3600.0)
    assert result.balance.stage_in > 1000.0
    assert result.balance.stage_out > 0.8 * result.balance.stage_in
    assert 7200.0 / result.steps > 0.7 * 10.0 / np.sqrt(9.80665 * 40.0) * 5
    assert np.allclose(result.depth_max[:, :5], 40.5, atol=1e-3)


def test_pump_moves_what_left_to_where_it_arrives_and_never_more_than_there_is() -> None:
    bed = np.zeros((3, 7))
    bed[:, 3] = 5.0
    depth = np.where(np.arange(7) < 3, 0.5, 0.0) * np.ones((3, 7))
    pumps = [
        Pump("across", 1, 1, 1, 5, 0.5, start_depth=0.2, stop_depth=0.1),
        Pump("off", 0, 0, None, None, 5.0, on=False),
    ]
    solver = FloodSolver(make_grid(3, 7), bed, 0.03, depth=depth, structures=pumps)
    result = solver.run(3600.0, output_interval_s=600.0)
    arrived = float(result.depth[:, 4:].sum()) * 100.0
    assert result.moved == {"across": (pytest.approx(arrived, rel=1e-5), 0.0)}
    assert 100.0 < arrived < 450.0
    assert result.balance.structures_out == 0.0
    assert result.balance.relative_error < 1e-12
    drain = Pump("x", 0, 0, None, None, 999.0, start_depth=0.0, stop_depth=0.0)
    outside = FloodSolver(make_grid(1, 1), np.zeros((1, 1)), 0.03, depth=np.ones((1, 1)), structures=[drain])
    drained = outside.run(60.0, output_interval_s=60.0)
    assert drained.balance.structures_out == pytest.approx(100.0)
    assert drained.depth[0, 0] == 0.0


def test_rain_on_a_closed_bowl_is_all_there_and_the_coefficient_scales_it() -> None:
    share = np.full((8, 8), 0.5)
    rain = RainSeries(np.array([0.0, 1800.0]), np.array([100.0, 0.0]), share)
    result = FloodSolver(make_grid(8, 8), make_rough_bed(8, 8, 1), 0.05, rain=rain).run(3600.0, output_interval_s=900.0)
    assert result.balance.rain == pytest.approx(0.05 * 0.5 * 64 * 100.0)
    assert result.balance.final == pytest.approx(result.balance.rain)


def test_free_edge_carries_uniform_flow_away() -> None:
    # Uniform flow on a plane of slope 0.002: q = h^(5/3) S^(1/2) / n, so 0.5 m2/s at n 0.03 stands 0.527 m deep.
    slope, n, q = 0.002, 0.03, 0.5
    bed = np.tile(10.0 - slope * 10.0 * np.arange(60), (1, 1))
    inflow = DischargeBoundary(cells((1, 60), (0, 0)), np.array([0.0]), np.array([q * 10.0]))
    solver = FloodSolver(make_grid(1, 60), bed, n, boundaries=[inflow, FreeBoundary(("east",), slope)])
    result = solver.run(5400.0, output_interval_s=5400.0)
    assert result.depth[0, 20:] == pytest.approx((q * n / slope**0.5) ** 0.6, abs=0.005)
    assert result.balance.free_out > 0.85 * result.balance.discharge_in


def test_more_inflow_never_lowers_the_flood() -> None:
    bed = make_rough_bed(30, 30, 11)
    results = []
    for flow in (2.0, 4.0, 8.0):
        inflow = DischargeBoundary(cells((30, 30), (15, 15)), np.array([0.0]), np.array([flow]))
        results.append(
            FloodSolver(make_grid(30, 30), bed, 0.04, boundaries=[inflow]).run(900.0, output_interval_s=900.0)
        )
    for less, more in pairwise(results):
        assert np.all(more.depth_max >= less.depth_max - 0.01)


BAD: dict[str, tuple[dict[str, object], str]] = {
    "bed shape": ({"bed": np.zeros((3, 3))}, "bed has shape"),
    "bed empty": ({"bed": np.full((4, 5), np.nan)}, "bed has no cell"),
    "negative n": ({"mannings_n": np.full((4, 5), -0.1)}, r"mannings_n is -0.1 in cell \(0, 0\)"),
    "negative depth": ({"depth": np.full((4, 5), -1.0)}, "initial depth is -1.0"),
    "stage on no-data": (
        {"bed": np.where(np.eye(4, 5) > 0, np.nan, 0.0),
         "boundaries": [StageBoundary(cells((4, 5), (1, 1)), np.array([0.0]), np.array([1.0]))]},
        r"cell \(1, 1\) has no bed",
    ),
    "pump outside": ({"structures": [Pump("p9", 7, 7, None, None, 1.0)]}, "pump 'p9' draws from"),
    "doubled edge": ({"boundaries": [FreeBoundary(("east", "east"))]}, "two free boundaries"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_named(case: str) -> None:
    changes, message = BAD[case]
    given_input: dict[str, object] = {"bed": np.zeros((4, 5)), "mannings_n": 0.03, **changes}
    with pytest.raises(InputError, match=message):
        FloodSolver(make_grid(4, 5), **given_input)  # type: ignore[arg-type]


def test_bad_series_are_named() -> None:
    mask = cells((4, 5), (1, 1))
    with pytest.raises(InputError, match="no cell is set"):
        StageBoundary(np.zeros((4, 5), dtype=np.bool_), np.array([0.0]), np.array([1.0]), name="Hau")
    with pytest.raises(InputError, match=r"Hau: time 1 \(0 s\) does not come after 0 s"):
        StageBoundary(mask, np.array([0.0, 0.0]), np.array([1.0, 1.0]), name="Hau")
    with pytest.raises(InputError, match="value 1 is nan"):
        StageBoundary(mask, np.array([0.0, 1.0]), np.array([1.0, np.nan]))
    with pytest.raises(InputError, match="discharge 0 is -1"):
        DischargeBoundary(mask, np.array([0.0]), np.array([-1.0]))
    with pytest.raises(InputError, match="'up' is not known"):
        FreeBoundary(("up",))
    with pytest.raises(InputError, match=r"parameter courant is 2.0, expected 0.05 to 0.95"):
        FloodParameters(courant=2.0)


def test_a_collapsing_step_names_the_cell() -> None:
    depth = np.zeros((3, 3))
    depth[1, 2] = 50.0
    solver = FloodSolver(make_grid(3, 3, 0.01), np.zeros((3, 3)), 0.03, depth=depth)
    with pytest.raises(NumericsError, match=r"limiting cell is \(1, 2\)"):
        solver.run(10.0, output_interval_s=10.0)


def test_an_open_account_stops_the_run() -> None:
    solver = FloodSolver(make_grid(3, 3), np.zeros((3, 3)), 0.03, depth=np.ones((3, 3)))

    def pour(frame: FloodFrame) -> None:
        solver._water.stage[1, 1] += 0.1

    with pytest.raises(MassBalanceError, match=r"\+"):
        solver.run(20.0, output_interval_s=10.0, on_frame=pour)


def test_any_number_of_bands_gives_the_same_water_to_the_bit() -> None:
    rng = np.random.default_rng(8)
    shape = (70, 90)
    bed = rng.uniform(0.0, 1.0, shape)
    depth = np.where(rng.random(shape) < 0.4, 1.0, 0.0)
    rain = RainSeries(np.array([0.0, 300.0]), np.array([80.0, 0.0]))
    results = []
    for threads in (1, 2, 3):
        parameters = FloodParameters(threads=threads)
        solver = FloodSolver(make_grid(*shape), bed, 0.04, depth=depth, rain=rain, parameters=parameters)
        result = solver.run(400.0, output_interval_s=400.0)
        assert result.balance.relative_error < 1e-9
        results.append((solver.state(), result))
    for state, result in results[1:]:
        for name in ("stage", "discharge_x", "discharge_y", "depth_max", "arrival", "durations"):
            assert np.array_equal(getattr(state, name), getattr(results[0][0], name)), name
        assert result.balance == results[0][1].balance


def test_a_wall_between_cells_holds_water_up_to_its_crest_and_breaks() -> None:
    shape = (20, 40)
    grid = make_grid(*shape)
    line = np.array([[200.0, 0.0], [200.0, 200.0]])
    walls = trace_walls([line], [1.0], grid)
    river = StageBoundary(np.tile(np.arange(40) == 0, (20, 1)), np.array([0.0, 3600.0]), np.array([0.0, 0.9]))

    def run(level: float, *breaches: Breach) -> FloodResult:
        sea = replace(river, stages=np.array([0.0, level]))
        solver = FloodSolver(grid, np.zeros(shape), 0.03, boundaries=[sea], walls=walls, breaches=breaches)
        return solver.run(10800.0, output_interval_s=7200.0)

    held, over = run(0.9), run(1.2)
    broken = run(0.9, Breach("b", 0, 100.0, 5400.0, 600.0, 40.0, 0.0))
    assert held.depth[:, 20:].max() == 0.0
    assert held.depth[10, 15] == pytest.approx(0.9, abs=0.01)
    assert over.depth[:, 20:].min() > 0.2
    assert broken.depth[:, 20:].min() > 0.3
    assert np.nanmin(broken.arrival_time[:, 20:]) >= 5400.0
    for result in (held, over, broken):
        assert result.balance.relative_error < 1e-9
    # Broad-crested weir by hand: 1.7 × 0.2^1.5 × 200 m over two hours is more than fills 20 × 20 cells to the crest's
    # height, so early on, while the far side is low, the weir alone rules.
    early = FloodSolver(
        grid, np.zeros(shape), 0.03, depth=np.tile(np.where(np.arange(40) < 20, 1.2, 0.0), (20, 1)), walls=walls,
        parameters=FloodParameters(maxima_step=0.0),
    ).run(1.0, output_interval_s=1.0)  # fmt: skip
    passed = float(early.depth[:, 20:].sum()) * 100.0
    assert passed == pytest.approx(1.7 * 0.2**1.5 * 200.0 * 1.0, rel=0.35)


def test_the_ground_takes_its_share_and_the_account_closes() -> None:
    shape = (12, 12)
    soil = describe_soil("sandy_loam", 0.3, storage=np.full(shape, 0.5), impervious=np.full(shape, 0.2))
    rain = RainSeries(np.array([0.0, 3600.0]), np.array([60.0, 0.0]))

    def build() -> FloodSolver:
        return FloodSolver(make_grid(*shape), make_rough_bed(*shape, 4), 0.05, rain=rain, losses=soil)

    whole = build()
    result = whole.run(7200.0, output_interval_s=1800.0)
    assert result.balance.rain == pytest.approx(0.06 * 144 * 100.0)
    assert 0.0 < result.balance.infiltrated < 0.8 * result.balance.rain + 1e-6
    assert result.balance.relative_error < 1e-9
    first, second = build(), build()
    first.run(3600.0, output_interval_s=1800.0)
    second.restore(first.state())
    second.run(3600.0, output_interval_s=1800.0)
    assert np.array_equal(second.state().stage, whole.state().stage)
    assert np.array_equal(second.state().infiltrated, whole.state().infiltrated)


def test_rain_may_differ_from_place_to_place() -> None:
    shape = (10, 40)
    cell = np.tile(np.where(np.arange(40) < 20, 0, 1), (10, 1)).astype(np.int32)
    rain = RainGrid(np.array([0.0, 1800.0]), np.array([[50.0, 0.0], [0.0, 0.0]]), cell)
    wall = np.zeros(shape)
    wall[:, 19:21] = 5.0
    result = FloodSolver(make_grid(*shape), wall, 0.05, rain=rain).run(3600.0, output_interval_s=3600.0)
    assert result.balance.rain == pytest.approx(0.025 * 200 * 100.0)
    assert result.depth[:, 21:].max() == 0.0
    assert result.depth[:, :19].mean() == pytest.approx(0.025, rel=0.1)


def test_thin_water_creeps_down_a_slope_as_manning_says() -> None:
    # Steady rain on a plane: the film carries all rain from above, h = (q n / S^(1/2))^(3/5) with q = i x, 3 to 4.5 mm.
    slope, n, count, intensity = 0.01, 0.05, 30, 3.0
    bed = np.tile(slope * 10.0 * np.arange(count)[::-1], (1, 1)) + 1.0
    bed = np.concatenate([bed, np.zeros((1, 1))], axis=1)
    rain = RainSeries(np.array([0.0]), np.array([intensity]))
    result = FloodSolver(make_grid(1, count + 1), bed, n, rain=rain).run(14400.0, output_interval_s=7200.0)
    x = 10.0 * (np.arange(count) + 1.0)
    film = (intensity / 3.6e6 * x * n / slope**0.5) ** 0.6
    assert result.depth[0, 15:28] == pytest.approx(film[15:28], rel=0.1)
    assert result.balance.relative_error < 1e-9


def test_houses_take_room_from_the_water() -> None:
    share = np.full((6, 6), 0.5)
    inflow = DischargeBoundary(cells((6, 6), (3, 3)), np.array([0.0, 600.0, 600.1]), np.array([1.0, 1.0, 0.0]))
    solver = FloodSolver(make_grid(6, 6), np.zeros((6, 6)), 0.03, boundaries=[inflow], storage=share)
    result = solver.run(7200.0, output_interval_s=7200.0)
    # 600 m3 on half of 3,600 m2.
    assert result.depth.mean() == pytest.approx(600.05 / 1800.0, rel=1e-4)
    assert result.balance.relative_error < 1e-9
    with pytest.raises(InputError, match=r"storage share is 0.0 in cell \(0, 0\), expected 0.01 to 1"):
        FloodSolver(make_grid(6, 6), np.zeros((6, 6)), 0.03, storage=np.zeros((6, 6)))


def test_wind_tilts_a_lake() -> None:
    # Balance of stress and slope: dS/dx = tau / (g h), with Garratt's drag at 20 m/s.
    bed = np.zeros((3, 60))
    wind = Wind(np.array([0.0]), np.array([20.0]), np.array([270.0]))
    solver = FloodSolver(make_grid(3, 60), bed, 0.05, depth=np.full((3, 60), 1.0), wind=wind)
    result = solver.run(6 * 3600.0, output_interval_s=3600.0)
    tilt = (result.depth[1, 55] - result.depth[1, 5]) / 500.0
    stress = 1.225 / 998.0 * (0.75 + 0.067 * 20.0) * 1.0e-3 * 400.0
    assert tilt == pytest.approx(stress / 9.80665, rel=0.05)


def test_points_give_and_take_no_more_than_there_is() -> None:
    depth = np.zeros((5, 5))
    depth[0, 0] = 0.5
    bed = make_rough_bed(5, 5, 2)
    bed[0, 0] = -3.0
    points = np.array([0, 4]), np.array([0, 4])
    solver = FloodSolver(make_grid(5, 5), bed, 0.03, depth=depth, points=points)
    solver.set_point_rates(np.array([-1.0, 0.25]))
    result = solver.run(200.0, output_interval_s=100.0)
    taken, given_volume = solver.point_volumes()
    assert given_volume == pytest.approx(50.0)
    assert result.balance.points_in == pytest.approx(50.0)
    assert -taken == pytest.approx(result.balance.points_out)
    assert 49.9 <= -taken <= 100.0
    assert result.balance.relative_error < 1e-12
    with pytest.raises(InputError, match=r"point 1 lies in cell \(9, 9\)"):
        FloodSolver(make_grid(5, 5), bed, 0.03, points=(np.array([0, 9]), np.array([0, 9])))


def test_durations_count_the_time_above_each_threshold() -> None:
    times = np.array([0.0, 1000.0, 1300.0, 3000.0, 3300.0])
    sea = StageBoundary(cells((1, 3), (0, 0)), times, np.array([0.0, 0.0, 0.4, 0.4, 0.0]))
    result = FloodSolver(make_grid(1, 3), np.zeros((1, 3)), 0.03, boundaries=[sea]).run(5000.0, output_interval_s=500.0)
    # The sea itself passes 0.1 m at 1,075 and 3,225 s and 0.3 m at 1,225 and 3,075 s.
    assert result.durations[0.1][0, 2] == pytest.approx(2150.0, abs=100.0)
    assert result.durations[0.3][0, 2] == pytest.approx(1850.0, abs=100.0)
    assert result.durations[0.5][0, 2] == 0.0


@pytest.mark.parametrize("shape", ["rough", "canals"])
def test_a_sloshing_basin_only_loses_energy(shape: str) -> None:
    # Checkerboards and standing waves that feed on the scheme would grow here: deep water, hardly any friction.
    rng, size, axis = np.random.default_rng(1), (60, 60), np.arange(60)
    grooves = (axis % 12 < 2)[None, :] | (axis % 15 < 2)[:, None]
    bed = rng.uniform(-3.0, 0.0, size) if shape == "rough" else np.where(grooves, -3.0, 0.8 + 0.3 * rng.random(size))
    depth = np.maximum(1.0 - bed, 0.0)
    depth[20:30, 20:30] += 0.5 * (depth[20:30, 20:30] > 0.0)
    solver = FloodSolver(make_grid(*size), bed, 0.01, depth=depth)
    slosh = []
    for _ in range(3):
        solver.run(3600.0, output_interval_s=3600.0)
        wet = solver.depth > 0.01
        slosh.append(float((solver.depth + bed)[wet].std()))
    assert slosh[0] > slosh[1] > slosh[2]
    assert slosh[0] < 0.06

"""With advection: dam breaks by Stoker and Ritter, momentum over an obstruction (EA test 3), transcritical flow."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import brentq

from hydrology.boundaries import DischargeBoundary, FreeBoundary
from hydrology.flood import FloodSolver
from hydrology.parameters import FloodParameters
from hydrology.verification import compute_mae
from layers.grid import Grid

Array = NDArray[np.float64]
GRAVITY = 9.80665
CARRIED = FloodParameters(advection=True, froude_max=10.0)


def solve_dam_break(x: Array, time: float, left: float, right: float) -> Array:
    """Return the depths of Stoker 1957 (Ritter 1892 on a dry bed) with the dam at 0, as in SWASHES, section 4.1."""
    fast = np.sqrt(GRAVITY * left)
    if right == 0.0:
        fan = np.maximum(2.0 * fast - x / time, 0.0) ** 2 / (9.0 * GRAVITY)
        return np.where(x < -fast * time, left, fan)

    def miss(middle: float) -> float:
        speed = 2.0 * (fast - np.sqrt(GRAVITY * middle))
        return float(speed - (middle - right) * np.sqrt(GRAVITY * (middle + right) / (2.0 * middle * right)))

    middle = brentq(miss, right * 1.0001, left * 0.9999)
    speed = 2.0 * (fast - np.sqrt(GRAVITY * middle))
    bore = speed * middle / (middle - right)
    fan = (2.0 * fast - x / time) ** 2 / (9.0 * GRAVITY)
    flat = np.where(x < bore * time, middle, right)
    return np.where(x < -fast * time, left, np.where(x < (speed - np.sqrt(GRAVITY * middle)) * time, fan, flat))


@pytest.mark.parametrize(("right", "gate"), [(1.0, 0.01), (0.2, 0.02), (0.0, 0.04)])
def test_dam_breaks(right: float, gate: float) -> None:
    # A shock and a front are smeared over a few cells, so the error is taken over all the water. First-order upwind on
    # 500 cells: about two cells of the jump, 2 × 2 m × 1 m of 1,500 m2, and more where the front runs out to nothing.
    count, dx, time = 500, 2.0, 40.0
    x = dx * (np.arange(count) + 0.5) - 500.0
    depth = np.tile(np.where(x < 0.0, 2.0, right), (3, 1))
    grid = Grid(3, count, 0.0, 3 * dx, dx, "EPSG:5897")
    result = FloodSolver(grid, np.zeros((3, count)), 0.0, depth=depth, parameters=CARRIED).run(
        time, output_interval_s=time
    )
    exact = solve_dam_break(x, time, 2.0, right)
    assert np.abs(result.depth[1] - exact).sum() / exact.sum() < gate
    assert result.balance.relative_error < 1e-12
    without = FloodSolver(grid, np.zeros((3, count)), 0.0, depth=depth).run(time, output_interval_s=time)
    assert np.abs(without.depth[1] - exact).sum() > 2.0 * np.abs(result.depth[1] - exact).sum()


def test_flow_over_a_bump_passes_critical() -> None:
    # SWASHES 3.1.4 (Delestre et al. 2013, doi:10.1002/fld.3741): 1.53 m2/s over a bump of 0.2 m, slow before and fast
    # after its crest, without friction. Bernoulli: the depth is critical at the crest.
    dx, count, q = 0.25, 100, 1.53
    x = dx * (np.arange(count) + 0.5)
    bed = np.maximum(0.2 - 0.05 * (x - 10.0) ** 2, 0.0)
    inlet = np.zeros((1, count), dtype=np.bool_)
    inlet[0, 0] = True
    drivers = [DischargeBoundary(inlet, np.array([0.0]), np.array([q * dx])), FreeBoundary(("east",), 0.002)]
    grid = Grid(1, count, 0.0, dx, dx, "EPSG:5897")
    depth = np.maximum(0.66 - bed, 0.1)
    solver = FloodSolver(grid, bed[None, :], 0.0, depth=depth[None, :], boundaries=drivers, parameters=CARRIED)
    result = solver.run(300.0, output_interval_s=300.0)
    critical = (q**2 / GRAVITY) ** (1.0 / 3.0)
    head = 1.5 * critical + 0.2
    exact = np.empty(count)
    for k, z in enumerate(bed):
        roots = np.roots([1.0, z - head, 0.0, q**2 / (2.0 * GRAVITY)])
        real = np.sort(roots[np.abs(roots.imag) < 1e-6].real)
        exact[k] = real[-1] if x[k] < 10.0 else real[-2]
    # The crest lies between two cells, so their depths differ from its own by half a cell's fall: 2 cm at most.
    inner = slice(8, 92)
    assert compute_mae(result.depth[0, inner], exact[inner]) < 0.02
    froude = q / np.sqrt(GRAVITY * result.depth[0, inner].astype(np.float64) ** 3)
    assert froude[0] < 0.5
    assert froude[-1] > 1.5


def test_ea3_momentum_carries_water_over_an_obstruction(shared: Callable[[str], Path]) -> None:
    series = np.genfromtxt(shared("flood/ea3/Test3BC.csv"), delimiter=",", skip_header=1)
    fine = np.loadtxt(shared("flood/ea3/test3DEM.asc"), skiprows=6)
    grid = Grid(20, 60, 0.0, 100.0, 5.0, "EPSG:5897")
    x, y = grid.centres()
    # The terrain has cells of 2 m from (-50, 122) on.
    places = np.meshgrid((122.0 - y) / 2.0 - 0.5, (x + 50.0) / 2.0 - 0.5, indexing="ij")
    bed = ndimage.map_coordinates(fine, places, order=1)
    inlet = np.zeros(grid.shape, dtype=np.bool_)
    inlet[:, 0] = True
    inflow = DischargeBoundary(inlet, series[:, 0], series[:, 1])
    carried = FloodSolver(grid, bed, 0.01, boundaries=[inflow], parameters=FloodParameters(advection=True))
    result = carried.run(900.0, output_interval_s=900.0)
    # Range of the full models in SC120002 at points 1 (150, 50) and 2 (250, 50).
    assert 0.15 <= result.depth[9:11, 29:31].mean() <= 0.24
    assert 0.05 <= result.depth[9:11, 49:51].mean() <= 0.14
    assert result.balance.relative_error < 1e-9
    plain = FloodSolver(grid, bed, 0.01, boundaries=[inflow]).run(900.0, output_interval_s=900.0)
    assert plain.balance.relative_error < 1e-9
    assert np.nanmax(plain.depth_max) < 5.0, "no wave grows"

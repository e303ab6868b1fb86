"""The cases of the flood bench: a flat plain (EA test 4), a city of a million cells with rain and tide, a wet basin."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from hydrology.boundaries import StageBoundary
from hydrology.rainfall import RainSeries
from layers.grid import Grid

HOUR = 3600.0
PLAIN_DURATION = 5.0 * HOUR
CITY_SIDE, CITY_CELL = 1000, 10.0
_SEED = 20260101
_ROOT = Path(__file__).resolve().parent.parent

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


def describe_plain(cell_size: float, duration: float = PLAIN_DURATION) -> dict[str, Any]:
    """Return EA test 4 (Environment Agency SC120002, 2013) as plain numbers that any engine can take over.

    1,000 × 2,000 m, flat, n 0.05, closed; 20 m3/s at its height through x = 0, y 990 to 1,010 m; stages every minute
    at the six points. cell_size [m], duration [s].
    """
    return {
        "cell_size": cell_size,
        "rows": round(2000.0 / cell_size),
        "cols": round(1000.0 / cell_size),
        "mannings_n": 0.05,
        "duration": duration,
        "interval": 60.0,
        "times": [0.0, 300.0, 3600.0, 14400.0, 18000.0],
        "discharge": [0.0, 0.0, 20.0, 20.0, 0.0],
        "inlet_y": [990.0, 1010.0],
        "points": [[50, 1000], [100, 1000], [200, 1000], [300, 1000], [400, 1000], [300, 1300]],
    }


def read_reference() -> Array | None:
    """Return time [s] and depth [m] at the six points (n, 7) by LISFLOOD-FP 8.0 DG2 at 5 m; None where it is absent.

    It lies with the real test data, in the folder that ``TWIN_TEST_DATA`` names.
    """
    folder = Path(os.environ.get("TWIN_TEST_DATA", _ROOT.parent / "shared" / "data"))
    path = folder / "flood" / "ea4" / "ea4_ref_dg2_5m_thinned.csv"
    if not path.exists():
        return None
    table = np.genfromtxt(path, delimiter=",", comments="#", skip_header=1)
    return np.asarray(table[np.isfinite(table).all(axis=1)], dtype=np.float64)


def compute_plain_error(times: list[float], depths: list[list[float]], reference: Array) -> float:
    """Return the root mean square error [mm] over the six points, as far as the run goes.

    times [s] (n,) and depths [m] (n, 6) of the run; reference (m, 7) as ``read_reference`` returns it.
    """
    computed, known = np.array(depths), reference[reference[:, 0] <= times[-1]]
    there = np.stack([np.interp(known[:, 0], times, computed[:, k]) for k in range(computed.shape[1])], axis=1)
    return 1.0e3 * float(np.sqrt(np.mean((there - known[:, 1:]) ** 2)))


@dataclass(frozen=True, slots=True, eq=False)
class City:
    """A made-up delta city: bed, Manning's n and first depth (rows, cols), its tidal river and its rain."""

    grid: Grid
    bed: Array
    mannings_n: Array
    depth: Array
    river: StageBoundary
    rain: RainSeries


def make_city(side: int = CITY_SIDE, cell_size: float = CITY_CELL) -> City:
    """Return a delta city of ``side`` × ``side`` cells of ``cell_size`` [m], the same one every time.

    A plain 0.8 to 2 m above datum with ridges and hollows; a river along the west edge behind a dyke; 26 winding
    canals, beds -3 m at the river to -2 m, which cut dyke and roads; a raised road every 900 m or so. The river's
    stage is 1.2 ± 0.9 m with a period of 12.42 h from low water on; 100 mm of rain fall in the hours 3 to 6, so that
    they meet the first high water.
    """
    random = np.random.default_rng(_SEED)
    grid = Grid(side, side, 0.0, side * cell_size, cell_size, "EPSG:5897")
    bed = _make_plain(random, side, cell_size)
    from_river = np.arange(side) * cell_size
    bed = _raise_roads(random, bed, cell_size)
    dyke = (from_river >= 600.0) & (from_river < 630.0)
    bed[:, dyke] = 2.8
    water = _dig_canals(random, bed, cell_size)
    river = np.zeros(bed.shape, dtype=np.bool_)
    river[:, from_river < 600.0] = True
    bed[river] = -8.0
    water |= river
    times = np.arange(0.0, 48.0 * HOUR + 1.0, 600.0)
    stages = 1.2 - 0.9 * np.cos(2.0 * np.pi * times / (12.42 * HOUR))
    return City(
        grid,
        bed,
        np.where(water, 0.027, 0.06),
        np.where(water, stages[0] - bed, 0.0),
        StageBoundary(river, times, stages, "river"),
        RainSeries(HOUR * np.array([0.0, 3.0, 6.0]), np.array([0.0, 100.0 / 3.0, 0.0])),
    )


def _make_plain(random: np.random.Generator, side: int, cell_size: float) -> Array:
    """Return ground between 0.8 and 2 m: two scales of ridges and hollows, and 2 cm of roughness."""
    wide, fine = (
        ndimage.gaussian_filter(random.standard_normal((side, side)), metres / cell_size, mode="reflect")
        for metres in (600.0, 60.0)
    )
    shape = wide / wide.std() + 0.4 * fine / fine.std() + 0.06 * random.standard_normal((side, side))
    return np.asarray(np.clip(1.4 + 0.25 * shape, 0.8, 2.0), dtype=np.float64)


def _raise_roads(random: np.random.Generator, bed: Array, cell_size: float) -> Array:
    """Return the bed with roads of 10 m, 0.6 m above the ground beside them, north-south and east-west."""
    raised = bed.copy()
    side = len(bed)
    for axis in (0, 1):
        at = 900.0 / cell_size
        while at < side:
            line = int(at)
            if axis == 0:
                raised[line] = np.maximum(raised[line], ndimage.uniform_filter1d(bed[line], 25) + 0.6)
            else:
                raised[:, line] = np.maximum(raised[:, line], ndimage.uniform_filter1d(bed[:, line], 25) + 0.6)
            at += random.uniform(700.0, 1100.0) / cell_size
    return raised


def _dig_canals(random: np.random.Generator, bed: Array, cell_size: float) -> Mask:
    """Lower the bed in place along 14 canals from the river eastward and 12 across; return their cells."""
    side = len(bed)
    water = np.zeros(bed.shape, dtype=np.bool_)
    along = np.arange(side) * cell_size
    deep = np.interp(along, [0.0, side * cell_size], [-3.0, -2.0])
    for number in range(26):
        eastward = number < 14
        count, place = (14, number) if eastward else (12, number - 14)
        middle = (place + random.uniform(0.3, 0.7)) / count * side * cell_size
        if not eastward:
            middle = max(middle, 800.0)
        swing, length, phase = random.uniform(30.0, 120.0), random.uniform(1500.0, 4000.0), random.uniform(0.0, 6.28)
        half = random.choice([10.0, 15.0, 20.0])
        centre = middle + swing * np.sin(2.0 * np.pi * along / length + phase)
        # Steps of the centre line below the width: the canal's cells share sides all along.
        near = np.abs(along[:, None] + 0.5 * cell_size - centre[None, :]) <= half
        water |= near if eastward else near.T
    bed[water] = np.minimum(bed, deep[None, :])[water]
    return water


def make_basin(side: int = 1000, cell_size: float = 10.0) -> tuple[Grid, Array, Array]:
    """Return grid, bed and first depth [m] of a closed basin under 1 to 1.1 m of restless water: every cell is wet."""
    random = np.random.default_rng(_SEED)
    swell = ndimage.gaussian_filter(random.standard_normal((side, side)), 8.0)
    swell = (swell - swell.min()) / (swell.max() - swell.min())
    grid = Grid(side, side, 0.0, side * cell_size, cell_size, "EPSG:5897")
    return grid, np.zeros((side, side)), 1.0 + 0.1 * swell

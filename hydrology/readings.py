"""Readings of a gauge made ready for a model: spikes out, on an even grid, gaps kept as gaps."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from layers.errors import InputError

Floats = NDArray[np.float64]

_FINEST, _COARSEST = 600.0, 3600.0


def check_readings(times_s: NDArray[np.floating], stage_m: NDArray[np.floating]) -> tuple[Floats, Floats]:
    """Return times [s] and stages [m] as two (n,) arrays; InputError where they are not."""
    times, stage = np.asarray(times_s, dtype=np.float64), np.asarray(stage_m, dtype=np.float64)
    if times.ndim != 1 or times.shape != stage.shape:
        raise InputError(f"readings: times {times.shape} and stages {stage.shape} differ, expected two (n,) arrays")
    return times, stage


def remove_spikes(stage_m: NDArray[np.floating], limit: float = 8.0) -> Floats:
    """Return the stages [m] (n,) with readings far from the median of their neighbours set to NaN.

    Far is more than ``limit`` times the usual change of the rise from reading to reading, at least 2 cm [1]; the
    window is five readings. Hourly readings of a large tide bend much, ten-minute ones little.
    """
    stage = np.asarray(stage_m, dtype=np.float64).copy()
    known = np.flatnonzero(np.isfinite(stage))
    if known.size < 5:
        return stage
    away = np.abs(stage[known] - median_filter(stage[known], size=5, mode="nearest"))
    scale = max(1.4826 * float(np.median(np.abs(np.diff(stage[known], 2)))), 0.02)
    stage[known[away > limit * scale]] = np.nan
    return stage


def find_step(times: Floats) -> float:
    """Return the even step [s] that suits readings at ``times`` [s]: whole tens of minutes, at most an hour."""
    usual = float(np.median(np.diff(times))) if times.size > 1 else _COARSEST
    return float(np.clip(np.round(usual / _FINEST) * _FINEST, _FINEST, _COARSEST))


def regrid(times: Floats, values: Floats, grid: Floats, gap: float) -> Floats:
    """Return the values on ``grid`` [s], linear between readings at most ``gap`` [s] apart, else NaN."""
    if times.size < 2:
        return np.where(grid == times[0], values[0], np.nan) if times.size else np.full(grid.size, np.nan)
    found = np.interp(grid, times, values, left=np.nan, right=np.nan)
    after = np.clip(np.searchsorted(times, grid, side="left"), 1, times.size - 1)
    exact = times[np.clip(np.searchsorted(times, grid), 0, times.size - 1)] == grid
    bridged = times[after] - times[after - 1] <= gap
    return np.where(exact | bridged, found, np.nan)

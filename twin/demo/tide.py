"""The river at the demo's main gauge: astronomical tide, season, and weather that all sensors share.

The tide is a sum of harmonic constituents with their astronomical arguments (Schureman 1958, mean longitudes
after Meeus 1998); amplitudes and lags are invented in the range of the lower Hau. Weather comes from hashes of
(seed, stream, time), so a stage never depends on when the demo was made.
"""

import numpy as np
from scipy.special import ndtri

from twin.demo.plan import Floats, Ints
from twin.demo.shapes import hash_uniform

MEAN_STAGE = 1.00
# name: (hour-angle, s, h, p multiples of the argument [–], constant [deg], amplitude [m], lag [deg])
CONSTITUENTS = {
    "M2": (2, -2, 2, 0, 0.0, 0.430, 105.0),
    "S2": (2, 0, 0, 0, 0.0, 0.140, 150.0),
    "N2": (2, -3, 2, 1, 0.0, 0.085, 85.0),
    "K2": (2, 0, 2, 0, 0.0, 0.038, 150.0),
    "K1": (1, 0, 1, 0, -90.0, 0.190, 330.0),
    "O1": (1, -2, 1, 0, 90.0, 0.140, 280.0),
    "P1": (1, 0, -1, 0, 90.0, 0.060, 330.0),
    "Q1": (1, -3, 1, 1, 90.0, 0.025, 260.0),
    "M4": (4, -4, 4, 0, 0.0, 0.040, 190.0),
    "MS4": (4, -2, 2, 0, 0.0, 0.028, 230.0),
    "Sa": (0, 0, 1, 0, 0.0, 0.220, 222.0),
    "Ssa": (0, 0, 2, 0, 0.0, 0.040, 80.0),
}


def compute_tide(seconds: Ints) -> Floats:
    """Return the astronomical tide with its seasonal part about the mean stage [m] at Unix times."""
    days = (seconds - 946_728_000) / 86_400.0
    hour_angle = 360.0 * ((seconds % 86_400) / 86_400.0)
    s, h, p = 218.3165 + 13.17639648 * days, 280.4661 + 0.98564736 * days, 83.3532 + 0.11140353 * days
    stage = np.zeros(len(seconds))
    for a, b, c, d, constant, amplitude, lag in CONSTITUENTS.values():
        stage += amplitude * np.cos(np.radians(a * hour_angle + b * s + c * h + d * p + constant - lag))
    return stage


def compute_river_stage(seconds: Ints, seed: int) -> Floats:
    """Return the stage of the river at the main gauge without noise [m above datum]."""
    return np.asarray(
        MEAN_STAGE
        + compute_tide(seconds)
        + compute_drift(seconds, seed, 1, 60, 0.045)
        + compute_drift(seconds, seed, 2, 240, 0.045),
        np.float64,
    )


def compute_drift(seconds: Ints, seed: int, stream: int, hours: int, spread: float) -> Floats:
    """Return first-order autoregressive weather with memory ``hours`` and standard deviation ``spread`` [m].

    The process is a truncated exponential filter over hourly hashed noise: the same for every window.
    """
    first, last = int(seconds[0]) // 3600, int(seconds[-1]) // 3600 + 1
    memory = 5 * hours
    noise = ndtri(hash_uniform(seed, stream, np.arange(first - memory, last + 1)))
    weights = np.exp(-np.arange(memory + 1) / hours)
    weights /= np.sqrt((weights**2).sum())
    hourly = np.convolve(noise, weights, mode="valid")
    return np.asarray(spread * np.interp(seconds / 3600.0, np.arange(first, last + 1), hourly), np.float64)

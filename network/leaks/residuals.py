"""Residuals of a leak-free model made white: what the model gets wrong at each load is learned from a known period.

A residual is a reading less what the driven model gives. The errors of the model (roughness, demands that lie
elsewhere) grow with the load, so the mean is a parabola in it; the scatter is a covariance for each class of load. Both
are learned where no leak ran, or all that ran were known.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layers.errors import InputError

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

LEAST_STEPS = 288
"""For a baseline: a day of five minutes."""

SHRINKAGE = 0.05
"""Weight of the diagonal in a covariance (Ledoit and Wolf 2004): keeps a class of few steps regular."""


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """The leak-free residual: ``coefficients`` (features, channels), ``whitening`` (classes, channels, channels).

    A vector times the whitening of its class has unit covariance. ``scale`` is the load of 1 [m3/s].
    """

    coefficients: Array
    whitening: Array
    scale: float

    def centre(self, residuals: Array, load: Array, pumped: Array) -> Array:
        """Return residuals (steps, channels) less their mean; load and pumped (steps,) [m3/s]."""
        return np.asarray(residuals - describe_load(load, pumped, self.scale) @ self.coefficients)


def whiten(centred: Array, classes: Indices, whitening: Array) -> Array:
    """Return centred residuals (steps, channels) white by the class of load of each step (steps,).

    What was not read is what the other channels of that step let expect, so that it speaks for nothing; a step of which
    nothing was read is 0.
    """
    there = np.isfinite(centred)
    filled = np.where(there, centred, 0.0)
    precision = np.einsum("cji,cjk->cik", whitening, whitening)
    for step in np.flatnonzero(there.any(axis=1) & ~there.all(axis=1)):
        seen, own = there[step], precision[classes[step]]
        lost = ~seen
        filled[step, lost] = -np.linalg.solve(own[np.ix_(lost, lost)], own[np.ix_(lost, seen)] @ filled[step, seen])
    white = np.empty_like(filled)
    for index in range(len(whitening)):
        rows = classes == index
        white[rows] = filled[rows] @ whitening[index].T
    return white


def describe_load(load: Array, pumped: Array, scale: float) -> Array:
    """Return what the mean of a residual is a line of (steps, 5): 1, load, its square, what is pumped, both times."""
    relative, lifted = load / scale, pumped / scale
    return np.stack((np.ones_like(relative), relative, relative**2, lifted, lifted * relative), axis=1)


def fit_baseline(residuals: Array, load: Array, pumped: Array, classes: Indices, count: int) -> Baseline:
    """Return the baseline of a known period: residuals (steps, channels), ``count`` classes of load.

    Steps where a channel was not read do not count. Raises InputError where fewer than LEAST_STEPS remain.
    """
    whole = np.isfinite(residuals).all(axis=1) & np.isfinite(load) & np.isfinite(pumped)
    if whole.sum() < LEAST_STEPS:
        raise InputError(
            f"{whole.sum()} whole steps of readings are too few to learn a network without leaks from,"
            f" expected {LEAST_STEPS} or more"
        )
    known, group = residuals[whole], classes[whole]
    scale = float(np.mean(load[whole])) or 1.0
    features = describe_load(load[whole], pumped[whole], scale)
    coefficients = np.asarray(np.linalg.lstsq(features, known, rcond=None)[0], np.float64)
    centred = known - features @ coefficients
    common = np.cov(centred.T).reshape(known.shape[1], known.shape[1])
    whitening = []
    for index in range(count):
        own = centred[group == index]
        weight = len(own) / (len(own) + 4.0 * known.shape[1])
        if len(own) > 1:
            common = weight * np.cov(own.T).reshape(common.shape) + (1.0 - weight) * common
        # A class that was not seen takes the covariance of the one before it.
        whitening.append(make_whitening(common))
    return Baseline(coefficients, np.array(whitening), scale)


def make_whitening(covariance: Array) -> Array:
    """Return the inverse Cholesky factor of a covariance (channels, channels) drawn a little to its diagonal."""
    diagonal = np.diag(np.maximum(np.diag(covariance), 1.0e-12))
    return np.linalg.inv(np.linalg.cholesky((1.0 - SHRINKAGE) * covariance + SHRINKAGE * diagonal))

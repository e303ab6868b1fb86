"""What a residual is predicted from: its own past, the tide it will meet, and how the two act on each other.

Surge and tide are not independent: a surge is higher on the rising tide of shallow water than at its high water
(Horsburgh and Wilson 2007, doi:10.1029/2006JC004033). The products of past residuals with the tide say so.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HOUR = 3600.0
_OLDEST = 48
_ACTING = (0.0, 3600.0, 7200.0, 43200.0)
_TERMS, _PRODUCTS, STATES = 6, 7, 7


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where each predictor stands.

    step [s]: of the model's grid. ages: of the past residuals [s] (m,), from 0 on. acting: places among ``ages`` of
    those whose products with the tide count. Columns: ages, a constant, six terms of the tide, seven products each.
    """

    step: float
    ages: Floats
    acting: NDArray[np.int64]

    @property
    def width(self) -> int:
        """Number of columns."""
        return self.ages.size + 1 + _TERMS + _PRODUCTS * self.acting.size

    def choose(self, oldest: float, *, tide: bool) -> NDArray[np.int64]:
        """Return the columns of residuals up to ``oldest`` [s] and the constant, with those of the tide if wanted."""
        count = self.ages.size
        own = np.flatnonzero(self.ages <= oldest)
        if not tide:
            return np.append(own, count)
        acting = np.flatnonzero(self.ages[self.acting] <= oldest)
        products = count + 1 + _TERMS + (acting[:, None] * _PRODUCTS + np.arange(_PRODUCTS)).ravel()
        return np.concatenate([own, np.arange(count, count + 1 + _TERMS), products])


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """Tide and its rate, both scaled to a deviation of 1, at one time of each row (n,) or at several (n, k)."""

    tide: Floats
    rate: Floats


def make_layout(step: float, oldest: float = _OLDEST * HOUR) -> Layout:
    """Return the layout of a grid of ``step`` [s]: each step of the last hour, then each hour up to ``oldest`` [s]."""
    first = np.arange(0.0, HOUR + 1.0, step)
    ages = np.unique(np.append(first, np.arange(HOUR, _OLDEST * HOUR, HOUR)))
    ages = ages[ages <= oldest]
    acting = np.flatnonzero(np.isin(ages, [*_ACTING, step]))
    return Layout(step, ages, acting)


def build_design(layout: Layout, lags: Floats, own: Moment, target: Moment) -> Floats:
    """Return the predictors (n, layout.width).

    lags: residuals [m] (n, ages) of each age. own: the tide at the ages that act (n, acting). target: the tide at the
    time that is predicted (n,).
    """
    count = layout.ages.size
    design = np.empty((lags.shape[0], layout.width))
    design[:, :count] = lags
    design[:, count] = 1.0
    t, d = target.tide, target.rate
    terms = (t, d, t * t, d * d, t * d, t * t * t)
    for place, term in enumerate(terms, start=count + 1):
        design[:, place] = term
    place = count + 1 + _TERMS
    for k, age in enumerate(layout.acting):
        r = lags[:, age]
        for factor in (t, d, own.tide[:, k], own.rate[:, k], t * t, d * d, t * d):
            np.multiply(r, factor, out=design[:, place])
            place += 1
    return design


def build_states(layout: Layout, lags: Floats, target: Moment) -> Floats:
    """Return what the error's size depends on (n, STATES): how large and restless the residual is, and the tide."""
    hourly = np.flatnonzero((layout.ages <= 12.0 * HOUR) & (layout.ages % HOUR == 0.0))
    third = int(np.argmin(np.abs(layout.ages - 3.0 * HOUR)))
    return np.stack(
        [
            np.ones(lags.shape[0]),
            np.abs(lags[:, 0]),
            np.abs(lags[:, 0] - lags[:, third]),
            np.std(lags[:, hourly], axis=1),
            target.tide,
            target.rate,
            target.tide**2,
        ],
        axis=1,
    )

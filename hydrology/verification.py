"""How good a computed series, or a forecast by quantiles, is against a measured one; pairs with a NaN are left out."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from layers.errors import InputError

Series = NDArray[np.floating]


class PeakError(NamedTuple):
    """Computed minus measured highest value [unit of the series] and its time [s]."""

    height: float
    time: float


class Contingency(NamedTuple):
    """Warnings against what came: hits, misses, false alarms; the shares made of them [1], NaN where nothing was.

    pod = hits/(hits + misses), far = false/(hits + false), csi = hits/(hits + misses + false) [2].
    """

    hits: int
    misses: int
    false_alarms: int

    @property
    def pod(self) -> float:
        """Probability of detection [1]."""
        return _divide(self.hits, self.hits + self.misses)

    @property
    def far(self) -> float:
        """False alarm ratio [1]."""
        return _divide(self.false_alarms, self.hits + self.false_alarms)

    @property
    def csi(self) -> float:
        """Critical success index [1]."""
        return _divide(self.hits, self.hits + self.misses + self.false_alarms)


def _divide(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def _pair(computed: Series, measured: Series) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    a, b = np.asarray(computed, dtype=np.float64), np.asarray(measured, dtype=np.float64)
    if a.shape != b.shape:
        raise InputError(f"computed has shape {a.shape} and measured {b.shape}, expected one shape")
    both = np.isfinite(a) & np.isfinite(b)
    if not both.any():
        raise InputError("computed and measured share no pair of numbers, expected at least one")
    return a[both], b[both]


def compute_rmse(computed: Series, measured: Series) -> float:
    """Return the root mean square error [unit of the series]."""
    a, b = _pair(computed, measured)
    return float(np.sqrt(np.mean((a - b) ** 2)))


def compute_bias(computed: Series, measured: Series) -> float:
    """Return the mean of computed minus measured [unit of the series]."""
    a, b = _pair(computed, measured)
    return float(np.mean(a - b))


def compute_mae(computed: Series, measured: Series) -> float:
    """Return the mean absolute error [unit of the series]."""
    a, b = _pair(computed, measured)
    return float(np.mean(np.abs(a - b)))


def compute_nse(computed: Series, measured: Series) -> float:
    """Return the efficiency of Nash and Sutcliffe 1970 [1]: 1 is perfect, 0 as good as the measured mean.

    Raise InputError where the measured values do not vary.
    """
    a, b = _pair(computed, measured)
    spread = float(np.sum((b - b.mean()) ** 2))
    if spread == 0.0:
        raise InputError("measured values do not vary, expected a spread to compare the error with")
    return 1.0 - float(np.sum((a - b) ** 2)) / spread


def compute_peak_error(times_s: Series, computed: Series, measured: Series) -> PeakError:
    """Return by how much and how late the computed peak misses the measured one; times [s] (n,)."""
    if np.shape(times_s) != np.shape(computed):
        raise InputError(f"times have shape {np.shape(times_s)}, expected {np.shape(computed)}")
    _pair(computed, measured)
    i, j = int(np.nanargmax(computed)), int(np.nanargmax(measured))
    return PeakError(float(computed[i] - measured[j]), float(times_s[i] - times_s[j]))


def compute_crps(quantiles: Series, levels: Sequence[float], measured: Series) -> float:
    """Return the mean continuous ranked probability score [unit of the series] of quantile forecasts.

    quantiles (n, k) at the probabilities ``levels`` (k,), measured (n,). The score is twice the integral of the
    quantile loss over all probabilities (Gneiting and Ranjan 2011, doi:10.1198/jbes.2010.08110), by the trapezoidal
    rule; beyond the outermost levels the loss falls to nought at 0 and 1. One column is a forecast without spread:
    its score is the mean absolute error.
    """
    q, y = np.asarray(quantiles, dtype=np.float64), np.asarray(measured, dtype=np.float64)
    if q.shape != (y.size, len(levels)):
        raise InputError(f"quantiles have shape {q.shape}, expected ({y.size}, {len(levels)})")
    both = np.isfinite(q).all(axis=1) & np.isfinite(y)
    if not both.any():
        raise InputError("forecast and measured share no pair of numbers, expected at least one")
    error = y[both, None] - q[both]
    if q.shape[1] == 1:
        return float(np.mean(np.abs(error)))
    p = np.asarray(levels, dtype=np.float64)
    loss = np.mean(np.where(error >= 0.0, p * error, (p - 1.0) * error), axis=0)
    return float(2.0 * np.trapezoid(np.concatenate([[0.0], loss, [0.0]]), np.concatenate([[0.0], p, [1.0]])))


def compute_reliability(quantiles: Series, measured: Series) -> NDArray[np.float64]:
    """Return how often the measured value was at or below each quantile [1] (k,); quantiles (n, k), measured (n,)."""
    q, y = np.asarray(quantiles, dtype=np.float64), np.asarray(measured, dtype=np.float64)
    both = np.isfinite(q).all(axis=1) & np.isfinite(y)
    if not both.any():
        raise InputError("forecast and measured share no pair of numbers, expected at least one")
    return np.asarray(np.mean(y[both, None] <= q[both], axis=0), dtype=np.float64)


def count_warnings(warned: Series, measured: Series, level: float) -> Contingency:
    """Return how often a value at or above ``level`` was told and came; both (n,) [unit of the series]."""
    a, b = _pair(warned, measured)
    told, came = a >= level, b >= level
    return Contingency(int((told & came).sum()), int((~told & came).sum()), int((told & ~came).sum()))


def find_first_right_lead(leads_s: Series, warned: Series, level: float) -> float | None:
    """Return the longest lead [s] from which on every issue told of a crossing that came, or None if none did.

    leads [s] (k,) rising and what was told for the one moment from each of them (k,); NaN: no issue.
    """
    first: float | None = None
    for lead, value in zip(leads_s, warned, strict=True):
        if np.isnan(value):
            continue
        if value < level:
            break
        first = float(lead)
    return first


def compute_exceedance(quantiles: Series, levels: Sequence[float], value: float) -> NDArray[np.float64]:
    """Return the probability [1] (n,) that a forecast of quantiles (n, k) at ``levels`` (k,) is at or above ``value``.

    Linear between the quantiles. Beyond the outermost the distribution ends two widths of the last share further.
    """
    q = np.asarray(quantiles, dtype=np.float64)
    p = np.asarray(levels, dtype=np.float64)
    below, above = p[0] / (p[1] - p[0]) * 2.0, (1.0 - p[-1]) / (p[-1] - p[-2]) * 2.0
    first = q[:, 0] - below * (q[:, 1] - q[:, 0])
    last = q[:, -1] + above * (q[:, -1] - q[:, -2])
    edges = np.column_stack([first, q, last])
    shares = np.concatenate([[0.0], p, [1.0]])
    found = np.empty(q.shape[0])
    for row, edge in enumerate(edges):
        # Of equal quantiles the last counts: a value equal to all of them is not exceeded by chance but reached.
        found[row] = 1.0 if value <= edge[0] else 1.0 - np.interp(value, edge, shares)
    return found

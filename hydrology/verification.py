"""How good a computed series is against a measured one. Pairs with a NaN are left out."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from layers.errors import InputError

Series = NDArray[np.floating]


class PeakError(NamedTuple):
    """Computed minus measured highest value [unit of the series] and its time [s]."""

    height: float
    time: float


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

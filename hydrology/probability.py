"""How likely water is, from an ensemble: the share of members that reach a depth, and depths by their probability.

Members are taken one at a time, so that an ensemble of any size needs the memory of a few rasters; only quantiles keep
the members, as whole millimetres in two bytes a cell.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layers.errors import InputError

Raster32 = NDArray[np.float32]

THRESHOLDS = (0.1, 0.3, 0.5)
"""Depths [m] that people ask for: ankle, the end of driving, knee."""

_MILLIMETRES = 1000.0
_ROWS_AT_ONCE = 64


@dataclass(frozen=True, slots=True, eq=False)
class FloodProbability:
    """What an ensemble says, all rasters (rows, cols) with NaN where any member has no value.

    ``probability`` [1] by depth [m] reached or passed, ``expected`` the mean depth [m], ``quantiles`` depths [m] by
    quantile [1]; ``members`` is how many spoke.
    """

    probability: dict[float, Raster32]
    expected: Raster32
    quantiles: dict[float, Raster32]
    members: int


def compute_probability(
    members: Iterable[NDArray[np.floating]],
    *,
    thresholds: Sequence[float] = THRESHOLDS,
    weights: Sequence[float] | None = None,
    quantiles: Sequence[float] = (),
) -> FloodProbability:
    """Return the probability of depth from maximum depths [m] (rows, cols) of the members.

    ``weights`` (one a member, any sum) say how much each counts; alike if not given. A quantile is the smallest member
    depth that holds at least that share of the weight, to 1 mm. Raise InputError for no member, differing shapes, or
    weights and quantiles that cannot be.
    """
    for quantile in quantiles:
        if not 0.0 < quantile <= 1.0:
            raise InputError(f"quantile is {quantile}, expected above 0 and up to 1")
    shares = None if weights is None else _check_weights(weights)
    total: NDArray[np.float64] | None = None
    reached: dict[float, NDArray[np.float64]] = {}
    kept: list[NDArray[np.uint16]] = []
    count, weight_sum = 0, 0.0
    for member in members:
        depth = np.asarray(member, dtype=np.float32)
        if total is None:
            total = np.zeros(depth.shape)
            reached = {threshold: np.zeros(depth.shape) for threshold in thresholds}
        if depth.ndim != 2 or depth.shape != total.shape:
            raise InputError(f"member {count} has shape {depth.shape}, expected (rows, cols) {total.shape}")
        if shares is not None and count >= len(shares):
            raise InputError(f"there are {len(shares)} weights and more members, expected one a member")
        weight = 1.0 if shares is None else float(shares[count])
        total += weight * depth
        for threshold, hits in reached.items():
            hits += weight * (depth >= np.float32(threshold))
        if quantiles:
            kept.append(_to_millimetres(depth))
        count, weight_sum = count + 1, weight_sum + weight
    if total is None or weight_sum == 0.0:
        raise InputError(f"the ensemble has {count} members with weight, expected one or more")
    if shares is not None and count != len(shares):
        raise InputError(f"there are {len(shares)} weights and {count} members, expected one a member")
    outside = np.isnan(total)
    found = _find_quantiles(kept, np.ones(count) if shares is None else shares, quantiles) if kept else {}
    return FloodProbability(
        {threshold: _mask(hits / weight_sum, outside) for threshold, hits in reached.items()},
        _mask(total / weight_sum, outside),
        {quantile: _mask(depths, outside) for quantile, depths in found.items()},
        count,
    )


def _check_weights(weights: Sequence[float]) -> NDArray[np.float64]:
    shares = np.asarray(weights, dtype=np.float64)
    wrong = np.flatnonzero(~(np.isfinite(shares) & (shares >= 0.0)))
    if wrong.size:
        raise InputError(f"weight {wrong[0]} is {shares[wrong[0]]}, expected a number not below 0")
    return shares


def _to_millimetres(depth: Raster32) -> NDArray[np.uint16]:
    most = np.iinfo(np.uint16).max
    whole: NDArray[np.float32] = np.rint(np.nan_to_num(depth) * np.float32(_MILLIMETRES))
    return whole.clip(0, most).astype(np.uint16)


def _find_quantiles(
    members: Sequence[NDArray[np.uint16]], weights: NDArray[np.float64], quantiles: Sequence[float]
) -> dict[float, NDArray[np.float64]]:
    """Return the depths [m] (rows, cols) that hold each quantile of the weight, some rows at a time."""
    found = {quantile: np.empty(members[0].shape) for quantile in quantiles}
    # A share just met must not be missed by the rounding of a sum of weights.
    whole = weights.sum() * (1.0 - 1e-12)
    for start in range(0, len(members[0]), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        block = np.stack([member[rows] for member in members])
        order = np.argsort(block, axis=0)
        held = np.cumsum(weights[order], axis=0)
        for quantile, depths in found.items():
            first = np.argmax(held >= quantile * whole, axis=0)
            place = np.take_along_axis(order, first[None], axis=0)
            depths[rows] = np.take_along_axis(block, place, axis=0)[0] / _MILLIMETRES
    return found


def _mask(values: NDArray[np.float64], outside: NDArray[np.bool_]) -> Raster32:
    return np.where(outside, np.nan, values).astype(np.float32)

"""What the ground of coarse cells takes: rain everywhere, standing water through the wet share of the cell."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hydrology.infiltration import Losses, step
from hydrology.subgrid_domain import INSIDE, Terrain, Water
from hydrology.subgrid_forcing import coarsen

Array = NDArray[np.float64]


def coarsen_losses(losses: Losses, there: NDArray[np.bool_], factor: int) -> Losses:
    """Return the losses of the coarse cells: sealed share by ground, all else by open ground in the cell.

    there: pixels of the domain (rows, cols).
    """

    def mean(values: Array, weight: Array) -> Array:
        total = coarsen(weight, factor)[INSIDE]
        summed = coarsen(np.where(weight > 0.0, values, 0.0) * weight, factor)[INSIDE]
        return np.divide(summed, total, out=np.zeros_like(total), where=total > 0.0)

    ground = there.astype(np.float64)
    sealed = mean(losses.impervious, ground)
    opened = ground * (1.0 - losses.impervious)
    own: dict[str, Any] = {entry.name: mean(getattr(losses, entry.name), opened) for entry in fields(losses)}
    return replace(losses, **{**own, "impervious": sealed})


def soak(
    losses: Losses, water: Water, rain: Array, span: float, infiltrated: Array, ground: Array, terrain: Terrain
) -> tuple[float, float]:
    """Add ``span`` [s] of ``rain`` [m/s], take what the ground takes meanwhile; return both, summed over cells [m].

    losses: of the coarse cells. rain: mean on each cell, with the ring. infiltrated: so far per area of open ground
    [m], and ground: share of each cell that is ground [1], without the ring. Depths and infiltrated change in place.
    """
    depth, computed = water.depth[INSIDE], terrain.per_length[INSIDE] > 0.0
    share = np.where(computed & (ground > 0.0), ground, 1.0)
    fallen, before = rain[INSIDE] * span, infiltrated.copy()
    taken = step(fallen / share, depth / share, span, infiltrated, losses) * share
    # The rise of the stage per mean depth is one over the wet share of the cell.
    dry = 1.0 - 1.0 / np.maximum(water.steep[INSIDE], 1.0)
    passed = np.where(computed, taken - dry * np.maximum(taken - fallen, 0.0), 0.0)
    part = np.divide(passed, taken, out=np.zeros_like(taken), where=taken > 0.0)
    infiltrated[...] = before + part * (infiltrated - before)
    # Not more than there is, whatever rounds: what is taken is counted as it changes the water.
    left = np.maximum(depth + fallen - passed, 0.0)
    soaked = float((depth + fallen - left).sum())
    depth[...] = left
    return float(fallen.sum()), soaked

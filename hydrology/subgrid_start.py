"""The water of coarse cells at the start, from the depths of their pixels."""

import numpy as np
from numpy.typing import NDArray

from hydrology.domain import WALL
from hydrology.subgrid import STAGE_LEVELS, SubgridTables
from hydrology.subgrid_forcing import coarsen

Array = NDArray[np.float64]


def find_mean_depth(depth: Array, bed: Array, storage: Array, factor: int, tables: SubgridTables) -> Array:
    """Return the mean depth of the cells [m], with the ring: of a level pool the one that has its stage.

    The stage in a table is linear over the volume between its levels, so that only one of the two can be kept; where
    the water is no level pool it is the volume. depth, bed [m], NaN outside, and storage [1]: of the pixels.
    """
    there = np.isfinite(bed)
    depth = np.where(there, depth, 0.0)
    mean = coarsen(depth * storage, factor) / factor**2
    wet = depth > 0.0
    top = coarsen(np.where(wet, bed + depth, -WALL), factor, np.maximum)
    low = coarsen(np.where(wet, bed + depth, WALL), factor, np.minimum)
    dry = coarsen(np.where(there & ~wet, bed, WALL), factor, np.minimum)
    level = (top - low < 1.0e-6) & (dry >= low - 1.0e-6)
    mean[level] = invert_tables(tables, low)[level]
    return mean


def invert_tables(tables: SubgridTables, stage: Array) -> Array:
    """Return the mean depth of the cells [m] at ``stage`` [m]."""
    over = stage - tables.base
    table = tables.stage.astype(np.float64)
    k = np.clip((table[..., 1:] <= over[..., None]).sum(axis=-1), 0, STAGE_LEVELS - 1)[..., None]
    low, high = (np.take_along_axis(table, k + step, axis=-1)[..., 0] for step in (0, 1))
    k = k[..., 0]
    part = np.where(high > low, (over - low) / np.where(high > low, high - low, 1.0), 0.0)
    below = tables.full * (k**2 + part * (2 * k + 1)) / STAGE_LEVELS**2
    beyond = tables.full + (over - table[..., -1]) / tables.above
    return np.where(over <= 0.0, 0.0, np.where(over >= table[..., -1], beyond, below))

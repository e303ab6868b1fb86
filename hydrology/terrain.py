"""Edits of the bed: dykes, breaches and a coarser grid."""

import numpy as np
from numpy.typing import NDArray

from hydrology.domain import check_raster
from layers.errors import InputError


def _check_mask(cells: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    if cells.shape != shape or cells.dtype != np.bool_:
        raise InputError(f"cells are {cells.dtype} of shape {cells.shape}, expected a bool mask of shape {shape}")
    return cells


def raise_cells(
    bed: NDArray[np.floating], cells: NDArray[np.bool_], crest: NDArray[np.floating] | float
) -> NDArray[np.float64]:
    """Return the bed [m] (rows, cols) not lower than ``crest`` [m] in ``cells``: a dyke, a wall, a raised road."""
    z = np.asarray(bed, dtype=np.float64)
    return np.where(_check_mask(cells, z.shape), np.maximum(z, crest), z)


def lower_cells(
    bed: NDArray[np.floating], cells: NDArray[np.bool_], crest: NDArray[np.floating] | float
) -> NDArray[np.float64]:
    """Return the bed [m] (rows, cols) not higher than ``crest`` [m] in ``cells``: a breach, a ditch."""
    z = np.asarray(bed, dtype=np.float64)
    return np.where(_check_mask(cells, z.shape), np.minimum(z, crest), z)


def coarsen(
    bed: NDArray[np.floating], factor: int, *, keep_max: NDArray[np.bool_] | None = None
) -> NDArray[np.float64]:
    """Return the bed [m] on blocks of ``factor`` × ``factor`` cells: (ceil(rows / factor), ceil(cols / factor)).

    Each block takes the mean of its cells with a value (NaN where none has one); a block that touches ``keep_max``
    takes the highest of those cells, so that dykes and river walls keep their crest. Raise InputError for a factor
    below 1.
    """
    z = np.asarray(bed, dtype=np.float64)
    if factor < 1:
        raise InputError(f"coarsening factor is {factor}, expected 1 or more")
    rows, cols = z.shape
    blocks = (-(-rows // factor), -(-cols // factor))
    extra = ((0, blocks[0] * factor - rows), (0, blocks[1] * factor - cols))

    def split(values: NDArray[np.float64]) -> NDArray[np.float64]:
        padded = np.pad(values, extra, constant_values=np.nan)
        cells = padded.reshape(blocks[0], factor, blocks[1], factor).swapaxes(1, 2)
        return cells.reshape(*blocks, factor * factor)

    cells = split(z)
    known = np.isfinite(cells)
    count = known.sum(axis=-1)
    mean = np.where(known, cells, 0.0).sum(axis=-1) / np.maximum(count, 1)
    if keep_max is not None:
        walls = split(np.where(_check_mask(keep_max, z.shape), z, np.nan))
        highest = np.where(np.isfinite(walls), walls, -np.inf).max(axis=-1)
        mean = np.where(np.isfinite(highest), highest, mean)
    return np.where(count > 0, mean, np.nan)


def check_complete(bed: NDArray[np.floating], required: NDArray[np.bool_]) -> None:
    """Raise InputError naming the first cell of ``required`` (rows, cols) that has no bed elevation [m]."""
    z = check_raster("bed", bed, required.shape)
    missing = required & ~np.isfinite(z)
    if missing.any():
        row, col = (int(k) for k in np.argwhere(missing)[0])
        raise InputError(
            f"bed has no value in cell ({row}, {col}) and {int(missing.sum()) - 1} more, expected an elevation",
            hint="fill the terrain there or leave the cells out of the domain",
        )

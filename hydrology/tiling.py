"""Which tiles of the domain hold water, and the runs of cells of each row that a step visits.

A tile is active when it or one of its eight neighbours is wet. Water passes one cell a step, so tiles looked at again
every ``TILE_ROWS`` steps lose none on the way; what a source pours into a sleeping tile wakes it before the next step.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hydrology.compile import compile_loop
from hydrology.domain import TILE_COLS, TILE_ROWS, Domain
from hydrology.kernels import find_deepest, read_bits

Flags = NDArray[np.uint8]
Index = NDArray[np.int64]


class Tiles(NamedTuple):
    """State of each tile, (tile rows + 2, tile columns + 2) with a ring around that never is anything.

    active: visited by every step. film: of the sleeping tiles, whether water in them still creeps. touched: a source
    gave it water since the last look. wet: as of the last look. run_first, run_last: first cell of each run of active
    tiles in a tile row and the one after its last, (tile rows + 2, tile columns + 1); run_count (tile rows + 2,).
    bands: first tile row of each thread's share and the end (threads + 1).
    """

    active: Flags
    touched: Flags
    wet: Flags
    film: Flags
    run_first: Index
    run_last: Index
    run_count: Index
    bands: Index


def make_tiles(shape: tuple[int, int], threads: int) -> Tiles:
    """Return the tiles of a padded domain of ``shape``, all of them active."""
    down, across = -(-(shape[0] - 2) // TILE_ROWS), (shape[1] - 2) // TILE_COLS
    active, touched, wet, film = (np.zeros((down + 2, across + 2), dtype=np.uint8) for _ in range(4))
    active[1:-1, 1:-1] = 1
    first, last = (np.zeros((down + 2, across + 1), dtype=np.int64) for _ in range(2))
    return Tiles(active, touched, wet, film, first, last, np.zeros(down + 2, np.int64), np.zeros(threads + 1, np.int64))


@compile_loop
def touch(tiles: Tiles, row: int, col: int) -> bool:
    """Note that the padded cell was given water; return whether its tile sleeps."""
    i, j = 1 + (row - 1) // TILE_ROWS, 1 + (col - 1) // TILE_COLS
    tiles.touched[i, j] = 1
    return bool(tiles.active[i, j] == 0)


@compile_loop
def look_again(
    tiles: Tiles,
    stage: NDArray[np.float64],
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    domain: Domain,
    film_depth: float,
    wet_depth: float,
    cell_size: float,
    whole: bool,
) -> None:
    """Find the active tiles anew; water in those that fall asleep comes to rest.

    wet_depth: a tile with no more than this [m] sleeps, with no more than film_depth [m] its water does not creep
    either. ``whole``: look into the sleeping ones too, and forget touches.
    """
    rows, down, across = stage.shape[0] - 2, tiles.active.shape[0] - 2, tiles.active.shape[1] - 2
    threshold, creep = wet_depth / cell_size, film_depth / cell_size
    for i in range(1, down + 1):
        first, last = 1 + (i - 1) * TILE_ROWS, min(i * TILE_ROWS, rows)
        for j in range(1, across + 1):
            wet = np.uint8(0) if whole else tiles.touched[i, j]
            if wet == 0 and (whole or tiles.active[i, j]):
                lo, hi = 1 + (j - 1) * TILE_COLS, 1 + j * TILE_COLS
                tiles.film[i, j] = 0
                for row in range(first, last + 1):
                    deepest = read_bits(
                        find_deepest(stage[row, lo:hi], domain.bed[row, lo:hi], domain.gain[row, lo:hi])
                    )
                    if deepest > creep:
                        tiles.film[i, j] = 1
                    if deepest > threshold:
                        wet = np.uint8(1)
                        break
            tiles.wet[i, j] = wet
            tiles.touched[i, j] = 0
    for i in range(1, down + 1):
        first, last = 1 + (i - 1) * TILE_ROWS, min(i * TILE_ROWS, rows)
        count = 0
        for j in range(1, across + 1):
            lo, hi = 1 + (j - 1) * TILE_COLS, 1 + j * TILE_COLS
            if tiles.wet[i - 1 : i + 2, j - 1 : j + 2].any():
                tiles.active[i, j] = 1
                if count > 0 and tiles.run_last[i, count - 1] == lo:
                    tiles.run_last[i, count - 1] = hi
                else:
                    tiles.run_first[i, count], tiles.run_last[i, count] = lo, hi
                    count += 1
            elif tiles.active[i, j]:
                tiles.active[i, j] = 0
                x[first : last + 1, lo:hi] = 0.0
                y[first : last + 1, lo:hi] = 0.0
        tiles.run_count[i] = count
    share_out(tiles)


@compile_loop
def share_out(tiles: Tiles) -> None:
    """Divide the tile rows into bands with about equally many active tiles."""
    down, threads = tiles.active.shape[0] - 2, tiles.bands.size - 1
    total = np.sum(tiles.active)
    passed, band = 0, 1
    tiles.bands[0] = 1
    for i in range(1, down + 1):
        passed += np.sum(tiles.active[i])
        while band < threads and passed * threads >= total * band:
            tiles.bands[band] = i + 1
            band += 1
    tiles.bands[threads] = down + 1


@compile_loop
def count_active(tiles: Tiles, rows: int, cols: int) -> int:
    """Return how many cells of a grid of ``rows`` × ``cols`` a step visits."""
    count = 0
    for i in range(1, tiles.active.shape[0] - 1):
        high = min(TILE_ROWS, rows - (i - 1) * TILE_ROWS)
        for k in range(tiles.run_count[i]):
            count += high * (min(tiles.run_last[i, k], cols + 1) - tiles.run_first[i, k])
    return count

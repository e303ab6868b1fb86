"""Where structures given in pixels act on coarse cells.

An end on a pixel that a boundary prescribes has that boundary's stage, whatever cell the pixel is in. Any other end
acts on the coarse cell around it. Where that cell is prescribed or has both ends in it, the end takes the computed
cell beside it whose water reaches the end first: of two ends in one cell the one that the cell's own water reaches
last, for that one stands beyond the wall. A structure for which there is none does nothing.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hydrology.domain import WALL
from hydrology.links import Links
from hydrology.subgrid import FaceCrests, SubgridTables, flood_levels, raise_crests

OUTSIDE = 0
"""Row of an end outside the domain: the ring."""

Index = NDArray[np.int64]
Mask = NDArray[np.bool_]
Cell = tuple[int, int]


class Land(NamedTuple):
    """The pixels: bed, crests of their west and north faces [m] (rows, cols), and how many a coarse cell's side has."""

    bed: NDArray[np.float64]
    walls: FaceCrests | None
    factor: int


class Ends(NamedTuple):
    """Ends of the structures of ``Links`` on the coarse grid with its ring, (n,) each.

    held: stage boundary whose stage stands at the end, -1 for that of the cell. bed_a: of the pixel of end a [m].
    works: 0 for a structure that no two cells can be found for.
    """

    row_a: Index
    col_a: Index
    held_a: Index
    row_b: Index
    col_b: Index
    held_b: Index
    bed_a: NDArray[np.float64]
    works: NDArray[np.uint8]


def _find_beside(pixel: Cell, not_this: Cell, computed: Mask, land: Land, tables: SubgridTables) -> Cell | None:
    """Return the computed cell of the eight around the pixel's own whose anchor it meets at the lowest level.

    Not ``not_this``; of equals the nearest.
    """
    factor, (rows, cols) = land.factor, land.bed.shape
    own = (1 + pixel[0] // factor, 1 + pixel[1] // factor)
    top, left = max((own[0] - 2) * factor, 0), max((own[1] - 2) * factor, 0)
    window = slice(top, min((own[0] + 1) * factor, rows)), slice(left, min((own[1] + 1) * factor, cols))
    z = np.where(np.isfinite(land.bed[window]), land.bed[window], WALL)
    level = np.full(z.shape, 10.0 * WALL)
    level[pixel[0] - top, pixel[1] - left] = z[pixel[0] - top, pixel[1] - left]
    walls = (None, None) if land.walls is None else (land.walls[0][window], land.walls[1][window].T)
    flood_levels(raise_crests(z, walls[0]), np.ascontiguousarray(raise_crests(z.T, walls[1]).T), level)
    found: list[tuple[float, float, Cell]] = []
    for cell in ((own[0] + down, own[1] + across) for down in (-1, 0, 1) for across in (-1, 0, 1)):
        if cell not in (own, not_this) and computed[cell]:
            row, col = divmod(int(tables.anchor[cell]), cols)
            away = float(np.hypot(row - pixel[0], col - pixel[1]))
            found.append((float(level[row - top, col - left]), away, cell))
    return min(found)[2] if found else None


def locate_ends(links: Links, owner: Index, held: Index, land: Land, tables: SubgridTables) -> Ends:
    """Return where the structures of ``links``, built for the pixels, act on the coarse cells.

    owner: stage boundary of each pixel, -1 for none (rows, cols); held: that of each coarse cell with the ring.
    """
    count, factor = links.kind.size, land.factor
    row_a, col_a, held_a, row_b, col_b, held_b = (np.full(count, value, dtype=np.int64) for value in (0, 0, -1) * 2)
    ends = Ends(row_a, col_a, held_a, row_b, col_b, held_b, np.zeros(count), np.ones(count, dtype=np.uint8))
    computed = (held < 0) & (tables.anchor >= 0)
    computed[[0, -1]], computed[:, [0, -1]] = False, False
    for k in range(count):
        pixel_a = (int(links.row_a[k]) - 1, int(links.col_a[k]) - 1)
        pixel_b = (int(links.row_b[k]) - 1, int(links.col_b[k]) - 1)
        outside = links.row_b[k] == OUTSIDE
        ends.bed_a[k] = land.bed[pixel_a]
        ends.held_a[k] = owner[pixel_a]
        ends.held_b[k] = -1 if outside else owner[pixel_b]
        cells: list[Cell | None] = [None, None]
        fixed = ends.held_a[k] >= 0, outside or ends.held_b[k] >= 0
        for side, pixel, prescribed in zip((0, 1), (pixel_a, pixel_b), fixed, strict=True):
            own = (1 + pixel[0] // factor, 1 + pixel[1] // factor)
            if prescribed:
                cells[side] = (OUTSIDE, 0) if side == 1 and outside else own
            else:
                cells[side] = own if computed[own] else _find_beside(pixel, own, computed, land, tables)
        free = ends.held_a[k] < 0 and ends.held_b[k] < 0 and not outside
        if free and cells[0] is not None and cells[0] == cells[1]:
            side = 1 if tables.access[pixel_b] >= tables.access[pixel_a] else 0
            cells[side] = _find_beside(pixel_b if side else pixel_a, cells[1 - side] or (0, 0), computed, land, tables)
        here, there = cells
        if here is None or there is None:
            ends.works[k] = 0
            continue
        ends.row_a[k], ends.col_a[k] = here
        ends.row_b[k], ends.col_b[k] = there
    return ends

"""Breaches between pixels, as tables of the coarse cells around them that change in phases.

Only what a breach touches is tabulated again: its cells' anchors and faces. A face of a pixel is breached where the
breach takes half of it or more, or else the face it takes most of, so that a breach is as wide as whole pixels.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hydrology.breaches import Breach, BreachFaces, build_breaches, set_breaches
from hydrology.domain import WALL
from hydrology.subgrid import FaceCrests, SubgridTables, build_tables, raise_crests
from hydrology.subgrid_ends import Land
from hydrology.walls import Walls, list_faces

PHASES = 8
"""Times at which a breach that forms slowly is looked at."""

Array = NDArray[np.float64]


def locate_breaches(breaches: Sequence[Breach], walls: Walls, bed: Array, cell_size: float) -> BreachFaces:
    """Return the faces of the pixels that breaches may open; bed [m] (rows, cols). See build_breaches."""
    z = np.where(np.isfinite(bed), bed, WALL)
    crest_x, crest_y = (np.full((bed.shape[0] + 2, bed.shape[1] + 2), WALL) for _ in range(2))
    crest_x[1:-1, 1:], crest_y[1:, 1:-1] = raise_crests(z, None), raise_crests(z.T, None).T
    return build_breaches(breaches, list_faces(walls, crest_x, crest_y), cell_size)


def list_phases(breaches: Sequence[Breach]) -> Array:
    """Return the times [s] at which the tables change, in order."""
    steps = np.linspace(0.0, 1.0, PHASES + 1)
    times = [b.start + b.duration * steps if b.duration > 0.0 else np.array([b.start]) for b in breaches]
    return np.unique(np.concatenate([np.empty(0), *times]))


def _lower_crests(faces: BreachFaces, time: float, walls: FaceCrests) -> FaceCrests:
    """Return the crests of the pixels' faces [m] as the breaches leave them at ``time`` [s]."""
    x, y = (np.pad(crest, 1, constant_values=np.nan) for crest in walls)
    set_breaches(faces, time, np.full_like(x, np.nan), np.full_like(y, np.nan))
    begun = faces.crest < faces.top
    most = faces.share[begun].max() if begun.any() else 1.0
    opened = begun & (faces.share >= min(most, 0.5))
    for crest, axis in ((x, 0), (y, 1)):
        mine = opened & (faces.axis == axis)
        crest[faces.row[mine], faces.col[mine]] = faces.crest[mine]
    return x[1:-1, 1:-1], y[1:-1, 1:-1]


def open_breaches(
    tables: SubgridTables, faces: BreachFaces, time: float, land: Land, mannings_n: Array, storage: Array
) -> SubgridTables:
    """Return the tables as the breaches leave them at ``time`` [s]; ``tables`` are those of the whole walls.

    land, mannings_n [s/m^(1/3)], storage [1]: as the tables were made of.
    """
    none = np.full(land.bed.shape, np.nan)
    walls = _lower_crests(faces, time, land.walls or (none, none))
    changed = {name: getattr(tables, name).copy() for name in ("anchor", "access")}
    for axis in ("x", "y"):
        changed |= {f"{kind}_{axis}": getattr(tables, f"{kind}_{axis}").copy() for kind in ("low", "span", "face")}
    for k in range(faces.start.size):
        mine = faces.face[faces.first[k] : faces.first[k + 1]]
        row, col = faces.row[mine] - 1, faces.col[mine] - 1
        # The cells on both sides of the faces, and one more around that is read and not changed.
        first = max((row.min() - 1) // land.factor, 0), max((col.min() - 1) // land.factor, 0)
        last = row.max() // land.factor, col.max() // land.factor
        _tabulate_again(changed, first, last, land, walls, mannings_n, storage)
    return tables._replace(**changed)


def _tabulate_again(
    changed: dict[str, NDArray[np.generic]],
    first: tuple[int, int],
    last: tuple[int, int],
    land: Land,
    walls: FaceCrests,
    mannings_n: Array,
    storage: Array,
) -> None:
    """Write what the coarse cells from ``first`` to ``last`` (without the ring) know into ``changed``."""
    factor, (rows, cols) = land.factor, land.bed.shape
    begin = max(first[0] - 1, 0), max(first[1] - 1, 0)
    window = (
        slice(begin[0] * factor, min((last[0] + 2) * factor, rows)),
        slice(begin[1] * factor, min((last[1] + 2) * factor, cols)),
    )
    bed = np.ascontiguousarray(land.bed[window])
    part = build_tables(
        bed, mannings_n[window], factor, walls=(walls[0][window], walls[1][window]), storage=storage[window]
    )
    here = (
        slice(1 + first[0] - begin[0], 2 + last[0] - begin[0]),
        slice(1 + first[1] - begin[1], 2 + last[1] - begin[1]),
    )
    there = slice(1 + first[0], 2 + last[0]), slice(1 + first[1], 2 + last[1])
    row, col = np.divmod(part.anchor[here], bed.shape[1])
    anchor = (row + begin[0] * factor) * cols + col + begin[1] * factor
    changed["anchor"][there] = np.where(part.anchor[here] < 0, -1, anchor)
    top, left = (first[0] - begin[0]) * factor, (first[1] - begin[1]) * factor
    pixels = (
        slice(first[0] * factor, min((last[0] + 1) * factor, rows)),
        slice(first[1] * factor, min((last[1] + 1) * factor, cols)),
    )
    size = pixels[0].stop - pixels[0].start, pixels[1].stop - pixels[1].start
    changed["access"][pixels] = part.access[top : top + size[0], left : left + size[1]]
    # West and north faces of the cells, and of those to the east and south of them.
    for axis, more in (("x", (0, 1)), ("y", (1, 0))):
        wide = tuple(slice(part_.start, part_.stop + extra) for part_, extra in zip(here, more, strict=True))
        whole = tuple(slice(part_.start, part_.stop + extra) for part_, extra in zip(there, more, strict=True))
        for kind in ("low", "span", "face"):
            changed[f"{kind}_{axis}"][whole] = getattr(part, f"{kind}_{axis}")[wide]

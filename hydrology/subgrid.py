"""Subgrid tables: what a coarse cell knows about the fine terrain inside it.

After van Ormondt, Leijnse, de Goede, Nederhoff and van Dongeren 2025 (doi:10.5194/gmd-18-843-2025): a table of the
stage over the volume for each cell, and of the mean depth and a representative roughness over the stage for each
face. Three things are different here, so that dykes hold and channels pass:

* Water of a cell stands at its anchor, the pixel from which water gets out to all sides at the lowest levels. A face
  opens at the lowest saddle on a way of pixels between the anchors of its two cells. Such ways join at the anchors,
  so that no chain of cells can lead water below a crest that closes every way of pixels. A wall that splits a cell
  puts the whole cell on the side of its anchor: the ground beyond the wall fills with it, which is the known weakness
  of one stage a cell.
* Resistance is that of the sections between the two anchors in series, so that one narrow section counts: 1/K² is the
  mean of 1/K² of the sections, the depth their harmonic mean. A section is a line of fine faces, each with the depth
  over its higher pixel (Bates 2010); with factor 1 the face is that of the fine solver.
* Levels are spaced as squares: the index is a root, and a high building leaves the resolution at the ground.
"""

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hydrology.compile import compile_loop
from hydrology.domain import WALL
from layers.errors import InputError

STAGE_LEVELS = 32
"""Intervals of a cell's table, from empty to full."""

FACE_LEVELS = 12
"""Intervals of a face's table, from its lowest to its highest pixel."""

LEAST_SPAN = 0.1
"""Height a face's table covers at least [m]."""

MORE_SPAN = 0.5
"""A face's table goes on above the highest pixel by as much again, and by this much at most [m]."""

FAR = 1.0e3
"""Height above a face at which its roughness is that of deep water [m]."""

LEAST_N = 1.0e-3
"""Manning's n of pixels that have none or less [s/m^(1/3)]."""

_NONE = 0.5 * WALL
"""Pixels as high as this are not there [m]."""

Array = NDArray[np.float64]
Array32 = NDArray[np.float32]
FaceCrests = tuple[NDArray[np.floating], NDArray[np.floating]]


class SubgridTables(NamedTuple):
    """Plain arrays, to be kept in a file and read again; (rows, cols) is the coarse grid with a ring around.

    signature: of terrain, roughness, walls, storage and factor (32,). base: lowest pixel [m]. full: mean depth over the
    cell when its highest pixel is reached [m]. above: rise of the stage per mean depth from there on [1]. stage: height
    above ``base`` at the mean depths full (k / STAGE_LEVELS)² [m] (rows, cols, levels + 1). low_x, low_y: stage at
    which the west and north face opens [m]. span_x, span_y: height of the face's table [m]. face_x, face_y: mean depth
    [m] and representative n² [SI] at span (m / FACE_LEVELS)² above ``low``, the last entry being the gain of the depth
    per stage above the table [1] and the n² of deep water (rows, cols, levels + 2, 2). anchor: pixel of the fine
    grid, row × columns + column, -1 where there is none. access: stage at which water at the anchor reaches a pixel
    inside the cell [m], of the fine grid.
    """

    signature: NDArray[np.uint8]
    base: Array
    full: Array
    above: Array
    stage: Array32
    low_x: Array
    low_y: Array
    span_x: Array
    span_y: Array
    face_x: Array32
    face_y: Array32
    anchor: NDArray[np.int64]
    access: Array


@compile_loop
def flood_levels(crest_x: Array, crest_y: Array, level: Array) -> None:
    """Lower ``level`` [m] to the lowest crest on any way from the pixels that have one: a minimax over ways.

    crest_x (rows, cols + 1), crest_y (rows + 1, cols): crests of the west and north faces [m]; level (rows, cols).
    """
    rows, cols = level.shape
    changed = True
    while changed:
        changed = False
        for turn in range(2):
            for a in range(rows):
                r = a if turn == 0 else rows - 1 - a
                for b in range(cols):
                    c = b if turn == 0 else cols - 1 - b
                    best = level[r, c]
                    if c > 0:
                        best = min(best, max(level[r, c - 1], crest_x[r, c]))
                    if c < cols - 1:
                        best = min(best, max(level[r, c + 1], crest_x[r, c + 1]))
                    if r > 0:
                        best = min(best, max(level[r - 1, c], crest_y[r, c]))
                    if r < rows - 1:
                        best = min(best, max(level[r + 1, c], crest_y[r + 1, c]))
                    if best < level[r, c]:
                        level[r, c] = best
                        changed = True


@compile_loop
def find_anchor(z: Array, crest_x: Array, crest_y: Array) -> tuple[int, int]:
    """Return the pixel of a cell from which water leaves to its four sides at the lowest levels, (-1, -1) for none.

    Among equals the lowest pixel, then the nearest to the middle. Shapes as in flood_levels.
    """
    rows, cols = z.shape
    score = np.zeros((2, rows, cols))
    for side in range(4):
        level = np.full((rows, cols), 10.0 * WALL)
        for r in range(rows):
            for c in range(cols):
                edge = c if side == 0 else cols - 1 - c if side == 1 else r if side == 2 else rows - 1 - r
                if edge == 0:
                    level[r, c] = z[r, c]
        flood_levels(crest_x, crest_y, level)
        score[side // 2] += level
    row, col, least, lowest, nearest = -1, -1, 1.0e30, 0.0, 0.0
    for r in range(rows):
        for c in range(cols):
            if z[r, c] >= _NONE:
                continue
            total = score[0, r, c] + score[1, r, c]
            away = (r - 0.5 * (rows - 1)) ** 2 + (c - 0.5 * (cols - 1)) ** 2
            better = total < least or (total == least and (z[r, c] < lowest or (z[r, c] == lowest and away < nearest)))
            if better:
                row, col, least, lowest, nearest = r, c, total, z[r, c], away
    return row, col


@compile_loop
def tabulate_cell(heights: Array, shares: Array, stage: Array32) -> tuple[float, float]:
    """Write the height above the lowest pixel at STAGE_LEVELS + 1 mean depths; return ``full`` [m] and ``above`` [1].

    heights: pixels in rising order [m] (n,). shares: area of each that holds water in that of the cell [1] (n,).
    """
    count, last = heights.size, stage.size - 1
    full = 0.0
    for j in range(count):
        full += shares[j] * (heights[count - 1] - heights[j])
    held, wet, area, k = 0.0, 0, shares[0], 0
    while k <= last:
        wanted = full * (k / last) ** 2
        while wet + 1 < count:
            more = area * (heights[wet + 1] - heights[wet])
            if held + more > wanted:
                break
            held += more
            wet += 1
            area += shares[wet]
        stage[k] = heights[wet] - heights[0] + max(wanted - held, 0.0) / area
        k += 1
    stage[last] = heights[count - 1] - heights[0]
    return full, 1.0 / shares.sum()


@compile_loop
def measure_face(crests: Array, roughness: Array, low: float, stage: float, width: int) -> tuple[float, float]:
    """Return the depth [m] and conveyance per width [m2/s] of sections in series at ``stage`` [m].

    crests [m], roughness n: (faces across the flow, sections). ``width``: fine faces of the whole coarse face.
    Neither exceeds that of a sill at ``low`` along the whole face, so that water below the saddle does not count.
    """
    across, sections = crests.shape
    depth_inverse, conveyance_inverse, smooth, count = 0.0, 0.0, 0.0, 0
    for s in range(sections):
        depth, conveyance = 0.0, 0.0
        for r in range(across):
            h = stage - crests[r, s]
            if crests[r, s] < _NONE:
                smooth += 1.0 / roughness[r, s]
                count += 1
            if h > 0.0:
                depth += h
                conveyance += h * np.cbrt(h) ** 2 / roughness[r, s]
        if depth <= 0.0:
            return 0.0, 0.0
        depth_inverse += width / depth
        conveyance_inverse += (width / conveyance) ** 2
    over = stage - low
    sill = over * np.cbrt(over) ** 2 * smooth / count
    return min(sections / depth_inverse, over), min(np.sqrt(sections / conveyance_inverse), sill)


@compile_loop
def tabulate_face(crests: Array, roughness: Array, low: float, width: int, table: Array32) -> float:
    """Write the table of a face that opens at ``low`` [m]; return the height it covers [m]."""
    top = low
    for value in crests.flat:
        if value < _NONE:
            top = max(top, value)
    last = table.shape[0] - 2
    span = max(top - low + min(top - low, MORE_SPAN), LEAST_SPAN)
    for m in range(last + 1):
        # The limit at the saddle is 0/0: the roughness there is taken at a quarter of the first interval.
        part = m * m if m > 0 else 0.25
        depth, conveyance = measure_face(crests, roughness, low, low + span * part / last**2, width)
        table[m, 0] = depth if m > 0 else 0.0
        table[m, 1] = (depth * np.cbrt(depth) ** 2 / conveyance) ** 2
    far, conveyance = measure_face(crests, roughness, low, low + span + FAR, width)
    table[last + 1, 0] = (far - table[last, 0]) / FAR
    table[last + 1, 1] = (far * np.cbrt(far) ** 2 / conveyance) ** 2
    return span


@compile_loop
def locate_anchors(
    z: Array, storage: Array, crest_x: Array, crest_y: Array, factor: int, tables: SubgridTables
) -> None:
    """Fill the tables of the cells, their anchors and what is reached from them; z [m], storage [1] (rows, cols)."""
    rows, cols = z.shape
    for i in range(1, tables.base.shape[0] - 1):
        for j in range(1, tables.base.shape[1] - 1):
            r0, c0 = (i - 1) * factor, (j - 1) * factor
            r1, c1 = min(r0 + factor, rows), min(c0 + factor, cols)
            inside_x, inside_y = crest_x[r0:r1, c0 : c1 + 1], crest_y[r0 : r1 + 1, c0:c1]
            row, col = find_anchor(z[r0:r1, c0:c1], inside_x, inside_y)
            if row < 0:
                continue
            tables.anchor[i, j] = (r0 + row) * cols + c0 + col
            level = tables.access[r0:r1, c0:c1]
            level[row, col] = z[r0 + row, c0 + col]
            flood_levels(inside_x, inside_y, level)
            heights, shares = z[r0:r1, c0:c1].copy().ravel(), storage[r0:r1, c0:c1].copy().ravel()
            order = np.argsort(heights)
            heights, shares = heights[order], shares[order] / (factor * factor)
            count = np.searchsorted(heights, _NONE)
            tables.base[i, j] = heights[0]
            tables.full[i, j], tables.above[i, j] = tabulate_cell(heights[:count], shares[:count], tables.stage[i, j])


@compile_loop
def tabulate_west_faces(
    crest: Array, roughness: Array, access: Array, anchor_row: NDArray[np.int64], anchor_col: NDArray[np.int64],
    factor: int, low: Array, span: Array, face: Array32,
) -> None:  # fmt: skip
    """Fill ``low``, ``span`` and ``face`` of the west faces; of the north faces when everything is transposed.

    crest, roughness: of the fine west faces (rows, cols + 1); access (rows, cols). anchor: (rows, cols) of the coarse
    grid with its ring, negative for none. The edges of the grid get tables too, for free outflow.
    """
    rows, cols = access.shape
    for i in range(1, low.shape[0] - 1):
        r0, r1 = (i - 1) * factor, min(i * factor, rows)
        for j in range(1, low.shape[1]):
            before, after = anchor_row[i, j - 1] >= 0, anchor_row[i, j] >= 0
            at = min((j - 1) * factor, cols)
            if not ((before or at == 0) and (after or at == cols)):
                continue
            saddle = 10.0 * WALL
            for r in range(r0, r1):
                level = crest[r, at]
                if at > 0:
                    level = max(level, access[r, at - 1])
                if at < cols:
                    level = max(level, access[r, at])
                saddle = min(saddle, level)
            if saddle >= _NONE:
                continue
            first = anchor_col[i, j - 1] + 1 if at > 0 else 0
            last = anchor_col[i, j] if at < cols else cols
            low[i, j] = saddle
            span[i, j] = tabulate_face(
                crest[r0:r1, first : last + 1], roughness[r0:r1, first : last + 1], saddle, factor, face[i, j]
            )


def raise_crests(z: Array, walls: NDArray[np.floating] | None) -> Array:
    """Return the crests of the west faces [m] (rows, cols + 1), the edges as their pixel; walls as in build_tables."""
    sides = np.pad(z, ((0, 0), (1, 1)), mode="edge")
    crest = np.maximum(sides[:, 1:], sides[:, :-1])
    if walls is not None:
        crest[:, :-1] = np.fmax(crest[:, :-1], walls)
    return crest


def _average_sides(rough: Array) -> Array:
    """Return the mean of the two pixels of each west face (rows, cols + 1), the edges as their pixel."""
    n = np.pad(rough, ((0, 0), (1, 1)), mode="edge")
    return 0.5 * (n[:, 1:] + n[:, :-1])


def sign_terrain(
    bed: Array,
    mannings_n: Array,
    factor: int,
    walls: FaceCrests | None = None,
    storage: NDArray[np.floating] | None = None,
) -> NDArray[np.uint8]:
    """Return the SHA-256 of everything the tables are made of (32,); see build_tables."""
    given = f"{walls is not None} {storage is not None}"
    digest = hashlib.sha256(f"2 {bed.shape} {factor} {STAGE_LEVELS} {FACE_LEVELS} {given}".encode())
    for values in (bed, mannings_n, *(walls or ()), *(() if storage is None else (storage,))):
        digest.update(np.ascontiguousarray(values, dtype=np.float64).tobytes())
    return np.frombuffer(digest.digest(), dtype=np.uint8).copy()


def build_tables(
    bed: Array,
    mannings_n: Array,
    factor: int,
    *,
    walls: FaceCrests | None = None,
    storage: NDArray[np.floating] | None = None,
) -> SubgridTables:
    """Return the tables of cells of ``factor`` × ``factor`` pixels.

    bed [m], NaN outside, and mannings_n [s/m^(1/3)]: (rows, cols) of the fine grid. walls: crests of the west and of
    the north faces of the pixels [m], NaN for none. storage: share of each pixel that can hold water [1]. Raise
    InputError for a factor that is none.
    """
    if not 1 <= factor <= 256:
        raise InputError(f"subgrid factor is {factor}, expected 1 to 256 pixels")
    rows, cols = bed.shape
    shape = (-(-rows // factor) + 2, -(-cols // factor) + 2)
    z = np.where(np.isfinite(bed), bed, WALL).astype(np.float64)
    rough = np.where(np.isfinite(bed), np.maximum(mannings_n, LEAST_N), LEAST_N)
    crest_x, rough_x = raise_crests(z, None if walls is None else walls[0]), _average_sides(rough)
    crest_y, rough_y = raise_crests(z.T, None if walls is None else walls[1].T), _average_sides(rough.T)
    tables = SubgridTables(
        signature=sign_terrain(bed, mannings_n, factor, walls, storage),
        base=np.full(shape, WALL),
        full=np.zeros(shape),
        above=np.ones(shape),
        stage=np.zeros((*shape, STAGE_LEVELS + 1), dtype=np.float32),
        low_x=np.full(shape, WALL),
        low_y=np.full(shape, WALL),
        span_x=np.ones(shape),
        span_y=np.ones(shape),
        face_x=np.zeros((*shape, FACE_LEVELS + 2, 2), dtype=np.float32),
        face_y=np.zeros((*shape, FACE_LEVELS + 2, 2), dtype=np.float32),
        anchor=np.full(shape, -1, dtype=np.int64),
        access=np.full(bed.shape, 10.0 * WALL),
    )
    held = np.ones(bed.shape) if storage is None else np.array(storage, dtype=np.float64)
    locate_anchors(z, held, crest_x, np.ascontiguousarray(crest_y.T), factor, tables)
    row = np.where(tables.anchor < 0, -1, tables.anchor // cols)
    col = np.where(tables.anchor < 0, -1, tables.anchor % cols)
    tabulate_west_faces(
        crest_x, rough_x, tables.access, row, col, factor, tables.low_x, tables.span_x, tables.face_x
    )  # fmt: skip
    turned = [np.ascontiguousarray(a.T) for a in (tables.access, col, row, tables.low_y, tables.span_y)]
    face = np.ascontiguousarray(tables.face_y.transpose(1, 0, 2, 3))
    tabulate_west_faces(
        np.ascontiguousarray(crest_y), np.ascontiguousarray(rough_y), turned[0], turned[1], turned[2], factor,
        turned[3], turned[4], face,
    )  # fmt: skip
    return tables._replace(
        low_y=np.ascontiguousarray(turned[3].T),
        span_y=np.ascontiguousarray(turned[4].T),
        face_y=np.ascontiguousarray(face.transpose(1, 0, 2, 3)),
    )


def take_tables(
    tables: SubgridTables | None,
    bed: Array,
    mannings_n: Array,
    factor: int,
    walls: FaceCrests | None,
    storage: NDArray[np.floating] | None,
) -> SubgridTables:
    """Return ``tables`` if they are those of this terrain, or build them; InputError where they are of another."""
    if tables is None:
        return build_tables(bed, mannings_n, factor, walls=walls, storage=storage)
    if not np.array_equal(tables.signature, sign_terrain(bed, mannings_n, factor, walls, storage)):
        raise InputError(
            "subgrid tables belong to another terrain, roughness, walls, storage or factor",
            hint="build them again with build_tables",
        )
    return tables

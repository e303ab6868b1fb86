"""Walls that fail: a breach that first deepens, then widens, in the faces of a wall.

Where a breach is narrower than a face, the face is open to its crest over the share of its width that the breach takes
and stays a wall over the rest: the weir over it is the sum of the two (limit_breaches). A breach's widths on all its
faces sum to its own width, whatever the direction of the wall.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hydrology.compile import compile_row
from hydrology.flow_laws import GRAVITY, WEIR_COEFFICIENT, compute_weir
from hydrology.walls import Floats, Ints, WallFaces, start_rows
from layers.errors import InputError


@dataclass(frozen=True, slots=True)
class Breach:
    """A breach of a wall, prescribed.

    line: number of the wall in trace_walls. place: its middle, distance along that wall [m]. start: time it begins [s].
    duration: until it has its final width [s]. final_width [m]. final_crest: elevation it scours to [m], or the bed if
    that is higher. initial_width: while it deepens [m]. deepening: share of the duration in which its crest falls
    linearly from the wall's to the final one, before it widens linearly [1].

    The two phases are those of Verheij and Van der Knaap 2002 (WL | Delft Hydraulics Q3299), here linear in time.
    suggest_breach gives a width and a duration.
    """

    id: str
    line: int
    place: float
    start: float
    duration: float
    final_width: float
    final_crest: float
    initial_width: float = 10.0
    deepening: float = 0.2

    def __post_init__(self) -> None:
        ranges = {
            "line": (0, 1_000_000, ""),
            "place": (0.0, 1.0e7, " m"),
            "start": (-1.0e10, 1.0e10, " s"),
            "duration": (0.0, 1.0e7, " s"),
            "final_width": (1.0e-3, 2.0e4, " m"),
            "final_crest": (-500.0, 9000.0, " m"),
            "initial_width": (0.0, 2.0e4, " m"),
            "deepening": (0.0, 1.0, ""),
        }
        for name, (low, high, unit) in ranges.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError(f"breach '{self.id}' has {name} {value}{unit}, expected {low:g} to {high:g}{unit}")


class BreachFaces(NamedTuple):
    """Breaches as the loop reads them: start, duration [s], widths [m], crest [m], deepening [1] of each (m,).

    Entries first[k] to first[k + 1] of face belong to breach k: the faces of WallFaces it may reach, with ``near``, the
    distance along the wall from its middle to where the face's part begins and ends [m] (·, 2). axis, row, col, top,
    base, row_start: as in WallFaces, of all faces that some breach may reach, and ``size`` [m], the length of a face;
    crest and share: their state now.
    """

    start: Floats
    duration: Floats
    initial_width: Floats
    final_width: Floats
    final_crest: Floats
    deepening: Floats
    first: Ints
    face: Ints
    near: Floats
    axis: Ints
    row: Ints
    col: Ints
    top: Floats
    base: Floats
    size: float
    crest: Floats
    share: Floats
    row_start: Ints


def suggest_breach(volume: float, height: float, *, overtopped: bool = True) -> tuple[float, float]:
    """Return a mean width [m] and a formation time [s] for the breach of an earth dam or dyke.

    volume: water above the final crest [m3]; height: of the breach [m]. B = 0.27 k V^0.32 h^0.04 with k = 1.3 where
    overtopped, else 1, and t = 63.2 (V / (g h²))^0.5: Froehlich 2008, J. Hydraul. Eng. 134(12), 1708-1721,
    doi:10.1061/(ASCE)0733-9429(2008)134:12(1708). From 74 embankment dams: a rough guess for a river dyke, whose water
    does not run out. Raise InputError unless both are above 0.
    """
    if not (0.0 < volume < np.inf and 0.0 < height < np.inf):
        raise InputError(f"breach of {height} m with {volume} m3 behind it, expected both above 0")
    width = 0.27 * (1.3 if overtopped else 1.0) * volume**0.32 * height**0.04
    return width, 63.2 * float(np.sqrt(volume / (GRAVITY * height**2)))


def build_breaches(breaches: Sequence[Breach], faces: WallFaces, cell_size: float) -> BreachFaces:
    """Return the flat arrays of ``breaches`` in ``faces``; raise InputError where a breach meets no wall."""
    if len({breach.id for breach in breaches}) != len(breaches):
        raise InputError(f"breach ids {[breach.id for breach in breaches]} repeat, expected each once")
    reached: list[Ints] = []
    near: list[Floats] = []
    for breach in breaches:
        low, high = faces.begin - breach.place, faces.end - breach.place
        reach = 0.5 * max(breach.final_width, breach.initial_width)
        here = np.nonzero((faces.line == breach.line) & (low < reach) & (high > -reach))[0]
        if not here.size:
            raise InputError(
                f"breach '{breach.id}' at {breach.place:g} m along wall {breach.line} meets no raised face",
                hint="the wall may be lower than the ground there, outside of the grid, or shorter",
            )
        reached.append(here.astype(np.int64))
        near.append(np.stack([low[here], high[here]], axis=1))
    some = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *reached]))
    return BreachFaces(
        np.array([breach.start for breach in breaches], dtype=np.float64),
        np.array([breach.duration for breach in breaches], dtype=np.float64),
        np.array([breach.initial_width for breach in breaches], dtype=np.float64),
        np.array([breach.final_width for breach in breaches], dtype=np.float64),
        np.array([breach.final_crest for breach in breaches], dtype=np.float64),
        np.array([breach.deepening for breach in breaches], dtype=np.float64),
        np.cumsum([0, *(len(here) for here in reached)], dtype=np.int64),
        np.searchsorted(some, np.concatenate([np.empty(0, dtype=np.int64), *reached])).astype(np.int64),
        np.concatenate([np.empty((0, 2)), *near]),
        faces.axis[some],
        faces.row[some],
        faces.col[some],
        faces.crest[some],
        faces.base[some],
        float(cell_size),
        faces.crest[some],
        np.ones(some.size),
        start_rows(faces.row[some], faces.row_start.size - 1),
    )


@compile_row
def size_breach(breaches: BreachFaces, k: int, top: float, time: float) -> tuple[float, float]:
    """Return the crest [m] and the width [m] of breach ``k`` in a wall of crest ``top`` [m] at ``time`` [s]."""
    gone = time - breaches.start[k]
    if gone < 0.0:
        return top, 0.0
    whole = breaches.duration[k]
    done = min(gone / whole, 1.0) if whole > 0.0 else 1.0
    part = breaches.deepening[k]
    deep = min(done / part, 1.0) if part > 0.0 else 1.0
    wide = max(done - part, 0.0) / (1.0 - part) if part < 1.0 else (1.0 if done >= 1.0 else 0.0)
    crest = top + deep * (min(breaches.final_crest[k], top) - top)
    return crest, breaches.initial_width[k] + wide * (breaches.final_width[k] - breaches.initial_width[k])


@compile_row
def set_breaches(breaches: BreachFaces, time: float, crest_x: NDArray[Any], crest_y: NDArray[Any]) -> None:
    """Set the crests of breached faces as at ``time`` [s].

    crest_x, crest_y: padded crests [m], lowered to the breach's where it has begun to take a part of the face.
    ``breaches.crest`` and ``breaches.share`` tell the crest and the open share of each face. A share passes 1 a
    little where an oblique wall is longer than the faces that stand for it. Where two breaches share a face the lower
    crest counts for both. A step of the engine need not land on a time of a breach.
    """
    share, crest, top = breaches.share, breaches.crest, breaches.top
    for f in range(share.size):
        share[f], crest[f] = 0.0, top[f]
    for k in range(breaches.start.size):
        for e in range(breaches.first[k], breaches.first[k + 1]):
            f = breaches.face[e]
            level, width = size_breach(breaches, k, top[f], time)
            taken = min(breaches.near[e, 1], 0.5 * width) - max(breaches.near[e, 0], -0.5 * width)
            if taken > 0.0 and level < top[f]:
                share[f] = (
                    min(share[f] * breaches.size + taken, breaches.near[e, 1] - breaches.near[e, 0]) / breaches.size
                )
                crest[f] = min(crest[f], max(level, breaches.base[f]))
    for f in range(share.size):
        if share[f] <= 0.0:
            share[f] = 1.0
        if breaches.axis[f] == 0:
            crest_x[breaches.row[f], breaches.col[f]] = crest[f]
        else:
            crest_y[breaches.row[f], breaches.col[f]] = crest[f]


@compile_row
def limit_breaches(breaches: BreachFaces, i: int, stage: NDArray[Any], x: NDArray[Any], y: NDArray[Any]) -> None:
    """Cut the discharges x and y [m2/s] of row ``i``'s breached faces to the weirs over their open and standing part.

    stage [m] and all else padded. To be called after limit_walls, which takes a face for open over its whole width.
    """
    for f in range(breaches.row_start[i], breaches.row_start[i + 1]):
        j = breaches.col[f]
        along = breaches.axis[f] == 0
        before, after = (stage[i, j - 1] if along else stage[i - 1, j]), stage[i, j]
        q = x[i, j] if along else y[i, j]
        upper, lower = (before, after) if q > 0.0 else (after, before)
        share, crest, top = breaches.share[f], breaches.crest[f], breaches.top[f]
        most = share * compute_weir(upper - crest, lower - crest, WEIR_COEFFICIENT, 1.0)
        if share < 1.0:
            most += (1.0 - share) * compute_weir(upper - top, lower - top, WEIR_COEFFICIENT, 1.0)
        q = min(max(q, -most), most)
        if along:
            x[i, j] = q
        else:
            y[i, j] = q

"""Areas within reach: from arrival times along roads to one area for each limit of time, each inside the next.

The ground beside a road is reached on foot from it, up to some distance. Arrivals are laid on a grid of points, and the
line of equal arrival is drawn through it by marching squares, linear between points. Lines of two limits never cross,
so the areas nest exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from layers.errors import InputError
from network.isochrone_kernels import spread
from network.paths_answers import Values
from network.road_times import WALKING_SPEED

REACH_M = 100.0
"""How far from a road the ground still counts as reached [m]."""
MOST_POINTS, LEAST_SPACING_M = 700_000, 15.0
_MARGIN = 2
# Sides on which a line of equal arrival enters and leaves a square, by which of its corners are within: corners are
# numbered 1 lower left, 2 lower right, 4 upper right, 8 upper left; sides 0 lower, 1 right, 2 upper, 3 left.
_TURNS: dict[int, tuple[tuple[int, int], ...]] = {
    1: ((0, 3),), 2: ((0, 1),), 3: ((1, 3),), 4: ((1, 2),), 5: ((0, 3), (1, 2)), 6: ((0, 2),), 7: ((2, 3),),
    8: ((2, 3),), 9: ((0, 2),), 10: ((0, 1), (2, 3)), 11: ((1, 2),), 12: ((1, 3),), 13: ((0, 1),), 14: ((0, 3),),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Arrivals:
    """Arrival [s] on a grid of points (rows, cols); the point of row r and column c is at origin + spacing · (c, r)."""

    seconds: Values
    origin: tuple[float, float]
    spacing: float


def compute_areas(
    xy: ArrayLike,
    seconds: ArrayLike,
    limits: Sequence[float],
    *,
    reach: float = REACH_M,
    walking_speed: float = WALKING_SPEED,
) -> list[shapely.MultiPolygon]:
    """Return the area reached within each limit [s], in the order of ``limits``, each inside that of a longer one.

    xy: places along the reached roads, closer than the spacing (places, 2) [m]; seconds: arrival there; reach [m] and
    walking_speed [km/h]: off the road. An area is empty where nothing is reached.
    """
    if not reach > 0.0 or not walking_speed > 0.0:
        raise InputError(f"a reach of {reach:g} m at {walking_speed:g} km/h, expected both above 0")
    places, moments = np.asarray(xy, np.float64).reshape(-1, 2), np.asarray(seconds, np.float64)
    longest = max(limits, default=0.0)
    near = moments <= longest
    if not near.any():
        return [shapely.MultiPolygon() for _ in limits]
    field = lay_arrivals(places[near], moments[near], longest, reach=reach, walking_speed=walking_speed)
    return [draw_area(field, limit) for limit in limits]


def lay_arrivals(xy: Values, seconds: Values, longest: float, *, reach: float, walking_speed: float) -> Arrivals:
    """Return arrivals on a grid over the places and what lies within reach of them; twice ``longest`` beyond."""
    spacing = choose_spacing(xy, reach)
    low = np.floor(xy.min(axis=0) / spacing) * spacing - (_MARGIN + np.ceil(reach / spacing)) * spacing
    size = np.ceil((xy.max(axis=0) - low) / spacing).astype(int) + _MARGIN + int(np.ceil(reach / spacing))
    field = np.full((size[1] + 1, size[0] + 1), 2.0 * longest + 1.0)
    at = (xy - low) / spacing
    spread(at[:, 0], at[:, 1], seconds, reach / spacing, spacing * 3.6 / walking_speed, field)
    return Arrivals(field, (float(low[0]), float(low[1])), spacing)


def choose_spacing(xy: Values, reach: float) -> float:
    """Return the spacing [m] of a grid over places: a third of the reach, coarser where it would have too many points.

    Places along a road are close enough when they lie no farther apart than this.
    """
    width, height = xy.max(axis=0) - xy.min(axis=0) + 4.0 * reach
    return float(max(LEAST_SPACING_M, reach / 3.0, np.sqrt(width * height / MOST_POINTS)))


def draw_area(field: Arrivals, limit: float) -> shapely.MultiPolygon:
    """Return the area where the arrival is ``limit`` or earlier, in whole by marching squares."""
    seconds = field.seconds
    within = seconds <= limit
    if not within.any():
        return shapely.MultiPolygon()
    x, y = _find_crossings(seconds, limit)
    case = (
        within[:-1, :-1] * 1 + within[:-1, 1:] * 2 + within[1:, 1:] * 4 + within[1:, :-1] * 8
    )  # corners of the square above and right of each point
    pieces = []
    for number, turns in _TURNS.items():
        rows, columns = np.nonzero(case == number)
        for first, last in turns:
            pieces.append(np.stack((_place(first, rows, columns, x, y), _place(last, rows, columns, x, y)), axis=1))
    ends = np.concatenate(pieces) * field.spacing + np.array(field.origin)
    area = shapely.build_area(shapely.multilinestrings(shapely.linestrings(ends)))
    parts = shapely.get_parts(area)
    return shapely.MultiPolygon(parts[shapely.get_type_id(parts) == 3].tolist())


def _find_crossings(seconds: Values, limit: float) -> tuple[Values, Values]:
    """Return where the line crosses each horizontal and each vertical side, as a share of the side.

    Not at its very ends, where sides would have no length; the order of two limits on a side stays.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        x = (limit - seconds[:, :-1]) / (seconds[:, 1:] - seconds[:, :-1])
        y = (limit - seconds[:-1]) / (seconds[1:] - seconds[:-1])
    return np.clip(x, 0.01, 0.99), np.clip(y, 0.01, 0.99)


def _place(side: int, rows: NDArray[np.int64], columns: NDArray[np.int64], x: Values, y: Values) -> Values:
    """Return where the line crosses a side of squares (squares, 2), in units of the grid."""
    if side == 0:
        return np.column_stack((columns + x[rows, columns], rows))
    if side == 1:
        return np.column_stack((columns + 1.0, rows + y[rows, columns + 1]))
    if side == 2:
        return np.column_stack((columns + x[rows + 1, columns], rows + 1.0))
    return np.column_stack((columns, rows + y[rows, columns]))

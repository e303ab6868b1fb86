"""Footprints made fit for walls: rings that close, turn the right way and repeat no point."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

SMALLEST_EDGE = 0.001
"""Points nearer than this to the one before are dropped [m]."""
SMALLEST_AREA = 0.01
"""Parts smaller than this are dropped [m²]."""


@dataclass(frozen=True, slots=True)
class Rings:
    """Rings of many footprints: ``points`` (n, 2) [m] without the closing one, outer rings counter-clockwise, holes
    clockwise.

    ``starts`` (r + 1,) bounds the rings in ``points``, ``polygons`` (p + 1,) the polygons in the rings (the first of
    each is the outer one), ``owners`` (p,) is the footprint of each polygon. ``faults`` names by footprint what was
    mended or refused.
    """

    points: NDArray[np.float64]
    starts: NDArray[np.int64]
    polygons: NDArray[np.int64]
    owners: NDArray[np.int64]
    faults: dict[int, str]

    @property
    def point_owners(self) -> NDArray[np.int64]:
        """Footprint of each point (n,)."""
        return np.repeat(np.repeat(self.owners, np.diff(self.polygons)), np.diff(self.starts))

    @property
    def following(self) -> NDArray[np.int64]:
        """Number of the next point in the ring of each point (n,)."""
        numbers = np.arange(1, len(self.points) + 1)
        numbers[self.starts[1:] - 1] = self.starts[:-1]
        return numbers


def clean_footprints(footprints: Sequence[Any] | NDArray[Any]) -> Rings:
    """Return the rings of (multi)polygons [m].

    What crosses itself is mended as ``shapely.make_valid`` does; parts below ``SMALLEST_AREA``, empty and infinite
    footprints are refused. Both are named.
    """
    given = np.asarray(footprints, dtype=object)
    faults: dict[int, str] = {}
    shapes = shapely.remove_repeated_points(given, SMALLEST_EDGE)
    finite = np.isfinite(shapely.bounds(shapes)).all(axis=1) & ~shapely.is_empty(shapes)
    faults |= dict.fromkeys(np.flatnonzero(~finite).tolist(), "empty or infinite, refused")
    wrong = finite & ~shapely.is_valid(shapes)
    for place in np.flatnonzero(wrong).tolist():
        faults[place] = f"{shapely.is_valid_reason(shapes[place]).split('[')[0]}, mended"
    shapes[wrong] = shapely.make_valid(shapes[wrong], method="structure", keep_collapsed=False)
    shapes[~finite] = None
    parts, owners = shapely.get_parts(shapes, return_index=True)
    while (shapely.get_type_id(parts) > 3).any():
        parts, inner = shapely.get_parts(parts, return_index=True)
        owners = owners[inner]
    kept = (shapely.get_type_id(parts) == 3) & (shapely.area(parts) >= SMALLEST_AREA)
    parts, owners = shapely.orient_polygons(parts[kept]), owners[kept]
    lost = np.setdiff1d(np.flatnonzero(finite), owners)
    faults |= dict.fromkeys(lost.tolist(), f"less than {SMALLEST_AREA} m², refused")
    rings, polygon = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    counts = np.bincount(ring, minlength=len(rings))
    closing = np.cumsum(counts) - 1
    return Rings(
        np.delete(points, closing, axis=0),
        np.concatenate([[0], np.cumsum(counts - 1)]).astype(np.int64),
        np.concatenate([[0], np.cumsum(np.bincount(polygon, minlength=len(parts)))]).astype(np.int64),
        np.asarray(owners, dtype=np.int64),
        faults,
    )

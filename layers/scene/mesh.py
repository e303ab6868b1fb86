"""Footprints raised to solids: walls, roof and, if wanted, floor as one mesh of triangles."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.scene.rings import Rings, clean_footprints
from layers.scene.triangles import cut_polygons

_SHRUNK = 0.002
"""How far the walls of a footprint that touches itself are moved inward [m]."""


@dataclass(frozen=True, slots=True)
class Mesh:
    """Solids as triangles, seen from outside counter-clockwise.

    ``corners`` (m, 2) [m] are the points of the footprints; vertex v stands at ``corners[corner[v]]``, ``level[v]`` [m]
    high, with ``normals`` (v, 3) and the number of its solid, ``owners`` (v,). ``roof`` (v,) marks roofs and floors.
    ``faults`` names by number what was mended or refused.
    """

    corners: NDArray[np.float64]
    corner: NDArray[np.int64]
    level: NDArray[np.float64]
    normals: NDArray[np.float64]
    owners: NDArray[np.int64]
    roof: NDArray[np.bool_]
    triangles: NDArray[np.int64]
    faults: dict[int, str]

    @property
    def positions(self) -> NDArray[np.float64]:
        """Vertices (v, 3) as x, y, level [m]."""
        return np.column_stack([self.corners[self.corner], self.level])


def build_solids(
    footprints: Sequence[Any] | NDArray[Any],
    base: NDArray[np.float64],
    height: NDArray[np.float64],
    *,
    floor: bool = True,
) -> Mesh:
    """Return the solids over ``footprints`` (n (multi)polygons [m]) from ``base`` (n,) up by ``height`` (n,) [m].

    Each is closed and every edge belongs to one triangle on either side; without ``floor`` it is open below. Faces do
    not share vertices, so that edges look sharp.
    """
    rings, triangles = _cut_footprints(np.asarray(footprints, dtype=object))
    count, owners = len(rings.points), rings.point_owners
    low, high = np.asarray(base, float)[owners], np.asarray(base, float)[owners] + np.asarray(height, float)[owners]
    here, there = np.arange(count), rings.following
    along = rings.points[there] - rings.points[here]
    outward = np.column_stack([along[:, 1], -along[:, 0]]) / np.hypot(along[:, 0], along[:, 1])[:, None]
    parts = [
        # Four vertices a wall: low here, low there, high there, high here.
        (
            np.column_stack([here, there, there, here]).ravel(),
            np.column_stack([low, low, high, high]).ravel(),
            np.repeat(np.column_stack([outward, np.zeros(count)]), 4, axis=0),
            np.repeat(owners, 4),
            (4 * here[:, None] + np.array([0, 1, 2, 0, 2, 3])).reshape(-1, 3),
        ),
        (here, high, np.tile([0.0, 0.0, 1.0], (count, 1)), owners, triangles),
    ]
    if floor:
        parts.append((here, low, np.tile([0.0, 0.0, -1.0], (count, 1)), owners, triangles[:, ::-1]))
    starts = np.cumsum([0, *(len(part[0]) for part in parts)])
    return Mesh(
        rings.points,
        np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] for part in parts]),
        np.concatenate([part[2] for part in parts]),
        np.concatenate([part[3] for part in parts]),
        np.arange(starts[-1]) >= starts[1],
        np.concatenate([part[4] + start for part, start in zip(parts, starts[:-1], strict=True)]),
        rings.faults,
    )


def measure_volume(mesh: Mesh) -> float:
    """Return the signed volume [m³] a closed mesh holds (divergence theorem), positive where normals point outward."""
    if not len(mesh.triangles):
        return 0.0
    points = mesh.positions - mesh.positions[0]
    a, b, c = (points[mesh.triangles[:, corner]] for corner in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c)) / 6.0)


def _cut_footprints(footprints: NDArray[Any]) -> tuple[Rings, NDArray[np.int64]]:
    """Return the rings of footprints and their triangles; what touches itself is made smaller by ``_SHRUNK``."""
    rings = clean_footprints(footprints)
    triangles, polygons = cut_polygons(rings)
    uncut = np.setdiff1d(np.arange(len(rings.owners)), polygons)
    if not len(uncut):
        return rings, triangles
    touching = np.unique(rings.owners[uncut])
    apart = footprints.copy()
    apart[touching] = shapely.buffer(shapely.make_valid(apart[touching]), -_SHRUNK, join_style="mitre")
    rings = clean_footprints(apart)
    rings.faults.update({place: rings.faults.get(place, "touches itself, mended") for place in touching.tolist()})
    triangles, polygons = cut_polygons(rings)
    return _drop_uncut(rings, triangles, polygons)


def _drop_uncut(
    rings: Rings, triangles: NDArray[np.int64], polygons: NDArray[np.int64]
) -> tuple[Rings, NDArray[np.int64]]:
    """Return the rings without polygons that have no triangles, which are named, and the triangles anew."""
    has = np.zeros(len(rings.owners), dtype=bool)
    has[polygons] = True
    if has.all():
        return rings, triangles
    per_ring = np.repeat(has, np.diff(rings.polygons))
    per_point = np.repeat(per_ring, np.diff(rings.starts))
    faults = rings.faults | dict.fromkeys(rings.owners[~has].tolist(), "a part that cannot be cut, refused")
    left = Rings(
        rings.points[per_point],
        np.concatenate([[0], np.cumsum(np.diff(rings.starts)[per_ring])]),
        np.concatenate([[0], np.cumsum(np.diff(rings.polygons)[has])]),
        rings.owners[has],
        faults,
    )
    return left, (np.cumsum(per_point) - 1)[triangles]

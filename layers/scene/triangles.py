"""Polygons cut into triangles that use every point of their rings, so that walls meet roofs without a crack."""

import mapbox_earcut
import numpy as np
from numpy.typing import NDArray

from layers.scene.rings import Rings

_NUDGE = 1e-7
"""How far points in one line are moved apart, for the cutting only [m]."""
_CLOSE = 1e-6
"""Largest part of a polygon's area that triangles may miss or cover twice."""


def cut_polygons(rings: Rings) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return triangles (t, 3) of point numbers, counter-clockwise, and the polygon of each (t,).

    A polygon of n points with h holes has n + 2h - 2 triangles. Polygons that cannot be cut so have none.
    """
    first = rings.starts[rings.polygons[:-1]]
    counts = rings.starts[rings.polygons[1:]] - first
    holes = np.diff(rings.polygons) - 1
    quads = np.flatnonzero((holes == 0) & (counts == 4))
    others = np.flatnonzero((holes > 0) | (counts != 4))
    wanted, areas = counts[others] + 2 * holes[others] - 2, _measure_polygons(rings)[others]
    triangles, polygons = [_cut_quads(rings.points, first[quads])], [np.repeat(quads, 2)]
    # Earcut leaves out points that lie on a line; moved apart a little they stay, and the true points are used.
    for nudge in (0.0, _NUDGE, 100.0 * _NUDGE):
        made = [_cut_ears(rings, polygon, nudge) for polygon in others.tolist()]
        lengths = np.array([len(piece) for piece in made], dtype=np.int64)
        piece = np.concatenate([np.empty((0, 3), np.int64), *made])
        number = np.repeat(np.arange(len(others)), lengths)
        size = measure_triangles(rings.points, piece)
        signed, whole = (np.bincount(number, value, len(others)) for value in (size, np.abs(size)))
        good = (lengths == wanted) & (np.maximum(np.abs(np.abs(signed) - areas), whole - areas) <= _CLOSE * areas)
        turned = (signed < 0.0)[number]
        piece[turned] = piece[turned, ::-1]
        kept = good[number]
        triangles.append(piece[kept])
        polygons.append(others[number[kept]])
        others, wanted, areas = others[~good], wanted[~good], areas[~good]
    return np.concatenate(triangles), np.concatenate(polygons)


def measure_triangles(points: NDArray[np.float64], triangles: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the signed areas [m²] of triangles (t, 3) over ``points`` (n, 2), counter-clockwise positive."""
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    return np.asarray(
        0.5 * ((b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])), dtype=np.float64
    )


def _cut_quads(points: NDArray[np.float64], first: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return two triangles for each ring of four points: the cut begins at its least convex corner."""
    corners = points[first[:, None] + np.arange(4)]
    back, ahead = corners - np.roll(corners, 1, axis=1), np.roll(corners, -1, axis=1) - corners
    turn = back[..., 0] * ahead[..., 1] - back[..., 1] * ahead[..., 0]
    begin = np.argmin(turn, axis=1)[:, None]
    around = first[:, None] + (begin + np.array([0, 1, 2, 0, 2, 3])) % 4
    return np.asarray(around, dtype=np.int64).reshape(-1, 3)


def _cut_ears(rings: Rings, polygon: int, nudge: float) -> NDArray[np.int64]:
    """Return triangles (t, 3) of one polygon whose points are moved by ``nudge`` [m]."""
    bounds = rings.starts[rings.polygons[polygon] : rings.polygons[polygon + 1] + 1]
    start = bounds[0]
    points = rings.points[start : bounds[-1]] - rings.points[start]
    if nudge:
        points += nudge * _scatter(len(points))
    made: NDArray[np.uint32] = mapbox_earcut.triangulate_float64(points, (bounds[1:] - start).astype(np.uint32))
    numbers: NDArray[np.int64] = made.astype(np.int64).reshape(-1, 3) + start
    return numbers


def _measure_polygons(rings: Rings) -> NDArray[np.float64]:
    """Return the area of each polygon without its holes [m²]."""
    owner = np.repeat(np.arange(len(rings.owners)), np.diff(rings.polygons))
    ring = np.repeat(np.arange(len(owner)), np.diff(rings.starts))
    near = rings.points - rings.points[rings.starts[:-1]][ring]
    far = near[rings.following]
    twice = near[:, 0] * far[:, 1] - far[:, 0] * near[:, 1]
    return np.asarray(np.bincount(owner[ring], twice, len(rings.owners)) / 2.0, dtype=np.float64)


def _scatter(count: int) -> NDArray[np.float64]:
    """Return ``count`` directions (count, 2), always the same ones, no three of them in a line."""
    turn = np.arange(count) * 2.399963229728653
    return np.column_stack([np.cos(turn), np.sin(turn)])

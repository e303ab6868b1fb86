"""Masks of the fine grid as places on the coarse grid: prescribed cells, inflows, free edges."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hydrology.boundaries import DischargeBoundary, FreeBoundary
from hydrology.domain import WALL
from hydrology.subgrid import SubgridTables
from hydrology.subgrid_stepping import Drive
from layers.errors import InputError

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Mask = NDArray[np.bool_]

INSIDE = (slice(1, -1), slice(1, -1))
"""The coarse grid within an array that has a ring around it."""


def coarsen(values: Array, factor: int, reduce: np.ufunc = np.add) -> Array:
    """Return the sum (or ``reduce``) of the pixels of each coarse cell, on the coarse grid with its ring."""
    rows, cols = values.shape
    bands = reduce.reduceat(values, np.arange(0, rows, factor), axis=0)
    return np.pad(reduce.reduceat(bands, np.arange(0, cols, factor), axis=1), 1)


def locate_held(owner: Index, count: int, tables: SubgridTables, factor: int) -> Index:
    """Return which of ``count`` stage boundaries prescribes each coarse cell, -1 for none (with the ring).

    owner: the same of the pixels (rows, cols). A cell follows the boundary that has at least half of its pixels with
    ground, or its anchor: a canal narrower than half a cell still holds the cells it runs through.
    """
    held = np.full(tables.base.shape, -1, dtype=np.int64)
    ground = coarsen((tables.access < WALL).astype(np.float64), factor)
    standing = tables.anchor >= 0
    at = np.where(standing, owner.ravel()[np.maximum(tables.anchor, 0)], -1)
    for which in range(count):
        share = coarsen((owner == which).astype(np.float64), factor)
        held[standing & ((at == which) | ((held < 0) & (2.0 * share >= ground) & (share > 0.0)))] = which
    return held


def build_drive(
    owner: Index, inflows: Sequence[DischargeBoundary], free: Sequence[FreeBoundary], tables: SubgridTables, factor: int
) -> tuple[Drive, Mask, Mask]:
    """Return where things act, and the masks of the west and north faces that are open to the outside.

    owner: stage boundary of each coarse cell, -1 for none. Raise InputError for an edge named twice.
    """
    held, computed = owner >= 0, (owner < 0) & (tables.anchor >= 0)
    parts: list[tuple[int, float, Index]] = []
    for axis, low in ((0, tables.low_x), (1, tables.low_y)):
        one, other = (a if axis == 0 else a.T for a in (held, computed))
        opened = (low if axis == 0 else low.T)[:, 1:] < 0.5 * WALL
        for sign, joined in ((1.0, one[:, :-1] & other[:, 1:]), (-1.0, other[:, :-1] & one[:, 1:])):
            face = np.argwhere(joined & opened) + np.array([0, 1])
            parts.append((axis, sign, face if axis == 0 else face[:, ::-1]))
    links = np.concatenate([face for _, _, face in parts]).astype(np.int64)
    axes = np.concatenate([np.full(len(face), axis, dtype=np.int64) for axis, _, face in parts])
    signs = np.concatenate([np.full(len(face), sign) for _, sign, face in parts])
    beside = np.zeros_like(computed)
    beside[1:-1, 1:-1] = (
        computed[:-2, 1:-1] | computed[2:, 1:-1] | computed[1:-1, :-2] | computed[1:-1, 2:]
    )  # fmt: skip
    rim = np.nonzero(held & beside)
    shares = [coarsen(boundary.cells.astype(np.float64), factor) for boundary in inflows]
    inlets = [np.argwhere(share).astype(np.int64) for share in shares]
    inlet = np.concatenate([np.empty((0, 2), dtype=np.int64), *inlets])
    parts_of = [share[share > 0.0] / share.sum() for share in shares]
    faces = _list_free_faces(free, computed, tables)
    open_x, open_y = np.zeros_like(computed), np.zeros_like(computed)
    for face in faces:
        (open_x if face[0] == 0 else open_y)[face[1], face[2]] = True
    index = np.array([face[:5] for face in faces], dtype=np.int64).reshape(-1, 5)
    values = np.array([face[5:] for face in faces], dtype=np.float64).reshape(-1, 3)
    drive = Drive(
        rim_row=rim[0],
        rim_col=rim[1],
        rim_boundary=owner[rim],
        link_axis=axes,
        link_row=links[:, 0].copy(),
        link_col=links[:, 1].copy(),
        link_sign=signs,
        inlet_row=inlet[:, 0].copy(),
        inlet_col=inlet[:, 1].copy(),
        inlet_boundary=np.repeat(np.arange(len(inlets), dtype=np.int64), [len(cells) for cells in inlets]),
        inlet_share=np.concatenate([np.empty(0), *parts_of]),
        free_axis=index[:, 0].copy(),
        free_row=index[:, 1].copy(),
        free_col=index[:, 2].copy(),
        free_cell_row=index[:, 3].copy(),
        free_cell_col=index[:, 4].copy(),
        free_sign=values[:, 0].copy(),
        free_low=values[:, 1].copy(),
        free_root=values[:, 2].copy(),
    )
    return drive, open_x, open_y


def _list_free_faces(
    free: Sequence[FreeBoundary], computed: Mask, tables: SubgridTables
) -> list[tuple[int, int, int, int, int, float, float, float]]:
    """Return axis, face row and col, cell row and col, sign, level [m] and slope^(1/2) of every open face."""
    rows, cols = computed.shape[0] - 2, computed.shape[1] - 2
    faces: list[tuple[int, int, int, int, int, float, float, float]] = []
    for boundary in free:
        for edge in boundary.edges:
            axis = 1 if edge in ("north", "south") else 0
            sign = 1.0 if edge in ("south", "east") else -1.0
            for k in range(1, (cols if axis == 1 else rows) + 1):
                row, col = {"north": (1, k), "south": (rows, k), "west": (k, 1), "east": (k, cols)}[edge]
                face_row, face_col = row + (edge == "south"), col + (edge == "east")
                low = float((tables.low_x if axis == 0 else tables.low_y)[face_row, face_col])
                if computed[row, col] and low < 0.5 * WALL:
                    faces.append((axis, face_row, face_col, row, col, sign, low, boundary.slope**0.5))
    if len({face[:3] for face in faces}) != len(faces):
        raise InputError("an edge is named by two free boundaries, expected one")
    return faces

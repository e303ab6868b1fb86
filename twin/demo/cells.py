"""Blocks of the plan: one cell between two street columns and two rows, with its use and what bounds it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from twin.demo.plan import BOUNDS, CROSS_CANALS, Floats, Ints, Plan, Shapes, compute_urbanity, locate_ward
from twin.demo.shapes import make_polygons

SIDES = ("top", "bottom", "left", "right")
HALF_RESERVE = {"primary": 15.0, "secondary": 11.0, "tertiary": 7.5, "residential": 5.5, "living_street": 2.0}

SPECIAL_COUNTS = {
    "school": 11, "hospital": 2, "clinic": 3, "market": 5, "park": 10, "government": 2, "university": 1,
    "apartment": 6, "worship": 3, "sports": 1, "basin": 1, "office": 3,
}  # fmt: skip
DENSE, SUBURBAN = 0.45, 0.16


@dataclass(slots=True)
class Cells:
    """Arrays over cells: where each lies in its sector, how it is used, how wide its bounding reserves are [m]."""

    sector: Ints
    column: Ints
    row: Ints
    f0: Floats
    f1: Floats
    v0: Floats
    v1: Floats
    urbanity: Floats
    use: list[str]
    ward: Ints
    insets: dict[str, Floats]

    def __len__(self) -> int:
        return len(self.sector)

    def width(self) -> Floats:
        """Return the net width along the river [m]."""
        return self._u(np.arange(len(self)), 1.0, 0.5) - self._u(np.arange(len(self)), 0.0, 0.5)

    def height(self) -> Floats:
        """Return the net depth away from the river [m]."""
        return self.v1 - self.v0 - self.insets["top"] - self.insets["bottom"]

    def _v(self, cell: Ints, b: ArrayLike) -> Floats:
        low = self.v0[cell] + self.insets["top"][cell]
        high = self.v1[cell] - self.insets["bottom"][cell]
        return np.asarray(low + np.asarray(b, np.float64) * (high - low), np.float64)

    def _u(self, cell: Ints, a: ArrayLike, b: ArrayLike) -> Floats:
        v = self._v(cell, b)
        left = self.plan.column_u(self.sector[cell], self.f0[cell], v) + self.insets["left"][cell]
        right = self.plan.column_u(self.sector[cell], self.f1[cell], v) - self.insets["right"][cell]
        return np.asarray(left + np.asarray(a, np.float64) * (right - left), np.float64)

    plan: Plan

    def place(self, cell: Ints, a: ArrayLike, b: ArrayLike) -> tuple[Floats, Floats]:
        """Return x and y [m] of points at fractions (a, b) of the net area of cells."""
        return self.plan.frame.to_map(self._u(cell, a, b), self._v(cell, b))

    def frame_at(self, cell: Ints, a: ArrayLike, b: ArrayLike) -> tuple[Floats, Floats]:
        """Return u and v [m] of points at fractions (a, b) of the net area of cells."""
        return self._u(cell, a, b), self._v(cell, b)

    def outline(self, *, gross: bool) -> Shapes:
        """Return the polygons of all cells, to the middle of their streets (gross) or of the net area."""
        share = np.array([0.0, 1 / 3, 2 / 3])
        a = np.concatenate([share, np.ones(3), 1.0 - share, np.zeros(3)])
        b = np.concatenate([np.zeros(3), share, np.ones(3), 1.0 - share])
        cell = np.repeat(np.arange(len(self)), len(a))
        if gross:
            v = self.v0[cell] + np.tile(b, len(self)) * (self.v1 - self.v0)[cell]
            fraction = self.f0[cell] + np.tile(a, len(self)) * (self.f1 - self.f0)[cell]
            x, y = self.plan.place(self.sector[cell], fraction, v)
        else:
            x, y = self.place(cell, np.tile(a, len(self)), np.tile(b, len(self)))
        return make_polygons(x.reshape(len(self), -1), y.reshape(len(self), -1))


def lay_cells(plan: Plan) -> Cells:
    """Return the cells of the plan that lie wholly inside the extent, with their uses; reserves still zero."""
    parts = []
    for sector in plan.sectors:
        column, row = np.meshgrid(np.arange(len(sector.fractions) - 1), np.arange(len(sector.rows) - 1), indexing="ij")
        parts.append(np.column_stack([np.full(column.size, sector.index), column.ravel(), row.ravel()]))
    index = np.vstack(parts).astype(np.int64)
    f0 = np.array([plan.sectors[s].fractions[c] for s, c, _ in index])
    f1 = np.array([plan.sectors[s].fractions[c + 1] for s, c, _ in index])
    v0 = np.array([plan.sectors[s].rows[r] for s, _, r in index])
    v1 = np.array([plan.sectors[s].rows[r + 1] for s, _, r in index])
    keep = np.ones(len(index), bool)
    for f in (f0, f1):
        for v in (v0, v1):
            x, y = plan.place(index[:, 0], f, v)
            keep &= (x > BOUNDS[0]) & (x < BOUNDS[2]) & (y > BOUNDS[1]) & (y < BOUNDS[3])
    index, f0, f1, v0, v1 = index[keep], f0[keep], f1[keep], v0[keep], v1[keep]
    u = plan.column_u(index[:, 0], (f0 + f1) / 2, (v0 + v1) / 2)
    urbanity = compute_urbanity(u, (v0 + v1) / 2)
    insets = {side: np.zeros(len(index)) for side in SIDES}
    ward = locate_ward(u, (v0 + v1) / 2)
    cells = Cells(
        index[:, 0], index[:, 1], index[:, 2], f0, f1, v0, v1, urbanity, [""] * len(index), ward, insets, plan
    )
    cells.use = _choose_uses(cells, u)
    return cells


def is_canal_row(plan: Plan, sector: int, row: int) -> bool:
    """Return whether the strip below ``row`` in ``sector`` holds a cross canal."""
    return row in plan.sectors[sector].canal_rows and any(canal.sector == sector for canal in CROSS_CANALS)


def _choose_uses(cells: Cells, u: Floats) -> list[str]:
    rng = np.random.default_rng([cells.plan.seed, 2])
    uses = []
    for i in range(len(cells)):
        urban = cells.urbanity[i]
        middle = (cells.v0[i] + cells.v1[i]) / 2
        if is_canal_row(cells.plan, int(cells.sector[i]), int(cells.row[i])):
            uses.append("canal")
        elif cells.sector[i] == 4 and urban > SUBURBAN and middle < 800.0:
            uses.append("industrial")
        elif urban > DENSE:
            uses.append("dense")
        elif urban > SUBURBAN:
            uses.append("suburban")
        else:
            uses.append("orchard" if rng.random() < _orchard_share(middle) else "paddy")
    _place_specials(cells, uses, rng)
    return uses


def _orchard_share(v: float) -> float:
    return 0.85 if v < 1800.0 else 0.4


def _place_specials(cells: Cells, uses: list[str], rng: np.random.Generator) -> None:
    """Give single blocks to schools, parks and the like, apart from others of their kind."""
    x, y = cells.plan.place(cells.sector, (cells.f0 + cells.f1) / 2, (cells.v0 + cells.v1) / 2)
    chosen: dict[str, list[int]] = {}
    for kind in (kind for kind, count in SPECIAL_COUNTS.items() for _ in range(count)):
        weight = np.array([1.0 if use in ("dense", "suburban") else 0.0 for use in uses])
        if kind in ("government", "office", "university", "hospital"):
            weight *= cells.urbanity**2
        if kind == "basin":
            weight *= (cells.urbanity < 0.5) & (cells.sector == 1) & (cells.column > 4)
        for other in chosen.get(kind, []):
            weight *= np.hypot(x - x[other], y - y[other]) > 420.0
        if weight.sum() == 0.0:
            continue
        pick = int(rng.choice(len(uses), p=weight / weight.sum()))
        uses[pick] = kind
        chosen.setdefault(kind, []).append(pick)

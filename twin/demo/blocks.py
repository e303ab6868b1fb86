"""Blocks into lots: rows of narrow lots back to back with alleys between them, ribbons along suburban streets."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twin.demo.cells import SUBURBAN, Cells
from twin.demo.frame_roads import FrameRoads, Side
from twin.demo.plan import Floats, Ints

ALLEY_WIDTH = 4.0
SNAP = 7.0
SPECIAL_SLABS: dict[str, tuple[tuple[float, float, float, float], ...]] = {
    "school": ((0.12, 0.88, 0.10, 0.22), (0.12, 0.23, 0.32, 0.82), (0.77, 0.88, 0.32, 0.82)),
    "university": (
        (0.08, 0.45, 0.08, 0.18), (0.55, 0.92, 0.08, 0.18), (0.08, 0.20, 0.30, 0.85), (0.80, 0.92, 0.30, 0.85),
        (0.36, 0.64, 0.45, 0.62),
    ),
    "hospital": (
        (0.15, 0.85, 0.10, 0.24), (0.15, 0.85, 0.42, 0.56), (0.15, 0.85, 0.74, 0.88), (0.45, 0.55, 0.26, 0.40),
    ),
    "clinic": ((0.36, 0.64, 0.20, 0.34),),
    "market": ((0.15, 0.85, 0.18, 0.48), (0.15, 0.85, 0.56, 0.84)),
    "government": ((0.20, 0.80, 0.15, 0.30), (0.20, 0.32, 0.36, 0.75), (0.68, 0.80, 0.36, 0.75)),
    "apartment": (
        (0.08, 0.42, 0.10, 0.26), (0.58, 0.92, 0.10, 0.26), (0.08, 0.42, 0.74, 0.90), (0.58, 0.92, 0.74, 0.90),
        (0.44, 0.56, 0.42, 0.58),
    ),
    "office": ((0.10, 0.40, 0.12, 0.40), (0.60, 0.90, 0.12, 0.40), (0.30, 0.70, 0.60, 0.85)),
    "worship": ((0.40, 0.60, 0.30, 0.52), (0.44, 0.56, 0.62, 0.72)),
    "sports": ((0.05, 0.12, 0.20, 0.80),),
    "industrial": (
        (0.08, 0.47, 0.10, 0.46), (0.53, 0.92, 0.10, 0.46), (0.08, 0.47, 0.54, 0.90), (0.53, 0.92, 0.54, 0.90),
    ),
    "park": ((0.46, 0.54, 0.46, 0.54),),
    "basin": (),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Alley:
    """A lane through a block: its path in sector coordinates and the streets whose sides it meets."""

    sector: int
    path: tuple[Floats, Floats]
    name: str
    row_ends: tuple[tuple[tuple[int, int, int], float], ...]
    column_ends: tuple[tuple[tuple[int, int, int], float], ...]


@dataclass(frozen=True, slots=True)
class Lots:
    """Lots as rectangles (a0, a1) × (b0, b1) in the net area of their cell.

    ``facing``: 0 top, 1 bottom, 2 left, 3 right; ``front``: class of the street or lane in front;
    ``built``: whether a house stands there; ``street``: its name.
    """

    cell: Ints
    a0: Floats
    a1: Floats
    b0: Floats
    b1: Floats
    facing: Ints
    front: NDArray[np.object_]
    street: NDArray[np.object_]
    built: NDArray[np.bool_]


class _LotRows:
    """Collects rows of lots."""

    def __init__(self) -> None:
        self._parts: list[tuple[int, Floats, Floats, Floats, Floats, int, str, str, NDArray[np.bool_]]] = []

    def add(
        self, cell: int, along: Floats, across: tuple[float, float], facing: int, front: Side, built: NDArray[np.bool_]
    ) -> None:
        """Add the lots between the cuts ``along`` the row, which takes ``across`` of the other axis."""
        low, high = np.full(len(along) - 1, across[0]), np.full(len(along) - 1, across[1])
        a0, a1, b0, b1 = (along[:-1], along[1:], low, high) if facing < 2 else (low, high, along[:-1], along[1:])
        self._parts.append((cell, a0, a1, b0, b1, facing, front.road_class, front.name, built))

    def join(self) -> Lots:
        """Return all rows as arrays."""
        sizes = [len(part[1]) for part in self._parts]

        def repeat(k: int) -> NDArray[np.object_]:
            return np.repeat(np.array([part[k] for part in self._parts], dtype=object), sizes)

        def chain(k: int) -> NDArray[np.float64]:
            return np.concatenate([part[k] for part in self._parts])

        return Lots(
            repeat(0).astype(np.int64), chain(1), chain(2), chain(3), chain(4), repeat(5).astype(np.int64),
            repeat(6), repeat(7), chain(8).astype(bool),
        )  # fmt: skip


def lay_lots(cells: Cells, roads: FrameRoads) -> tuple[Lots, list[Alley]]:
    """Return the lots of dense, suburban and rural blocks, and the alleys that reach the inner rows."""
    rng = np.random.default_rng([cells.plan.seed, 5])
    rows, alleys = _LotRows(), _AlleyMaker(cells, roads)
    width, height = cells.width(), cells.height()
    for n in range(len(cells)):
        if min(width[n], height[n]) < 18.0:
            continue
        if cells.use[n] == "dense":
            _lay_dense(cells, roads, n, float(width[n]), float(height[n]), rows, alleys, rng)
        elif cells.use[n] in ("suburban", "orchard", "paddy"):
            _lay_ribbons(cells, roads, n, float(width[n]), float(height[n]), rows, rng)
    return rows.join(), alleys.made


def get_side(cells: Cells, roads: FrameRoads, n: int, name: str) -> Side | None:
    """Return the street on one side of cell ``n``, or None."""
    s, i, j = int(cells.sector[n]), int(cells.column[n]), int(cells.row[n])
    keys = {"top": (s, j, i), "bottom": (s, j + 1, i)}
    if name in keys:
        return roads.rows.get(keys[name])
    return roads.columns.get((s, i + (name == "right"), j))


def _cut(length: float, front: float, rng: np.random.Generator) -> Floats:
    """Return the fractions at which a row is cut into lots about ``front`` [m] wide."""
    steps = rng.uniform(0.85, 1.2, max(1, round(length / front)))
    steps[rng.random(len(steps)) < 0.05] *= 1.8
    return np.concatenate([[0.0], np.cumsum(steps) / steps.sum()]).clip(0.0, 1.0)


def _lay_dense(
    cells: Cells, roads: FrameRoads, n: int, width: float, height: float, rows: _LotRows, alleys: "_AlleyMaker",
    rng: np.random.Generator,
) -> None:  # fmt: skip
    swapped = bool(rng.random() < 0.35)
    length, depth = (height, width) if swapped else (width, height)
    target = 20.0 + 4.0 * (1.0 - cells.urbanity[n])
    pairs = max(1, round((depth + ALLEY_WIDTH) / (2 * target + ALLEY_WIDTH)))
    row_depth = (depth - (pairs - 1) * ALLEY_WIDTH) / (2 * pairs)
    first, last = ("left", "right") if swapped else ("top", "bottom")
    nameless = Side("living_street", "Hẻm")
    front = (5.1 + 3.2 * (1.0 - cells.urbanity[n]) ** 1.5) * rng.uniform(0.92, 1.1)
    lane = nameless
    for row in range(2 * pairs):
        low = (row * row_depth + (row // 2) * ALLEY_WIDTH) / depth
        high = low + row_depth / depth
        if row == 0:
            side = get_side(cells, roads, n, first) or nameless
        elif row == 2 * pairs - 1:
            side = get_side(cells, roads, n, last) or nameless
        else:
            if row % 2 == 1:
                middle = high + ALLEY_WIDTH / 2 / depth
                lane = Side("living_street", alleys.add(n, middle, swapped))
            side = lane
        cuts = _cut(length, front * (1.12 if side.road_class != "living_street" else 1.0), rng)
        built = rng.random(len(cuts) - 1) < 0.86 + 0.1 * cells.urbanity[n]
        rows.add(n, cuts, (low, high), (2 if swapped else 0) + row % 2, side, built)


def _lay_ribbons(
    cells: Cells, roads: FrameRoads, n: int, width: float, height: float, rows: _LotRows, rng: np.random.Generator
) -> None:
    urban = float(cells.urbanity[n])
    suburban = urban > SUBURBAN
    depth = 26.0 if suburban else 34.0
    chance = 0.6 + 0.8 * urban if suburban else 0.22 + 1.6 * urban
    front = rng.uniform(7.0, 9.0) if suburban else rng.uniform(11.0, 16.0)
    for facing, name in enumerate(("top", "bottom", "left", "right")):
        side = get_side(cells, roads, n, name)
        length, across = (width, height) if facing < 2 else (height, width)
        if side is None or across < 2.2 * depth or (facing >= 2 and length < 2.6 * depth):
            continue
        share = depth / across
        cuts = _cut(length - (0.0 if facing < 2 else 2.0 * depth), front, rng)
        if facing >= 2:
            cuts = (depth + cuts * (length - 2.0 * depth)) / length
        band = (0.0, share) if facing in (0, 2) else (1.0 - share, 1.0)
        rows.add(n, cuts, band, facing, side, rng.random(len(cuts) - 1) < chance)


class _AlleyMaker:
    """Draws alleys and joins those of neighbouring blocks that would meet a street a few metres apart."""

    def __init__(self, cells: Cells, roads: FrameRoads) -> None:
        self._cells = cells
        self._roads = roads
        self._stops: dict[tuple[str, int, int, int], list[float]] = defaultdict(list)
        self._numbers: dict[str, int] = defaultdict(int)
        self.made: list[Alley] = []

    def add(self, n: int, share: float, swapped: bool) -> str:
        """Add the alley at fraction ``share`` across cell ``n``; returns its name."""
        cells, plan = self._cells, self._cells.plan
        s, i, j = int(cells.sector[n]), int(cells.column[n]), int(cells.row[n])
        sides = ("top", "bottom") if swapped else ("left", "right")
        found = next((side for name in sides if (side := get_side(cells, self._roads, n, name))), None)
        street = found.name.removeprefix("Đường ") if found else "Nội Bộ"
        self._numbers[street] += 1
        name = f"Hẻm {self._numbers[street]} {street}"
        if swapped:
            b = np.linspace(0.0, 1.0, 6)
            v = cells.v0[n] + b * (cells.v1[n] - cells.v0[n])
            left = plan.column_u(s, cells.f0[n], v) + cells.insets["left"][n]
            right = plan.column_u(s, cells.f1[n], v) - cells.insets["right"][n]
            west, east = plan.side_u(s, False, v), plan.side_u(s, True, v)
            fraction = (left + share * (right - left) - west) / (east - west)
            span = float((east - west)[0])
            fraction[0] = self._snap(("row", s, j, i), float(fraction[0]), SNAP / span)
            fraction[-1] = self._snap(("row", s, j + 1, i), float(fraction[-1]), SNAP / span)
            ends = (((s, j, i), float(fraction[0])), ((s, j + 1, i), float(fraction[-1])))
            self.made.append(Alley(s, (fraction, v), name, ends, ()))
        else:
            fraction = np.linspace(cells.f0[n], cells.f1[n], 6)
            low = cells.v0[n] + cells.insets["top"][n]
            v = np.full(6, low + share * (cells.v1[n] - cells.insets["bottom"][n] - low))
            v[0] = self._snap(("column", s, i, j), float(v[0]), SNAP)
            v[-1] = self._snap(("column", s, i + 1, j), float(v[-1]), SNAP)
            ends = (((s, i, j), float(v[0])), ((s, i + 1, j), float(v[-1])))
            self.made.append(Alley(s, (fraction, v), name, (), ends))
        return name

    def _snap(self, key: tuple[str, int, int, int], value: float, reach: float) -> float:
        for other in self._stops[key]:
            if abs(other - value) < reach:
                return other
        self._stops[key].append(value)
        return value

"""The tables of coarse cells against the same quantities counted pixel by pixel in plain NumPy and SciPy."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import minimum_spanning_tree

from hydrology.subgrid import FACE_LEVELS, STAGE_LEVELS, SubgridTables, build_tables
from hydrology.subgrid_kernels import look_up_face, look_up_stage
from layers.errors import InputError

Array = NDArray[np.float64]
F = 6


def make_case(seed: int) -> tuple[Array, Array, SubgridTables]:
    rng = np.random.default_rng(seed)
    bed = rng.uniform(0.0, 2.0, (3 * F, 4 * F)) + 12.0
    bed[:F, :F][rng.random((F, F)) < 0.3] = np.nan
    n = rng.uniform(0.02, 0.1, bed.shape)
    return bed, n, build_tables(bed, n, F)


def cut(values: Array, i: int, j: int) -> Array:
    return values[(i - 1) * F : i * F, (j - 1) * F : j * F]


def find_saddle(z: Array, start: tuple[int, int], end: tuple[int, int]) -> float:
    """Return the lowest highest pixel on any way between two pixels, from the minimum spanning tree."""
    at = np.arange(z.size).reshape(z.shape)
    a = np.concatenate([at[:, :-1].ravel(), at[:-1].ravel()])
    b = np.concatenate([at[:, 1:].ravel(), at[1:].ravel()])
    crest = np.maximum(z.ravel()[a], z.ravel()[b])
    tree = minimum_spanning_tree(coo_array((crest, (a, b)), shape=(z.size, z.size))).tocoo()
    order = np.argsort(tree.data)
    group = np.arange(z.size)
    for k in order:
        one, other = group[tree.row[k]], group[tree.col[k]]
        group[group == one] = other
        if group[at[start]] == group[at[end]]:
            return float(tree.data[k])
    raise AssertionError("no way between the two pixels")


@pytest.mark.parametrize("seed", range(4))
def test_stage_of_a_volume_equals_the_pixels_and_goes_round(seed: int) -> None:
    bed, _, tables = make_case(seed)
    for i, j in ((1, 1), (2, 3), (3, 4)):
        z = cut(bed, i, j)
        for k in range(STAGE_LEVELS + 1):
            depth = tables.full[i, j] * (k / STAGE_LEVELS) ** 2
            stage = look_up_stage(
                depth, tables.base[i, j], STAGE_LEVELS**2 / tables.full[i, j], tables.full[i, j], tables.above[i, j],
                tables.stage[i, j],
            )  # fmt: skip
            # The volume at the stage of the table is the one looked up; the table is float32 of at most 2 m.
            assert np.nansum(np.maximum(stage - z, 0.0)) / F**2 == pytest.approx(depth, abs=1e-6)
        deep = tables.full[i, j] + 0.7
        above = tables.base[i, j] + tables.stage[i, j, -1] + (deep - tables.full[i, j]) * tables.above[i, j]
        assert np.nansum(np.maximum(above - z, 0.0)) / F**2 == pytest.approx(deep, abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_a_face_opens_at_the_lowest_saddle_between_the_anchors(seed: int) -> None:
    bed, _, tables = make_case(seed)
    cols = bed.shape[1]
    i, j = 2, 2
    for axis, low in ((1, tables.low_x[i, j + 1]), (0, tables.low_y[i + 1, j])):
        k, m = (i, j + 1) if axis == 1 else (i + 1, j)
        one, two = (divmod(int(tables.anchor[a, b]), cols) for a, b in ((i, j), (k, m)))
        both = np.concatenate([cut(bed, i, j), cut(bed, k, m)], axis=axis)
        corner = ((i - 1) * F, (j - 1) * F)
        start, end = ((r - corner[0], c - corner[1]) for r, c in (one, two))
        # A way may cross the face more than once, which the table does not look for: it is at least the saddle.
        assert low >= find_saddle(both, start, end)
        assert low >= max(both[start], both[end])
    # With the same pixels the other way round, the saddle is the same.
    turned = build_tables(bed[:, ::-1].copy(), np.full(bed.shape, 0.03), F)
    assert np.array_equal(turned.low_x[1:-1, 2:-1], tables.low_x[1:-1, 2:-1][:, ::-1])


def test_a_face_carries_what_its_sections_carry_in_series() -> None:
    bed, n, tables = make_case(11)
    cols = bed.shape[1]
    i, j = 2, 3
    west, east = (int(tables.anchor[i, k]) % cols for k in (j - 1, j))
    low = tables.low_x[i, j]
    per_span = np.float32(FACE_LEVELS**2 / tables.span_x[i, j])
    rows = slice((i - 1) * F, i * F)
    crest = np.maximum(bed[rows, west:east], bed[rows, west + 1 : east + 1])
    rough = 0.5 * (n[rows, west:east] + n[rows, west + 1 : east + 1])
    for m in range(1, FACE_LEVELS + 1):
        over = tables.span_x[i, j] * (m / FACE_LEVELS) ** 2
        h = np.maximum(low + over - crest, 0.0)
        depth = 1.0 / np.mean(1.0 / h.mean(axis=0))
        conveyance = np.mean(((h ** (5 / 3) / rough).mean(axis=0)) ** -2.0) ** -0.5
        sill = over ** (5 / 3) * np.mean(1.0 / rough)
        found, square = look_up_face(np.float32(over), per_span, tables.face_x[i, j])
        assert found == pytest.approx(min(depth, over), rel=2e-4)
        assert found ** (5 / 3) / np.sqrt(square) == pytest.approx(min(conveyance, sill), rel=2e-3)
    deep, square = look_up_face(np.float32(60.0), per_span, tables.face_x[i, j])
    h = low + 60.0 - crest
    assert deep == pytest.approx(h.mean(), rel=2e-3)
    assert deep ** (5 / 3) / np.sqrt(square) == pytest.approx(
        np.mean(((h ** (5 / 3) / rough).mean(axis=0)) ** -2.0) ** -0.5, rel=5e-3
    )


@pytest.mark.parametrize("shift", range(F))
@pytest.mark.parametrize("slant", [0, 1, 2])
def test_no_chain_of_cells_leads_through_a_wall(shift: int, slant: int) -> None:
    rng = np.random.default_rng(shift)
    shape = (3 * F, 7 * F)
    bed = rng.uniform(0.0, 0.3, shape)
    # A wall from north to south, leaning east by slant / 2 pixels a row, thick enough to close ways over sides.
    for row in range(shape[0]):
        first = 2 * F + shift + (slant * row) // 2
        bed[row, first : first + 1 + (slant > 0) + (slant > 1)] = 3.0
    tables = build_tables(bed, np.full(shape, 0.03), F)
    rows, cols = tables.base.shape
    wet = np.zeros((rows, cols), dtype=bool)
    wet[1:-1, 1] = True
    for _ in range(rows * cols):
        wet[:, 1:-1] |= wet[:, :-2] & (tables.low_x[:, 1:-1] < 2.9)
        wet[:, 1:-1] |= wet[:, 2:] & (tables.low_x[:, 2:] < 2.9)
        wet[1:-1] |= wet[:-2] & (tables.low_y[1:-1] < 2.9)
        wet[1:-1] |= wet[2:] & (tables.low_y[2:] < 2.9)
    assert wet[1:-1, 1:3].all()
    assert not wet[1:-1, 7].any()


def test_walls_on_faces_raise_saddles_and_a_gap_lowers_them() -> None:
    shape = (2 * F, 3 * F)
    none = np.full(shape, np.nan)
    west = none.copy()
    west[:, F + 2] = 1.5
    bed, n = np.zeros(shape), np.full(shape, 0.03)
    tables = build_tables(bed, n, F, walls=(west, none))
    lows = tables.low_x[1, 2:4]
    assert sorted(lows.tolist()) == [0.0, 1.5]
    west[3, F + 2] = 0.4
    gap = build_tables(bed, n, F, walls=(west, none))
    assert sorted(gap.low_x[1, 2:4].tolist()) == [0.0, 0.4]
    depths = [look_up_face(np.float32(1.0), np.float32(FACE_LEVELS**2 / t.span_x[1, k]), t.face_x[1, k])
              for t in (build_tables(bed, n, F), gap) for k in (2, 3)]  # fmt: skip
    carried = [depth ** (5 / 3) / np.sqrt(square) for depth, square in depths]
    assert min(carried[2:]) < 0.7 * min(carried[:2])


def test_a_pond_beside_a_canal_does_not_close_the_canal() -> None:
    shape = (3 * F, 3 * F)
    bed = np.ones(shape)
    bed[F + 1] = -1.0
    bed[F + 4, F + 4] = -2.0
    tables = build_tables(bed, np.full(shape, 0.03), F)
    assert tables.base[2, 2] == -2.0
    assert tables.low_x[2, 2] == tables.low_x[2, 3] == -1.0


def test_levels_rise_and_the_signature_tells_terrains_apart() -> None:
    bed, n, tables = make_case(2)
    assert all((upper >= lower).all() for lower, upper in pairwise(np.moveaxis(tables.stage, -1, 0)))
    assert np.array_equal(build_tables(bed, n, F).signature, tables.signature)
    assert not np.array_equal(build_tables(bed + 0.1, n, F).signature, tables.signature)
    assert not np.array_equal(build_tables(bed, n, F + 1).signature, tables.signature)
    with pytest.raises(InputError, match="factor is 0"):
        build_tables(bed, n, 0)

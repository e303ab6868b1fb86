"""Where roads meet: at shared vertices, never where they merely cross, never on two levels."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from network.road_places import Stretches, cut_at_junctions, gather_vertices, join_loose_ends

Line = Sequence[tuple[float, float]]


def cut(lines: Sequence[Line], levels: Sequence[int] | None = None, *, reach: float = 0.5) -> Stretches:
    shapes = np.array([shapely.LineString(line) for line in lines], object)
    level = np.zeros(len(lines), np.int32) if levels is None else np.array(levels, np.int32)
    return cut_at_junctions(join_loose_ends(gather_vertices(shapes), level, shapes, reach=reach), level)


def list_ends(stretches: Stretches) -> list[tuple[int, tuple[float, float], tuple[float, float]]]:
    """Return line and both ends of each stretch."""
    first, last = stretches.junction_xy[stretches.starts], stretches.junction_xy[stretches.ends]
    return sorted(
        (int(line), tuple(a), tuple(b))
        for line, a, b in zip(stretches.line, first.round(3).tolist(), last.round(3).tolist(), strict=True)
    )


def test_a_shared_vertex_is_a_junction_a_crossing_is_none() -> None:
    crossing = cut([[(0, 0), (100, 0)], [(50, -50), (50, 50)]])
    assert crossing.line.tolist() == [0, 1] and crossing.junction_xy.shape == (4, 2)
    shared = cut([[(0, 0), (50, 0), (100, 0)], [(50, -50), (50, 0), (50, 50)]])
    assert shared.line.tolist() == [0, 0, 1, 1] and shared.part.tolist() == [0, 1, 0, 1]
    assert shared.junction_xy.shape == (5, 2)
    assert shared.measures.tolist() == [[0, 50], [50, 100], [0, 50], [50, 100]]
    # Within a millimetre is the same place.
    near = cut([[(0, 0), (50, 0), (100, 0)], [(50.0006, -50), (50.0006, 0.0003), (50.0006, 50)]])
    assert near.line.tolist() == [0, 0, 1, 1]


def test_an_end_on_a_vertex_splits_the_line() -> None:
    tee = cut([[(0, 0), (50, 0), (100, 0)], [(50, 0), (50, 50)]])
    assert tee.line.tolist() == [0, 0, 1] and tee.junction_xy.shape == (4, 2)


def test_an_end_that_stops_just_short_is_joined() -> None:
    for gap, parts in ((0.4, [0, 0, 1]), (0.6, [0, 1])):
        assert cut([[(0, 0), (100, 0)], [(50, gap), (50, 50)]]).line.tolist() == parts
    # Two ends between the same two vertices, and one at a bend that is no end.
    three = cut(
        [[(0, 0), (100, 0), (100, 100)], [(60, 0.1), (60, 9)], [(30, -0.1), (30, -9)], [(100.2, 50), (120, 50)]]
    )
    assert three.line.tolist() == [0, 0, 0, 0, 1, 2, 3]
    assert [round(float(end)) for _, end in three.measures[:4]] == [30, 60, 150, 200]
    # What is on another level is not near.
    assert cut([[(0, 0), (100, 0)], [(50, 0.1), (50, 50)]], [1, 0]).line.tolist() == [0, 1]
    # An end that hangs on another road already is left where it is.
    held = cut([[(0, 0), (100, 0)], [(50, 0.1), (50, 50)], [(50, 0.1), (40, 50)]])
    assert held.line.tolist() == [0, 1, 2]


def test_a_bridge_joins_the_road_it_continues() -> None:
    road = [[(0, 0), (100, 0)], [(100, 0), (200, 0)], [(200, 0), (300, 0)]]
    joined = cut(road, [0, 1, 0])
    assert joined.junction_xy.shape == (4, 2) and not joined.parted.size
    # Stairs up to the deck, and a junction at its foot.
    stairs = cut([*road, [(150, 0), (150, 30)]], [0, 1, 0, 0])
    assert stairs.line.tolist() == [0, 1, 2, 3]
    deck = cut([[(0, 0), (100, 0)], [(100, 0), (150, 0), (200, 0)], [(150, 0), (150, 30)]], [0, 1, 0])
    assert deck.line.tolist() == [0, 1, 1, 2]
    foot = cut([[(0, 0), (100, 0)], [(100, 0), (200, 0)], [(100, -50), (100, 0), (100, 50)]], [0, 1, 0])
    assert foot.junction_xy.shape == (5, 2) and not foot.parted.size


@pytest.mark.parametrize("cut_below", [False, True])
@pytest.mark.parametrize("cut_above", [False, True])
def test_a_bridge_is_not_joined_to_what_it_crosses(cut_below: bool, cut_above: bool) -> None:
    def lay(line: Line, is_cut: bool) -> list[Line]:
        return [line[:2], line[1:]] if is_cut else [line]

    above, below = [(0, 0), (50, 0), (100, 0)], [(50, -50), (50, 0), (50, 50)]
    lines = [*lay(above, cut_above), *lay(below, cut_below)]
    levels = [1] * (1 + cut_above) + [0] * (1 + cut_below)
    stretches = cut(lines, levels)
    assert stretches.parted.tolist() == [[50.0, 0.0]]
    decks = np.flatnonzero(np.array(levels)[stretches.line] == 1)
    ground = np.flatnonzero(np.array(levels)[stretches.line] == 0)
    ends = [set(np.append(stretches.starts[k], stretches.ends[k]).tolist()) for k in (decks, ground)]
    assert not ends[0] & ends[1]


def test_rings_and_lines_that_meet_themselves() -> None:
    ring = cut([[(0, 0), (10, 0), (10, 10), (0, 0)]])
    assert ring.starts.tolist() == ring.ends.tolist() == [0]
    lollipop = cut([[(0, 0), (10, 0), (20, 5), (20, -5), (10, 0)]])
    assert lollipop.line.tolist() == [0, 0] and lollipop.starts[1] == lollipop.ends[1]
    assert cut([[(0, 0), (0.0002, 0), (5, 0)]]).measures.tolist() == [[0.0, pytest.approx(5.0)]]
    assert cut([]).line.size == 0


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=5), max_size=7), st.data()
)
def test_any_order_of_lines_gives_the_same_network(lines: list[list[tuple[int, int]]], data: st.DataObject) -> None:
    drawn = [[(10.0 * x, 10.0 * y) for x, y in line] for line in lines if len(set(line)) > 1]
    order = data.draw(st.permutations(range(len(drawn))))
    one, other = cut(drawn, reach=0.01), cut([drawn[k] for k in order], reach=0.01)
    place = dict(enumerate(order))
    assert list_ends(one) == sorted((place[line], a, b) for line, a, b in list_ends(other))
    lengths = np.bincount(one.line, one.measures[:, 1] - one.measures[:, 0], minlength=len(drawn))
    assert lengths == pytest.approx([shapely.LineString(line).length for line in drawn])
    # By hand: a place is a junction where a line ends or where two vertices meet.
    visits: list[tuple[float, float]] = []
    for line in drawn:
        kept = [line[0], *(b for a, b in pairwise(line) if a != b)]
        visits += kept
        visits += [kept[0], kept[-1]]
    wanted = {xy for xy in visits if visits.count(xy) > 1}
    assert {tuple(xy) for xy in one.junction_xy.tolist()} == wanted

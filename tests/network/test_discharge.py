"""Sources that can have caused an exceedance at an outfall."""

import numpy as np
import pytest

from layers.errors import InputError
from network.discharge import find_suspects
from network.graph import build_graph

# 0 → 1 → 2 (outfall), 3 → 1, 4 → 5 drains elsewhere; each link is 600 m.
GRAPH = build_graph([0, 1, 3, 4], [1, 2, 1, 5], weights=np.full(4, 600.0))
SPEEDS = np.full(4, 0.5), np.full(4, 1.0)


def test_only_what_drains_there_and_holds_the_substance_is_a_suspect() -> None:
    found = find_suspects(GRAPH, 2, [0, 3, 4, 1], (10_000.0, 11_000.0), speeds=SPEEDS)
    assert [(each.source, each.node, each.quickest, each.slowest) for each in found] == [
        (3, 1, 600.0, 1200.0),
        (0, 0, 1200.0, 2400.0),
        (1, 3, 1200.0, 2400.0),
    ]
    assert found[1].released == (7600.0, 9800.0)
    holds = np.array([True, False, True, False])
    assert [each.source for each in find_suspects(GRAPH, 2, [0, 3, 4, 1], (0.0, 1.0), speeds=SPEEDS, holds=holds)] == [
        0
    ]


def test_who_worked_at_another_time_is_none() -> None:
    works = np.array([[9900.0, 20_000.0], [9000.0, 9100.0], [0.0, 7599.0]])
    found = find_suspects(GRAPH, 2, [0, 3, 0], (10_000.0, 11_000.0), speeds=SPEEDS, works=works)
    assert [(each.source, each.released) for each in found] == [(1, (9000.0, 9100.0))]


def test_a_closed_gate_clears_what_is_above() -> None:
    gate = np.array([True, True, True, False, True, True])
    found = find_suspects(GRAPH, 2, [0, 3], (0.0, 1.0), speeds=SPEEDS, open_nodes=gate)
    assert [each.source for each in found] == [0]


def test_values_must_fit() -> None:
    with pytest.raises(InputError, match="ends at 0"):
        find_suspects(GRAPH, 2, [0], (1.0, 0.0), speeds=SPEEDS)
    with pytest.raises(InputError, match="speeds"):
        find_suspects(GRAPH, 2, [0], (0.0, 1.0), speeds=(SPEEDS[1], SPEEDS[0]))
    with pytest.raises(InputError, match="not there"):
        find_suspects(GRAPH, 2, [9], (0.0, 1.0), speeds=SPEEDS)

"""Figures of a trace."""

import numpy as np
import pytest

from layers.errors import InputError
from network.graph import build_graph
from network.measures import Figure, Measure, measure_trace, sum_area, sum_length, sum_volume
from network.tracing import trace_upstream

GRAPH = build_graph([0, 1, 2, 3], [1, 2, 4, 2])
UP = trace_upstream(GRAPH, nodes=[2])
LENGTHS = np.array([10.0, 20.0, 40.0, 80.0])


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        (Measure("count"), Figure(3.0, 3)),
        (Measure("count", "nodes"), Figure(4.0, 4)),
        (Measure("count", "links", where=np.array([True, False, True, True])), Figure(2.0, 2)),
        (sum_length(LENGTHS), Figure(110.0, 3)),
        (sum_volume(LENGTHS, np.full(4, 2.0)), Figure(pytest.approx(110.0 * np.pi), 3)),
        (sum_area(np.array([1.0, 2.0, np.nan, 4.0, 100.0])), Figure(7.0, 3)),
        (Measure("minimum", "links", LENGTHS), Figure(10.0, 3)),
        (Measure("maximum", "links", LENGTHS), Figure(80.0, 3)),
        (Measure("mean", "links", LENGTHS), Figure(pytest.approx(110.0 / 3), 3)),
        (Measure("worst", "links", np.array([1.0, 4.0, 5.0, np.nan])), Figure(4.0, 2, 1)),
        (Measure("worst", "links", np.full(4, np.nan)), Figure(None, 0)),
        (Measure("sum", "links", np.full(4, np.nan)), Figure(0.0, 0)),
    ],
)
def test_a_trace_adds_up(measure: Measure, expected: Figure) -> None:
    assert measure_trace(GRAPH, UP, measure) == expected


def test_values_must_fit() -> None:
    with pytest.raises(InputError, match="expected \\(4,\\)"):
        measure_trace(GRAPH, UP, Measure("sum", "links", np.ones(3)))
    with pytest.raises(InputError, match="needs values"):
        measure_trace(GRAPH, UP, Measure("sum"))

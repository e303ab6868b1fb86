"""The least failure that explains dark lamps agrees with trying every set."""

from itertools import chain, combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.errors import InputError
from network.circuits import DARK, LIT, UNKNOWN, explain_dark_lamps, trace_circuit
from network.graph import build_graph
from tests.network.networks import PROPERTY


def darken(parents: list[int], failed: tuple[int, ...]) -> list[bool]:
    dark = []
    for node, parent in enumerate(parents):
        dark.append(node in failed or (parent >= 0 and dark[parent]))
    return dark


@PROPERTY
@given(st.data())
def test_the_explanations_are_the_cheapest_of_all_sets(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 8))
    parents = [-1, *(data.draw(st.integers(0, node - 1)) for node in range(1, size))]
    several = {"min_size": size, "max_size": size}
    reports = data.draw(st.lists(st.sampled_from((LIT, DARK, DARK, UNKNOWN)), **several))
    costs = data.draw(st.lists(st.sampled_from((1.0, 2.0, np.inf)), **several))
    doubt = data.draw(st.sampled_from((0.5, 2.0, np.inf)))
    circuit = trace_circuit(build_graph(parents[1:], range(1, size), nodes=size), 0)
    assert circuit.parents.tolist() == parents
    found = explain_dark_lamps(circuit, reports, costs, wrong_cost=doubt, most=10_000)

    prices: dict[tuple[int, ...], float] = {}
    for failed in chain.from_iterable(combinations(range(size), count) for count in range(size + 1)):
        dark = darken(parents, failed)
        wrong = sum(told != UNKNOWN and dark[node] != (told == DARK) for node, told in enumerate(reports))
        # Below what has failed nothing is said to fail.
        if not any(parents[node] >= 0 and dark[parents[node]] for node in failed):
            prices[failed] = sum(costs[node] for node in failed) + (wrong * doubt if wrong else 0.0)
    least = min(prices.values())
    expected = {failed for failed, price in prices.items() if price == least and np.isfinite(least)}
    assert {each.failed for each in found} == expected
    assert all(each.cost == least for each in found)
    for each in found:
        dark = darken(parents, each.failed)
        assert list(each.wrong) == [
            n for n, told in enumerate(reports) if told != UNKNOWN and dark[n] != (told == DARK)
        ]


def test_a_fuse_explains_a_street() -> None:
    # Cabinet 0, fuses 1 and 2; lamps 3 to 5 in a row on fuse 1, lamp 6 on fuse 2.
    circuit = trace_circuit(build_graph([0, 0, 1, 3, 4, 2], [1, 2, 3, 4, 5, 6]), 0)
    costs = np.ones(7)
    told = [UNKNOWN, UNKNOWN, UNKNOWN, DARK, DARK, DARK, LIT]
    found = explain_dark_lamps(circuit, told, costs)
    assert [each.failed for each in found] == [(1,), (3,)]
    told[4] = LIT
    sure = explain_dark_lamps(circuit, told, costs)
    assert sure == []
    doubtful = explain_dark_lamps(circuit, told, costs, wrong_cost=0.4)
    assert [(each.failed, each.wrong) for each in doubtful] == [((), (3, 5))]
    doubtful = explain_dark_lamps(circuit, told, costs, wrong_cost=0.6)
    assert [(each.failed, each.wrong) for each in doubtful] == [((), (3, 5))]
    doubtful = explain_dark_lamps(circuit, told, np.full(7, 0.5), wrong_cost=0.6)
    assert {(each.failed, each.wrong) for each in doubtful} == {((1,), (4,)), ((3,), (4,)), ((5,), (3,))}


def test_a_ring_in_a_circuit_is_told() -> None:
    circuit = trace_circuit(build_graph([0, 1, 2, 5], [1, 2, 0, 6]), 0)
    assert circuit.loops.size == 1
    assert sorted(circuit.order.tolist()) == [0, 1, 2]


def test_values_must_fit() -> None:
    circuit = trace_circuit(build_graph([0], [1]), 0)
    with pytest.raises(InputError, match="do not fit 2 nodes"):
        explain_dark_lamps(circuit, [0], [1.0, 1.0])
    with pytest.raises(InputError, match="not more than 0"):
        explain_dark_lamps(circuit, [0, 0], [1.0, 0.0])

"""The least failure that explains dark lamps agrees with trying every set."""

from itertools import chain, combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.errors import InputError
from network.circuits import (
    DARK,
    LIT,
    UNKNOWN,
    explain_dark_lamps,
    find_branches,
    find_owners,
    list_alternatives,
    sum_below,
    trace_circuit,
)
from network.graph import build_graph
from network.voltage import RESISTIVITY, compute_loading
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


@PROPERTY
@given(st.data())
def test_alternatives_explain_the_same_reports(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 9))
    parents = [-1, *(data.draw(st.integers(0, node - 1)) for node in range(1, size))]
    reports = data.draw(st.lists(st.sampled_from((LIT, DARK, UNKNOWN)), min_size=size, max_size=size))
    costs = np.array([np.inf, *np.ones(size - 1)])
    circuit = trace_circuit(build_graph(parents[1:], range(1, size), nodes=size), 0)
    doubt = data.draw(st.sampled_from((1.5, np.inf)))
    for best in explain_dark_lamps(circuit, reports, costs, wrong_cost=doubt)[:1]:
        for failed in best.failed:
            others = set(best.failed) - {failed}
            expected = {
                node
                for node in set(range(1, size)) - set(best.failed)
                if list_wrong(parents, reports, (*others, node)) == len(best.wrong)
                and (node in list_way(parents, failed) or failed in list_way(parents, node))
            }
            found = list_alternatives(circuit, reports, failed, costs)
            if not best.wrong:
                assert set(found) == expected
            assert all(list_wrong(parents, reports, (*others, node)) <= len(best.wrong) for node in found)


def list_wrong(parents: list[int], reports: list[int], failed: tuple[int, ...]) -> int:
    dark = darken(parents, failed)
    return sum(told != UNKNOWN and dark[node] != (told == DARK) for node, told in enumerate(reports))


def list_way(parents: list[int], node: int) -> list[int]:
    return [node] if parents[node] < 0 else [node, *list_way(parents, parents[node])]


def test_several_cabinets_feed_their_own_trees() -> None:
    # Cabinets 0 and 5: 0-1-2, 0-3, 5-4, a tie 2-4, and 6-7 that nobody feeds.
    graph = build_graph([0, 1, 0, 5, 2, 6], [1, 2, 3, 4, 4, 7])
    circuit = trace_circuit(graph, [0, 5])
    assert find_owners(circuit).tolist() == [0, 0, 0, 0, 5, 5, -1, -1]
    assert find_branches(circuit).tolist() == [-1, 1, 1, 3, 4, -1, -1, -1]
    assert circuit.loops.tolist() == [4]
    assert sum_below(circuit, np.ones(8))[[0, 1, 5]].tolist() == [4.0, 2.0, 2.0]


def test_voltage_drop_of_one_cable_is_that_of_the_standard() -> None:
    # 200 m of 3 x 10 mm2 copper with 4 kW at its end, 380 V: P L rho / (S U2) = 4000 x 200 x 0.0225 / (10 x 380^2).
    circuit = trace_circuit(build_graph([0], [1]), 0)
    resistance = np.array([0.0, RESISTIVITY["copper"] * 200.0 / 10.0])
    found = compute_loading(circuit, np.array([0.0, 4000.0]), resistance)
    assert found.drop[1] == pytest.approx(4000 * 200 * 0.0225 / (10 * 380**2))
    assert found.current[1] == pytest.approx(4000 / (np.sqrt(3) * 380 * 0.9))
    single = compute_loading(circuit, np.array([0.0, 4000.0]), resistance, three_phase=False)
    assert single.drop[1] == pytest.approx(6.0 * found.drop[1])
    with pytest.raises(InputError, match="does not fit 2 nodes"):
        compute_loading(circuit, np.ones(3), resistance)
    with pytest.raises(InputError, match="negative"):
        compute_loading(circuit, np.array([0.0, -1.0]), resistance)

"""The graph: half-links, ids, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given

from layers.errors import InputError, NotFoundError
from network.graph import build_graph
from tests.network.networks import PROPERTY, Small, draw_network


@PROPERTY
@given(draw_network())
def test_half_links_hold_every_link_once_each_way(small: Small) -> None:
    starts, ends = [a for a, _ in small.links], [b for _, b in small.links]
    graph = build_graph(starts, ends, nodes=small.nodes)
    for node in range(small.nodes):
        leaving = slice(graph.first[node], graph.middle[node])
        arriving = slice(graph.middle[node], graph.first[node + 1])
        assert graph.halves[leaving].tolist() == [k for k, a in enumerate(starts) if a == node]
        assert graph.halves[arriving].tolist() == [k for k, b in enumerate(ends) if b == node]
        assert graph.others[leaving].tolist() == [b for a, b in small.links if a == node]
        assert graph.others[arriving].tolist() == [a for a, b in small.links if b == node]
    assert graph.degrees.sum() == 2 * len(small.links)


def test_ids_lead_to_indices_and_back() -> None:
    graph = build_graph([1, 2], [2, 0], node_ids=["c", "a", "b"], link_ids=["x", "y"], stamp="v7")
    assert graph.node_ids[graph.find_nodes(["b", "c"])].tolist() == ["b", "c"]
    assert graph.find_links("y").tolist() == [1]
    with pytest.raises(NotFoundError, match="no node zz"):
        graph.find_nodes(["a", "zz"])


def test_a_graph_never_changes() -> None:
    graph = build_graph([0], [1])
    with pytest.raises(ValueError, match="read-only"):
        graph.starts[0] = 1


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"starts": [0], "ends": [5], "nodes": 3}, "outside 0 to 2"),
        ({"starts": [-1], "ends": [0]}, "outside"),
        ({"starts": [0, 1], "ends": [1]}, "ends"),
        ({"starts": [0], "ends": [1], "weights": [-1.0]}, "negative"),
        ({"starts": [0], "ends": [1], "weights": [np.nan]}, "not a number"),
        ({"starts": [0], "ends": [1], "weights": [1.0, 2.0]}, "weights"),
        ({"starts": [0], "ends": [1], "link_ids": ["a", "b"]}, "link_ids"),
    ],
)
def test_what_cannot_be_a_graph_is_named(given: dict[str, object], word: str) -> None:
    with pytest.raises(InputError, match=word):
        build_graph(**given)  # type: ignore[arg-type]


def test_a_network_without_links_and_without_nodes() -> None:
    assert build_graph([], [], nodes=2).degrees.tolist() == [0, 0]
    assert build_graph([], []).node_count == 0

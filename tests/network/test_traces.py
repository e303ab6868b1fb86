"""Traces agree with a plain search and with networkx on small networks of every shape."""

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.errors import InputError
from network.graph import Graph, build_graph
from network.tracing import (
    find_links_between,
    find_parts,
    find_shortest_path,
    find_structure,
    orient_from_sources,
    trace_connected,
    trace_downstream,
    trace_subnetwork,
    trace_upstream,
)
from tests.network.networks import PROPERTY, Small, draw_network


def build(small: Small) -> Graph:
    starts, ends = [a for a, _ in small.links], [b for _, b in small.links]
    return build_graph(starts, ends, nodes=small.nodes, weights=small.weights, one_way=small.one_way)


def search(small: Small, seeds: set[int], *, forward: bool, backward: bool) -> tuple[set[int], set[int], set[int]]:
    """Return nodes, links and closed nodes touched, by asking every link again until nothing changes."""
    nodes, links, touched = set(seeds), set(), set()
    changed = True
    while changed:
        changed = False
        for link, (a, b) in enumerate(small.links):
            for here, there, allowed in ((a, b, forward), (b, a, backward)):
                if not (allowed and small.open_links[link] and here in nodes):
                    continue
                found = nodes if small.open_nodes[there] or there in seeds else touched
                changed |= link not in links or there not in found
                links.add(link)
                found.add(there)
    return nodes, links, touched


@PROPERTY
@given(draw_network(), st.data())
def test_a_trace_is_what_a_plain_search_finds(small: Small, data: st.DataObject) -> None:
    graph, start = build(small), data.draw(st.integers(0, small.nodes - 1))
    masks = {"open_nodes": np.array(small.open_nodes), "open_links": np.array(small.open_links, np.bool_)}
    for find, ways in (
        (trace_connected, {"forward": True, "backward": True}),
        (trace_downstream, {"forward": True, "backward": False}),
        (trace_upstream, {"forward": False, "backward": True}),
    ):
        found = find(graph, nodes=[start], **masks)
        got = set(found.nodes.tolist()), set(found.links.tolist()), set(found.barriers.tolist())
        assert got == search(small, {start}, **ways)
        assert found.nodes.size == len(got[0])
        for node, link in zip(found.nodes.tolist(), found.reached_by.tolist(), strict=True):
            assert (link == -1) == (node == start)
            assert link == -1 or node in small.links[link]


@PROPERTY
@given(draw_network())
def test_parts_are_those_of_networkx(small: Small) -> None:
    plain = nx.MultiGraph()
    plain.add_nodes_from(node for node in range(small.nodes) if small.open_nodes[node])
    plain.add_edges_from(
        ends
        for ends, is_open in zip(small.links, small.open_links, strict=True)
        if is_open and all(small.open_nodes[node] for node in ends)
    )
    label, count = find_parts(
        build(small), open_nodes=np.array(small.open_nodes), open_links=np.array(small.open_links, np.bool_)
    )
    parts = {frozenset(np.flatnonzero(label == part).tolist()) for part in range(count)}
    assert parts == {frozenset(part) for part in nx.connected_components(plain)}
    assert (label == -1).tolist() == [not is_open for is_open in small.open_nodes]


@PROPERTY
@given(draw_network(), st.data())
def test_the_shortest_path_is_as_short_as_that_of_networkx(small: Small, data: st.DataObject) -> None:
    start, end = data.draw(st.tuples(*[st.integers(0, small.nodes - 1)] * 2))
    plain = nx.MultiDiGraph()
    plain.add_nodes_from(range(small.nodes))
    for (a, b), one_way, weight in zip(small.links, small.one_way, small.weights, strict=True):
        plain.add_edge(a, b, weight=weight)
        if not one_way:
            plain.add_edge(b, a, weight=weight)
    path = find_shortest_path(build(small), start, end)
    if not nx.has_path(plain, start, end):
        assert path is None
        return
    assert path is not None
    assert path.weight == nx.shortest_path_length(plain, start, end, weight="weight")
    assert (path.nodes[0], path.nodes[-1]) == (start, end)
    assert sum(small.weights[link] for link in path.links) == path.weight
    for a, b, link in zip(path.nodes[:-1], path.nodes[1:], path.links, strict=True):
        assert (a, b) == small.links[link] or ((b, a) == small.links[link] and not small.one_way[link])


@PROPERTY
@given(draw_network())
def test_loops_and_critical_parts_are_what_their_loss_shows(small: Small) -> None:
    graph = build(small)
    found = find_structure(graph)
    _, whole = find_parts(graph)
    for link, (a, b) in enumerate(small.links):
        without = np.arange(len(small.links)) != link
        label, count = find_parts(graph, open_links=without)
        assert found.critical_links[link] == (count > whole)
        assert found.loops[link] == (label[a] == label[b])
    for node in range(small.nodes):
        label, count = find_parts(graph, open_nodes=np.arange(small.nodes) != node)
        alone = all(a == b for a, b in small.links if node in (a, b))
        assert found.critical_nodes[node] == (count > whole - alone)


@PROPERTY
@given(draw_network(most_nodes=6, most_links=9), st.data())
def test_links_between_lie_on_a_simple_path(small: Small, data: st.DataObject) -> None:
    start, end = data.draw(st.tuples(*[st.integers(0, small.nodes - 1)] * 2))
    plain = nx.MultiGraph()
    plain.add_nodes_from(range(small.nodes))
    plain.add_edges_from((a, b, link) for link, (a, b) in enumerate(small.links))
    paths = [] if start == end else nx.all_simple_edge_paths(plain, start, end)
    expected = {link for path in paths for _, _, link in path}
    assert set(find_links_between(build(small), start, end).tolist()) == expected


def test_water_flows_away_from_its_source_however_pipes_are_drawn() -> None:
    # 0 is the source; pipes are drawn either way round; 3 and 4 hang on 2; 1-2 closes a ring of equal arms.
    graph = build_graph([1, 0, 2, 3, 2], [0, 2, 3, 4, 1], weights=[1.0, 1.0, 1.0, 1.0, 1.0])
    flow = orient_from_sources(graph, [0])
    assert flow.tolist() == [2, 1, 1, 1, 3]
    assert set(trace_downstream(graph, nodes=[2], flow=flow).nodes.tolist()) == {1, 2, 3, 4}
    assert set(trace_upstream(graph, nodes=[4], flow=flow).nodes.tolist()) == {0, 1, 2, 3, 4}
    assert set(trace_upstream(graph, nodes=[0], flow=flow).nodes.tolist()) == {0}


def test_a_check_valve_lets_through_one_way() -> None:
    graph = build_graph([0, 1], [1, 2], one_way=[False, True])
    assert set(trace_subnetwork(graph, [0]).nodes.tolist()) == {0, 1, 2}
    assert set(trace_subnetwork(graph, [2]).nodes.tolist()) == {2}
    assert set(trace_connected(graph, nodes=[2]).nodes.tolist()) == {0, 1, 2}


def test_a_trace_can_start_on_a_link() -> None:
    graph = build_graph([0, 1, 2], [1, 2, 3])
    down = trace_downstream(graph, links=[1])
    assert (down.nodes.tolist(), sorted(down.links.tolist())) == ([2, 3], [1, 2])
    assert sorted(trace_upstream(graph, links=[1]).nodes.tolist()) == [0, 1]
    stopped = trace_connected(graph, links=[1], open_nodes=np.array([True, False, True, True]))
    assert (stopped.nodes.tolist(), stopped.barriers.tolist()) == ([2, 3], [1])


def test_what_is_not_in_the_network_is_refused() -> None:
    graph = build_graph([0], [1])
    with pytest.raises(InputError, match="node 2 is outside"):
        trace_connected(graph, nodes=[2])
    with pytest.raises(InputError, match="link 1 is outside"):
        trace_connected(graph, links=[1])
    with pytest.raises(InputError, match="open_nodes is bool"):
        trace_connected(graph, nodes=[0], open_nodes=np.ones(3, np.bool_))


def test_a_long_walk_finds_all_of_it() -> None:
    size = 12_000
    graph = build_graph(range(size - 1), range(1, size))
    assert trace_upstream(graph, nodes=[size - 1]).nodes.tolist() == list(range(size))[::-1]
    assert trace_downstream(graph, nodes=[0]).links.tolist() == list(range(size - 1))
    assert trace_connected(graph, nodes=[size // 2]).nodes.size == size

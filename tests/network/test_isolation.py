"""Isolation agrees with trying every set of valves."""

from itertools import chain, combinations

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from network.graph import Graph, build_graph
from network.isolation import build_segments, find_outage, find_valves
from tests.network.networks import PROPERTY, Small, draw_network

Place = tuple[str, int]


def build(small: Small) -> Graph:
    return build_graph([a for a, _ in small.links], [b for _, b in small.links], nodes=small.nodes)


def fill(small: Small, seeds: set[Place], shut: set[int]) -> set[Place]:
    """Return the nodes and links that water from ``seeds`` gets to, by asking every link until nothing changes."""
    wet = {place for place in seeds if place[0] == "link" or place[1] not in shut}
    while True:
        more = set()
        for link, ends in enumerate(small.links):
            for node in ends:
                if node not in shut and (("node", node) in wet) != (("link", link) in wet):
                    more |= {("node", node), ("link", link)}
        if more <= wet:
            return wet
        wet |= more


@PROPERTY
@given(draw_network(), st.data())
def test_segments_are_what_the_valves_leave_together(small: Small, data: st.DataObject) -> None:
    valves = data.draw(st.sets(st.integers(0, small.nodes - 1)))
    segments = build_segments(build(small), np.isin(np.arange(small.nodes), list(valves)))
    found: dict[int, set[Place]] = {}
    for node, segment in enumerate(segments.nodes.tolist()):
        assert (segment == -1) == (node in valves)
        found.setdefault(segment, set()).add(("node", node))
    for link, segment in enumerate(segments.links.tolist()):
        found.setdefault(segment, set()).add(("link", link))
    found.pop(-1, None)
    assert len(found) == segments.count
    for segment, places in found.items():
        assert fill(small, {next(iter(places))}, valves) == places
        lies = slice(segments.segment_first[segment], segments.segment_first[segment + 1])
        touching = {node for kind, link in places if kind == "link" for node in small.links[link]} & valves
        assert set(segments.segment_valves[lies].tolist()) == touching
    for valve in valves:
        lies = slice(segments.valve_first[valve], segments.valve_first[valve + 1])
        around = {segments.links[link] for link, ends in enumerate(small.links) if valve in ends}
        assert set(segments.valve_segments[lies].tolist()) == around


@settings(PROPERTY, max_examples=150)
@given(draw_network(most_nodes=10, most_links=13), st.data())
def test_no_other_set_of_valves_is_smaller_or_leaves_more_with_water(small: Small, data: st.DataObject) -> None:
    assume(small.links)
    every = st.integers(0, small.nodes - 1)
    valves = data.draw(st.sets(every, max_size=8))
    state = st.sampled_from(("open", "open", "open", "closed", "stuck", "closed and stuck"))
    states = {valve: data.draw(state) for valve in sorted(valves)}
    closed = {valve for valve, now in states.items() if "closed" in now}
    stuck = {valve for valve, now in states.items() if "stuck" in now}
    sources = (
        data.draw(st.sets(every.filter(lambda node: node not in valves), min_size=1))
        if len(valves) < small.nodes
        else set()
    )
    broken = data.draw(
        st.one_of(st.tuples(st.just("link"), st.integers(0, len(small.links) - 1)), st.tuples(st.just("node"), every))
    )
    graph = build(small)
    segments = build_segments(graph, np.isin(np.arange(small.nodes), list(valves)))
    kind, place = broken
    isolation = find_valves(segments, **{f"{kind}s": [place]}, closed=sorted(closed), stuck=sorted(stuck))
    outage = find_outage(graph, segments, isolation, sorted(sources), closed=sorted(closed), stuck=sorted(stuck))

    held = closed - ({place} if kind == "node" else set())
    usable = valves - held - stuck - ({place} if kind == "node" else set())
    inside = fill(small, {broken}, held | usable)
    if kind == "link":
        # The water stands in the broken link whether or not its ends are closed.
        assert ("link", place) in inside
    within = {source for source in sources if ("node", source) in inside}
    feeding = {("node", source) for source in sources - within}
    assert set(outage.sources_inside.tolist()) == within

    tries = []
    for choice in chain.from_iterable(combinations(sorted(usable), size) for size in range(len(usable) + 1)):
        wet = fill(small, feeding, held | set(choice))
        reached = broken in wet
        if not reached:
            plain = {each for each in wet if each[0] == "link" or each[1] not in valves}
            tries.append((-len(plain), len(choice), choice, plain))
    tries.sort(key=lambda each: each[:2])
    best = [each for each in tries if each[:2] == tries[0][:2]]
    assert [set(each[2]) for each in best] == [set(outage.needed.tolist())]

    before = fill(small, {("node", source) for source in sources}, held)
    lost = {each for each in before if each[0] == "link" or each[1] not in valves} - best[0][3]
    got = {("node", node) for node in np.flatnonzero(outage.nodes).tolist() if node not in valves}
    got |= {("link", link) for link in np.flatnonzero(outage.links).tolist()}
    assert got == lost
    assert {("link", link) for link in np.flatnonzero(outage.isolated_links).tolist()} == {
        each for each in lost & inside if each[0] == "link"
    }

    behind = {("link", link) for link in np.flatnonzero(outage.behind_links).tolist()}
    still = held | set(isolation.close.tolist())
    for valve in held - stuck:
        more = fill(small, feeding, still - {valve})
        gains = bool(more & behind)
        assert gains == (valve in outage.feeds), (valve, gains)


def test_a_street_with_two_sources() -> None:
    # 0 =source, valves 1, 3, 5, source 6: 0-1-2-3-4-5-6, and a branch 2-7 with customers at 7.
    graph = build_graph([0, 1, 2, 3, 4, 5, 2], [1, 2, 3, 4, 5, 6, 7], stamp="v1")
    segments = build_segments(graph, np.isin(np.arange(8), [1, 3, 5]))
    customers = np.array([0, 0, 3, 0, 5, 0, 0, 2])
    plain = find_valves(segments, links=[2])
    assert plain.close.tolist() == [1, 3]
    outage = find_outage(graph, segments, plain, [0, 6])
    assert (customers[outage.isolated_nodes].sum(), customers[outage.behind_nodes].sum()) == (5, 0)
    assert (outage.isolated_links.sum(), outage.behind_links.sum()) == (3, 0)
    assert (outage.needed.tolist(), outage.idle.tolist()) == ([1, 3], [])

    fed_from_one_side = find_valves(segments, links=[2], closed=[5])
    outage = find_outage(graph, segments, fed_from_one_side, [0, 6], closed=[5])
    assert (fed_from_one_side.close.tolist(), outage.needed.tolist(), outage.idle.tolist()) == ([1, 3], [1], [3])
    assert (customers[outage.isolated_nodes].sum(), customers[outage.behind_nodes].sum()) == (5, 5)
    assert outage.feeds.tolist() == [5]

    grown = find_valves(segments, links=[2], stuck=[3])
    assert (grown.close.tolist(), grown.passed.tolist()) == ([1, 5], [3])
    already = find_valves(segments, links=[2], closed=[3])
    assert (already.close.tolist(), already.already_closed.tolist()) == ([1], [3])
    assert find_valves(segments, nodes=[3]).close.tolist() == [1, 5]

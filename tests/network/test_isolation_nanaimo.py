"""The mains of Nanaimo become one network by their geometry; isolation of their pipes agrees with a plain search."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from network.graph import Graph
from network.isolation import build_segments, find_outage, find_valves
from network.topology import Links, build_network, build_topology, take_parts
from network.tracing import find_parts


@pytest.fixture(scope="module")
def mains(shared: Callable[[str], Path]) -> tuple[Graph, Links, int]:
    pipes = gpd.read_file(shared("nanaimo-water/pipes.shp"))
    lines, owners = take_parts(shapely.force_2d(pipes.geometry.to_numpy()))
    graph, links = build_network(build_topology(lines), pipes["PIPEID"].to_numpy()[owners])
    return graph, links, lines.size


def test_98_percent_of_the_pipes_hang_together(mains: tuple[Graph, Links, int]) -> None:
    graph, links, pipes = mains
    label, count = find_parts(graph)
    largest = np.bincount(label).argmax()
    connected = np.unique(links.line[label[graph.starts] == largest]).size
    assert connected / pipes >= 0.98
    assert count == 61


class PlainSearch:
    """Isolation by walking from pipe to pipe, with sets and lists only."""

    def __init__(self, graph: Graph, valves: set[int]) -> None:
        self.ends = list(zip(graph.starts.tolist(), graph.ends.tolist(), strict=True))
        self.links: dict[int, list[int]] = defaultdict(list)
        for link, (a, b) in enumerate(self.ends):
            self.links[a].append(link)
            self.links[b].append(link)
        self.valves = valves

    def walk(self, links: list[int], holding: set[int]) -> tuple[set[int], set[int]]:
        """Return the pipes reached from pipes and the holding valves touched."""
        wet, touched, todo = set(links), set(), list(links)
        while todo:
            for node in self.ends[todo.pop()]:
                if node in holding:
                    touched.add(node)
                    continue
                more = [link for link in self.links[node] if link not in wet]
                wet.update(more)
                todo += more
        return wet, touched


def test_isolation_of_100_pipes_agrees_with_a_plain_search(mains: tuple[Graph, Links, int]) -> None:
    graph, _, _ = mains
    chance = np.random.default_rng(7)
    valves = set(chance.choice(graph.node_count, 4000, replace=False).tolist())
    ranked = chance.permutation(sorted(valves)).tolist()
    closed, stuck = set(ranked[:60]), set(ranked[60:400])
    sources = [node for node in chance.choice(graph.node_count, 40, replace=False).tolist() if node not in valves][:12]
    segments = build_segments(graph, np.isin(np.arange(graph.node_count), list(valves)))
    plain = PlainSearch(graph, valves)
    feeds = [link for node in sources for link in plain.links[node]]
    before, _ = plain.walk(feeds, closed)
    for pipe in chance.choice(graph.link_count, 100, replace=False).tolist():
        inside, around = plain.walk([pipe], valves - stuck)
        around = {valve for valve in around if not inside.issuperset(plain.links[valve])}
        found = find_valves(segments, links=[pipe], closed=sorted(closed), stuck=sorted(stuck))
        assert set(found.close.tolist()) == around - closed
        assert set(found.already_closed.tolist()) == around & closed

        outage = find_outage(graph, segments, found, sources, closed=sorted(closed), stuck=sorted(stuck))
        within = {node for node in sources if inside.issuperset(plain.links[node])}
        outer = [link for node in sources if node not in within for link in plain.links[node]]
        after, pressed = plain.walk(outer, closed | around)
        assert set(outage.sources_inside.tolist()) == within
        assert set(np.flatnonzero(outage.isolated_links).tolist()) == before & inside
        assert set(np.flatnonzero(outage.behind_links).tolist()) == before - inside - after
        assert set(outage.needed.tolist()) == (around - closed) & pressed

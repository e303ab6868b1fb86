"""Isolation of breaks in the demo city against an oracle that walks the network node by node."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pytest

from tests.twin.conftest import MemoryCity
from twin.networks.city_graph import CityGraph
from twin.process import Outputs, Quiet
from twin.processes.isolation import PROCESS, IsolationInputs

LAYERS = (
    "water_pipes",
    "water_nodes",
    "water_valves",
    "water_pumps",
    "water_meters",
    "hydrants",
    "places",
    "buildings",
)
BREAKS = 100


class DemoCity(MemoryCity):
    """The demo's layers in memory; its network is built once."""

    built: CityGraph | None = None

    def network(self, commodity: str) -> CityGraph:
        self.built = self.built or super().network(commodity)
        return self.built

    def find_features(
        self, layer_id: str, *, passing: str | None = None, named: Sequence[str] | None = None
    ) -> tuple[Any, Any]:
        ids = self.layers[layer_id]["id"].to_numpy(object)
        chosen = np.isin(ids.astype(str), list(named)) if named is not None else np.ones(ids.size, np.bool_)
        return ids[chosen], np.flatnonzero(chosen)


@pytest.fixture(scope="module")
def city(demo_tables: dict[str, gpd.GeoDataFrame]) -> DemoCity:
    """The demo's water network."""
    return DemoCity({}, {name: demo_tables[name] for name in LAYERS})


def find_shut(graph: CityGraph, valves: gpd.GeoDataFrame) -> set[int]:
    """Return the closed pipes, but those on which a closed valve stands and does the closing, as the valves say."""
    closed = {str(item) for item in graph.node_items[graph.closed]}
    held = set(valves.loc[valves["id"].isin(closed) & valves["id"].str.startswith("WV-B"), "pipe_id"])
    return {link for link in np.flatnonzero(~graph.open_links).tolist() if graph.link_items[link] not in held}


def walk(graph: CityGraph, begin: Sequence[int], stops: Callable[[int], bool], dead: set[int]) -> tuple[set, set]:
    """Return nodes and links with water from ``begin``, not past nodes that stop it, nor links that are dead."""
    numbers = graph.graph
    seen, links, todo = set(begin), set(), deque(begin)
    while todo:
        node = todo.popleft()
        for k in range(numbers.first[node], numbers.first[node + 1]):
            link, other = int(numbers.halves[k]), int(numbers.others[k])
            against = k >= numbers.middle[node]
            if link in dead or (against and numbers.one_way[link]):
                continue
            links.add(link)
            if other not in seen and not stops(other):
                seen.add(other)
                todo.append(other)
    return seen, links


def solve(graph: CityGraph, link: int, stuck: set[int], shut: set[int]) -> tuple[set[int], set[int], set[int]]:
    """Return valves to close, and nodes and links without water, found without segments."""
    numbers = graph.graph
    closed = set(np.flatnonzero(graph.closed).tolist())
    usable = set(np.flatnonzero(graph.valves).tolist()) - stuck | closed & set(np.flatnonzero(graph.valves).tolist())
    region, inside = {link}, set[int]()
    todo = [node for node in (int(numbers.starts[link]), int(numbers.ends[link])) if node not in usable]
    around = {int(numbers.starts[link]), int(numbers.ends[link])} & usable
    inside.update(todo)
    while todo:
        node = todo.pop()
        for k in range(numbers.first[node], numbers.first[node + 1]):
            region.add(int(numbers.halves[k]))
            other = int(numbers.others[k])
            if other in usable:
                around.add(other)
            elif other not in inside:
                inside.add(other)
                todo.append(other)
    at = {v: {int(each) for each in numbers.halves[numbers.first[v] : numbers.first[v + 1]]} for v in around}
    close = {valve for valve in around - closed if not at[valve] <= region}
    swallowed = {valve for valve in around if at[valve] <= region}
    sources = graph.sources.tolist()
    before = walk(graph, [s for s in sources if s not in closed], lambda node: node in closed, shut)
    blocked = closed | close | inside | swallowed
    after = walk(graph, [s for s in sources if s not in blocked], lambda node: node in blocked, region | shut)
    return close, before[0] - after[0] - close, before[1] - after[1]


def test_isolations_of_the_demo_agree_with_a_walk_node_by_node(city: DemoCity) -> None:
    graph = city.network("water")
    chance = np.random.default_rng(7)
    open_pipes = np.flatnonzero((graph.link_layers == graph.layers.index("water_pipes")) & graph.open_links)
    meters = graph.find_equipment("customers")
    known_stuck = set(np.flatnonzero(graph.stuck & graph.valves).tolist())
    shut = find_shut(graph, city.layers["water_valves"])
    found_feeds = 0
    for link in chance.choice(open_pipes, BREAKS, replace=False).tolist():
        item = str(graph.link_items[link])
        extra = chance.choice(np.flatnonzero(graph.valves), 40, replace=False)
        words = [f"water_valves/{graph.node_items[valve]}" for valve in extra.tolist()]
        outputs = isolate(city, starts=[f"water_pipes/{item}"], stuck=words)
        first, last = graph.find_spans("water_pipes")[item]
        longest = first + int(np.argmax(graph.graph.weights[first:last]))
        close, dry_nodes, dry_links = solve(graph, longest, known_stuck | set(extra.tolist()), shut)
        told = outputs.summary
        named = {each["item"] for key in ("close", "close_idle") for each in told["valves"][key]}
        assert named == {f"water_valves/{graph.node_items[valve]}" for valve in close}, item
        length = graph.graph.weights[sorted(dry_links)].sum()
        assert told["without_water"]["length"] == pytest.approx(length, abs=0.051), item
        hangs = [
            link in dry_links if link >= 0 else node in dry_nodes
            for node, link in zip(meters.nodes.tolist(), meters.links.tolist(), strict=True)
        ]
        assert told["without_water"]["customers"] == round(meters.weights[np.array(hangs)].sum()), item
        assert outputs.trace is not None
        assert outputs.trace.members.get("water_meters", np.zeros(0)).size == sum(hangs), item
        found_feeds += bool(told["feeds"])
    assert found_feeds > 0


def isolate(city: DemoCity, **inputs: Any) -> Outputs:
    """Return what the process answers."""
    return PROCESS.compute(city, IsolationInputs(commodity="water", **inputs), Quiet())

"""Small sets of arcs of every shape for tests of cheapest ways: parallel arcs, loops, no cost, closed, out of reach."""

from dataclasses import dataclass

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

PROPERTY = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class SmallArcs:
    """nodes: how many; tails, heads, costs (arcs,); xy: places (nodes, 2)."""

    nodes: int
    tails: np.ndarray
    heads: np.ndarray
    costs: np.ndarray
    xy: np.ndarray


@st.composite
def draw_arcs(draw: st.DrawFn) -> SmallArcs:
    """Draw up to 14 nodes and 40 arcs; costs are whole tenths, so that sums agree but for the last bits."""
    nodes = draw(st.integers(1, 14))
    ends = draw(st.lists(st.tuples(st.integers(0, nodes - 1), st.integers(0, nodes - 1)), max_size=40))
    cost = st.one_of(st.just(0.0), st.just(np.inf), st.integers(1, 60).map(lambda tenths: tenths / 10.0))
    costs = draw(st.lists(cost, min_size=len(ends), max_size=len(ends)))
    places = draw(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=nodes, max_size=nodes))
    tails, heads = np.array(ends, np.int32).reshape(-1, 2).T
    return SmallArcs(nodes, tails, heads, np.array(costs, np.float64), np.array(places, np.float64).reshape(-1, 2))


def search_plainly(arcs: SmallArcs, sources: dict[int, float], costs: np.ndarray | None = None) -> np.ndarray:
    """Return the cost of each node by relaxing every arc until nothing changes (Bellman 1958)."""
    values = arcs.costs if costs is None else costs
    found = np.full(arcs.nodes, np.inf)
    for node, cost in sources.items():
        found[node] = min(found[node], cost)
    for _ in range(arcs.nodes):
        np.minimum.at(found, arcs.heads, found[arcs.tails] + values)
    return found

"""Compiled part of criticality: what trips down a tree of cheapest ways load onto its arcs."""

from typing import Any

from numpy.typing import NDArray

from network.compiling import compile_loop

Array = NDArray[Any]


@compile_loop
def load_tree(order: Array, by: Array, tails: Array, arriving: Array, loads: Array) -> None:
    """Add to ``loads`` (arcs,) what arrives at each node (nodes,) and all it passes on the way from the root.

    order: nodes of the tree, nearest first; by: the arc by which each is reached. ``arriving`` is used up. This is the
    accumulation of Brandes 2001, doi:10.1080/0022250X.2001.9990249, where each node has one way only.
    """
    for place in range(order.size - 1, -1, -1):
        node = order[place]
        arc = by[node]
        if arc >= 0 and arriving[node] != 0.0:
            loads[arc] += arriving[node]
            arriving[tails[arc]] += arriving[node]
        arriving[node] = 0.0

"""Nodes and arcs that obey banned turns: a junction is as many nodes as there are things to remember there."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int32]
Rest = tuple[int, ...]
_State = tuple[int, frozenset[Rest]]


def split_nodes(
    starts: NDArray[np.int64], ends: NDArray[np.int64], junctions: int, banned: Sequence[Rest]
) -> tuple[Index, Index, Index, Index, Index]:
    """Return first, tails, heads and links of arcs, and the junction of each node.

    starts, ends: junctions of each link (links,), sorted by the first. banned: links one after the other that nobody
    may go along from the first to the last. A node is a junction together with what is left of each banned way that
    was begun; there is one for each that can occur. Nodes with nothing left come first, and their arcs are the links.
    """
    leave = _first(starts, junctions)
    heads = ends.copy()
    tails, links, junction_of = [starts], [np.arange(starts.size)], [np.arange(junctions)]
    begun: dict[int, list[Rest]] = {}
    for way in banned:
        begun.setdefault(way[0], []).append(tuple(way[1:]))
    states: dict[_State, int] = {}
    waiting: list[_State] = []

    def arrive(link: int, left: frozenset[Rest]) -> int:
        rests = {rest[1:] for rest in left if rest[0] == link and len(rest) > 1} | set(begun.get(link, ()))
        junction = int(ends[link])
        if not rests:
            return junction
        state = junction, frozenset(rests)
        if state not in states:
            states[state] = junctions + len(states)
            waiting.append(state)
        return states[state]

    for link in sorted(begun):
        heads[link] = arrive(link, frozenset())
    more: list[tuple[int, int, int]] = []
    at = 0
    while at < len(waiting):
        state = waiting[at]
        at += 1
        junction, left = state
        for link in range(int(leave[junction]), int(leave[junction + 1])):
            if (link,) not in left:
                more.append((states[state], arrive(link, left), link))
    if states:
        junction_of.append(np.array([junction for junction, _ in states], np.int64))
        rows = np.array(more, np.int64).reshape(-1, 3)
        tails.append(rows[:, 0])
        heads = np.append(heads, rows[:, 1])
        links.append(rows[:, 2])
    node_junctions, tail = np.concatenate(junction_of), np.concatenate(tails)
    return (
        _first(tail, node_junctions.size).astype(np.int32),
        tail.astype(np.int32),
        heads.astype(np.int32),
        np.concatenate(links).astype(np.int32),
        node_junctions.astype(np.int32),
    )


def group(keys: Index, count: int) -> tuple[Index, Index]:
    """Return first (count + 1,) and order (n,): what has key i is order[first[i]:first[i + 1]]."""
    order = np.argsort(keys, kind="stable").astype(np.int32)
    return _first(keys.astype(np.int64), count).astype(np.int32), order


def _first(keys: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    return np.append(0, np.cumsum(np.bincount(keys, minlength=count)))

"""The loops of map matching: distances along the network between candidates, and the likeliest sequence of them."""

from heapq import heappop, heappush
from typing import Any

import numpy as np
from numpy.typing import NDArray

from network.compiling import compile_loop

Array = NDArray[Any]


@compile_loop
def _measure(
    first: Array, heads: Array, lengths: Array, start: int, limit: float,
    distance: Array, by: Array, seen: Array, mark: int,
) -> None:  # fmt: skip
    """Fill the distance along open arcs from ``start`` of the nodes within ``limit``, where ``seen`` is ``mark``."""
    heap = [(0.0, np.int64(start))]
    distance[start], by[start], seen[start] = 0.0, -1, mark
    while heap:
        near, node = heappop(heap)
        if near > distance[node]:
            continue
        for arc in range(first[node], first[node + 1]):
            far, head = near + lengths[arc], heads[arc]
            if far <= limit and (seen[head] != mark or far < distance[head]):
                distance[head], by[head], seen[head] = far, arc, mark
                heappush(heap, (far, np.int64(head)))


@compile_loop
def _reach(
    link: int, along: float, length: float, other: int, other_along: float, slack: float,
    link_first: Array, link_arcs: Array, tails: Array, distance: Array, seen: Array, mark: int,
) -> float:  # fmt: skip
    """Return the way [m] from a place on a link to one on another; inf where it is out of reach."""
    if link == other and other_along >= along - slack:
        return abs(other_along - along)
    best = np.inf
    for place in range(link_first[other], link_first[other + 1]):
        tail = tails[link_arcs[place]]
        if seen[tail] == mark and distance[tail] < best:
            best = distance[tail]
    return length - along + best + other_along


@compile_loop
def find_sequence(
    first: Array, tails: Array, heads: Array, lengths: Array, link_first: Array, link_arcs: Array,
    link_heads: Array, link_lengths: Array, begin: Array, links: Array, alongs: Array, emission: Array,
    moves: Array, gaps: Array, beta: float, slack: float, top_speed: float,
) -> tuple[Array, Array]:  # fmt: skip
    """Return the candidate of each point (points,) and whether the way breaks off before it (points,).

    Candidates of point i are begin[i] to begin[i + 1], each a link, metres along it and the log of how likely the point
    is there. moves: straight way to each point from the one before [m]; gaps: time between them [s], 0 where unknown.
    """
    points, nodes = begin.size - 1, first.size - 1
    distance, by, seen = np.zeros(nodes), np.full(nodes, -1, np.int32), np.zeros(nodes, np.int64)
    score, back = np.full(links.size, -np.inf), np.full(links.size, -1, np.int64)
    broken = np.zeros(points, np.bool_)
    mark = 0
    for at in range(begin[0], begin[1]):
        score[at] = emission[at]
    for point in range(1, points):
        limit = 4.0 * moves[point] + 500.0
        if gaps[point] > 0.0:
            limit = min(limit, top_speed * gaps[point] + 2.0 * slack)
        for at in range(begin[point - 1], begin[point]):
            if score[at] == -np.inf:
                continue
            mark += 1
            rest = link_lengths[links[at]] - alongs[at]
            if rest <= limit:
                _measure(first, heads, lengths, link_heads[links[at]], limit - rest, distance, by, seen, mark)
            for to in range(begin[point], begin[point + 1]):
                way = _reach(
                    links[at], alongs[at], link_lengths[links[at]], links[to], alongs[to], slack,
                    link_first, link_arcs, tails, distance, seen, mark,
                )  # fmt: skip
                if way > limit:
                    continue
                total = score[at] - abs(way - moves[point]) / beta + emission[to]
                if total > score[to]:
                    score[to], back[to] = total, at
        reached = False
        for to in range(begin[point], begin[point + 1]):
            reached = reached or score[to] > -np.inf
        if not reached:
            broken[point] = True
            for to in range(begin[point], begin[point + 1]):
                score[to] = emission[to]
    chosen = np.full(points, -1, np.int64)
    to = -1
    for point in range(points - 1, -1, -1):
        if to < 0:
            best = -np.inf
            for at in range(begin[point], begin[point + 1]):
                if score[at] > best:
                    best, to = score[at], at
        chosen[point] = to
        to = back[to] if to >= 0 and not broken[point] else -1
    return chosen, broken


@compile_loop
def find_way(
    first: Array, tails: Array, heads: Array, lengths: Array, link_first: Array, link_arcs: Array,
    source: int, other: int, limit: float,
) -> Array:  # fmt: skip
    """Return the arcs of the shortest way from a node to the beginning of a link."""
    nodes = first.size - 1
    distance, by, seen = np.zeros(nodes), np.full(nodes, -1, np.int32), np.zeros(nodes, np.int64)
    _measure(first, heads, lengths, source, limit, distance, by, seen, 1)
    node = -1
    for place in range(link_first[other], link_first[other + 1]):
        tail = tails[link_arcs[place]]
        if seen[tail] == 1 and (node < 0 or distance[tail] < distance[node]):
            node = tail
    count, walk = 0, node
    while walk >= 0 and by[walk] >= 0:
        count += 1
        walk = tails[by[walk]]
    found = np.empty(count, np.int32)
    while node >= 0 and by[node] >= 0:
        count -= 1
        found[count] = by[node]
        node = tails[by[node]]
    return found

"""Compiled parts of customisable contraction hierarchies: shortcuts, their weights, queries.

Nodes are named by their rank, the place in the order of contraction. Edge ``e`` of the hierarchy lies between
``lows[e]`` and the higher ``heads[e]``; those of node ``x`` are ``first[x]`` to ``first[x + 1]``, by head. ``weights``
(edges, 2) are the cost up and the cost down, inf where there is no way; ``origins`` (edges, 2) say where a cost comes
from: the arc itself, or -2 - the edge from the third node of a triangle to the lower one, -1 where there is no way.
``low_first``, ``low_edges``: the edges whose head is a node.
Dibbelt, Strasser and Wagner 2016, doi:10.1145/2886843; one to all as Delling et al. 2011, doi:10.1109/IPDPS.2011.89;
many to many with buckets as Knopp et al. 2007, doi:10.1137/1.9781611972870.4.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from network.compiling import compile_loop

Array = NDArray[Any]


@compile_loop
def contract(first: Array, others: Array, order: Array, rank: Array) -> tuple[Array, Array, Array]:
    """Return ``first`` and ``heads`` of the hierarchy and the parent of each node in its elimination tree, -1 for none.

    first, others: the undirected view of the arcs. A node hands the neighbours above it to the lowest of them: those
    two rules give every shortcut that any costs may need.
    """
    nodes = order.size
    up_first, heads = np.zeros(nodes + 1, np.int64), np.empty(2 * others.size + 16, np.int32)
    parent, child, sibling = np.full(nodes, -1, np.int32), np.full(nodes, -1, np.int32), np.full(nodes, -1, np.int32)
    seen, size = np.full(nodes, -1, np.int32), 0
    for x in range(nodes):
        begin = size
        if heads.size - size < nodes - x:
            heads = np.append(heads, np.empty(heads.size + nodes, np.int32))
        node = order[x]
        for half in range(first[node], first[node + 1]):
            y = rank[others[half]]
            if y > x:
                heads[size], seen[y] = y, x
                size += 1
        below = child[x]
        while below >= 0:
            for edge in range(up_first[below], up_first[below + 1]):
                y = heads[edge]
                if y != x and seen[y] != x:
                    heads[size], seen[y] = y, x
                    size += 1
            below = sibling[below]
        up_first[x + 1] = size
        if size > begin:
            heads[begin:size] = np.sort(heads[begin:size])
            above = heads[begin]
            parent[x], sibling[x], child[above] = above, child[above], x
    # Without a sign, compiled code need not ask whether an index counts from the end.
    return up_first, heads[:size].astype(np.uint32), parent


@compile_loop
def list_lower(first: Array, heads: Array) -> tuple[Array, Array, Array]:
    """Return ``lows`` (edges,), ``low_first`` (nodes + 1,) and ``low_edges`` (edges,), by the lower node."""
    nodes = first.size - 1
    lows, low_first = np.empty(heads.size, np.int32), np.zeros(nodes + 1, np.int64)
    for x in range(nodes):
        for edge in range(first[x], first[x + 1]):
            lows[edge] = x
            low_first[heads[edge] + 1] += 1
    for x in range(nodes):
        low_first[x + 1] += low_first[x]
    place, low_edges = low_first[:-1].copy(), np.empty(heads.size, np.int32)
    for edge in range(heads.size):
        low_edges[place[heads[edge]]] = edge
        place[heads[edge]] += 1
    return lows, low_first, low_edges


@compile_loop
def find_edge(first: Array, heads: Array, x: int, y: int) -> int:
    """Return the edge from ``x`` to the higher ``y``, -1 where there is none."""
    low, high = first[x], first[x + 1]
    while low < high:
        middle = (low + high) >> 1
        if heads[middle] < y:
            low = middle + 1
        else:
            high = middle
    return low if low < first[x + 1] and heads[low] == y else -1


@compile_loop
def place_arcs(first: Array, heads: Array, tails: Array, ends: Array) -> Array:
    """Return where the cost of each arc goes: 2 × edge, + 1 where the arc leads down, -1 for a loop (arcs,)."""
    slots = np.full(tails.size, -1, np.int64)
    for arc in range(tails.size):
        tail, end = tails[arc], ends[arc]
        if tail < end:
            slots[arc] = 2 * find_edge(first, heads, tail, end)
        elif end < tail:
            slots[arc] = 2 * find_edge(first, heads, end, tail) + 1
    return slots


@compile_loop
def customise(
    first: Array,
    heads: Array,
    lows: Array,
    low_first: Array,
    low_edges: Array,
    slots: Array,
    costs: Array,
    weights: Array,
    origins: Array,
) -> None:
    """Write the cheapest cost of each edge into ``weights`` and where it comes from into ``origins``.

    An edge costs what its cheapest arc costs, or the two other edges of a triangle whose third node lies below.
    """
    weights[:] = np.inf
    origins[:] = -1
    for arc in range(slots.size):
        slot = slots[arc]
        if slot >= 0 and costs[arc] < weights[slot >> 1, slot & 1]:
            weights[slot >> 1, slot & 1], origins[slot >> 1, slot & 1] = costs[arc], arc
    nodes = first.size - 1
    place = np.empty(nodes, np.uint32)
    for x in range(nodes):
        for edge in range(first[x], first[x + 1]):
            place[heads[edge]] = edge
        for index in range(low_first[x], low_first[x + 1]):
            leg = low_edges[index]
            up, down = weights[leg, 0], weights[leg, 1]
            if up == np.inf and down == np.inf:
                continue
            begin, end = leg + 1, first[lows[leg] + 1]
            above_it, costs = heads[begin:end], weights[begin:end]
            for index_above in range(above_it.size):
                edge = place[above_it[index_above]]
                ahead, back = down + costs[index_above, 0], up + costs[index_above, 1]
                if ahead < weights[edge, 0]:
                    weights[edge, 0], origins[edge, 0] = ahead, -2 - leg
                if back < weights[edge, 1]:
                    weights[edge, 1], origins[edge, 1] = back, -2 - leg


@compile_loop
def change(
    first: Array,
    heads: Array,
    lows: Array,
    low_first: Array,
    low_edges: Array,
    slot_first: Array,
    slot_arcs: Array,
    costs: Array,
    changed: Array,
    weights: Array,
    origins: Array,
) -> int:
    """Bring ``weights`` and ``origins`` up to date where edges have new costs, and return how many edges moved.

    changed: those edges. slot_first (2 edges + 1,), slot_arcs: the arcs of each edge and direction. From low to high an
    edge is computed anew; where it moved, those follow whose way it was or now is.
    """
    heap, size, moved, last = np.empty(max(64, 2 * changed.size), np.int64), 0, 0, -1
    for edge in changed:
        size = _sift_up(heap, size, edge)
    while size:
        edge = heap[0]
        size = _sift_down(heap, size)
        # Whoever queues an edge lies below it, so the same edge comes out of the heap several times in a row.
        if edge == last:
            continue
        last = edge
        x, y = lows[edge], heads[edge]
        before_up, before_down = weights[edge, 0], weights[edge, 1]
        for way in range(2):
            weights[edge, way], origins[edge, way] = np.inf, -1
            for index in range(slot_first[2 * edge + way], slot_first[2 * edge + way + 1]):
                arc = slot_arcs[index]
                if costs[arc] < weights[edge, way]:
                    weights[edge, way], origins[edge, way] = costs[arc], arc
        for index in range(low_first[x], low_first[x + 1]):
            leg = low_edges[index]
            up, down = weights[leg, 0], weights[leg, 1]
            if up == np.inf and down == np.inf:
                continue
            far = find_edge(first, heads, lows[leg], y)
            if far < 0:
                continue
            ahead, back = down + weights[far, 0], up + weights[far, 1]
            if ahead < weights[edge, 0]:
                weights[edge, 0], origins[edge, 0] = ahead, -2 - leg
            if back < weights[edge, 1]:
                weights[edge, 1], origins[edge, 1] = back, -2 - leg
        up, down = weights[edge, 0], weights[edge, 1]
        if up == before_up and down == before_down:
            continue
        moved += 1
        for other in range(first[x], first[x + 1]):
            z = heads[other]
            if z == y:
                continue
            third = find_edge(first, heads, min(y, z), max(y, z))
            # From y down to x and up to z, and back.
            there, back = (0, 1) if y < z else (1, 0)
            ahead, behind = weights[other, 0], weights[other, 1]
            was_ahead, was_back = before_down + ahead, behind + before_up
            if (
                (was_ahead < np.inf and was_ahead <= weights[third, there])
                or (was_back < np.inf and was_back <= weights[third, back])
                or down + ahead < weights[third, there]
                or behind + up < weights[third, back]
            ):
                if size == heap.size:
                    heap = np.append(heap, np.empty(size, np.int64))
                size = _sift_up(heap, size, third)
    return moved


@compile_loop
def _sift_up(heap: Array, size: int, item: int) -> int:
    hole = size
    while hole and heap[(hole - 1) >> 1] > item:
        heap[hole] = heap[(hole - 1) >> 1]
        hole = (hole - 1) >> 1
    heap[hole] = item
    return size + 1


@compile_loop
def _sift_down(heap: Array, size: int) -> int:
    size -= 1
    item, hole = heap[size], 0
    while 2 * hole + 1 < size:
        child = 2 * hole + 1
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= item:
            break
        heap[hole] = heap[child]
        hole = child
    heap[hole] = item
    return size

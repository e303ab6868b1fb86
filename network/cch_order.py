"""The order in which a hierarchy contracts nodes: nested dissection by inertial flow.

A part of the network is swept in four directions; the first and the last quarter of its nodes are source and sink of a
flow of one unit an edge; the smallest cut of the four parts it, the nodes of one side of the cut are the separator and
come last, and so on within both sides. Schild and Sommer 2015, doi:10.1007/978-3-319-20086-6_22; blocking flows of
Dinic 1970.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from network.compiling import compile_loop

Array = NDArray[Any]

_DIRECTIONS = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, -1.0]])
_END_SHARE = 0.25


@compile_loop
def join_neighbours(tails: Array, heads: Array, nodes: int) -> tuple[Array, Array, Array]:
    """Return the undirected, simple view of arcs: ``first`` (nodes + 1,), ``others`` and ``turned`` (halves,).

    others: the node at the far end of each half. turned: the place of the same edge seen from there.
    """
    first = np.zeros(nodes + 1, np.int64)
    for arc in range(tails.size):
        if tails[arc] != heads[arc]:
            first[tails[arc] + 1] += 1
            first[heads[arc] + 1] += 1
    for node in range(nodes):
        first[node + 1] += first[node]
    place, others = first[:-1].copy(), np.empty(first[nodes], np.int32)
    for arc in range(tails.size):
        tail, head = tails[arc], heads[arc]
        if tail != head:
            others[place[tail]], others[place[head]] = head, tail
            place[tail] += 1
            place[head] += 1
    seen, count, slim = np.full(nodes, -1, np.int32), 0, np.zeros(nodes + 1, np.int32)
    for node in range(nodes):
        for half in range(first[node], first[node + 1]):
            if seen[others[half]] != node:
                seen[others[half]] = node
                others[count] = others[half]
                count += 1
        slim[node + 1] = count
    others, turned, here = others[:count].copy(), np.empty(count, np.int32), slim[:-1].copy()
    # Halves are met by their node from low to high, so each node meets its own lower neighbours in that order.
    for node in range(nodes):
        others[slim[node] : slim[node + 1]] = np.sort(others[slim[node] : slim[node + 1]])
    for node in range(nodes):
        for half in range(slim[node], slim[node + 1]):
            other = others[half]
            turned[here[other]] = half
            here[other] += 1
    return slim, others, turned


@compile_loop
def dissect(first: Array, others: Array, turned: Array, xy: Array) -> Array:
    """Return all nodes (nodes,) in the order of contraction, least important first.

    first, others, turned: as ``join_neighbours`` gives them. xy: places of the nodes (nodes, 2).
    """
    nodes = first.size - 1
    order, spare = np.arange(nodes).astype(np.int32), np.empty(nodes, np.int32)
    part, side = np.zeros(nodes, np.int32), np.zeros(nodes, np.bool_)
    flow, level, role = np.zeros(others.size, np.int8), np.empty(nodes, np.int32), np.zeros(nodes, np.int8)
    queue, place = np.empty(nodes, np.int32), np.empty(nodes, np.int64)
    waiting, height, parts = np.empty((nodes + 2, 2), np.int64), 1, 0
    waiting[0, 0], waiting[0, 1] = 0, nodes
    while height:
        height -= 1
        low, high = waiting[height]
        if high - low < 3:
            continue
        parts += 1
        members = order[low:high]
        end = _gather_piece(first, others, members, part, parts, spare)
        if end < members.size:
            # The piece is ordered apart from the rest, which may be more pieces.
            members[:] = spare[: members.size]
            waiting[height, 0], waiting[height, 1] = low, low + end
            waiting[height + 1, 0], waiting[height + 1, 1] = low + end, high
            height += 2
            continue
        _cut(first, others, turned, xy, members, part, parts, flow, level, role, queue, place, side)
        left, right = _split(first, others, members, part, parts, side, spare)
        for begin, size in ((low, left), (low + left, right)):
            waiting[height, 0], waiting[height, 1] = begin, begin + size
            height += 1
    return order


@compile_loop
def _gather_piece(first: Array, others: Array, members: Array, part: Array, number: int, spare: Array) -> int:
    """Mark members with ``number``; put one connected piece of them first into ``spare``, and return its size."""
    for node in members:
        part[node] = -number
    part[members[0]], spare[0] = number, members[0]
    size, head = 1, 0
    while head < size:
        node = spare[head]
        head += 1
        for half in range(first[node], first[node + 1]):
            other = others[half]
            if part[other] == -number:
                part[other], spare[size] = number, other
                size += 1
    rest = size
    for node in members:
        if part[node] == -number:
            spare[rest] = node
            rest += 1
    return size


@compile_loop
def _cut(
    first: Array,
    others: Array,
    turned: Array,
    xy: Array,
    members: Array,
    part: Array,
    number: int,
    flow: Array,
    level: Array,
    role: Array,
    queue: Array,
    place: Array,
    side: Array,
) -> None:
    """Set ``side`` of the members so that the fewest edges lead from the true to the false ones."""
    ends = max(1, int(members.size * _END_SHARE))
    least = members.size * 8
    for direction in range(_DIRECTIONS.shape[0]):
        along = np.empty(members.size)
        for index in range(members.size):
            node = members[index]
            along[index] = xy[node, 0] * _DIRECTIONS[direction, 0] + xy[node, 1] * _DIRECTIONS[direction, 1]
        swept = np.argsort(along)
        for index in range(members.size):
            node = members[swept[index]]
            role[node] = 1 if index < ends else 2 if index >= members.size - ends else 0
            for half in range(first[node], first[node + 1]):
                flow[half] = 0
        total = 0
        while total < least:
            if not _rank_levels(first, others, members, part, number, flow, level, role, queue):
                break
            total += _push_flow(
                first, others, turned, members, part, number, flow, level, role, queue, place, least - total
            )
        if total < least:
            least = total
            for node in members:
                side[node] = level[node] >= 0


@compile_loop
def _rank_levels(
    first: Array,
    others: Array,
    members: Array,
    part: Array,
    number: int,
    flow: Array,
    level: Array,
    role: Array,
    queue: Array,
) -> bool:
    """Set how many edges with room each member lies from the source, -1 out of reach, and return if the sink is."""
    size, head, reached = 0, 0, False
    for node in members:
        level[node] = -1
        if role[node] == 1:
            level[node], queue[size] = 0, node
            size += 1
    while head < size:
        node = queue[head]
        head += 1
        if role[node] == 2:
            reached = True
            continue
        for half in range(first[node], first[node + 1]):
            other = others[half]
            if part[other] == number and level[other] < 0 and flow[half] < 1:
                level[other], queue[size] = level[node] + 1, other
                size += 1
    return reached


@compile_loop
def _push_flow(
    first: Array,
    others: Array,
    turned: Array,
    members: Array,
    part: Array,
    number: int,
    flow: Array,
    level: Array,
    role: Array,
    path: Array,
    place: Array,
    most: int,
) -> int:
    """Push units along levels until no way has room, or ``most`` are pushed, and return how many were."""
    total = 0
    for node in members:
        place[node] = first[node]
    for source in members:
        if role[source] != 1:
            continue
        node, length = source, 0
        while total < most:
            if role[node] == 2:
                for index in range(length):
                    flow[path[index]] += 1
                    flow[turned[path[index]]] -= 1
                total += 1
                node, length = source, 0
                continue
            found = False
            while place[node] < first[node + 1]:
                half = place[node]
                other = others[half]
                if part[other] == number and flow[half] < 1 and level[other] == level[node] + 1:
                    path[length], node, found = half, other, True
                    length += 1
                    break
                place[node] += 1
            if not found:
                if not length:
                    break
                length -= 1
                node = others[turned[path[length]]]
                place[node] += 1
    return total


@compile_loop
def _split(
    first: Array, others: Array, members: Array, part: Array, number: int, side: Array, spare: Array
) -> tuple[int, int]:
    """Order members as true side, false side, separator, and return the sizes of the sides."""
    counts = np.zeros(2, np.int64)
    edge = np.zeros(members.size, np.bool_)
    for index in range(members.size):
        node = members[index]
        for half in range(first[node], first[node + 1]):
            if part[others[half]] == number and side[others[half]] != side[node]:
                edge[index] = True
        if edge[index]:
            counts[1 if side[node] else 0] += 1
    cutting = counts[1] <= counts[0]
    size, left = 0, 0
    for kind in range(3):
        for index in range(members.size):
            node = members[index]
            separates = edge[index] and side[node] == cutting
            if (kind == 2 and separates) or (kind < 2 and not separates and side[node] == (kind == 0)):
                spare[size] = node
                size += 1
        if kind == 0:
            left = size
        elif kind == 1:
            right = size - left
    members[:] = spare[:size]
    return left, right


@compile_loop
def place_by_walks(first: Array, others: Array) -> Array:
    """Return places (nodes, 2) for nodes that have none: edges from two nodes that lie far apart."""
    nodes = first.size - 1
    xy, queue, seen = np.zeros((nodes, 2)), np.empty(nodes, np.int32), np.full(nodes, -1, np.int32)
    root = 0
    for walk in range(3):
        begin, size = 0, 0
        for start in range(-1, nodes):
            node = root if start < 0 else start
            if nodes == 0 or seen[node] == walk:
                continue
            seen[node], queue[size], xy[node, walk % 2] = walk, node, 0.0
            size += 1
            while begin < size:
                node = queue[begin]
                begin += 1
                for half in range(first[node], first[node + 1]):
                    other = others[half]
                    if seen[other] != walk:
                        seen[other], queue[size] = walk, other
                        xy[other, walk % 2] = xy[node, walk % 2] + 1.0
                        size += 1
            if start < 0:
                root = queue[size - 1]
    return xy

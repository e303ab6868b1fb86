"""Compiled shortest-path searches on arrays of arcs: bounded trees, one path from both ends, rows of a matrix.

Arcs that leave node ``i`` are ``first[i]`` to ``first[i + 1]``, with ``heads`` and ``costs`` (inf: closed). Dijkstra
1959, doi:10.1007/BF01386390, with a heap of four children a node and without decreasing keys; from both ends with the
stopping rule of Pohl 1971. Workspaces come from the caller: ``distance`` is inf and ``by`` is -1 everywhere before and
after each search of a path or a row.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from network.compiling import compile_loop

Array = NDArray[Any]


@compile_loop
def _push(keys: Array, items: Array, size: int, key: float, item: int) -> int:
    hole = size
    while hole:
        above = (hole - 1) >> 2
        if keys[above] <= key:
            break
        keys[hole], items[hole] = keys[above], items[above]
        hole = above
    keys[hole], items[hole] = key, item
    return size + 1


@compile_loop
def _drop_first(keys: Array, items: Array, size: int) -> int:
    size -= 1
    key, item, hole = keys[size], items[size], 0
    while True:
        child = 4 * hole + 1
        if child >= size:
            break
        best, least = child, keys[child]
        for other in range(child + 1, min(child + 4, size)):
            if keys[other] < least:
                best, least = other, keys[other]
        if least >= key:
            break
        keys[hole], items[hole] = least, items[best]
        hole = best
    keys[hole], items[hole] = key, item
    return size


@compile_loop
def _seed(nodes: Array, costs: Array, limit: float, distance: Array, by: Array, keys: Array, items: Array) -> int:
    """Put the sources on the heap, each node once and at its least cost, and return the size of the heap."""
    size = 0
    for place in range(nodes.size):
        node, cost = nodes[place], costs[place]
        if cost <= limit and cost < distance[node]:
            distance[node], by[node] = cost, -1
            size = _push(keys, items, size, cost, node)
    return size


@compile_loop
def grow(
    first: Array,
    heads: Array,
    costs: Array,
    sources: Array,
    source_costs: Array,
    limit: float,
    wanted: Array,
    wanted_count: int,
    distance: Array,
    by: Array,
    order: Array,
    keys: Array,
    items: Array,
) -> int:
    """Settle nodes from the sources, nearest first, and return how many; ``order`` (nodes,) holds them.

    It ends beyond ``limit``, or once ``wanted_count`` nodes marked in ``wanted`` are settled (-1: no such end). by: the
    place of the arc by which a node is reached. Nodes that were seen and not settled are inf and -1 again.
    """
    size, count, missing = _seed(sources, source_costs, limit, distance, by, keys, items), 0, wanted_count
    while size:
        near, node = keys[0], items[0]
        size = _drop_first(keys, items, size)
        if near > distance[node]:
            continue
        order[count] = node
        count += 1
        if missing > 0 and wanted[node]:
            missing -= 1
            if missing == 0:
                break
        begin, end = first[node], first[node + 1]
        next_nodes, next_costs = heads[begin:end], costs[begin:end]
        for place in range(next_nodes.size):
            far, head = near + next_costs[place], next_nodes[place]
            if far < distance[head] and far <= limit:
                distance[head], by[head] = far, begin + place
                size = _push(keys, items, size, far, head)
    for place in range(size):
        if keys[place] == distance[items[place]]:
            distance[items[place]], by[items[place]] = np.inf, -1
    return count


@compile_loop
def meet(
    first: Array,
    heads: Array,
    costs: Array,
    back_first: Array,
    back_tails: Array,
    back_costs: Array,
    sources: Array,
    source_costs: Array,
    targets: Array,
    target_costs: Array,
    distance: Array,
    by: Array,
    keys: Array,
    items: Array,
    back_distance: Array,
    back_by: Array,
    back_keys: Array,
    back_items: Array,
    touched: Array,
) -> tuple[float, int, int]:
    """Return the least cost from the sources to the targets, the node where both searches met (-1: none), and how many
    nodes were ``touched`` (4 nodes,); ``by`` and ``back_by`` hold the ways to it until ``clear`` is called.
    """
    size = _seed(sources, source_costs, np.inf, distance, by, keys, items)
    back_size = _seed(targets, target_costs, np.inf, back_distance, back_by, back_keys, back_items)
    best, middle, count = np.inf, -1, 0
    for place in range(size):
        touched[count] = items[place]
        count += 1
    for place in range(back_size):
        node = back_items[place]
        touched[count] = node
        count += 1
        if distance[node] + back_distance[node] < best:
            best, middle = distance[node] + back_distance[node], node
    while size and back_size and keys[0] + back_keys[0] < best:
        if keys[0] <= back_keys[0]:
            near, node = keys[0], items[0]
            size = _drop_first(keys, items, size)
            if near > distance[node]:
                continue
            for arc in range(first[node], first[node + 1]):
                far, other = near + costs[arc], heads[arc]
                if far < distance[other]:
                    if distance[other] == np.inf:
                        touched[count] = other
                        count += 1
                    distance[other], by[other] = far, arc
                    size = _push(keys, items, size, far, other)
                    if far + back_distance[other] < best:
                        best, middle = far + back_distance[other], other
        else:
            near, node = back_keys[0], back_items[0]
            back_size = _drop_first(back_keys, back_items, back_size)
            if near > back_distance[node]:
                continue
            for arc in range(back_first[node], back_first[node + 1]):
                far, other = near + back_costs[arc], back_tails[arc]
                if far < back_distance[other]:
                    if back_distance[other] == np.inf:
                        touched[count] = other
                        count += 1
                    back_distance[other], back_by[other] = far, arc
                    back_size = _push(back_keys, back_items, back_size, far, other)
                    if far + distance[other] < best:
                        best, middle = far + distance[other], other
    return best, middle, count


@compile_loop
def trace_path(
    middle: int, tails: Array, by: Array, back_heads: Array, back_by: Array
) -> tuple[Array, int, Array, int]:
    """Return the arcs of both halves of a path through ``middle`` and the nodes where they begin and end.

    The first half lies in the arcs of ``tails``, in order; the second in those of ``back_heads``, in order.
    """
    size, node = 0, middle
    while by[node] >= 0:
        size, node = size + 1, tails[by[node]]
    start, half = node, np.empty(size, np.int32)
    node = middle
    for place in range(size - 1, -1, -1):
        half[place] = by[node]
        node = tails[by[node]]
    size, node = 0, middle
    while back_by[node] >= 0:
        size, node = size + 1, back_heads[back_by[node]]
    end, rest = node, np.empty(size, np.int32)
    node = middle
    for place in range(size):
        rest[place] = back_by[node]
        node = back_heads[back_by[node]]
    return half, start, rest, end


@compile_loop
def clear(touched: Array, count: int, distance: Array, by: Array) -> None:
    """Make a workspace ready for the next search."""
    for place in range(count):
        distance[touched[place]], by[touched[place]] = np.inf, -1


@compile_loop
def fill_rows(
    first: Array,
    heads: Array,
    costs: Array,
    source_first: Array,
    source_nodes: Array,
    source_costs: Array,
    target_first: Array,
    target_nodes: Array,
    target_costs: Array,
    wanted: Array,
    wanted_count: int,
    distance: Array,
    by: Array,
    order: Array,
    keys: Array,
    items: Array,
    matrix: Array,
) -> None:
    """Write the least cost from each group of sources to each group of targets into ``matrix`` (groups, groups)."""
    for row in range(matrix.shape[0]):
        one, two = source_first[row], source_first[row + 1]
        count = grow(
            first,
            heads,
            costs,
            source_nodes[one:two],
            source_costs[one:two],
            np.inf,
            wanted,
            wanted_count,
            distance,
            by,
            order,
            keys,
            items,
        )
        for column in range(matrix.shape[1]):
            least = np.inf
            for place in range(target_first[column], target_first[column + 1]):
                least = min(least, distance[target_nodes[place]] + target_costs[place])
            matrix[row, column] = least
        clear(order, count, distance, by)


@compile_loop
def sort_arcs(tails: Array, nodes: int) -> tuple[Array, Array]:
    """Return the arcs ordered by their tail (arcs,), stable, and where those of each node begin (nodes + 1,)."""
    first = np.zeros(nodes + 1, np.int32)
    for tail in tails:
        first[tail + 1] += 1
    for node in range(nodes):
        first[node + 1] += first[node]
    place, order = first[:-1].copy(), np.empty(tails.size, np.int32)
    for arc in range(tails.size):
        order[place[tails[arc]]] = arc
        place[tails[arc]] += 1
    return order, first


@compile_loop
def order_breadth_first(first: Array, heads: Array) -> Array:
    """Return all nodes (nodes,) in the order of walks along the arcs, so that neighbours lie near in memory."""
    nodes = first.size - 1
    seen, order, count = np.zeros(nodes, np.bool_), np.empty(nodes, np.int32), 0
    for root in range(nodes):
        if seen[root]:
            continue
        seen[root], order[count] = True, root
        place = count
        count += 1
        while place < count:
            for arc in range(first[order[place]], first[order[place] + 1]):
                head = heads[arc]
                if not seen[head]:
                    seen[head], order[count] = True, head
                    count += 1
            place += 1
    return order

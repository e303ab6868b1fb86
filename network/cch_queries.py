"""Compiled queries of customisable contraction hierarchies: one path, one to all, many to many.

Arrays are those of ``network.cch_kernels``. ``way`` is 0 for a climb with the arcs and 1 for one against them. A climb
follows the elimination tree: only what lies above a node can be on the upper half of a cheapest way from it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from network.cch_kernels import find_edge
from network.compiling import compile_loop

Array = NDArray[Any]


@compile_loop
def climb(
    first: Array,
    heads: Array,
    parent: Array,
    weights: Array,
    way: int,
    seeds: Array,
    seed_costs: Array,
    distance: Array,
    by: Array,
    visited: Array,
    other: Array,
) -> tuple[int, float, int]:
    """Search upward from the seeds and note the nodes above them in ``visited``, low to high.

    distance must be inf before; by: the edge by which a node is reached, -1 for a seed. other: what a climb from the
    other end has found, else inf. Returns how many nodes were visited, the least cost of a way through one of them and
    that node, -1 for none. What costs more than that is not followed.
    """
    active, live, count, best, top = np.empty(seeds.size, np.int32), 0, 0, np.inf, -1
    for place in range(seeds.size):
        node, cost = seeds[place], seed_costs[place]
        if cost < distance[node]:
            if distance[node] == np.inf:
                active[live] = node
                live += 1
            distance[node], by[node] = cost, -1
    while live:
        least = 0
        for place in range(1, live):
            if active[place] < active[least]:
                least = place
        node = active[least]
        visited[count] = node
        count += 1
        near = distance[node]
        if near + other[node] < best:
            best, top = near + other[node], node
        if near < best:
            begin, end = first[node], first[node + 1]
            above_it, costs = heads[begin:end], weights[begin:end, way]
            for place in range(above_it.size):
                head, far = above_it[place], near + costs[place]
                if far < distance[head]:
                    distance[head], by[head] = far, begin + place
        above, known = parent[node], False
        for place in range(live):
            known = known or active[place] == above
        if above < 0 or known:
            live -= 1
            active[least] = active[live]
        else:
            active[least] = above
    return count, best, top


@compile_loop
def find_way(
    first: Array,
    heads: Array,
    lows: Array,
    parent: Array,
    weights: Array,
    origins: Array,
    starts: Array,
    start_costs: Array,
    ends: Array,
    end_costs: Array,
    distance: Array,
    by: Array,
    visited: Array,
    back_distance: Array,
    back_by: Array,
    back_visited: Array,
) -> tuple[float, Array, int, int]:
    """Return the least cost from starts to ends, the arcs of that way in order, and where it begins and ends (-1)."""
    count, _, _ = climb(first, heads, parent, weights, 0, starts, start_costs, distance, by, visited, back_distance)
    back_count, cost, top = climb(
        first, heads, parent, weights, 1, ends, end_costs, back_distance, back_by, back_visited, distance
    )
    for place in range(count):
        distance[visited[place]] = np.inf
    for place in range(back_count):
        back_distance[back_visited[place]] = np.inf
    if top < 0:
        return np.inf, np.empty(0, np.int32), -1, -1
    ups, downs, start, end = 0, 0, top, top
    while by[start] >= 0:
        ups, start = ups + 1, lows[by[start]]
    while back_by[end] >= 0:
        downs, end = downs + 1, lows[back_by[end]]
    # What is last on the stack comes first on the way: the half that leads down lies below, its end at the bottom.
    slots, node = np.empty(2 * (ups + downs) + 64, np.int64), top
    for place in range(downs - 1, -1, -1):
        slots[place], node = 2 * back_by[node] + 1, lows[back_by[node]]
    node = top
    for place in range(downs, downs + ups):
        slots[place], node = 2 * by[node], lows[by[node]]
    return cost, _unpack(first, heads, lows, origins, slots, ups + downs), start, end


@compile_loop
def _unpack(first: Array, heads: Array, lows: Array, origins: Array, slots: Array, size: int) -> Array:
    """Return the arcs of the edges on the stack ``slots``, the last first: 2 × edge, + 1 where it leads down."""
    found, count = np.empty(256, np.int32), 0
    while size:
        size -= 1
        edge, way = slots[size] >> 1, slots[size] & 1
        origin = origins[edge, way]
        if origin >= 0:
            if count == found.size:
                found = np.append(found, np.empty(count, np.int32))
            found[count] = origin
            count += 1
            continue
        if size + 2 > slots.size:
            slots = np.append(slots, np.empty(slots.size, np.int64))
        leg = -2 - origin
        far = find_edge(first, heads, lows[leg], heads[edge])
        if way == 0:
            slots[size], slots[size + 1] = 2 * far, 2 * leg + 1
        else:
            slots[size], slots[size + 1] = 2 * leg, 2 * far + 1
        size += 2
    return found[:count].copy()


@compile_loop
def sweep(
    first: Array, heads: Array, weights: Array, way: int, visited: Array, count: int, distance: Array, out: Array
) -> None:
    """Write the cost of each node after a climb into ``out`` (nodes,), high to low; ``distance`` is inf again."""
    out[:] = np.inf
    for place in range(count):
        out[visited[place]] = distance[visited[place]]
        distance[visited[place]] = np.inf
    for node in range(out.size - 1, -1, -1):
        begin, end = first[node], first[node + 1]
        above_it, costs, least = heads[begin:end], weights[begin:end, 1 - way], out[node]
        for place in range(above_it.size):
            least = min(least, out[above_it[place]] + costs[place])
        out[node] = least


@compile_loop
def fill_many(
    first: Array,
    heads: Array,
    parent: Array,
    weights: Array,
    start_first: Array,
    starts: Array,
    start_costs: Array,
    end_first: Array,
    ends: Array,
    end_costs: Array,
    distance: Array,
    by: Array,
    visited: Array,
    far_off: Array,
    matrix: Array,
) -> None:
    """Write the least cost from each group of starts to each group of ends into ``matrix`` (groups, groups).

    Each end leaves its cost with the nodes above it; each start reads what it finds with those above it. far_off: inf
    of each node.
    """
    nodes, columns = first.size - 1, matrix.shape[1]
    bucket_first = np.zeros(nodes + 1, np.int64)
    places, where, costs, size = np.empty(1024, np.int32), np.empty(1024, np.int32), np.empty(1024), 0
    for column in range(columns):
        one, two = end_first[column], end_first[column + 1]
        count, _, _ = climb(
            first, heads, parent, weights, 1, ends[one:two], end_costs[one:two], distance, by, visited, far_off
        )
        while size + count > where.size:
            places = np.append(places, np.empty(places.size, np.int32))
            where = np.append(where, np.empty(where.size, np.int32))
            costs = np.append(costs, np.empty(costs.size))
        for index in range(count):
            node = visited[index]
            if distance[node] < np.inf:
                places[size], where[size], costs[size] = node, column, distance[node]
                bucket_first[node + 1] += 1
                size += 1
            distance[node] = np.inf
    for node in range(nodes):
        bucket_first[node + 1] += bucket_first[node]
    fill, bucket, bucket_costs = bucket_first[:-1].copy(), np.empty(size, np.int32), np.empty(size)
    for index in range(size):
        node = places[index]
        bucket[fill[node]], bucket_costs[fill[node]] = where[index], costs[index]
        fill[node] += 1
    matrix[:] = np.inf
    for row in range(matrix.shape[0]):
        one, two = start_first[row], start_first[row + 1]
        count, _, _ = climb(
            first, heads, parent, weights, 0, starts[one:two], start_costs[one:two], distance, by, visited, far_off
        )
        line = matrix[row]
        for index in range(count):
            node = visited[index]
            near = distance[node]
            distance[node] = np.inf
            if near == np.inf:
                continue
            begin, end = bucket_first[node], bucket_first[node + 1]
            if end - begin == columns:
                full = bucket_costs[begin:end]
                for column in range(columns):
                    far = near + full[column]
                    line[column] = far if far < line[column] else line[column]
            else:
                for place in range(begin, end):
                    far = near + bucket_costs[place]
                    if far < line[bucket[place]]:
                        line[bucket[place]] = far

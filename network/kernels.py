"""Loops over half-links, compiled on first use; the machine code stays beside the sources.

A half-link is one end of a link. The half-links of node ``i`` stand at ``first[i]:first[i + 1]``: those of links that
leave it before ``middle[i]``, those of links that arrive at it from there on; ``others`` holds the node at the far end
and ``halves`` the link. ``passes`` says how a link may be walked: bit 1 from its start to its end, bit 2 from its end
to its start. Parts by union-find with path halving; blocks by Hopcroft and Tarjan 1973, doi:10.1145/362248.362272;
distances by Dijkstra 1959, doi:10.1007/BF01386390, with a binary heap.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from network.compiling import compile_loop

Array = NDArray[Any]

# A walk of so many nodes is worth a look at all links first.
_LONG_WALK = 10_000


@compile_loop
def sort_halves(starts: Array, ends: Array, nodes: int) -> tuple[Array, Array, Array, Array]:
    """Return ``first`` (nodes + 1,), ``middle`` (nodes,), ``others`` and ``halves`` (2 links,) by counting.

    starts, ends: node of each end (links,) int32.
    """
    leaving, arriving = np.zeros(nodes, np.int32), np.zeros(nodes, np.int32)
    for link in range(starts.size):
        leaving[starts[link]] += 1
        arriving[ends[link]] += 1
    first, middle = np.zeros(nodes + 1, np.int32), np.empty(nodes, np.int32)
    for node in range(nodes):
        middle[node] = first[node] + leaving[node]
        first[node + 1] = middle[node] + arriving[node]
        leaving[node] = first[node]
        arriving[node] = middle[node]
    others, halves = np.empty(2 * starts.size, np.int32), np.empty(2 * starts.size, np.int32)
    for link in range(starts.size):
        start, end = starts[link], ends[link]
        others[leaving[start]] = end
        halves[leaving[start]] = link
        leaving[start] += 1
        others[arriving[end]] = start
        halves[arriving[end]] = link
        arriving[end] += 1
    return first, middle, others, halves


@compile_loop
def label_parts(starts: Array, ends: Array, open_links: Array, open_nodes: Array) -> tuple[Array, int]:
    """Return the part of each node (nodes,) int32, -1 where the node is not open, and how many parts there are.

    Two open nodes are of one part where open links join them. Parts are numbered by their first node.
    """
    parent = np.arange(open_nodes.size).astype(np.int32)
    for link in range(starts.size):
        a, b = starts[link], ends[link]
        if not (open_links[link] and open_nodes[a] and open_nodes[b]):
            continue
        while parent[a] != a:
            parent[a] = parent[parent[a]]
            a = parent[a]
        while parent[b] != b:
            parent[b] = parent[parent[b]]
            b = parent[b]
        # The smaller number is the root, so that a part is known before the nodes that follow it.
        if a < b:
            parent[b] = a
        else:
            parent[a] = b
    count = 0
    for node in range(parent.size):
        if not open_nodes[node]:
            parent[node] = -1
        elif parent[node] == node:
            parent[node] = count
            count += 1
        else:
            parent[node] = parent[parent[node]]
    return parent, count


@compile_loop
def _has(bits: Array, place: int) -> bool:
    return bool(bits[place >> 3] & (1 << (place & 7)))


@compile_loop
def _put(bits: Array, place: int) -> None:
    bits[place >> 3] |= np.uint8(1 << (place & 7))


@compile_loop
def spread(
    first: Array,
    middle: Array,
    others: Array,
    halves: Array,
    passes: Array,
    open_nodes: Array,
    seeds: Array,
    link_seeds: Array,
) -> tuple[Array, Array, Array, Array]:
    """Walk breadth-first from ``seeds`` and from ``link_seeds``, not past nodes that are not open.

    A seed is walked from even where it is not open; a node reached through a link seed is not. link_seeds: link, its
    start and its end (rows, 3). Returns the nodes in the order of the walk, the link by which each was reached (-1 for
    seeds), the links walked and the closed nodes that were touched.
    """
    nodes, links = open_nodes.size, passes.size
    # Links have a bit each: to clear a byte each takes as long as a short walk.
    seen, walked = np.zeros(nodes, np.uint8), np.zeros((links >> 3) + 1, np.uint8)
    order, by, touched, taken = (
        np.empty(nodes, np.int32),
        np.empty(nodes, np.int32),
        np.empty(nodes, np.int32),
        np.empty(links, np.int32),
    )
    count, stops, takes = 0, 0, 0
    for node in seeds:
        if not seen[node]:
            seen[node] = 1
            order[count], by[count] = node, -1
            count += 1
    for row in range(link_seeds.shape[0]):
        link = link_seeds[row, 0]
        if passes[link] and not _has(walked, link):
            _put(walked, link)
            taken[takes] = link
            takes += 1
        for side in range(2):
            node = link_seeds[row, 1 + side]
            if not (passes[link] & (2 - side)) or seen[node]:
                continue
            seen[node] = 1
            if open_nodes[node]:
                order[count], by[count] = node, link
                count += 1
            else:
                touched[stops] = node
                stops += 1
    ways, head = np.uint8(3), 0
    while head < count:
        node = order[head]
        head += 1
        if head == _LONG_WALK:
            # Where no link is walked one way, half of the half-links need not be looked at.
            ways = np.uint8(0)
            for link in range(links):
                ways |= passes[link]
        for k in range(first[node] if ways & 1 else middle[node], first[node + 1] if ways & 2 else middle[node]):
            link = halves[k]
            if not (passes[link] & (1 if k < middle[node] else 2)):
                continue
            if not _has(walked, link):
                _put(walked, link)
                taken[takes] = link
                takes += 1
            other = others[k]
            if seen[other]:
                continue
            seen[other] = 1
            if open_nodes[other]:
                order[count], by[count] = other, link
                count += 1
            else:
                touched[stops] = other
                stops += 1
    return order[:count].copy(), by[:count].copy(), taken[:takes].copy(), touched[:stops].copy()


@compile_loop
def find_distances(
    first: Array,
    middle: Array,
    others: Array,
    halves: Array,
    passes: Array,
    open_nodes: Array,
    weights: Array,
    seeds: Array,
    target: int,
) -> tuple[Array, Array]:
    """Return the distance of each node from the nearest seed (nodes,), inf where none, and the link it is reached by.

    weights: of each link, not negative. target: the walk ends once it is settled; -1 for none.
    """
    nodes = open_nodes.size
    distance, by = np.full(nodes, np.inf), np.full(nodes, -1, np.int32)
    keys, items = np.empty(64), np.empty(64, np.int32)
    size = 0
    for node in seeds:
        distance[node] = 0.0
    for seed in range(seeds.size):
        if size == keys.size:
            keys, items = np.append(keys, np.empty(size)), np.append(items, np.empty(size, np.int32))
        keys[size], items[size] = 0.0, seeds[seed]
        size += 1
    while size:
        near, node = keys[0], items[0]
        size -= 1
        key, item, hole = keys[size], items[size], 0
        while 2 * hole + 1 < size:
            child = 2 * hole + 1
            if child + 1 < size and keys[child + 1] < keys[child]:
                child += 1
            if keys[child] >= key:
                break
            keys[hole], items[hole] = keys[child], items[child]
            hole = child
        keys[hole], items[hole] = key, item
        if near > distance[node]:
            continue
        if node == target:
            break
        for k in range(first[node], first[node + 1]):
            link = halves[k]
            if not (passes[link] & (1 if k < middle[node] else 2)):
                continue
            other = others[k]
            far = near + weights[link]
            if far >= distance[other] or not open_nodes[other]:
                continue
            distance[other], by[other] = far, link
            if size == keys.size:
                keys, items = np.append(keys, np.empty(size)), np.append(items, np.empty(size, np.int32))
            hole = size
            size += 1
            while hole and keys[(hole - 1) // 2] > far:
                keys[hole], items[hole] = keys[(hole - 1) // 2], items[(hole - 1) // 2]
                hole = (hole - 1) // 2
            keys[hole], items[hole] = far, other
    return distance, by


@compile_loop
def label_blocks(
    first: Array, others: Array, halves: Array, open_links: Array, open_nodes: Array
) -> tuple[Array, Array, Array]:
    """Return the block of each link (links,) int32, -1 where it is not walked, the size of each block, and whether a
    node joins blocks (nodes,).

    A block is a largest set of links any two of which lie on one cycle; a link that lies on none is a block of one, as
    is a link from a node to itself.
    """
    nodes, links = open_nodes.size, open_links.size
    block, size = np.full(links, -1, np.int32), np.zeros(links, np.int32)
    joins = np.zeros(nodes, np.bool_)
    depth, low = np.zeros(nodes, np.int32), np.zeros(nodes, np.int32)
    place, by = first[:-1].copy(), np.full(nodes, -1, np.int32)
    path, stack, pushed = np.empty(nodes, np.int32), np.empty(links, np.int32), np.zeros(links, np.uint8)
    blocks, clock, height = 0, 0, 0
    for root in range(nodes):
        if depth[root] or not open_nodes[root]:
            continue
        clock += 1
        depth[root] = low[root] = clock
        path[0], length, branches = root, 1, 0
        while length:
            node = path[length - 1]
            if place[node] < first[node + 1]:
                k = place[node]
                place[node] += 1
                link, other = halves[k], others[k]
                if pushed[link] or not open_links[link] or not open_nodes[other]:
                    continue
                pushed[link] = 1
                if other == node:
                    block[link], size[blocks] = blocks, 1
                    blocks += 1
                    continue
                stack[height] = link
                height += 1
                if depth[other]:
                    low[node] = min(low[node], depth[other])
                    continue
                clock += 1
                depth[other] = low[other] = clock
                by[other] = link
                path[length] = other
                length += 1
                continue
            length -= 1
            if not length:
                break
            above = path[length - 1]
            low[above] = min(low[above], low[node])
            if low[node] < depth[above]:
                continue
            if above == root:
                branches += 1
            else:
                joins[above] = True
            while True:
                height -= 1
                block[stack[height]] = blocks
                size[blocks] += 1
                if stack[height] == by[node]:
                    break
            blocks += 1
        joins[root] = branches > 1
    return block, size[:blocks].copy(), joins


@compile_loop
def join_segments(
    first: Array, halves: Array, valves: Array, links: Array, count: int
) -> tuple[Array, Array, Array, Array]:
    """Return the segments of each node that is a valve, and the valves of each segment.

    links: segment of each link, -1 for none. Both as offsets and items: ``valve_first`` (nodes + 1,),
    ``valve_segments``, ``segment_first`` (count + 1,), ``segment_valves``.
    """
    nodes = valves.size
    valve_first, valve_segments = np.zeros(nodes + 1, np.int32), np.empty(halves.size, np.int32)
    segment_first, total = np.zeros(count + 1, np.int32), 0
    for node in range(nodes):
        if valves[node]:
            for k in range(first[node], first[node + 1]):
                segment, known = links[halves[k]], False
                for before in range(valve_first[node], total):
                    known = known or valve_segments[before] == segment
                if segment >= 0 and not known:
                    valve_segments[total] = segment
                    total += 1
                    segment_first[segment + 1] += 1
        valve_first[node + 1] = total
    for segment in range(count):
        segment_first[segment + 1] += segment_first[segment]
    place, segment_valves = segment_first[:-1].copy(), np.empty(total, np.int32)
    for node in range(nodes):
        for k in range(valve_first[node], valve_first[node + 1]):
            segment = valve_segments[k]
            segment_valves[place[segment]] = node
            place[segment] += 1
    return valve_first, valve_segments[:total].copy(), segment_first, segment_valves

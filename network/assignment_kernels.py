"""Loops of the assignment, compiled on first use; the machine code stays beside the sources.

Arcs that leave node ``i`` stand at ``first[i]:first[i + 1]``; ``heads`` is where an arc leads, ``links`` whose cost it
carries. A group is what one class sends from one origin: pairs ``pair_first[g]:pair_first[g + 1]``. The paths of a pair
stand side by side, at ``path_first[pair]:path_first[pair + 1]``, and the links of a path at
``link_first[path]:link_first[path + 1]``. ``state`` (links, 2) holds time [s] and slope [s/(pcu/h)] of each link as its
flow is now. Trees are repaired rather than grown anew: labels of the last tree at today's costs are upper bounds, and
only arcs that break them go through the heap.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from network.compiling import compile_loop

Array = NDArray[Any]

BPR, CONICAL = 0, 1
# A tree that is not mended in so many rounds is settled by a heap.
_ROUNDS = 20


@compile_loop
def set_state(kind: int, curve: Array, flow: float, state: Array) -> None:
    """Write time and slope at a flow [pcu/h] into ``state`` (2,); ``curve`` (4,): free time, capacity, two shapes.

    BPR: time = free (1 + a x^b). Conical: Spiess 1990, doi:10.1287/trsc.24.2.153, equation 12, with its a and b.
    """
    free, capacity, a, b = curve[0], curve[1], curve[2], curve[3]
    x = max(flow, 0.0) / capacity
    if kind == CONICAL:
        far = a * (1.0 - x)
        root = np.sqrt(far * far + b * b)
        state[0] = free * (2.0 + root - far - b)
        state[1] = free * (a - a * far / root) / capacity
    elif b == 4.0:
        cube = x * x * x
        state[0] = free * (1.0 + a * cube * x)
        state[1] = free * a * 4.0 * cube / capacity
    elif a == 0.0 or b == 0.0:
        state[0] = free * (1.0 + a)
        state[1] = 0.0
    else:
        # Below power 1 the slope at no flow is infinite; a millionth of the capacity stands for none.
        power = max(x, 1e-6) ** (b - 1.0)
        state[0] = free * (1.0 + a * (x**b if x < 1e-6 else power * x))
        state[1] = free * a * b * power / capacity


@compile_loop
def set_states(kind: int, curves: Array, flows: Array, states: Array) -> None:
    """Write time and slope of all links."""
    for link in range(flows.size):
        set_state(kind, curves[link], flows[link], states[link])


@compile_loop
def _lift(heap: Array, place: Array, labels: Array, at: int) -> None:
    """Move what stands at ``at`` of a 4-ary heap up to its place."""
    node = heap[at]
    label = labels[node]
    while at > 0:
        above = (at - 1) >> 2
        other = heap[above]
        if labels[other] <= label:
            break
        heap[at] = other
        place[other] = at
        at = above
    heap[at] = node
    place[node] = at


@compile_loop
def _take(heap: Array, place: Array, labels: Array, size: int) -> int:
    """Return the node with the least label and take it out of a heap of ``size`` nodes."""
    least = heap[0]
    place[least] = -1
    size -= 1
    if size == 0:
        return int(least)
    node = heap[size]
    label = labels[node]
    at = 0
    while True:
        child = 4 * at + 1
        if child >= size:
            break
        best, best_label = child, labels[heap[child]]
        for other in range(child + 1, min(child + 4, size)):
            if labels[heap[other]] < best_label:
                best, best_label = other, labels[heap[other]]
        if best_label >= label:
            break
        heap[at] = heap[best]
        place[heap[at]] = at
        at = best
    heap[at] = node
    place[node] = at
    return int(least)


@compile_loop
def settle_tree(
    first: Array, heads: Array, costs: Array, through: Array, origin: int, labels: Array, tree: Array,
    heap: Array, place: Array, size: int,
) -> None:  # fmt: skip
    """Settle what stands in the heap and all it improves: Dijkstra 1959 on labels that are upper bounds.

    costs (arcs,); ``tree`` (nodes,) is the arc by which a node is reached. Only the origin and ``through`` nodes are
    passed.
    """
    while size > 0:
        node = _take(heap, place, labels, size)
        size -= 1
        if not through[node] and node != origin:
            continue
        label = labels[node]
        for arc in range(first[node], first[node + 1]):
            head = heads[arc]
            new = label + costs[arc]
            if new < labels[head]:
                labels[head] = new
                tree[head] = arc
                if place[head] < 0:
                    heap[size] = head
                    place[head] = size
                    size += 1
                _lift(heap, place, labels, place[head])


@compile_loop
def grow_tree(
    first: Array, heads: Array, costs: Array, through: Array, origin: int, labels: Array, tree: Array,
    heap: Array, place: Array,
) -> None:  # fmt: skip
    """Fill ``labels`` and ``tree`` from nothing; -1 and inf where no path leads."""
    labels[:] = np.inf
    tree[:] = -1
    labels[origin] = 0.0
    heap[0] = origin
    place[origin] = 0
    settle_tree(first, heads, costs, through, origin, labels, tree, heap, place, 1)


@compile_loop
def repair_tree(
    first: Array, tails: Array, heads: Array, costs: Array, through: Array, origin: int, labels: Array, tree: Array,
    heap: Array, place: Array,
) -> None:  # fmt: skip
    """Bring a tree of other costs to these: the same as growing it, faster where little changed.

    The arcs that no path may take must be those of the last time.
    """
    for _ in range(_ROUNDS):
        _read_labels(tails, costs, origin, labels, tree, heap)
        broken = 0
        for node in range(labels.size):
            label = labels[node]
            if label == np.inf or not (through[node] or node == origin):
                continue
            for arc in range(first[node], first[node + 1]):
                new = label + costs[arc]
                if new < labels[heads[arc]]:
                    labels[heads[arc]] = new
                    tree[heads[arc]] = arc
                    broken += 1
        if broken == 0:
            return
    size = 0
    for node in range(labels.size):
        if labels[node] < np.inf:
            heap[size] = node
            place[node] = size
            size += 1
            _lift(heap, place, labels, size - 1)
    settle_tree(first, heads, costs, through, origin, labels, tree, heap, place, size)


@compile_loop
def _read_labels(tails: Array, costs: Array, origin: int, labels: Array, tree: Array, walk: Array) -> None:
    """Fill ``labels`` with the cost of getting to each node along the tree: climb to one that is known, come back."""
    labels[:] = -1.0
    labels[origin] = 0.0
    for node in range(labels.size):
        if tree[node] < 0 and node != origin:
            labels[node] = np.inf
    for node in range(labels.size):
        depth = 0
        at = node
        while labels[at] < 0.0:
            walk[depth] = at
            depth += 1
            at = tails[tree[at]]
        label = labels[at]
        while depth > 0:
            depth -= 1
            at = walk[depth]
            label += costs[tree[at]]
            labels[at] = label


@compile_loop
def renew_paths(
    first: Array, tails: Array, heads: Array, links: Array, through: Array, fixed: Array, group_class: Array,
    group_origin: Array, pair_first: Array, pair_to: Array, pair_flow: Array, kind: int, curves: Array, flows: Array,
    state: Array, trees: Array, grown: Array, path_first: Array, path_flow: Array, path_fixed: Array, link_first: Array,
    pool: Array, new_first: Array, new_flow: Array, new_fixed: Array, new_links: Array, new_pool: Array, start: int,
    totals: Array,
) -> int:  # fmt: skip
    """Copy the paths in use to the new pool and add to each pair the cheapest path where it is cheaper than all it has.

    A pair without a path puts all its flow on the new one at once, and later groups see what that costs; otherwise
    costs stand still, so that ``totals`` (3,) gets the exact cost of all flows and the least cost they could have at
    these costs [pcu s/h], then the flow that got its first path [pcu/h]. ``trees`` (groups, nodes) keeps trees for the
    next time, or has one row. Returns the pair at which the new pool was full, to go on from there with a larger one;
    the number of pairs when all are done.
    """
    nodes = first.size - 1
    labels, heap, place = np.empty(nodes), np.empty(nodes, np.int32), np.full(nodes, -1, np.int32)
    costs, walk = np.empty(heads.size), np.empty(nodes, np.int32)
    priced = -1
    for group in range(group_origin.size):
        if pair_first[group + 1] <= start:
            continue
        own = fixed[group_class[group]]
        if priced != group_class[group]:
            for arc in range(heads.size):
                costs[arc] = state[links[arc], 0] + own[links[arc]]
            priced = group_class[group]
        origin = group_origin[group]
        row = group if trees.shape[0] > 1 else 0
        tree = trees[row]
        if trees.shape[0] > 1 and grown[group]:
            repair_tree(first, tails, heads, costs, through, origin, labels, tree, heap, place)
        else:
            grow_tree(first, heads, costs, through, origin, labels, tree, heap, place)
            grown[group] = True
        for pair in range(max(start, pair_first[group]), pair_first[group + 1]):
            least = labels[pair_to[pair]]
            depth = 0
            cheapest, spent, kept = np.inf, 0.0, 0
            path, at_link = new_first[pair], new_links[new_first[pair]]
            room = new_pool.size - at_link
            for old in range(path_first[pair], path_first[pair + 1]):
                if path_flow[old] <= 0.0:
                    continue
                size = link_first[old + 1] - link_first[old]
                if size > room or path + kept + 1 >= new_flow.size:
                    return pair
                cost = path_fixed[old]
                for j in range(size):
                    link = pool[link_first[old] + j]
                    new_pool[at_link + j] = link
                    cost += state[link, 0]
                at_link += size
                room -= size
                new_flow[path + kept] = path_flow[old]
                new_fixed[path + kept] = path_fixed[old]
                kept += 1
                new_links[path + kept] = at_link
                spent += cost * path_flow[old]
                cheapest = min(cheapest, cost)
            if least < cheapest * (1.0 - 1e-14):
                at = pair_to[pair]
                while at != origin:
                    walk[depth] = links[tree[at]]
                    depth += 1
                    at = tails[tree[at]]
                if depth > room or path + kept + 1 >= new_flow.size:
                    return pair
                extra = 0.0
                for j in range(depth):
                    link = walk[depth - 1 - j]
                    new_pool[at_link + j] = link
                    extra += own[link]
                new_flow[path + kept] = pair_flow[pair] if kept == 0 else 0.0
                new_fixed[path + kept] = extra
                if kept == 0:
                    spent = least * pair_flow[pair]
                    for j in range(depth):
                        flows[walk[j]] += pair_flow[pair]
                        set_state(kind, curves[walk[j]], flows[walk[j]], state[walk[j]])
                    priced = -1
                    totals[2] += pair_flow[pair]
                kept += 1
                new_links[path + kept] = at_link + depth
            new_first[pair + 1] = path + kept
            if kept > 0:
                totals[0] += spent
                totals[1] += min(least, cheapest) * pair_flow[pair]
    return int(pair_to.size)


@compile_loop
def balance_paths(
    kind: int, curves: Array, flows: Array, state: Array, path_first: Array, path_flow: Array, path_fixed: Array,
    link_first: Array, pool: Array, seen: Array, stamp: int, sweeps: int, aim: float,
) -> int:  # fmt: skip
    """Move flow from each dearer path of a pair to its cheapest, pair after pair, costs updated at once.

    Gradient projection, Jayakrishnan et al. 1994: what moves is the difference of cost over the sum of the slopes on
    the links that the two do not share. Sweeps over all pairs end where what their flows cost above the cheapest of
    their paths comes to ``aim`` [pcu s/h]. ``seen`` (links, 2) int64 holds stamps, of which the last is returned.
    """
    for _ in range(sweeps):
        above = 0.0
        for pair in range(path_first.size - 1):
            begin, end = path_first[pair], path_first[pair + 1]
            if end - begin < 2:
                continue
            best, least, spent, flow = begin, np.inf, 0.0, 0.0
            for path in range(begin, end):
                cost = path_fixed[path]
                for j in range(link_first[path], link_first[path + 1]):
                    cost += state[pool[j], 0]
                if cost < least:
                    best, least = path, cost
                spent += path_flow[path] * cost
                flow += path_flow[path]
            above += max(spent - least * flow, 0.0)
            stamp += 1
            mark = stamp
            for j in range(link_first[best], link_first[best + 1]):
                seen[pool[j], 0] = mark
            for path in range(begin, end):
                flow = path_flow[path]
                if path == best or flow <= 0.0:
                    continue
                stamp += 1
                dearer = path_fixed[path] - path_fixed[best]
                slope = 0.0
                for j in range(link_first[path], link_first[path + 1]):
                    link = pool[j]
                    seen[link, 1] = stamp
                    if seen[link, 0] != mark:
                        dearer += state[link, 0]
                        slope += state[link, 1]
                for j in range(link_first[best], link_first[best + 1]):
                    link = pool[j]
                    if seen[link, 1] != stamp:
                        dearer -= state[link, 0]
                        slope += state[link, 1]
                if dearer <= 0.0:
                    continue
                moved = flow if dearer >= flow * slope else dearer / slope
                path_flow[path] = flow - moved
                path_flow[best] += moved
                for j in range(link_first[path], link_first[path + 1]):
                    link = pool[j]
                    if seen[link, 0] != mark:
                        flows[link] -= moved
                        set_state(kind, curves[link], flows[link], state[link])
                for j in range(link_first[best], link_first[best + 1]):
                    link = pool[j]
                    if seen[link, 1] != stamp:
                        flows[link] += moved
                        set_state(kind, curves[link], flows[link], state[link])
        if above <= aim:
            break
    return stamp


@compile_loop
def add_flows(path_flow: Array, link_first: Array, pool: Array, begin: int, end: int, flows: Array) -> None:
    """Add the flows of the paths ``begin:end`` to those of their links."""
    for path in range(begin, end):
        for j in range(link_first[path], link_first[path + 1]):
            flows[pool[j]] += path_flow[path]

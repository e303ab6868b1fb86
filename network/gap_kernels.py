"""Dijkstra with a heap of labels, for checks: nothing of it is shared with the loops of the assignment."""

from heapq import heappop, heappush
from typing import Any

import numpy as np
from numpy.typing import NDArray

from network.compiling import compile_loop

Array = NDArray[Any]


@compile_loop
def measure_costs(first: Array, heads: Array, costs: Array, through: Array, origin: int) -> Array:
    """Return the least cost to each node (nodes,) over arcs of ``costs`` (arcs,); inf where no path leads."""
    labels = np.full(first.size - 1, np.inf)
    labels[origin] = 0.0
    heap = [(0.0, np.int64(origin))]
    while heap:
        label, node = heappop(heap)
        if label > labels[node] or not (through[node] or node == origin):
            continue
        for arc in range(first[node], first[node + 1]):
            new = label + costs[arc]
            if new < labels[heads[arc]]:
                labels[heads[arc]] = new
                heappush(heap, (new, np.int64(heads[arc])))
    return labels

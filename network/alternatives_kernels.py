"""The loop that finds plateaus: stretches on which the tree from the start and the tree to the end agree."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from network.compiling import compile_loop

Array = NDArray[Any]


@compile_loop
def measure_plateaus(order: Array, by: Array, onward: Array, tails: Array, costs: Array) -> Array:
    """Return what the plateau that ends at each node costs up to there (nodes,), 0 where there is none.

    order: nodes of the tree from the start, nearest first; by: the arc each was reached by; onward: the arc by which
    each goes on to the end (nodes,); tails: of the arcs; costs: of each node from the start.
    """
    length = np.zeros(by.size)
    for place in range(order.size):
        node = order[place]
        arc = by[node]
        if arc >= 0 and onward[tails[arc]] == arc:
            length[node] = length[tails[arc]] + costs[node] - costs[tails[arc]]
    return length

"""How far pipes are from each other along the network, from middle to middle."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def measure_distances(ends: Indices, lengths: Array, nodes: int) -> Array:
    """Return the distance between the middles of all pairs of pipes (pipes, pipes) [m], inf where none leads.

    ends (pipes, 2) and lengths (pipes,) [m]. The rule of BattLeDIM's scorer: the shortest way between any of their ends
    plus half of each; zero for a pipe and itself. Valves and pumps join nothing here unless they are among the pipes.
    """
    rows, cols = np.concatenate((ends[:, 0], ends[:, 1])), np.concatenate((ends[:, 1], ends[:, 0]))
    shortest = np.minimum.reduceat
    order = np.lexsort((np.concatenate((lengths, lengths)), cols, rows))
    key = rows[order] * nodes + cols[order]
    first = np.flatnonzero(np.append(True, key[1:] != key[:-1]))
    weights = shortest(np.concatenate((lengths, lengths))[order], first)
    graph = coo_array((np.maximum(weights, 1e-9), (rows[order][first], cols[order][first])), shape=(nodes, nodes))
    between = dijkstra(graph.tocsr(), directed=False)
    nearest = np.minimum(between[ends[:, 0]], between[ends[:, 1]])
    way = np.minimum(nearest[:, ends[:, 0]], nearest[:, ends[:, 1]])
    way = way + 0.5 * lengths[:, None] + 0.5 * lengths[None, :]
    np.fill_diagonal(way, 0.0)
    return np.asarray(way)


def find_centre(probability: Array, distances: Array, radius: float) -> int:
    """Return the pipe with most probability within ``radius`` [m] of it; of equal ones the more probable."""
    within = (distances <= radius) @ probability
    return int(np.lexsort((probability, np.round(within, 9)))[-1])

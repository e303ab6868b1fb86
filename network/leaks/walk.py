"""The pipes to walk for a leak: those that hold most of the probability, in an order without running to and fro."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """Pipes in the order of the walk, and their length in all [m], without the way between them."""

    pipes: Indices
    length: float


def plan_walk(probability: Array, distances: Array, lengths: Array, *, share: float) -> Walk:
    """Return the fewest metres of pipe that hold ``share`` of the probability, begun at the likeliest pipe.

    probability and lengths (pipes,) [m], distances (pipes, pipes) [m]. Pipes are taken by their probability a metre;
    from each the walk goes on to the nearest that is left, of equally near ones to the more probable.
    """
    density = probability / np.maximum(lengths, 1.0e-6)
    order = np.argsort(-density, kind="stable")
    enough = int(np.searchsorted(np.cumsum(probability[order]), min(share, 1.0 - 1.0e-9))) + 1
    left = set(order[:enough].tolist())
    likeliest = int(np.argmax(probability))
    left.add(likeliest)
    walk = [likeliest]
    left.discard(likeliest)
    while left:
        here = distances[walk[-1]]
        following = min(left, key=lambda pipe: (float(here[pipe]), -float(probability[pipe])))
        walk.append(following)
        left.discard(following)
    pipes = np.array(walk, dtype=np.int64)
    return Walk(pipes, float(lengths[pipes].sum()))

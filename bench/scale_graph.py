"""Streets: what it takes to order them, to take new costs, and to find a way across."""

import resource
import time
from collections.abc import Callable, Iterator

import numpy as np

from bench.routing_city import make_city
from bench.scale_point import Point
from network.paths import build_router

WAYS = 200
_STREETS_A_SIDE2 = 4.7
"""About how many streets (arcs) ``make_city`` lays for a crossing of its lattice."""


def measure(size: int) -> Iterator[Point]:
    """Yield the figures of a network of about ``size`` streets."""

    def point(metric: str, unit: str, value: float) -> Point:
        return Point("graph", size, metric, unit, value)

    city = make_city(side=max(20, int((size / _STREETS_A_SIDE2) ** 0.5)))
    nodes = city["xy"].shape[0]
    tails, heads, costs = city["tails"], city["heads"], np.asarray(city["costs"], np.float64)
    began = time.perf_counter()
    router = build_router(tails, heads, costs, nodes=nodes, xy=city["xy"], engine="cch")
    yield point("streets laid", "arcs", float(len(tails)))
    yield point("order and first costs", "s", time.perf_counter() - began)
    yield point("new costs on every street", "ms", 1e3 * _best(lambda: router.reweight(costs)))
    rng = np.random.default_rng(2)
    pairs = iter(rng.integers(0, nodes, (WAYS, 2)).tolist())

    def ask() -> None:
        start, end = next(pairs)
        router.find_path([start], [end])

    ask()
    yield point("way across, p50", "ms", 1e3 * float(np.median([_time(ask) for _ in range(WAYS - 1)])))
    yield point("peak memory of all sizes so far", "GiB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)


def _best(work: Callable[[], object]) -> float:
    return min(_time(work) for _ in range(3))


def _time(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began

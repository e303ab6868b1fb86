"""The assignment bench in PyTraf."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytraf  # type: ignore[import-not-found]

from bench.peers.assignment_case import answer

_ROUNDS = 5000


def assign(case: dict[str, Any], gap: float) -> Callable[[], Any]:
    """Return what assigns the trips by its gradient projection."""
    nodes = int(case["node_count"])
    links = [np.asarray(case[name], np.int64) for name in ("starts", "ends")]
    values = [np.asarray(case[name], np.float64) for name in ("free_times", "capacities", "a", "power")]
    network = pytraf.Network(nodes, *links, *values)
    pairs = [np.asarray(case[name], np.int64) for name in ("origins", "destinations")]
    demand = pytraf.Demand(nodes, *pairs, np.asarray(case["volumes"], np.float64))
    return lambda: network.assign(demand, gap=gap, threads=1, max_iter=_ROUNDS).links.flow


if __name__ == "__main__":
    answer(assign)

"""The routing bench in scipy."""

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from bench.peers.path_case import read_arrays, report_questions


def main() -> None:
    """Answer and time every row."""
    case = read_arrays()
    size = case["xy"].shape[0]
    graph = csr_array((case["costs"], (case["tails"], case["heads"])), shape=(size, size))
    limit = float(case["limit"])
    report_questions(
        case,
        one=lambda a, b: float(dijkstra(graph, indices=a)[b]),
        area=lambda a: int(np.isfinite(dijkstra(graph, indices=a, limit=limit)).sum()),
        rows=lambda starts, ends: dijkstra(graph, indices=starts)[:, ends],
    )


if __name__ == "__main__":
    main()

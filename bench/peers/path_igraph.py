"""The routing bench in python-igraph."""

import igraph as ig  # type: ignore[import-not-found]
import numpy as np

from bench.peers.path_case import read_arrays, report_questions


def main() -> None:
    """Answer and time every row."""
    case = read_arrays()
    pairs = np.column_stack((case["tails"], case["heads"])).astype(np.int64)
    graph = ig.Graph(case["xy"].shape[0], pairs, directed=True)
    costs, limit = case["costs"].tolist(), float(case["limit"])
    report_questions(
        case,
        one=lambda a, b: graph.distances(a, b, weights=costs)[0][0],
        area=lambda a: int((np.array(graph.distances(a, weights=costs)[0]) <= limit).sum()),
        rows=lambda starts, ends: graph.distances(starts, ends, weights=costs),
    )


if __name__ == "__main__":
    main()

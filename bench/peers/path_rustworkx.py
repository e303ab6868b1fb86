"""The routing bench in rustworkx."""

import numpy as np
import rustworkx as rx  # type: ignore[import-not-found]

from bench.peers.path_case import read_arrays, report_questions


def main() -> None:
    """Answer and time every row."""
    case = read_arrays()
    graph = rx.PyDiGraph()
    graph.add_nodes_from(range(case["xy"].shape[0]))
    graph.add_edges_from(list(zip(case["tails"].tolist(), case["heads"].tolist(), case["costs"].tolist(), strict=True)))
    limit = float(case["limit"])

    def find_row(start: int, ends: list[int]) -> list[float]:
        lengths = dict(rx.dijkstra_shortest_path_lengths(graph, start, float))
        lengths[start] = 0.0
        return [lengths.get(end, np.inf) for end in ends]

    def find_one(start: int, end: int) -> float:
        if start == end:
            return 0.0
        return float(dict(rx.dijkstra_shortest_path_lengths(graph, start, float, goal=end)).get(end, np.inf))

    def count(start: int) -> int:
        lengths = rx.dijkstra_shortest_path_lengths(graph, start, float)
        return 1 + len([node for node, value in lengths.items() if node != start and value <= limit])

    report_questions(
        case, one=find_one, area=count, rows=lambda starts, ends: [find_row(start, ends) for start in starts]
    )


if __name__ == "__main__":
    main()

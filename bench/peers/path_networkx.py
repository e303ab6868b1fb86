"""The routing bench in networkx."""

import networkx as nx
import numpy as np

from bench.peers.path_case import read_arrays, report_questions


def main() -> None:
    """Answer and time every row."""
    case = read_arrays()
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(case["xy"].shape[0]))
    graph.add_weighted_edges_from(
        zip(case["tails"].tolist(), case["heads"].tolist(), case["costs"].tolist(), strict=True)
    )
    limit = float(case["limit"])

    def find_one(start: int, end: int) -> float:
        try:
            return float(nx.bidirectional_dijkstra(graph, start, end)[0])
        except nx.NetworkXNoPath:
            return np.inf

    def find_row(start: int, ends: list[int]) -> list[float]:
        lengths = nx.single_source_dijkstra_path_length(graph, start)
        return [lengths.get(end, np.inf) for end in ends]

    report_questions(
        case,
        one=find_one,
        area=lambda a: len(nx.single_source_dijkstra_path_length(graph, a, cutoff=limit)),
        rows=lambda starts, ends: [find_row(start, ends) for start in starts],
    )


if __name__ == "__main__":
    main()

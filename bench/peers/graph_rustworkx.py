"""The traces bench in rustworkx."""

import numpy as np
import rustworkx as rx  # type: ignore[import-not-found]

from bench.peers.graph_case import find_valves, read_arrays, report_tasks


def main() -> None:
    """Answer and time every row."""
    case = read_arrays()
    starts, ends, weights = (case[name].tolist() for name in ("starts", "ends", "weights"))
    is_valve, broken = case["valves"].tolist(), case["broken"].tolist()
    outfall, top = int(case["outfall"]), int(case["top"])
    others = np.flatnonzero(~case["valves"]).tolist()

    def build() -> rx.PyGraph:
        graph = rx.PyGraph(multigraph=True, node_count_hint=len(is_valve), edge_count_hint=len(starts))
        graph.add_nodes_from(range(len(is_valve)))
        graph.extend_from_weighted_edge_list(list(zip(starts, ends, weights, strict=True)))
        return graph

    def find_segments() -> int:
        between = case["valves"][case["starts"]] & case["valves"][case["ends"]]
        return int(rx.number_connected_components(water.subgraph(others)) + between.sum())

    def find_path() -> float:
        return float(rx.dijkstra_shortest_path_lengths(water, outfall, float, goal=top)[top])

    water, sewer = build(), rx.PyDiGraph()
    sewer.add_nodes_from(range(len(is_valve)))
    sewer.extend_from_edge_list(list(zip(starts, ends, strict=True)))
    report_tasks(
        {
            "build": build,
            "connected": lambda: rx.number_connected_components(water),
            "upstream of everything": lambda: rx.ancestors(sewer, outfall),
            "downstream": lambda: rx.descendants(sewer, top),
            "shortest path": find_path,
            "isolation of 100 links": lambda: [
                find_valves(water.neighbors, is_valve, (starts[link], ends[link])) for link in broken
            ],
            "all valve segments": find_segments,
            "bridges": lambda: len(rx.bridges(water)),
        },
        {
            "build": lambda graph: graph.num_edges(),
            "upstream of everything": len,
            "downstream": len,
            "shortest path": lambda length: round(length, 6),
        },
    )


if __name__ == "__main__":
    main()

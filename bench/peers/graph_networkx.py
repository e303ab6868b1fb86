"""The traces bench in networkx."""

import networkx as nx
import numpy as np

from bench.peers.graph_case import find_valves, read_arrays, report_tasks


def main() -> None:
    """Answer and time every row."""
    case = read_arrays()
    starts, ends, weights = (case[name].tolist() for name in ("starts", "ends", "weights"))
    is_valve, broken = case["valves"].tolist(), case["broken"].tolist()
    outfall, top = int(case["outfall"]), int(case["top"])

    def build() -> "nx.Graph[int]":
        graph: nx.Graph[int] = nx.Graph()
        graph.add_nodes_from(range(len(is_valve)))
        graph.add_weighted_edges_from(zip(starts, ends, weights, strict=True))
        return graph

    def find_segments() -> int:
        rest = water.copy()
        rest.remove_nodes_from(np.flatnonzero(case["valves"]).tolist())
        between = case["valves"][case["starts"]] & case["valves"][case["ends"]]
        return int(nx.number_connected_components(rest) + between.sum())

    water, sewer = build(), nx.DiGraph(zip(starts, ends, strict=True))
    report_tasks(
        {
            "build": build,
            "connected": lambda: nx.number_connected_components(water),
            "upstream of everything": lambda: nx.ancestors(sewer, outfall),
            "downstream": lambda: nx.descendants(sewer, top),
            "shortest path": lambda: nx.bidirectional_dijkstra(water, outfall, top, weight="weight"),
            "isolation of 100 links": lambda: [
                find_valves(water.adj.__getitem__, is_valve, (starts[link], ends[link])) for link in broken
            ],
            "all valve segments": find_segments,
            "bridges": lambda: sum(1 for _ in nx.bridges(water)),
        },
        {
            "build": lambda graph: graph.number_of_edges(),
            "upstream of everything": len,
            "downstream": len,
            "shortest path": lambda found: round(found[0], 6),
        },
    )


if __name__ == "__main__":
    main()

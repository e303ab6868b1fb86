"""The traces bench in our engine, in a process of its own, as the peers are."""

from bench.peers.graph_case import read_arrays, report_tasks
from network.graph import Graph, build_graph
from network.isolation import build_segments, find_valves
from network.tracing import (
    find_parts,
    find_shortest_path,
    find_structure,
    trace_downstream,
    trace_upstream,
)


def main() -> None:
    """Answer and time every row; kernels are compiled by the first call."""
    case = read_arrays()
    valves, broken, outfall, top = case["valves"], case["broken"].tolist(), int(case["outfall"]), int(case["top"])

    def build() -> Graph:
        return build_graph(case["starts"], case["ends"], nodes=valves.size, weights=case["weights"])

    graph = build()
    segments = build_segments(graph, valves)
    report_tasks(
        {
            "build": build,
            "connected": lambda: find_parts(graph)[1],
            "upstream of everything": lambda: trace_upstream(graph, nodes=[outfall]),
            "downstream": lambda: trace_downstream(graph, nodes=[top]),
            "shortest path": lambda: find_shortest_path(graph, outfall, top),
            "isolation of 100 links": lambda: [find_valves(segments, links=[link]) for link in broken],
            "all valve segments": lambda: build_segments(graph, valves),
            "bridges": lambda: find_structure(graph),
        },
        {
            "build": lambda made: made.link_count,
            "upstream of everything": lambda found: found.nodes.size - 1,
            "downstream": lambda found: found.nodes.size - 1,
            "shortest path": lambda path: round(path.weight, 6),
            "isolation of 100 links": lambda found: [each.close.tolist() for each in found],
            "all valve segments": lambda made: made.count,
            "bridges": lambda found: int(found.critical_links.sum()),
        },
    )


if __name__ == "__main__":
    main()

"""The traces bench in python-igraph."""

import igraph as ig  # type: ignore[import-not-found]
import numpy as np

from bench.peers.graph_case import find_valves, read_arrays, report_tasks


def main() -> None:
    """Answer and time every row."""
    case = read_arrays()
    starts, ends, weights = (case[name].tolist() for name in ("starts", "ends", "weights"))
    is_valve, broken = case["valves"].tolist(), case["broken"].tolist()
    outfall, top = int(case["outfall"]), int(case["top"])
    others = np.flatnonzero(~case["valves"]).tolist()
    pairs = np.column_stack((case["starts"], case["ends"])).astype(np.int64)

    def build() -> ig.Graph:
        graph = ig.Graph(len(is_valve), pairs)
        graph.es["weight"] = weights
        return graph

    def find_segments() -> int:
        between = case["valves"][case["starts"]] & case["valves"][case["ends"]]
        return int(len(water.induced_subgraph(others).connected_components()) + between.sum())

    water, sewer = build(), ig.Graph(len(is_valve), pairs, directed=True)
    report_tasks(
        {
            "build": build,
            "connected": lambda: len(water.connected_components()),
            "upstream of everything": lambda: sewer.subcomponent(outfall, mode="in"),
            "downstream": lambda: sewer.subcomponent(top, mode="out"),
            "shortest path": lambda: water.get_shortest_path(outfall, top, weights="weight", output="epath"),
            "isolation of 100 links": lambda: [
                find_valves(water.neighbors, is_valve, (starts[link], ends[link])) for link in broken
            ],
            "all valve segments": find_segments,
            "bridges": lambda: len(water.bridges()),
        },
        {
            "build": lambda graph: graph.ecount(),
            # igraph counts the start itself.
            "upstream of everything": lambda found: len(found) - 1,
            "downstream": lambda found: len(found) - 1,
            "shortest path": lambda path: round(sum(weights[link] for link in path), 6),
        },
    )


if __name__ == "__main__":
    main()

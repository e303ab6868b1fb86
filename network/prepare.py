"""Compile the walks before somebody waits for them: ``python -m network.prepare``.

The machine code stays beside the sources, so that the first trace answers at once.
"""

import sys

import numpy as np
import shapely

from network.assignment import assign
from network.assignment_network import TravelClass, build_assignment_network
from network.delays import build_bpr
from network.gap import check_flows
from network.graph import build_graph
from network.isolation import build_segments, find_outage, find_valves
from network.topology import build_network, build_topology
from network.tracing import (
    find_links_between,
    find_parts,
    find_shortest_path,
    find_structure,
    orient_from_sources,
    trace_connected,
    trace_upstream,
)


def main() -> int:
    """Ask a small ring every question and return 0."""
    graph = build_graph([0, 1, 2, 3], [1, 2, 3, 0], weights=np.ones(4))
    valves = np.array([False, True, False, True])
    flow = orient_from_sources(graph, [0])
    trace_connected(graph, nodes=[0])
    trace_upstream(graph, links=[2], flow=flow)
    find_parts(graph)
    find_structure(graph)
    find_links_between(graph, 0, 2)
    find_shortest_path(graph, 0, 2)
    segments = build_segments(graph, valves)
    find_outage(graph, segments, find_valves(segments, links=[1]), [0])
    build_network(build_topology(shapely.linestrings([[(0.0, 0.0), (1.0, 0.0)]])), ["a"])
    sys.stdout.write("traces\n")
    prepare_assignment()
    return 0


def prepare_assignment() -> None:
    """Send a trip over two roads."""
    network = build_assignment_network([0, 0], [1, 1], build_bpr([1.0, 2.0], 1.0))
    classes = [TravelClass("car", np.array([0], np.int32), np.array([1], np.int32), np.array([2.0]))]
    check_flows(network, classes, assign(network, classes).flows)
    sys.stdout.write("assignment\n")


if __name__ == "__main__":
    sys.exit(main())

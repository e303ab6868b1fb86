"""Compile the walks before somebody waits for them: ``python -m network.prepare``.

The machine code stays beside the sources, so that the first trace answers at once.
"""

import sys

import numpy as np
import shapely

from network.alternatives import Ends, find_alternatives
from network.assignment import assign
from network.assignment_network import TravelClass, build_assignment_network
from network.criticality import Demand, load_roads
from network.delays import build_bpr
from network.gap import check_flows
from network.graph import build_graph
from network.isochrone_areas import compute_areas
from network.isolation import build_segments, find_outage, find_valves
from network.map_matching import Candidates, match_track
from network.paths import Router, build_router
from network.roads import build_road_graph
from network.time_dependent import SLOTS, build_profiles, find_journey, follow, grow_tree_at, leave_each
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
from network.transit import Calls, Question, build_timetable, build_walks, find_arrivals, iterate_times


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
    prepare_routing()
    prepare_transit()
    return 0


def prepare_assignment() -> None:
    """Send a trip over two roads."""
    network = build_assignment_network([0, 0], [1, 1], build_bpr([1.0, 2.0], 1.0))
    classes = [TravelClass("car", np.array([0], np.int32), np.array([1], np.int32), np.array([2.0]))]
    check_flows(network, classes, assign(network, classes).flows)
    sys.stdout.write("assignment\n")


def prepare_transit() -> None:
    """Ride from one stop to the next."""
    yes = np.ones(2, np.bool_)
    times, one = np.array([0, 60], np.int32), np.zeros(1, np.int32)
    stops = np.array([0, 1], np.int32)
    calls = Calls(np.array([0, 2]), stops, times, times, yes, yes, one)
    timetable = build_timetable(calls, 2, build_walks([], [], [], 2))
    access, egress = build_walks([0], [0], [0.0], 1), build_walks([1], [0], [0.0], 2)
    find_arrivals(timetable, access, 0, cutoff=600)
    question = Question((0,), 600)
    list(iterate_times(timetable, access, egress, build_walks([], [], [], 1), question, places=1))
    sys.stdout.write("public transport\n")


def prepare_paths(router: Router) -> None:
    """Ask both engines everything they answer."""
    arcs = np.arange(router.arc_count)
    tails, heads = arcs % router.node_count, (arcs + 1) % router.node_count
    for each in (router, build_router(tails, heads, router.costs, engine="dijkstra"), build_router(tails, heads, arcs)):
        own = each.fork()
        own.update(arcs[:1], 2.0)
        own.find_path([0], [1])
        own.compute_distances([0])
        own.compute_matrix([0], [1])
        own.grow_tree([0], until=[1])


def prepare_routing() -> None:
    """Go round a square of streets in every way."""
    xy = np.array([[0.0, 0.0], [100.0, 0.0], [100.0, 100.0], [0.0, 100.0]])
    graph = build_road_graph([0, 1, 2, 3], [1, 2, 3, 0], xy)
    router = build_router(graph.tails, graph.heads, np.ones(graph.arc_count), nodes=graph.node_count, xy=graph.node_xy)
    one, nothing = np.zeros(1, np.int32), np.zeros(1)
    prepare_paths(router)
    load_roads(graph, router, Demand(np.zeros(1, np.int64), np.ones(1, np.int64), np.ones((1, 1))))
    find_alternatives(router, graph.tails, graph.heads, Ends(one, nothing, one + 2, nothing), 2)
    profiles = build_profiles(np.zeros(graph.link_count), np.ones((1, SLOTS)))
    arcs, costs = profiles.take(graph.links), router.costs
    find_journey(
        graph.first, graph.tails, graph.heads, costs, arcs, sources=one, moments=nothing, targets=one + 2,
        rests=nothing, rest_profiles=profiles.take(one),
    )  # fmt: skip
    grow_tree_at(graph.first, graph.heads, costs, arcs, sources=one, moments=nothing, limit=9.0)
    leave_each(0.0, follow(0.0, nothing, profiles.take(one)), profiles.take(one))
    track = np.array([[10.0, 0.0], [90.0, 0.0], [100.0, 90.0]])
    links = np.array([graph.edge_links[0, 0], graph.edge_links[0, 0], graph.edge_links[1, 0]], np.int32)
    near = Candidates(np.arange(4, dtype=np.int32), links, np.array([10.0, 90.0, 90.0]), np.zeros(3))
    match_track(graph, graph.allows("car"), track, near)
    compute_areas(track, np.arange(3.0), [2.0])
    sys.stdout.write("routing\n")


if __name__ == "__main__":
    sys.exit(main())

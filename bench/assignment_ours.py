"""The assignment bench in ours; the loops are compiled before the clock starts."""

from collections.abc import Callable
from typing import Any

import numpy as np

from bench.peers.assignment_case import answer
from network.assignment import assign as find_equilibrium
from network.assignment_network import AssignmentNetwork, TravelClass, build_assignment_network
from network.delays import build_bpr
from network.prepare import prepare_assignment


def build_case(case: dict[str, Any]) -> tuple[AssignmentNetwork, TravelClass]:
    """Return the network and the trips of a case."""
    delays = build_bpr(case["free_times"], case["capacities"], a=case["a"], power=case["power"])
    network = build_assignment_network(case["starts"], case["ends"], delays, node_count=int(case["node_count"]))
    origins, ends = (np.asarray(case[name], np.int32) for name in ("origins", "destinations"))
    return network, TravelClass("car", origins, ends, np.asarray(case["volumes"], np.float64))


def assign(case: dict[str, Any], gap: float) -> Callable[[], Any]:
    """Return what assigns the trips."""
    prepare_assignment()
    network, trips = build_case(case)
    return lambda: find_equilibrium(network, [trips], gap=gap).flows[0]


if __name__ == "__main__":
    answer(assign)

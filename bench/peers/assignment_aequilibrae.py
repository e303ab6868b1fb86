"""The assignment bench in AequilibraE: bi-conjugate Frank-Wolfe, its best. Also SiouxFalls, which its wheel brings."""

import importlib.util
import json
import sqlite3
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openmatrix  # type: ignore[import-not-found]
import pandas as pd
from aequilibrae.matrix import AequilibraeMatrix  # type: ignore[import-not-found]
from aequilibrae.paths import Graph, TrafficAssignment, TrafficClass  # type: ignore[import-not-found]

from bench.peers.assignment_case import answer

_ROUNDS = 20_000


def assign(case: dict[str, Any], gap: float) -> Callable[[], Any]:
    """Return what assigns the trips; zones are its first nodes, and paths may pass them."""
    nodes, links = int(case["node_count"]), case["starts"].size
    zones = np.unique(np.concatenate((case["origins"], case["destinations"])))
    numbers = np.empty(nodes, np.int64)
    numbers[np.concatenate((zones, np.setdiff1d(np.arange(nodes), zones)))] = np.arange(nodes)
    graph = Graph()
    graph.network = pd.DataFrame(
        {
            "link_id": np.arange(links) + 1,
            "a_node": numbers[case["starts"]] + 1,
            "b_node": numbers[case["ends"]] + 1,
            "direction": 1,
            "capacity": case["capacities"],
            "free_flow_time": case["free_times"],
            "b": case["a"],
            "power": case["power"],
        }
    )
    graph.mode = "c"
    graph.prepare_graph(np.arange(zones.size) + 1)
    graph.set_graph("free_flow_time")
    graph.set_blocked_centroid_flows(False)
    matrix = AequilibraeMatrix()
    matrix.create_empty(zones=zones.size, matrix_names=["car"], memory_only=True)
    matrix.index[:] = np.arange(zones.size) + 1
    trips = np.zeros((zones.size, zones.size))
    trips[numbers[case["origins"]], numbers[case["destinations"]]] = case["volumes"]
    matrix.matrix["car"][:, :] = trips
    matrix.computational_view(["car"])
    assignment = TrafficAssignment()
    assignment.set_classes([TrafficClass("car", graph, matrix)])
    assignment.set_vdf("BPR")
    assignment.set_vdf_parameters({"alpha": "b", "beta": "power"})
    assignment.set_capacity_field("capacity")
    assignment.set_time_field("free_flow_time")
    assignment.set_algorithm("bfw")
    assignment.max_iter = _ROUNDS
    assignment.rgap_target = gap
    assignment.set_cores(1)

    def work() -> Any:
        assignment.execute()
        return assignment.results()["PCE_AB"].reindex(np.arange(links) + 1).fillna(0.0).to_numpy()

    return work


def extract_siouxfalls(file: str) -> None:
    """Write the case of SiouxFalls, from the example project of the wheel, to ``file``."""
    spec = importlib.util.find_spec("aequilibrae")
    assert spec is not None and spec.origin is not None
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(Path(spec.origin).parent / "reference_files" / "sioux_falls.zip") as archive:
            archive.extractall(folder)
        columns = "a_node, b_node, capacity_ab, free_flow_time, b, power"
        with sqlite3.connect(Path(folder) / "project_database.sqlite") as database:
            found = database.execute(f"select {columns} from links order by link_id").fetchall()
        with openmatrix.open_file(str(Path(folder) / "matrices" / "demand.omx")) as matrix:
            trips = np.array(matrix["matrix"])
    links = np.array(found, np.float64)
    origins, destinations = np.nonzero(trips)
    np.savez(
        file, starts=links[:, 0].astype(int) - 1, ends=links[:, 1].astype(int) - 1, capacities=links[:, 2],
        free_times=links[:, 3], a=links[:, 4], power=links[:, 5], origins=origins, destinations=destinations,
        volumes=trips[origins, destinations], node_count=np.array(trips.shape[0]),
    )  # fmt: skip


if __name__ == "__main__":
    if "--siouxfalls" in sys.argv:
        extract_siouxfalls(json.load(sys.stdin)["file"])
        sys.stdout.write("{}\n")
    else:
        answer(assign)

"""An assignment on a published network: TNTP or GMNS text in, flows by link out, in the units of its files."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from layers.errors import InputError
from network.assignment import Assignment, Step, assign
from network.assignment_network import build_assignment_network
from network.delays import build_bpr, build_conical
from network.gap import Check, check_flows, require_balance
from twin.traffic import files_gmns, files_tntp
from twin.traffic.assigned import list_names, write_skims, write_table
from twin.traffic.calibrating import calibrate, find_by_id, read_counts
from twin.traffic.demand import make_classes, place_trips
from twin.traffic.files import PublishedNetwork, PublishedTrips, is_archive, read_text, unpack


@dataclass(frozen=True, eq=False)
class Solved:
    """A published network, its equilibrium, what an independent check says of the flows, and how they fit counts."""

    network: PublishedNetwork
    found: Assignment
    check: Check
    calibration: dict[str, Any] | None


def read_published(network: str, trips: str) -> tuple[PublishedNetwork, PublishedTrips]:
    """Return a network and its trips from texts; InputError says what cannot be read."""
    network = read_text(network)
    if is_archive(network):
        read = files_gmns.read_network(unpack(network))
    elif files_tntp.is_tntp(network):
        read = files_tntp.read_network(network)
    else:
        raise InputError("the network is neither TNTP nor a ZIP archive of GMNS tables", hint="see docs/assignment.md")
    return read, read_trips(trips)


def read_trips(text: str) -> PublishedTrips:
    """Return trips from TNTP text, a CSV table, or the demand.csv of an archive."""
    text = read_text(text)
    if is_archive(text):
        tables = unpack(text)
        if "demand.csv" not in tables:
            raise InputError("the archive of trips has no demand.csv")
        text = tables["demand.csv"]
    return files_tntp.read_trips(text) if files_tntp.is_tntp(text) else files_gmns.read_trips(text)


def solve(
    network: PublishedNetwork,
    trips: PublishedTrips,
    counts: str | None = None,
    *,
    delay: str,
    gap: float,
    max_iterations: int,
    follow: Callable[[Step], bool],
) -> Solved:
    """Return the equilibrium, of trips brought nearer to counts where there are any; UnbalancedError as it says."""
    delays = (
        build_bpr(network.free_times, network.capacities, a=network.a, power=network.power)
        if delay == "bpr"
        else build_conical(network.free_times, network.capacities)
    )
    links = build_assignment_network(
        network.starts, network.ends, delays, node_count=len(network.node_ids), through=network.through
    )
    names = sorted({str(word) for word in trips.classes if word}) or ["all"]
    if len(names) > 1 and np.any(trips.classes == ""):
        raise InputError("some trips have a class and others none", hint="give each a class, or none")
    placed = place_trips(trips, {zone: index for index, zone in enumerate(network.zones)},
                         {name: 1.0 if len(names) == 1 else 0.0 for name in names})  # fmt: skip
    nodes = np.array(list(network.zones.values()), np.int32)
    classes = make_classes(placed, nodes, dict.fromkeys(names, 1.0), dict.fromkeys(names, network.fixed))
    start, figures = None, None
    if counts is not None:
        fitted = calibrate(
            links, classes, read_counts(counts, find_by_id(network.link_ids)), warm=None, follow=follow
        )  # fmt: skip
        classes, start, figures = fitted.classes, fitted.found, fitted.figures
    found = assign(links, classes, gap=gap, warm=start, max_iterations=max_iterations, follow=follow)
    check = check_flows(links, classes, found.flows)
    require_balance(check)
    return Solved(network, found, check, figures)


def write_files(solved: Solved) -> dict[str, bytes]:
    """Return flows.csv by link and skims.csv by pair of zones."""
    network, found = solved.network, solved.found
    ids = np.array(network.node_ids, object)
    flows = write_table(
        ["link_id", "from_node_id", "to_node_id", "flow", "time", "free_time", "capacity", "volume_over_capacity"],
        [
            network.link_ids, ids[network.starts], ids[network.ends], found.total, found.times,
            found.network.delays.free_times, network.capacities, found.total / network.capacities,
        ],
    )  # fmt: skip
    nodes = np.array(list(network.zones.values()), np.int32)
    names = list_names(list(network.zones), nodes, len(network.node_ids))
    return {"flows.csv": flows, "skims.csv": write_skims(found, names, network.lengths, None)}

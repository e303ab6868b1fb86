"""Trips brought nearer to counts: assigned, adjusted along Spiess's gradient, assigned again from the same paths."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from layers.errors import InputError
from network.assignment import Assignment, Start, Step, assign
from network.assignment_network import AssignmentNetwork, Index, TravelClass, Values
from network.counts import compute_geh, share_fitting
from network.demand_counts import adjust_trips, compute_shares
from twin.traffic import files_gmns
from twin.traffic.files import check_count, read_number, read_text

ROUNDS, STEPS = 4, 10
ROUGH_GAP = 1e-4
"""Shares of paths are good enough for an adjustment at this gap."""
MAX_COUNTS = 20_000


@dataclass(frozen=True, eq=False)
class Counts:
    """Counted flows (counts,) [veh/h], and which links each saw: links (n,) of counts ``owners`` (n,)."""

    values: Values
    links: Index
    owners: Index


@dataclass(frozen=True, eq=False)
class Calibrated:
    """Classes with adjusted volumes, the last assignment, and how well flows fit before and after."""

    classes: list[TravelClass]
    found: Assignment
    figures: dict[str, Any]


def read_counts(text: str, find: Callable[[str, str], Sequence[int]]) -> Counts:
    """Return counts of a CSV table: road_link_id (or link_id), way (forward, backward, empty for both), count.

    ``find`` gives the links of an id and way. InputError names the row at fault.
    """
    values: list[float] = []
    links: list[int] = []
    owners: list[int] = []
    for number, row in files_gmns.read_rows(read_text(text)):
        item = (row.get("road_link_id") or row.get("link_id") or "").strip()
        way = (row.get("way") or "").strip()
        if not item:
            raise InputError(f"row {number} of the counts has no road_link_id or link_id")
        if way not in ("", "forward", "backward"):
            raise InputError(f"way in row {number} of the counts is '{way[:20]}', expected forward, backward or none")
        seen = find(item, way)
        if not seen:
            raise InputError(f"row {number} of the counts names '{item[:40]}' {way}, where no vehicle may go")
        links += list(seen)
        owners += [len(values)] * len(seen)
        values.append(read_number((row.get("count") or "").strip(), "count", number))
        check_count(len(values), MAX_COUNTS, "counts")
    if not values:
        raise InputError("the table of counts has none")
    return Counts(np.array(values), np.array(links, np.int32), np.array(owners, np.int32))


def calibrate(
    network: AssignmentNetwork,
    classes: Sequence[TravelClass],
    counts: Counts,
    *,
    warm: Start | None,
    follow: Callable[[Step], bool],
) -> Calibrated:
    """Return classes whose trips fit the counts better; zones that send none to a zone go on sending none."""
    current = list(classes)
    found = assign(network, current, gap=ROUGH_GAP, warm=warm, follow=follow)
    first = last = _flows(found, counts)
    for _ in range(ROUNDS):
        pairs = found.pairs
        kinds = pairs.classes[pairs.groups]
        pcu = np.array([each.pcu for each in current])[kinds]
        distinct, column = np.unique(counts.links, return_inverse=True)
        gather = csr_array(
            (np.ones(counts.links.size), (column, counts.owners)), shape=(distinct.size, counts.values.size)
        )
        shares = csr_array(compute_shares(found, distinct.astype(np.int32)) @ gather)
        volumes = adjust_trips(pairs.volumes / pcu, shares, counts.values, steps=STEPS).volumes
        current = [_put(each, found, kinds == kind, volumes) for kind, each in enumerate(current)]
        found = assign(network, current, gap=ROUGH_GAP, warm=found, follow=follow)
        last = _flows(found, counts)
    return Calibrated(current, found, {
        "counts": int(counts.values.size),
        "rms_before": _rms(first - counts.values), "rms_after": _rms(last - counts.values),
        "geh_below_5_before": _fit(first, counts), "geh_below_5_after": _fit(last, counts),
        "trips_before": float(sum(each.volumes.sum() for each in classes)),
        "trips_after": float(sum(each.volumes.sum() for each in current)),
    })  # fmt: skip


def find_by_id(ids: Sequence[str]) -> Callable[[str, str], Sequence[int]]:
    """Return what finds the links of a published network by id, whatever the way."""
    places: Mapping[str, int] = {name: index for index, name in enumerate(ids)}

    def find(item: str, way: str) -> Sequence[int]:
        return [places[item]] if item in places else []

    return find


def _put(each: TravelClass, found: Assignment, mine: NDArray[np.bool_], volumes: Values) -> TravelClass:
    """Return a class with the volumes of its pairs (pairs,), and its trips within zones as they were."""
    within = each.origins == each.destinations
    origins = np.concatenate((found.pairs.origins[found.pairs.groups][mine], each.origins[within]))
    ends = np.concatenate((found.pairs.ends[mine], each.destinations[within]))
    return replace(
        each, origins=origins, destinations=ends, volumes=np.concatenate((volumes[mine], each.volumes[within]))
    )


def _flows(found: Assignment, counts: Counts) -> Values:
    """Return the vehicles an hour at each count (counts,)."""
    vehicles = (found.flows / np.array([[each.pcu] for each in found.classes])).sum(axis=0)
    sums: Values = np.bincount(counts.owners, vehicles[counts.links], minlength=counts.values.size).astype(np.float64)
    return sums


def _rms(values: Values) -> float:
    return round(float(np.sqrt(np.mean(values**2))), 4)


def _fit(flows: Values, counts: Counts) -> float:
    return round(share_fitting(compute_geh(flows, counts.values)), 4)

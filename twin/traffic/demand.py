"""Trips of the city in an hour: from zones by a gravity model, or as given, and what vehicles they take.

Defaults are those of a city of Viet Nam where four trips in five go by motorbike; each is an input of the run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from layers.errors import InputError
from network.assignment_network import Index, TravelClass, Values
from network.demand import Gravity, build_gravity
from twin.traffic.files import PublishedTrips
from twin.traffic.zones import Zones

CLASSES = ("motorbike", "car", "truck")
PCU = {"motorbike": 0.25, "car": 1.0, "truck": 2.5}
HOUR_SHARES = (
    0.004, 0.003, 0.003, 0.005, 0.015, 0.035, 0.080, 0.095, 0.060, 0.048, 0.050, 0.068,
    0.052, 0.055, 0.050, 0.055, 0.080, 0.098, 0.062, 0.038, 0.024, 0.012, 0.005, 0.003,
)  # fmt: skip
"""The share of a day's trips that begin in each hour: peaks at 7 and 17, a lesser one at noon."""
JOBS_WEIGHT = 2.0
"""A job gets as many trips as this many inhabitants."""


@dataclass(frozen=True, eq=False)
class Trips:
    """Vehicle trips of one class in the hour, between zones by number (trips,)."""

    name: str
    origins: Index
    destinations: Index
    volumes: Values


def spread_people(
    zones: Zones, times: Values, *, trips_per_person: float, share: float, mean_time: float | None
) -> Gravity:  # fmt: skip
    """Return the vehicle trips of an hour between zones (zones, zones) by a gravity model.

    times: (zones, zones) [s] on free roads. share: of the day's trips. mean_time: of a trip [s]. What zones say of
    themselves, trips sent or received a day, goes before what their people and jobs suggest.
    """
    sent = np.where(np.isnan(zones.produced), trips_per_person * zones.people, zones.produced)
    pull = zones.people + JOBS_WEIGHT * zones.jobs
    whole = float(sent.sum())
    got = np.where(np.isnan(zones.attracted), pull * (whole / pull.sum() if pull.any() else 0.0), zones.attracted)
    # Half of what is sent in a day comes back: either end of a trip may be the home.
    both = (sent + got * (whole / got.sum() if got.any() else 0.0)) / 2.0
    apart = np.where(np.eye(len(zones.ids), dtype=bool), np.inf, times)
    # Who stays within a zone goes half as far as to the nearest other one.
    between = np.where(np.isinf(apart) & np.eye(len(zones.ids), dtype=bool), apart.min(axis=1) / 2.0, apart)
    able_out, able_in = np.isfinite(between).any(axis=1), np.isfinite(between).any(axis=0)
    produced, attracted = np.where(able_out, both * share, 0.0), np.where(able_in, both * share, 0.0)
    if not produced.any() or not attracted.any():
        raise InputError("no trips: the zones have no people, or no roads between them")
    return build_gravity(produced, attracted, between, mean_cost=mean_time)


def split_classes(trips: Values, shares: Mapping[str, float]) -> list[Trips]:
    """Return the trips between zones (zones, zones) of each class by its share; cells below a millionth are left."""
    origins, ends = (side.astype(np.int32) for side in np.nonzero(trips > 1e-6))
    volumes = trips[origins, ends]
    return [Trips(name, origins, ends, volumes * share) for name, share in shares.items() if share > 0.0]


def place_trips(given: PublishedTrips, zones: Mapping[str, int], shares: Mapping[str, float]) -> list[Trips]:
    """Return given trips by class between zones by number; those without a class are split by the shares.

    InputError names a zone or class that is not there.
    """
    ends = []
    for words in (given.origins, given.destinations):
        wrong = next((str(word) for word in words if str(word) not in zones), None)
        if wrong is not None:
            raise InputError(f"trips name zone '{wrong[:40]}', which is not there", hint="one of the zones' ids")
        ends.append(np.array([zones[str(word)] for word in words], np.int32))
    wrong = next((str(word) for word in given.classes if word and word not in shares), None)
    if wrong is not None:
        raise InputError(f"trips name class '{wrong[:40]}'", hint=f"one of {', '.join(shares)}, or none")
    found = []
    for name, share in shares.items():
        part = np.where(given.classes == name, 1.0, np.where(given.classes == "", share, 0.0)) * given.volumes
        used = part > 0.0
        if used.any():
            found.append(Trips(name, ends[0][used], ends[1][used], part[used]))
    return found


def make_classes(
    trips: Sequence[Trips], nodes: Index, pcu: Mapping[str, float], fixed: Mapping[str, Values]
) -> list[TravelClass]:  # fmt: skip
    """Return classes of travel between the nodes of zones (zones,), with pcu and fixed costs of links by class."""
    return [
        TravelClass(
            each.name, nodes[each.origins].astype(np.int32), nodes[each.destinations].astype(np.int32), each.volumes,
            pcu[each.name], fixed.get(each.name),
        )
        for each in trips
    ]  # fmt: skip

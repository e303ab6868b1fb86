"""How long first responders take under water, and what the way to a hospital becomes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from network.paths import Router
from network.roads import RoadGraph, Values
from twin.roads.access import Account, Scene, list_ends
from twin.roads.flooding import WaterAt

TARGETS = (480.0, 900.0)
"""Arrival times that are counted [s]: 8 and 15 minutes, usual targets of ambulances and fire brigades."""
SERVICES = {"fire": ("fire_station",), "ambulance": ("hospital",)}
MOST_CENTRES = 500

Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Arrival:
    """Seconds until a service is at each junction (junctions,): dry, and under the water shown; summary in words."""

    dry: Values
    wet: Values
    summary: dict[str, Any]


def time_responders(scene: Scene, account: Account) -> dict[str, Arrival]:
    """Return the arrival of each service that the city has stations of, dry, now and at every step."""
    graph, mode = scene.graph, "emergency"
    router = scene.build_router(mode, None)
    stations = {name: np.unique(scene.places.junction[scene.places.select(*kinds)]) for name, kinds in SERVICES.items()}
    stations = {name: found for name, found in stations.items() if found.size}
    if not stations:
        return {}
    dry = {name: _spread(router, graph, found) for name, found in stations.items()}
    steps: dict[str, list[dict[str, Any]]] = {name: [] for name in stations}
    for time, water in zip(account.times, scene.water.steps, strict=True):
        _weigh(router, scene, mode, water)
        for name, found in stations.items():
            steps[name].append({"time": time.isoformat(), **_count(scene, _spread(router, graph, found))})
    _weigh(router, scene, mode, account.now)
    arrivals = {}
    for name, found in stations.items():
        wet = _spread(router, graph, found)
        arrivals[name] = Arrival(
            dry[name],
            wet,
            {
                "stations": int(found.size),
                "before": _count(scene, dry[name]),
                "under_water": _count(scene, wet),
                "steps": steps[name],
            },
        )
    return arrivals


def find_detours(scene: Scene, account: Account, centres: Index, names: list[str]) -> dict[str, Any] | None:
    """Return what the way from each centre (junctions (n,), with names) to a hospital becomes; None without hospitals.

    before: to the nearest hospital when dry; same: to that one under water; after: to the nearest under water.
    """
    places = scene.places
    hospitals = places.select("hospital")
    if hospitals.size == 0 or centres.size == 0:
        return None
    centres, names = centres[:MOST_CENTRES], names[:MOST_CENTRES]
    graph = scene.graph
    router = scene.build_router(scene.mode, None)
    ends = list_ends(graph, places.junction[hospitals])
    dry = router.compute_matrix(centres, ends)
    _weigh(router, scene, scene.mode, account.now)
    wet = router.compute_matrix(centres, ends)
    labels = [str(name) for name in places.frame["name"].fillna(places.frame["place_id"]).iloc[hospitals]]
    nearest, best = dry.argmin(axis=1), wet.argmin(axis=1)
    place = np.arange(centres.size)
    rows = [
        {
            "from": names[i],
            "to": labels[nearest[i]],
            "before": _round(dry[i, nearest[i]]),
            "same": _round(wet[i, nearest[i]]),
            "after": _round(wet[i, best[i]]),
            "after_to": labels[best[i]] if np.isfinite(wet[i, best[i]]) else None,
        }
        for i in place
        if np.isfinite(dry[i, nearest[i]])
    ]
    could = np.isfinite(dry)
    still = could & np.isfinite(wet)
    return {
        "mode": scene.mode,
        "pairs": int(could.sum()),
        "pairs_without_a_way": int((could & ~np.isfinite(wet)).sum()),
        "longer": float(round(wet[still].sum() / max(dry[still].sum(), 1e-9) - 1.0, 4)) if still.any() else None,
        "rows": sorted(
            rows, key=lambda row: (row["after"] is not None, -(row["after"] or 0.0) + (row["before"] or 0.0))
        ),
    }


def read_medians(values: Values, people: Values, groups: Index, count: int) -> list[float | None]:
    """Return the median of values by people in each group (count,), None where it is infinite or nobody lives there."""
    found: list[float | None] = []
    for group in range(count):
        own = np.flatnonzero((groups == group) & (people > 0.0))
        order = own[np.argsort(values[own], kind="stable")]
        half = np.searchsorted(np.cumsum(people[order]), people[order].sum() / 2.0)
        found.append(_round(float(values[order[half]])) if own.size else None)
    return found


def _weigh(router: Router, scene: Scene, mode: str, water: WaterAt) -> None:
    router.reweight(scene.compute_times(mode, water)[scene.graph.links])


def _spread(router: Router, graph: RoadGraph, stations: Index) -> Values:
    """Return the seconds from the nearest station to each junction (junctions,)."""
    found = np.full(graph.junction_count, np.inf)
    np.minimum.at(found, graph.junctions, router.compute_distances(stations))
    return found


def _count(scene: Scene, seconds: Values) -> dict[str, Any]:
    people = scene.people
    total = max(float(people.sum()), 1e-9)
    reached = np.isfinite(seconds)
    order = np.argsort(seconds, kind="stable")
    half = order[min(int(np.searchsorted(np.cumsum(people[order]), total / 2.0)), order.size - 1)]
    return {
        "median": _round(float(seconds[half])) if people.any() else None,
        **{f"within_{round(target / 60)}_min": round(float(people[seconds <= target].sum())) for target in TARGETS},
        "people_not_reached": round(float(people[~reached & scene.main].sum())),
    }


def _round(seconds: float) -> float | None:
    return round(float(seconds), 1) if np.isfinite(seconds) else None

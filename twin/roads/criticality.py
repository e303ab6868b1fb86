"""What the roads of the city are tried with: trips from where people live to where they work, learn and buy."""

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.spatial import KDTree

from network.criticality import Demand, Index, find_core, spread_trips, time_trips
from network.paths import Router
from network.roads import Mask, RoadGraph, Values
from twin.process import CityView
from twin.roads.access_people import Residents, place_residents

DRAWN_TO = ("school", "university", "hospital", "clinic", "market", "government")
"""Categories of the layer places that people travel to, where population cells count no jobs."""
REACH = 300.0
"""A place is reached from a junction within this [m]."""


@dataclass(frozen=True, slots=True, eq=False)
class CityTrips:
    """Trips of a mode: who lives where, from where to where they go, where hospitals are.

    people: at each junction (junctions,). hospitals: their junctions. drawn_by: what attracts, "jobs", "places" or
    "people".
    """

    demand: Demand
    residents: Residents
    people: Values
    hospitals: Index
    drawn_by: str


def make_trips(
    view: CityView,
    graph: RoadGraph,
    router: Router,
    usable: Mask,
    main: Mask,
    *,
    places: int,
    per_person: float,
    mean_time: float,
) -> CityTrips:
    """Return trips between up to ``places`` origins and as many destinations in the ``main`` part (junctions,).

    Origins are drawn in proportion to people, destinations to jobs of population cells, else to places of the layer
    ``places``, else to people; the same city gives the same draw. Each stands for an equal share of all, so none lies
    in a dead end: a single one would stand for more people than live there. They lie where the dead end begins.
    """
    residents = place_residents(view, graph, main)
    people = residents.at_junctions(graph.junction_count)
    attracted, drawn_by = _find_attraction(view, residents, graph, main, people)
    gates = _find_gates(graph, main & find_core(graph, usable))
    origins, produced = _draw(_gather(gates, people), places)
    destinations, weights = _draw(_gather(gates, attracted), places)
    seconds = time_trips(graph, router, origins, destinations)
    trips = spread_trips(seconds, produced * per_person, weights, mean_time)
    hospitals = view.layer("places", columns=["category"])
    hospitals = hospitals[(hospitals["category"] == "hospital") & hospitals.geometry.notna()]
    at = _snap(graph, main, np.asarray(shapely.centroid(hospitals.geometry.to_numpy()), object))
    return CityTrips(Demand(origins, destinations, trips), residents, people, np.unique(at[at >= 0]), drawn_by)


def _find_attraction(
    view: CityView, residents: Residents, graph: RoadGraph, main: Mask, people: Values
) -> tuple[Values, str]:
    if "jobs" in residents.cells and residents.cells["jobs"].sum() > 0:
        counts = np.bincount(residents.cell, minlength=len(residents.cells))
        jobs = residents.cells["jobs"].to_numpy(float)[residents.cell] / counts[residents.cell]
        return np.bincount(residents.junction, jobs, graph.junction_count).astype(np.float64), "jobs"
    frame = view.layer("places", columns=["category"])
    frame = frame[frame["category"].isin(DRAWN_TO) & frame.geometry.notna()]
    at = _snap(graph, main, np.asarray(shapely.centroid(frame.geometry.to_numpy()), object))
    if (at >= 0).any():
        return np.bincount(at[at >= 0], minlength=graph.junction_count).astype(np.float64), "places"
    return people, "people"


def _find_gates(graph: RoadGraph, core: Mask) -> Index:
    """Return for each junction the nearest one of the core (junctions,), itself where there is no core."""
    inside = np.flatnonzero(core)
    if not inside.size:
        return np.arange(graph.junction_count)
    _, near = KDTree(graph.junction_xy[inside]).query(graph.junction_xy)
    return np.asarray(inside[near], np.int64)


def _gather(gates: Index, weights: Values) -> Values:
    """Return the weights (junctions,) at the gate of each junction (junctions,)."""
    return np.bincount(gates, weights, weights.size).astype(np.float64)


def _draw(weights: Values, places: int) -> tuple[Index, Values]:
    """Return up to ``places`` junctions, drawn at even steps along the sum of the weights, and the weight of each."""
    total = float(weights.sum())
    if total <= 0.0:
        return np.zeros(0, np.int64), np.zeros(0)
    steps = (np.arange(places) + 0.5) * total / places
    drawn = np.searchsorted(np.cumsum(weights), steps, side="right").clip(max=weights.size - 1)
    junctions, counts = np.unique(drawn, return_counts=True)
    return junctions.astype(np.int64), counts * total / places


def _snap(graph: RoadGraph, main: Mask, points: np.ndarray) -> Index:
    """Return the nearest junction of the main part within reach of each point (n,), -1 for none."""
    found = np.full(points.size, -1, np.int64)
    inside = np.flatnonzero(main)
    if points.size and inside.size:
        tree = shapely.STRtree(np.asarray(shapely.points(graph.junction_xy[inside]), object))
        place, near = tree.query_nearest(points, max_distance=REACH, all_matches=False)
        found[place] = inside[near]
    return found

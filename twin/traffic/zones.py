"""Zones of the city: where trips begin and end, from ``traffic_zones``, population cells or wards, joined to roads."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from layers.errors import InputError
from network.assignment_network import Index, Mask, Values
from network.roads import RoadGraph
from twin.process import CityView

MAX_ZONES = 1500
DOORS = 3
"""Junctions by which trips leave and reach a zone."""
FAR_M = 3000.0
_JOB_PLACES = {
    "market": 60.0,
    "school": 50.0,
    "university": 300.0,
    "hospital": 250.0,
    "clinic": 10.0,
    "government": 60.0,
}
"""Jobs that a place stands for where the layers count none."""


@dataclass(frozen=True, eq=False)
class Zones:
    """Zones by id: centres (zones, 2) [m], people and jobs (zones,), trips a day that are told, NaN where not.

    source: the layer they come from.
    """

    ids: list[str]
    centres: Values
    people: Values
    jobs: Values
    produced: Values
    attracted: Values
    source: str


@dataclass(frozen=True, eq=False)
class Doors:
    """Which zone (doors,) is joined to which junction (doors,), how far off (doors,) [m]; lost: zones without any."""

    zones: Index
    junctions: Index
    distances: Values
    lost: Index


def read_zones(view: CityView, size: float) -> Zones:
    """Return the zones of the city; cells of population are gathered on a grid of ``size`` [m].

    InputError where there are none, or too many.
    """
    zones = view.layer("traffic_zones")
    if len(zones):
        return _check(_read_given(zones))
    cells = view.layer("population", columns=["population", "jobs"])
    cells = cells[cells["population"].fillna(0).astype(float) + cells["jobs"].fillna(0).astype(float) > 0]
    if len(cells):
        return _check(_gather(view, cells, size))
    wards = view.layer("wards", columns=["population"])
    wards = wards[wards["population"].fillna(0).astype(float) > 0]
    if len(wards):
        return _check(_gather(view, wards.assign(jobs=0), 1.0, source="wards"))
    raise InputError(
        "the city has no zones: layers traffic_zones, population and wards have no people",
        hint="load one of them, or give a network and trips",
    )


def join_zones(zones: Zones, graph: RoadGraph, usable: Mask) -> Doors:
    """Return the junctions nearest to each zone, of those that reach each other over ``usable`` links (links,)."""
    members = _find_main_part(graph, usable)
    if not members.size:
        raise InputError("the city has no roads that lead anywhere", hint="load a source of layer road_links")
    count = min(DOORS, members.size)
    far, near = cKDTree(graph.junction_xy[members]).query(zones.centres, k=count, distance_upper_bound=FAR_M)
    far, near = far.reshape(-1, count), near.reshape(-1, count)
    zone, _ = np.nonzero(np.isfinite(far))
    found = np.isfinite(far)
    lost = np.flatnonzero(~found.any(axis=1))
    return Doors(zone.astype(np.int32), members[near[found]].astype(np.int32), far[found], lost.astype(np.int32))


def _read_given(frame: gpd.GeoDataFrame) -> Zones:
    centres = frame.geometry.centroid
    numbers: dict[str, Values] = {
        name: np.asarray(frame[name].astype(float), np.float64)
        for name in ("population", "jobs", "produced", "attracted")
    }
    return Zones(
        [str(one) for one in frame["id"]], np.column_stack((centres.x, centres.y)),
        np.nan_to_num(numbers["population"]), np.nan_to_num(numbers["jobs"]),
        numbers["produced"], numbers["attracted"], "traffic_zones",
    )  # fmt: skip


def _gather(view: CityView, frame: gpd.GeoDataFrame, size: float, source: str = "population") -> Zones:
    """Return cells gathered by the squares of a grid that their middle lies in, with the jobs of places in them."""
    centres = frame.geometry.centroid
    xy = np.column_stack((centres.x, centres.y))
    people = np.nan_to_num(frame["population"].astype(float).to_numpy())
    jobs = np.nan_to_num(frame["jobs"].astype(float).to_numpy())
    squares, owner = np.unique(np.floor(xy / size).astype(np.int64), axis=0, return_inverse=True)
    owner = owner.ravel()
    count = squares.shape[0]
    weight = np.bincount(owner, people + jobs + 1e-9, minlength=count)
    middle = np.column_stack([np.bincount(owner, (people + jobs + 1e-9) * xy[:, axis]) / weight for axis in (0, 1)])
    living: Values = np.bincount(owner, people, minlength=count).astype(np.float64)
    worked: Values = np.bincount(owner, jobs, minlength=count).astype(np.float64)
    if not worked.any():
        worked = _count_places(view, middle)
    nothing = np.full(count, np.nan)
    ids = [f"{source[0].upper()}{k + 1:04d}" for k in range(count)]
    if source == "wards":
        ids = [str(frame["id"].iloc[int(np.flatnonzero(owner == k)[0])]) for k in range(count)]
    return Zones(ids, middle, living, worked, nothing, nothing, source)


def _count_places(view: CityView, centres: Values) -> Values:
    """Return the jobs that places near each zone stand for (zones,)."""
    places = view.layer("places", columns=["category"])
    places = places[places.geometry.notna()]
    if places.empty:
        return np.zeros(centres.shape[0])
    middle = places.geometry.centroid
    _, zone = cKDTree(centres).query(np.column_stack((middle.x, middle.y)))
    weight = np.array([_JOB_PLACES.get(str(word), 3.0) for word in places["category"]])
    return np.bincount(zone, weight, minlength=centres.shape[0]).astype(np.float64)


def _check(zones: Zones) -> Zones:
    if len(zones.ids) > MAX_ZONES:
        raise InputError(f"{len(zones.ids):,} zones, at most {MAX_ZONES:,} are taken", hint="give a larger zone_size")
    if len(zones.ids) < 2:
        raise InputError("the city has one zone, expected two or more", hint="give a smaller zone_size")
    return zones


def _find_main_part(graph: RoadGraph, usable: Mask) -> NDArray[np.int64]:
    """Return the junctions of the largest part in which every one reaches every other."""
    arcs = usable[graph.links]
    ends = (graph.junctions[graph.tails[arcs]], graph.junctions[graph.heads[arcs]])
    matrix = coo_array((np.ones(int(arcs.sum()), np.int8), ends), shape=(graph.junction_count,) * 2)
    _, part = connected_components(matrix.tocsr(), directed=True, connection="strong")
    largest = int(np.argmax(np.bincount(part))) if part.size else 0
    members = np.flatnonzero(part == largest)
    return members if members.size > 1 else np.zeros(0, np.int64)

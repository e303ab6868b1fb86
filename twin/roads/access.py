"""What water on roads takes away, step by step: which roads are closed, who is cut off, who reaches no hospital."""

from dataclasses import dataclass
from datetime import datetime

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from network.access import find_cut_off, find_main_part, find_reaching
from network.flooded_roads import SLOW_SHARE, find_spans, flood_speeds, measure_steps
from network.paths import Ends, Router, build_ends, build_router
from network.road_times import compute_times, free_speeds
from network.roads import Mask, RoadGraph, Values
from twin.process import CityView, Progress, StoppedError
from twin.roads.access_people import Residents, find_wards, place_residents
from twin.roads.access_places import AccessPlaces, read_places
from twin.roads.city_roads import CityRoads
from twin.roads.closures import read_closures
from twin.roads.flooding import RoadWater, WaterAt

Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """The city before the water: roads, who lives where, places, and the water that comes.

    mode: what moves; closing_depth: another depth than the usual that closes its roads [m]. usable: links the mode may
    use when dry (links,); main: the junctions of the main part then (junctions,). people: at each junction
    (junctions,). wards with name and ward_code, junction_wards: which of them each junction lies in,
    -1 for none. router: over the arcs of the graph, to be given costs.
    """

    roads: CityRoads
    water: RoadWater
    mode: str
    closing_depth: float | None
    usable: Mask
    main: Mask
    residents: Residents
    people: Values
    places: AccessPlaces
    wards: gpd.GeoDataFrame
    junction_wards: Index
    router: Router

    @property
    def graph(self) -> RoadGraph:
        """The roads as a graph."""
        return self.roads.graph

    def find_closed(self, water: WaterAt, mode: str | None = None) -> Mask:
        """Return which stretches water closes to a mode (edges,); ferries and raised bridges it does not."""
        own = mode is None or mode == self.mode
        closed = water.find_closed(mode or self.mode, self.closing_depth if own else None)
        return closed & ~_find_ferries(self.graph)

    def build_router(self, mode: str, water: WaterAt | None) -> Router:
        """Return a router over seconds for a mode, dry without ``water``; the arcs are shared by all."""
        router = self.router.fork()
        router.reweight(self.compute_times(mode, water)[self.graph.links])
        return router

    def compute_times(self, mode: str, water: WaterAt | None) -> Values:
        """Return the seconds along each link for a mode, dry without ``water`` (links,)."""
        shut = ~self.usable if mode == self.mode else None
        if water is None:
            return compute_times(self.graph, mode, closed=shut)
        own = self.closing_depth if mode == self.mode else None
        closed = self.find_closed(water, mode)
        speeds = flood_speeds(self.graph, mode, water.mean, closed, closed_from=own)
        return compute_times(self.graph, mode, speeds=speeds, closed=shut)


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """The flood on the network, by step; a flood without times is one step.

    times: of the steps, none where only the peak is known. closed: (steps, edges); cut_off, no_hospital: (steps,
    junctions), cut off from the main part, and from every hospital that could be reached before. shown: the step that
    is shown, None where a time between steps was asked. now: the water shown; the masks of it: closed_now (edges,),
    cut_now, no_hospital_now (junctions,). has_hospitals: whether the city has any on its roads.
    """

    times: tuple[datetime, ...]
    closed: NDArray[np.bool_]
    cut_off: NDArray[np.bool_]
    no_hospital: NDArray[np.bool_]
    moment: datetime | None
    now: WaterAt
    closed_now: Mask
    cut_now: Mask
    no_hospital_now: Mask
    has_hospitals: bool

    @property
    def seconds(self) -> Values:
        """The times of the steps [s since 1970 UTC] (times,)."""
        return np.array([time.timestamp() for time in self.times])

    def measure(self, which: NDArray[np.bool_]) -> Values:
        """Return how long [s] each is so, of (steps, n) flags; NaN where the flood has no times."""
        if len(self.times) < 2:
            return np.full(which.shape[1], np.nan)
        return np.asarray(measure_steps(self.seconds) @ which, np.float64)

    def find_spans(self, which: NDArray[np.bool_]) -> tuple[Index, Index, Values]:
        """Return first step, step after the last, and seconds in all (n,); see network.flooded_roads.find_spans."""
        return find_spans(which, self.seconds if self.times else np.zeros(1))


def set_scene(view: CityView, water: RoadWater, mode: str, closing_depth: float | None, at: datetime) -> Scene:
    """Return the city before the water, with the road works in force at ``at``."""
    roads = view.roads()
    graph = roads.graph
    works = read_closures(view, roads, at, mode)
    usable = np.isfinite(compute_times(graph, mode, closed=works.closed))
    # Who lives where is known once the main part is, and the main part by who lives there: first by its size.
    first = find_main_part(graph, usable, np.zeros(graph.junction_count))
    residents = place_residents(view, graph, first)
    people = residents.at_junctions(graph.junction_count)
    places = read_places(view, roads, usable, first, water)
    wards, own = find_wards(view, np.asarray(shapely.points(graph.junction_xy), dtype=object))
    router = build_router(
        graph.tails, graph.heads, np.ones(graph.arc_count), nodes=graph.node_count, xy=graph.node_xy, engine="dijkstra"
    )
    return Scene(roads, water, mode, closing_depth, usable, first, residents, people, places, wards, own, router)


def follow_water(scene: Scene, at: datetime | None, progress: Progress, begin: float, finish: float) -> Account:
    """Return what the water does step by step, and at ``at`` or, without it, when it is worst.

    Worst is the step with the most people cut off, of equal ones that with the most road closed. ``begin`` and
    ``finish`` are shares of the progress. Raises InputError for a time outside the flood, StoppedError when asked to
    stop.
    """
    water = scene.water
    steps = water.steps or (water.peak,)
    hospitals = scene.places.junction[scene.places.select("hospital")]
    served = find_reaching(scene.graph, scene.usable, hospitals)
    known: dict[bytes, tuple[Mask, Mask]] = {}

    def judge(closed: Mask) -> tuple[Mask, Mask]:
        key = np.packbits(closed).tobytes()
        if key not in known:
            now = scene.usable & ~closed[scene.graph.edges]
            cut = find_cut_off(scene.graph, scene.main, now, scene.people)
            known[key] = cut, served & ~find_reaching(scene.graph, now, hospitals)
        return known[key]

    closed = np.zeros((len(steps), scene.graph.edge_count), np.bool_)
    cut = np.zeros((len(steps), scene.graph.junction_count), np.bool_)
    lost = np.zeros_like(cut)
    for place, step in enumerate(steps):
        if progress.should_stop():
            raise StoppedError
        closed[place] = scene.find_closed(step)
        cut[place], lost[place] = judge(closed[place])
        progress.report(begin + (finish - begin) * (place + 1) / len(steps), "đường bị ngập — roads under water")
    moment = at
    if at is not None:
        now = water.at(at)
        closed_now = scene.find_closed(now)
    else:
        worst = int(np.lexsort((closed @ measure_edges(scene.graph), cut @ scene.people))[-1])
        moment, now, closed_now = (water.times[worst] if water.times else None), steps[worst], closed[worst]
    return Account(water.times, closed, cut, lost, moment, now, closed_now, *judge(closed_now), bool(hospitals.size))


def class_states(scene: Scene, water: WaterAt, closed: Mask) -> tuple[NDArray[np.object_], Values, Values]:
    """Return state (open, slow, closed), speed and free speed [km/h] of each stretch for the mode (edges,).

    NaN speeds where the mode may not go. Of two ways the faster counts.
    """
    graph = scene.graph
    own = flood_speeds(graph, scene.mode, water.mean, closed, closed_from=scene.closing_depth)
    free = _of_edges(graph, np.where(scene.usable, free_speeds(graph, scene.mode), -1.0))
    speed = _of_edges(graph, np.where(scene.usable, own, -1.0))
    states = np.where(closed, "closed", np.where(speed < SLOW_SHARE * free, "slow", "open")).astype(object)
    return states, np.where(speed < 0.0, np.nan, speed), np.where(free < 0.0, np.nan, free)


def list_ends(graph: RoadGraph, junctions: Index) -> Ends:
    """Return junctions (n,) as ends of ways: with banned turns one is several nodes."""
    first, nodes = graph.junction_nodes
    own = [nodes[first[junction] : first[junction + 1]] for junction in junctions.tolist()]
    return build_ends([(each, np.zeros(each.size)) for each in own])


def measure_edges(graph: RoadGraph) -> Values:
    """Return the length of each stretch [m] (edges,)."""
    return np.maximum(_of_edges(graph, graph.lengths), 0.0)


def _of_edges(graph: RoadGraph, values: Values) -> Values:
    found = np.full(graph.edge_count, -1.0)
    np.maximum.at(found, graph.edges, values)
    return found


def _find_ferries(graph: RoadGraph) -> Mask:
    found = np.zeros(graph.edge_count, np.bool_)
    found[graph.edges[graph.is_ferry]] = True
    return found

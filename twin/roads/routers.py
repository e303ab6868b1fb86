"""Routers kept warm: one order of the roads, and costs for each way of asking that was used lately.

The arcs are arranged once for roads that do not change. Costs of a mode, a vehicle, closures in force, water at a time
or roads to avoid are a fork of it: the same arcs with other weights, made in milliseconds and kept while asked for.
"""

import threading
import weakref
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from layers.errors import InputError
from network.paths import Engine, Router, build_router
from network.road_times import Vehicle, compute_times, free_speeds
from network.roads import Mask, RoadGraph, Values
from twin.process import CityView
from twin.roads.city_roads import CityRoads
from twin.roads.closures import ClosedLinks, Work, read_closures
from twin.roads.flooding import read_flood_times

KEPT, KEPT_NODES = 12, 2_000_000
"""Costs kept in memory for the roads of a city: so many, of so many nodes together at most."""
AT_ONCE = 20_000
"""A hierarchy of so few nodes is made while the first asks; of more in the background, Dijkstra answers meanwhile."""
MOST_AVOIDED = 200


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under what somebody travels.

    mode: of the road graph. closures: whether works in force at ``at`` count. flood_run: the run whose water counts, at
    ``flood_at``, at its peak without. avoid: ids of roads or names of streets.
    """

    mode: str
    at: datetime
    vehicle: Vehicle | None = None
    closures: bool = True
    flood_run: str | None = None
    flood_at: datetime | None = None
    avoid: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class RoadCosts:
    """What travelling costs now.

    graph: with the turns of the mode. router: over its arcs, with the costs of ``seconds`` (links,), inf where the mode
    may not or cannot go. flooded, avoided: links closed for that reason (links,). works: the events in force.
    """

    graph: RoadGraph
    router: Router
    seconds: Values
    flooded: Mask
    avoided: Mask
    works: tuple[Work, ...]


@dataclass(eq=False)
class _OfRoads:
    """The routers of one city's roads at one moment: of each graph, and with each costs."""

    bases: dict[int, Router] = field(default_factory=dict)
    makers: dict[int, threading.Thread] = field(default_factory=dict)
    kept: OrderedDict[Hashable, RoadCosts] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def find_base(self, graph: RoadGraph, *, prepared: bool) -> Router:
        """Return the router of a graph; ``prepared``: that with the hierarchy, waiting for it where it must."""
        key = id(graph)
        with self.lock:
            if key not in self.bases:
                soon = prepared or graph.node_count <= AT_ONCE
                self.bases[key] = _build_base(graph, "cch" if soon else "dijkstra")
                if not soon:
                    self.makers[key] = threading.Thread(target=self._prepare, args=(graph,), daemon=True)
                    self.makers[key].start()
            maker = self.makers.get(key)
        if prepared and maker is not None:
            maker.join()
        return self.bases[key]

    def _prepare(self, graph: RoadGraph) -> None:
        made = _build_base(graph, "cch")
        with self.lock:
            self.bases[id(graph)] = made


class WarmRouters:
    """Routers by roads; threads may ask at once. What belongs to roads that nobody holds any more goes with them."""

    def __init__(self) -> None:
        self._of: weakref.WeakKeyDictionary[CityRoads, _OfRoads] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    def get(self, view: CityView, roads: CityRoads, conditions: Conditions, *, prepared: bool = False) -> RoadCosts:
        """Return costs and router under the conditions; NotFoundError or InputError for what they name wrongly.

        prepared: wait for the hierarchy, for a question of which it answers much sooner.
        """
        with self._lock:
            own = self._of.setdefault(roads, _OfRoads())
        graph = roads.graph_of(conditions.mode)
        closed = read_closures(view, roads, conditions.at, conditions.mode) if conditions.closures else None
        key = (
            conditions.mode, conditions.vehicle, _sign(closed), conditions.flood_run,
            conditions.flood_at if conditions.flood_run else None, conditions.avoid,
        )  # fmt: skip
        base = own.find_base(graph, prepared=prepared)
        with own.lock:
            found = own.kept.get(key)
            if found is not None and found.router.engine == base.engine:
                own.kept.move_to_end(key)
                return found
        made = _make_costs(view, roads, graph, base, conditions, closed)
        with own.lock:
            own.kept[key] = made
            while len(own.kept) > max(2, min(KEPT, KEPT_NODES // max(graph.node_count, 1))):
                own.kept.popitem(last=False)
        return made


ROUTERS = WarmRouters()
"""The routers of this process."""


def find_avoided(roads: CityRoads, words: tuple[str, ...]) -> Mask:
    """Return the links of the roads with these ids or street names (links,); InputError for a word that is neither."""
    if len(words) > MOST_AVOIDED:
        raise InputError(f"{len(words)} roads are to be avoided, at most {MOST_AVOIDED} can be")
    graph = roads.graph
    edges = np.zeros(graph.edge_count, np.bool_)
    for word in words:
        found = (roads.items == word) | (roads.names == word)
        if not found.any():
            raise InputError(f"'avoid' names '{word[:80]}', which is no id and no name of a road")
        edges |= found
    return edges[graph.edges]


def _build_base(graph: RoadGraph, engine: Engine) -> Router:
    closed = np.full(graph.arc_count, np.inf)
    return build_router(graph.tails, graph.heads, closed, nodes=graph.node_count, xy=graph.node_xy, engine=engine)


def _make_costs(
    view: CityView,
    roads: CityRoads,
    graph: RoadGraph,
    base: Router,
    conditions: Conditions,
    closed: ClosedLinks | None,
) -> RoadCosts:
    """Weigh the links under the conditions; see ``Conditions``."""
    vehicle = conditions.vehicle
    avoided = find_avoided(roads, conditions.avoid)
    shut, speeds = avoided.copy(), free_speeds(graph, conditions.mode)
    if closed is not None:
        shut |= closed.closed
        speeds = np.minimum(speeds, closed.speed_limits)
        if vehicle is not None:
            shut |= (vehicle.height > closed.max_heights) | (vehicle.weight > closed.max_weights)
            shut |= vehicle.width > closed.max_widths
    if conditions.flood_run is None:
        seconds, flooded = compute_times(graph, conditions.mode, vehicle=vehicle, speeds=speeds, closed=shut), None
    else:
        wet = read_flood_times(
            view, roads, conditions.flood_run, conditions.flood_at, conditions.mode, vehicle=vehicle, speeds=speeds,
            closed=shut,
        )  # fmt: skip
        seconds, flooded = wet.seconds, wet.closed
    router = base.fork()
    router.reweight(seconds[graph.links])
    none = np.zeros(graph.link_count, np.bool_)
    return RoadCosts(
        graph, router, seconds, none if flooded is None else flooded, avoided, () if closed is None else closed.works
    )


def _sign(closed: ClosedLinks | None) -> Hashable:
    """Return what tells closures apart: what they do to the links they touch."""
    if closed is None or closed.is_clear:
        return None if closed is None else ()
    links = np.unique(np.concatenate([work.links for work in closed.works]))
    parts = links, closed.closed, closed.speed_limits, closed.max_heights, closed.max_weights, closed.max_widths
    words = tuple((work.id, work.name) for work in closed.works)
    return words, links.tobytes(), *(part[links].tobytes() for part in parts[1:])

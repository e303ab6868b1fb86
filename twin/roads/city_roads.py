"""The roads of the city: the graph, and which stretch of which feature each of its edges is."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely import STRtree

from layers.errors import NotFoundError
from network.road_places import Vertices
from network.roads import Index, RoadGraph, Values, ban_turns
from twin.roads.turns import Ban, Unheeded, choose_ways

Objects = NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class CityRoads:
    """Roads at one moment; never changed, shared by threads.

    graph: with the turns that cars may not make. stamp: what it was built from; equal stamps are equal roads. items: id
    of the feature of each edge (edges,). layers: its layer, ``road_links`` or ``ferry_routes``. parts: which stretch of
    the feature. measures: (edges, 2) where the stretch lies along its line [m]. names: of the street, "" where it has
    none. begin, finish: its first and last of ``vertices``. parted: places (n, 2) where roads on different levels share
    a vertex and were kept apart. joined: places (n, 2) of ends that stopped short of a road and were joined to it.
    bans: turns that signs forbid; unheeded: signs that could not be heeded.
    """

    graph: RoadGraph
    stamp: str
    items: Objects
    layers: Objects
    parts: Index
    measures: Values
    names: Objects
    begin: NDArray[np.int64]
    finish: NDArray[np.int64]
    vertices: Vertices
    parted: Values
    joined: Values
    bans: tuple[Ban, ...]
    unheeded: tuple[Unheeded, ...]

    def graph_of(self, mode: str) -> RoadGraph:
        """Return the graph with the turns that a mode may not make; its links are those of ``graph``.

        People on foot and emergency vehicles make any turn. The graph is that of cars where the same turns are banned.
        """
        if mode not in self._graphs:
            ways = choose_ways(self.bans, mode)
            self._graphs[mode] = self.graph if ways == choose_ways(self.bans, "car") else ban_turns(self.graph, ways)
        return self._graphs[mode]

    @cached_property
    def _graphs(self) -> dict[str, RoadGraph]:
        return {"car": self.graph}

    def lines(self, edges: ArrayLike | None = None) -> Objects:
        """Return the lines of edges as drawn (n,), of all without ``edges``; in the city's CRS."""
        chosen = np.arange(self.items.size) if edges is None else np.asarray(edges, np.int64)
        if not chosen.size:
            return np.zeros(0, object)
        sizes = self.finish[chosen] - self.begin[chosen] + 1
        owner = np.repeat(np.arange(chosen.size), sizes)
        inside = np.arange(owner.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        xy = self.vertices.xy[self.begin[chosen][owner] + inside]
        return np.asarray(shapely.linestrings(xy, indices=owner), object)

    @cached_property
    def tree(self) -> STRtree:
        """The index of all edges by place, in their order."""
        return STRtree(self.lines())

    @cached_property
    def places(self) -> dict[str, list[int]]:
        """The edges of each feature, in order along it."""
        found: dict[str, list[int]] = {}
        for edge, item in enumerate(self.items.tolist()):
            found.setdefault(item, []).append(edge)
        return found

    def find_edges(self, item: str) -> Index:
        """Return the edges of a feature in order along it; NotFoundError for one that is none of the roads."""
        if item not in self.places:
            raise NotFoundError(f"there is no road '{item[:80]}'", hint="name a feature of road_links or ferry_routes")
        return np.array(self.places[item], np.int32)

"""Hospitals, schools, shelters, fire stations and stops on the roads: at which junction, and what the water leaves."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from network.roads import Mask, RoadGraph, Values
from twin.process import CityView
from twin.roads.city_roads import CityRoads
from twin.roads.flooding import RoadWater

REACH = 300.0
"""A place is reached from a road within this [m]."""
FLOODED_FROM = 0.3
"""A place is under water from this depth on [m]: it enters ground floors (plinths of 0.3 m)."""
CATEGORIES = ("hospital", "clinic", "school", "university", "shelter", "police", "fire_station", "market", "government")
"""Categories of the layer places that are followed."""

Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class AccessPlaces:
    """Places and stops: ``frame`` with place_layer, place_id, name, category, capacity, ward_code and a point each.

    junction: where each meets the roads (n,), -1 where no road is near; edge: the stretch it lies at, -1 likewise.
    depth: water at the place when it is deepest [m] (n,).
    """

    frame: gpd.GeoDataFrame
    junction: Index
    edge: Index
    depth: Values

    def select(self, *categories: str) -> Index:
        """Return the places of categories (k,) that meet a road."""
        wanted = self.frame["category"].isin(categories).to_numpy(dtype=bool)
        return np.flatnonzero(wanted & (self.junction >= 0))

    @property
    def flooded(self) -> Mask:
        """Which places are under water at the peak (n,)."""
        return np.asarray(self.depth >= FLOODED_FROM)


def read_places(view: CityView, roads: CityRoads, usable: Mask, main: Mask, water: RoadWater) -> AccessPlaces:
    """Return the places of CATEGORIES, fire stations and stops.

    usable: links a place may be reached by (links,); main: junctions of the main part (junctions,). A place meets the
    nearest stretch of the main part, at its nearer end.
    """
    frame = _gather(view)
    points = np.asarray(frame.geometry.to_numpy(), dtype=object)
    edge, junction = _snap(roads, usable, main, points)
    xy = shapely.get_coordinates(points)
    row, col, inside = water.grid.cells(xy[:, 0], xy[:, 1])
    depth = np.where(inside, np.nan_to_num(water.depth[row, col]), 0.0).astype(np.float64)
    return AccessPlaces(frame, junction, edge, depth)


def _gather(view: CityView) -> gpd.GeoDataFrame:
    places = view.layer("places", columns=["name", "category", "capacity", "ward_code"])
    places = places[places["category"].isin(CATEGORIES)].assign(place_layer="places")
    stations = view.layer("fire_stations", columns=["name", "ward_code"])
    stations = stations.assign(place_layer="fire_stations", category="fire_station", capacity=np.nan)
    if len(stations):
        # The same houses stand in both layers; that of the fire brigade says more.
        places = places[places["category"] != "fire_station"]
    stops = view.layer("stops", columns=["name"]).assign(
        place_layer="stops", category="stop", capacity=np.nan, ward_code=None
    )
    parts = [part for part in (places, stations, stops) if len(part)]
    if not parts:
        parts = [places]
    found = pd.concat([part.rename(columns={"id": "place_id"}) for part in parts], ignore_index=True)
    found["place_id"] = found["place_id"].astype(str)
    return gpd.GeoDataFrame(found[found.geometry.notna()].reset_index(drop=True), geometry="geometry", crs=view.crs)


def _snap(roads: CityRoads, usable: Mask, main: Mask, points: NDArray[np.object_]) -> tuple[Index, Index]:
    graph = roads.graph
    links = np.flatnonzero(usable & main[graph.starts] & main[graph.ends])
    edges = np.unique(graph.edges[links])
    edge, junction = np.full(points.size, -1, np.int64), np.full(points.size, -1, np.int64)
    if edges.size == 0 or points.size == 0:
        return edge, junction
    lines = roads.lines(edges)
    place, found = shapely.STRtree(lines).query_nearest(points, max_distance=REACH, all_matches=False)
    edge[place] = edges[found]
    length = shapely.length(lines[found])
    along = shapely.line_locate_point(lines[found], points[place])
    junction[place] = np.where(along > length / 2.0, *_find_ends(graph, edge[place])[::-1])
    return edge, junction


def _find_ends(graph: RoadGraph, edges: Index) -> tuple[Index, Index]:
    """Return the first and the last junction of edges as drawn (n,)."""
    ahead, back = graph.edge_links[edges].T
    one = np.where(ahead >= 0, ahead, back)
    begin = np.where(ahead >= 0, graph.starts[one], graph.ends[one])
    end = np.where(ahead >= 0, graph.ends[one], graph.starts[one])
    return begin.astype(np.int64), end.astype(np.int64)

"""Metered areas: which nodes are in one, what crosses its boundary, what its meters say."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from layers.errors import NotFoundError
from twin.process import CityView
from twin.water.network import LINK_LAYERS, WaterNetwork, list_rows

Array = NDArray[np.float64]
Objects = NDArray[np.object_]
HOUR = 3600
NEAR = 50.0
"""How far a node may lie from the polygon of its area [m]: boundaries are drawn along streets, pipes beside them."""


@dataclass(frozen=True, slots=True, eq=False)
class Crossing:
    """A link between two areas: its layer and id, the areas it leads from and to (None: none), whether it is open.

    sensor: id of the flow sensor that watches it, None without one.
    """

    layer: str
    id: str
    start: str | None
    end: str | None
    is_open: bool
    sensor: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Inflow:
    """The net inflow of an area by the hour: starts of hours [s since 1970 UTC] and means [m3/s] (hours,).

    meters: the sensors it is the sum of.
    """

    times: Array
    flow: Array
    meters: tuple[str, ...]


def find_areas(view: CityView, network: WaterNetwork) -> Objects:
    """Return the id of the area of each node (nodes,), None where there is none.

    A node's own ``dma_id`` counts, else the polygon it lies in. A reservoir is in none: what it gives is an inflow.
    """
    nodes = network.nodes
    areas = nodes["dma_id"].to_numpy(object).copy()
    areas[pd.isna(areas)] = None
    missing = np.flatnonzero([area is None for area in areas])
    if missing.size:
        polygons = view.layer("dmas", columns=["name"])
        found = locate_points(nodes.geometry.to_numpy()[missing], polygons)
        areas[missing] = found
    areas[(nodes["node_type"] == "reservoir").to_numpy()] = None
    return np.asarray(areas)


def locate_points(points: Objects, polygons: gpd.GeoDataFrame) -> Objects:
    """Return the id of the polygon each point lies in (points,), None for none."""
    found = np.full(len(points), None, object)
    if len(polygons):
        which, polygon = (
            shapely.STRtree(polygons.geometry.to_numpy()).query(points, predicate="intersects").reshape(2, -1)
        )
        found[which] = polygons["id"].to_numpy(object)[polygon]
    return found


def find_crossings(view: CityView, network: WaterNetwork, areas: Objects) -> list[Crossing]:
    """Return the links that lead from one area to another, or into one from none, with their flow sensors."""
    sensors = view.layer("sensors", columns=["kind", "watched_layer", "watched_id"])
    sensors = sensors[(sensors["kind"] == "flow") & sensors["watched_layer"].isin(LINK_LAYERS)]
    watching = {(row.watched_layer, row.watched_id): row.id for row in list_rows(sensors)}
    found = []
    for layer, frame in zip(LINK_LAYERS, network.links, strict=True):
        rows = zip(frame["id"], frame["start"], frame["end"], _find_open(layer, frame), strict=True)
        for key, start, end, stands_open in rows:
            if areas[start] != areas[end]:
                sensor = watching.get((layer, key))
                found.append(Crossing(layer, key, areas[start], areas[end], bool(stands_open), sensor))
    return found


def list_crossings_of(area: str, crossings: Sequence[Crossing]) -> list[tuple[Crossing, float]]:
    """Return what crosses the boundary of an area, with 1 where its direction leads in and −1 where out."""
    return [
        (crossing, 1.0 if crossing.end == area else -1.0)
        for crossing in crossings
        if area in (crossing.start, crossing.end)
    ]


def read_inflow(
    view: CityView, area: str, crossings: Sequence[Crossing], start: datetime, end: datetime
) -> Inflow | None:
    """Return the net inflow of an area by its meters, None where an open crossing has none or they have no common hour.

    An hour counts where every meter was read in it.
    """
    own = list_crossings_of(area, crossings)
    metered = [(crossing, sign) for crossing, sign in own if crossing.sensor is not None]
    if not metered or any(crossing.is_open and crossing.sensor is None for crossing, _ in own):
        return None
    total: pd.Series | None = None
    for crossing, sign in metered:
        assert crossing.sensor is not None
        try:
            times, values = view.series(view.find_datastream(crossing.sensor, "discharge"), start, end)
        except NotFoundError:
            return None
        hours = pd.Series(sign * values).groupby((times // HOUR).astype(np.int64)).mean()
        total = hours if total is None else total.add(hours, fill_value=None)
    total = total.dropna() if total is not None else None
    if total is None or total.empty:
        return None
    meters = tuple(crossing.sensor for crossing, _ in metered if crossing.sensor is not None)
    return Inflow(total.index.to_numpy(np.float64) * HOUR, total.to_numpy(np.float64), meters)


def count_pieces(network: WaterNetwork, areas: Objects) -> dict[str, int]:
    """Return in how many pieces each area falls when all that crosses boundaries is cut; 1 where it is one network."""
    named = [area for area in dict.fromkeys(areas.tolist()) if area is not None]
    start, end, opened = (
        np.concatenate(parts)
        for parts in zip(
            *(
                (frame["start"].to_numpy(np.int64), frame["end"].to_numpy(np.int64), _find_open(layer, frame))
                for layer, frame in zip(LINK_LAYERS, network.links, strict=True)
            ),
            strict=True,
        )
    )
    inside = opened & (areas[start] == areas[end])
    count = len(areas)
    graph = coo_array((np.ones(int(inside.sum())), (start[inside], end[inside])), shape=(count, count))
    _, piece = connected_components(graph, directed=False)
    return {area: int(np.unique(piece[areas == area]).size) for area in named}


def _find_open(layer: str, frame: pd.DataFrame) -> NDArray[np.bool_]:
    is_open = frame["opened"] if layer == "water_pipes" else ~frame["status"].isin(["closed", "standby", "failed"])
    return is_open.to_numpy(bool)


def check_boundary(area: str, areas: Objects, network: WaterNetwork, polygons: gpd.GeoDataFrame) -> int:
    """Return how many nodes of an area lie outside of its polygon, farther from it than NEAR."""
    inside = np.flatnonzero(areas == area)
    shape = polygons.loc[polygons["id"] == area, "geometry"]
    if shape.empty:
        return 0
    points = network.nodes.geometry.to_numpy()[inside]
    return int((shapely.distance(points, shape.iloc[0]) > NEAR).sum())

"""How fast water goes through drains, and where a gauge stands in them.

Full pipes after Manning; quick water fills them to 0.81 of their height and is 1.14 times as fast as full, slow water
is a hundredth of the full discharge and 0.3 times as fast (partial flow of a circular section, Chow 1959, figure 6-5).
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.errors import InputError, NotFoundError
from twin.networks.city_graph import CityGraph
from twin.networks.discharge_sources import BANK
from twin.process import CityView

Values = NDArray[np.float64]
QUICK, SLOW = 1.14, 0.3
LEAST_SLOPE, USUAL_SLOPE, STEEPEST = 0.0003, 0.002, 0.2
USUAL_HEIGHT, USUAL_N = 0.6, 0.013
SLOWEST, QUICKEST = 0.03, 5.0
OPEN_WATER = (0.05, 0.6)
"""Slow and quick speed in rivers and canals with the tide [m/s]."""
SENSOR_REACH = 60.0
"""How far a gauge may stand from the node it watches [m]."""


@dataclass(frozen=True, slots=True)
class Target:
    """A node that the water passed on its way to where it was seen; ``beyond``: open water from there [m]."""

    node: int
    beyond: float


def compute_speeds(network: CityGraph) -> tuple[Values, Values]:
    """Return slow and quick speed in each link [m/s] (links,); usual values stand for what is not known."""
    height, manning = network.values("height"), network.values("mannings_n")
    fall = network.values("from_invert") - network.values("to_invert")
    length = np.maximum(network.graph.weights, 1e-3)
    with np.errstate(invalid="ignore"):
        slope = np.where(np.isfinite(fall), np.abs(fall) / length, USUAL_SLOPE)
    slope = np.clip(slope, LEAST_SLOPE, STEEPEST)
    radius = np.where(np.isfinite(height) & (height > 0.0), height, USUAL_HEIGHT) / 4.0
    rough = np.where(np.isfinite(manning) & (manning > 0.0), manning, USUAL_N)
    full = radius ** (2.0 / 3.0) * np.sqrt(slope) / rough
    slow, quick = (np.clip(share * full, SLOWEST, QUICKEST) for share in (SLOW, QUICK))
    return slow, np.maximum(quick, slow)


def find_targets(
    city: CityView, network: CityGraph, place: str, *, reach: float
) -> tuple[list[Target], str | None, shapely.Point]:
    """Return the nodes whose water comes by a place, the water body it stands in, and where it is.

    place: a drainage node, or a sensor: at a node within 60 m, else in a water body, where every outfall into it within
    ``reach`` [m] counts. Raises NotFoundError for a place that is neither and InputError where no drain leads to it.
    """
    node = network.places.get("drainage_nodes", {}).get(place)
    if node is not None:
        return [Target(node, 0.0)], None, shapely.Point(network.node_xy[node])
    sensors = city.layer("sensors", columns=["watched_layer", "watched_id"])
    own = sensors[sensors["id"] == place]
    if own.empty:
        raise NotFoundError(
            f"'{place[:80]}' is neither a drainage node nor a sensor", hint="name an outfall, a node or a sensor"
        )
    row = own.iloc[0]
    point = row.geometry
    if row["watched_layer"] == "drainage_nodes" and row["watched_id"] in network.places.get("drainage_nodes", {}):
        return [Target(network.places["drainage_nodes"][row["watched_id"]], 0.0)], None, point
    away = np.hypot(*(network.node_xy - [point.x, point.y]).T)
    if row["watched_layer"] != "water_bodies":
        if not away.size or away.min() > SENSOR_REACH:
            raise InputError(f"no drain is within {SENSOR_REACH:g} m of sensor '{place[:80]}'", hint="name a node")
        return [Target(int(np.argmin(away)), 0.0)], None, point
    bodies = city.layer("water_bodies", columns=[])
    body = bodies.geometry[bodies["id"] == row["watched_id"]]
    sinks = network.sinks[away[network.sinks] <= reach]
    if len(body) and sinks.size:
        ends = shapely.points(network.node_xy[sinks])
        sinks = sinks[shapely.distance(ends, body.iloc[0]) <= BANK]
    return [Target(int(each), float(away[each])) for each in sinks], str(row["watched_id"]), point

"""What a road costs a traveller: seconds along each link, infinite where the mode may not or cannot go."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from layers.errors import InputError
from network.roads import ROAD_CLASSES, Mask, RoadGraph, Values, mode_bits

WALKING_SPEED, CYCLING_SPEED = 4.8, 14.0
"""On foot 1.33 m/s, the usual mean of pedestrians (HCM 2010, chapter 17); an ordinary bicycle in a city [km/h]."""
AGAINST_TRAFFIC_SPEED = 20.0
"""An emergency vehicle goes no faster than this against a one-way street [km/h]."""
_TOP_SPEED = {"car": np.inf, "motorbike": 60.0, "truck": 80.0, "bus": 70.0, "emergency": np.inf}
_SHARE = {"car": 1.0, "motorbike": 1.0, "truck": 0.9, "bus": 0.9, "emergency": 1.2}
_MOTORBIKE_LEAST = {"residential": 25.0, "living_street": 18.0, "service": 18.0, "path": 12.0}


@dataclass(frozen=True, slots=True)
class Vehicle:
    """What limits where a vehicle may go: height [m], weight [t], width [m], its own top speed [km/h]."""

    height: float = 0.0
    weight: float = 0.0
    width: float = 0.0
    top_speed: float = np.inf


def compute_times(
    graph: RoadGraph,
    mode: str,
    *,
    vehicle: Vehicle | None = None,
    speeds: ArrayLike | None = None,
    closed: ArrayLike | None = None,
) -> Values:
    """Return the seconds along each link (links,), infinite where the mode may not go or the vehicle does not fit.

    speeds: of this mode [km/h] (links,) where they are known; else its free speed. A speed of 0 or less, or none,
    closes a link. closed: mask of links (links,) that nobody may use. What has a time of its own, such as a ferry,
    keeps it. Raises InputError for an unknown mode, a vehicle that is no size, or another shape.
    """
    fast = free_speeds(graph, mode) if speeds is None else _check("speeds", speeds, graph)
    open_links = graph.allows(mode)
    if vehicle is not None:
        fast = np.minimum(fast, vehicle.top_speed)
        open_links = open_links & fits(graph, vehicle)
    if closed is not None:
        open_links = open_links & ~_check("closed", closed, graph).astype(np.bool_)
    good = open_links & (fast > 0.0)
    times = np.full(graph.link_count, np.inf)
    np.divide(3.6 * graph.lengths, fast, out=times, where=good)
    fixed = np.isfinite(graph.fixed_times) & open_links
    times[fixed] = graph.fixed_times[fixed]
    return times


def free_speeds(graph: RoadGraph, mode: str) -> Values:
    """Return the free speed of a mode on each link (links,) [km/h].

    Trucks and buses are slower than cars; a motorbike is no faster than 60 km/h, but keeps going in alleys; emergency
    vehicles are a fifth faster, and slow where they go against the traffic.
    """
    mode_bits(mode)
    if mode == "foot":
        return np.full(graph.link_count, WALKING_SPEED)
    if mode == "bicycle":
        return np.full(graph.link_count, CYCLING_SPEED)
    speeds = np.minimum(_SHARE[mode] * graph.speeds, _TOP_SPEED[mode])
    if mode == "motorbike":
        least = np.zeros(len(ROAD_CLASSES))
        for name, speed in _MOTORBIKE_LEAST.items():
            least[ROAD_CLASSES.index(name)] = speed
        return np.maximum(speeds, least[graph.road_classes])
    if mode == "emergency":
        against = ~graph.allows("car") & ~graph.allows("truck") & ~graph.allows("motorbike") & ~graph.is_ferry
        speeds = np.where(against, np.minimum(speeds, AGAINST_TRAFFIC_SPEED), speeds)
    return np.asarray(speeds, np.float64)


def fits(graph: RoadGraph, vehicle: Vehicle) -> Mask:
    """Return which links a vehicle fits through, under and on (links,)."""
    sizes = vehicle.height, vehicle.weight, vehicle.width, vehicle.top_speed
    if not all(size >= 0.0 for size in sizes):
        raise InputError(f"a vehicle has the sizes {sizes}", hint="give metres, tonnes and km/h of 0 or more")
    low = vehicle.height <= graph.max_heights
    return low & (vehicle.weight <= graph.max_weights) & (vehicle.width <= graph.max_widths)


def _check(name: str, given: ArrayLike, graph: RoadGraph) -> Values:
    values = np.asarray(given, np.float64)
    if values.shape != (graph.link_count,):
        raise InputError(f"{name} has the shape {values.shape}, expected ({graph.link_count},)", hint="one a link")
    return values

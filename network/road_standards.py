"""What is taken where nobody says it: speed, lanes, capacity and who may go, by class of road.

Speeds are those usual in cities of Viet Nam: the limits of Circular 38/2024/TT-BGTVT (in built-up areas 60 km/h on
roads with a median or several lanes each way, 50 km/h on others; motorways as signed, at most 120 km/h), lowered where
narrow streets do not let anyone drive so fast. Capacities are passenger car units an hour and lane, between those of
HCM for interrupted flow (1,900 pcu/h of green, a third to a half of the time green) and of free flow.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from network.roads import ROAD_CLASSES, Values, mode_bits

_MOTOR = ("car", "motorbike", "truck", "bus", "emergency")
_ALL = (*_MOTOR, "bicycle", "foot")

SPEEDS: Mapping[str, float] = MappingProxyType({
    "motorway": 100.0, "trunk": 60.0, "primary": 50.0, "secondary": 45.0, "tertiary": 40.0, "residential": 30.0,
    "living_street": 15.0, "service": 15.0, "pedestrian": 10.0, "cycleway": 15.0, "path": 10.0, "other": 20.0,
})  # fmt: skip
"""Free speed of a car [km/h]."""
LANES: Mapping[str, float] = MappingProxyType({
    "motorway": 2.0, "trunk": 2.0, "primary": 2.0, "secondary": 1.0, "tertiary": 1.0, "residential": 1.0,
    "living_street": 0.5, "service": 0.5, "pedestrian": 0.5, "cycleway": 0.5, "path": 0.5, "other": 0.5,
})  # fmt: skip
"""Lanes a direction."""
LANE_CAPACITIES: Mapping[str, float] = MappingProxyType({
    "motorway": 2000.0, "trunk": 1400.0, "primary": 1000.0, "secondary": 900.0, "tertiary": 800.0,
    "residential": 600.0, "living_street": 400.0, "service": 400.0, "pedestrian": 200.0, "cycleway": 200.0,
    "path": 200.0, "other": 400.0,
})  # fmt: skip
"""Passenger car units an hour and lane."""
ACCESS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "motorway": ("car", "truck", "bus", "emergency"),
        **dict.fromkeys(("trunk", "primary", "secondary", "tertiary", "residential", "living_street", "service"), _ALL),
        "pedestrian": ("emergency", "bicycle", "foot"),
        "cycleway": ("bicycle", "foot"),
        "path": ("motorbike", "bicycle", "foot"),
        "other": _ALL,
    }
)
"""The modes that may use a class of road. Motorbikes go where people walk between houses, but not on motorways."""


def by_class(values: Mapping[str, float]) -> Values:
    """Return the value of each class in the order of ROAD_CLASSES."""
    return np.array([values[name] for name in ROAD_CLASSES])


ACCESS_BITS = np.array([mode_bits(*ACCESS[name]) for name in ROAD_CLASSES], np.uint8)
"""The mask of modes of each class."""

"""What is taken where nobody says it: speed, lanes, capacity and who may go, by class of road.

Speeds are those driven in cities of Viet Nam below the limits of Circular 38/2024/TT-BGTVT (in built-up areas 60 km/h
on dual carriageways and one-way roads of two lanes or more, 50 km/h on others; motorways as signed, at most 120 km/h),
lower where streets are narrow. Capacities are passenger car units an hour and lane: 1,900 pcu/h of green (HCM 7,
chapter 19) times the share of green that a road of the class gets at its junctions; on motorways chapter 12.
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
    "motorway": 2000.0, "trunk": 1200.0, "primary": 950.0, "secondary": 850.0, "tertiary": 750.0,
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
LEAST_WIDTHS: Mapping[str, float] = MappingProxyType({"car": 2.5, "emergency": 2.5, "truck": 3.5, "bus": 3.5})
"""A carriageway narrower than this is nothing for the mode [m]; the fire code QCVN 06:2022/BXD asks 3.5 m of roads for
fire engines, an ambulance passes as a car does."""

SURFACE_SPEEDS: Mapping[str, float] = MappingProxyType({"gravel": 30.0, "unpaved": 20.0})
"""No car goes faster on this surface [km/h]."""
SURFACE_SHARES: Mapping[str, float] = MappingProxyType({"gravel": 0.8, "unpaved": 0.7})
"""The share of the capacity that is left on this surface."""
CONDITION_SHARES: Mapping[str, float] = MappingProxyType({"poor": 0.85, "failed": 0.5})
"""The share of speed and capacity that is left on a road in this condition."""
NARROW_LANE, NARROW_SHARE = 2.75, 0.85
"""Lanes narrower than this [m] let through this share (TCVN 13592:2022: lanes of city streets are 2.75 m or more)."""
RESTRICTED_SPEED = 10.0
"""Roads that are private or for their destination only are gone through no faster than this [km/h], so that nobody
goes through who has no business there."""
FERRY_SPEED, FERRY_HEADWAY = 10.0, 900.0
"""A ferry whose crossing time [km/h] or headway [s] nobody says; on average half a headway is waited."""
FERRY_TRIP_CAPACITY = 10.0


def by_class(values: Mapping[str, float]) -> Values:
    """Return the value of each class in the order of ROAD_CLASSES."""
    return np.array([values[name] for name in ROAD_CLASSES])


ACCESS_BITS = np.array([mode_bits(*ACCESS[name]) for name in ROAD_CLASSES], np.uint8)
"""The mask of modes of each class."""

"""Features of roads and ferries as arrays of the graph: who may go, how fast, how many; defaults where nobody says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from network.road_standards import (
    ACCESS_BITS,
    CONDITION_SHARES,
    FERRY_HEADWAY,
    FERRY_SPEED,
    FERRY_TRIP_CAPACITY,
    LANE_CAPACITIES,
    LANES,
    LEAST_WIDTHS,
    NARROW_LANE,
    NARROW_SHARE,
    RESTRICTED_SPEED,
    SPEEDS,
    SURFACE_SHARES,
    SURFACE_SPEEDS,
    by_class,
)
from network.roads import ROAD_CLASSES, Index, Mask, Values, mode_bits
from twin.networks.reading import Fids, Objects, Rows

ROADS, FERRIES = "road_links", "ferry_routes"
_RULED = ("car", "motorbike", "truck", "bus", "bicycle", "foot")
_CROSSING = ("is_bridge", "is_tunnel", "level")
ROAD_COLUMNS = (
    "name", "road_class", "oneway", "motorbike_contraflow", "bicycle_contraflow", "lanes", "lanes_forward",
    "lanes_backward", "max_speed", "width", "surface", "capacity", "access", *(f"access_{mode}" for mode in _RULED),
    "max_height", "max_weight", "max_width", "condition", *_CROSSING,
)  # fmt: skip
FERRY_COLUMNS = (
    "name", "crossing_time", "headway", "trip_capacity", "takes_cars", "takes_motorbikes", "takes_trucks", "max_weight"
)  # fmt: skip
_AGAINST = mode_bits("foot", "emergency")
_MOTORWAY = ROAD_CLASSES.index("motorway")


@dataclass(frozen=True, eq=False)
class Lines:
    """Features that are roads, one row each: what the graph needs to know of a line (n,) or its directions (n, 2).

    level: 0 on the ground. fixed_times: seconds at both directions, NaN where the speed says.
    """

    ids: Objects
    fids: Fids
    shapes: Objects
    layers: Objects
    names: Objects
    level: Index
    classes: NDArray[np.int8]
    access: NDArray[np.uint8]
    speeds: Values
    lanes: Values
    capacities: Values
    is_bridge: Mask
    is_tunnel: Mask
    is_ferry: Mask
    max_heights: Values
    max_weights: Values
    max_widths: Values
    fixed_times: Values

    def take(self, chosen: NDArray[Any]) -> "Lines":
        """Return the chosen rows."""
        return Lines(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def join(self, other: "Lines") -> "Lines":
        """Return these rows and then the others."""
        return Lines(*(np.concatenate((getattr(self, f.name), getattr(other, f.name))) for f in fields(self)))


def describe_roads(rows: Rows) -> Lines:
    """Return the features of road_links as the graph sees them."""
    classes = _codes(rows, "road_class", ROAD_CLASSES, ROAD_CLASSES.index("other"))
    width = _numbers(rows, "width", np.nan)
    lanes = _lanes(rows, classes)
    shares = _look_up(rows, "condition", CONDITION_SHARES, 1.0)
    # Single lanes are as wide as the street; only where there are several is a lane too narrow.
    narrow = (width / np.maximum(lanes.sum(axis=1), 1.0) < NARROW_LANE) & (lanes.sum(axis=1) >= 2.0)
    capacity = by_class(LANE_CAPACITIES)[classes] * shares * _look_up(rows, "surface", SURFACE_SHARES, 1.0)
    capacity = np.where(narrow, NARROW_SHARE, 1.0) * capacity
    given = _numbers(rows, "capacity", np.nan)
    restricted = _equals(rows, "access", "private") | _equals(rows, "access", "destination")
    restricted |= _equals(rows, "access_car", "destination")
    speed = _numbers(rows, "max_speed", by_class(SPEEDS)[classes]) * shares
    speed = np.minimum(speed, _look_up(rows, "surface", SURFACE_SPEEDS, np.inf))
    speed[restricted] = np.minimum(speed[restricted], RESTRICTED_SPEED)
    width_limit = _numbers(rows, "max_width", np.nan)
    ground = np.zeros(classes.size)
    bridge, tunnel = _flags(rows, "is_bridge"), _flags(rows, "is_tunnel")
    level = _numbers(rows, "level", ground)
    # What is said to be neither stands on the ground, whatever it is drawn above.
    level[_equals(rows, "is_bridge", False) & _equals(rows, "is_tunnel", False)] = 0.0
    level = np.where((level == 0) & bridge, 1, np.where((level == 0) & tunnel, -1, level))
    return Lines(
        rows.ids,
        rows.keys,
        _shapes(rows),
        np.full(classes.size, ROADS, object),
        _names(rows),
        level.astype(np.int32),
        classes.astype(np.int8),
        _access(rows, classes, width),
        np.column_stack((speed, speed)),
        lanes,
        np.where(np.isfinite(given)[:, None], given[:, None], lanes * capacity[:, None]),
        bridge,
        tunnel,
        np.zeros(classes.size, np.bool_),
        _numbers(rows, "max_height", np.inf),
        _numbers(rows, "max_weight", np.inf),
        np.fmin(np.fmin(width_limit, width), np.inf),
        np.full((classes.size, 2), np.nan),
    )


def describe_ferries(rows: Rows) -> Lines:
    """Return the features of ferry_routes as the graph sees them: a crossing, and half a headway of waiting."""
    shapes, count = _shapes(rows), rows.ids.size
    headway = _numbers(rows, "headway", FERRY_HEADWAY)
    time = _numbers(rows, "crossing_time", 3.6 * shapely.length(shapes) / FERRY_SPEED) + headway / 2.0
    access = np.full(count, mode_bits("motorbike", "bicycle", "foot"), np.uint8)
    cars = _flags(rows, "takes_cars")
    access[cars] |= mode_bits("car", "emergency")
    access[_equals(rows, "takes_motorbikes", False)] &= ~np.uint8(mode_bits("motorbike"))
    access[cars & ~_equals(rows, "takes_trucks", False)] |= mode_bits("truck", "bus")
    trip = _numbers(rows, "trip_capacity", FERRY_TRIP_CAPACITY)
    free = np.full(count, np.inf)

    def both(values: Values) -> Values:
        return np.column_stack((values, values))

    return Lines(
        rows.ids,
        rows.keys,
        shapes,
        np.full(count, FERRIES, object),
        _names(rows),
        np.zeros(count, np.int32),
        np.full(count, ROAD_CLASSES.index("other"), np.int8),
        np.column_stack((access, access)),
        both(np.full(count, FERRY_SPEED)),
        both(np.ones(count)),
        both(trip * 3600.0 / np.maximum(headway, 60.0)),
        np.zeros(count, np.bool_),
        np.zeros(count, np.bool_),
        np.ones(count, np.bool_),
        free,
        _numbers(rows, "max_weight", np.inf),
        free,
        both(time),
    )


DESCRIBE: Mapping[str, tuple[tuple[str, ...], Callable[[Rows], Lines]]] = {
    ROADS: (ROAD_COLUMNS, describe_roads),
    FERRIES: (FERRY_COLUMNS, describe_ferries),
}
"""The layers whose lines are roads: which properties of them matter, and what they mean."""


def _access(rows: Rows, classes: Index, width: Values) -> NDArray[np.uint8]:
    """Return the modes that may go as drawn and against it (n, 2).

    A word for a mode goes before the word for all. Pedestrians and emergency vehicles go against one-way streets, the
    latter by law (Law on road traffic order and safety 36/2024/QH15, article 27), but not on motorways.
    """
    modes = ACCESS_BITS[classes]
    modes[_equals(rows, "access", "no")] = 0
    for mode in _RULED:
        name, bit = f"access_{mode}", np.uint8(mode_bits(mode))
        modes[_equals(rows, name, "yes") | _equals(rows, name, "destination")] |= bit
        modes[_equals(rows, name, "no")] &= ~bit
    for mode, least in LEAST_WIDTHS.items():
        modes[width < least] &= ~np.uint8(mode_bits(mode))
    against = np.full(classes.size, _AGAINST, np.uint8)
    against[classes == _MOTORWAY] = 0
    against[_flags(rows, "motorbike_contraflow")] |= mode_bits("motorbike")
    against[_flags(rows, "bicycle_contraflow")] |= mode_bits("bicycle")
    both = np.column_stack((modes, modes))
    for word, direction in (("forward", 1), ("backward", 0)):
        single = _equals(rows, "oneway", word)
        both[single, direction] &= against[single]
    return both


def _lanes(rows: Rows, classes: Index) -> Values:
    """Return the lanes as drawn and against it (n, 2): as given, else a half of all each, else by class."""
    every = _numbers(rows, "lanes", np.nan)
    oneway = _equals(rows, "oneway", "forward") | _equals(rows, "oneway", "backward")
    share = np.where(oneway, every, every / 2.0)
    default = np.where(np.isfinite(share), share, by_class(LANES)[classes])
    both = [_numbers(rows, name, default) for name in ("lanes_forward", "lanes_backward")]
    return np.maximum(np.column_stack(both), 0.5)


def _shapes(rows: Rows) -> Objects:
    assert rows.shapes is not None
    return rows.shapes


def _names(rows: Rows) -> Objects:
    names = rows.values["name"].copy()
    names[names == None] = ""  # noqa: E711
    return names


def _codes(rows: Rows, name: str, words: Sequence[str], default: int) -> Index:
    place = {word: k for k, word in enumerate(words)}
    return np.array([place.get(word, default) for word in rows.values[name].tolist()], np.int32)


def _look_up(rows: Rows, name: str, table: Mapping[str, float], default: float) -> Values:
    return np.array([table.get(word, default) for word in rows.values[name].tolist()], np.float64)


def _flags(rows: Rows, name: str) -> Mask:
    return _equals(rows, name, True)


def _equals(rows: Rows, name: str, value: object) -> Mask:
    return np.asarray(rows.values[name] == value, np.bool_)


def _numbers(rows: Rows, name: str, default: Values | float) -> Values:
    """Return what is said (n,); 0 says nothing: no road is 0 m wide, files have it where nobody knows."""
    values = rows.values[name]
    found = np.broadcast_to(np.asarray(default, np.float64), values.shape).copy()
    given = np.asarray(values != None, np.bool_)  # noqa: E711
    said = values[given].astype(np.float64)
    given[given] = said != 0.0
    found[given] = said[said != 0.0]
    return found

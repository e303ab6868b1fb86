"""What traffic counters read: flow, speed and occupancy of one way of a street, and a planted incident.

A street's demand follows the local clock and the day of the week. Where it moves freely its speed falls as it fills
(half of the share of capacity squared); behind an incident stands a queue: its flow is what passes the incident, its
density that of the triangular diagram (Newell 1993, doi:10.1016/0191-2615(93)90038-C), until the queue is gone.
"""

from dataclasses import replace
from datetime import datetime

import numpy as np
from scipy.special import ndtri

from twin.demo.plan import Flags, Floats, Ints
from twin.demo.shapes import hash_uniform
from twin.demo.stations import Station

LOCAL, DAY = 7 * 3600, 86_400
COURSE = np.array([6, 4, 3, 4, 10, 35, 78, 100, 82, 62, 60, 66, 64, 60, 62, 70, 92, 98, 80, 62, 48, 34, 20, 11]) / 100.0
"""Share of the largest load at each hour of the local clock."""
FREE_SPEED = 52.0
LANE_CAPACITY = 1500.0
"""Vehicles an hour and lane, mostly motorbikes."""
JAM_DENSITY = 180.0
"""Vehicles a kilometre and lane that stand."""
EFFECTIVE_LENGTH = 4.5
"""Metres of lane that a counter takes one vehicle to cover."""
INCIDENT_AT, INCIDENT_S = 17 * 3600 + 600, 3000
LEFT = 0.4
"""The share of the capacity that an incident leaves."""
REACHED_AFTER_S = 420
"""The queue comes to the counter upstream this long after the incident began."""
_INCIDENT_STEP = 60


def start_incident(stations: list[Station], end: datetime) -> list[Station]:
    """Return the stations with the incident that began at 17:10 of the last working day before ``end``.

    It lies between the two counters of the first pair.
    """
    last = int(end.timestamp()) - INCIDENT_S
    day = (last + LOCAL - INCIDENT_AT) // DAY
    while (day + 3) % 7 >= 5:
        day -= 1
    begin = day * DAY - LOCAL + INCIDENT_AT
    return [replace(one, incident_from=begin) if one.side and one.pair == 1 else one for one in stations]


def count_traffic(station: Station, seconds: Ints, seed: int, key: int) -> dict[str, Floats]:
    """Return vehicles in an hour, mean speed [km/h] and occupancy (0 to 1) over the interval before each time."""
    capacity = LANE_CAPACITY * station.scale
    demand = _demand(station, seconds, seed)
    load = demand / capacity
    speed = FREE_SPEED * (1.0 - 0.35 * load**2)
    flow = demand.copy()
    queued = _is_queued(station, seconds, seed)
    running = np.asarray((seconds > station.incident_from) & (seconds <= station.incident_from + INCIDENT_S), bool)
    through = np.where(running, LEFT * capacity, 0.95 * capacity)
    if station.side == "up":
        wave = capacity / (JAM_DENSITY * station.scale - capacity / FREE_SPEED)
        flow = np.where(queued, through, flow)
        density = np.where(queued, JAM_DENSITY * station.scale - through / wave, flow / speed)
        speed = np.where(queued, flow / density, speed)
    elif station.side == "down":
        flow = np.where(queued, np.minimum(through, np.where(running, through, capacity)), flow)
    density = flow / speed
    flow = np.maximum(flow + np.sqrt(12.0 * flow) * _noise(seed, 1, key, seconds), 0.0)
    speed = speed * np.exp(0.03 * _noise(seed, 2, key, seconds))
    share = density / station.scale * EFFECTIVE_LENGTH / 1000.0 * np.exp(0.05 * _noise(seed, 3, key, seconds))
    return {
        "vehicle_speed": np.clip(speed, 2.0, 90.0).round(1),
        "vehicle_count": flow.round(0),
        "occupancy": np.clip(share, 0.0, 1.0).round(4),
    }


def _demand(station: Station, seconds: Ints, seed: int) -> Floats:
    """Return the vehicles that want to pass [veh/h]; of a pair both counters see the same."""
    local = seconds + LOCAL
    course = np.interp(local % DAY / 3600.0, np.arange(25), np.append(COURSE, COURSE[0]))
    weekend = np.where((local // DAY + 3) % 7 >= 5, 0.8, 1.0)
    daily = 1.0 + 0.04 * ndtri(hash_uniform(seed, 51, station.pair, local // DAY))
    return np.asarray(0.72 * LANE_CAPACITY * station.scale * course * weekend * daily, np.float64)


def _is_queued(station: Station, seconds: Ints, seed: int) -> Flags:
    """Return when there is a queue at the incident: more came than went since it began."""
    if not station.incident_from or not station.side:
        return np.zeros(len(seconds), bool)
    times = station.incident_from + np.arange(0, 4 * 3600, _INCIDENT_STEP, dtype=np.int64)
    capacity = LANE_CAPACITY * station.scale
    left = np.where(times < station.incident_from + INCIDENT_S, LEFT, 0.95) * capacity
    waiting = np.cumsum((_demand(station, times, seed) - left) * _INCIDENT_STEP / 3600.0)
    gone = np.flatnonzero(waiting <= 0.0)
    until = times[gone[0]] if gone.size else times[-1]
    begin = station.incident_from + (REACHED_AFTER_S if station.side == "up" else 120)
    return np.asarray((seconds >= begin) & (seconds < until), bool)


def _noise(seed: int, stream: int, key: int, seconds: Ints) -> Floats:
    return np.asarray(ndtri(hash_uniform(seed, 500 + stream, key, seconds)), np.float64)

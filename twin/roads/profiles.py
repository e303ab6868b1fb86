"""How vehicles move in the city: modes, sizes, and how fast each class of road is by the hour of the week.

The speeds by the hour are a declared default of a city of Viet Nam, to be used until counters say better: a morning and
an afternoon peak on working days, a weaker evening on others, heavier on main roads than in alleys. Motorbikes pass
between waiting cars and lose less, emergency vehicles still less; people on foot and on bicycles lose nothing.
"""

from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np

from layers.schema import Text
from network.road_times import Vehicle
from network.roads import ROAD_CLASSES, RoadGraph
from network.time_dependent import SLOTS, Profiles, build_profiles

Mode = Literal["motorbike", "car", "truck", "bus", "ambulance", "bicycle", "foot"]
MODE_TITLES = {
    "motorbike": Text("Xe máy", "Motorbike"),
    "car": Text("Ô tô con", "Car"),
    "truck": Text("Xe tải", "Truck"),
    "bus": Text("Xe buýt", "Bus"),
    "ambulance": Text("Xe cứu thương, chữa cháy", "Ambulance, fire engine"),
    "bicycle": Text("Xe đạp", "Bicycle"),
    "foot": Text("Đi bộ", "On foot"),
}

PEAKS = (
    (0, 5, 6.5, 8.0, 1.0),
    (0, 5, 11.0, 12.0, 0.35),
    (0, 5, 16.5, 18.5, 1.0),
    (5, 7, 8.0, 10.0, 0.4),
    (5, 7, 17.0, 20.0, 0.6),
)
"""Day from and until (0 Monday), hour from and until, and how much of the loss is felt."""
RAMP_H = 0.75
"""A peak builds up and goes off within this [h]."""

_LOSS = {
    "motorway": 0.25, "trunk": 0.40, "primary": 0.45, "secondary": 0.38, "tertiary": 0.30, "residential": 0.18,
    "living_street": 0.10, "service": 0.10,
}  # fmt: skip
FELT = {"car": 1.0, "truck": 1.0, "bus": 1.0, "motorbike": 0.55, "emergency": 0.35}
"""What part of the loss of speed a mode feels; the others none."""


def read_mode(word: Mode) -> str:
    """Return the mode of the road graph that a word of users means: an ambulance is an emergency vehicle."""
    return "emergency" if word == "ambulance" else word


def read_vehicle(height: float | None, weight: float | None, width: float | None) -> Vehicle | None:
    """Return a vehicle of these sizes [m, t, m]; None where none is given."""
    if height is None and weight is None and width is None:
        return None
    return Vehicle(height or 0.0, weight or 0.0, width or 0.0)


def build_default_profiles(graph: RoadGraph, mode: str) -> Profiles:
    """Return how the speed of each link changes through a week for a mode; ferries keep their time."""
    felt = FELT.get(mode, 0.0)
    load = _compute_load()
    loss = np.array([_LOSS.get(name, 0.0) for name in ROAD_CLASSES])
    rows = np.where(np.isfinite(graph.fixed_times), -1, graph.road_classes)
    return build_profiles(rows, 1.0 - felt * loss[:, None] * load[None, :])


def find_second_of_week(moment: datetime, zone: ZoneInfo) -> float:
    """Return the seconds since Monday 00:00 on the city's clocks."""
    local = moment.astimezone(zone)
    return local.weekday() * 86_400.0 + local.hour * 3_600.0 + local.minute * 60.0 + local.second


def _compute_load() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return how much of the loss is felt in each quarter of an hour of a week (672,), 0–1."""
    hour = (np.arange(SLOTS) + 0.5) * 24.0 * 7.0 / SLOTS
    day, within = np.divmod(hour, 24.0)
    load = np.zeros(SLOTS)
    for first, last, begin, end, share in PEAKS:
        near = np.clip(1.0 - np.maximum(begin - within, within - end) / RAMP_H, 0.0, 1.0)
        load = np.maximum(load, np.where((day >= first) & (day < last), share * near, 0.0))
    return load

"""Speeds by the hour as counters read them: where a class of road has counters, they replace the declared default.

A counter's usual course through working days and weekends (medians of half hours over four weeks) over its own quickest
half hour is the share of free speed that is left. Counters of a class are averaged. What a counter sees is mixed
traffic; a mode feels as much of the loss as ``FELT`` says.
"""

import threading
import weakref
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from network.incidents import WeekProfile, fit_profile
from network.paths_answers import Values
from network.roads import ROAD_CLASSES
from network.time_dependent import LEAST_FACTOR, SLOT_S, SLOTS, Profiles, build_profiles
from twin.process import CityView
from twin.roads.city_roads import CityRoads
from twin.roads.profiles import FELT, build_default_profiles
from twin.traffic.counting import gather_stations

PAST = timedelta(days=28)
MADE_ANEW = timedelta(hours=6)
SPEED = "vehicle_speed"
_DAY_S, _WORKING_DAYS = 86_400.0, 5


@dataclass(frozen=True, eq=False)
class CitySpeeds:
    """How speeds change for a mode, and the classes of road of which counters say so."""

    profiles: Profiles
    counted: tuple[str, ...]


class WarmSpeeds:
    """Shares of free speed by class as counters read them, for some hours; those of roads nobody holds go with them."""

    def __init__(self) -> None:
        self._of: weakref.WeakKeyDictionary[CityRoads, tuple[datetime, dict[int, Values]]] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    def get(self, view: CityView, roads: CityRoads, mode: str) -> CitySpeeds:
        """Return the speeds of a mode: by counters where there are any, else the declared default."""
        with self._lock:
            made, shares = self._of.get(roads, (None, {}))
            if made is None or abs(view.now - made) > MADE_ANEW:
                shares = read_shares(view, roads)
                self._of[roads] = view.now, shares
        default = build_default_profiles(roads.graph, mode)
        felt = FELT.get(mode, 0.0)
        if not shares or felt == 0.0:
            return CitySpeeds(default, ())
        factors = default.factors.copy()
        for number, share in shares.items():
            factors[number] = np.clip(1.0 - felt * (1.0 - share), LEAST_FACTOR, 1.0)
        return CitySpeeds(build_profiles(default.rows, factors), tuple(ROAD_CLASSES[number] for number in shares))


SPEEDS = WarmSpeeds()
"""The speeds of this process."""


def read_shares(view: CityView, roads: CityRoads) -> dict[int, Values]:
    """Return the share of free speed in each quarter of an hour of a week (672,) by class of road with counters."""
    offset = view.now.astimezone(view.zone).utcoffset() or timedelta()
    found = dict[int, list[Values]]()
    for station in gather_stations(view.road_series(view.now), roads):
        if SPEED not in station.series or not station.links.size:
            continue
        times, speeds = view.series(station.series[SPEED].id, view.now - PAST, view.now)
        usual = fit_profile(times, speeds, offset=int(offset.total_seconds()))
        if usual is not None:
            number = int(roads.graph.road_classes[station.links[0]])
            found.setdefault(number, []).append(_lay_out(usual))
    return {number: np.mean(shares, axis=0) for number, shares in sorted(found.items())}


def _lay_out(usual: WeekProfile) -> Values:
    """Return a profile of two kinds of day as shares of its quickest time in each slot of a week (672,)."""
    clock = np.arange(SLOTS) * SLOT_S
    kind = (clock // _DAY_S >= _WORKING_DAYS).astype(np.int64)
    within = (clock % _DAY_S // usual.slot).astype(np.int64)
    return np.asarray(usual.level[kind, within] / usual.level.max(), np.float64)

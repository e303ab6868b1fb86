"""The alerts of a feed for the water of a run: asked often, so the last ones are kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from google.transit import gtfs_realtime_pb2 as rt

from layers.errors import NotFoundError
from network.flooded_roads import WATER_LIMITS
from twin.process import CityView
from twin.roads.flooding import read_run_water
from twin.transit.announcing import write_message
from twin.transit.day import list_stops
from twin.transit.departures import read_day
from twin.transit.detours import find_changes
from twin.transit.feed import CityFeed
from twin.transit.road_ways import RoadWays
from twin.transit.warm import Kept
from twin.transit.water import find_losses

_MESSAGES = Kept()


@dataclass(frozen=True, eq=False)
class WaterAlerts:
    """The message, the run it is about, and how many trips change."""

    message: Any
    run: str | None
    changed: int
    cut: int


def find_alerts(view: CityView, one: CityFeed, at: datetime, run: str | None) -> WaterAlerts:
    """Return what the water of a run changes on the service day of ``at``; of the newest run without one named.

    Where no run has written any water the message is empty. Raises NotFoundError for a run that is not there.
    """
    if run is None:
        try:
            run = view.find_newest_run("flood_depth_max")
        except NotFoundError:
            return WaterAlerts(write_message(one, [], at.date(), at, None, view.crs), None, 0, 0)
    day = at.astimezone(ZoneInfo(one.feed.timezone)).date()
    roads = view.roads()
    key = (one.stamp, run, day.toordinal(), roads.stamp, view.crs)
    kept = _MESSAGES.get(key, lambda: _make(view, one, at, run))
    message = rt.FeedMessage()
    message.CopyFrom(kept.message)
    message.header.timestamp = int(at.timestamp())
    return WaterAlerts(message, run, kept.changed, kept.cut)


def _make(view: CityView, one: CityFeed, at: datetime, run: str) -> WaterAlerts:
    roads, day = view.roads(), at.astimezone(ZoneInfo(one.feed.timezone)).date()
    water = read_run_water(view, roads, run)
    stops, calls = list_stops([one], view.crs), read_day(one, day)
    losses = find_losses([one], stops, calls, water, roads, view.crs, WATER_LIMITS["bus"].depth)
    ways = RoadWays(view, at, flood_run=run)
    changed = find_changes(one, stops, calls, losses, ways, view.crs)
    period = (water.times[0], water.times[-1]) if water.times else None
    message = write_message(one, changed, day, at, period, view.crs)
    trips = sum(len(each.trips) for each in changed)
    return WaterAlerts(message, run, trips, sum(len(each.trips) for each in changed if each.is_cut))

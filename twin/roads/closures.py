"""Closures in force on roads: what the layer ``road_works`` says of each link at a time.

An event counts from its start to its end, the actual ones where they are known, else the planned ones; a cancelled one
never does. So a closure that an edit adds acts on the next route, and its end opens the road again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol, runtime_checkable

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from network.roads import Mask, Values, mode_bits
from twin.roads.city_roads import CityRoads
from twin.roads.closure_places import find_links

ON_FOOT = ("work_zone", "closure")
"""Events that close the carriageway and leave room for people on foot."""
SHUTTING = ("closure", "flood_closure")
"""Events that close a road unless they say how it may be passed."""
ONE_WAY_AT_A_TIME = ("alternating_one_way", "flagging", "temporary_signal")
ALTERNATING_SHARE = 0.4
"""Of its capacity each way keeps where both share a lane in turns: half of the time, less what clearing takes."""
LEAST_SHARE = 0.1
_NARROWED = ("some_lanes_closed", "merge_left", "merge_right", "split")
Times = NDArray[np.float64]


class LayersSeen(Protocol):
    """What closures need of a city: its layers."""

    def layer(self, layer_id: str, *, bounds: Any = None, columns: Any = None) -> gpd.GeoDataFrame:
        """Return the features of a layer."""


@dataclass(frozen=True, eq=False, slots=True)
class RoadEvents:
    """Events ready to be asked: what is said of each, and from when until when it is in force [s since 1970 UTC]."""

    rows: tuple[dict[str, Any], ...]
    starts: Times
    ends: Times


@runtime_checkable
class HoldsEvents(Protocol):
    """A city that keeps its events ready."""

    def road_events(self) -> RoadEvents:
        """Return the events of ``road_works`` as they are now."""


@dataclass(frozen=True, eq=False, slots=True)
class Work:
    """One event in force: its id, type, words for a person, and the links it lies on; none where no road is near."""

    id: str
    event_type: str
    name: str
    until: datetime | None
    closes: bool
    links: NDArray[np.int32]


@dataclass(frozen=True, eq=False, slots=True)
class ClosedLinks:
    """What events do to each link (links,).

    closed: nobody of the mode may pass. capacity_factors: the share of its capacity that is left, 0 to 1.
    speed_limits [km/h], max_heights [m], max_weights [t], max_widths [m]: infinite where there is none. works: the
    events in force. next_change: when the next event begins or ends, None where none does.
    """

    closed: Mask
    capacity_factors: Values
    speed_limits: Values
    max_heights: Values
    max_weights: Values
    max_widths: Values
    works: tuple[Work, ...]
    next_change: datetime | None

    @property
    def is_clear(self) -> bool:
        """Whether no event touches any link."""
        return not any(work.links.size for work in self.works)

    def find_works(self, link: int) -> list[Work]:
        """Return the events that touch a link."""
        return [work for work in self.works if bool(np.any(work.links == link))]


def read_closures(view: LayersSeen, roads: CityRoads, at: datetime, mode: str = "car") -> ClosedLinks:
    """Return what the events in force at ``at`` do to each link for a mode; InputError for an unknown mode."""
    events = view.road_events() if isinstance(view, HoldsEvents) else prepare_events(view.layer("road_works"))
    return place_events(events, roads, at, mode)


def place_closures(events: gpd.GeoDataFrame, roads: CityRoads, at: datetime, mode: str = "car") -> ClosedLinks:
    """Return what the events of a frame of ``road_works`` do to each link at a time."""
    return place_events(prepare_events(events), roads, at, mode)


def prepare_events(events: gpd.GeoDataFrame) -> RoadEvents:
    """Return the events of a frame of ``road_works``, ready to be asked about any time."""
    starts, ends = read_spans(events)
    return RoadEvents(tuple(read_event(events, row) for row in range(len(events))), starts, ends)


def place_events(events: RoadEvents, roads: CityRoads, at: datetime, mode: str = "car") -> ClosedLinks:
    """Return what events do to each link at a time."""
    mode_bits(mode)
    graph = roads.graph
    count = graph.link_count
    closed = np.zeros(count, np.bool_)
    factors = np.ones(count)
    limits = {name: np.full(count, np.inf) for name in ("reduced_speed_limit", "max_height", "max_weight", "max_width")}
    starts, ends = events.starts, events.ends
    moment = at.timestamp()
    works = []
    for row in np.flatnonzero((starts <= moment) & (moment < ends)).tolist():
        event = events.rows[row]
        found = find_links(roads, event)
        shuts = _closes(event, mode)
        if shuts:
            closed[found] = True
        share = find_share(event, graph.lanes[found])
        factors[found] = np.minimum(factors[found], 0.0 if shuts else share)
        for name, values in limits.items():
            if name in event:
                values[found] = np.minimum(values[found], float(event[name]))
        works.append(Work(str(event["id"]), str(event["event_type"]), _name(event), _moment(ends[row]), shuts, found))
    edges = np.concatenate([starts, ends])
    later = edges[np.isfinite(edges) & (edges > moment)]
    following = _moment(later.min()) if later.size else None
    return ClosedLinks(
        closed, factors, limits["reduced_speed_limit"], limits["max_height"], limits["max_weight"],
        limits["max_width"], tuple(works), following,
    )  # fmt: skip


def read_event(events: gpd.GeoDataFrame, row: int) -> dict[str, Any]:
    """Return what is said of the event in a row, by property; what is not said is left out."""
    return {str(name): value for name, value in events.iloc[row].items() if value is not None and value is not pd.NaT
            and not (isinstance(value, float) and np.isnan(value))}  # fmt: skip


def read_spans(events: gpd.GeoDataFrame) -> tuple[Times, Times]:
    """Return from when and until when each event is in force (events,) [s since 1970 UTC].

    Without a start it always was, without an end it lasts; a cancelled one, or a completed one without an end, never
    is: its end lies before everything.
    """
    starts = _seconds(events, "actual_start", "planned_start", np.full(len(events), -np.inf))
    ends = _seconds(events, "actual_end", "planned_end", np.full(len(events), np.inf))
    status = events["event_status"].to_numpy(object)
    ends = np.where((status == "completed") & np.isinf(ends), -np.inf, ends)
    return starts, np.where(status == "cancelled", -np.inf, ends)


def find_share(event: Mapping[str, Any], lanes: Values) -> Values:
    """Return the share of its capacity that a way of ``lanes`` lanes keeps (links,)."""
    impact = event["vehicle_impact"]
    if impact in ONE_WAY_AT_A_TIME:
        return np.full(lanes.shape, ALTERNATING_SHARE)
    if impact not in _NARROWED and "lanes_closed" not in event:
        return np.ones(lanes.shape)
    whole = np.full(lanes.shape, float(event["lanes_total"])) if "lanes_total" in event else lanes
    gone = float(event.get("lanes_closed", 1.0))
    return np.clip((whole - gone) / np.maximum(whole, 1.0), LEAST_SHARE, 1.0)


def _closes(event: Mapping[str, Any], mode: str) -> bool:
    kind, impact = event["event_type"], event["vehicle_impact"]
    if mode == "truck" and event.get("no_trucks"):
        return True
    if mode == "foot" and kind in ON_FOOT:
        return False
    return impact == "all_lanes_closed" or (impact == "unknown" and kind in SHUTTING)


def _seconds(events: gpd.GeoDataFrame, actual: str, planned: str, otherwise: Times) -> Times:
    for name in (planned, actual):
        moments = pd.to_datetime(events[name], utc=True)
        known = moments.notna().to_numpy()
        # Since 1970, whatever unit pandas keeps the moments in.
        seconds = (moments - pd.Timestamp(0, tz="UTC")).dt.total_seconds().to_numpy(np.float64)
        otherwise = np.where(known, seconds, otherwise)
    return otherwise


def _moment(seconds: float) -> datetime | None:
    return datetime.fromtimestamp(float(seconds), UTC) if np.isfinite(seconds) else None


def _name(event: Mapping[str, Any]) -> str:
    return str(next((event[key] for key in ("name", "road_name", "id") if event.get(key)), ""))

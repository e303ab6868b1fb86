"""Stations on roads: what each measures, on which links, and which stand one after the other on a street."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import shapely
from numpy.typing import NDArray

from network.counts_reach import Reach, trace_street
from network.roads import Index
from twin.roads.city_roads import CityRoads
from twin.store_traffic import RoadSeries

FARTHEST_M = 3000.0
"""Two stations farther apart than this along a street are no section: what is between them is not seen in time."""


@dataclass(frozen=True, eq=False, slots=True)
class Station:
    """A station: its series by what they measure, its road, and the links whose traffic it sees, none where no road is.

    A station of both ways sees two links; what it counts is of both together.
    """

    id: str
    name: str
    road: str
    direction: str
    point: shapely.Point | None
    series: Mapping[str, RoadSeries]
    links: Index

    @property
    def interval_s(self) -> float:
        """How often it reads [s]: five minutes where nobody says."""
        return next((one.interval_s for one in self.series.values() if one.interval_s), 300.0)

    def find_newest(self, observed_property: str, at: datetime) -> tuple[float, float] | None:
        """Return the newest value of a property and its age [s]; None without one."""
        one = self.series.get(observed_property)
        if one is None or one.result is None or one.time is None:
            return None
        return one.result, (at - one.time).total_seconds()


@dataclass(frozen=True, eq=False, slots=True)
class Section:
    """A stretch of street between two stations, in the way its traffic runs: the links from one to the other."""

    upstream: Station
    downstream: Station
    links: Index
    length: float = field(default=0.0)

    @property
    def id(self) -> str:
        """The name of the section: that of its stations."""
        return f"{self.upstream.id}.{self.downstream.id}"


def gather_stations(series: Sequence[RoadSeries], roads: CityRoads) -> list[Station]:
    """Return the stations of series that watch roads, by id; a station that watches two roads is two."""
    grouped: dict[tuple[str, str], dict[str, RoadSeries]] = {}
    for one in series:
        grouped.setdefault((one.station, one.road), {}).setdefault(one.observed_property, one)
    return [_make_station(own, roads) for _, own in sorted(grouped.items())]


def _make_station(series: Mapping[str, RoadSeries], roads: CityRoads) -> Station:
    one = next(iter(series.values()))
    point = None if one.x is None or one.y is None else shapely.Point(one.x, one.y)
    edges = np.flatnonzero((roads.items == one.road) & (roads.layers == "road_links"))
    if edges.size > 1 and point is not None:
        edges = edges[[int(np.argmin(shapely.distance(roads.lines(edges), point)))]]
    pairs = roads.graph.edge_links[edges]
    links = {"forward": pairs[:, 0], "backward": pairs[:, 1]}.get(one.direction, pairs.ravel())
    known = np.unique(links[links >= 0]).astype(np.int32)
    return Station(one.station, one.name, one.road, one.direction, point, series, known)


def number_streets(roads: CityRoads) -> NDArray[np.int64]:
    """Return a number for the name of the street of each link (links,), -1 where it has none."""
    names, numbers = np.unique(roads.names.astype(str), return_inverse=True)
    numbers = np.where(names[numbers] == "", -1, numbers)
    return np.asarray(numbers[roads.graph.edges], np.int64)


def find_sections(stations: Sequence[Station], roads: CityRoads) -> list[Section]:
    """Return the stretches of street between each station that reads occupancy and the next one downstream of it."""
    able = [one for one in stations if "occupancy" in one.series and one.links.size]
    streets = number_streets(roads)
    by_link = {int(link): one for one in able for link in one.links}
    sections: dict[str, Section] = {}
    for one in able:
        for link in one.links.tolist():
            reach = trace_street(roads.graph, link, streets, FARTHEST_M, upstream=False)
            met = next((k for k, other in enumerate(reach.links.tolist()) if by_link.get(other, one) is not one), None)
            if met is not None:
                section = Section(one, by_link[int(reach.links[met])], _cut(reach, met), float(reach.distances[met]))
                sections.setdefault(section.id, section)
    return list(sections.values())


def _cut(reach: Reach, last: int) -> Index:
    return reach.links[: last + 1]

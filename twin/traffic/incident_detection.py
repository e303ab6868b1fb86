"""Incidents between two stations of a street: California #7 and #8, CUSUM and McMaster on their readings, looking back.

What is usual at the station upstream is learnt from its readings of the two weeks before; a street that is slow every
evening is not an incident. The confidence is that of ``network.incidents.combine_methods``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import shapely

from network.incidents import (
    CONFIRMED,
    TENTATIVE,
    Flags,
    McMaster,
    Values,
    WeekProfile,
    combine_methods,
    detect_california_7,
    detect_california_8,
    detect_cusum,
    detect_mcmaster,
    fit_mcmaster,
    fit_profile,
)
from twin.roads.city_roads import CityRoads
from twin.traffic.counting import Section, Station

PAST = timedelta(days=14)
"""What is usual is learnt from so long."""
LEAD_S = 3 * 3600.0
"""Each decision looks back this far."""
ON, OFF = 0.5, 0.25
READ = ("occupancy", "vehicle_speed", "vehicle_count")
LEAST_SPREAD = 1.0
"""Speeds of a street spread by no less than this [km/h]."""

Readings = Mapping[str, tuple[Values, Values]]
Read = Callable[[Sequence[str], datetime, datetime], Readings]


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual at a station: its speed by time of week, and the bounds of its free traffic; None if not known."""

    speed: WeekProfile | None
    bounds: McMaster | None


@dataclass(frozen=True, eq=False, slots=True)
class Judged:
    """A section over time: times (times,) [s since 1970 UTC], how sure an incident is (times,), NaN where a reading is
    missing, and where a method begins to suspect one (times,).
    """

    times: Values
    confidence: Values
    hints: Flags


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident in a section: when it began about, was told, was over (None: it goes on), and how sure it is."""

    section: str
    onset: datetime
    told: datetime
    ended: datetime | None
    confidence: float


def learn(station: Station, read: Read, until: datetime, offset: int) -> Usual:
    """Return what is usual at a station from its readings of ``PAST`` before ``until``; offset: local less UTC [s]."""
    ids = [station.series[name].id for name in READ if name in station.series]
    found = read(ids, until - PAST, until)
    times, values = align(station, found, (until - PAST).timestamp(), until.timestamp())
    speeds = values["vehicle_speed"]
    return Usual(
        fit_profile(times, speeds, offset=offset, least=LEAST_SPREAD),
        fit_mcmaster(values["vehicle_count"], values["occupancy"], speeds),
    )


def align(station: Station, readings: Readings, start: float, end: float) -> tuple[Values, dict[str, Values]]:
    """Return the times of a station's intervals in ``start`` < time ≤ ``end`` and its values then, NaN without one."""
    step = station.interval_s
    first, last = int(np.floor(start / step)) + 1, int(np.floor(end / step + 1e-6))
    times = np.asarray(np.arange(first, last + 1) * step, np.float64)
    values: dict[str, Values] = {name: np.full(times.size, np.nan) for name in READ}
    for name in READ:
        if name in station.series:
            at, read = readings[station.series[name].id]
            place = np.rint(at / step).astype(np.int64) - first
            inside = (place >= 0) & (place < times.size)
            values[name][place[inside]] = read[inside]
    return times, values


def judge_section(section: Section, usual: Usual, readings: Readings, start: float, end: float) -> Judged:
    """Return how sure an incident is at each time in ``start`` < time ≤ ``end``; what lies before is looked back on."""
    times, up = align(section.upstream, readings, start - LEAD_S, end)
    _, down = align(section.downstream, readings, start - LEAD_S, end)
    count = min(times.size, down["occupancy"].size)
    pair = up["occupancy"][:count], down["occupancy"][:count]
    seven = detect_california_7(*pair)
    nothing = np.zeros(count, np.bool_)
    cusum = mcmaster = nothing
    if usual.speed is not None:
        level, spread = usual.speed.find_level(times[:count])
        cusum, _ = detect_cusum((level - up["vehicle_speed"][:count]) / spread)
    if usual.bounds is not None:
        flows, speeds = up["vehicle_count"][:count], up["vehicle_speed"][:count]
        mcmaster = detect_mcmaster(flows, pair[0], speeds, usual.bounds)
    sure = combine_methods(
        california_7=seven >= CONFIRMED,
        california_8=detect_california_8(*pair) >= CONFIRMED,
        cusum=cusum,
        mcmaster=mcmaster,
    )
    sure = np.where(np.isnan(pair[0]) | np.isnan(pair[1]), np.nan, sure)
    kept = times[:count] > start
    return Judged(times[:count][kept], sure[kept], (seven >= TENTATIVE)[kept])


def list_incidents(section: Section, judged: Judged) -> list[Incident]:
    """Return the incidents of a section in order: told from ``ON`` on, over below ``OFF``."""
    found: list[Incident] = []
    step = section.upstream.interval_s
    begun: int | None = None
    for place, sure in enumerate(judged.confidence.tolist()):
        if begun is None and sure >= ON:
            begun = place
        elif begun is not None and sure <= OFF:
            found.append(_describe(section, judged, begun, place, step))
            begun = None
    if begun is not None:
        found.append(_describe(section, judged, begun, None, step))
    return found


def _describe(section: Section, judged: Judged, begun: int, over: int | None, step: float) -> Incident:
    first = begun
    while first > 0 and (judged.hints[first - 1] or judged.confidence[first - 1] > 0.0):
        first -= 1
    told = slice(begun, over)
    return Incident(
        section.id,
        datetime.fromtimestamp(judged.times[first] - step, UTC),
        datetime.fromtimestamp(judged.times[begun], UTC),
        None if over is None else datetime.fromtimestamp(judged.times[over], UTC),
        float(np.nanmax(judged.confidence[told])),
    )


def find_place(section: Section, roads: CityRoads) -> shapely.Point:
    """Return the middle of a section, along its street (city CRS)."""
    lengths = roads.graph.lengths[section.links]
    place = int(np.searchsorted(np.cumsum(lengths), 0.5 * lengths.sum()))
    [line] = roads.lines([int(roads.graph.edges[section.links[min(place, lengths.size - 1)]])])
    return shapely.Point(line.interpolate(0.5, normalized=True))


def find_incidents(
    sections: Sequence[Section], read: Read, start: datetime, end: datetime, offset: int
) -> list[Incident]:
    """Return the incidents told in ``start`` < time ≤ ``end``, in order of when they were told."""
    found: list[Incident] = []
    for section in sections:
        series = [
            one.series[name].id for one in (section.upstream, section.downstream) for name in READ if name in one.series
        ]
        usual = learn(section.upstream, read, start, offset)
        readings = read(series, start - timedelta(seconds=LEAD_S), end)
        found += list_incidents(section, judge_section(section, usual, readings, start.timestamp(), end.timestamp()))
    return sorted(found, key=lambda one: (one.told, one.section))

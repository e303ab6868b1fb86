"""Incidents on streets from what counters read: California #7 and #8, a CUSUM and McMaster; all look back only.

California compares the occupancy of two neighbouring stations: upstream of an incident it rises, downstream it falls
(Payne and Tignor 1978, Freeway Incident-Detection Algorithms Based on Decision Trees with States, Transportation
Research Record 682). CUSUM and McMaster hold one station against its own past. McMaster: Persaud, Hall and Hall 1990,
Congestion Identification Aspects of the McMaster Incident Detection Algorithm, Transportation Research Record 1287.

Arrays are (times,) or (times, sections), in order of time and evenly spaced; NaN is a reading that did not come: it
changes nothing. What comes back is told of each time from the readings up to it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]

CLEAR, TENTATIVE, CONFIRMED, CONTINUING = range(4)
"""The states of an incident at a section, as California #7 has them."""


@dataclass(frozen=True, slots=True)
class California:
    """Thresholds of California #7 and #8, occupancies as shares 0 to 1.

    difference: T1, of occupancy upstream less downstream. relative: T2, of the difference as a share of that upstream.
    downstream: T3, above which the road is congested downstream too and no incident is told of. persistence: how many
    further readings must say the same. wave_drop, wave_occupancy (#8): a compression wave comes through where the
    occupancy downstream is at least wave_occupancy after it rose by the share wave_drop or more over two readings;
    nothing begins for wave_readings of them (five minutes).
    """

    difference: float = 0.08
    relative: float = 0.31
    downstream: float = 0.17
    persistence: int = 1
    wave_drop: float = 0.4
    wave_occupancy: float = 0.28
    wave_readings: int = 1


def detect_california_7(upstream: Values, downstream: Values, settings: California | None = None) -> NDArray[np.int8]:
    """Return the state at each time of sections between occupancies upstream and downstream (times, …)."""
    return _run_california(upstream, downstream, settings or California(), waves=False)


def detect_california_8(upstream: Values, downstream: Values, settings: California | None = None) -> NDArray[np.int8]:
    """Return the same with the test of #8: after a compression wave downstream no incident begins for a while."""
    return _run_california(upstream, downstream, settings or California(), waves=True)


def _run_california(upstream: Values, downstream: Values, by: California, *, waves: bool) -> NDArray[np.int8]:
    up, down = np.broadcast_arrays(np.asarray(upstream, np.float64), np.asarray(downstream, np.float64))
    difference = up - down
    relative = np.divide(difference, up, out=np.zeros(up.shape), where=up > 0.0)
    begins = (difference >= by.difference) & (relative >= by.relative) & (down < by.downstream)
    goes_on = relative >= by.relative
    silent = np.isnan(up) | np.isnan(down)
    if waves:
        begins &= ~_find_waves(down, by)
    states = np.zeros(up.shape, np.int8)
    state = np.zeros(up.shape[1:], np.int8)
    held = np.zeros(up.shape[1:], np.int64)
    for place in range(up.shape[0]):
        fresh = np.where(state == CLEAR, begins[place], goes_on[place])
        held = np.where(silent[place], held, np.where(fresh, held + 1, 0))
        after = np.select(
            [~fresh, held <= by.persistence, held == by.persistence + 1], [CLEAR, TENTATIVE, CONFIRMED], CONTINUING
        )
        state = np.where(silent[place], state, after).astype(np.int8)
        states[place] = state
    return states


def _find_waves(down: Values, by: California) -> Flags:
    before = np.full(down.shape, np.nan)
    before[2:] = down[:-2]
    rise = np.divide(down - before, before, out=np.zeros(down.shape), where=before > 0.0)
    wave = (rise >= by.wave_drop) & (down >= by.wave_occupancy)
    after: Flags = wave.copy()
    for back in range(1, by.wave_readings + 1):
        after[back:] |= wave[:-back]
    return after


@dataclass(frozen=True, slots=True)
class Cusum:
    """Page's CUSUM of standardised residuals: ``slack`` is half the shift looked for, ``threshold`` where it alarms.

    Of white normal residuals without a shift it alarms once in about (exp(2 k b) − 2 k b − 1) / (2 k²) readings,
    b = threshold + 1.166 (Siegmund 1985, Sequential Analysis, chapter 2): with the defaults once in 114,000, more than
    a year of readings every five minutes.
    """

    slack: float = 1.0
    threshold: float = 5.0
    ceiling: float = 15.0
    largest: float = 6.0

    @property
    def false_alarm_every(self) -> float:
        """The mean number of readings between false alarms."""
        twice = 2.0 * self.slack * (self.threshold + 1.166)
        return float((np.exp(twice) - twice - 1.0) / (2.0 * self.slack**2))


def detect_cusum(residuals: Values, settings: Cusum | None = None) -> tuple[Flags, Values]:
    """Return when the sum is beyond its threshold, and the sum itself (times, …).

    residuals: standardised, positive for what an incident does. One reading adds ``largest`` at most, so that a single
    wild one does not alarm by itself, and the sum stops at ``ceiling``, so that the alarm ends soon after the incident.
    """
    by = settings or Cusum()
    values = np.asarray(residuals, np.float64)
    sums = np.zeros(values.shape)
    total = np.zeros(values.shape[1:])
    most = min(by.largest, by.threshold + by.slack - 1e-9)
    for place in range(values.shape[0]):
        added = np.nan_to_num(np.minimum(values[place], most) - by.slack, nan=0.0)
        total = np.clip(total + added, 0.0, by.ceiling)
        sums[place] = total
    return sums >= by.threshold, sums


@dataclass(frozen=True, eq=False, slots=True)
class WeekProfile:
    """What is usual by time of week: level (kinds, slots) and one spread a kind (kinds,), kinds: working day, weekend.

    slot: seconds of the local clock in one slot; offset: local time less UTC [s].
    """

    level: Values
    spread: Values
    slot: int
    offset: int

    def find_level(self, times: Values) -> tuple[Values, Values]:
        """Return level and spread at times (times,) [s since 1970 UTC], the level between the middles of slots."""
        kind, clock = _place(times, self.offset)
        count = self.level.shape[1]
        at = clock / self.slot - 0.5
        low = np.floor(at).astype(np.int64)
        share = at - low
        return (
            (1.0 - share) * self.level[kind, low % count] + share * self.level[kind, (low + 1) % count],
            self.spread[kind],
        )


def fit_profile(
    times: Values, values: Values, *, offset: int, slot: int = 1800, least: float = 1e-6
) -> WeekProfile | None:
    """Return the usual course of a series by time of week, by medians, so that past incidents weigh nothing.

    least: no spread is smaller. None where a slot of working days was never read; weekends without readings are taken
    to be as working days.
    """
    at, read = np.asarray(times, np.float64), np.asarray(values, np.float64)
    good = np.isfinite(read)
    at, read = at[good], read[good]
    kind, clock = _place(at, offset)
    place = np.floor(clock / slot).astype(np.int64)
    count = 86_400 // slot
    level = np.full((2, count), np.nan)
    for one in range(2):
        for number in range(count):
            own = read[(kind == one) & (place == number)]
            if own.size:
                level[one, number] = np.median(own)
    if np.isnan(level[0]).any():
        return None
    level[1] = np.where(np.isnan(level[1]), level[0], level[1])
    profile = WeekProfile(level, np.ones(2), slot, offset)
    apart = np.abs(read - profile.find_level(at)[0])
    # 1.4826 makes the median deviation of a normal series its standard deviation.
    spread = [1.4826 * float(np.median(apart[kind == one])) if np.any(kind == one) else np.nan for one in range(2)]
    both = np.where(np.isnan(spread), spread[0], spread)
    return WeekProfile(level, np.maximum(both, least), slot, offset)


def _place(times: Values, offset: int) -> tuple[NDArray[np.int64], Values]:
    local = np.asarray(times, np.float64) + offset
    weekday = (local // 86_400 + 3) % 7
    return (weekday >= 5).astype(np.int64), local % 86_400


@dataclass(frozen=True, slots=True)
class McMaster:
    """The bounds of a station's free traffic: flow = slope · occupancy less a margin, and the speed that is congested.

    slope [veh/h per share of occupancy], margin (share of the flow), speed [km/h].
    """

    slope: float
    margin: float
    speed: float


def fit_mcmaster(flows: Values, occupancies: Values, speeds: Values) -> McMaster | None:
    """Return the bounds of free traffic from a station's past; None where there are fewer than a hundred readings.

    Free are readings of at least 70 % of the speed that is exceeded 15 % of the time.
    """
    read = np.isfinite(flows) & np.isfinite(occupancies) & np.isfinite(speeds) & (occupancies > 0.0)
    if int(read.sum()) < 100:
        return None
    fast = float(np.quantile(speeds[read], 0.85))
    free = read & (speeds >= 0.7 * fast)
    slope = flows[free] / occupancies[free]
    middle = float(np.median(slope))
    margin = 1.0 - float(np.quantile(slope, 0.01)) / middle
    return McMaster(middle, min(max(margin, 0.1), 0.5), 0.6 * fast)


def detect_mcmaster(
    flows: Values, occupancies: Values, speeds: Values, bounds: McMaster, *, persistence: int = 1
) -> Flags:
    """Return when a station is congested: slow, and with less flow than free traffic of its occupancy has (times,).

    It must be so for ``persistence`` further readings.
    """
    low = flows < (1.0 - bounds.margin) * bounds.slope * occupancies
    slow = np.where(np.isnan(flows + occupancies + speeds), False, low & (speeds < bounds.speed))
    held, told = 0, np.zeros(slow.shape, np.bool_)
    for place, one in enumerate(slow.tolist()):
        held = held + 1 if one else 0
        told[place] = held > persistence
    return told


WEIGHTS = np.array([0.3, 0.3, 0.2, 0.2])
"""How much California #7 and #8, CUSUM and McMaster say."""


def combine_methods(*, california_7: Flags, california_8: Flags, cusum: Flags, mcmaster: Flags) -> Values:
    """Return how sure an incident in a section is (times,), 0 to 1: the weights of the methods that tell it, together.

    One station alone cannot tell an incident from the evening's jam, so it never comes to half without a California.
    """
    told = np.stack([california_7, california_8, cusum, mcmaster]).astype(np.float64)
    return np.asarray(np.tensordot(WEIGHTS, told, axes=1).round(6), np.float64)

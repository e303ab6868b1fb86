"""Counts of vehicles: by hour, peak hour, annual average daily traffic, how good they are, and GEH against a model."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from layers.errors import InputError

GEH_LIMIT = 5.0
GEH_GOAL = 0.85
"""A model fits its counts where the GEH is below 5 at 85 % of the stations or more (DMRB 12.2.1, TAG unit M3.1)."""
LEAST_COVER = 0.75
"""Of the readings due in an hour or day this share must be there for it to count."""
STUCK_AFTER = 12
"""As many equal readings above zero in a row are no traffic but a counter that hangs."""
HOUR, DAY = 3600, 86_400

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Hours:
    """Flow by the hour: starts (hours,) [s since 1970 UTC], flows (hours,) [veh/h], NaN where too little was read."""

    starts: NDArray[np.int64]
    flows: Values


@dataclass(frozen=True, slots=True)
class Quality:
    """How good a series of counts is: share of readings that came, of hours that count, of readings that hang."""

    cover: float
    hours: float
    stuck: float

    @property
    def is_good(self) -> bool:
        """Whether it can be compared with a model."""
        return self.hours >= LEAST_COVER and self.stuck < 0.05


@dataclass(frozen=True, slots=True)
class DailyTraffic:
    """Annual average daily traffic [veh/d] after AASHTO, from ``days`` whole days of ``weekdays`` of the seven."""

    flow: float
    days: int
    weekdays: int


@dataclass(frozen=True, slots=True)
class PeakHour:
    """The hour of the local clock with most traffic on working days, and its flow [veh/h].

    factor: peak hour factor, the flow over four times that of its busiest quarter; NaN where readings are coarser.
    """

    hour: int
    flow: float
    factor: float


def compute_geh(model: ArrayLike, count: ArrayLike) -> Values:
    """Return the GEH statistic of modelled against counted hourly flows [veh/h]: √(2 (m − c)² / (m + c)).

    Zero where both are zero. Raises InputError for a negative flow.
    """
    modelled, counted = np.broadcast_arrays(np.asarray(model, np.float64), np.asarray(count, np.float64))
    if np.any(modelled < 0.0) or np.any(counted < 0.0):
        raise InputError("a flow is negative", hint="GEH compares flows of 0 or more vehicles an hour")
    total = modelled + counted
    apart = np.abs(modelled - counted)
    return np.asarray(np.sqrt(2.0) * apart / np.sqrt(np.where(total > 0.0, total, 1.0)), np.float64)


def share_fitting(geh: ArrayLike, limit: float = GEH_LIMIT) -> float:
    """Return the share of the stations whose GEH is below the limit; NaN without any."""
    values = np.asarray(geh, np.float64)
    values = values[np.isfinite(values)]
    return float(np.mean(values < limit)) if values.size else float("nan")


def gather_hours(times: ArrayLike, rates: ArrayLike, step: float) -> Hours:
    """Return the mean flow of each hour from readings of rates [veh/h], each of the ``step`` seconds before its time.

    times: in order [s since 1970 UTC]. An hour with less than LEAST_COVER of its readings has no flow.
    """
    at = np.asarray(times, np.float64)
    values = np.asarray(rates, np.float64)
    if not at.size:
        return Hours(np.empty(0, np.int64), np.empty(0))
    hour = np.floor((at - 0.5 * step) / HOUR).astype(np.int64)
    first = int(hour[0])
    count = int(hour[-1]) - first + 1
    good = np.isfinite(values)
    held = np.bincount(hour[good] - first, minlength=count)
    total = np.bincount(hour[good] - first, weights=values[good], minlength=count)
    flows = np.full(count, np.nan)
    enough = held >= max(LEAST_COVER * HOUR / max(step, 1.0), 1.0) - 1e-9
    np.divide(total, held, out=flows, where=enough)
    return Hours((first + np.arange(count, dtype=np.int64)) * HOUR, flows)


def compute_profile(hours: Hours, offset: int) -> Values:
    """Return the mean flow by weekday and hour of the local clock (7, 24) [veh/h], Monday first, NaN without any.

    offset: local time less UTC [s].
    """
    local = hours.starts + offset
    weekday, clock = (local // DAY + 3) % 7, local % DAY // HOUR
    good = np.isfinite(hours.flows)
    place = (weekday * 24 + clock)[good]
    held = np.bincount(place, minlength=168)
    total = np.bincount(place, weights=hours.flows[good], minlength=168)
    profile = np.full(168, np.nan)
    np.divide(total, held, out=profile, where=held > 0)
    return profile.reshape(7, 24)


def estimate_daily_traffic(hours: Hours, offset: int) -> DailyTraffic:
    """Return the annual average daily traffic as far as the hours tell it, by the AASHTO average of averages.

    The mean over the weekdays of the mean of each weekday's days (AASHTO Guidelines for Traffic Data Programs, 1992),
    so that many Mondays do not weigh more than few Sundays. A day counts with all but two of its hours at least; what
    is missing is put in at the mean of the rest. Less than a year says nothing of seasons.
    """
    local = hours.starts + offset
    day = local // DAY
    sums: dict[int, list[float]] = {}
    for one in np.unique(day).tolist():
        flows = hours.flows[day == one]
        flows = flows[np.isfinite(flows)]
        if flows.size >= 22:
            sums.setdefault(int((one + 3) % 7), []).append(24.0 * float(flows.mean()))
    means = [float(np.mean(each)) for each in sums.values()]
    days = sum(len(each) for each in sums.values())
    return DailyTraffic(float(np.mean(means)) if means else float("nan"), days, len(sums))


def find_peak(times: ArrayLike, rates: ArrayLike, step: float, offset: int) -> PeakHour | None:
    """Return the busiest hour of working days and its peak hour factor; None where no hour of one is known."""
    profile = compute_profile(gather_hours(times, rates, step), offset)[:5]
    known = np.isfinite(profile)
    if not known.any():
        return None
    held = known.sum(axis=0)
    mean = np.where(held > 0, np.nansum(profile, axis=0) / np.maximum(held, 1), -np.inf)
    hour = int(np.argmax(mean))
    return PeakHour(hour, float(mean[hour]), _find_factor(np.asarray(times), np.asarray(rates), step, offset, hour))


def judge_counts(times: ArrayLike, rates: ArrayLike, step: float, start: float, end: float) -> Quality:
    """Return how good readings between ``start`` and ``end`` [s since 1970 UTC] are, one due every ``step`` seconds."""
    values = np.asarray(rates, np.float64)
    at = np.asarray(times, np.float64)
    due = max((end - start) / step, 1.0)
    known = gather_hours(at, values, step).flows
    hours = max((end - start) / HOUR, 1.0)
    return Quality(
        min(float(np.isfinite(values).sum()) / due, 1.0),
        min(float(np.isfinite(known).sum()) / hours, 1.0),
        _count_stuck(values) / max(values.size, 1),
    )


def _find_factor(times: Values, rates: Values, step: float, offset: int, hour: int) -> float:
    if step > 900.0 or 900.0 % step:
        return float("nan")
    middle = times - 0.5 * step + offset
    chosen = ((middle // DAY + 3) % 7 < 5) & (middle % DAY // HOUR == hour) & np.isfinite(rates)
    day, quarter = (middle[chosen] // DAY).astype(np.int64), (middle[chosen] % HOUR // 900).astype(np.int64)
    factors = []
    for one in np.unique(day).tolist():
        means = [rates[chosen][(day == one) & (quarter == number)] for number in range(4)]
        if all(each.size for each in means):
            flows = [float(each.mean()) for each in means]
            if max(flows) > 0.0:
                factors.append(sum(flows) / (4.0 * max(flows)))
    return float(np.mean(factors)) if factors else float("nan")


def _count_stuck(values: Values) -> int:
    """Return how many readings are part of a run of equal ones above zero that is too long to be traffic."""
    if values.size < STUCK_AFTER:
        return 0
    edges = np.flatnonzero(np.r_[True, values[1:] != values[:-1], True])
    lengths = np.diff(edges)
    hanging = (lengths >= STUCK_AFTER) & (values[edges[:-1]] > 0.0)
    return int(lengths[hanging].sum())

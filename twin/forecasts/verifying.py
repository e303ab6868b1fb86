"""What issued forecasts said against what then came: skill by lead, and each exceedance's first right warning."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from hydrology.forecast import LEVELS
from hydrology.readings import regrid
from hydrology.verification import (
    Contingency,
    compute_bias,
    compute_crps,
    compute_reliability,
    compute_rmse,
    count_warnings,
    find_first_right_lead,
)
from twin.forecasts.models import read_stages
from twin.store_forecasts import StageGauge, Values, list_issues, read_values, select_lead

Floats = NDArray[np.float64]

LEAD_HOURS = (1, 3, 6, 12, 24, 48)
GAP_S = 1800.0
"""What came is taken between readings at most this far apart [s]."""

_MIDDLE = LEVELS.index(0.50)


@dataclass(frozen=True, slots=True)
class LeadSkill:
    """Scores of one lead [s] over ``count`` issues [m]; what persistence and the tide alone would have missed by.

    reliability (levels,): share at or below each quantile [1]. warned: contingency at ``level`` [m], None without one.
    """

    lead: float
    count: int
    rmse: float
    bias: float
    crps: float
    rmse_persistence: float | None
    rmse_tide: float | None
    inside: float
    reliability: tuple[float, ...]
    level: float | None
    warned: Contingency | None


@dataclass(frozen=True, slots=True)
class PeakSkill:
    """By how much [m] and how late [s] the issued paths missed the high waters about ``lead`` [s] ahead."""

    lead: float
    count: int
    height_bias: float
    height_rmse: float
    time_bias: float
    time_rmse: float


@dataclass(frozen=True, slots=True)
class Skill:
    """The skill of a gauge's issues for the times from ``start`` to ``end``.

    first_right_hours: median of the longest lead [h] from which on every issue told of a crossing of the level, None
    without crossings; crossings: how many there were.
    """

    start: datetime
    end: datetime
    leads: tuple[LeadSkill, ...]
    peaks: tuple[PeakSkill, ...]
    crossings: int
    first_right_hours: float | None


def verify_gauge(connection: Connection, gauge: StageGauge, *, days: float, end: datetime | None = None) -> Skill:
    """Return the skill of what was issued for the ``days`` [d] before ``end``, by default the newest reading."""
    until = gauge.newest if end is None else end
    since = until - timedelta(days=days)
    times, stages = read_stages(connection, gauge.datastream_id, since - timedelta(days=3), until)
    level = gauge.alarm_levels[0]
    told = {hours: select_lead(connection, gauge.datastream_id, hours * 3600, since, until) for hours in LEAD_HOURS}
    leads = [
        score
        for hours, (issued, values) in told.items()
        if (score := _score(hours * 3600.0, issued, values, times, stages, level)) is not None
    ]
    crossings = _find_crossings(times, stages, level, since.timestamp())
    found = [_find_first(told, at, level) for at in crossings] if level is not None else []
    firsts = [first for first in found if first is not None]
    return Skill(
        since,
        until,
        tuple(leads),
        tuple(_score_peaks(connection, gauge, times, stages, since, until)),
        len(firsts),
        float(np.median(firsts)) if firsts else None,
    )


def _score(
    lead: float, issued: Floats, values: Values, times: Floats, stages: Floats, level: float | None
) -> LeadSkill | None:
    came = regrid(times, stages, values.times, GAP_S)
    known = np.isfinite(came)
    if not known.any():
        return None
    came, quantiles, warning, tide = came[known], values.quantiles[known], values.warning[known], values.tide[known]
    then = regrid(times, stages, issued[known], 2.0 * GAP_S)
    low, high = quantiles[:, LEVELS.index(0.10)], quantiles[:, LEVELS.index(0.90)]
    return LeadSkill(
        lead,
        int(known.sum()),
        compute_rmse(quantiles[:, _MIDDLE], came),
        compute_bias(quantiles[:, _MIDDLE], came),
        compute_crps(quantiles, LEVELS, came),
        compute_rmse(then, came) if np.isfinite(then).any() else None,
        compute_rmse(tide, came) if np.isfinite(tide).any() else None,
        float(np.mean((came >= low) & (came <= high))),
        tuple(compute_reliability(quantiles, came).tolist()),
        level,
        None if level is None else count_warnings(warning, came, level),
    )


def _find_crossings(times: Floats, stages: Floats, level: float | None, since: float) -> list[float]:
    """Return the times [s] at which readings rise to the level, at least three hours after they were above it."""
    if level is None:
        return []
    above = times[stages >= level]
    starts = above[np.r_[True, np.diff(above) > 3.0 * 3600.0]] if above.size else above
    return [float(at) for at in starts if at > since]


def _find_first(told: dict[int, tuple[Floats, Values]], at: float, level: float) -> float | None:
    """Return the longest lead [h] from which on the crossing at ``at`` [s] was told, 0 where it was not.

    What was said for any time within half an hour of it counts. None where nothing was issued for it.
    """
    said = []
    for _, values in told.values():
        near = np.abs(values.times - at) <= 1800.0
        said.append(float(values.warning[near].max()) if near.any() else np.nan)
    if np.isnan(said).all():
        return None
    first = find_first_right_lead(np.array(list(told), dtype=np.float64), np.array(said), level)
    return 0.0 if first is None else first


def _score_peaks(
    connection: Connection, gauge: StageGauge, times: Floats, stages: Floats, since: datetime, until: datetime
) -> list[PeakSkill]:
    """Return how issued paths (one an hour at most) met the high waters that came."""
    grid = np.arange(np.ceil(since.timestamp() / 600.0) * 600.0, until.timestamp(), 600.0)
    came = regrid(times, stages, grid, GAP_S)
    peaks = find_high_waters(came)
    errors: dict[int, list[tuple[float, float]]] = {hours: [] for hours in LEAD_HOURS}
    issues = list_issues(connection, gauge.datastream_id, limit=10_000, before=until)
    newest = np.inf
    for issue in issues:
        at = issue.issue_time.timestamp()
        if at < since.timestamp() or newest - at < 3600.0:
            continue
        newest = at
        values = read_values(connection, issue.id)
        for peak in peaks:
            ahead = float(grid[peak]) - at
            if not 1800.0 < ahead < values.times[-1] - at - 3.0 * 3600.0:
                continue
            near = np.flatnonzero(np.abs(values.times - grid[peak]) <= 3.0 * 3600.0)
            best = near[np.argmax(values.quantiles[near, _MIDDLE])]
            lead = min(LEAD_HOURS, key=lambda hours: abs(np.log(hours * 3600.0 / ahead)))
            errors[lead].append(
                (float(values.quantiles[best, _MIDDLE] - came[peak]), float(values.times[best] - grid[peak]))
            )
    found = []
    for hours, pairs in errors.items():
        if pairs:
            height, late = np.array(pairs).T
            found.append(
                PeakSkill(
                    hours * 3600.0, len(pairs), float(height.mean()), float(np.sqrt(np.mean(height**2))),
                    float(late.mean()), float(np.sqrt(np.mean(late**2))),
                )
            )  # fmt: skip
    return found


def find_high_waters(stages: Floats, half_width: int = 24) -> NDArray[np.int64]:
    """Return the places of high waters: highest of ``half_width`` known values on either side, above the mean."""
    found = []
    mean = np.nanmean(stages) if np.isfinite(stages).any() else np.nan
    for place in range(half_width, stages.size - half_width):
        window = stages[place - half_width : place + half_width + 1]
        if stages[place] > mean and np.isfinite(window).all() and int(np.argmax(window)) == half_width:
            found.append(place)
    return np.array(found, dtype=np.int64)

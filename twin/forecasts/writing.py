"""A forecast as JSON words, for the API, the command line and whoever reads it."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hydrology.forecast import LEVELS
from hydrology.verification import compute_exceedance
from layers.store.rasters import format_time
from twin.forecasts.verifying import LeadSkill, Skill, find_high_waters
from twin.store_forecasts import Issue, StageGauge, Values

Floats = NDArray[np.float64]

_MIDDLE = LEVELS.index(0.50)
_HOUR_S, _STEP_S = 3600.0, 600.0
_HIGH_S = 4.0 * _HOUR_S
"""How long before the forecast readings are looked at for a high water that has just passed [s]."""


def write_issue(issue: Issue) -> dict[str, Any]:
    """Return an issue without its values."""
    return {
        "issue": issue.id,
        "datastream_id": issue.datastream_id,
        "issue_time": format_time(issue.issue_time),
        "origin": format_time(issue.origin),
        "created": format_time(issue.created),
        "model": issue.model,
        "parameters": issue.parameters,
        "skill": issue.skill,
    }


def write_values(values: Values) -> dict[str, Any]:
    """Return times and, side by side, the median as ``stage``, the 10–90 % band, tide, warning and all quantiles."""
    return {
        "times": [_write_time(at) for at in values.times.tolist()],
        "stage": _round(values.quantiles[:, _MIDDLE]),
        "lower": _round(values.quantiles[:, LEVELS.index(0.10)]),
        "upper": _round(values.quantiles[:, LEVELS.index(0.90)]),
        "tide": _round(values.tide),
        "warning": _round(values.warning),
        "levels": list(LEVELS),
        "quantiles": [_round(row) for row in values.quantiles],
    }


def write_peak(values: Values) -> dict[str, Any]:
    """Return the highest median and the band at that time."""
    return _write_top(values, int(np.argmax(values.quantiles[:, _MIDDLE])))


def _write_top(values: Values, top: int) -> dict[str, Any]:
    return {
        "time": _write_time(float(values.times[top])),
        "stage": _round(values.quantiles[top, _MIDDLE : _MIDDLE + 1])[0],
        "lower": _round(values.quantiles[top, 1:2])[0],
        "upper": _round(values.quantiles[top, 5:6])[0],
    }


def write_trend(times: Floats, stages: Floats) -> float | None:
    """Return the rise [m/h] of the stage (n,) over the hour before its newest reading, None without readings then."""
    if times.size < 2 or times[-1] - times[0] < _HOUR_S / 2.0:
        return None
    hour = min(_HOUR_S, float(times[-1] - times[0]))
    before = float(np.interp(times[-1] - hour, times, stages))
    return round((float(stages[-1]) - before) * _HOUR_S / hour, 3)


def write_next_high(values: Values, times: Floats, stages: Floats) -> dict[str, Any] | None:
    """Return the next high water with its band, None where the forecast has none; readings (n,) tell what came before.

    A high water is the highest stage of four hours on either side, above the mean.
    """
    start = float(values.times[0])
    grid = np.arange(start - _HIGH_S, float(values.times[-1]) + 1.0, _STEP_S)
    past = times < start
    path = np.interp(
        grid,
        np.append(times[past], values.times),
        np.append(stages[past], values.quantiles[:, _MIDDLE]),
    )
    if not past.any():
        grid, path = grid[grid >= start], path[grid >= start]
    tops = [place for place in find_high_waters(path) if grid[place] > start]
    return _write_top(values, int(np.argmin(np.abs(values.times - grid[tops[0]])))) if tops else None


def write_alarms(values: Values, gauge: StageGauge) -> list[dict[str, Any]]:
    """Return for each alarm level how likely it is passed at the likeliest time, and when the warning first says so."""
    found = []
    for number, level in enumerate(gauge.alarm_levels, start=1):
        if level is None:
            continue
        likely = compute_exceedance(values.quantiles, LEVELS, level)
        told = np.flatnonzero(values.warning >= level)
        found.append(
            {
                "level": number,
                "stage": level,
                "probability": round(float(likely.max()), 3),
                "warned": bool(told.size),
                "first_time": _write_time(float(values.times[told[0]])) if told.size else None,
            }
        )
    return found


def write_skill(skill: Skill) -> dict[str, Any]:
    """Return the skill of a gauge."""
    return {
        "start": format_time(skill.start),
        "end": format_time(skill.end),
        "levels": list(LEVELS),
        "leads": [_write_lead(lead) for lead in skill.leads],
        "peaks": [{**_tidy(asdict(peak)), "lead_hours": peak.lead / 3600.0} for peak in skill.peaks],
        "crossings": skill.crossings,
        "first_right_hours": skill.first_right_hours,
    }


def _write_lead(lead: LeadSkill) -> dict[str, Any]:
    words = asdict(lead)
    words["reliability"] = [round(share, 4) for share in lead.reliability]
    words["lead_hours"] = lead.lead / 3600.0
    if lead.warned is not None:
        told = lead.warned
        words["warned"] = {
            "hits": told.hits, "misses": told.misses, "false_alarms": told.false_alarms,
            **{name: _tidy_one(getattr(told, name)) for name in ("pod", "far", "csi")},
        }  # fmt: skip
    return _tidy(words)


def _tidy(words: dict[str, Any]) -> dict[str, Any]:
    return {name: _tidy_one(value) if isinstance(value, float) else value for name, value in words.items()}


def _tidy_one(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None


def _round(values: NDArray[np.float64]) -> list[float | None]:
    return [_tidy_one(float(value)) for value in values]


def _write_time(seconds: float) -> str:
    return format_time(datetime.fromtimestamp(seconds, UTC))

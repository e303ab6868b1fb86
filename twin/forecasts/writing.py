"""A forecast as JSON words, for the API, the command line and whoever reads it."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hydrology.forecast import LEVELS
from hydrology.verification import compute_exceedance
from layers.store.rasters import format_time
from twin.forecasts.verifying import LeadSkill, Skill
from twin.store_forecasts import Issue, StageGauge, Values

_MIDDLE = LEVELS.index(0.50)


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
    top = int(np.argmax(values.quantiles[:, _MIDDLE]))
    return {
        "time": _write_time(float(values.times[top])),
        "stage": _round(values.quantiles[top, _MIDDLE : _MIDDLE + 1])[0],
        "lower": _round(values.quantiles[top, 1:2])[0],
        "upper": _round(values.quantiles[top, 5:6])[0],
    }


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

"""The rain that a supplied forecast means for a flood run: steps from its start on, and how members differ."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from hydrology.forecast import LEVELS
from twin.forecasts.supplied import MODEL
from twin.processes.flood_spread import share_evenly
from twin.store_forecasts import list_newest, read_values

LEAST_MM = 1.0
"""Less rain than this in the whole run is none [mm]."""

_MIDDLE, _HIGH = LEVELS.index(0.50), LEVELS.index(0.90)


@dataclass(frozen=True, slots=True)
class RunRain:
    """Depths [mm] of steps of ``step_minutes`` [min] from the start, and a factor [1] for each member.

    issue: the forecast it is from.
    """

    issue: int
    depths: tuple[float, ...]
    step_minutes: float
    factors: tuple[float, ...]


def find_rain(connection: Connection, start: datetime, hours: float, members: int) -> RunRain | None:
    """Return the rain of the newest supplied forecast that reaches beyond ``start``, or None where it is dry.

    The steps are those of the median, or where that is dry those exceeded by one in ten; factors are the totals of
    equally probable shares over the total of the steps.
    """
    begin = start.timestamp()
    candidates = [
        issue for issue in list_newest(connection, "rainfall") if issue.model == MODEL and issue.issue_time <= start
    ]
    for issue in sorted(candidates, key=lambda one: (one.issue_time, one.id), reverse=True):
        values = read_values(connection, issue.id)
        step = float(issue.parameters["step_s"])
        if values.times.size == 0 or values.times[-1] <= begin:
            continue
        edges = np.arange(begin, min(values.times[-1], begin + hours * 3600.0) + 1.0, step)
        moments = np.append(values.times[0] - step, values.times)
        fallen = np.diff(
            [np.interp(edges, moments, np.append(0.0, np.cumsum(column))) for column in values.quantiles.T], axis=1
        )
        level = _MIDDLE if fallen[_MIDDLE].sum() >= LEAST_MM else _HIGH
        base = fallen[level]
        if base.size == 0 or base.sum() < LEAST_MM:
            return None
        # Totals of the whole forecast know how members' steps go together; the sum of quantiles would not.
        totals = np.asarray(issue.parameters["totals_mm"], dtype=np.float64)
        whole = float(values.quantiles[:, level].sum())
        drawn = np.interp(share_evenly(members), LEVELS, totals) / max(whole, LEAST_MM)
        return RunRain(
            issue.id,
            tuple(round(float(depth), 3) for depth in base),
            step / 60.0,
            tuple(round(float(factor), 4) for factor in drawn),
        )
    return None

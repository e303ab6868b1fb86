"""Issue the forecast of every stage gauge from what is known, and keep it."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from hydrology.forecast import StageForecast, issue_stage, persist_stage
from hydrology.stage_model import StageModel
from layers.errors import TwinError
from twin.forecasts.models import HORIZON_S, ModelShelf, read_stages
from twin.store_forecasts import StageGauge, Values, find_gauge, keep_issue, list_stage_gauges

STEP_S = 600.0
FINE_S, COARSE_S = 24 * 3600.0, 1800.0
"""Values are kept every ten minutes up to the first [s], then every half hour."""

SILENT_DAYS = 10.0
"""A gauge silent for longer has no forecast [d]."""

SKILL_HOURS = (1, 3, 6, 12, 24, 48)

log = logging.getLogger("twin.forecasts")


@dataclass(frozen=True, slots=True)
class Issued:
    """What became of one gauge: the number of its issue, its model, whether it is new."""

    datastream_id: str
    issue: int
    issue_time: datetime
    model: str
    new: bool


def round_down(moment: datetime, seconds: float = STEP_S) -> datetime:
    """Return the newest whole step at or before ``moment`` (UTC)."""
    return datetime.fromtimestamp(moment.timestamp() // seconds * seconds, UTC)


def issue_all(engine: Engine, shelf: ModelShelf, at: datetime, *, series: Sequence[str] | None = None) -> list[Issued]:
    """Issue the forecast of every stage gauge, or of those named, for the whole ten minutes at or before ``at``.

    Each gauge in a transaction of its own; one that has been silent for ten days has none, and one whose readings
    allow none is logged. Raises NotFoundError for a
    named series that is no stage gauge with readings.
    """
    issue_time = round_down(at)
    with engine.connect() as connection:
        gauges = list_stage_gauges(connection) if series is None else [find_gauge(connection, name) for name in series]
    issued = []
    for gauge in gauges:
        try:
            with engine.begin() as connection:
                made = issue_gauge(connection, shelf, gauge, issue_time)
        except (SQLAlchemyError, TwinError, ValueError, ArithmeticError) as error:
            # One gauge that cannot be forecast must not silence the others.
            log.warning("gauge %s has no forecast: %s", gauge.datastream_id, error)
            continue
        if made is not None:
            issued.append(made)
    return issued


def issue_gauge(connection: Connection, shelf: ModelShelf, gauge: StageGauge, issue_time: datetime) -> Issued | None:
    """Issue and keep the forecast of one gauge, or return None where it has been silent for too long."""
    start = issue_time - timedelta(days=SILENT_DAYS)
    times, stages = read_stages(connection, gauge.datastream_id, start, issue_time)
    if times.size == 0:
        return None
    model, why = shelf.find(connection, gauge, issue_time)
    if model is None:
        start = issue_time - timedelta(days=60.0)
        times, stages = read_stages(connection, gauge.datastream_id, start, issue_time)
        told = persist_stage(times, stages, issue_time_s=issue_time.timestamp(), horizon_s=HORIZON_S, step_s=STEP_S)
    else:
        told = issue_stage(
            model, times, stages, issue_time_s=issue_time.timestamp(), horizon_s=HORIZON_S, step_s=STEP_S
        )
    number, new = keep_issue(
        connection,
        gauge.datastream_id,
        issue_time=issue_time,
        origin=datetime.fromtimestamp(told.origin, UTC),
        model=told.method,
        parameters=describe_model(model, why),
        skill=describe_skill(model),
        values=_pick(told),
    )
    return Issued(gauge.datastream_id, number, issue_time, told.method, new)


def describe_model(model: StageModel | None, why: str) -> dict[str, Any]:
    """Return what a forecast was made with, or why it persists."""
    if model is None:
        return {"why": why}
    return {
        "fitted_from": datetime.fromtimestamp(model.fitted_from, UTC),
        "fitted_to": datetime.fromtimestamp(model.fitted_to, UTC),
        "constituents": len(model.tide.constituents),
        "residual": {"method": model.residual.method, "past_hours": model.residual.order},
        "shifts": [
            {"time": datetime.fromtimestamp(one.time, UTC), "height": round(one.height, 3)} for one in model.shifts
        ],
        "high_level": round(model.high_level, 3),
        "settings": asdict(model.parameters),
    }


def describe_skill(model: StageModel | None) -> dict[str, Any]:
    """Return the errors on the parts of the record that were left out, and the quantile to warn from, by lead."""
    if model is None:
        return {}
    found = {}
    for hours in SKILL_HOURS:
        k = int(np.argmin(np.abs(model.residual.leads - hours * 3600.0)))
        found[f"{hours}h"] = {
            "rmse": round(float(np.sqrt(model.residual.variance[k])), 4),
            "warning_level": round(float(model.residual.warning_level[k]), 2),
        }
    return found


def _pick(told: StageForecast) -> Values:
    """Return the values that are kept."""
    leads = told.times - told.issue_time
    kept = (leads <= FINE_S) | (np.mod(leads, COARSE_S) == 0.0)
    # Rounding to tenths of millimetres must not turn two equal quantiles around.
    quantiles = np.maximum.accumulate(np.round(told.quantiles[kept], 4), axis=1)
    return Values(told.times[kept], quantiles, np.round(told.warning[kept], 4), np.round(told.tide[kept], 4))

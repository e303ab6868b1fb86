"""The river's stage in the hours to come: from a gauge's readings, or held at a level."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from hydrology.forecast import LEVELS, StageForecast, forecast_stage
from layers.datum import CRS84, make_transformer
from layers.errors import InputError, NotFoundError
from layers.store.rasters import format_time
from twin.process import Arrays, CityView

RECORD_DAYS = 60.0
STALE_HOURS = 6.0
STEP_S = 600.0


@dataclass(frozen=True, slots=True, eq=False)
class StageSeries:
    """Stage [m] (n,) at times [s after the start] (n,), the level the water usually has [m] and what a run reports."""

    times: NDArray[np.float64]
    stages: NDArray[np.float64]
    usual: float
    report: Mapping[str, Any] | None

    def shift(self, metres: float) -> "StageSeries":
        """Return the series ``metres`` [m] higher; the forecast it reports stays as it was made."""
        return StageSeries(self.times, self.stages + metres, self.usual, self.report)


def choose_base_time(view: CityView, given: datetime | None, name: str) -> datetime:
    """Return the given time, or now, in whole seconds; InputError for a time without a zone.

    Times are written in whole seconds everywhere, and a frame must be found again by what was written.
    """
    chosen = given or view.now
    if chosen.tzinfo is None:
        raise InputError(f"{name} {chosen.isoformat()} names no time zone", hint="end it with Z or +07:00")
    return chosen.replace(microsecond=0)


def forecast_gauge(
    view: CityView, gauge: str, issue_time: datetime, horizon_hours: float
) -> tuple[StageForecast, StageSeries]:
    """Return the forecast of a gauge's stage from its last 60 days, and the series that drives a run.

    Where a forecast was issued and kept for that time, it is that one. Only readings up to ``issue_time`` are used;
    the series starts with the last of them. Raises InputError naming gauge, window and newest reading when there are
    none, too few or only old ones.
    """
    datastream = view.find_datastream(gauge, "stage")
    start = issue_time - timedelta(days=RECORD_DAYS)
    times, stages = view.series(datastream, start, issue_time)
    issued = issue_time.timestamp()
    if times.size == 0 or issued - times[-1] > STALE_HOURS * 3600.0:
        newest = view.last_reading(datastream)
        raise InputError(
            f"gauge '{gauge}' has no stage reading in the {STALE_HOURS:g} hours before {format_time(issue_time)}; "
            f"its newest reading is of {'no time at all' if newest is None else format_time(newest)}",
            hint="choose another issue_time, or load readings",
        )
    kept = view.issued(datastream, issue_time)
    if kept is not None and kept["times"][-1] >= issued + horizon_hours * 3600.0:
        forecast = recall_forecast(kept, issued, horizon_hours * 3600.0, float(times[-1]))
    else:
        forecast = _make_forecast(view, gauge, times, stages, issue_time, horizon_hours)
    moments = [format_time(datetime.fromtimestamp(at, tz=issue_time.tzinfo)) for at in forecast.times]
    report: dict[str, Any] = {"datastream_id": datastream, "issue_time": format_time(issue_time), "times": moments}
    for name in ("stage", "lower", "upper", "tide"):
        report[name] = [round(float(value), 4) for value in getattr(forecast, name)]
    ahead = np.concatenate([[0.0], forecast.times - issued])
    series = StageSeries(ahead, np.concatenate([stages[-1:], forecast.stage]), float(np.mean(stages)), report)
    return forecast, series


def recall_forecast(kept: Arrays, issued: float, horizon_s: float, origin: float) -> StageForecast:
    """Return a kept forecast (``CityView.issued``) up to its horizon [s]; ``origin``: of the newest reading [s]."""
    within = kept["times"] <= issued + horizon_s
    times, quantiles, tide, warning = (kept[name][within] for name in ("times", "quantiles", "tide", "warning"))
    lower, middle, upper = (quantiles[:, LEVELS.index(level)] for level in (0.10, 0.50, 0.90))
    unknown = np.full(times.size, np.nan)
    return StageForecast(
        issued, times, quantiles, middle, lower, upper, tide, warning, unknown, float("nan"), origin,
        "harmonic-residual", None,
    )  # fmt: skip


def _make_forecast(
    view: CityView,
    gauge: str,
    times: NDArray[np.float64],
    stages: NDArray[np.float64],
    issue_time: datetime,
    horizon_hours: float,
) -> StageForecast:
    try:
        return forecast_stage(
            times,
            stages,
            issue_time_s=issue_time.timestamp(),
            horizon_s=horizon_hours * 3600.0,
            step_s=STEP_S,
            latitude_deg=read_latitude(view, gauge),
        )
    except InputError as error:
        start = issue_time - timedelta(days=RECORD_DAYS)
        raise InputError(f"gauge '{gauge}' from {format_time(start)}: {error.message}") from error


def hold_stage(usual: float, level: float, ramp_hours: float, horizon_hours: float) -> StageSeries:
    """Return a stage that rises from ``usual`` [m] to ``level`` [m] over ``ramp_hours`` [h] and stays there."""
    ends = [0.0, ramp_hours * 3600.0, max(horizon_hours, ramp_hours) * 3600.0]
    times, first = np.unique(np.array(ends), return_index=True)
    return StageSeries(times, np.array([usual, level, level])[first], usual, None)


def read_latitude(view: CityView, gauge: str) -> float:
    """Return the latitude of a gauge [degrees]: of the sensor, else of the terrain's middle."""
    sensors = view.layer("sensors", columns=["name"])
    found = sensors.loc[sensors["id"] == gauge]
    if not found.empty:
        x, y = shapely.get_coordinates(found.geometry.iloc[0])[0]
    else:
        try:
            _, grid = view.raster("terrain", cell_size=100.0)
        except NotFoundError as error:
            raise NotFoundError(f"sensor '{gauge}' does not exist") from error
        x0, y0, x1, y1 = grid.bounds
        x, y = (x0 + x1) / 2.0, (y0 + y1) / 2.0
    return float(make_transformer(view.crs, CRS84).transform(x, y)[1])

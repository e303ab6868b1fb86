"""The stage models of the gauges, fitted once a day and kept while the process lives."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from hydrology.parameters import ForecastParameters
from hydrology.stage_model import StageModel, fit_stage_model
from layers.errors import InputError
from layers.store.sensing.reading import select_observations
from twin.store_forecasts import StageGauge, read_changed

Floats = NDArray[np.float64]

HORIZON_S = 48 * 3600.0
PARAMETERS = ForecastParameters()
_FAILED_QUALITY = (4, 9)
_MARGIN_S = 24 * 3600.0
_KEPT_LATITUDE = 10.0


@dataclass(frozen=True, slots=True)
class _Fitted:
    day: date
    at: datetime
    model: StageModel | None
    why: str


@dataclass
class ModelShelf:
    """Models by series: fitted anew each day (UTC), or when a reading was corrected since."""

    _kept: dict[str, _Fitted] = field(default_factory=dict)

    def find(self, connection: Connection, gauge: StageGauge, at: datetime) -> tuple[StageModel | None, str]:
        """Return the model of a gauge from its readings up to ``at``, or None and why it has none."""
        day = at.astimezone(UTC).date()
        kept = self._kept.get(gauge.datastream_id)
        if (
            kept is None
            or kept.model is None
            or kept.day != day
            or kept.at > at
            or read_changed(connection, gauge.datastream_id, kept.at)
        ):
            kept = _fit(connection, gauge, at, day)
            self._kept[gauge.datastream_id] = kept
        return kept.model, kept.why


def read_stages(connection: Connection, datastream_id: str, start: datetime, end: datetime) -> tuple[Floats, Floats]:
    """Return times [s, UTC epoch] and stages [m] (n,) of a series, without failed or missing readings."""
    found = select_observations(connection, datastream_id, start, end)
    good = np.isfinite(found.results) & ~np.isin(found.qualities, _FAILED_QUALITY)
    return found.times[good], found.results[good]


def _fit(connection: Connection, gauge: StageGauge, at: datetime, day: date) -> _Fitted:
    start = at - timedelta(seconds=PARAMETERS.fit_span)
    times, stages = read_stages(connection, gauge.datastream_id, start, at)
    latitude = _KEPT_LATITUDE if gauge.latitude is None else gauge.latitude
    try:
        model = fit_stage_model(times, stages, latitude, horizon_s=HORIZON_S + _MARGIN_S, parameters=PARAMETERS)
    except InputError as error:
        return _Fitted(day, at, None, error.message)
    return _Fitted(day, at, model, "")

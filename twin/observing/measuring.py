"""Once a minute, by whoever comes first: how the objectives that need no request were met."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from twin.observing.objectives import DELIVERY_S, FORECAST_S
from twin.state.assets import STALE_INTERVALS, STALE_S
from twin.store_indicators import read_freshness
from twin.store_observing import (
    Counted,
    add_chances,
    claim_minute,
    count_deliveries,
    forget_hours,
    read_forecast_age,
    set_hours,
)

_AGAIN = timedelta(hours=2)
"""Deliveries are counted anew for so long: they may end after the hour they began in."""


def measure_objectives(connection: Connection) -> None:
    """Count this minute, unless somebody has; what is judged by requests the servers count themselves."""
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    if not claim_minute(connection, minute):
        return
    hour = minute.replace(minute=0)
    fresh = read_freshness(connection, minute, STALE_INTERVALS, STALE_S)
    if fresh.series:
        add_chances(connection, "sensor-freshness", hour, Counted(float(fresh.fresh), float(fresh.series)))
    issued = read_forecast_age(connection)[0]
    if issued is not None:
        add_chances(connection, "forecast-age", hour, Counted(float(issued < FORECAST_S), 1.0))
    since = hour - _AGAIN
    set_hours(connection, "warning-delivery", since, count_deliveries(connection, since, DELIVERY_S))
    forget_hours(connection, minute)

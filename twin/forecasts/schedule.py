"""Every ten minutes, beside the runs of a worker: all forecasts issued, and the loop turned."""

import asyncio
import logging
from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from layers.errors import TwinError
from twin.forecasts.issuing import STEP_S
from twin.forecasts.loop import turn_loop
from twin.forecasts.models import ModelShelf
from twin.settings import Settings

ARRIVAL_S = 20.0
"""Readings of the last whole ten minutes are given this long to arrive [s]."""

log = logging.getLogger("twin.forecasts")


async def forecast_forever(engine: Engine, settings: Settings, *, step_s: float = STEP_S) -> None:
    """Issue and turn at once, then after every whole ``step_s`` [s], until cancelled; what fails is logged."""
    shelf = ModelShelf()
    while True:
        try:
            await asyncio.to_thread(turn_loop, engine, settings, shelf, datetime.now(UTC))
        except (SQLAlchemyError, TwinError, OSError) as error:
            log.warning("no forecasts for now: %s", error)
        now = datetime.now(UTC).timestamp() - ARRIVAL_S
        await asyncio.sleep(step_s - now % step_s)

"""What the worker does beside its runs: roll-ups of readings, partitions, old months to files; seals of the audit."""

import asyncio
import logging
from datetime import UTC, date, datetime

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from layers.errors import TwinError
from layers.store.sensing.retention import prepare_months, retire_months
from layers.store.sensing.rollups import roll_up
from twin.audit.tending import tend_audit_forever
from twin.settings import Settings

EVERY_S = 60.0
RETIRE_HOUR = 19
"""The hour [UTC] after which old months are retired, once a day: two in the morning in Viet Nam."""

log = logging.getLogger("twin.tending")


def tend_readings(engine: Engine, now: datetime) -> int:
    """Make the partitions of this month and the next, roll up what changed, and return how many hours were computed.

    As many batches as wait, each its own transaction; where another process is at it, nothing.
    """
    with engine.begin() as connection:
        prepare_months(connection, now)
    hours = 0
    while True:
        with engine.begin() as connection:
            done = roll_up(connection)
        if not done.marks:
            return hours
        hours += done.hours


async def tend_forever(engine: Engine, settings: Settings, *, every_s: float = EVERY_S) -> None:
    """Tend the readings every ``every_s`` [s], and the audit, until cancelled; what fails is logged and tried again."""
    async with asyncio.TaskGroup() as beside:
        beside.create_task(tend_audit_forever(engine, settings))
        beside.create_task(_tend_readings_forever(engine, settings, every_s))


async def _tend_readings_forever(engine: Engine, settings: Settings, every_s: float) -> None:
    retired_on: date | None = None
    while True:
        now = datetime.now(UTC)
        try:
            await asyncio.to_thread(tend_readings, engine, now)
            keep = settings.retention_months
            if keep is not None and now.hour >= RETIRE_HOUR and now.date() != retired_on:
                await asyncio.to_thread(retire_months, engine, settings.readings_dir, keep=keep, now=now)
                retired_on = now.date()
        except (SQLAlchemyError, TwinError, OSError) as error:
            log.warning("readings are not tended for now: %s", error)
        await asyncio.sleep(every_s)

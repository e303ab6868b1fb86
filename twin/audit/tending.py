"""What the worker does for the audit beside its runs: seals, shipping, the months to come."""

import asyncio
import logging
from datetime import UTC, datetime

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from layers.errors import TwinError
from twin.audit.retiring import prepare_ahead
from twin.audit.sealing import seal_waiting
from twin.audit.shipping import ship
from twin.settings import Settings

EVERY_S = 5.0

log = logging.getLogger("twin.audit")


def tend_audit(engine: Engine, settings: Settings, now: datetime) -> tuple[int, int]:
    """Make months ahead, seal and ship what waits; return how many entries were sealed and shipped."""
    with engine.begin() as connection:
        prepare_ahead(connection, now)
    sealed = seal_waiting(engine)
    return sealed, ship(engine, settings)


async def tend_audit_forever(engine: Engine, settings: Settings, *, every_s: float = EVERY_S) -> None:
    """Tend the audit every ``every_s`` [s] until cancelled; what fails is logged once and tried again."""
    said = ""
    while True:
        try:
            await asyncio.to_thread(tend_audit, engine, settings, datetime.now(UTC))
            said = ""
        except (SQLAlchemyError, TwinError, OSError) as error:
            words = " ".join(str(error).split())[:200]
            if words != said:
                log.warning("the audit is not tended for now: %s", words)
            said = words
        await asyncio.sleep(every_s)

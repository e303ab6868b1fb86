"""Changes to the tables of a living city: never waiting so long for a lock that others wait behind it."""

import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from layers.errors import ConflictError

Done = TypeVar("Done")
LOCK_MS = 2000
"""Who asks for a lock on a table makes all others wait, as long as somebody has it who was there before [ms]."""
PATIENCE_S = 120.0
_BETWEEN_TRIES_S = 1.0
_IN_THE_WAY = ("55P03", "40P01")


def change_patiently(
    engine: Engine, change: Callable[[Connection], Done], *, lock_ms: int = LOCK_MS, patience_s: float = PATIENCE_S
) -> Done:
    """Carry ``change`` out in one transaction that waits at most ``lock_ms`` for a lock, else begins anew later.

    Raises ConflictError, naming who is in the way, when it did not succeed within ``patience_s`` seconds; then nothing
    was changed.
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            with engine.begin() as connection:
                connection.execute(text(f"set local lock_timeout = {lock_ms}"))
                return change(connection)
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in _IN_THE_WAY:
                raise
            if time.monotonic() > deadline:
                raise ConflictError(
                    f"tables are in use without a pause since {patience_s:.0f} s: {_name_oldest(engine)}",
                    hint="let it end or end it, then type again: twin db migrate",
                ) from error
        time.sleep(_BETWEEN_TRIES_S)


def _name_oldest(engine: Engine) -> str:
    """Return who has been in a transaction of this database for longest."""
    with engine.connect() as connection:
        row = connection.execute(
            text(
                "select pid, application_name, state, extract(epoch from clock_timestamp() - xact_start) "
                "from pg_stat_activity where datname = current_database() and xact_start is not null "
                "and pid <> pg_backend_pid() order by xact_start limit 1"
            )
        ).first()
    return "nobody any more" if row is None else f"process {row[0]} ({row[1]}), {row[2]}, for {row[3]:.0f} s"

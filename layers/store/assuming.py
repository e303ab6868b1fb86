"""Connections that work for whom the code works for: the role of the reach is taken when a connection is handed out.

The role stays on the connection until somebody else's is needed, so who asks as the one before costs no statement.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import sqlalchemy
from psycopg import AsyncConnection, Connection
from psycopg.rows import TupleRow
from sqlalchemy import Engine, event

from layers.access import WHOLE, Reach, asking_as, who_asks

_ASSUMED = "twin_reach"
_RESET = (
    "select set_config('role', 'none', false), set_config('twin.edits', '', false), set_config('twin.wards', '', false)"
)
_TAKE = "select set_config('role', %s, false), set_config('twin.edits', %s, false), set_config('twin.wards', %s, false)"


def name_role(reach: Reach) -> str:
    """Return the database role that somebody of ``reach`` works in; not for the twin itself."""
    return f"twin_{reach.level}_editor" if reach.edits else f"twin_{reach.level}"


def assume_on_checkout(engine: Engine) -> None:
    """Let every connection that ``engine`` hands out take the role of who asks."""

    @event.listens_for(engine, "checkout")
    def take_role(opened: Connection[TupleRow], record: object, _proxy: object) -> None:
        known, wanted = getattr(opened, _ASSUMED, WHOLE), who_asks()
        if known == wanted:
            return
        opened.autocommit = True
        opened.execute(*_write(wanted))
        opened.autocommit = False
        setattr(opened, _ASSUMED, wanted)


async def assume(connection: AsyncConnection[TupleRow]) -> None:
    """Let a connection outside of a transaction take the role of who asks."""
    known, wanted = getattr(connection, _ASSUMED, WHOLE), who_asks()
    if known != wanted:
        await connection.execute(*_write(wanted))
        setattr(connection, _ASSUMED, wanted)


@asynccontextmanager
async def as_whole(connection: AsyncConnection[TupleRow]) -> AsyncIterator[None]:
    """Do on a connection outside of a transaction what the twin does for itself, whoever asked for the answer."""
    with asking_as(WHOLE):
        await assume(connection)
        yield
    await assume(connection)


@contextmanager
def as_whole_within(connection: sqlalchemy.Connection) -> Iterator[None]:
    """Do inside a transaction what the twin does for itself, whoever's transaction it is."""
    known = getattr(connection.connection.dbapi_connection, _ASSUMED, WHOLE)
    if known.whole:
        yield
        return
    connection.exec_driver_sql("set local role none")
    with asking_as(WHOLE):
        yield
    connection.exec_driver_sql(f"set local role {name_role(known)}")


def _write(reach: Reach) -> tuple[str, tuple[str, ...] | None]:
    if reach.whole:
        return _RESET, None
    if reach.level == "public" and reach.edits:
        raise ValueError("who edits sees more than everybody")
    return _TAKE, (name_role(reach), ",".join(reach.edits), ",".join(reach.wards))

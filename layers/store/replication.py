"""Where in the log of the database a server stands: positions are bytes since the log began."""

from psycopg import AsyncConnection
from psycopg.rows import TupleRow


async def read_written(connection: AsyncConnection[TupleRow]) -> int | None:
    """Return the position up to which all that this connection has seen lies in the log [byte].

    Ask after what was seen, not before. What is seen was flushed, since writers of layers wait for that
    (``synchronous_commit``); on a replica it was replayed.
    """
    cursor = await connection.execute(
        "select (case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_flush_lsn() end "
        "- '0/0'::pg_lsn)::bigint"
    )
    row = await cursor.fetchone()
    return None if row is None else row[0]


async def read_replayed(connection: AsyncConnection[TupleRow]) -> int | None:
    """Return up to where a replica has replayed the log [byte]; None for a server that is no replica."""
    cursor = await connection.execute(
        "select (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint where pg_is_in_recovery()"
    )
    row = await cursor.fetchone()
    return None if row is None else row[0]

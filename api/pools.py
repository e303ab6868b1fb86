"""How busy pools of connections are."""

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import Engine, QueuePool


def read_async_pool(pool: AsyncConnectionPool[AsyncConnection[TupleRow]]) -> dict[str, int]:
    """Return how many connections are in use and idle, how many there may be, and how many requests wait for one."""
    told = pool.get_stats()
    size, idle = told.get("pool_size", 0), told.get("pool_available", 0)
    return {
        "in_use": size - idle,
        "idle": idle,
        "limit": told.get("pool_max", 0),
        "waiting": told.get("requests_waiting", 0),
    }


def read_pool(engine: Engine) -> dict[str, int]:
    """Return how many connections of ``engine`` are in use and idle, and how many there may be."""
    pool = engine.pool
    assert isinstance(pool, QueuePool)
    return {"in_use": pool.checkedout(), "idle": pool.checkedin(), "limit": pool.size() + pool._max_overflow}

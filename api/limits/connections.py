"""Connections by lane: each sort of request has its own, so that none waits for those of another.

A statement may take as long as its lane allows; nobody waits long for a lock, and a transaction that does nothing ends.
"""

from collections.abc import Mapping
from types import MappingProxyType

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from sqlalchemy import Engine

from api.limits.lanes import LANES, LaneName, current_lane
from api.outage import PatientPool
from layers.store.assuming import assume, assume_on_checkout
from layers.store.engine import open_engine
from layers.store.networks.following import set_follower
from twin.audit.recording import record_at_commit
from twin.networks.settling import settle_layers
from twin.settings import Settings

WAIT_S = 2.0
"""How long a request waits for a connection; what was let into a lane seldom does."""
_AT_WORK = {lane.name: lane.at_work for lane in LANES}
_GROUPS: Mapping[LaneName, str] = {
    "control": "control", "streams": "control", "accounts": "control", "map": "map", "features": "features",
    "pictures": "batch", "answers": "batch", "files": "batch",
}  # fmt: skip
_CONNECTIONS = {
    "control": 10,
    "map": 8,
    "features": _AT_WORK["features"],
    "batch": sum(_AT_WORK[lane] for lane, group in _GROUPS.items() if group == "batch"),
}
_TILES, _ITEMS, _OWN = 8, 8, 4
_GUARDS = {"lock_timeout": "5s", "idle_in_transaction_session_timeout": "60s"}
# A tile is made in less time than a second process takes to begin, and a file leaves the other cores to others.
_ALONE = {"max_parallel_workers_per_gather": "0"}


class Engines:
    """An engine for each group of lanes."""

    def __init__(self, url: str, settings: Settings) -> None:
        limits = {
            "control": settings.statement_timeout,
            "map": settings.map_timeout,
            "features": settings.statement_timeout,
            "batch": settings.file_timeout,
        }
        self._engines = {
            group: open_engine(
                url, statement_timeout_s=limits[group], pool_size=2, overflow=count - 2, wait_s=WAIT_S,
                session={**_GUARDS, **(_ALONE if group == "batch" else {})},
            )
            for group, count in _CONNECTIONS.items()
        }  # fmt: skip
        for engine in self._engines.values():
            set_follower(engine, settle_layers)
            assume_on_checkout(engine)
            record_at_commit(engine)

    @property
    def own(self) -> Engine:
        """The engine of what the server does for itself, and of the control lane."""
        return self._engines["control"]

    def current(self) -> Engine:
        """Return the engine of the request that is being answered."""
        return self._engines[_GROUPS[current_lane()]]

    @property
    def by_group(self) -> Mapping[str, Engine]:
        """All engines by what they are for."""
        return MappingProxyType(self._engines)

    def dispose(self) -> None:
        """Close all connections."""
        for engine in self._engines.values():
            engine.dispose()


def open_storing(url: str, settings: Settings) -> Engine:
    """Return the engine for readings that arrive: few short statements, planned once."""
    engine = open_engine(
        url, statement_timeout_s=settings.statement_timeout, pool_size=1, overflow=3, wait_s=WAIT_S,
        session={**_GUARDS, "plan_cache_mode": "force_generic_plan"},
    )  # fmt: skip
    record_at_commit(engine)
    return engine


class Pools:
    """Asynchronous connections: for tiles, for items, and for what the server follows for itself."""

    def __init__(self, url: str, settings: Settings) -> None:
        self.tiles = _make_pool(url, _TILES, settings.map_timeout)
        self.items = _make_pool(url, _ITEMS, settings.statement_timeout)
        self.own = _make_pool(url, _OWN, settings.statement_timeout)

    @property
    def by_name(self) -> Mapping[str, PatientPool]:
        """All pools by what they are for."""
        return {"tiles": self.tiles, "items": self.items, "own": self.own}

    async def open(self) -> None:
        """Open them; connections are made when they are needed."""
        for pool in self.by_name.values():
            await pool.open()

    async def close(self) -> None:
        """Close all connections."""
        for pool in self.by_name.values():
            await pool.close()


def _make_pool(url: str, most: int, timeout_s: float) -> PatientPool:
    session = {"timezone": "UTC", "statement_timeout": f"{int(timeout_s * 1000)}", **_GUARDS, **_ALONE}
    return PatientPool(
        url,
        min_size=1,
        max_size=most,
        timeout=WAIT_S,
        max_waiting=200,
        configure=_configure,
        check=assume,
        kwargs={
            "application_name": "twin api",
            "autocommit": True,
            "options": " ".join(f"-c {name}={value}" for name, value in session.items()),
        },
    )


async def _configure(connection: AsyncConnection[TupleRow]) -> None:
    # One statement a layer, zoom band and set of filters: keep them all prepared.
    connection.prepared_max = 400

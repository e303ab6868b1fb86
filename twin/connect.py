"""From settings to a database: the given one, or the private cluster of this checkout, started if need be."""

from importlib import import_module

from sqlalchemy import Connection, Engine

from layers.store.assuming import assume_on_checkout
from layers.store.cluster import start_cluster
from layers.store.engine import check_connection, open_engine
from layers.store.migrate import read_city
from layers.store.networks.following import set_follower
from layers.store.objects import Reach, reach_objects
from twin.audit.recording import record_at_commit
from twin.networks.commodities import COMMODITIES
from twin.settings import Settings


def find_database(settings: Settings) -> str:
    """Return the URL of the database in force, starting the private cluster when none is configured."""
    return settings.database_url or start_cluster(settings.state_dir / "postgres", wal_archive=settings.wal_archive)


def connect(settings: Settings, *, statement_timeout_s: float | None = None, pool_size: int = 5) -> Engine:
    """Return an engine on the database in force; DatabaseError says why it cannot be reached."""
    reach_buckets(settings)
    engine = open_engine(find_database(settings), statement_timeout_s=statement_timeout_s, pool_size=pool_size)
    check_connection(engine)
    set_follower(engine, _settle)
    assume_on_checkout(engine)
    record_at_commit(engine)
    return engine


def reach_buckets(settings: Settings) -> None:
    """Let this process reach buckets as the settings say."""
    reach_objects(Reach(settings.s3_endpoint, settings.s3_profile))


def connect_to_city(settings: Settings) -> Engine:
    """Return an engine on the database in force; DatabaseError also when nobody made the city's tables in it."""
    engine = connect(settings)
    with engine.connect() as connection:
        read_city(connection)
    return engine


_FOLLOWED = frozenset(layer for commodity in COMMODITIES.values() for layer in commodity.followed)


def _settle(connection: Connection, layers: frozenset[str]) -> None:
    """Settle the networks that the layers are part of; the numerics are imported by who writes one."""
    if layers & _FOLLOWED:
        import_module("twin.networks.settling").settle_layers(connection, layers)

"""The connection to PostGIS."""

from collections.abc import Mapping
from types import MappingProxyType

import psycopg
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from layers.errors import DatabaseError

# Between machines a link can be cut so that neither end is told. Each finds out within some 20 s: sooner than a worker
# counts as dead, whose lock on its run must be gone by then.
CLIENT_HEARS: Mapping[str, int] = MappingProxyType(
    {"keepalives_idle": 5, "keepalives_interval": 3, "keepalives_count": 4, "tcp_user_timeout": 20_000}
)
_SERVER_HEARS = {f"tcp_{name}" if "user" not in name else name: str(value) for name, value in CLIENT_HEARS.items()}


def open_engine(
    url: str,
    *,
    statement_timeout_s: float | None = None,
    pool_size: int = 5,
    overflow: int = 10,
    wait_s: float = 30.0,
    session: Mapping[str, str] = MappingProxyType({}),
) -> Engine:
    """Return an engine on ``url`` (``postgresql://…``); no connection is made yet.

    ``statement_timeout_s`` bounds every statement [s]. It keeps ``pool_size`` connections and opens up to ``overflow``
    more; who finds none free waits ``wait_s`` [s]. ``session`` are settings of every connection by name. Raises
    DatabaseError for a URL that is none.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        # Without what it says: a password may be in it.
        raise DatabaseError(
            "the database URL (TWIN_DATABASE_URL) cannot be read", hint="postgresql://user:password@host:port/name"
        ) from error
    if not parsed.drivername.startswith("postgresql"):
        raise DatabaseError(f"the database URL names '{parsed.drivername}', expected postgresql")
    chosen = {"timezone": "UTC", **_SERVER_HEARS, **session}
    if statement_timeout_s is not None:
        chosen["statement_timeout"] = str(int(statement_timeout_s * 1000))
    options = " ".join(f"-c {name}={value}" for name, value in chosen.items())
    return create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=overflow,
        pool_timeout=wait_s,
        pool_pre_ping=True,
        connect_args={"application_name": "twin", "options": options, "connect_timeout": 10, **CLIENT_HEARS},
    )


def check_connection(engine: Engine) -> str:
    """Return the PostGIS version; DatabaseError says what is wrong with the server instead."""
    try:
        with engine.connect() as connection:
            found = connection.execute(
                text("select default_version from pg_available_extensions where name = 'postgis'")
            ).scalar()
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0].removeprefix("connection failed: ")
        where = engine.url.set(drivername="postgresql").render_as_string()
        raise DatabaseError(f"the database {where} cannot be reached: {reason}", hint="type: twin doctor") from error
    if found is None:
        raise DatabaseError("the database server has no PostGIS", hint="install postgresql-postgis on it")
    return str(found)


def plain_url(engine: Engine) -> str:
    """Return the URL as libpq reads it, for drivers beside SQLAlchemy."""
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


_AWAY = ("08", "57P01", "57P02", "57P03", "53300")
"""What a database says that shuts down, starts up or has no connection left (SQLSTATE, by its beginning)."""


def is_away(error: BaseException) -> bool:
    """Return whether an error says that the database cannot be reached now, and may be reached again."""
    if isinstance(error, DatabaseError):
        return True
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    # A connection that broke carries no code.
    return cause.sqlstate is None or cause.sqlstate.startswith(_AWAY)

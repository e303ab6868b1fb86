"""The connection to PostGIS."""

import psycopg
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from layers.errors import DatabaseError


def open_engine(
    url: str, *, statement_timeout_s: float | None = None, pool_size: int = 5, generic_plans: bool = False
) -> Engine:
    """Return an engine on ``url`` (``postgresql://…``); no connection is made yet.

    ``statement_timeout_s`` bounds every statement [s]. ``generic_plans`` plans a statement once and not for the values
    of every call: for the few short statements that store readings. Raises DatabaseError for a URL that is none.
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
    options = "-c timezone=UTC"
    if statement_timeout_s is not None:
        options += f" -c statement_timeout={int(statement_timeout_s * 1000)}"
    if generic_plans:
        options += " -c plan_cache_mode=force_generic_plan"
    return create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=10,
        pool_pre_ping=True,
        connect_args={"application_name": "twin", "options": options, "connect_timeout": 10},
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

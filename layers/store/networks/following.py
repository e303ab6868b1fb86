"""Who follows writes: what the caller hung on the connection is told of the layers that were written."""

from collections.abc import Callable, Iterable

from sqlalchemy import Connection, Engine

from layers.store.assuming import as_whole_within

AFTER_WRITE = "twin_after_write"
Follow = Callable[[Connection, frozenset[str]], None]


def set_follower(engine: Engine, follow: Follow) -> None:
    """Let ``follow`` be told of every edit and load over this engine, in its transaction."""
    engine.update_execution_options(**{AFTER_WRITE: follow})


def tell_written(connection: Connection, layers: Iterable[str]) -> None:
    """Tell the follower of the connection, if it has one, which layers its transaction wrote."""
    follow: Follow | None = connection.get_execution_options().get(AFTER_WRITE)
    if follow is not None:
        with as_whole_within(connection):
            follow(connection, frozenset(layers))

"""SQL of the queue's own tables: who works on it."""

from sqlalchemy import Connection, text


def count_workers(connection: Connection, *, seen_within_s: float) -> int:
    """Return how many workers' hearts beat within ``seen_within_s`` [s]."""
    return int(
        connection.execute(
            text(
                "select count(*) from queue.procrastinate_workers "
                "where last_heartbeat > now() - make_interval(secs => :seconds)"
            ),
            {"seconds": seen_within_s},
        ).scalar_one()
    )

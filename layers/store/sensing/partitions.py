"""The months readings lie in: a table a month, made when the first reading of it comes."""

from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, event, text

_MADE = "sensing.observation months"


def ensure_partitions(connection: Connection, months: set[tuple[int, int]]) -> None:
    """Make the partitions of the given (year, month) that are not there.

    What was found once is remembered with the database connection, so that a reading costs no question.
    """
    known: set[tuple[int, int]] = connection.info.setdefault(_MADE, set())
    for year, month in sorted(months - known):
        name = f"observation_{year:04d}_{month:02d}"
        if connection.execute(text("select to_regclass(:name)"), {"name": f"sensing.{name}"}).scalar():
            known.add((year, month))
            continue
        start = datetime(year, month, 1, tzinfo=UTC)
        end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
        # Two loaders may meet at the turn of the month; the second waits here and then finds the table.
        connection.execute(text("select pg_advisory_xact_lock(hashtext('sensing.observation'))"))
        connection.execute(
            text(
                f"create table if not exists sensing.{name} partition of sensing.observation "
                f"for values from ('{start.isoformat()}') to ('{end.isoformat()}')"
            )
        )


@event.listens_for(Engine, "rollback")
@event.listens_for(Engine, "rollback_savepoint")
def forget_partitions(connection: Connection, *_: object) -> None:
    """Ask anew for every month: one that was there is gone, or was made in what is taken back."""
    # What was noted of a connection that was lost is lost with it.
    if not connection.invalidated:
        connection.info.pop(_MADE, None)

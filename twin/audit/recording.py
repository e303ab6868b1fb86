"""Recording: the first transaction of a request or a command that wrote something carries its entry.

So no route and no command can forget it: the engine writes the entry just before the commit, in the same transaction.
What wrote nothing, was refused or failed is recorded at its end, in a transaction of its own. A database taken back to
before there was an audit keeps no entry of it.
"""

from sqlalchemy import Connection, Engine, event

from layers.access import WHOLE, asking_as
from twin.audit.act import acting, who_acts
from twin.audit.entry import TWIN, Entry, bound
from twin.store_audit import has_audit, insert_entry, insert_where_written


def record(connection: Connection, entry: Entry) -> int:
    """Write an entry in the transaction of what it records, and return its number.

    It stands for the request or command at hand, which then leaves none of its own.
    """
    act = who_acts()
    who = entry.who or (act.who() if act is not None else TWIN)
    number = insert_entry(connection, *bound(entry, who))
    if act is not None:
        act.is_recorded = True
    return number


def record_alone(engine: Engine, entry: Entry) -> None:
    """Write an entry in a transaction of its own: of what was refused, failed or wrote nothing."""
    with acting(None), asking_as(WHOLE), engine.begin() as connection:
        if has_audit(connection):
            insert_entry(connection, *bound(entry, entry.who or TWIN))


def record_at_commit(engine: Engine) -> None:
    """Let the first transaction over ``engine`` that wrote something carry the entry of who acts."""

    @event.listens_for(engine, "commit")
    def write_entry(connection: Connection) -> None:
        act = who_acts()
        if act is None or act.is_recorded or not act.changes or not has_audit(connection):
            return
        entry = act.write("done")
        act.is_recorded = insert_where_written(connection, *bound(entry, entry.who or TWIN))

    act = who_acts()
    if act is not None:
        act.end = lambda entry: record_alone(engine, entry)

"""SQL of names: every column that says which of the city's own people did something, and files that show people."""

from sqlalchemy import Connection, text

from layers.errors import NotFoundError
from layers.store.attachments import name_file
from layers.store.names import quote

NAMED: tuple[tuple[str, str], ...] = (
    ("alarm.alarm", "acknowledged_by"),
    ("alarm.event", "author"),
    ("alarm.rule", "author"),
    ("alarm.rule", "ended_by"),
    ("inventory.attachment", "author"),
    ("inventory.attachment", "deleted_by"),
    ("inventory.inspection", "author"),
    ("inventory.inspection", "inspector"),
    ("inventory.work_order", "assignee"),
    ("inventory.work_order_event", "author"),
    ("meta.edit", "author"),
    ("meta.model", "author"),
    ("meta.quarantine", "settled_by"),
    ("meta.saved_query", "author"),
    ("network.trace", "author"),
    ("network.trace_configuration", "author"),
    ("sensing.correction", "author"),
    ("sensing.device", "changed_by"),
    ("sensing.lamp_calendar", "author"),
    ("sensing.past_flag", "author"),
    ("sensing.rejected", "settled_by"),
    ("transit.feed", "author"),
    ("warning.draft", "author"),
    ("warning.draft", "settled_by"),
)
"""Columns with names of staff."""
KEPT: tuple[tuple[str, str], ...] = (("warning.message", "author"),)
"""Those that stay: who warned the public is part of the message, which nobody may change."""


def replace_name(connection: Connection, name: str, by: str) -> dict[str, int]:
    """Put ``by`` in the place of a name wherever staff is named; return in how many rows of each table it stood."""
    done: dict[str, int] = {}
    for table, column in NAMED:
        where = ".".join(map(quote, table.split(".")))
        rows = connection.execute(
            text(f"update {where} set {quote(column)} = :by where {quote(column)} = :name"), {"by": by, "name": name}
        ).rowcount
        if rows:
            done[table] = done.get(table, 0) + rows
    return done


def remove_attachment(connection: Connection, attachment: int) -> str | None:
    """Remove an attached file's record for good; return the path of the file if no other attachment has the same bytes.

    NotFoundError when there is none.
    """
    row = connection.execute(
        text("delete from inventory.attachment where id = :id returning sha256, media_type"), {"id": attachment}
    ).first()
    if row is None:
        raise NotFoundError(f"attachment {attachment} does not exist")
    shared = connection.execute(
        text("select exists (select from inventory.attachment where sha256 = :sha256)"), {"sha256": row.sha256}
    ).scalar_one()
    return None if shared else name_file(row.sha256, row.media_type)

"""Is what was restored what was backed up? Every table says so by its rows and their checksum."""

from collections.abc import Mapping

from sqlalchemy import Connection

from layers.errors import DatabaseError
from twin.backup.manifest import Backup, TableSum
from twin.progress import Report
from twin.store_backup import sum_tables


def compare_tables(connection: Connection, backup: Backup, report: Report) -> None:
    """Raise DatabaseError unless every table holds what it held when the backup was made."""
    found = {name: TableSum(*one) for name, one in sum_tables(connection, report).items()}
    differing = [_word(name, backup.tables, found) for name in sorted({*found, *backup.tables})]
    wrong = [words for words in differing if words]
    if wrong:
        raise DatabaseError(
            f"what was restored is not what was backed up: {'; '.join(wrong[:5])}"
            + (f" and {len(wrong) - 5} more tables" if len(wrong) > 5 else ""),
            hint="choose another backup: twin backup list",
        )


def _word(name: str, expected: Mapping[str, TableSum], found: Mapping[str, TableSum]) -> str | None:
    had, has = expected.get(name), found.get(name)
    if had == has:
        return None
    if had is None or has is None:
        return f"{name} is {'new' if had is None else 'missing'}"
    return (
        f"{name} has {has.rows:,} rows, expected {had.rows:,}" if had.rows != has.rows else f"{name} has other values"
    )

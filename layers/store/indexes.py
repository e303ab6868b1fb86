"""Indexes of a table that is filled from nothing: one built over all rows costs a fraction of one kept row by row."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

# Below this, dropping and building cost more than they save.
FEWEST = 20_000


@contextmanager
def build_indexes_after(connection: Connection, table: str, *, rows: int) -> Iterator[None]:
    """Drop the indexes of an empty ``table`` while many ``rows`` are put into it, and build them at the end.

    The primary key stays. Does nothing for a table that has rows or gets few. Readers wait until the transaction ends.
    """
    is_empty = not connection.execute(text(f"select exists (select 1 from {table})")).scalar_one()
    if rows < FEWEST or not is_empty:
        yield
        return
    found = connection.execute(
        text(
            "select i.indexrelid::regclass::text as name, c.conname as rule, "
            "coalesce(pg_get_constraintdef(c.oid), pg_get_indexdef(i.indexrelid)) as definition "
            "from pg_index i left join pg_constraint c on c.conindid = i.indexrelid and c.contype in ('u', 'x') "
            "where i.indrelid = cast(:table as regclass) and not i.indisprimary"
        ),
        {"table": table},
    ).all()
    for index in found:
        dropped = f'alter table {table} drop constraint "{index.rule}"' if index.rule else f"drop index {index.name}"
        connection.execute(text(dropped))
    yield
    for index in found:
        rule = f'alter table {table} add constraint "{index.rule}" ' if index.rule else ""
        connection.exec_driver_sql((rule + index.definition).replace("%", "%%"))

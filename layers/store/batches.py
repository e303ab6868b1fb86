"""All items a query finds, batch by batch through a cursor of the database, so that memory holds one batch."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from layers.errors import TooLargeError
from layers.schema import VectorLayer
from layers.store.items import OutputCrs, write_place
from layers.store.names import quote
from layers.store.query.ordering import SortKey, read_keys, write_order
from layers.store.query.selection import ItemQuery, build_selection, explain_failure

_BATCH = 5_000
Row = tuple[object, ...]


def select_batches(
    connection: Connection,
    layer: VectorLayer,
    columns: Sequence[str],
    query: ItemQuery,
    *,
    order: Sequence[SortKey] = (),
    crs: OutputCrs,
    limit: int,
) -> Iterator[list[Row]]:
    """Yield rows of ``id``, ``columns`` and geometry as well-known binary in ``crs``, x first.

    TooLargeError when there are more than ``limit``, on the batch that passes it.
    """
    selection = build_selection(layer, query)
    keys = read_keys(order, selection.scope)
    ordered = write_order(order, keys, selection.scope)
    listed = "".join(f", t.{quote(name)}" for name in columns)
    statement = (
        f"select t.id{listed}, ST_AsBinary({write_place(crs)}) from {selection.write_origin(columns)} "
        f"where {selection.condition} order by {ordered} limit {limit + 1}"
    )
    seen = 0
    with explain_failure():
        streamed = connection.execution_options(stream_results=True, max_row_buffer=_BATCH)
        for rows in streamed.exec_driver_sql(statement, selection.values).partitions(_BATCH):
            seen += len(rows)
            if seen > limit:
                raise TooLargeError(f"more than {limit:,} items of '{layer.id}' match", hint="filter more")
            yield [tuple(row) for row in rows]

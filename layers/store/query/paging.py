"""Pages that cover every item once, whoever edits meanwhile.

Without an order of its own a page follows the key, which an item keeps as long as it lives: nothing can overtake. In
an order by properties an edit moves items past the reader. So the first page notes the version of the layer and a
moment that is settled: every edit stamped before it is committed. As long as the version is the same the present is
read; once it is not, this and the following pages read what the database said at that moment.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from layers.schema import VectorLayer
from layers.store.items import Item, View, select_items
from layers.store.query.ordering import Position, SortKey
from layers.store.query.selection import ItemQuery

# An edit is stamped after its transaction began: what began before the oldest open one is settled.
_SETTLED = (
    "select coalesce((select version from meta.layer_version where layer = %(layer)s), 0), least(clock_timestamp(), "
    "meta.oldest_writer()) - interval '1 microsecond'"
)


class Pin(NamedTuple):
    """The version of a layer that a reader began with, and a moment at which it was so."""

    version: int
    moment: datetime


class Page(NamedTuple):
    """Items, the position that the next page follows (None on the last one), and what the reader began with."""

    items: list[Item]
    last: Position | None
    pin: Pin | None


async def select_page(
    connection: AsyncConnection[TupleRow],
    layer: VectorLayer,
    view: View,
    query: ItemQuery,
    *,
    size: int,
    order: Sequence[SortKey] = (),
    after: Position | None = None,
    pin: Pin | None = None,
) -> Page:
    """Return the page of ``size`` items that follows ``after``; ``pin`` is what the page before gave."""
    sorted_now = bool(order) and query.past.recorded is None
    if sorted_now and pin is None:
        pin = await read_pin(connection, layer)
    # One item more than the page tells whether there is a next one.
    items, version = await select_items(connection, layer, view, query, limit=size + 1, order=order, after=after)
    if sorted_now and pin is not None:
        if version is None:
            version = (await read_pin(connection, layer)).version
        if version != pin.version:
            kept = replace(query, past=query.past._replace(recorded=pin.moment))
            items, _ = await select_items(connection, layer, view, kept, limit=size + 1, order=order, after=after)
    last = items[size - 1].position if len(items) > size else None
    return Page(items[:size], last, pin if sorted_now else None)


async def read_pin(connection: AsyncConnection[TupleRow], layer: VectorLayer) -> Pin:
    """Return the version of ``layer`` and the last moment before which every edit is committed."""
    cursor = await connection.execute(_SETTLED, {"layer": layer.id})
    row = await cursor.fetchone()
    assert row is not None
    return Pin(*row)

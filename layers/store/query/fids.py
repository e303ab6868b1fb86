"""Ids and feature ids of what passes a filter: for those who mark features and need nothing else of them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from layers.schema import VectorLayer
from layers.store.query.cql2 import parse_filter
from layers.store.query.selection import Filter, ItemQuery, build_selection, explain_failure


def select_fids(
    connection: Connection, layer: VectorLayer, *, passing: str | None = None, named: Sequence[str] | None = None
) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Return ids (n,) and feature ids (n,) of the features that pass a CQL2 filter and have the ids ``named``.

    Only what everybody may see is compared. Raises InputError for a filter that cannot be read or computed.
    """
    filters = (Filter(parse_filter(passing)),) if passing is not None else ()
    selection = build_selection(layer, ItemQuery(filters=filters))
    condition = selection.condition
    if named is not None:
        condition += f" and t.id = any({selection.scope.bindings.bind(list(named))})"
    with explain_failure():
        rows = connection.exec_driver_sql(
            f"select t.id, t.fid from {selection.write_origin()} where {condition}", selection.values
        ).all()
    ids = np.empty(len(rows), object)
    ids[:] = [row[0] for row in rows]
    return ids, np.fromiter((row[1] for row in rows), np.int64, len(rows))

"""Which version of each feature a transaction sees, told without reading the features."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from psycopg import sql
from sqlalchemy import Connection, text

from layers.schema import VectorLayer
from layers.store.tables import CITY

Longs = NDArray[np.int64]


def read_row_versions(connection: Connection, layer: VectorLayer) -> tuple[Longs, Longs]:
    """Return feature ids in ascending order and, for each, the transaction that wrote it as it is now.

    Whoever writes a feature, in whatever way, gives it another transaction.
    """
    statement = sql.SQL(
        "select string_agg(int8send(fid), ''::bytea order by fid), "
        "string_agg(int8send(xmin::text::bigint), ''::bytea order by fid) from {}"
    ).format(sql.Identifier(CITY, layer.id))
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor(binary=True) as cursor:
        row = cursor.execute(statement).fetchone()
    assert row is not None
    return tuple(np.frombuffer(part or b"", ">i8").astype(np.int64) for part in row)  # type: ignore[return-value]


def read_layers_stamp(connection: Connection, layers: Sequence[str]) -> str:
    """Return the versions of layers and the moment the last of them changed, as one word.

    With the moment a database put back from a copy never repeats one.
    """
    rows = connection.execute(
        text("select layer, version, changed from meta.layer_version where layer = any(:layers)"),
        {"layers": list(layers)},
    ).all()
    versions = {row.layer: row.version for row in rows}
    last = max((int(row.changed.timestamp() * 1e6) for row in rows), default=0)
    return f"{'-'.join(str(versions.get(layer, 0)) for layer in layers)}-{last}"

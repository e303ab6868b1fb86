"""Which version of each feature a transaction sees, told without reading the features."""

import numpy as np
from numpy.typing import NDArray
from psycopg import sql
from sqlalchemy import Connection

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

"""Features of a layer as columns, copied out in one go: some hundred thousand in a fraction of a second."""

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import shapely
from numpy.typing import NDArray
from psycopg import sql
from sqlalchemy import Connection

from layers.schema import VectorLayer
from layers.store.tables import CITY

Objects = NDArray[np.object_]
Fids = NDArray[np.int64]

_ARROW: dict[str, pa.DataType] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.string(),
    "date": pa.string(),
    "datetime": pa.string(),
}


def copy_columns(
    connection: Connection,
    layer: VectorLayer,
    columns: Sequence[str],
    *,
    shapes: bool = False,
    fids: Sequence[int] | None = None,
    ids: Sequence[str] | None = None,
) -> tuple[Objects, Fids, dict[str, Objects], Objects | None]:
    """Return ids, feature ids, the asked properties and, if asked, shapes of features, ordered by feature id.

    Of all features, or of those with the ``fids`` or ``ids``. A property that is not filled in is None, a date or
    moment its text; shapes are in the city's CRS.
    """
    return _read(connection, layer, columns, shapes, _choose(fids, ids))


def copy_near(
    connection: Connection, layer: VectorLayer, columns: Sequence[str], box: tuple[float, float, float, float]
) -> tuple[Objects, Fids, dict[str, Objects], Objects]:
    """Return the same of the features whose bounds meet a box (west, south, east, north) [m, city CRS], with shapes."""
    condition = sql.SQL("geom && ST_MakeEnvelope({}, {}, {}, {}, (select srid from meta.city))").format(
        *(sql.Literal(float(side)) for side in box)
    )
    ids, fids, values, found = _read(connection, layer, columns, True, condition)
    assert found is not None
    return ids, fids, values, found


def _choose(fids: Sequence[int] | None, ids: Sequence[str] | None) -> sql.Composable:
    if fids is not None:
        return sql.SQL("fid = any({}::bigint[])").format(sql.Literal(list(fids)))
    if ids is not None:
        return sql.SQL("id = any({}::text[])").format(sql.Literal(list(ids)))
    return sql.SQL("true")


def _read(
    connection: Connection, layer: VectorLayer, columns: Sequence[str], shapes: bool, condition: sql.Composable
) -> tuple[Objects, Fids, dict[str, Objects], Objects | None]:
    named = [layer.find(name) for name in columns]
    props = [prop for prop in named if prop is not None]
    listed = [sql.Identifier("id"), sql.Identifier("fid"), *(sql.Identifier(prop.name) for prop in props)]
    geometry = [sql.SQL("encode(ST_AsBinary(geom), 'hex')")] if shapes else []
    statement = sql.SQL(
        "copy (select {} from {} where {} order by fid) to stdout with (format csv, force_quote *)"
    ).format(sql.SQL(", ").join([*listed, *geometry]), sql.Identifier(CITY, layer.id), condition)
    driver = connection.connection.driver_connection
    assert driver is not None
    # Whatever the transaction wrote is seen, for it is the same connection.
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        written = b"".join(bytes(block) for block in copy)
    names = ["id", "fid", *(prop.name for prop in props), *(["shape"] if shapes else [])]
    kinds = {"id": pa.string(), "fid": pa.int64(), "shape": pa.string()} | {p.name: _ARROW[p.type] for p in props}
    if not written:
        empty = np.zeros(0, object)
        return empty, np.zeros(0, np.int64), {prop.name: empty for prop in props}, empty if shapes else None
    table = pyarrow.csv.read_csv(
        BytesIO(written),
        read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=64 * 1024 * 1024, use_threads=False),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=kinds, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
        ),
    )
    values = {prop.name: _to_objects(table[prop.name], prop.type) for prop in props}
    found = None
    if shapes:
        found = np.asarray(shapely.from_wkb(table["shape"].to_numpy(zero_copy_only=False)), object)
    return _to_objects(table["id"], "string"), table["fid"].to_numpy(), values, found


def _to_objects(column: Any, kind: str) -> Objects:
    if kind in ("integer", "number"):
        # Numbers with gaps would turn into floats, and into NaN.
        found = np.empty(len(column), object)
        found[:] = column.to_pylist()
        return found
    words = np.asarray(column.to_numpy(zero_copy_only=False), object)
    if kind != "boolean":
        return words
    truths = np.full(words.size, None, object)
    truths[words == "t"], truths[words == "f"] = True, False
    return truths

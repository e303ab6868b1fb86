"""Features of a layer as columns, gathered by the database: some hundred thousand in a fraction of a second.

A row a message costs more than the rows themselves. So each column comes as one value: numbers side by side in their
binary form, texts and shapes side by side with their lengths.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from psycopg import sql
from sqlalchemy import Connection

from layers.schema import Property, VectorLayer
from layers.store.tables import CITY

Objects = NDArray[np.object_]
Fids = NDArray[np.int64]
Box = tuple[float, float, float, float]

_NO_INTEGER = -(2**63)


def read_columns(
    connection: Connection,
    layer: VectorLayer,
    columns: Sequence[str],
    *,
    shapes: bool = False,
    fids: Sequence[int] | None = None,
    ids: Sequence[str] | None = None,
    filled: Sequence[str] = (),
    near: Box | None = None,
) -> tuple[Objects, Fids, dict[str, Objects], Objects | None]:
    """Return ids, feature ids, the asked properties and, if asked, shapes of features, ordered by feature id.

    Of all features, or of those with the ``fids`` or ``ids``, with texts in all properties ``filled``, or with bounds
    that meet the box ``near`` (west, south, east, north) [m, city CRS]. A property that is not filled in is None, a
    date or moment its text; shapes are in the city's CRS.
    """
    props = [prop for prop in map(layer.find, columns) if prop is not None]
    wanted = [*_write_text(sql.SQL("id")), sql.SQL("string_agg(int8send(fid), ''::bytea)")]
    for prop in props:
        wanted += _write_property(prop)
    if shapes:
        wanted += _write_bytes(sql.SQL("ST_AsBinary(geom)"))
    conditions, bound = _choose(fids, ids, filled, near)
    listed = [sql.Identifier(name) for name in dict.fromkeys(["id", "fid", "geom", *(prop.name for prop in props)])]
    statement = sql.SQL("select count(*), {} from (select {} from {} where {} order by fid) rows").format(
        sql.SQL(", ").join(wanted), sql.SQL(", ").join(listed), sql.Identifier(CITY, layer.id), conditions
    )
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor(binary=True) as cursor:
        # Compiling the query takes longer than carrying it out.
        cursor.execute("set local jit = off")
        row = cursor.execute(statement, bound).fetchone()
    assert row is not None
    count, rest = int(row[0]), iter(row[1:])
    named = _read_text(count, next(rest), next(rest))
    keys = np.frombuffer(next(rest) or b"", ">i8").astype(np.int64)
    values = {prop.name: _read_property(prop, count, rest) for prop in props}
    found = None
    if shapes:
        found = np.asarray(shapely.from_wkb(_read_bytes(count, next(rest), next(rest))), object)
    return named, keys, values, found


def _choose(
    fids: Sequence[int] | None, ids: Sequence[str] | None, filled: Sequence[str], near: Box | None
) -> tuple[sql.Composable, Mapping[str, Any]]:
    conditions: list[sql.Composable] = [sql.SQL("true")]
    bound: dict[str, Any] = {}
    if fids is not None:
        conditions.append(sql.SQL("fid = any(%(fids)s::bigint[])"))
        bound["fids"] = list(fids)
    if ids is not None:
        conditions.append(sql.SQL("id = any(%(ids)s::text[])"))
        bound["ids"] = list(ids)
    conditions += [sql.SQL("{} <> ''").format(sql.Identifier(name)) for name in filled]
    if near is not None:
        conditions.append(
            sql.SQL("geom && ST_MakeEnvelope(%(x0)s, %(y0)s, %(x1)s, %(y1)s, (select srid from meta.city))")
        )
        bound |= dict(zip(("x0", "y0", "x1", "y1"), map(float, near), strict=True))
    return sql.SQL(" and ").join(conditions), bound


def _write_property(prop: Property) -> list[sql.Composable]:
    name = sql.Identifier(prop.name)
    if prop.type == "number":
        return [sql.SQL("string_agg(float8send(coalesce({}, 'NaN')), ''::bytea)").format(name)]
    if prop.type == "integer":
        return [sql.SQL("string_agg(int8send(coalesce({}, -9223372036854775808)), ''::bytea)").format(name)]
    if prop.type == "boolean":
        return [sql.SQL("string_agg(case when {0} then 't' when not {0} then 'f' else '-' end, '')").format(name)]
    return _write_text(name if prop.type == "string" else sql.SQL("{}::text").format(name))


def _write_text(what: sql.Composable) -> list[sql.Composable]:
    return _write_bytes(sql.SQL("convert_to({}, 'UTF8')").format(what))


def _write_bytes(what: sql.Composable) -> list[sql.Composable]:
    """Return the bytes side by side, and their lengths, -1 of none."""
    return [
        sql.SQL("string_agg({}, ''::bytea)").format(what),
        sql.SQL("string_agg(int4send(coalesce(octet_length({}), -1)), ''::bytea)").format(what),
    ]


def _read_property(prop: Property, count: int, rest: Any) -> Objects:
    if prop.type == "number":
        numbers = np.frombuffer(next(rest) or b"", ">f8").astype(np.float64)
        return _to_objects(numbers, np.isnan(numbers))
    if prop.type == "integer":
        whole = np.frombuffer(next(rest) or b"", ">i8").astype(np.int64)
        return _to_objects(whole, whole == _NO_INTEGER)
    if prop.type == "boolean":
        words = np.frombuffer((next(rest) or "").encode("ascii"), np.uint8)
        return _to_objects(words == ord("t"), words == ord("-"))
    return _read_text(count, next(rest), next(rest))


def _to_objects(values: NDArray[Any], missing: NDArray[np.bool_]) -> Objects:
    found = np.empty(values.size, object)
    found[:] = values.tolist()
    found[missing] = None
    return found


def _read_text(count: int, written: bytes | None, lengths: bytes | None) -> Objects:
    sizes = np.frombuffer(lengths or b"", ">i4").astype(np.int64)
    offsets = np.zeros(count + 1, np.int64)
    np.cumsum(np.maximum(sizes, 0), out=offsets[1:])
    known = pa.array(sizes >= 0).buffers()[1] if np.any(sizes < 0) else None
    column = pa.Array.from_buffers(
        pa.large_string(), count, [known, pa.py_buffer(offsets), pa.py_buffer(written or b"")]
    )
    return np.asarray(column.to_numpy(zero_copy_only=False), object)


def _read_bytes(count: int, written: bytes | None, lengths: bytes | None) -> list[bytes]:
    sizes = np.frombuffer(lengths or b"", ">i4").astype(np.int64)
    offsets = np.append(0, np.cumsum(np.maximum(sizes, 0))).tolist()
    whole = written or b""
    return [whole[offsets[k] : offsets[k + 1]] for k in range(count)]

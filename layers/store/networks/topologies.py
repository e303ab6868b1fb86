"""Stored topologies: nodes, stops and places in and out as arrays, whole or of some features."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import sql
from sqlalchemy import Connection, text

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class StoredNodes:
    """Nodes (n,): number, level and place [m]."""

    ids: Ints
    levels: Ints
    xy: Floats


@dataclass(frozen=True, slots=True)
class StoredStops:
    """Where nodes lie on lines (n,): number of the layer among the commodity's lines, feature, measure [m], node, cause
    and shift [m]; see ``network.topology.Stops``.
    """

    layers: Ints
    fids: Ints
    measures: Floats
    nodes: Ints
    causes: Ints
    shifts: Floats


@dataclass(frozen=True, slots=True)
class StoredPlaces:
    """Features that are nodes (n,): number of the layer among the commodity's points, feature, node, and where the
    feature was placed [m] (n, 2).
    """

    layers: Ints
    fids: Ints
    nodes: Ints
    xy: Floats


_KINDS = {
    "smallint": (">i2", "int2send"),
    "integer": (">i4", "int4send"),
    "bigint": (">i8", "int8send"),
    "double precision": (">f8", "float8send"),
}
"""The binary form of a column: as NumPy reads it, and PostgreSQL's function that writes it."""

_TABLES: dict[str, tuple[tuple[str, str], ...]] = {
    "node": (("id", "bigint"), ("level", "integer"), ("x", "double precision"), ("y", "double precision")),
    "stop": (
        ("layer", "smallint"),
        ("fid", "bigint"),
        ("measure", "double precision"),
        ("node", "bigint"),
        ("cause", "smallint"),
        ("shift", "double precision"),
    ),
    "place": (
        ("layer", "smallint"),
        ("fid", "bigint"),
        ("node", "bigint"),
        ("x", "double precision"),
        ("y", "double precision"),
    ),
}
_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)


def read_nodes(connection: Connection, commodity: str, ids: Sequence[int] | None = None) -> StoredNodes:
    """Return all nodes of a network, or those with the numbers."""
    chosen = (sql.SQL("true"), {}) if ids is None else (sql.SQL("id = any(%(ids)s::bigint[])"), {"ids": list(ids)})
    found = _read(connection, "node", commodity, *chosen)
    return StoredNodes(found["id"], found["level"], np.column_stack((found["x"], found["y"])))


def read_stops(
    connection: Connection, commodity: str, fids: Sequence[tuple[int, Sequence[int]]] | None = None
) -> StoredStops:
    """Return all stops of a network, or those of some features of some layers."""
    found = _read(connection, "stop", commodity, *_of_features(fids))
    return StoredStops(found["layer"], found["fid"], found["measure"], found["node"], found["cause"], found["shift"])


def read_places(
    connection: Connection, commodity: str, fids: Sequence[tuple[int, Sequence[int]]] | None = None
) -> StoredPlaces:
    """Return all places of a network, or those of some features of some layers."""
    found = _read(connection, "place", commodity, *_of_features(fids))
    return StoredPlaces(found["layer"], found["fid"], found["node"], np.column_stack((found["x"], found["y"])))


def replace_topology(
    connection: Connection, commodity: str, nodes: StoredNodes, stops: StoredStops, places: StoredPlaces
) -> None:
    """Store a topology in the place of what there was."""
    for table in _TABLES:
        connection.execute(text(f"delete from network.{table} where commodity = :id"), {"id": commodity})
    insert_topology(connection, commodity, nodes, stops, places)
    for table in _TABLES:
        connection.execute(text(f"analyze network.{table}"))


def insert_topology(
    connection: Connection, commodity: str, nodes: StoredNodes, stops: StoredStops, places: StoredPlaces
) -> None:
    """Store nodes, stops and places beside those there are."""
    _copy_in(connection, "node", commodity, (nodes.ids, nodes.levels, nodes.xy[:, 0], nodes.xy[:, 1]))
    of = stops
    _copy_in(connection, "stop", commodity, (of.layers, of.fids, of.measures, of.nodes, of.causes, of.shifts))
    _copy_in(
        connection, "place", commodity, (places.layers, places.fids, places.nodes, places.xy[:, 0], places.xy[:, 1])
    )


def delete_nodes(
    connection: Connection,
    commodity: str,
    nodes: Sequence[int],
    lines: Sequence[tuple[int, Sequence[int]]],
    points: Sequence[tuple[int, Sequence[int]]],
) -> None:
    """Delete nodes with all that refers to them: stops of ``lines``, places of ``points``, by layer and feature."""
    bound: dict[str, Any] = {"id": commodity, "nodes": list(nodes)}
    connection.execute(text("delete from network.node where commodity = :id and id = any(:nodes)"), bound)
    for table, features in (("stop", lines), ("place", points)):
        for layer, fids in features:
            connection.execute(
                text(
                    f"delete from network.{table} where commodity = :id and layer = :layer and fid = any(:fids) "
                    "and node = any(:nodes)"
                ),
                {**bound, "layer": layer, "fids": list(fids)},
            )


def _of_features(fids: Sequence[tuple[int, Sequence[int]]] | None) -> tuple[sql.Composable, dict[str, Any]]:
    if fids is None:
        return sql.SQL("true"), {}
    if not fids:
        return sql.SQL("false"), {}
    layers = [layer for layer, of in fids for _ in of]
    return (
        sql.SQL("(layer, fid) in (select * from unnest(%(layers)s::smallint[], %(fids)s::bigint[]))"),
        {"layers": layers, "fids": [fid for _, of in fids for fid in of]},
    )


def _read(
    connection: Connection, table: str, commodity: str, condition: sql.Composable, bound: dict[str, Any]
) -> dict[str, NDArray[Any]]:
    """Return the columns of rows; each comes as one value, for a row a message costs more than the rows themselves."""
    columns = _TABLES[table]
    listed = [
        sql.SQL("string_agg({}({}), ''::bytea)").format(sql.SQL(_KINDS[kind][1]), sql.Identifier(name))
        for name, kind in columns
    ]
    statement = sql.SQL("select {} from {} where commodity = %(commodity)s and {}").format(
        sql.SQL(", ").join(listed), sql.Identifier("network", table), condition
    )
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor(binary=True) as cursor:
        # Compiling the query takes longer than carrying it out.
        cursor.execute("set local jit = off")
        row = cursor.execute(statement, {"commodity": commodity, **bound}).fetchone()
    assert row is not None
    return {
        name: np.frombuffer(value or b"", _KINDS[kind][0]).astype(np.float64 if kind.startswith("d") else np.int64)
        for value, (name, kind) in zip(row, columns, strict=True)
    }


def _copy_in(connection: Connection, table: str, commodity: str, arrays: Sequence[NDArray[Any]]) -> None:
    columns = _TABLES[table]
    name = commodity.encode()
    kind = np.dtype([("count", ">i2"), ("n_name", ">i4"), ("name", f"S{len(name)}"), *_describe_fields(columns)])
    rows = np.zeros(arrays[0].size, kind)
    rows["count"], rows["n_name"], rows["name"] = len(columns) + 1, len(name), name
    for (column, _), values in zip(columns, arrays, strict=True):
        rows["n_" + column] = kind[column].itemsize
        rows[column] = values
    listed = sql.SQL(", ").join([sql.Identifier("commodity"), *(sql.Identifier(column) for column, _ in columns)])
    statement = sql.SQL("copy {} ({}) from stdin with (format binary)").format(sql.Identifier("network", table), listed)
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_HEADER)
        copy.write(rows.tobytes())
        copy.write(struct.pack(">h", -1))


def _describe_fields(columns: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [part for name, kind in columns for part in (("n_" + name, ">i4"), (name, _KINDS[kind][0]))]

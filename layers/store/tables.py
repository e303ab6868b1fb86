"""Tables derived from declarations: one a layer in schema ``city``, its past in schema ``history``.

Every layer table has ``fid`` (integer, the feature id in tiles), ``id`` (text, the item id), ``source_id``,
``valid_from`` (since when it is so in the city), ``recorded_from`` (since when the database says so), ``edit_id`` (who
said so, and why), one column a property, ``geom`` in the city's CRS and ``geom_3857``, generated from it, for the tile
path. Triggers stamp what an update writes, keep the version it replaces with ``valid_to``, ``recorded_to`` and
``ended_by``, and mark the tiles that were touched; the newest mark of a tile is its ETag.
"""

from typing import Any

from alembic.autogenerate import produce_migrations
from alembic.migration import MigrationContext
from alembic.operations import Operations, ops
from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Computed,
    Connection,
    Date,
    DateTime,
    DefaultClause,
    Double,
    Engine,
    Identity,
    Index,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.types import TypeEngine

from layers.errors import DatabaseError
from layers.registry import VECTOR_LAYERS
from layers.schema import GUARD, Property, VectorLayer
from layers.store.names import quote
from layers.store.patience import change_patiently

CITY, HISTORY = "city", "history"
_TYPES: dict[str, TypeEngine[Any]] = {
    "string": Text(),
    "integer": BigInteger(),
    "number": Double(),
    "boolean": Boolean(),
    "date": Date(),
    "datetime": DateTime(timezone=True),
}


def column_type(prop: Property) -> TypeEngine[Any]:
    """Return the SQL type of a property."""
    return _TYPES[prop.type]


def declare_table(layer: VectorLayer, srid: int, metadata: MetaData) -> Table:
    """Return the table of ``layer`` with geometry in ``srid``, added to ``metadata``."""
    table = Table(
        layer.id,
        metadata,
        Column("fid", BigInteger, Identity(), primary_key=True),
        Column("id", Text, nullable=False, unique=True),
        Column("source_id", Text, nullable=False),
        Column("valid_from", DateTime(timezone=True), nullable=False, server_default=text("meta.edit_valid()")),
        Column("recorded_from", DateTime(timezone=True), nullable=False, server_default=text("meta.edit_at()")),
        Column("edit_id", BigInteger, server_default=text("meta.edit_id()")),
        *(Column(prop.name, column_type(prop), nullable=not prop.required) for prop in layer.properties),
        Column("geom", Geometry(layer.geometry.upper(), srid, spatial_index=False), nullable=False),
        Column(
            "geom_3857",
            Geometry(layer.geometry.upper(), 3857, spatial_index=False),
            Computed("ST_Transform(geom, 3857)", persisted=True),
        ),
        schema=CITY,
        comment=layer.title.en,
    )
    Index(f"{layer.id}_geom", table.c.geom, postgresql_using="gist")
    Index(f"{layer.id}_geom_3857", table.c.geom_3857, postgresql_using="gist")
    Index(f"{layer.id}_source", table.c.source_id)
    # What one edit wrote lies together: a block range index finds it and costs a bulk load next to nothing.
    Index(f"{layer.id}_edit", table.c.edit_id, postgresql_using="brin")
    if layer.of_runs:
        Index(f"{layer.id}_run", table.c.run_id)
    return table


def declare_tables(srid: int) -> MetaData:
    """Return the metadata of all declared vector layers."""
    metadata = MetaData()
    for layer in VECTOR_LAYERS.values():
        declare_table(layer, srid, metadata)
    return metadata


def sync_tables(engine: Engine, srid: int) -> list[str]:
    """Bring the layer tables to what is declared and return what was done, one line a change.

    Tables and columns are added; nothing is ever dropped or retyped here: a column that is gone from the
    declaration or changed its type raises DatabaseError and asks for a migration written by hand. So does a required
    property that a layer with features lacks, unless its declaration says what they have (``initial``).
    """
    return change_patiently(engine, lambda connection: _sync(connection, srid))


def _sync(connection: Connection, srid: int) -> list[str]:
    done: list[str] = []
    context = MigrationContext.configure(
        connection,
        opts={
            "include_schemas": True,
            "include_name": _is_ours,
            "compare_type": True,
            "include_object": _is_compared,
        },
    )
    operations = Operations(context)
    for operation in _walk(produce_migrations(context, declare_tables(srid)).upgrade_ops):
        if isinstance(operation, ops.AddColumnOp) and not operation.column.nullable:
            done.append(_add_required(connection, operations, operation))
        elif isinstance(operation, ops.CreateTableOp | ops.AddColumnOp | ops.CreateIndexOp):
            operations.invoke(operation)
            done.append(_describe(operation))
        elif isinstance(operation, ops.DropColumnOp | ops.AlterColumnOp | ops.DropTableOp):
            raise DatabaseError(
                f"the database differs from the declarations: {_describe(operation)}",
                hint="write a migration that keeps the data, then run: twin db migrate",
            )
    for layer in VECTOR_LAYERS.values():
        _attach_history(connection, layer)
    return done


def _add_required(connection: Connection, operations: Operations, operation: ops.AddColumnOp) -> str:
    """Add the column of a required property and return what was done; features there are get its ``initial``."""
    layer, column = operation.table_name, operation.column
    count = connection.execute(text(f"select count(*) from {CITY}.{quote(layer)}")).scalar_one()
    declared = {prop.name: prop for prop in VECTOR_LAYERS[layer].properties}
    initial = declared[column.name].initial if column.name in declared else None
    if not count:
        operations.invoke(operation)
        return _describe(operation)
    if initial is None:
        raise DatabaseError(
            f"layer '{layer}' holds {count:,} features, and none of them has the new required property '{column.name}'",
            hint="say in its declaration what they have, initial=…, or do not require it; then run: twin db migrate",
        )
    # A default is written into no row, and so holds up nobody; new features have to say it themselves.
    column.server_default = DefaultClause(str(initial))
    operations.invoke(operation)
    operations.alter_column(layer, column.name, server_default=None, schema=CITY)
    # Tiles that carry it are drawn anew, networks of it are settled by who asks next.
    connection.execute(text("select meta.mark_layer(:layer, meta.move_clock(:layer))"), {"layer": layer})
    connection.execute(
        text(
            "insert into network.pending (commodity, layer) select id, :layer from network.commodity "
            "where :layer = any(line_layers || point_layers)"
        ),
        {"layer": layer},
    )
    return f"{_describe(operation)}: {count:,} features have {initial!r}"


def _is_ours(name: str | None, kind: str, _parents: Any) -> bool:
    return name == CITY if kind == "schema" else True


def _is_compared(_object: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    return not (kind == "column" and name == "geom_3857" and _other is not None)


def _walk(container: Any) -> list[Any]:
    found: list[Any] = []
    for operation in container.ops:
        found.extend(_walk(operation) if hasattr(operation, "ops") else [operation])
    return found


def _describe(operation: Any) -> str:
    verb = type(operation).__name__.removesuffix("Op")
    column = getattr(operation, "column_name", None) or getattr(getattr(operation, "column", None), "name", None)
    index = getattr(operation, "index_name", None)
    return " ".join(str(part) for part in (verb, operation.table_name, column or index) if part)


def _attach_history(connection: Connection, layer: VectorLayer) -> None:
    """Keep the history table of ``layer`` as wide as the layer and its triggers in place."""
    columns = connection.execute(
        text(
            "select attname, format_type(atttypid, atttypmod) as kind from pg_attribute "
            "where attrelid = cast(:table as regclass) and attnum > 0 and not attisdropped and attgenerated = ''"
        ),
        {"table": f"{CITY}.{quote(layer.id)}"},
    ).all()
    past, present = f"{HISTORY}.{quote(layer.id)}", f"{CITY}.{quote(layer.id)}"
    statements = [
        f"create table if not exists {past} (valid_to timestamptz not null default clock_timestamp(), "
        "recorded_to timestamptz not null default clock_timestamp(), ended_by bigint)",
        f"alter table {past} " + ", ".join(f"add column if not exists {quote(name)} {kind}" for name, kind in columns),
        f'create index if not exists "{layer.id}_past" on {past} (id, valid_from)',
        f'create index if not exists "{layer.id}_ended" on {past} using brin (ended_by, edit_id)',
        f'create index if not exists "{layer.id}_past_fid" on {past} (fid)',
        f'create index if not exists "{layer.id}_past_place" on {past} using gist (geom)',
    ]
    if layer.guarded:
        # What is hidden is looked up by every question about what hangs on it.
        statements.append(f'create index if not exists "{layer.id}_guarded" on {present} (id) where {GUARD}')
    marked = f"('{layer.geometry}', '{str(bool(layer.overview_zooms)).lower()}')"
    old, new = "old table as old_rows", "new table as new_rows"
    for trigger, when, how, function in (
        ("stamp_version", "before update", "for each row", "stamp_version()"),
        ("keep_updated", "after update", f"referencing {old} {new} for each statement", "keep_past()"),
        ("keep_deleted", "after delete", f"referencing {old} for each statement", "keep_past()"),
        ("mark_inserted", "after insert", f"referencing {new} for each statement", f"mark_inserted{marked}"),
        ("mark_updated", "after update", f"referencing {old} {new} for each statement", f"mark_updated{marked}"),
        ("mark_deleted", "after delete", f"referencing {old} for each statement", f"mark_deleted{marked}"),
        ("mark_truncated", "after truncate", "for each statement", f"mark_truncated{marked}"),
    ):
        statements.append(
            f"create or replace trigger {trigger} {when} on {present} {how} execute function meta.{function}"
        )
    # One round trip a layer.
    connection.exec_driver_sql(";\n".join(statements))

"""The stage of a load: rows on their way into a layer, copied block by block, compared and stored by one statement."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import shapely
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from layers.errors import ConflictError
from layers.ingest.quality import Change, Diff
from layers.schema import Property, VectorLayer
from layers.store.indexes import build_indexes_after
from layers.store.names import quote
from layers.store.networks.following import tell_written
from layers.store.tables import CITY, HISTORY

_ARROW = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "datetime": pa.timestamp("us", tz="UTC"),
}


@dataclass(frozen=True, slots=True)
class Stage:
    """The temporary tables of one source's rows for one layer: ``rows`` to store, ``held`` ids the file has besides.

    They live until the transaction ends.
    """

    connection: Connection
    layer: VectorLayer
    source_id: str
    srid: int
    rows: str
    held: str

    @property
    def table(self) -> str:
        """The layer's own table."""
        return f"{CITY}.{quote(self.layer.id)}"

    @property
    def past(self) -> str:
        """The table of the layer's past versions."""
        return f"{HISTORY}.{quote(self.layer.id)}"

    @property
    def names(self) -> list[str]:
        """The columns that hold what the file says."""
        return [*(prop.name for prop in self.layer.properties), "geom"]


@dataclass(frozen=True, slots=True)
class UpsertCounts:
    """What storing a stage does: rows new, changed and unchanged, and stored rows of the source the file lacks.

    Of the unchanged, ``edited`` differ but were edited or deleted by hand, and stay so. ``foreign`` identifiers were
    refused: they belong to another source.
    """

    new: int
    changed: int
    unchanged: int
    gone: int
    edited: int = 0
    foreign: tuple[str, ...] = ()


def open_stage(connection: Connection, layer: VectorLayer, *, source_id: str) -> Stage:
    """Make the empty stage of ``layer``; an earlier one of the same layer in this transaction is dropped."""
    srid = connection.execute(text("select srid from meta.city")).scalar_one()
    rows, held = quote(f"incoming_{layer.id}"[:60]), quote(f"held_{layer.id}"[:60])
    stage = Stage(connection, layer, source_id, srid, rows, held)
    listed = ", ".join(["id", *map(quote, stage.names)])
    connection.execute(text(f"drop table if exists pg_temp.{rows}, pg_temp.{held}"))
    connection.execute(
        text(
            f"create temporary table {rows} on commit drop as "
            f"select 0::bigint as row, {listed} from {stage.table} with no data"
        )
    )
    connection.execute(text(f"create temporary table {held} (id text) on commit drop"))
    return stage


def copy_rows(stage: Stage, frame: gpd.GeoDataFrame, rows: NDArray[np.int64] | None = None) -> None:
    """Copy the rows of ``frame`` (``id``, properties, geometry in the city's CRS) into the stage.

    Absent properties become null; ``rows`` are the file's row numbers.
    """
    columns: dict[str, pa.Array] = {
        "row": pa.array(np.arange(1, len(frame) + 1) if rows is None else rows, pa.int64()),
        "id": pa.array(frame["id"], pa.string()),
    }
    for prop in stage.layer.properties:
        columns[prop.name] = _to_arrow(frame[prop.name], prop) if prop.name in frame.columns else pa.nulls(len(frame))
    columns["geom"] = _to_hex(shapely.set_srid(frame.geometry.to_numpy(), stage.srid))
    sink = pa.BufferOutputStream()
    # Text is quoted and null is not: so PostgreSQL tells "" from null, and a word \N stays a word.
    pyarrow.csv.write_csv(pa.table(columns), sink, pyarrow.csv.WriteOptions(include_header=False))
    listed = ", ".join(map(quote, columns))
    driver = stage.connection.connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor, cursor.copy(f"copy {stage.rows} ({listed}) from stdin with (format csv)") as copy:
        copy.write(memoryview(sink.getvalue()))


def _to_arrow(values: Any, prop: Property) -> pa.Array:
    if prop.type == "integer":
        values = values.astype("Int64")
    elif prop.type == "number":
        values = pd.to_numeric(values).astype("float64")
    elif prop.type == "datetime":
        values = pd.to_datetime(values, utc=True)
    return pa.array(values, _ARROW[prop.type], from_pandas=True)


def _to_hex(shapes: NDArray[np.object_]) -> pa.Array:
    """Return the shapes as hexadecimal EWKB, written in one go: one Python string a shape costs most of a load."""
    written = shapely.to_wkb(shapes, include_srid=True)
    ends = np.zeros(len(written) + 1, dtype=np.int64)
    np.cumsum([2 * len(one) for one in written], out=ends[1:])
    together = b"".join(written).hex().encode("ascii")
    return pa.Array.from_buffers(pa.large_string(), len(written), [None, pa.py_buffer(ends), pa.py_buffer(together)])


def find_staged(stage: Stage, ids: Sequence[str]) -> dict[str, int]:
    """Return which of ``ids`` were copied already, and the rows they came from."""
    found = stage.connection.execute(text(f"select id, row from {stage.rows} where id = any(:ids)"), {"ids": list(ids)})
    return {row.id: int(row.row) for row in found}


def find_foreign(stage: Stage, ids: Sequence[str]) -> set[str]:
    """Return which of ``ids`` are stored as another source's."""
    found = stage.connection.execute(
        text(f"select id from {stage.table} where id = any(:ids) and source_id <> :source"),
        {"ids": list(ids), "source": stage.source_id},
    )
    return set(found.scalars())


def find_stored(stage: Stage, ids: Sequence[str]) -> set[str]:
    """Return which of ``ids`` the layer has."""
    return set(
        stage.connection.execute(
            text(f"select id from {stage.table} where id = any(:ids)"), {"ids": list(ids)}
        ).scalars()
    )


def has_foreign(stage: Stage) -> bool:
    """Return whether the layer holds rows of another source."""
    query = text(f"select exists (select 1 from {stage.table} where source_id <> :source)")
    return bool(stage.connection.execute(query, {"source": stage.source_id}).scalar_one())


def hold_ids(stage: Stage, ids: Sequence[str]) -> None:
    """Note identifiers that the file has although their rows are not stored: they are not gone."""
    stage.connection.execute(text(f"insert into {stage.held} select unnest(cast(:ids as text[]))"), {"ids": list(ids)})


def compare_stage(stage: Stage, *, overwrite_edits: bool = False) -> UpsertCounts:
    """Return what storing the stage would do.

    Features edited by hand since they were loaded are kept: rows that differ from them leave the stage, as do those of
    features deleted by hand, unless ``overwrite_edits``. Raises ConflictError when an identifier in the stage has
    become another source's since it was staged.
    """
    connection = stage.connection
    connection.execute(text(f"analyze {stage.rows}"))
    counted = connection.execute(
        text(
            "select count(*) as staged, count(*) filter (where is_new) as new, count(*) filter (where differs) as "
            "differing, count(*) filter (where differs and by_hand) as edited, "
            "count(*) filter (where is_foreign) as taken from "
            f"(select t.id is null as is_new, coalesce(t.source_id <> :source, false) as is_foreign, "
            f"t.id is not null and not ({_same(stage)}) as differs, "
            f"{_BY_HAND} as by_hand "
            f"from {stage.rows} s left join {stage.table} t on t.id = s.id left join meta.edit e on e.id = t.edit_id "
            "offset 0) as compared"
        ),
        {"source": stage.source_id},
    ).one()
    if counted.taken:
        raise _change_during_load(stage)
    edited = 0 if overwrite_edits else counted.edited
    if edited:
        connection.execute(
            text(
                f"with kept as (delete from {stage.rows} s using {stage.table} t, meta.edit e "
                f"where t.id = s.id and e.id = t.edit_id and {_BY_HAND} and not ({_same(stage)}) returning s.id) "
                f"insert into {stage.held} select id from kept"
            )
        )
    deleted = 0 if overwrite_edits or not _has_past(stage) else _keep_deletions(stage)
    gone = connection.execute(
        text(f"select count(*) from {stage.table} t where {_GONE.format(s=stage)}"), {"source": stage.source_id}
    ).scalar_one()
    new, changed = counted.new - deleted, counted.differing - edited
    return UpsertCounts(new, changed, counted.staged - new - changed, int(gone), edited + deleted)


def _has_past(stage: Stage) -> bool:
    return bool(stage.connection.execute(text(f"select exists (select 1 from {stage.past})")).scalar_one())


def _keep_deletions(stage: Stage) -> int:
    """Take rows out of the stage whose features were deleted by hand and return how many."""
    done = stage.connection.execute(
        text(
            f"with kept as (delete from {stage.rows} s "
            f"where not exists (select 1 from {stage.table} t where t.id = s.id) and "
            f"(select e.kind = 'edit' from {stage.past} h join meta.edit e on e.id = h.ended_by "
            "where h.id = s.id order by h.recorded_to desc limit 1) returning s.id) "
            f"insert into {stage.held} select id from kept"
        )
    )
    return done.rowcount


# A mended row is still the file's, and so is one from which a load was taken back.
_BY_HAND = (
    "coalesce(e.kind = 'edit' or (e.kind = 'revert' and not exists "
    "(select 1 from meta.edit r where r.id = e.reverts and r.kind = 'load')), false)"
)
_GONE = (
    "t.source_id = :source and not exists (select 1 from {s.rows} s where s.id = t.id) "
    "and not exists (select 1 from {s.held} h where h.id = t.id)"
)


def _same(stage: Stage) -> str:
    """Return the condition that the stored row ``t`` says what the staged row ``s`` says."""
    return f"not ({' or '.join(map(_differs, stage.names))})"


def store_stage(stage: Stage, counts: UpsertCounts) -> None:
    """Insert the new rows and update the changed ones; equal rows are not touched, replaced ones go to the history.

    Raises ConflictError when the layer changed since ``counts`` were made.
    """
    done = 0
    if counts.new:
        with build_indexes_after(stage.connection, stage.table, rows=counts.new):
            done += _insert_new(stage)
    if counts.changed:
        done += _update_changed(stage)
    if done != counts.new + counts.changed:
        raise _change_during_load(stage)
    if done:
        tell_written(stage.connection, [stage.layer.id])


def _change_during_load(stage: Stage) -> ConflictError:
    return ConflictError(f"layer '{stage.layer.id}' was changed by others during the load", hint="load it again")


def _insert_new(stage: Stage) -> int:
    listed = ", ".join(map(quote, stage.names))
    chosen = ", ".join("s." + quote(name) for name in stage.names)
    # Times and edit are asked once, not as defaults of a million rows. In the order of the places: neighbours on the
    # map are neighbours on the disk.
    key, keys = "", ""
    if _has_past(stage):
        # A feature that comes back is the one that it was.
        key = (
            f"coalesce((select h.fid from {stage.past} h where h.id = s.id order by h.recorded_to desc limit 1), "
            f"nextval(pg_get_serial_sequence('{stage.table}', 'fid'))), "
        )
        keys = "fid, "
    return stage.connection.execute(
        text(
            f"insert into {stage.table} ({keys}id, source_id, valid_from, recorded_from, edit_id, {listed}) "
            f"select {key}s.id, :source, now.valid, now.recorded, now.edit, {chosen} from {stage.rows} s "
            f"left join {stage.table} t on t.id = s.id cross join (select meta.edit_valid() as valid, "
            "meta.edit_at() as recorded, meta.edit_id() as edit offset 0) as now "
            "where t.id is null order by s.geom"
        ),
        {"source": stage.source_id},
    ).rowcount


def _update_changed(stage: Stage) -> int:
    assigned = ", ".join(f"{quote(name)} = s.{quote(name)}" for name in stage.names)
    return stage.connection.execute(
        text(
            f"update {stage.table} t set {assigned}, valid_from = greatest(t.valid_from, meta.edit_valid()) "
            f"from {stage.rows} s where s.id = t.id and t.source_id = :source and not ({_same(stage)})"
        ),
        {"source": stage.source_id},
    ).rowcount


def count_stored(stage: Stage) -> int:
    """Return how many rows of the source the layer has."""
    query = text(f"select count(*) from {stage.table} where source_id = :source")
    return int(stage.connection.execute(query, {"source": stage.source_id}).scalar_one())


def prune_stage(stage: Stage) -> int:
    """Delete the source's stored rows that the file no longer has, keep them in the history, return how many."""
    gone = stage.connection.execute(
        text(f"delete from {stage.table} t where {_GONE.format(s=stage)}"), {"source": stage.source_id}
    ).rowcount
    if gone:
        tell_written(stage.connection, [stage.layer.id])
    return gone


def list_differences(stage: Stage, counts: UpsertCounts) -> Diff:
    """Return changed properties with their counts, and the first changed, new and gone features."""
    return Diff(
        _count_changes(stage) if counts.changed else Counter(),
        _list_changes(stage) if counts.changed else (),
        _list_ids(stage, f"{stage.rows} t where not exists (select 1 from {stage.table} o where o.id = t.id)")
        if counts.new and counts.unchanged + counts.changed
        else (),
        _list_ids(stage, f"{stage.table} t where {_GONE.format(s=stage)}") if counts.gone else (),
    )


def _count_changes(stage: Stage) -> Counter[str]:
    counted = ", ".join(
        f"count(*) filter (where {_differs(name)}) as c{position}" for position, name in enumerate(stage.names)
    )
    row = stage.connection.execute(
        text(f"select {counted} from {stage.rows} s join {stage.table} t on t.id = s.id")
    ).one()
    return +Counter({_say(name): int(count) for name, count in zip(stage.names, row, strict=True)})


def _list_changes(stage: Stage) -> tuple[Change, ...]:
    pairs = ", ".join(
        f"({position}, '{_say(name)}', {_differs(name)}, {_show('t', name)}, {_show('s', name)})"
        for position, name in enumerate(stage.names)
    )
    rows = stage.connection.execute(
        text(
            f"select s.id, c.name, c.old, c.new from {stage.rows} s join {stage.table} t on t.id = s.id "
            f"cross join lateral (values {pairs}) as c(place, name, differs, old, new) "
            f"where c.differs order by s.row, c.place limit {Diff.most}"
        )
    )
    return tuple(Change(*row) for row in rows)


def _differs(name: str) -> str:
    cast = "::bytea" if name == "geom" else ""
    return f"t.{quote(name)}{cast} is distinct from s.{quote(name)}{cast}"


def _show(table: str, name: str) -> str:
    """Return the SQL of a value as people read it."""
    column = f"{table}.{quote(name)}"
    return f"left(st_astext({column}, 2), 120)" if name == "geom" else f"left({column}::text, 120)"


def _say(name: str) -> str:
    return "geometry" if name == "geom" else name


def _list_ids(stage: Stage, origin: str) -> tuple[str, ...]:
    query = f"select t.id from {origin} order by t.id limit {Diff.most}"
    return tuple(stage.connection.execute(text(query), {"source": stage.source_id}).scalars())

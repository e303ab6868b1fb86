"""Features in and out of layer tables: idempotent upsert by identifier, selection as frames."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection, text

from layers.errors import InputError
from layers.schema import VectorLayer
from layers.store.names import quote
from layers.store.tables import CITY, HISTORY

_STAGE = "incoming"


@dataclass(frozen=True, slots=True)
class UpsertCounts:
    """What an upsert did: rows new, changed and unchanged, stored rows of the source the input lacks (kept),
    and the ids refused because they belong to another source."""

    new: int
    changed: int
    unchanged: int
    gone: int
    foreign: tuple[str, ...]


def upsert_features(
    connection: Connection, layer: VectorLayer, frame: gpd.GeoDataFrame, *, source_id: str, dry_run: bool = False
) -> UpsertCounts:
    """Insert or update the rows of ``frame`` by ``id`` and return the counts.

    ``frame`` has a column ``id`` (unique text), property columns named as declared (absent ones become null) and
    geometry already in the city's CRS and of the layer's type. Equal rows are not touched, so loading twice
    changes nothing; replaced rows go to the history. Runs in the caller's transaction; a dry run only counts.
    """
    names = [prop.name for prop in layer.properties]
    _copy_to_stage(connection, layer, frame, names)
    table = f"{CITY}.{quote(layer.id)}"
    columns = ["source_id", *names, "geom"]
    same = " and ".join(
        f"{'t.geom::bytea' if name == 'geom' else f't.{quote(name)}'} is not distinct from "
        f"{'s.geom::bytea' if name == 'geom' else f's.{quote(name)}'}"
        for name in columns[1:]
    )
    counted = connection.execute(
        text(
            f"select count(*) filter (where t.id is null) as new, "
            f"count(*) filter (where t.source_id = :source and not ({same})) as changed, "
            f"count(*) filter (where t.source_id = :source and ({same})) as unchanged, "
            f"coalesce(array_agg(s.id) filter (where t.source_id <> :source), '{{}}') as foreign_ids, "
            f"(select count(*) from {table} g where g.source_id = :source "
            f"and not exists (select 1 from {_STAGE} i where i.id = g.id)) as gone "
            f"from {_STAGE} s left join {table} t on t.id = s.id"
        ),
        {"source": source_id},
    ).one()
    if not dry_run and counted.new + counted.changed:
        listed = ", ".join(quote(name) for name in columns[1:])
        assigned = ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in columns[1:])
        connection.execute(
            text(
                f"insert into {table} (id, source_id, {listed}) "
                f"select s.id, :source, {', '.join('s.' + quote(name) for name in columns[1:])} from {_STAGE} s "
                f"left join {table} t on t.id = s.id "
                f"where t.id is null or (t.source_id = :source and not ({same})) order by s.geom "
                f"on conflict (id) do update set {assigned}, valid_from = clock_timestamp()"
            ),
            {"source": source_id},
        )
    connection.execute(text(f"drop table {_STAGE}"))
    return UpsertCounts(counted.new, counted.changed, counted.unchanged, counted.gone, tuple(counted.foreign_ids))


def delete_features(connection: Connection, layer: VectorLayer, ids: Sequence[str]) -> int:
    """Delete the rows with these ids, keep them in the history, and return how many there were."""
    done = connection.execute(text(f"delete from {CITY}.{quote(layer.id)} where id = any(:ids)"), {"ids": list(ids)})
    return done.rowcount


def select_features(
    connection: Connection,
    layer: VectorLayer,
    *,
    bounds: tuple[float, float, float, float] | None = None,
    ids: Sequence[str] | None = None,
    equals: dict[str, object] | None = None,
    at: datetime | None = None,
    columns: Iterable[str] | None = None,
) -> gpd.GeoDataFrame:
    """Return features as a frame with ``id``, the asked (default: all) property columns and geometry in the city's CRS.

    ``bounds`` (x_min, y_min, x_max, y_max) [m] in the city's CRS; ``equals`` compares properties; ``at`` reads the
    layer as it was at a moment. InputError names an unknown property.
    """
    names = list(columns) if columns is not None else [prop.name for prop in layer.properties]
    for name in [*names, *(equals or {})]:
        if layer.find(name) is None:
            raise InputError(f"layer '{layer.id}' has no property '{name}'")
    parameters: dict[str, object] = {}
    conditions = ["true"]
    if bounds is not None:
        conditions.append("geom && st_makeenvelope(:x0, :y0, :x1, :y1, (select srid from meta.city))")
        parameters.update(zip(("x0", "y0", "x1", "y1"), bounds, strict=True))
    if ids is not None:
        conditions.append("id = any(:ids)")
        parameters["ids"] = list(ids)
    for position, (name, value) in enumerate((equals or {}).items()):
        conditions.append(f"{quote(name)} = :value{position}")
        parameters[f"value{position}"] = value
    listed = ", ".join(["id", *map(quote, names), "geom"])
    origin = f"{CITY}.{quote(layer.id)}"
    if at is not None:
        parameters["at"] = at
        origin = (
            f"(select {listed} from {origin} where valid_from <= :at union all "
            f"select {listed} from {HISTORY}.{quote(layer.id)} where valid_from <= :at and valid_to > :at) as past"
        )
    rows = connection.execute(
        text(
            f"select {', '.join(['id', *map(quote, names)])}, st_asbinary(geom) as geom, "
            f"(select srid from meta.city) as srid from {origin} where {' and '.join(conditions)} order by id"
        ),
        parameters,
    ).all()
    srid = rows[0].srid if rows else connection.execute(text("select srid from meta.city")).scalar_one()
    frame = pd.DataFrame([row[:-2] for row in rows], columns=["id", *names])
    geometry = shapely.from_wkb([bytes(row[-2]) for row in rows])
    return gpd.GeoDataFrame(frame, geometry=geometry, crs=f"EPSG:{srid}")


def count_features(connection: Connection, layer: VectorLayer) -> int:
    """Return how many features the layer has now."""
    return int(connection.execute(text(f"select count(*) from {CITY}.{quote(layer.id)}")).scalar_one())


def read_versions(connection: Connection) -> dict[str, int]:
    """Return the version counter of every layer that ever changed."""
    return {row.layer: row.version for row in connection.execute(text("select layer, version from meta.layer_version"))}


def _copy_to_stage(connection: Connection, layer: VectorLayer, frame: gpd.GeoDataFrame, names: list[str]) -> None:
    """COPY the frame into a temporary table with the layer's columns."""
    connection.execute(text(f"drop table if exists {_STAGE}"))
    listed = ", ".join(["id", *map(quote, names), "geom"])
    connection.execute(
        text(
            f"create temporary table {_STAGE} on commit drop as "
            f"select {listed} from {CITY}.{quote(layer.id)} with no data"
        )
    )
    srid = connection.execute(text("select srid from meta.city")).scalar_one()
    rows = pd.DataFrame({"id": frame["id"].to_numpy()})
    for prop in layer.properties:
        values = frame[prop.name] if prop.name in frame.columns else pd.Series(None, index=frame.index, dtype=object)
        # As objects: an integer column with nulls would else become floats, and 2.0 is no bigint.
        rows[prop.name] = values.astype("Int64").to_numpy(dtype=object) if prop.type == "integer" else values.to_numpy()
    located = shapely.set_srid(frame.geometry.to_numpy(), srid)
    rows["geom"] = shapely.to_wkb(located, hex=True, include_srid=True)
    buffer = io.StringIO()
    rows.to_csv(buffer, index=False, header=False, na_rep="\\N", quoting=0, date_format="%Y-%m-%dT%H:%M:%S%z")
    driver = connection.connection.driver_connection
    assert driver is not None
    query = f"copy {_STAGE} ({listed}) from stdin with (format csv, null '\\N')"
    with driver.cursor() as cursor, cursor.copy(query) as copy:
        copy.write(buffer.getvalue())
    connection.execute(text(f"create index on {_STAGE} (id)"))
    connection.execute(text(f"analyze {_STAGE}"))

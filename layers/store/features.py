"""Features in and out of layer tables: idempotent upsert by identifier, selection as frames."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Connection, text

from layers.errors import InputError
from layers.schema import VectorLayer
from layers.store.names import quote
from layers.store.stage import UpsertCounts, compare_stage, copy_rows, find_foreign, open_stage, store_stage
from layers.store.tables import CITY, HISTORY


def upsert_features(
    connection: Connection, layer: VectorLayer, frame: gpd.GeoDataFrame, *, source_id: str, dry_run: bool = False
) -> UpsertCounts:
    """Insert or update the rows of ``frame`` by ``id`` and return the counts.

    ``frame`` has a column ``id`` (unique text), property columns named as declared (absent ones become null) and
    geometry already in the city's CRS and of the layer's type. Equal rows are not touched, so loading twice
    changes nothing; replaced rows go to the history; rows whose identifier is another source's are left out and named.
    Runs in the caller's transaction; a dry run only counts.
    """
    stage = open_stage(connection, layer, source_id=source_id)
    foreign = find_foreign(stage, frame["id"].tolist())
    copy_rows(stage, frame[~frame["id"].isin(foreign)])
    counts = compare_stage(stage)
    if not dry_run:
        store_stage(stage, counts)
    return replace(counts, foreign=tuple(one for one in frame["id"] if one in foreign))


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

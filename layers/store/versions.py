"""Single features in and out of layer tables: the present version under a lock, and the next one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import shapely
from sqlalchemy import Connection, text

from layers.schema import VectorLayer
from layers.store.names import quote
from layers.store.tables import CITY, HISTORY


@dataclass(frozen=True, slots=True)
class Stored:
    """The present version of a feature; ``shape`` in the city's CRS, ``written`` the same as GeoJSON in CRS84."""

    fid: int
    id: str
    source_id: str
    valid_from: datetime
    recorded_from: datetime
    values: Mapping[str, Any]
    shape: Any
    written: str


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the database gave a new version: the feature's key and the system time."""

    fid: int
    recorded_from: datetime


def read_stored(connection: Connection, layer: VectorLayer, ids: Sequence[str]) -> dict[str, Stored]:
    """Return the present versions of the features called ``ids`` that exist, locked until the transaction ends."""
    names = [prop.name for prop in layer.properties]
    rows = connection.execute(
        text(
            "select fid, id, source_id, valid_from, recorded_from, ST_AsBinary(geom), "
            f"ST_AsGeoJSON(ST_Transform(geom, 4326), 7) {_list(names)} "
            f"from {CITY}.{quote(layer.id)} where id = any(:ids) order by fid for update"
        ),
        {"ids": list(ids)},
    )
    return {
        row[1]: Stored(
            row[0],
            row[1],
            row[2],
            row[3],
            row[4],
            dict(zip(names, row[7:], strict=True)),
            shapely.from_wkb(bytes(row[5])),
            row[6],
        )
        for row in rows
    }


def read_endings(connection: Connection, layer: VectorLayer, ids: Sequence[str]) -> dict[str, tuple[int, datetime]]:
    """Return key and end of validity of the last past version of each of ``ids`` that has one."""
    rows = connection.execute(
        text(
            f"select distinct on (id) id, fid, valid_to from {HISTORY}.{quote(layer.id)} where id = any(:ids) "
            "order by id, recorded_to desc, recorded_from desc"
        ),
        {"ids": list(ids)},
    )
    return {row.id: (row.fid, row.valid_to) for row in rows}


def insert_version(
    connection: Connection,
    layer: VectorLayer,
    feature_id: str,
    values: Mapping[str, Any],
    shape: Any,
    *,
    source_id: str,
    fid: int | None,
) -> Stamp:
    """Write a feature that is not there now; ``fid`` is the key it had before, None for one that never was."""
    named = {"id": feature_id, "source_id": source_id, **values} | ({"fid": fid} if fid is not None else {})
    row = connection.execute(
        text(
            f"insert into {CITY}.{quote(layer.id)} ({', '.join(map(quote, named))}, geom) "
            f"values ({', '.join(f':v{place}' for place in range(len(named)))}, {_GEOMETRY}) "
            "returning fid, recorded_from"
        ),
        {**{f"v{place}": value for place, value in enumerate(named.values())}, "geom": shapely.to_wkb(shape)},
    ).one()
    return Stamp(row.fid, row.recorded_from)


def update_version(
    connection: Connection, layer: VectorLayer, fid: int, values: Mapping[str, Any], shape: Any | None
) -> Stamp:
    """Write the next version of a feature; None keeps its geometry."""
    assigned = [f"{quote(name)} = :v{place}" for place, name in enumerate(values)]
    bound = {f"v{place}": value for place, value in enumerate(values.values())}
    if shape is not None:
        assigned.append(f"geom = {_GEOMETRY}")
        bound["geom"] = shapely.to_wkb(shape)
    row = connection.execute(
        text(
            f"update {CITY}.{quote(layer.id)} set {', '.join([*assigned, 'valid_from = meta.edit_valid()'])} "
            "where fid = :fid returning fid, recorded_from"
        ),
        {**bound, "fid": fid},
    ).one()
    return Stamp(row.fid, row.recorded_from)


def delete_version(connection: Connection, layer: VectorLayer, fid: int) -> None:
    """Delete a feature; the history keeps its last version."""
    connection.execute(text(f"delete from {CITY}.{quote(layer.id)} where fid = :fid"), {"fid": fid})


_GEOMETRY = "ST_GeomFromWKB(:geom, (select srid from meta.city))"


def _list(names: Sequence[str]) -> str:
    return "".join(f", {quote(name)}" for name in names)

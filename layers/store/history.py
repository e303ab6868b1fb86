"""The past of features: every version with its times, what an edit made and ended, what changed between two moments.

Valid time says since when it is so in the city, system time since when the database says so; present versions have no
end. The past of whole layers is read in ``origins``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import shapely
from sqlalchemy import Connection, text

from layers.schema import VectorLayer
from layers.store.names import quote
from layers.store.tables import CITY, HISTORY

Clock = Literal["valid", "recorded"]
_KEPT = ("fid", "id", "source_id", "valid_from", "recorded_from", "edit_id")
_COLUMNS = (*_KEPT, "valid_to", "recorded_to", "ended_by")


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version of a feature; ``valid_to``, ``recorded_to`` and ``ended_by`` are None while it is the present one.

    ``shape`` is in the city's CRS, ``written`` the same as GeoJSON in CRS84.
    """

    fid: int
    id: str
    source_id: str
    valid_from: datetime
    recorded_from: datetime
    edit_id: int | None
    valid_to: datetime | None
    recorded_to: datetime | None
    ended_by: int | None
    values: Mapping[str, Any]
    shape: Any
    written: str

    def holds_at(self, moment: datetime) -> bool:
        """Return whether the city was so at ``moment``, as is known now."""
        return self.valid_from <= moment and (self.valid_to is None or moment < self.valid_to)


@dataclass(frozen=True, slots=True)
class Pair:
    """A feature before and after; None where it did not exist."""

    old: VersionRow | None
    new: VersionRow | None

    @property
    def either(self) -> VersionRow:
        """The version after, or before where there is none after."""
        found = self.new or self.old
        assert found is not None
        return found


def list_feature_versions(connection: Connection, layer: VectorLayer, feature_id: str) -> list[VersionRow]:
    """Return all versions of a feature, the oldest first."""
    return _select(connection, layer, "id = :id", {"id": feature_id})


def count_edit_changes(connection: Connection, layer: VectorLayer, edit_id: int) -> int:
    """Return how many features of ``layer`` an edit created, changed or deleted."""
    row = connection.execute(
        text(
            f"select count(distinct fid) from (select fid from {CITY}.{quote(layer.id)} where edit_id = :edit "
            f"union all select fid from {HISTORY}.{quote(layer.id)} where edit_id = :edit or ended_by = :edit) touched"
        ),
        {"edit": edit_id},
    )
    return int(row.scalar_one())


def list_edit_changes(connection: Connection, layer: VectorLayer, edit_id: int, *, limit: int) -> list[Pair]:
    """Return the first ``limit`` features of ``layer`` an edit touched: what it ended and what it made."""
    versions = _select(
        connection,
        layer,
        "(edit_id = :edit or ended_by = :edit) and fid in (select distinct fid from all_versions "
        "where edit_id = :edit or ended_by = :edit order by fid limit :limit)",
        {"edit": edit_id, "limit": limit},
    )
    old = {row.fid: row for row in versions if row.ended_by == edit_id}
    new = {row.fid: row for row in versions if row.edit_id == edit_id}
    return [Pair(old.get(fid), new.get(fid)) for fid in sorted({*old, *new})]


def list_changes(
    connection: Connection,
    layer: VectorLayer,
    start: datetime,
    end: datetime,
    *,
    clock: Clock,
    after: int,
    limit: int,
) -> tuple[list[Pair], int | None]:
    """Return features that differ between two moments by ``clock``, and the key to go on after, None at the end.

    At most ``limit`` features whose key is greater than ``after`` are looked at, in the order of the key; those that
    changed and changed back do not differ.
    """
    begins, ends = f"{clock}_from", f"{clock}_to"
    within = f"({begins} > :start and {begins} <= :end) or ({ends} > :start and {ends} <= :end)"
    parameters = {"start": start, "end": end, "after": after, "limit": limit + 1}
    keys = connection.execute(
        text(
            f"select distinct fid from (select fid, {begins}, null::timestamptz as {ends} "
            f"from {CITY}.{quote(layer.id)} union all "
            f"select fid, {begins}, {ends} from {HISTORY}.{quote(layer.id)}) versions "
            f"where ({within}) and fid > :after order by fid limit :limit"
        ),
        parameters,
    ).scalars()
    found = list(keys)
    chosen = found[:limit]
    versions = _select(connection, layer, "fid = any(:keys)", {"keys": chosen})
    pairs = []
    for fid in chosen:
        own = [row for row in versions if row.fid == fid]
        pair = Pair(_find(own, start, clock), _find(own, end, clock))
        if pair.old is not pair.new:
            pairs.append(pair)
    return pairs, chosen[-1] if len(found) > limit else None


def _find(versions: list[VersionRow], moment: datetime, clock: Clock) -> VersionRow | None:
    """Return the version of one feature that held at ``moment``."""
    for row in versions:
        begin, end = (row.valid_from, row.valid_to) if clock == "valid" else (row.recorded_from, row.recorded_to)
        if begin <= moment and (end is None or moment < end):
            return row
    return None


def _select(
    connection: Connection, layer: VectorLayer, condition: str, parameters: Mapping[str, object]
) -> list[VersionRow]:
    names = [prop.name for prop in layer.properties]
    listed = ", ".join((*_KEPT, *map(quote, names), "geom"))
    rows = connection.execute(
        text(
            f"with all_versions as not materialized (select {listed}, null::timestamptz as valid_to, "
            f"null::timestamptz as recorded_to, null::bigint as ended_by from {CITY}.{quote(layer.id)} union all "
            f"select {listed}, valid_to, recorded_to, ended_by from {HISTORY}.{quote(layer.id)}) "
            f"select {', '.join(_COLUMNS)}, ST_AsBinary(geom), "
            f"ST_AsGeoJSON(ST_Transform(geom, 4326), 7){''.join(f', {quote(name)}' for name in names)} "
            f"from all_versions where {condition} order by recorded_from, recorded_to nulls last"
        ),
        dict(parameters),
    )
    kept = len(_COLUMNS)
    return [
        VersionRow(
            **dict(zip(_COLUMNS, row[:kept], strict=True)),
            shape=shapely.from_wkb(bytes(row[kept])),
            written=row[kept + 1],
            values=dict(zip(names, row[kept + 2 :], strict=True)),
        )
        for row in rows
    ]

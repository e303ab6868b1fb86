"""SQL of the catalogue of runs: finished runs and the rasters no run made, where and when each is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from layers.errors import NotFoundError
from layers.store.origins import Interval
from layers.store.rasters import RasterRow, list_rasters, read_raster_row
from twin.store import RunRow, read_run

STATIC = "rasters"
Place = tuple[datetime, str]
_ITEMS = f"""
with item as (
    select run.process as collection, run.id, run.created,
        coalesce(min(raster.times[1]), run.base_time, run.created) as starts,
        coalesce(max(raster.times[cardinality(raster.times)]),
            run.base_time + make_interval(secs => run.horizon_hours * 3600.0), run.base_time, run.created) as ends,
        min(raster.bounds[1]) as west, min(raster.bounds[2]) as south,
        max(raster.bounds[3]) as east, max(raster.bounds[4]) as north
    from run.run left join run.raster on raster.run_id = run.id and raster.layer = any(:layers)
    where run.status = 'successful' group by run.id
    union all
    select '{STATIC}', id, created, created, created, bounds[1], bounds[2], bounds[3], bounds[4]
    from run.raster where run_id is null and layer = any(:layers)
)
"""


@dataclass(frozen=True, slots=True)
class CatalogueItem:
    """A finished run with its rasters, or (``run`` None) one raster of the city's ground.

    ``bounds`` are CRS84, None for a run without rasters; ``starts`` and ``ends`` what it is about, not when it ran.
    """

    collection: str
    id: str
    created: datetime
    starts: datetime
    ends: datetime
    bounds: tuple[float, float, float, float] | None
    run: RunRow | None
    rasters: tuple[RasterRow, ...]


@dataclass(frozen=True, slots=True)
class CatalogueExtent:
    """A collection of the catalogue: where and when its items are, and how many."""

    collection: str
    bounds: tuple[float, float, float, float] | None
    starts: datetime
    ends: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Search:
    """What items are looked for: everything given must hold. ``area`` is WKT in CRS84."""

    collections: tuple[str, ...] | None = None
    ids: tuple[str, ...] | None = None
    area: str | None = None
    during: Interval | None = None


def list_catalogue(connection: Connection, layers: Sequence[str]) -> list[CatalogueExtent]:
    """Return the collections that have items; only rasters of ``layers`` count."""
    rows = connection.execute(
        text(
            _ITEMS + "select collection, min(west) as west, min(south) as south, max(east) as east, "
            "max(north) as north, min(starts) as starts, max(ends) as ends, count(*) as items "
            "from item group by collection order by collection"
        ),
        {"layers": list(layers)},
    )
    return [
        CatalogueExtent(row.collection, _read_bounds(row), row.starts, max(row.starts, row.ends), row.items)
        for row in rows
    ]


def search_catalogue(
    connection: Connection, layers: Sequence[str], search: Search, *, limit: int, after: Place | None = None
) -> list[CatalogueItem]:
    """Return at most ``limit`` items that match ``search``, the newest first, from behind ``after`` on.

    A place is when an item was entered and its id. Only rasters of ``layers`` are shown.
    """
    during = search.during or Interval(None, None)
    rows = connection.execute(
        text(
            _ITEMS
            + "select * from item where (cast(:collections as text[]) is null or collection = any(:collections)) "
            "and (cast(:ids as text[]) is null or id = any(:ids)) "
            "and (cast(:start as timestamptz) is null or ends >= :start) "
            "and (cast(:end as timestamptz) is null or starts <= :end) "
            "and (cast(:area as text) is null or ST_Intersects(ST_MakeEnvelope(west, south, east, north, 4326), "
            "ST_GeomFromText(:area, 4326))) "
            "and (cast(:created as timestamptz) is null or (created, id) < (:created, :id)) "
            "order by created desc, id desc limit :limit"
        ),
        {
            "layers": list(layers),
            "collections": None if search.collections is None else list(search.collections),
            "ids": None if search.ids is None else list(search.ids),
            "start": during.start,
            "end": during.end,
            "area": search.area,
            "created": after[0] if after else None,
            "id": after[1] if after else None,
            "limit": limit,
        },
    )
    found = []
    for row in rows:
        run = None if row.collection == STATIC else read_run(connection, row.id)
        rasters = [read_raster_row(connection, row.id)] if run is None else list_rasters(connection, run_id=run.id)
        shown = tuple(raster for raster in rasters if raster.layer in layers)
        ends = max(row.starts, row.ends)
        bounds = _read_bounds(row)
        found.append(CatalogueItem(row.collection, row.id, row.created, row.starts, ends, bounds, run, shown))
    return found


def read_catalogue_item(connection: Connection, layers: Sequence[str], collection: str, item_id: str) -> CatalogueItem:
    """Return one item of a collection; NotFoundError when there is none."""
    found = search_catalogue(connection, layers, Search(collections=(collection,), ids=(item_id,)), limit=1)
    if not found:
        raise NotFoundError(f"'{item_id[:80]}' does not exist in '{collection[:80]}'", hint="/stac/search lists items")
    return found[0]


def _read_bounds(row: object) -> tuple[float, float, float, float] | None:
    west, south, east, north = (getattr(row, name) for name in ("west", "south", "east", "north"))
    return None if west is None else (west, south, east, north)

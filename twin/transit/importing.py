"""Take a feed into the city: its tables as a new version, its stops and routes as features, in one transaction."""

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import geopandas as gpd
from sqlalchemy import Connection, Engine

from layers.errors import InputError
from layers.ingest.catalog import Source, Words
from layers.registry import read_vector_layer
from layers.store.edits import begin_edit
from layers.store.features import select_features
from layers.store.migrate import read_city
from layers.store.sources import register_source
from layers.store.stage import compare_stage, copy_rows, find_foreign, open_stage, prune_stage, store_stage
from twin.store_transit import FeedRow, delete_feed, insert_feed, list_feeds, list_versions, lock_feed, read_feed_row
from twin.transit.features import make_routes, make_stops
from twin.transit.feed import Feed
from twin.transit.notices import Notices
from twin.transit.services import read_extent
from twin.transit.standing import find_standing

LAYERS = ("stops", "transit_routes")
_ID = re.compile(r"^[a-z0-9][a-z0-9_-]{0,39}$")


@dataclass(frozen=True, slots=True)
class FeedOrigin:
    """Where a feed comes from: what it is called here, its title, file, licence and whom to thank."""

    id: str
    title: str
    uri: str
    licence: str = "unknown"
    attribution: str = ""
    synthetic: bool = False


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: the version in force, whether it is a new one, and how the layers changed."""

    row: FeedRow
    is_new: bool
    layers: dict[str, dict[str, int]]


def choose_feed_id(path: Path) -> str:
    """Return an id made of a file's name."""
    word = re.sub(r"[^a-z0-9_-]+", "-", path.stem.lower()).strip("-_")[:40]
    return word or "feed"


def import_feed(
    engine: Engine, feed: Feed, report: Notices, origin: FeedOrigin, *, author: str, today: date
) -> Imported:
    """Keep ``feed`` as the version in force, with its stops and routes as features; all of it or nothing.

    The same tables again change nothing. Features that the new version lacks leave the layers; those edited by hand
    stay as they are. Raises InputError where the feed's tables cannot carry a timetable.
    """
    if not _ID.match(origin.id):
        raise InputError(f"'{origin.id}' is no id of a feed", hint="lower-case letters, digits, - and _, at most 40")
    _refuse_unusable(feed)
    fingerprint = make_fingerprint(feed)
    with engine.begin() as connection:
        lock_feed(connection, origin.id)
        before = list_versions(connection, origin.id)
        if before and before[0].fingerprint == fingerprint:
            return Imported(before[0], False, {})
        extent = read_extent(feed)
        insert_feed(
            connection,
            {
                "id": origin.id, "title": origin.title, "uri": origin.uri, "licence": origin.licence,
                "attribution": origin.attribution, "timezone": feed.timezone, "fingerprint": fingerprint,
                "author": author, "first_day": extent[0] if extent else None, "last_day": extent[1] if extent else None,
                "report": {"notices": report.describe()},
            },
            feed,
        )  # fmt: skip
        changed = _write_layers(connection, feed, origin, fingerprint, author, today)
        return Imported(read_feed_row(connection, origin.id), True, changed)


def remove_feed(engine: Engine, feed_id: str, *, author: str) -> int:
    """Take a feed and its features out of the city and return how many features there were."""
    with engine.begin() as connection:
        lock_feed(connection, feed_id)
        read_feed_row(connection, feed_id)
        begin_edit(connection, author=author, reason=f"remove feed {feed_id}", kind="load", layers=LAYERS)
        removed = 0
        for layer_id in LAYERS:
            # Nothing is staged, so all that came from this feed is gone.
            removed += prune_stage(open_stage(connection, read_vector_layer(layer_id), source_id=f"transit-{feed_id}"))
        delete_feed(connection, feed_id)
        return removed


def make_fingerprint(feed: Feed) -> str:
    """Return a word for what a feed holds, whatever the order of its files and columns."""
    summed = hashlib.sha256()
    for name, table in sorted(feed.tables.items()):
        summed.update(name.encode())
        for column in sorted(table.names):
            summed.update(column.encode())
            for buffer in table.column(column).buffers()[1:]:
                summed.update(memoryview(buffer))
    for name, content in sorted(feed.others.items()):
        summed.update(name.encode() + content)
    return summed.hexdigest()[:16]


def _refuse_unusable(feed: Feed) -> None:
    for name in ("agency", "stops", "routes", "trips", "stop_times"):
        if not feed.table(name).size:
            raise InputError(
                f"the feed has no rows of {name}.txt", hint="twin transit check FILE says all that is wrong"
            )
    _ = feed.timezone


def _write_layers(
    connection: Connection, feed: Feed, origin: FeedOrigin, fingerprint: str, author: str, today: date
) -> dict[str, dict[str, int]]:
    crs = f"EPSG:{read_city(connection).srid}"
    title = Words(vi=origin.title, en=origin.title)
    source = Source(
        id=f"transit-{origin.id}", uri=origin.uri, layer="stops", title=title, licence=origin.licence,
        attribution=origin.attribution, synthetic=origin.synthetic,
    )  # fmt: skip
    begin_edit(connection, author=author, reason=origin.uri[:200], kind="load", source=source.id, layers=LAYERS)
    register_source(connection, source, uri=origin.uri, fingerprint=fingerprint, layers=LAYERS)
    stops = make_stops(feed, origin.id, crs)
    present = select_features(connection, read_vector_layer("stops"), columns=["gtfs_id"])
    known = {origin.id, *(row.id for row in list_feeds(connection))}
    frames = {
        "stops": stops[find_standing(stops, present, known) < 0],
        "transit_routes": make_routes(feed, origin.id, crs, today),
    }
    return {name: _store(connection, name, frame, source.id) for name, frame in frames.items()}


def _store(connection: Connection, layer_id: str, frame: gpd.GeoDataFrame, source_id: str) -> dict[str, int]:
    stage = open_stage(connection, read_vector_layer(layer_id), source_id=source_id)
    own = frame.drop_duplicates("id")
    foreign = find_foreign(stage, own["id"].tolist())
    copy_rows(stage, own[~own["id"].isin(foreign)])
    counts = compare_stage(stage)
    store_stage(stage, counts)
    removed = prune_stage(stage)
    return {"new": counts.new, "changed": counts.changed, "unchanged": counts.unchanged, "removed": removed}

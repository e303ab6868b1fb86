"""Hand a feed out as it is now: with the names and places that its stops have in the city."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import orjson
import pyarrow as pa
from sqlalchemy import Connection

from layers.datum import CRS84, make_transformer
from layers.registry import read_vector_layer
from layers.store.features import select_features
from twin.store_transit import FeedRow, list_feeds
from twin.transit.features import make_stops, name_feature
from twin.transit.feed import Feed, FeedTable
from twin.transit.standing import find_standing
from twin.transit.stop_times import measure_distance
from twin.transit.warm import read_warm_feed

MOVED = 0.05
"""A stop that lies farther from its place in the feed than this [m] was moved in the city."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What was carried over from the city: how many stops were renamed, moved, and are in the feed alone."""

    renamed: int
    moved: int
    missing: int
    word: str
    """What tells these edits from all others."""


def read_current_feed(connection: Connection, row: FeedRow) -> tuple[Feed, Carried]:
    """Return a feed with the edits made to its stops in the city; a stop deleted there stays, trips call at it."""
    feed = read_warm_feed(connection, row)
    frame = select_features(connection, read_vector_layer("stops"), columns=["name", "gtfs_id"])
    drawn = make_stops(feed, row.id, str(frame.crs))
    standing = find_standing(drawn, frame, {one.id for one in list_feeds(connection)})
    taken = dict(zip(standing[standing >= 0].tolist(), drawn["id"].to_numpy()[standing >= 0], strict=True))
    frame["id"] = [taken.get(at, one) for at, one in enumerate(frame["id"])]
    return carry_edits(feed, frame[frame["id"].str.startswith(f"{row.id}.")], row.id)


def carry_edits(feed: Feed, stops: gpd.GeoDataFrame, feed_id: str) -> tuple[Feed, Carried]:
    """Return the feed with names and places of ``stops``, features of the layer in the city's CRS."""
    table = feed.table("stops")
    positions = {name_feature(feed_id, one): at for at, one in enumerate(feed.stop_ids.to_pylist())}
    at = np.array([positions.get(one, -1) for one in stops["id"]], np.int64)
    held, stops = at[at >= 0], stops[at >= 0]
    missing = table.size - held.size
    names = table.texts("stop_name").copy()
    given = np.array([one if isinstance(one, str) else "" for one in stops["name"]], object)
    renamed = held[(names[held] != given) & (given != "")]
    names[held[given != ""]] = given[given != ""]
    lat, lon = table.numbers("stop_lat"), table.numbers("stop_lon")
    to_degrees = make_transformer(str(stops.crs), CRS84)
    x, y = to_degrees.transform(stops.geometry.x.to_numpy(), stops.geometry.y.to_numpy())
    away = measure_distance(lon[held], lat[held], x, y)
    far = away > MOVED
    texts = {"stop_lat": table.texts("stop_lat").copy(), "stop_lon": table.texts("stop_lon").copy()}
    for place, new_x, new_y in zip(held[far], x[far], y[far], strict=True):
        texts["stop_lat"][place], texts["stop_lon"][place] = f"{new_y:.7f}", f"{new_x:.7f}"
    if not renamed.size and not far.any():
        return feed, Carried(0, 0, missing, "0")
    changed = _set_columns(table, {"stop_name": names, **texts})
    word = hashlib.sha256(orjson.dumps([[*map(str, own)] for own in (names, *texts.values())])).hexdigest()[:12]
    carried = Carried(int(renamed.size), int(far.sum()), missing, word)
    return replace(feed, tables={**feed.tables, "stops": changed}), carried


def _set_columns(table: FeedTable, columns: Mapping[str, object]) -> FeedTable:
    data = table.data
    for name, values in columns.items():
        if name in table.names:
            data = data.set_column(table.names.index(name), name, pa.array(values, pa.string()))
    return FeedTable(data, table.rows)

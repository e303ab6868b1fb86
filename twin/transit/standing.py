"""Stops that stand in the city already, from another source: a feed does not draw them twice."""

from collections.abc import Collection

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

NEAR = 200.0
"""A stop of the same name in another source is the same one within this [m]."""


def find_standing(stops: gpd.GeoDataFrame, present: gpd.GeoDataFrame, feed_ids: Collection[str]) -> NDArray[np.int64]:
    """Return for each of a feed's ``stops`` (n,) the row of ``present`` that stands for it, -1 for none.

    A feature that no feed brought (``feed_ids``) stands for a stop whose GTFS id is its ``gtfs_id``, or its own id, and
    which is near.
    """
    others = np.array([at for at, one in enumerate(present["id"]) if one.partition(".")[0] not in feed_ids], np.int64)
    rows: dict[str, int] = {}
    for name in ("id", "gtfs_id"):
        words = present[name].to_numpy(object)[others]
        rows.update((str(word), int(at)) for word, at in zip(words, others, strict=True) if isinstance(word, str))
    found = np.array([rows.get(str(one), -1) for one in stops["gtfs_id"]], np.int64)
    held = np.flatnonzero(found >= 0)
    away = shapely.distance(stops.geometry.to_numpy()[held], present.geometry.to_numpy()[found[held]])
    found[held[away > NEAR]] = -1
    return found

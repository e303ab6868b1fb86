"""The past of a box and of an item: read for those features alone that ever were there, and the same as the whole."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime

import geopandas as gpd
import shapely
from sqlalchemy import Connection, text

from layers.datum import CRS84, make_transformer
from layers.registry import read_vector_layer
from layers.store.features import upsert_features
from layers.store.mercator import Bounds
from layers.store.origins import Interval, Past, narrow_to_box, narrow_to_item
from layers.store.query.selection import ItemQuery, build_selection
from layers.store.rows import RowQuery, count_rows

TREES = read_vector_layer("trees")
X, Y = 580_000.0, 1_108_000.0
WEST, EAST = (
    make_transformer("EPSG:5897", CRS84).transform_bounds(x - 50.0, Y - 50.0, x + 50.0, Y + 50.0)
    for x in (X, X + 1_000.0)
)


def plant(connection: Connection, x: float, name: str = "t1") -> datetime:
    """Write a tree at ``x`` and return a moment after it."""
    frame = gpd.GeoDataFrame({"id": [name], "species": "Sao đen"}, geometry=[shapely.Point(x, Y)], crs="EPSG:5897")
    upsert_features(connection, TREES, frame, source_id="a")
    moment: datetime = connection.execute(text("select clock_timestamp()")).scalar_one()
    return moment


def count(connection: Connection, moment: datetime, bounds: Bounds | None) -> int:
    """Return how many trees a box held at ``moment``."""
    past = Past(Interval(moment, moment))
    return count_rows(connection, TREES, RowQuery(ItemQuery(bounds=bounds, past=past)))


def test_a_feature_that_moved_is_found_where_it_was(connection: Connection) -> None:
    before = plant(connection, X - 300.0, "t0")
    west = plant(connection, X)
    east = plant(connection, X + 1_000.0)
    found = {
        (name, place): count(connection, moment, box)
        for (name, moment), (place, box) in itertools.product(
            (("before", before), ("west", west), ("east", east)), (("west", WEST), ("east", EAST), ("all", None))
        )
    }
    assert found == {
        ("before", "west"): 0, ("before", "east"): 0, ("before", "all"): 1,
        ("west", "west"): 1, ("west", "east"): 0, ("west", "all"): 2,
        ("east", "west"): 0, ("east", "east"): 1, ("east", "all"): 2,
    }  # fmt: skip


def test_the_past_of_a_box_and_of_an_item_reads_indexes_alone(connection: Connection) -> None:
    moment = plant(connection, X)
    plant(connection, X + 1_000.0)
    connection.execute(text("set local enable_seqscan = off"))
    past = Past(Interval(moment, moment))
    boxed = build_selection(TREES, ItemQuery(bounds=WEST, past=past))
    item = replace(build_selection(TREES, ItemQuery(past=past)), narrowed=narrow_to_item("'t1'"))
    for selection in (boxed, item):
        statement = f"explain select t.id from {selection.write_origin()} where {selection.condition}"
        plan = "\n".join(connection.exec_driver_sql(statement, selection.values).scalars())
        assert "Seq Scan on trees" not in plan, plan


def test_a_box_that_is_wide_is_read_as_a_whole() -> None:
    assert narrow_to_box("x", 1e6) is None
    past = Past(Interval(datetime.now(UTC), None))
    assert build_selection(TREES, ItemQuery(bounds=(100.0, 0.0, 120.0, 20.0), past=past)).narrowed is None
    assert build_selection(TREES, ItemQuery(bounds=(170.0, 0.0, -170.0, 1.0), past=past)).narrowed is None

"""Feeds in the database: versions, features, edits carried out again, the round trip."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import shapely
from sqlalchemy import Engine, text

from layers.errors import InputError, NotFoundError
from layers.registry import read_vector_layer
from layers.store.edits import begin_edit
from layers.store.features import select_features
from tests.twin.transit_feeds import make_feed, swap
from twin.store_transit import KEPT_VERSIONS, list_versions, read_feed_row, read_feed_tables
from twin.transit.exporting import read_current_feed
from twin.transit.feed import Feed
from twin.transit.importing import FeedOrigin, Imported, import_feed, remove_feed
from twin.transit.reading import read_feed
from twin.transit.validating import validate_feed
from twin.transit.writing import write_feed

TODAY = date(2026, 6, 1)


def take(engine: Engine, feed: Feed, feed_id: str = "bus") -> Imported:
    origin = FeedOrigin(feed_id, "Xe buýt", f"{feed_id}.zip")
    return import_feed(engine, feed, validate_feed(feed, TODAY), origin, author="test", today=TODAY)


def read_layer(engine: Engine, layer_id: str, feed_id: str = "bus"):  # type: ignore[no-untyped-def]
    with engine.connect() as connection:
        frame = select_features(connection, read_vector_layer(layer_id))
    return frame[frame["id"].str.startswith(f"{feed_id}.")].set_index("id")


def same_tables(one: Feed, other: Feed) -> bool:
    return set(one.tables) == set(other.tables) and all(
        one.tables[name].data.equals(other.tables[name].data) for name in one.tables
    )


def test_a_feed_becomes_layers_and_a_new_version_replaces_it(engine: Engine) -> None:
    done = take(engine, make_feed(), "line")
    assert (done.row.version, done.is_new) == (1, True)
    assert (done.row.first_day, done.row.last_day) == (date(2026, 1, 1), date(2026, 12, 31))
    stops, routes = read_layer(engine, "stops", "line"), read_layer(engine, "transit_routes", "line")
    assert stops["name"].tolist() == [f"Trạm {k}" for k in range(5)]
    assert stops.loc["line.S3", "gtfs_id"] == "S3"
    assert stops["mode"].tolist() == ["bus"] * 5
    assert routes["direction"].tolist() == [0, 1]
    # Monday: T1 and T2 go there, B1 comes back; four steps of 0.01° at 10° north.
    assert routes["trip_count"].tolist() == [2, 1]
    assert routes.loc["line.R.1", "length"] == pytest.approx(4 * 1095.0, rel=0.01)

    assert not take(engine, make_feed(), "line").is_new
    fewer = make_feed({
        **swap("trips.txt", "R,W,B1,1,\n", ""),
        **swap("stop_times.txt", "B1,08:00:00,08:00:00,S4,1\nB1,08:12:00,08:12:00,S0,2\n", ""),
    })  # fmt: skip
    again = take(engine, fewer, "line")
    assert (again.row.version, again.is_new) == (2, True)
    assert again.layers["transit_routes"]["removed"] == 1
    assert read_layer(engine, "transit_routes", "line").index.tolist() == ["line.R.0"]


def test_old_versions_keep_their_record_and_lose_their_tables(engine: Engine) -> None:
    for number in range(KEPT_VERSIONS + 1):
        take(engine, make_feed(swap("stops.txt", "Trạm 1", f"Trạm một {number}")), "versions")
    with engine.connect() as connection:
        rows = list_versions(connection, "versions")
        assert [row.version for row in rows] == [4, 3, 2, 1]
        assert read_feed_tables(connection, rows[-2]).counts["stops"] == 5
        with pytest.raises(NotFoundError, match="no longer kept"):
            read_feed_tables(connection, rows[-1])


def test_edits_of_stops_go_out_with_the_feed(engine: Engine) -> None:
    feed = make_feed()
    take(engine, feed, "edited")
    with engine.begin() as connection:
        current, carried = read_current_feed(connection, read_feed_row(connection, "edited"))
        assert (carried.renamed, carried.moved) == (0, 0)
        assert same_tables(current, feed)
        begin_edit(connection, author="test", reason="moved", kind="edit", layers=["stops"])
        connection.execute(
            text("update city.stops set name = 'Chợ', geom = st_translate(geom, 30, 0) where id = 'edited.S2'")
        )
    with engine.connect() as connection:
        current, carried = read_current_feed(connection, read_feed_row(connection, "edited"))
    assert (carried.renamed, carried.moved) == (1, 1)
    assert current.table("stops").texts("stop_name")[2] == "Chợ"
    moved = (current.table("stops").numbers("stop_lon") - feed.table("stops").numbers("stop_lon")) * 109_600.0
    assert moved == pytest.approx([0.0, 0.0, 30.0, 0.0, 0.0], abs=0.3)
    # A new version does not undo what was done by hand.
    take(engine, make_feed(swap("stops.txt", "Trạm 4", "Trạm cuối")), "edited")
    assert read_layer(engine, "stops", "edited").loc["edited.S2", "name"] == "Chợ"


def test_a_feed_that_cannot_run_leaves_nothing_behind(engine: Engine) -> None:
    broken = make_feed({"trips.txt": "route_id,service_id,trip_id\n"})
    with pytest.raises(InputError, match=r"no rows of trips\.txt"):
        take(engine, broken, "broken")
    with engine.connect() as connection, pytest.raises(NotFoundError):
        read_feed_row(connection, "broken")


def test_a_feed_is_removed_with_its_features(engine: Engine) -> None:
    take(engine, make_feed(), "gone")
    assert remove_feed(engine, "gone", author="test") == 7
    assert read_layer(engine, "stops", "gone").empty
    with engine.connect() as connection, pytest.raises(NotFoundError):
        read_feed_row(connection, "gone")


def test_porto_alegre_there_and_back(engine: Engine, shared: Callable[[str], Path], tmp_path: Path) -> None:
    feed = read_feed(shared("porto-alegre/poa_eptc.zip"))
    origin = FeedOrigin("eptc", "EPTC", "poa_eptc.zip")
    import_feed(engine, feed, validate_feed(feed, date(2019, 5, 6)), origin, author="test", today=date(2019, 5, 6))
    with engine.connect() as connection:
        kept = read_feed_tables(connection, read_feed_row(connection, "eptc"))
    assert same_tables(kept, feed)
    path = tmp_path / "eptc.zip"
    path.write_bytes(write_feed(kept))
    assert same_tables(read_feed(path), feed)
    stops, routes = read_layer(engine, "stops", "eptc"), read_layer(engine, "transit_routes", "eptc")
    assert len(stops) == 3_986
    assert routes["route_id"].nunique() == 115
    assert np.isfinite(shapely.length(routes.geometry.to_numpy())).all()
    # All its services run on working days, and the 6th of May was one.
    assert routes["trip_count"].sum() == 2_374

"""Feeds in the database: versions, features, edits carried out again, the round trip."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import shapely
import typer
from google.transit import gtfs_realtime_pb2 as rt
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from layers.errors import InputError, NotFoundError, TooLargeError
from layers.ingest.catalog import Source, Words
from layers.registry import read_vector_layer
from layers.store.edits import begin_edit
from layers.store.engine import plain_url
from layers.store.features import delete_features, select_features, upsert_features
from layers.store.sources import register_source
from tests.twin.transit_feeds import make_feed, swap
from twin.commands.transit import register
from twin.store_transit import KEPT_VERSIONS, list_versions, read_feed_row, read_feed_tables
from twin.transit.exporting import read_current_feed
from twin.transit.features import make_stops
from twin.transit.feed import Feed, make_table
from twin.transit.importing import FeedOrigin, Imported, import_feed, remove_feed
from twin.transit.reading import build_feed, read_feed
from twin.transit.validating import validate_feed
from twin.transit.writing import write_feed

TODAY = date(2026, 6, 1)
# What counts as a blank around a value, of Unicode.
_BLANKS = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())


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


def test_a_stop_that_stands_already_is_not_drawn_twice(engine: Engine) -> None:
    crs = "EPSG:5897"
    drawn = make_stops(make_feed(), "city", crs).iloc[:2].assign(id=["BUS-1", "BUS-2"], name=["Chợ cũ", None])
    with engine.begin() as connection:
        begin_edit(connection, author="test", reason="stops of the city", kind="load", layers=["stops"])
        source = Source(
            id="city-stops", uri="stops.csv", layer="stops", title=Words(vi="Trạm", en="Stops"), licence="CC0-1.0",
            attribution="Sở",
        )  # fmt: skip
        register_source(connection, source, uri="stops.csv", fingerprint="1")
        upsert_features(connection, read_vector_layer("stops"), drawn, source_id="city-stops")
    done = take(engine, make_feed(), "shared")
    assert done.layers["stops"]["new"] == 3
    with engine.connect() as connection:
        current, carried = read_current_feed(connection, read_feed_row(connection, "shared"))
    # The city's own name goes out; a stop it has no name for keeps that of the feed.
    assert current.table("stops").texts("stop_name").tolist()[:2] == ["Chợ cũ", "Trạm 1"]
    assert (carried.renamed, carried.moved, carried.missing) == (1, 0, 0)
    assert remove_feed(engine, "shared", author="test") == 5
    with engine.begin() as connection:
        left = select_features(connection, read_vector_layer("stops"), ids=["BUS-1", "BUS-2"])
        assert len(left) == 2
        delete_features(connection, read_vector_layer("stops"), ["BUS-1", "BUS-2"])


def test_the_commands(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWIN_DATABASE_URL", plain_url(engine))
    monkeypatch.setenv("TWIN_DATA_DIR", str(tmp_path / "data"))
    path = tmp_path / "line-01.zip"
    path.write_bytes(write_feed(make_feed()))
    told = json.loads(run_command("import", str(path), "--title", "Tuyến 01"))
    assert (told["id"], told["version"], told["new"], told["errors"]) == ("line-01", 1, True, 0)
    assert "không đổi · unchanged" in run_command("import", str(path), as_json=False)
    assert "line-01" in {one["id"] for one in json.loads(run_command("list"))}
    assert json.loads(run_command("check", "line-01"))["summary"]["errors"] == 0
    path.write_bytes(write_feed(make_feed(swap("trips.txt", "R,W,T2", "R,X,T2"))))
    broken = run_command("check", str(path), as_json=False, code=1)
    assert "foreign_key_violation × 1" in broken
    out = tmp_path / "out.zip"
    assert json.loads(run_command("export", "line-01", str(out)))["renamed"] == 0
    assert same_tables(read_feed(out), make_feed())
    (first, *_) = json.loads(run_command("departures", "line-01", "S0", "--at", "2026-06-01T00:00:00"))
    assert (first["trip_id"], first["state"]) == ("T1", "scheduled")
    live = tmp_path / "live.pb"
    message = rt.FeedMessage()
    message.header.gtfs_realtime_version = "2.0"
    message.entity.add(id="v").vehicle.trip.trip_id = "X"
    live.write_bytes(message.SerializeToString())
    kept = json.loads(run_command("realtime", str(live), "--feed", "line-01"))
    assert kept["unmatched"]["trips"]["ids"] == ["X"]
    assert "7 đối tượng" in run_command("remove", "line-01", as_json=False)


def run_command(*words: str, as_json: bool = True, code: int = 0) -> str:
    app = typer.Typer()
    register(app)
    given = ["transit", *words, *(["--json"] if as_json else [])]
    done = CliRunner().invoke(app, given)
    assert done.exit_code == code, done.output + repr(done.exception)
    return str(done.stdout)


NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(NAMES, NAMES), min_size=1, max_size=5))
def test_any_text_goes_out_and_comes_back(rows: list[tuple[str, str]]) -> None:
    table = make_table({"stop_id": [a for a, _ in rows], "note": [b for _, b in rows]})
    feed = Feed({**make_feed().tables, "stops": table})
    files = {
        name: zipfile.ZipFile(io.BytesIO(write_feed(feed))).read(name)
        for name in zipfile.ZipFile(io.BytesIO(write_feed(feed))).namelist()
    }
    again = build_feed(files, "test").table("stops")
    stripped = [tuple(value.strip(_BLANKS) for value in row) for row in rows]
    assert list(zip(again.texts("stop_id"), again.texts("note"), strict=True)) == stripped


@pytest.mark.parametrize("name", ["../stops.txt", "/etc/stops.txt"])
def test_a_zip_leads_nowhere_and_bursts_nothing(name: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, "stop_id\n1\n")
    # Nothing is written anywhere: files are read into memory, wherever their names point.
    assert read_feed(path).counts == {"stops": 1}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("stops.txt", b"0" * (80 << 20))
    with pytest.raises(TooLargeError, match="unpacks to 80 MiB"):
        read_feed(path)

"""Readings in a real PostGIS: idempotent, corrected, latest kept, partitions made."""

from datetime import UTC, datetime, timedelta

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from sqlalchemy import Connection, text

from layers.errors import InputError, NotFoundError
from layers.registry import read_vector_layer
from layers.store.features import upsert_features
from layers.store.sensing.datastreams import Datastream, list_datastreams, upsert_datastreams
from layers.store.sensing.latest import select_latest
from layers.store.sensing.reading import read_extent, select_observations
from layers.store.sensing.writing import correct_observation, insert_observations, store_observations

START = datetime(2026, 10, 31, 12, tzinfo=UTC)
SERIES = Datastream("S1.stage", "S1", "stage", "m", "Mực nước", "Stage")


def make_batch(count: int, datastream: str = "S1.stage") -> pd.DataFrame:
    times = [START + timedelta(minutes=10 * step) for step in range(count)]
    return pd.DataFrame({"datastream_id": datastream, "phenomenon_time": times, "result": np.arange(count) * 0.1})


def test_the_same_batch_twice_changes_nothing(connection: Connection) -> None:
    upsert_datastreams(connection, [SERIES], "test")
    first = insert_observations(connection, make_batch(200))
    second = insert_observations(connection, make_batch(200))
    assert (first.new, first.changed, first.unchanged) == (200, 0, 0)
    assert (second.new, second.changed, second.unchanged) == (0, 0, 200)
    partitions = connection.execute(
        text("select count(*) from pg_inherits where inhparent = 'sensing.observation'::regclass")
    ).scalar_one()
    assert partitions == 2


def test_a_correction_and_late_data_keep_the_latest_right(connection: Connection) -> None:
    upsert_datastreams(connection, [SERIES], "test")
    insert_observations(connection, make_batch(5))
    late = make_batch(5).assign(phenomenon_time=lambda rows: rows["phenomenon_time"] - timedelta(days=40), result=9.0)
    insert_observations(connection, late)
    corrected = make_batch(5).tail(1).assign(result=7.5, quality=3)
    counts = insert_observations(connection, corrected)
    assert (counts.new, counts.changed) == (0, 1)
    latest = connection.execute(text("select result, quality, phenomenon_time from sensing.latest")).one()
    assert (latest.result, latest.quality) == (7.5, 3)
    assert latest.phenomenon_time == START + timedelta(minutes=40)
    assert read_extent(connection, "S1.stage") == (START - timedelta(days=40), START + timedelta(minutes=40))


def test_what_was_measured_is_never_altered(connection: Connection) -> None:
    upsert_datastreams(connection, [SERIES], "test")
    insert_observations(connection, make_batch(3))
    at = START + timedelta(minutes=10)
    correct_observation(connection, "S1.stage", at, 0.5, author="Lan", reason="boat at the gauge")
    correct_observation(connection, "S1.stage", at, 0.6, author="Lan", reason="second look")
    raw = connection.execute(text("select result from sensing.observation where phenomenon_time = :at"), {"at": at})
    assert raw.scalar_one() == pytest.approx(0.1)
    assert select_observations(connection, "S1.stage", at, at).results.tolist() == [0.6]
    kept = connection.execute(text("select revision, result, author, reason from sensing.correction order by 1")).all()
    assert [tuple(row) for row in kept] == [(1, 0.5, "Lan", "boat at the gauge"), (2, 0.6, "Lan", "second look")]
    with pytest.raises(InputError, match="gives no reason"):
        correct_observation(connection, "S1.stage", at, 0.7, author="Lan", reason=" ")
    with pytest.raises(NotFoundError, match="has no reading at"):
        correct_observation(connection, "S1.stage", at + timedelta(seconds=1), 0.7, author="Lan", reason="x")


def test_live_rows_are_stored_like_loaded_ones(connection: Connection) -> None:
    upsert_datastreams(connection, [SERIES, Datastream("S1.word", "S1", "state", "1", "Lời", "Word")], "test")
    rows = [
        {"datastream_id": "S1.stage", "phenomenon_time": "2027-03-01T07:00:00+07:00", "result": 1.0},
        {"datastream_id": "S1.stage", "phenomenon_time": "2027-03-01T00:00:00Z", "result": 1.5},
        {"datastream_id": "S1.word", "phenomenon_time": "2027-03-01T00:00:00Z", "value": {"lamp": "on"}},
    ]
    first = store_observations(connection, rows, author="test")
    again = store_observations(connection, rows[1:], author="test")
    assert (first.new, first.repeated, again.new, again.unchanged) == (2, 1, 0, 2)
    stored = connection.execute(text("select result, value, quality from sensing.reading order by datastream")).all()
    assert [tuple(row) for row in stored] == [(1.5, None, 2), (None, {"lamp": "on"}, 2)]
    dirty = connection.execute(text("select distinct start from sensing.dirty_hour")).scalars().all()
    assert dirty == [datetime(2027, 3, 1, tzinfo=UTC)]
    with pytest.raises(NotFoundError, match="'S9'"):
        store_observations(connection, [{**rows[0], "datastream_id": "S9"}], author="test")


def test_missing_values_are_kept_and_never_latest(connection: Connection) -> None:
    upsert_datastreams(connection, [SERIES], "test")
    batch = make_batch(3)
    batch.loc[2, "result"] = np.nan
    insert_observations(connection, batch)
    back = select_observations(connection, "S1.stage", START, START + timedelta(days=1))
    assert np.isnan(back.results[2])
    assert back.qualities.tolist() == [2, 2, 9]
    assert connection.execute(text("select result from sensing.latest")).scalar_one() == pytest.approx(0.1)


def test_the_later_of_two_rows_of_a_batch_wins(connection: Connection) -> None:
    upsert_datastreams(connection, [SERIES], "test")
    batch = pd.concat([make_batch(2), make_batch(1).assign(result=4.0)])
    counts = insert_observations(connection, batch)
    assert (counts.new, counts.repeated) == (2, 1)
    assert select_observations(connection, "S1.stage", START, START).results.tolist() == [4.0]


def test_unknown_series_and_missing_times_are_named(connection: Connection) -> None:
    upsert_datastreams(connection, [SERIES], "test")
    with pytest.raises(NotFoundError, match="'S9'"):
        insert_observations(connection, make_batch(1, "S9"))
    with pytest.raises(InputError, match=r"observation 1 of 'S1.stage' has no phenomenon_time"):
        insert_observations(connection, make_batch(1).assign(phenomenon_time=pd.NaT))
    with pytest.raises(NotFoundError, match="'S9'"):
        select_observations(connection, "S9", START, START)


def test_thinning_keeps_ends_of_every_span(connection: Connection) -> None:
    upsert_datastreams(connection, [SERIES], "test")
    batch = make_batch(1000).assign(result=np.sin(np.arange(1000) / 7.0))
    batch.loc[497, "result"] = 5.0
    insert_observations(connection, batch)
    thin = select_observations(connection, "S1.stage", START, START + timedelta(days=30), max_points=100)
    assert 50 <= len(thin.times) <= 100
    assert thin.results.max() == 5.0
    assert thin.results.min() == batch["result"].min()
    assert (np.diff(thin.times) > 0).all()


def test_latest_of_everything(connection: Connection) -> None:
    sensors = gpd.GeoDataFrame(
        {"id": ["S1", "S2"], "name": ["Một", "Hai"], "kind": ["stage", "rain"], "alarm_1": [1.8, None]},
        geometry=shapely.points([586_000.0, 596_000.0], [1_108_000.0, 1_108_000.0]),
        crs="EPSG:5897",
    )
    upsert_features(connection, read_vector_layer("sensors"), sensors, source_id="test")
    upsert_datastreams(connection, [SERIES, Datastream("S1.t", "S1", "temperature", "Cel", "Nhiệt độ", "T")], "test")
    insert_observations(connection, make_batch(3))
    rows = select_latest(connection)
    assert [row.sensor_id for row in rows] == ["S1", "S2"]
    assert rows[0].alarm_1 == 1.8
    assert [series["result"] for series in rows[0].datastreams] == [pytest.approx(0.2), None]
    assert rows[0].datastreams[0]["phenomenon_time"] == "2026-10-31T12:20:00Z"
    assert rows[1].datastreams == []
    assert [row.sensor_id for row in select_latest(connection, kind="rain")] == ["S2"]
    near = (rows[0].lon - 0.01, rows[0].lat - 0.01, rows[0].lon + 0.01, rows[0].lat + 0.01)
    assert [row.sensor_id for row in select_latest(connection, bbox_crs84=near)] == ["S1"]
    world = (-180.0, -90.0, 180.0, 90.0)
    assert [row.sensor_id for row in select_latest(connection, bbox_crs84=world)] == ["S1", "S2"]
    west, south, east, north = near
    assert [row.sensor_id for row in select_latest(connection, bbox_crs84=(east, south, west, north))] == ["S2"]
    assert [row.sensor_id for row in select_latest(connection, since=START)] == ["S1"]
    assert select_latest(connection, since=START + timedelta(hours=1)) == []
    assert [row.id for row in list_datastreams(connection, "S1")] == ["S1.stage", "S1.t"]

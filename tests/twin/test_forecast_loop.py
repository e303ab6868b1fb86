"""The loop on a real database: it runs when something changed, one at a time, and says when it is late."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sqlalchemy import Engine, text

from layers.registry import read_vector_layer
from layers.store.engine import plain_url
from layers.store.features import upsert_features
from layers.store.rasters import register_raster, write_cog
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from layers.store.sensing.writing import insert_observations, store_observations
from twin.forecasts.loop import prune_loop, read_loop_words, turn_loop
from twin.forecasts.models import ModelShelf
from twin.settings import Settings
from twin.store import list_runs, read_run
from twin.store_forecast_loop import lock_loop
from twin.store_forecasts import read_issue, read_values

NOW = datetime(2026, 10, 25, 6, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Settings:
    """Settings whose loop makes small floods and keeps one."""
    return Settings(
        data_dir=tmp_path_factory.mktemp("data"),
        database_url=plain_url(engine),
        run_dir=tmp_path_factory.mktemp("run"),
        loop_cell_size=20.0,
        loop_members=3,
        loop_keep=1,
    )


@pytest.fixture(scope="module")
def shelf() -> ModelShelf:
    """Models kept over the tests of this file."""
    return ModelShelf()


@pytest.fixture(scope="module", autouse=True)
def stored_city(
    engine: Engine,
    settings: Settings,
    request: pytest.FixtureRequest,
    tide_of: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> None:
    """The tiny city in the database, with a spring tide over its dyke and readings up to ten minutes ago."""
    city = request.getfixturevalue("make_tiny_city")()
    array, grid = city.rasters["terrain"]
    write_cog(settings.processed_dir / "terrain.tif", array, grid)
    times = np.arange(NOW.timestamp() - 30 * 86400.0, NOW.timestamp() - 500.0, 1800.0)
    with engine.begin() as connection:
        connection.execute(text('update meta.city set declaration = \'{"main_gauge": "S1"}\''))
        for layer_id, frame in city.layers.items():
            upsert_features(connection, read_vector_layer(layer_id), frame, source_id="tiny")
        register_raster(
            connection, raster_id="terrain", layer_id="terrain", run_id=None, path="terrain.tif", times=None,
            bounds_crs84=(105.0, 10.0, 105.1, 10.1), minimum=-6.0, maximum=3.0, source_id=None, fingerprint="tiny",
        )  # fmt: skip
        upsert_datastreams(connection, [Datastream("S1.stage", "S1", "stage", "m", "Mực nước", "Stage")], "tiny")
        insert_observations(
            connection,
            pd.DataFrame(
                {
                    "datastream_id": "S1.stage",
                    "phenomenon_time": pd.to_datetime(times, unit="s", utc=True),
                    "result": tide_of(times) + 0.4,
                }
            ),
        )


def test_nothing_new_is_not_run_again_and_new_readings_are(
    engine: Engine, settings: Settings, shelf: ModelShelf
) -> None:
    assert read_loop_words(engine) is None
    first = turn_loop(engine, settings, shelf, NOW, here=True)
    assert first is not None
    words = read_loop_words(engine)
    assert words is not None
    assert words["run_id"] == words["newest_run"] == first and words["status"] == "successful"
    assert words["late_since"] is None and words["last_finished"] >= words["last_started"]
    # Water over the low quarter: the ward it reaches first stands first.
    assert words["wards"] and words["wards"][0]["buildings"] >= 0
    firsts = [row["first_water"] for row in words["wards"] if row["first_water"] is not None]
    assert firsts == sorted(firsts) and all(NOW <= at <= NOW + timedelta(hours=48) for at in firsts)
    with engine.connect() as connection:
        run = read_run(connection, first)
        kept = read_values(connection, read_issue(connection, "S1.stage").id)
    assert run.inputs["base_time"].startswith("2026-10-25T06:00:00") and run.inputs["members"] == 3
    assert run.stage_forecast is not None
    # The flood ran on the forecast that was issued, not on one of its own.
    np.testing.assert_allclose(run.stage_forecast["stage"], kept.quantiles[:, 3], atol=1e-4)
    assert run.summary is not None and run.summary["by_ward"]

    assert turn_loop(engine, settings, shelf, NOW + timedelta(minutes=10), here=True) is None
    words = read_loop_words(engine)
    assert words is not None and words["skipped_why"] == "unchanged" and words["newest_run"] == first

    with engine.begin() as connection:
        row = {"datastream_id": "S1.stage", "phenomenon_time": NOW + timedelta(minutes=15), "result": 1.9}
        store_observations(connection, [row], author="t")
    second = turn_loop(engine, settings, shelf, NOW + timedelta(minutes=20), here=True)
    assert second is not None and second != first
    with engine.connect() as connection:
        assert [row.id for row in list_runs(connection)] == [second], "only the newest is kept"
    assert not (settings.processed_dir / "runs" / first).exists()
    assert (settings.processed_dir / "runs" / second).exists()


def test_never_two_at_a_time(engine: Engine, settings: Settings, shelf: ModelShelf) -> None:
    at = NOW + timedelta(minutes=40)
    with engine.begin() as connection:
        store_observations(
            connection,
            [{"datastream_id": "S1.stage", "phenomenon_time": NOW + timedelta(minutes=38), "result": 1.8}],
            author="t",
        )
    with engine.begin() as other:
        assert lock_loop(other)
        assert turn_loop(engine, settings, shelf, at) is None
    # Not before its interval has passed since the last one began, which by the clock was just now.
    assert turn_loop(engine, settings, shelf, at + timedelta(hours=5)) is None
    with engine.begin() as connection:
        connection.execute(text("update forecast.loop_state set last_started = null"))
    # In the queue nobody works: the run waits, and the next turn leaves it alone.
    queued = turn_loop(engine, settings, shelf, at + timedelta(hours=5))
    assert queued is not None
    assert turn_loop(engine, settings, shelf, at + timedelta(hours=5, minutes=10), here=True) is None
    words = read_loop_words(engine)
    assert words is not None and words["skipped_why"] == "running" and words["status"] == "accepted"
    prune_loop(engine, settings)
    with engine.begin() as connection:
        assert read_run(connection, queued).status == "accepted", "what waits is not pruned"
        connection.execute(text("update run.run set status = 'failed' where id = :id"), {"id": queued})


def test_it_is_late_when_it_no_longer_finishes(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("update run.run set finished = now() - interval '15 minutes' where status = 'successful'")
        )
        connection.execute(text("update forecast.loop_state set since = now() - interval '1 day'"))
        late = text("select late_since from forecast.loop")
        assert connection.execute(late).scalar() is None
        connection.execute(
            text("update run.run set finished = now() - interval '25 minutes' where status = 'successful'")
        )
        since = connection.execute(late).scalar()
        assert since is not None
        assert (datetime.now(UTC) - since).total_seconds() == pytest.approx(300.0, abs=60.0)
        # Nothing to do is no lateness.
        connection.execute(text("update forecast.loop_state set skipped = now(), skipped_why = 'unchanged'"))
        assert connection.execute(late).scalar() is None
        connection.execute(text("update forecast.loop_state set skipped_why = 'running'"))
        assert connection.execute(late).scalar() is not None
        connection.rollback()


def test_without_a_main_gauge_it_does_not_turn(engine: Engine, settings: Settings, shelf: ModelShelf) -> None:
    with engine.begin() as connection:
        connection.execute(text("update meta.city set declaration = '{}'"))
    try:
        assert turn_loop(engine, settings, shelf, NOW + timedelta(hours=1), here=True) is None
        assert read_loop_words(engine) is None, "a loop that is off is not late"
    finally:
        with engine.begin() as connection:
            connection.execute(text('update meta.city set declaration = \'{"main_gauge": "S1"}\''))

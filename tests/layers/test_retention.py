"""Old months go to Parquet, roll-ups stay, and a run that was broken off is taken up."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from sqlalchemy import Engine, text

from layers.store.sensing import retention
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from layers.store.sensing.reading import select_observations
from layers.store.sensing.retention import prepare_months, retire_months
from layers.store.sensing.rollups import roll_up
from layers.store.sensing.writing import correct_observation, insert_observations

NOW = datetime(2026, 11, 15, tzinfo=UTC)


def fill(engine: Engine, first: datetime, result: float = 1.0, count: int = 200) -> None:
    with engine.begin() as connection:
        upsert_datastreams(connection, [Datastream("S1.stage", "S1", "stage", "m", "Mực nước", "Stage")], "test")
        times = [first + timedelta(hours=12 * k) for k in range(count)]
        frame = pd.DataFrame({"datastream_id": "S1.stage", "phenomenon_time": times, "result": result})
        insert_observations(connection, frame)


def list_rollups(engine: Engine) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        rows = connection.execute(text("select width, start, count, sum from sensing.rollup order by 1, 2"))
        return [tuple(row) for row in rows]


def test_old_months_become_files_and_rollups_stay(engine: Engine, tmp_path: Path) -> None:
    fill(engine, datetime(2026, 8, 1, tzinfo=UTC))
    with engine.begin() as connection:
        at = datetime(2026, 8, 2, tzinfo=UTC)
        correct_observation(connection, "S1.stage", at, 1.5, author="Lan", reason="a boat at the gauge")
    retired = retire_months(engine, tmp_path, keep=1, now=NOW)
    assert [(month.start.month, month.readings) for month in retired] == [(8, 62), (9, 60)]
    kept = list_rollups(engine)
    assert len([row for row in kept if row[0] == "hour"]) == 200
    table = pq.read_table(tmp_path / "observation_2026_08.parquet").to_pandas()
    assert len(table) == 63
    row = table[table["revision"] == 1].iloc[0]
    assert (row["raw_result"], row["result"], row["author"], row["reason"]) == (1.0, 1.5, "Lan", "a boat at the gauge")
    with engine.begin() as connection:
        left = select_observations(connection, "S1.stage", datetime(2026, 1, 1, tzinfo=UTC), NOW)
        assert len(left.times) == 78
        assert connection.execute(text("select count(*) from sensing.correction")).scalar_one() == 0
    assert retire_months(engine, tmp_path, keep=1, now=NOW) == []

    # Readings of a retired month that come late are kept and change nothing of its roll-ups.
    engine.dispose()
    fill(engine, datetime(2026, 8, 3, 1, tzinfo=UTC), 9.0, count=2)
    with engine.begin() as connection:
        roll_up(connection)
    assert list_rollups(engine) == kept
    again = retire_months(engine, tmp_path, keep=1, now=NOW)
    assert [month.path.name for month in again] == ["observation_2026_08_2.parquet"]
    assert list_rollups(engine) == kept


def test_a_run_that_was_broken_off_is_taken_up(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(engine, datetime(2026, 5, 1, tzinfo=UTC), count=20)

    def break_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(retention, "_export", break_off)
        retire_months(engine, tmp_path, keep=1, now=NOW)
    engine.dispose()
    fill(engine, datetime(2026, 5, 20, tzinfo=UTC), count=3)
    months = retire_months(engine, tmp_path, keep=1, now=NOW)
    assert [(month.readings, month.path.name) for month in months] == [
        (20, "observation_2026_05.parquet"),
        (3, "observation_2026_05_2.parquet"),
    ]


def test_the_next_month_is_made_ahead(engine: Engine) -> None:
    with engine.begin() as connection:
        prepare_months(connection, datetime(2030, 12, 31, tzinfo=UTC))
        made = connection.execute(
            text("select to_regclass('sensing.observation_2030_12'), to_regclass('sensing.observation_2031_01')")
        ).one()
    assert None not in tuple(made)

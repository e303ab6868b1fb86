"""Years from a CSV: in pieces, on from where it stopped, with what cannot be read in the quarantine."""

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from layers.errors import SourceError
from layers.store.quarantine import Wanted, list_quarantine
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from twin.sensors.backfill import Columns, Loaded, load_readings

START = datetime(2015, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(engine: Engine) -> Iterator[Engine]:
    with engine.begin() as connection:
        upsert_datastreams(connection, [Datastream("S1.stage", "S1", "stage", "m", "Mực nước", "Stage")], "test")
    yield engine
    with engine.begin() as connection:
        connection.execute(
            text("truncate sensing.observation, sensing.correction, sensing.latest, sensing.backfill, meta.quarantine")
        )


def read(store: Engine) -> list[tuple[datetime, float | None]]:
    with store.connect() as connection:
        rows = connection.execute(text("select phenomenon_time, result from sensing.reading order by 1"))
        return [(row.phenomenon_time, row.result) for row in rows]


def load(store: Engine, path: Path, columns: Columns | None = None, **options: object) -> Loaded:
    return load_readings(store, path, columns or Columns(), follow=lambda _share, _words: None, **options)  # type: ignore[arg-type]


def test_ten_years_in_pieces_and_once_more(store: Engine, tmp_path: Path) -> None:
    days = [START + timedelta(days=day) for day in range(3650)]
    lines = [f"S1.stage,{day.isoformat()},{number % 100 / 100}" for number, day in enumerate(days)]
    path = tmp_path / "years.csv.gz"
    path.write_bytes(gzip.compress("\n".join(["datastream_id,phenomenon_time,result", *lines]).encode()))
    done = load(store, path, piece=1000)
    assert (done.read, done.new, done.rejected, done.skipped) == (3650, 3650, 0, 0)
    assert read(store) == [(day, number % 100 / 100) for number, day in enumerate(days)]
    assert load(store, path, piece=1000).as_dict() == Loaded(skipped=3650).as_dict()
    again = load(store, path, piece=1000, again=True)
    assert (again.read, again.new, again.unchanged) == (3650, 0, 3650)


def test_a_load_goes_on_where_it_was_stopped(store: Engine, tmp_path: Path) -> None:
    path = tmp_path / "years.csv"
    lines = [f"S1.stage,{(START + timedelta(hours=n)).isoformat()},{n}" for n in range(500)]
    path.write_text("\n".join(["datastream_id,phenomenon_time,result", *lines]))

    def stop(share: float, _words: str) -> None:
        if share > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_readings(store, path, Columns(), follow=stop, piece=200)
    assert len(read(store)) == 200
    rest = load(store, path, piece=200)
    assert (rest.skipped, rest.read, rest.new) == (200, 300, 300)
    assert len(read(store)) == 500


def test_a_loggers_own_columns_and_local_times(store: Engine, tmp_path: Path) -> None:
    path = tmp_path / "logger.csv"
    path.write_text("ngày;mực nước;pin\n2020-06-01 07:00:00;1,5;3\n2020-06-01 08:00:00;1.25;3\n2020-06-01T09:00Z;;3\n")
    columns = Columns("S1.stage", "ngày", "mực nước", "Asia/Ho_Chi_Minh")
    done = load(store, path, columns)
    assert (done.read, done.new, done.rejected) == (3, 2, 1)
    assert read(store) == [
        (datetime(2020, 6, 1, 1, tzinfo=UTC), 1.25),
        (datetime(2020, 6, 1, 9, tzinfo=UTC), None),
    ]


def test_rows_that_cannot_be_read_are_kept_with_their_reason(store: Engine, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    rows = [
        "S9,2020-01-01T00:00:00Z,1", "S1.stage,yesterday,1", "S1.stage,2020-01-01T00:00:00,1",
        "S1.stage,2020-01-01T00:00:00Z,high", "S1.stage,2099-01-01T00:00:00Z,1", "S1.stage,1970-01-01T00:00:00Z,1",
        "S1.stage,2020-01-02T00:00:00Z,2",
    ]  # fmt: skip
    path.write_text("\n".join(["datastream_id,phenomenon_time,result", *rows]))
    done = load(store, path)
    assert (done.read, done.new, done.rejected) == (7, 1, 6)
    with store.connect() as connection:
        kept = list_quarantine(connection, Wanted(source="readings bad.csv"))
    assert [(row.row, row.reason) for row in kept] == [
        (1, "series is not listed"), (2, "time without a zone"), (3, "time without a zone"), (4, "not a number"),
        (5, "lies in the future"), (6, "lies before 1990"),
    ]  # fmt: skip
    assert kept[0].payload["datastream_id"] == "S9"


def test_a_file_that_is_no_such_table_is_refused(store: Engine, tmp_path: Path) -> None:
    path = tmp_path / "other.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(SourceError, match="has no column 'phenomenon_time'"):
        load(store, path)
    with pytest.raises(SourceError, match="'S9' does not exist"):
        load(store, path, Columns("S9"))
    with pytest.raises(SourceError, match="cannot be read"):
        load(store, tmp_path / "nothing.csv")

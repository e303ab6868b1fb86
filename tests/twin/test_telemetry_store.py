"""The database's side of the intake: what it refuses is kept alone, what is new is told once and never missed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from sqlalchemy import Engine, text

from layers.store.engine import open_engine
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from layers.store.sensing.writing import correct_observation, store_observations
from twin.sensors.ingest import DatabaseAway, Store
from twin.sensors.message import Message
from twin.store_announced import HISTORY, OVERLAP, look_ahead, read_told, select_news, write_told
from twin.store_telemetry import list_ledger, list_rejected

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def filled(engine: Engine) -> Iterator[Engine]:
    rows = [Datastream(name, "S1", "stage", "m", "Mực nước", "Stage") for name in ("S1.stage", "S1.words")]
    with engine.begin() as connection:
        upsert_datastreams(connection, rows, "test")
        connection.execute(
            text("update sensing.datastream set observation_type = 'OM_Observation' where id = 'S1.words'")
        )
    yield engine
    with engine.begin() as connection:
        connection.execute(
            text(
                "truncate sensing.observation, sensing.correction, sensing.latest, sensing.ledger, sensing.rejected, "
                "sensing.told"
            )
        )


def make(stream: str, second: int, result: object) -> Message:
    body = {"phenomenonTime": (NOW - timedelta(seconds=second)).isoformat(), "result": result}
    return Message(f"v1.1/Datastreams('{stream}')/Observations", orjson.dumps(body), NOW)


def test_what_the_database_refuses_is_kept_alone(filled: Engine) -> None:
    # PostgreSQL's JSON cannot hold the character NUL.
    messages = [make("S1.stage", second, 1.0) for second in range(20)]
    messages[7] = make("S1.words", 7, {"said": "a\0b"})
    receipt = Store(lambda: filled, 300.0).write(messages)
    assert (receipt.received, receipt.stored, receipt.rejected) == (20, 19, 1)
    with filled.connect() as connection:
        (kept,) = list_rejected(connection)
        ledger = list_ledger(connection)
        assert connection.execute(text("select count(*) from sensing.observation")).scalar_one() == 19
    assert (kept.code, kept.payload) == ("not-stored", messages[7].payload)
    assert sum(row["received"] for row in ledger) == 20
    assert sum(row["stored"] for row in ledger) == 19


def test_a_database_that_is_away_is_told_from_one_that_refuses() -> None:
    nowhere = open_engine("postgresql://twin:x@127.0.0.1:1/twin")
    with pytest.raises(DatabaseAway):
        Store(lambda: nowhere, 300.0).write([make("S1.stage", 0, 1.0)])
    with pytest.raises(DatabaseAway, match="not running"):
        Store(lambda: None, 300.0).write([make("S1.stage", 0, 1.0)])


def store(engine: Engine, *seconds: int) -> None:
    with engine.begin() as connection:
        store_observations(connection, make_rows(*seconds), author="test")


def make_rows(*seconds: int, stream: str = "S1.stage") -> list[dict[str, object]]:
    return [
        {"datastream_id": stream, "phenomenon_time": NOW - timedelta(seconds=second), "result": float(second)}
        for second in seconds
    ]


def list_told(news: list) -> list[float]:
    return [orjson.loads(one.document)["result"] for one in news if one.entity == "Observations"]


def test_a_transaction_that_commits_late_is_not_missed(filled: Engine) -> None:
    store(filled, 1)
    slow = filled.connect()
    begun = slow.begin()
    store_observations(slow, make_rows(2, stream="S1.words"), author="test")
    with filled.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        first = look_ahead(connection)
        store(filled, 3)
        assert list_told(select_news(connection, first)) == [3.0]
        second = look_ahead(connection)
        begun.commit()
        slow.close()
        assert set(list_told(select_news(connection, second))) >= {2.0}
        third = look_ahead(connection)
        assert list_told(select_news(connection, third)) == []
        with filled.begin() as other:
            correct_observation(other, "S1.stage", NOW - timedelta(seconds=1), 9.0, author="Lan", reason="boat")
        assert list_told(select_news(connection, third)) == [9.0]


def test_after_a_stop_it_goes_on_and_history_is_not_told(filled: Engine) -> None:
    with filled.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        begin = read_told(connection)
        write_told(connection, look_ahead(connection))
        store(filled, 4, int(HISTORY.total_seconds()) + 100)
        resumed = read_told(connection)
        assert list_told(select_news(connection, resumed)) == [4.0]
        assert resumed.horizon is None and resumed.moment > begin.moment
        connection.execute(
            text("update sensing.observation set stored = stored - cast(:past as interval)"), {"past": 2 * OVERLAP}
        )
        assert list_told(select_news(connection, resumed)) == []


def test_entities_that_change_are_told(filled: Engine) -> None:
    with filled.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        before = look_ahead(connection)
        with filled.begin() as other:
            other.execute(text("update sensing.thing set description = 'by the bridge' where id = 'S1'"))
        (told,) = select_news(connection, before)
    assert (told.entity, told.key) == ("Things", "S1")
    assert orjson.loads(told.document)["description"] == "by the bridge"

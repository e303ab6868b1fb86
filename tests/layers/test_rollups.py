"""Roll-ups equal those computed from scratch, whatever came in which order."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text

from layers.store.sensing.arrival import store_live
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from layers.store.sensing.flags import flag_by_hand
from layers.store.sensing.partitions import ensure_partitions
from layers.store.sensing.rollups import count_marks, mark_hours, roll_up
from layers.store.sensing.writing import store_observations

START = datetime(2026, 11, 2, 22, tzinfo=UTC)
SERIES = [Datastream(f"S1.{name}", "S1", "a colour", "1", "Màu", "Colour") for name in ("a", "b")]
FROM_SCRATCH = """
select d.id, w.width, date_trunc(w.width, r.phenomenon_time, 'UTC') as start, count(*)::int, min(r.result),
    max(r.result), sum(r.result), (array_agg(r.result order by r.phenomenon_time desc))[1]
from sensing.reading r join sensing.datastream d on d.fid = r.datastream cross join (values ('hour'), ('day')) w (width)
where r.result is not null and r.quality in (1, 2, 3) group by 1, 2, 3 order by 1, 2, 3
"""
STORED = """
select d.id, o.width, o.start, o.count, o.minimum, o.maximum, o.sum, o.last
from sensing.rollup o join sensing.datastream d on d.fid = o.datastream order by 1, 2, 3
"""


@pytest.fixture
def series(connection: Connection) -> Iterator[Connection]:
    """Connection with two series and the months they are written to."""
    upsert_datastreams(connection, SERIES, "test")
    ensure_partitions(connection, {(2026, 11)})
    yield connection


def make_row(name: str, minutes: int, result: float | None, **extra: object) -> dict[str, object]:
    return {
        "datastream_id": f"S1.{name}",
        "phenomenon_time": START + timedelta(minutes=minutes),
        "result": result,
        **extra,
    }


def check_exact(connection: Connection) -> None:
    while roll_up(connection, batch=3).marks:
        pass
    stored = [tuple(row) for row in connection.execute(text(STORED))]
    scratch = [tuple(row) for row in connection.execute(text(FROM_SCRATCH))]
    assert [row[:6] + row[7:] for row in stored] == [row[:6] + row[7:] for row in scratch]
    # Sums in another order differ by the rounding of doubles.
    assert [row[6] for row in stored] == pytest.approx([row[6] for row in scratch], rel=1e-12, abs=1e-9)


NAMES, MINUTES = st.sampled_from("ab"), st.integers(0, 40).map(lambda k: 7 * k)
STEPS = st.one_of(
    st.tuples(st.just("send"), NAMES, MINUTES, st.none() | st.integers(-50, 50).map(lambda k: k / 10)),
    st.tuples(st.just("flag"), NAMES, MINUTES, st.sampled_from([1, 2, 3, 4])),
    st.tuples(st.just("withdraw"), NAMES, MINUTES, st.none()),
    st.tuples(st.just("roll"), st.just("a"), st.just(0), st.none()),
)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=1, max_size=25))
def test_any_order_of_events_ends_in_the_same_rollups(
    series: Connection, steps: list[tuple[str, str, int, float | None]]
) -> None:
    with series.begin_nested() as inner:
        for kind, name, minutes, value in steps:
            at = START + timedelta(minutes=minutes)
            if kind == "send":
                store_live(series, [make_row(name, minutes, value)], author="test")
            elif kind == "flag":
                there = series.execute(
                    text("select 1 from sensing.reading r join sensing.datastream d on d.fid = r.datastream "
                         "where d.id = :id and r.phenomenon_time = :at"),
                    {"id": f"S1.{name}", "at": at},
                ).first()  # fmt: skip
                if there:
                    flag_by_hand(series, f"S1.{name}", at, at, int(value or 1), author="Lan", reason="test")
            elif kind == "withdraw":
                series.execute(
                    text("update sensing.observation o set withdrawn = now() from sensing.datastream d "
                         "where d.fid = o.datastream and d.id = :id and o.phenomenon_time = :at"),
                    {"id": f"S1.{name}", "at": at},
                )  # fmt: skip
            else:
                roll_up(series, batch=2)
        check_exact(series)
        inner.rollback()


def test_what_failed_or_is_missing_does_not_count(series: Connection) -> None:
    rows = [make_row("a", 0, 1.0, quality=1), make_row("a", 10, 9.0, quality=4), make_row("a", 20, 3.0, quality=3)]
    store_observations(series, [*rows, make_row("a", 30, None), make_row("a", 130, 5.0)], author="test")
    done = roll_up(series)
    assert (done.hours, count_marks(series)) == (2, 0)
    told = series.execute(
        text("select width, count, minimum, maximum, sum, last from sensing.rollup order by start, 1")
    )
    assert [tuple(row) for row in told] == [
        ("day", 2, 1.0, 3.0, 4.0, 3.0), ("hour", 2, 1.0, 3.0, 4.0, 3.0),
        ("day", 1, 5.0, 5.0, 5.0, 5.0), ("hour", 1, 5.0, 5.0, 5.0, 5.0),
    ]  # fmt: skip


def test_hours_can_be_marked_again(series: Connection) -> None:
    store_observations(series, [make_row("a", 10 * k, 1.0) for k in range(12)], author="test")
    roll_up(series)
    series.execute(text("delete from sensing.rollup"))
    assert mark_hours(series, START, START + timedelta(hours=1, minutes=30), "S1.a") == 2
    check_exact(series)


def test_a_mark_set_while_an_hour_is_rolled_up_is_not_lost(engine: Engine) -> None:
    with engine.begin() as first:
        upsert_datastreams(first, SERIES, "test")
        store_observations(first, [make_row("a", 0, 1.0)], author="test")
    with engine.connect() as writer, engine.connect() as roller:
        with writer.begin():
            store_observations(writer, [make_row("a", 1, 2.0)], author="test")
            with roller.begin():
                assert roll_up(roller).hours == 1
        with roller.begin():
            assert roll_up(roller).hours == 1
            check_exact(roller)


def test_two_at_once_do_not_undo_each_other(engine: Engine) -> None:
    with engine.begin() as first:
        upsert_datastreams(first, SERIES, "test")

    def write(offset: int) -> None:
        for k in range(30):
            with engine.begin() as writer:
                store_observations(writer, [make_row("b", 2 * k + offset, float(k))], author="test")

    def drain() -> None:
        for _ in range(40):
            with engine.begin() as roller:
                roll_up(roller, batch=2)

    threads = [threading.Thread(target=write, args=(k,)) for k in (0, 1)]
    threads += [threading.Thread(target=drain) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.begin() as last:
        check_exact(last)

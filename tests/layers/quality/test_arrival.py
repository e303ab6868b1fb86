"""Live readings are flagged as they come, and the flags of those before them are revised."""

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import geopandas as gpd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from layers.errors import NotFoundError
from layers.registry import read_vector_layer
from layers.store.features import upsert_features
from layers.store.sensing.arrival import flag_arrivals, store_live
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from layers.store.sensing.flags import flag_by_hand
from layers.store.sensing.partitions import ensure_partitions
from layers.store.sensing.retesting import retest

START = datetime(2026, 11, 2, tzinfo=UTC)
STEP = timedelta(minutes=10)


def make_series(series_id: str = "S1.stage", **options: object) -> Datastream:
    return Datastream(series_id, "S1", "stage", "m", "Mực nước", "Stage", interval_s=600.0, **options)  # type: ignore[arg-type]


def make_rows(results: Sequence[float | None], first: int = 0, series_id: str = "S1.stage") -> list[dict[str, object]]:
    return [
        {"datastream_id": series_id, "phenomenon_time": (START + (first + k) * STEP).isoformat(), "result": result}
        for k, result in enumerate(results)
    ]


def read_flags(connection: Connection, series_id: str = "S1.stage") -> list[int]:
    return list(
        connection.execute(
            text(
                "select r.quality from sensing.reading r join sensing.datastream d on d.fid = r.datastream "
                "where d.id = :id order by r.phenomenon_time"
            ),
            {"id": series_id},
        ).scalars()
    )


def send_singly(connection: Connection, results: Sequence[float | None], first: int = 0) -> None:
    for row in make_rows(results, first):
        store_live(connection, [row], author="test")


def test_a_spike_is_known_when_the_next_reading_comes(connection: Connection) -> None:
    upsert_datastreams(connection, [make_series()], "test")
    send_singly(connection, [1.0, 1.02, 1.03])
    assert read_flags(connection) == [1, 1, 1]
    send_singly(connection, [1.9], 3)
    assert read_flags(connection) == [1, 1, 1, 3], "too fast to be sure"
    send_singly(connection, [1.06], 4)
    assert read_flags(connection) == [1, 1, 1, 4, 1], "a spike; what follows is not its fault"
    latest = connection.execute(text("select result, quality from sensing.latest")).one()
    assert tuple(latest) == (1.06, 1)


def test_the_newest_of_all_is_revised_where_it_is_shown(connection: Connection) -> None:
    upsert_datastreams(connection, [make_series()], "test")
    send_singly(connection, [1.0, 1.01, 2.2])
    late = {**make_rows([1.01])[0], "phenomenon_time": (START + timedelta(minutes=19)).isoformat()}
    store_live(connection, [late], author="test")
    assert read_flags(connection) == [1, 1, 1, 4]
    latest = connection.execute(text("select result, quality from sensing.latest")).one()
    assert tuple(latest) == (2.2, 4), "1.19 m in a minute"


def test_out_of_range_fails_and_a_gap_hides_no_spike(connection: Connection) -> None:
    tests = {"gross_range_test": {"fail_span": [0, 3], "suspect_span": [0.5, 2]}}
    upsert_datastreams(connection, [make_series(quality_tests=tests)], "test")
    send_singly(connection, [1.0, 1.1, 7.0, 1.2, 2.2])
    assert read_flags(connection) == [1, 1, 4, 1, 3]
    send_singly(connection, [1.3], 60)
    assert read_flags(connection)[-2:] == [3, 1]


def test_a_stuck_sensor_is_found_reading_by_reading(connection: Connection) -> None:
    tests = {"flat_line_test": {"tolerance": 0.001, "suspect_threshold": 3600, "fail_threshold": 7200}}
    upsert_datastreams(connection, [make_series(quality_tests=tests)], "test")
    send_singly(connection, [1.0, 1.05, *[1.1] * 14])
    assert read_flags(connection) == [1] * 8 + [3] * 6 + [4] * 2


def test_neighbours_are_asked_where_they_are_named(connection: Connection) -> None:
    tests = {"neighbours_test": {"series": ["S2.stage", "S3.stage"], "suspect_threshold": 0.2, "fail_threshold": 1.0}}
    others = [make_series("S2.stage"), make_series("S3.stage")]
    upsert_datastreams(connection, [make_series(quality_tests=tests), *others], "test")
    for series_id, level in (("S2.stage", 1.0), ("S3.stage", 1.1)):
        store_live(connection, make_rows([level] * 3, series_id=series_id), author="test")
    store_live(connection, make_rows([1.05, 1.3, 1.06]), author="test")
    assert read_flags(connection) == [1, 3, 1]


def test_neighbours_within_a_radius_are_those_of_the_same_property(connection: Connection) -> None:
    sensors = gpd.GeoDataFrame(
        {"id": ["S1", "S2", "S3"], "name": ["Một", "Hai", "Ba"], "kind": ["stage"] * 3},
        geometry=shapely.points([586_000.0, 586_200.0, 592_000.0], [1_108_000.0] * 3),
        crs="EPSG:5897",
    )
    upsert_features(connection, read_vector_layer("sensors"), sensors, source_id="test")
    tests = {"neighbours_test": {"radius": 500, "suspect_threshold": 0.2, "fail_threshold": 1.0}}
    near = Datastream("S2.stage", "S2", "stage", "m", "Mực nước", "Stage", interval_s=600.0)
    far = Datastream("S3.stage", "S3", "stage", "m", "Mực nước", "Stage", interval_s=600.0)
    other = Datastream("S2.ph", "S2", "ph", "[pH]", "Độ pH", "pH", interval_s=600.0)
    upsert_datastreams(connection, [make_series(quality_tests=tests), near, far, other], "test")
    for series_id, level in (("S2.stage", 1.0), ("S3.stage", 5.0), ("S2.ph", 7.0)):
        store_live(connection, make_rows([level] * 2, series_id=series_id), author="test")
    store_live(connection, make_rows([1.1, 1.3]), author="test")
    assert read_flags(connection) == [1, 3]
    at = START + STEP
    assert retest(connection, "S1.stage", START, at).flags == {1: 1, 3: 1}
    connection.execute(text("update sensing.observation set quality = 4 where result = 1.0"))
    assert retest(connection, "S1.stage", START, at).flags == {1: 2}, "what failed is no neighbour"


def test_a_flag_that_is_given_counts_where_it_is_worse_and_stays(connection: Connection) -> None:
    upsert_datastreams(connection, [make_series()], "test")
    rows = [{**row, "quality": flag} for row, flag in zip(make_rows([1.0, 1.01, 50_000.0]), [3, 1, 1], strict=True)]
    store_live(connection, rows, author="test")
    assert read_flags(connection) == [3, 1, 4]
    pinned = connection.execute(text("select reason from sensing.past_flag where author = 'test'")).scalars().all()
    assert pinned == ["given with the reading"]


def test_what_a_person_flagged_is_not_flagged_anew(connection: Connection) -> None:
    upsert_datastreams(connection, [make_series()], "test")
    send_singly(connection, [1.0, 1.01, 1.9])
    flag_by_hand(connection, "S1.stage", START + 2 * STEP, START + 2 * STEP, 1, author="Lan", reason="ship passed")
    send_singly(connection, [1.02], 3)
    store_live(connection, make_rows([1.9], first=2), author="test")
    assert read_flags(connection) == [1, 1, 1, 1]
    with pytest.raises(NotFoundError, match="has no reading"):
        flag_by_hand(connection, "S1.stage", START - STEP, START - STEP, 1, author="Lan", reason="x")


def test_words_missing_values_and_unknown_series_are_left_to_the_store(connection: Connection) -> None:
    upsert_datastreams(connection, [make_series()], "test")
    rows: list[dict[str, object]] = [
        {"datastream_id": "S1.stage", "phenomenon_time": START.isoformat(), "value": "dry"},
        *make_rows([None], first=1),
    ]
    store_live(connection, rows, author="test")
    assert read_flags(connection) == [2, 9]
    with pytest.raises(NotFoundError, match="'S9'"):
        store_live(connection, make_rows([1.0], series_id="S9"), author="test")
    assert flag_arrivals(connection, make_rows([1.0], series_id="S9")).qualities == [None]


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    results=st.lists(st.sampled_from([1.0, 1.01, 1.02, 1.05, 1.4, 2.5]), min_size=3, max_size=14),
    cuts=st.lists(st.integers(1, 13), max_size=4),
)
def test_batches_of_any_size_end_in_the_same_flags(
    connection: Connection, results: list[float], cuts: list[int]
) -> None:
    ensure_partitions(connection, {(START.year, START.month)})
    with connection.begin_nested() as inner:
        upsert_datastreams(connection, [make_series("A"), make_series("B")], "test")
        store_live(connection, make_rows(results, series_id="A"), author="test")
        edges = [0, *sorted(set(cuts) & set(range(1, len(results)))), len(results)]
        for first, last in itertools.pairwise(edges):
            store_live(connection, make_rows(results[first:last], first, "B"), author="test")
        whole, parts = read_flags(connection, "A"), read_flags(connection, "B")
        inner.rollback()
    worst = [max(a, b) for a, b in zip(whole, parts, strict=True)]
    # A reading judged before the next one came may stay suspect by its rate; it never ends better than it should.
    assert parts == worst

"""``aggregate=1h`` of Observations: right against plain Python, and the same from roll-ups as from readings."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text
from starlette.testclient import TestClient

from api.sta.buckets import parse_width
from api.sta.options import parse_query
from api.sta.paths import parse_path
from layers.errors import InputError
from layers.store.sensing.entities import ENTITIES
from layers.store.sensing.rollups import mark_hours, roll_up
from layers.store.sensing.sta_aggregate import Bucket, Buckets, select_buckets
from layers.store.sensing.writing import store_observations
from tests.api.sta_city import DAWN, ROOT, ask, fill_sta, hour

SERIES = "Datastreams('D-1')/Observations"
DAYS = 4


@pytest.fixture
def filled(connection: Connection) -> Iterator[Connection]:
    """The small world in a transaction of the test's own, all hours rolled up."""
    fill_sta(connection)
    rows = [
        {"datastream_id": "D-2", "phenomenon_time": DAWN + timedelta(minutes=7 * k), "result": math.sin(k) * 10,
         "quality": (1, 1, 3, 4, 2, 1, 1)[k % 7]}
        for k in range(DAYS * 200)
    ]  # fmt: skip
    store_observations(connection, rows, author="test")
    drain(connection)
    yield connection


def drain(connection: Connection) -> None:
    while roll_up(connection).marks:
        pass


def gather(connection: Connection, path: str, width: str, *, use_rollups: bool = True, **options: str) -> Buckets:
    query = parse_query(ENTITIES["Observations"], {f"${name}": text for name, text in options.items()})
    return select_buckets(connection, parse_path(path), query, parse_width(width), use_rollups=use_rollups)


def assert_equal(found: list[Bucket], expected: list[Bucket]) -> None:
    """Sums of the same numbers in another order differ by rounding only."""
    assert [(each.datastream_id, each.start, each.end, each.count, each.minimum, each.maximum, each.last)
            for each in found] == [
        (each.datastream_id, each.start, each.end, each.count, each.minimum, each.maximum, each.last)
        for each in expected
    ]  # fmt: skip
    for one, other in zip(found, expected, strict=True):
        assert one.sum == pytest.approx(other.sum, rel=1e-12, abs=1e-9)
        assert one.mean == pytest.approx(one.sum / one.count)


def test_buckets_over_http(sta_reader: TestClient) -> None:
    found = ask(sta_reader, SERIES, aggregate="6h", count="true", top=2)
    assert found["@iot.count"] == 8
    first, second = found["value"]
    # Hour 5 was corrected to 99, hour 6 withdrawn, hour 7 never came.
    assert first == {
        "phenomenonTime": "2026-03-01T00:00:00Z/2026-03-01T06:00:00Z",
        "count": 6, "min": 0.0, "mean": (0 + 0.5 + 1 + 1.5 + 2 + 99) / 6, "max": 99.0, "sum": 104.0, "last": 99.0,
        "Datastream@iot.navigationLink": f"{ROOT}/Datastreams('D-1')",
    }  # fmt: skip
    assert (second["count"], second["min"], second["last"]) == (4, 4.0, 5.5)
    following = sta_reader.get(found["@iot.nextLink"]).json()
    assert following["value"][0]["phenomenonTime"] == "2026-03-01T12:00:00Z/2026-03-01T18:00:00Z"


def test_buckets_as_data_arrays(sta_reader: TestClient) -> None:
    found = ask(sta_reader, "Observations", aggregate="P1D", resultFormat="dataArray")["value"]
    assert [array["dataArray@iot.count"] for array in found] == [2, 1, 1]
    assert found[0]["components"] == ["phenomenonTime", "count", "min", "mean", "max", "sum", "last"]
    assert found[2]["dataArray"] == [["2026-03-01T00:00:00Z/2026-03-02T00:00:00Z", 1, 7.25, 7.25, 7.25, 7.25, 7.25]]


def test_buckets_are_filtered_and_ordered(sta_reader: TestClient) -> None:
    bounds = "phenomenonTime ge 2026-03-02T00:00:00Z and result lt 20"
    found = ask(sta_reader, SERIES, aggregate="12h", filter=bounds, orderby="phenomenonTime desc")["value"]
    assert [(each["count"], each["max"]) for each in found] == [(4, 19.5), (12, 17.5)]


@pytest.mark.parametrize(
    ("path", "options", "named"),
    [
        (SERIES, {"aggregate": "1s"}, "1s"),
        (SERIES, {"aggregate": "1 month"}, "1 month"),
        (SERIES, {"aggregate": "P1M"}, "P1M"),
        (SERIES, {"aggregate": "P"}, "'P'"),
        (SERIES, {"aggregate": "20w" * 100}, "20w"),
        (SERIES, {"aggregate": "99999d"}, "10 years"),
        (SERIES, {"aggregate": "1h", "$orderby": "result"}, "phenomenonTime only"),
        (SERIES, {"aggregate": "1h", "$expand": "Datastream"}, "$expand"),
        (SERIES, {"aggregate": "1h", "$select": "result"}, "$select"),
        ("Things", {"aggregate": "1h"}, "sets of Observations"),
        (f"{SERIES}/$ref", {"aggregate": "1h"}, "sets of Observations"),
    ],
)
def test_wrong_buckets_are_named(sta_reader: TestClient, path: str, options: dict[str, str], named: str) -> None:
    answer = sta_reader.get(f"/sta/v1.1/{path}", params=options)
    assert (answer.status_code, named in answer.json()["message"]) == (400, True), answer.text


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("10min", 10), ("1h", 60), ("1d", 1440), ("2w", 20160), ("PT1H", 60), ("P1DT2H", 1560), ("PT90S", 1.5)],
)  # fmt: skip
def test_widths(text: str, minutes: float) -> None:
    assert parse_width(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("path", "width", "filter_", "source"),
    [
        (SERIES, "1h", "true", "hour"),
        (SERIES, "1h", "", "hour"),
        (SERIES, "3h", "phenomenonTime ge 2026-03-01T05:00:00Z", "hour"),
        (SERIES, "1d", "", "day"),
        (SERIES, "1d", "phenomenonTime lt 2026-03-02T05:00:00Z", "hour"),
        (SERIES, "1d", "phenomenonTime ge 2026-03-02T00:00:00Z and phenomenonTime lt 2026-03-03T00:00:00Z", "day"),
        (SERIES, "1h", "phenomenonTime gt 2026-03-01T05:00:00Z", "reading"),
        (SERIES, "1h", "phenomenonTime le 2026-03-01T05:00:00Z", "reading"),
        (SERIES, "1h", "phenomenonTime ge 2026-03-01T05:30:00Z", "reading"),
        (SERIES, "90min", "", "reading"),
        (SERIES, "1h", "result gt 5", "reading"),
        ("Observations", "1h", "", "hour"),
        ("Observations", "1d", "Datastream/Thing/properties/kind eq 'rain'", "day"),
        ("Things('T-2')/Datastreams('D-2')/Observations", "1d", "", "day"),
        ("FeaturesOfInterest('F-1')/Observations", "1d", "", "reading"),
    ],
)
def test_roll_ups_are_used_where_they_say_the_same(
    filled: Connection, path: str, width: str, filter_: str, source: str
) -> None:
    options = {"filter": filter_, "top": "10000"} if filter_ else {"top": "10000"}
    found = gather(filled, path, width, **options)
    plain = gather(filled, path, width, use_rollups=False, **options)
    assert (found.source, plain.source) == (source, "reading")
    assert found.buckets
    assert_equal(found.buckets, plain.buckets)


def test_a_late_reading_is_seen_at_once(filled: Connection) -> None:
    late = {"datastream_id": "D-1", "phenomenon_time": hour(3) + timedelta(minutes=30), "result": -50.0}
    store_observations(filled, [late], author="test")
    spoiled = gather(filled, SERIES, "1d")
    assert (spoiled.source, spoiled.buckets[0].minimum) == ("reading", -50.0)
    other_day = gather(filled, SERIES, "1d", filter="phenomenonTime ge 2026-03-02T00:00:00Z")
    assert other_day.source == "day"
    assert gather(filled, "Datastreams('D-2')/Observations", "1d").source == "day"
    drain(filled)
    again = gather(filled, SERIES, "1d")
    assert again.source == "day"
    assert_equal(again.buckets, spoiled.buckets)


def test_a_past_that_was_never_rolled_up_is_not_forgotten(filled: Connection) -> None:
    whole = gather(filled, SERIES, "1d")
    filled.execute(text("delete from sensing.rollup where start < :day"), {"day": DAWN + timedelta(days=1)})
    again = gather(filled, SERIES, "1d")
    assert (whole.source, again.source) == ("day", "reading")
    assert_equal(again.buckets, whole.buckets)


@given(
    readings=st.dictionaries(st.integers(0, 3 * 24 * 60 - 1), st.floats(-1e6, 1e6), max_size=60),
    hours=st.sampled_from([1, 2, 5, 24, 36, 48]),
    bounds=st.tuples(st.integers(0, 72), st.integers(0, 72)),
)  # fmt: skip
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_buckets_equal_those_of_plain_python(
    filled: Connection, readings: dict[int, float], hours: int, bounds: tuple[int, int]
) -> None:
    with filled.begin_nested() as nested:
        start, end = (DAWN + timedelta(hours=number) for number in bounds)
        filled.execute(text("delete from sensing.observation"))
        filled.execute(text("delete from sensing.rollup"))
        filled.execute(text("delete from sensing.latest"))
        rows: list[dict[str, Any]] = [
            {"datastream_id": "D-1", "phenomenon_time": DAWN + timedelta(minutes=at), "result": value}
            for at, value in readings.items()
        ]
        store_observations(filled, rows, author="test")
        mark_hours(filled, DAWN, DAWN + timedelta(days=4))
        drain(filled)
        expected: dict[datetime, list[float]] = {}
        for at, value in sorted(readings.items()):
            moment = DAWN + timedelta(minutes=at)
            if start <= moment < end:
                epoch = datetime(1970, 1, 1, tzinfo=UTC)
                expected.setdefault(moment - (moment - epoch) % timedelta(hours=hours), []).append(value)
        filter_ = f"phenomenonTime ge {start:%Y-%m-%dT%H:%M:%SZ} and phenomenonTime lt {end:%Y-%m-%dT%H:%M:%SZ}"
        found = gather(filled, SERIES, f"{hours}h", filter=filter_)
        assert found.source in ("hour", "day")
        told = [(each.start, each.count, each.minimum, each.maximum, each.last) for each in found.buckets]
        assert told == [(at, len(own), min(own), max(own), own[-1]) for at, own in expected.items()]
        assert [each.sum for each in found.buckets] == pytest.approx([sum(own) for own in expected.values()], abs=1e-6)
        nested.rollback()


def test_no_width_is_no_bucket() -> None:
    with pytest.raises(InputError):
        parse_width("")

"""The state of items at a time past, as it was known then, against a plain model of what was said when."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import geopandas as gpd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from layers.registry import read_vector_layer
from layers.store.edits import read_clock
from layers.store.features import upsert_features
from layers.store.sensing.datastreams import Datastream, upsert_datastreams
from layers.store.sensing.flags import flag_by_hand
from layers.store.sensing.partitions import ensure_partitions
from layers.store.sensing.state import select_watching
from layers.store.sensing.writing import store_observations

START = datetime(2026, 11, 2, tzinfo=UTC)
LINKS = read_vector_layer("drainage_links")
SERIES = ("P.state", "P.power")


@dataclass
class Said:
    """What was said of one series and time: the versions of its value, flag and withdrawal, with their moments."""

    versions: list[tuple[datetime, Any, int, bool]] = field(default_factory=list)

    def as_known(self, known: datetime | None) -> tuple[Any, int, bool] | None:
        there = [version for version in self.versions if known is None or version[0] <= known]
        return there[-1][1:] if there else None


@pytest.fixture
def watched(connection: Connection) -> Iterator[Connection]:
    """Connection with a pump and two series that watch it."""
    line = shapely.LineString([(586_000.0, 1_108_000.0), (586_010.0, 1_108_000.0)])
    frame = gpd.GeoDataFrame({"id": ["P-1"], "link_type": ["pump"]}, geometry=[line], crs="EPSG:5897")
    upsert_features(connection, LINKS, frame, source_id="test")
    streams = [
        Datastream(name, "S1", kind, unit, "Bơm", "Pump", "drainage_links", "P-1", 600.0)
        for name, kind, unit in zip(SERIES, ("pump_state", "active_power"), ("1", "W"), strict=True)
    ]
    upsert_datastreams(connection, streams, "test")
    ensure_partitions(connection, {(2026, 11)})
    yield connection


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["send", "send", "send", "flag", "withdraw"]), st.sampled_from(SERIES), st.integers(0, 5),
        st.sampled_from([0.0, 0.25, 1.0, None]), st.sampled_from([1, 3, 4]),
    ),
    min_size=1, max_size=14,
)  # fmt: skip


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=EVENTS, asked=st.lists(st.tuples(st.integers(0, 14), st.integers(-1, 7)), min_size=1, max_size=6))
def test_what_was_known_then_is_what_the_model_says(
    watched: Connection, events: list[tuple[str, str, int, float | None, int]], asked: list[tuple[int, int]]
) -> None:
    said: dict[tuple[str, datetime], Said] = {}
    with watched.begin_nested() as inner:
        clocks = [read_clock(watched)]
        for kind, series, step, value, flag in events:
            play(watched, said, kind, series, START + step * timedelta(minutes=10), value, flag)
            clocks.append(read_clock(watched))
        for number, step in asked:
            known = clocks[min(number, len(clocks) - 1)]
            at = START + step * timedelta(minutes=10)
            found = {
                row.datastream_id: (row.time, row.result, row.quality)
                for row in select_watching(watched, LINKS, items=["P-1"], at=at, known=known)
            }
            assert found == {series: expect(said, series, at, known) for series in SERIES}
        at = START + timedelta(minutes=25)
        rows = select_watching(watched, LINKS, at=at)
        found = {row.datastream_id: (row.time, row.result, row.quality) for row in rows}
        assert found == {series: expect(said, series, at, None) for series in SERIES}
        inner.rollback()


def play(
    connection: Connection, said: dict[tuple[str, datetime], Said], kind: str, series: str, at: datetime,
    value: float | None, flag: int,
) -> None:  # fmt: skip
    """Do one thing to the database and write it into the model."""
    there = said.setdefault((series, at), Said())
    present = there.as_known(None)
    if kind == "send":
        store_observations(connection, [make_row(series, at, value)], author="test")
        # Nothing sent over what was taken back leaves it taken back.
        if present is None or present[0] != value:
            there.versions.append((read_clock(connection), value, 9 if value is None else 2, False))
    elif present is None or present[2]:
        return
    elif kind == "flag":
        flag_by_hand(connection, series, at, at, flag, author="Lan", reason="test")
        there.versions.append((read_clock(connection), present[0], flag, False))
    else:
        connection.execute(
            text(
                "with gone as (update sensing.observation o set withdrawn = clock_timestamp(), revision = revision + 1 "
                "from sensing.datastream d where d.fid = o.datastream and d.id = :id and o.phenomenon_time = :at "
                "returning o.*) insert into sensing.correction (datastream, phenomenon_time, revision, author, reason) "
                "select datastream, phenomenon_time, revision, 'Lan', 'withdrawn' from gone"
            ),
            {"id": series, "at": at},
        )
        there.versions.append((read_clock(connection), None, present[1], True))


def make_row(series: str, at: datetime, value: float | None) -> dict[str, Any]:
    return {"datastream_id": series, "phenomenon_time": at, "result": value}


def expect(
    said: dict[tuple[str, datetime], Said], series: str, at: datetime, known: datetime | None
) -> tuple[datetime | None, Any, int | None]:
    """Return time, value and flag of the newest reading that the model knows of."""
    newest: tuple[datetime | None, Any, int | None] = (None, None, None)
    for (name, moment), each in sorted(said.items()):
        version = each.as_known(known)
        if name == series and moment <= at and version is not None and not version[2] and version[0] is not None:
            newest = (moment, version[0], version[1])
    return newest

"""What the demo's counters read: a function of time alone, with one incident that a working evening has room for."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.demo.shapes import Table, as_shapes, as_text
from twin.demo.stations import Station
from twin.demo.traffic_counters import APART_M, LINKS, place_counters
from twin.demo.traffic_readings import INCIDENT_AT, INCIDENT_S, LOCAL, count_traffic, start_incident

STEP = 300


def make_pair() -> list[Station]:
    return [
        Station(f"C-{side}", "", "", "traffic", shapely.Point(0, 0), "road_links", "R", scale=2.0, pair=1, side=side)
        for side in ("up", "down")
    ]


@given(st.integers(0, 366 * 24))
def test_the_incident_is_over_on_a_working_day_before_the_end(hours: int) -> None:
    end = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    [up, down] = start_incident(make_pair(), end)
    local = datetime.fromtimestamp(up.incident_from + LOCAL, UTC)
    assert local.weekday() < 5 and (local.hour * 3600 + local.minute * 60) == INCIDENT_AT
    assert up.incident_from == down.incident_from
    past = end.timestamp() - up.incident_from
    assert INCIDENT_S <= past <= 4 * 86_400


@settings(max_examples=25)
@given(st.integers(0, 287), st.sampled_from([0, 1]))
def test_a_reading_does_not_depend_on_those_beside_it(place: int, which: int) -> None:
    station = start_incident(make_pair(), datetime(2026, 11, 28, 22, tzinfo=UTC))[which]
    seconds = station.incident_from - 12 * 3600 + STEP * np.arange(288)
    whole = count_traffic(station, seconds, 7, 1)
    alone = count_traffic(station, seconds[place : place + 1], 7, 1)
    for name, values in whole.items():
        assert alone[name][0] == values[place]
        assert np.all(values >= 0.0)


def test_an_incident_holds_back_traffic_and_loses_none() -> None:
    quiet, jammed = make_pair()[1], start_incident(make_pair(), datetime(2026, 11, 28, 22, tzinfo=UTC))[1]
    begin = jammed.incident_from - jammed.incident_from % STEP
    seconds = begin + STEP * np.arange(1, 49)
    usual, held = (count_traffic(one, seconds, 7, 1)["vehicle_count"] for one in (quiet, jammed))
    assert held[2:9].mean() < 0.8 * usual[2:9].mean()
    # What stood before the incident passes afterwards; the noise of a count is its root.
    assert held.sum() == pytest.approx(usual.sum(), rel=0.03)


def test_counters_stand_in_pairs_on_the_longest_streets() -> None:
    lines, names, classes = [], [], []
    for number, (name, block) in enumerate((("Dài", 80.0), ("Vừa", 60.0), ("Ngắn", 30.0))):
        for place in range(LINKS):
            lines.append(shapely.LineString([(place * block, 100.0 * number), ((place + 1) * block, 100.0 * number)]))
            names.append(name)
            classes.append("primary")
    columns = {
        "id": as_text([f"R{k}" for k in range(len(lines))]), "name": as_text(names), "road_class": as_text(classes),
        "lanes": np.full(len(lines), 4),
    }  # fmt: skip
    counters = place_counters(Table(as_shapes(lines), columns))
    assert [(one.pair, one.side) for one in counters] == [(1, "up"), (1, "down"), (2, "up"), (2, "down")]
    for up, down in (counters[:2], counters[2:]):
        assert down.point.x - up.point.x == pytest.approx(APART_M, abs=60.0) and up.point.y == down.point.y
    assert {one.scale for one in counters} == {2.0}

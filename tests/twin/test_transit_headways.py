"""From routes, stops and headways to GTFS: hours and headways as people write them, stops out of order, Can Tho."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.errors import InputError, MappingError, SourceError
from twin.transit.features import list_patterns
from twin.transit.headway_mapping import read_mapping
from twin.transit.headways import read_headway_feed
from twin.transit.opening_hours import read_headway, read_hours
from twin.transit.stop_order import mend_order
from twin.transit.stop_times import read_stop_times
from twin.transit.validating import validate_feed

MAPPING = Path(__file__).resolve().parents[1] / "headways" / "cantho_bus.yml"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Mo-Su 05:30-17:30", [("daily", 19_800, 63_000)]),
        ("05:00-01:00", [("daily", 18_000, 90_000)]),
        ("Mo-Fr 05:00-19:00; Sa,Su 06:00-17:00", [("mo-tu-we-th-fr", 18_000, 68_400), ("sa-su", 21_600, 61_200)]),
        ("Sa-Mo 06:00-17:00", [("mo-sa-su", 21_600, 61_200)]),
    ],
)
def test_hours_of_service(text: str, found: list[tuple[str, int, int]]) -> None:
    assert [(span.name, span.begin, span.end) for span in read_hours(text)] == found


@pytest.mark.parametrize(
    ("text", "found"), [("00:25-00:35", (1500, 2100)), ("01:00", (3600, 3600)), ("20-25", (1200, 1500))]
)
def test_headways(text: str, found: tuple[int, int]) -> None:
    assert read_headway(text) == found


@pytest.mark.parametrize("text", ["", "sometimes", "Mo-Xx 05:00-06:00", "25:00-26:00", "5-6"])
def test_hours_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        read_hours(text)


@pytest.mark.parametrize("text", ["", "often", "00:00", "-5"])
def test_headways_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        read_headway(text)


@given(st.integers(4, 30), st.integers(0, 1_000_000))
def test_a_stop_behind_the_last_goes_where_it_is_passed(count: int, seed: int) -> None:
    """Stops on a straight line with some in the middle put behind the last come back into their order."""
    random = np.random.default_rng(seed)
    xy = np.stack([1_000.0 * np.arange(count), np.zeros(count)], axis=1)
    late = int(random.integers(1, count - 2))
    shuffled = [*(k for k in range(count) if k != late), late]
    order, moved = mend_order(xy[shuffled], 2_500.0)
    if late == count - 3:
        # The way back from the last is no jump: nothing tells that it is out of order.
        assert moved == 0
    else:
        assert moved == 1
        assert [shuffled[k] for k in order] == list(range(count))


def test_a_terminal_far_away_stays_at_its_end() -> None:
    xy = np.array([[0.0, 0.0], [500.0, 0.0], [1_000.0, 0.0], [40_000.0, 0.0]])
    order, moved = mend_order(xy, 2_500.0)
    assert (order.tolist(), moved) == ([0, 1, 2, 3], 0)


def test_the_buses_of_can_tho(shared: Callable[[str], Path]) -> None:
    folder = shared("cantho-bus/routes.csv").parent
    feed, notes = read_headway_feed(folder, read_mapping(MAPPING))
    assert {name: feed.counts[name] for name in ("routes", "stops", "trips", "stop_times", "frequencies")} == {
        "routes": 8, "stops": 1_194, "trips": 16, "stop_times": 1_472, "frequencies": 16,
    }  # fmt: skip
    assert validate_feed(feed, date(2026, 6, 1)).describe() == []
    assert (feed.table("stop_times").codes("timepoint", 1) == 0).all()
    assert (feed.table("frequencies").codes("exact_times", 1) == 0).all()
    # Route 05: every 50 to 60 minutes from 05:30 to 17:30, so each 55 minutes: 14 departures.
    there = next(one for one in list_patterns(feed, date(2026, 6, 1)) if one.route == 1)
    assert (there.departures, there.headway) == (14, 3_300.0)
    # Ten ways had stops out of order; mended, both directions of a route are as long as each other.
    assert len(notes) == 10
    found = read_stop_times(feed)
    lengths = np.bincount(found.trips, weights=found.steps) / 1000.0
    for route in (0, 1, 3, 6):
        assert lengths[2 * route] == pytest.approx(lengths[2 * route + 1], rel=0.02)


def test_tables_that_do_not_fit_are_told(tmp_path: Path, shared: Callable[[str], Path]) -> None:
    folder = shared("cantho-bus/routes.csv").parent
    for name in ("agencies.csv", "stops.csv", "routes.csv", "route_stops.csv"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    mapping = read_mapping(MAPPING)
    routes = (tmp_path / "routes.csv").read_text()
    (tmp_path / "routes.csv").write_text(routes.replace("00:50-01:00", "thỉnh thoảng"))
    with pytest.raises(InputError, match=r"routes\.csv row 3: headway 'thỉnh thoảng'"):
        read_headway_feed(tmp_path, mapping)
    (tmp_path / "routes.csv").write_text(routes.replace("route_number", "number"))
    with pytest.raises(MappingError, match="no column 'route_number'"):
        read_headway_feed(tmp_path, mapping)
    (tmp_path / "stops.csv").unlink()
    with pytest.raises(SourceError, match=r"holds no stops\.csv"):
        read_headway_feed(tmp_path, mapping)
    broken = tmp_path / "mapping.yml"
    broken.write_text("agencies: {file: a.csv}")
    with pytest.raises(MappingError, match=r"agencies\.url"):
        read_mapping(broken)

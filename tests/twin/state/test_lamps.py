"""Lamps by the sun and the clock: a pure function of time and place."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.errors import InputError
from twin.state.lamps import PRESUMED, ControlProgram, LampCalendar, SwitchEvent, compute_level, read_calendar
from twin.state.sun import HORIZON, compute_elevation, compute_sunrise

CAN_THO = (10.03, 105.78)
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("day", "place", "rise", "set_"),
    [
        # As almanacs print them: Greenwich at the equinox, the equator and Sydney at the solstices.
        (date(2024, 3, 20), (51.48, 0.0), "2024-03-20T06:02", "2024-03-20T18:14"),
        (date(2024, 6, 21), (0.0, 0.0), "2024-06-21T05:58", "2024-06-21T18:05"),
        (date(2024, 12, 21), (-33.87, 151.21), "2024-12-20T18:41", "2024-12-21T09:05"),
    ],
)
def test_sunrise_and_sunset_are_those_of_the_almanac(
    day: date, place: tuple[float, float], rise: str, set_: str
) -> None:
    found = compute_sunrise(day, *place)
    assert found is not None
    for moment, told in zip(found, (rise, set_), strict=True):
        assert abs(moment - datetime.fromisoformat(told).replace(tzinfo=UTC)) <= 2 * MINUTE


@given(day=st.dates(date(2000, 1, 1), date(2060, 12, 31)), latitude=st.floats(-60, 60), longitude=st.floats(-180, 180))
def test_the_sun_stands_at_the_horizon_when_it_rises_and_sets(day: date, latitude: float, longitude: float) -> None:
    found = compute_sunrise(day, latitude, longitude)
    assert found is not None
    assert found[0] < found[1] < found[0] + timedelta(hours=24)
    for moment in found:
        # The sun moves at most a quarter of a degree a minute.
        assert abs(compute_elevation(moment, latitude, longitude) - HORIZON) < 0.01


@given(hours=st.floats(0, 24 * 366))
def test_a_lamp_that_follows_the_sun_is_lit_when_the_sun_is_down(hours: float) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    down = compute_elevation(at, *CAN_THO) - HORIZON
    if abs(down) > 0.01:
        assert compute_level(PRESUMED, at, *CAN_THO, ZONE) == (1.0 if down < 0 else 0.0)


def test_programs_dim_at_night_and_differ_by_day() -> None:
    dimmed = ControlProgram(
        "dimmed",
        (SwitchEvent("sunset", 1.0, -10), SwitchEvent(time(23), 0.5), SwitchEvent(time(4, 30), 1.0),
         SwitchEvent("sunrise", 0.0, 10)),
    )  # fmt: skip
    feast = ControlProgram("feast", (SwitchEvent(time(17), 1.0), SwitchEvent(time(6), 0.0)))
    calendar = LampCalendar(dimmed, weekdays={5: feast}, days={date(2026, 2, 16): feast})

    def level(words: str) -> float:
        return compute_level(calendar, datetime.fromisoformat(words).replace(tzinfo=ZONE), *CAN_THO, ZONE)

    assert [level(f"2026-03-03T{clock}") for clock in ("12:00", "19:00", "23:30")] == [0.0, 1.0, 0.5]
    assert [level(f"2026-03-04T{clock}") for clock in ("02:00", "05:00", "06:30")] == [0.5, 1.0, 0.0]
    assert level("2026-02-16T23:30") == 1.0, "the eve of Tết, by its date"
    assert level("2026-02-17T03:00") == 1.0, "and its night after midnight"
    assert level("2026-03-07T17:05") == 1.0, "a Saturday"
    with pytest.raises(InputError, match="cannot switch at 'noon'"):
        SwitchEvent("noon", 1.0)
    with pytest.raises(InputError, match="outside 0 to 1"):
        SwitchEvent("sunset", 1.5)


def test_there_is_no_sunset_in_a_polar_summer() -> None:
    assert compute_sunrise(date(2026, 6, 21), 78.2, 15.6) is None
    at = datetime(2026, 6, 21, 22, tzinfo=UTC)
    assert compute_level(PRESUMED, at, 78.2, 15.6, ZONE) == 0.0


def test_a_calendar_is_read_from_json_or_said_to_be_wrong() -> None:
    document = {
        "programs": {
            "usual": [{"at": "sunset", "offset": -10, "level": 1}, {"at": "23:00", "level": 0.5},
                      {"at": "sunrise", "level": 0}],
            "feast": [{"at": "17:00", "level": 1}, {"at": "06:00", "level": 0}],
        },
        "usual": "usual", "weekdays": {"5": "feast"}, "days": {"2027-02-05": "feast"},
    }  # fmt: skip
    calendar = read_calendar(document)
    assert calendar.usual.events[0] == SwitchEvent("sunset", 1.0, -10.0)
    assert calendar.find_program(date(2027, 2, 5)).id == "feast"
    for change, message in (
        ({"usual": "none"}, "names no 'none'"),
        ({"programs": {"usual": [{"at": "noonish", "level": 1}]}}, "cannot be read"),
        ({"weekdays": {"7": "feast"}}, "are not 0"),
        ({"programs": []}, "cannot be read"),
    ):
        with pytest.raises(InputError, match=message):
            read_calendar({**document, **change})

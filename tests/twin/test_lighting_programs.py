"""Programs, calendars and override commands in the words of TALQ, as pure functions of time and place."""

import contextlib
import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from layers.errors import InputError
from twin.lighting.documents import list_assignments, read_lamp_document, split_document
from twin.lighting.talq import CalendarRule, ControlProgramOne, DateCondition, DayCondition, FixedTimeControl
from twin.lighting.talq_writing import write_talq
from twin.state.lamps import PRESUMED, LampCalendar, compute_level, list_levels
from twin.state.sun import compute_sunrise

CAN_THO = (10.03, 105.78)
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def command(level: float) -> dict[str, Any]:
    return {"state": {"type": "LevelState", "level": level}}


# A street that dims at 23:00, burns all night at Tết, and stays dark on the last Saturday of a month (a dark-sky walk).
STREET = {
    "services": [{"name": "ControlService", "dayOffset": 12}],
    "controlPrograms": [
        {
            "type": "ControlProgramOne", "id": "street", "ownerCMS": "cms",
            "activePeriods": [{"name": "AstroClockActivePeriod", "sunsetOffset": -10, "sunriseOffset": 5}],
            "fixedTimeControls": [
                {"startTime": "12:00:00", "command": command(100)},
                {"startTime": "23:00:00", "command": command(50)},
                {"startTime": "04:30:00", "command": command(100)},
            ],
        },
        {
            "type": "ControlProgramOne", "id": "feast", "ownerCMS": "cms",
            "activePeriods": [{"name": "AbsoluteActivePeriod", "startTime": "17:00:00", "endTime": "06:30:00"}],
            "fixedTimeControls": [{"startTime": "12:00:00", "command": command(100)}],
        },
        {
            "type": "ControlProgramOne", "id": "dark", "ownerCMS": "cms", "activePeriods": [],
            "fixedTimeControls": [{"startTime": "12:00:00", "command": command(0)}],
        },
    ],
    "calendars": [
        {
            "id": "C-1", "ownerCMS": "cms", "defaultProgram": "street",
            "rules": [
                {"startDate": "2027-02-05", "endDate": "2027-02-09", "program": "feast"},
                {"condition": {"type": "ccDate", "dates": [{"start": "--09-02"}]}, "program": "feast"},
                {"condition": {"type": "ccDay", "days": [{"start": 6}], "occurrences": ["L"]}, "program": "dark"},
            ],
        }
    ],
    "groups": [
        {"address": "G-CENTRE", "ownerCMS": "cms", "members": ["LC-1", {"address": "/groups/G-EAST"}]},
        {"address": "G-EAST", "ownerCMS": "cms", "members": ["LC-2"]},
    ],
    "assignCommands": [{"entity": "C-1", "addresses": ["G-CENTRE"]}],
    "overrideCommands": [
        {"addresses": ["LM-7"], "command": {**command(0), "start": "2026-12-01T18:00:00+07:00",
                                            "expiration": "2026-12-02T06:00:00+07:00"}},
        {"addresses": ["G-EAST"], "command": {**command(80), "start": "2026-12-01T20:00:00+07:00",
                                              "expiration": "2026-12-01T21:00:00+07:00"}},
    ],
}  # fmt: skip


def read_street() -> LampCalendar:
    return read_lamp_document(split_document(STREET)["C-1"])


def level(calendar: LampCalendar, words: str, *addresses: str) -> float:
    at = datetime.fromisoformat(words).replace(tzinfo=ZONE)
    return compute_level(calendar, at, *CAN_THO, ZONE, frozenset(addresses))


def test_a_program_dims_between_sunset_and_sunrise() -> None:
    street = read_street()
    assert [level(street, f"2026-12-03T{clock}") for clock in ("12:00", "15:00", "19:00", "23:30")] == [0, 0, 1, 0.5]
    assert [level(street, f"2026-12-04T{clock}") for clock in ("00:00", "03:00", "05:00", "09:00")] == [0.5, 0.5, 1, 0]
    sun = compute_sunrise(date(2026, 12, 3), *CAN_THO)
    assert sun is not None
    on = sun[1] - timedelta(minutes=10)
    second = timedelta(seconds=1)
    assert [compute_level(street, each, *CAN_THO, ZONE) for each in (on - second, on)] == [0.0, 1.0]


def test_the_first_rule_that_applies_names_the_program() -> None:
    street = read_street()
    assert level(street, "2027-02-06T23:30") == 1.0, "Tết: not dimmed, though it is the second night of a Saturday"
    assert level(street, "2027-02-10T06:15") == 1.0, "its last night ends in the morning after"
    assert level(street, "2027-02-10T23:30") == 0.5
    assert level(street, "2026-09-02T17:05") == 1.0, "National Day of every year"
    assert level(street, "2026-11-28T20:00") == 0.0, "the last Saturday of November"
    assert level(street, "2026-11-21T20:00") == 1.0
    overlapping = CalendarRule(ControlProgramOne("x", fixed=(FixedTimeControl(time(12), 0.2),)))
    both = LampCalendar(street.usual, rules=(overlapping, *street.rules))
    assert level(both, "2027-02-06T23:30") == 0.2, "the order of rules is their priority"


def test_rules_hold_over_the_turn_of_the_year() -> None:
    program = ControlProgramOne("winter")
    rule = CalendarRule(program, (11, 15), (2, 15))
    assert [rule.applies(date(2026, *day)) for day in ((11, 14), (11, 15), (12, 31), (1, 1), (2, 15), (2, 16))] == [
        False, True, True, True, True, False,
    ]  # fmt: skip
    assert DateCondition((((0, 1), (0, 3)),)).holds(date(2026, 5, 3))
    assert not DateCondition((((0, 1), (0, 3)),)).holds(date(2026, 5, 4))
    second_monday = DayCondition(((1, 1),), frozenset("2"))
    assert [day for day in range(1, 31) if second_monday.holds(date(2026, 6, day))] == [8]


def test_an_override_goes_before_programs_while_it_lasts() -> None:
    street = read_street()
    assert level(street, "2026-12-01T19:00", "LM-7", "LC-9") == 0.0
    assert level(street, "2026-12-01T19:00", "LM-8", "LC-9") == 1.0
    assert level(street, "2026-12-01T20:30", "LM-8", "LC-2") == 0.8, "sent to the group of its cabinet"
    assert level(street, "2026-12-01T20:30", "LM-7", "LC-2") == 0.8, "the command that came last"
    assert level(street, "2026-12-01T21:00", "LM-8", "LC-2") == 1.0


@settings(max_examples=30, deadline=None)
@given(st.datetimes(datetime(2026, 9, 1), datetime(2027, 3, 1)), st.lists(st.floats(0, 1), min_size=5, max_size=5))
def test_steps_agree_with_the_level_at_any_time(begin: datetime, shares: list[float]) -> None:
    start = begin.replace(tzinfo=UTC)
    end = start + timedelta(days=4)
    for calendar in (read_street(), PRESUMED):
        steps = list_levels(calendar, start, end, *CAN_THO, ZONE, frozenset({"LC-2"}))
        assert steps[0][0] == start
        for share in shares:
            at = start + share * (end - start - timedelta(seconds=1))
            told = [value for moment, value in steps if moment <= at][-1]
            assert told == compute_level(calendar, at, *CAN_THO, ZONE, frozenset({"LC-2"}))


def test_documents_come_back_as_they_were() -> None:
    kept = split_document(STREET)["C-1"]
    assert list_assignments(STREET) == {"C-1": ["LC-1", "LC-2"]}
    again = split_document(json.loads(json.dumps(write_talq({"": kept}))))["C-1"]
    assert read_lamp_document(again) == read_lamp_document(kept)
    short = {
        "programs": {"usual": [{"at": "sunset", "offset": -10, "level": 1}, {"at": "23:00", "level": 0.5},
                               {"at": "sunrise", "level": 0}],
                     "feast": [{"at": "17:00", "level": 1}, {"at": "06:00", "level": 0}]},
        "usual": "usual", "weekdays": {"5": "feast"}, "days": {"2027-02-05": "feast"},
    }  # fmt: skip
    talq = split_document(write_talq({"LC-1": short}))
    found, told = read_lamp_document(short), read_lamp_document(talq["C-1"])
    for hours in range(0, 24 * 12, 1):
        at = datetime(2027, 2, 1, tzinfo=UTC) + timedelta(hours=hours)
        assert compute_level(found, at, *CAN_THO, ZONE) == compute_level(told, at, *CAN_THO, ZONE), at


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"calendars": []}, "holds no calendar"),
        ({"calendars": "C-1"}, "is not a list"),
        ({"calendars": [{"id": "C", "rules": [{"program": "none"}]}]}, "names no program 'none'"),
        ({"controlPrograms": [{"id": "street", "dynamicControls": [{}]}]}, "names no program"),
        ({"services": [{"name": "ControlService", "dayOffset": 0}]}, "from midnight"),
        ({"groups": [{"address": "G", "members": ["G"]}]}, "member of itself"),
        ({"overrideCommands": [{"command": {**command(50), "start": "2026-12-01T18:00"}}]}, "has no zone"),
        ({"overrideCommands": [{"command": command(50)}]}, "names no 'start'"),
        ({"overrideCommands": [{"command": {**command(150), "start": "2026-12-01T18:00Z"}}]}, "outside 0 to 1"),
    ],
)
def test_a_wrong_document_is_told(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        split_document({**STREET, **change})


@example({"calendars": [{"rules": [None]}]})
@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["calendars", "controlPrograms", "rules", "id", "program", "groups"]), inner
            )
        ),
        max_leaves=10,
    )
)
def test_whatever_comes_is_a_calendar_or_an_input_error(document: Any) -> None:
    with contextlib.suppress(InputError):
        split_document(document)

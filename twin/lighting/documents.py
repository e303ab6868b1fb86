"""Documents of lamp programs: read what was declared, in our short form or in TALQ's.

A TALQ document holds ``controlPrograms``, ``calendars``, ``groups``, ``assignCommands`` and ``overrideCommands``. What
is kept for a cabinet is the part that its calendar needs, with ``calendar`` in place of ``calendars``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

from layers.errors import InputError
from twin.lighting.talq import (
    AbsoluteActivePeriod,
    ActivePeriod,
    AstroClockActivePeriod,
    AstroClockTimeControl,
    CalendarRule,
    ControlProgramOne,
    DateCondition,
    DayCondition,
    FixedTimeControl,
    MonthDay,
)
from twin.state.lamps import ControlProgram, LampCalendar, OverrideCommand, Program, read_calendar

MAX_PROGRAMS, MAX_RULES, MAX_PARTS, MAX_OVERRIDES, MAX_ADDRESSES = 500, 1000, 100, 1000, 100_000
OFF = ControlProgram("off", ())


def read_lamp_document(document: Any) -> LampCalendar:
    """Return the calendar of a document as it is kept for a cabinet; raise InputError for what cannot be read."""
    if isinstance(document, Mapping) and "calendar" in document:
        return _read_kept(document)
    found = read_calendar(document)
    return replace(found, overrides=_read_overrides(document, {}))


def split_document(document: Any) -> dict[str, dict[str, Any]]:
    """Return what is to be kept of a TALQ document: by calendar id, its programs, groups and override commands.

    Raises InputError where a calendar names a program that is not there, or cannot be read.
    """
    calendars = _objects(document, "calendars", MAX_PROGRAMS)
    if not calendars:
        raise InputError("the document holds no calendar", hint="give controlPrograms and calendars")
    programs = {
        str(_need(each, "id", "control program")): each for each in _objects(document, "controlPrograms", MAX_PROGRAMS)
    }
    services = _objects(document, "services", MAX_PARTS)
    if any(each.get("dayOffset", 12) != 12 for each in services if each.get("name") == "ControlService"):
        raise InputError("days of the document run from midnight", hint="give a ControlService with dayOffset 12")
    kept = {}
    for calendar in calendars:
        named = {str(rule.get("program")) for rule in _objects(calendar, "rules", MAX_RULES)}
        if calendar.get("defaultProgram"):
            named.add(str(calendar["defaultProgram"]))
        missing = sorted(named - set(programs))
        if missing:
            raise InputError(f"calendar '{calendar.get('id')}' names no program '{missing[0]}'", hint="give it as well")
        one = {
            "calendar": calendar,
            "controlPrograms": [programs[name] for name in sorted(named)],
            "groups": _objects(document, "groups", MAX_PROGRAMS),
            "overrideCommands": _objects(document, "overrideCommands", MAX_OVERRIDES),
        }
        _read_kept(one)
        kept[str(_need(calendar, "id", "calendar"))] = one
    return kept


def list_assignments(document: Any) -> dict[str, list[str]]:
    """Return the addresses each calendar is assigned to, groups resolved to their members."""
    groups = _read_groups(document)
    found: dict[str, list[str]] = {}
    for command in _objects(document, "assignCommands", MAX_OVERRIDES):
        entity = str(_need(command, "entity", "assign command")).rsplit("/", 1)[-1]
        found.setdefault(entity, []).extend(sorted(_read_addresses(command, groups)))
    return found


def _read_kept(document: Mapping[str, Any]) -> LampCalendar:
    programs: dict[str, Program] = {}
    try:
        for each in _objects(document, "controlPrograms", MAX_PROGRAMS):
            program = _read_program(each)
            programs[program.id] = program
        calendar = document["calendar"]
        rules = tuple(_read_rule(rule, programs) for rule in _objects(calendar, "rules", MAX_RULES))
        usual = programs[str(calendar["defaultProgram"])] if calendar.get("defaultProgram") else OFF
        return LampCalendar(usual, rules=rules, overrides=_read_overrides(document, _read_groups(document)))
    except KeyError as error:
        raise InputError(f"the document names no {error}", hint="docs/lighting.md shows one") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(f"the document cannot be read: {error}", hint="docs/lighting.md shows one") from error


def _read_program(document: Mapping[str, Any]) -> ControlProgramOne:
    name = str(_need(document, "id", "control program"))
    if document.get("dynamicControls"):
        raise InputError(f"program '{name}' has dynamic controls, which follow sensors", hint="leave them out")
    periods = tuple(_read_period(each, name) for each in _objects(document, "activePeriods", MAX_PARTS))
    fixed = tuple(
        FixedTimeControl(time.fromisoformat(each["startTime"]), _read_level(each["command"]))
        for each in _objects(document, "fixedTimeControls", MAX_PARTS)
    )
    astro = tuple(
        AstroClockTimeControl(
            each["solarEventType"], float(each["offset"]), each.get("operation", "Set"), _read_level(each["command"])
        )
        for each in _objects(document, "astroClockTimeControls", MAX_PARTS)
    )
    return ControlProgramOne(name, periods, fixed, astro)


def _read_period(document: Mapping[str, Any], program: str) -> ActivePeriod:
    name = document.get("name")
    if name == "AbsoluteActivePeriod":
        return AbsoluteActivePeriod(time.fromisoformat(document["startTime"]), time.fromisoformat(document["endTime"]))
    if name == "AstroClockActivePeriod":
        return AstroClockActivePeriod(float(document["sunsetOffset"]), float(document["sunriseOffset"]))
    raise InputError(
        f"program '{program}' has an active period '{name}', which no clock tells",
        hint="AbsoluteActivePeriod or AstroClockActivePeriod",
    )


def _read_level(command: Mapping[str, Any]) -> float:
    state = command.get("state", command)
    level = state.get("level", state.get("value")) if isinstance(state, Mapping) else state
    return float(level) / 100.0


def _read_rule(document: Mapping[str, Any], programs: Mapping[str, Program]) -> CalendarRule:
    condition = document.get("condition")
    return CalendarRule(
        programs[str(document["program"])],
        _read_edge(document.get("startDate")),
        _read_edge(document.get("endDate")),
        None if condition is None else _read_condition(condition),
    )


def _read_edge(word: str | None) -> date | MonthDay | None:
    if word is None:
        return None
    return _read_month_day(word) if word.startswith("--") else date.fromisoformat(word)


def _read_month_day(word: str) -> MonthDay:
    """Return month and day of ``--mm-dd`` or ``---dd`` (month 0)."""
    if word.startswith("---"):
        found = 0, int(word[3:])
    else:
        month, _, day = word.removeprefix("--").partition("-")
        found = int(month), int(day)
    if not (0 <= found[0] <= 12 and 1 <= found[1] <= 31) or (found[0] == 0 and not word.startswith("---")):
        raise InputError(f"'{word[:20]}' is no day of a year or month", hint="--mm-dd or ---dd")
    return found


def _read_condition(document: Mapping[str, Any]) -> DateCondition | DayCondition:
    kind = document.get("type")
    if kind == "ccDate":
        dates = [
            (_read_month_day(each["start"]), _read_month_day(each.get("end", each["start"])))
            for each in _objects(document, "dates", MAX_RULES)
        ]
        wrong = [each for each in dates if (each[0][0] == 0) != (each[1][0] == 0) or each[0] > each[1]]
        if wrong:
            raise InputError(f"a range of dates begins at {wrong[0][0]} and ends at {wrong[0][1]}")
        return DateCondition(tuple(dates))
    if kind == "ccDay":
        days = [(int(each["start"]), int(each.get("end", each["start"]))) for each in _objects(document, "days", 7)]
        if any(not 1 <= first <= last <= 7 for first, last in days):
            raise InputError(f"weekdays {days} are not 1 (Monday) to 7 (Sunday), in order")
        return DayCondition(tuple(days), frozenset(str(each) for each in document.get("occurrences", ())))
    raise InputError(f"a rule has the condition '{kind}'", hint="ccDate or ccDay")


def _read_groups(document: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    given = {
        str(_need(each, "address", "group")): [_name(member) for member in _list(each, "members", MAX_ADDRESSES)]
        for each in _objects(document, "groups", MAX_PROGRAMS)
    }

    def resolve(name: str, above: tuple[str, ...]) -> Iterator[str]:
        if name in above:
            raise InputError(f"group '{name}' is a member of itself", hint="take it out of its members")
        for member in given[name]:
            if member in given:
                yield from resolve(member, (*above, name))
            else:
                yield member

    return {name: frozenset(resolve(name, ())) for name in given}


def _read_overrides(document: Mapping[str, Any], groups: Mapping[str, frozenset[str]]) -> tuple[OverrideCommand, ...]:
    found = []
    try:
        for each in _objects(document, "overrideCommands", MAX_OVERRIDES):
            command = each["command"]
            expires = command.get("expiration")
            found.append(
                OverrideCommand(
                    _read_level(command),
                    _read_moment(command["start"]),
                    None if expires is None else _read_moment(expires),
                    _read_addresses(each, groups),
                )
            )
    except KeyError as error:
        raise InputError(f"an override command names no {error}", hint="addresses, command: state, start") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(f"an override command cannot be read: {error}") from error
    return tuple(found)


def _read_moment(word: str) -> datetime:
    moment = datetime.fromisoformat(word)
    if moment.tzinfo is None:
        raise InputError(f"time '{word[:40]}' has no zone", hint="such as 2027-02-05T18:00:00+07:00")
    return moment


def _read_addresses(document: Mapping[str, Any], groups: Mapping[str, frozenset[str]]) -> frozenset[str]:
    names = [_name(each) for each in _list(document, "addresses", MAX_ADDRESSES)]
    return frozenset(member for name in names for member in groups.get(name, (name,)))


def _name(reference: Any) -> str:
    """Return the last part of an address: a word, or a TALQ ResourceReference."""
    word = reference.get("address", "") if isinstance(reference, Mapping) else reference
    return str(word).rstrip("/").rsplit("/", 1)[-1]


def _need(document: Any, name: str, what: str) -> Any:
    if not isinstance(document, Mapping) or name not in document:
        raise InputError(f"a {what} has no '{name}'", hint="docs/lighting.md shows one")
    return document[name]


def _objects(document: Any, name: str, most: int) -> list[Mapping[str, Any]]:
    found = _list(document, name, most)
    if not all(isinstance(each, Mapping) for each in found):
        raise InputError(f"'{name}' of the document holds what is no object", hint="docs/lighting.md shows one")
    return found


def _list(document: Any, name: str, most: int) -> list[Any]:
    found = document.get(name, []) if isinstance(document, Mapping) else None
    if not isinstance(found, list):
        raise InputError(f"'{name}' of the document is not a list", hint="docs/lighting.md shows one")
    if len(found) > most:
        raise InputError(f"'{name}' of the document has {len(found)} entries, more than {most}")
    return found

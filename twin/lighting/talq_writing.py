"""Programs and calendars of lamps told as one document in the words of TALQ."""

from collections.abc import Mapping, Sequence
from datetime import time
from typing import Any

from layers.errors import InputError
from twin.lighting.documents import read_lamp_document
from twin.lighting.talq import (
    AbsoluteActivePeriod,
    ActivePeriod,
    AstroClockActivePeriod,
    ControlProgramOne,
    FixedTimeControl,
)
from twin.state.lamps import ControlProgram, LampCalendar, OverrideCommand, Program

OWNER = "city-twin"


def write_talq(documents: Mapping[str, Any]) -> dict[str, Any]:
    """Return the documents kept for cabinets ('' for all others) as one of TALQ.

    Raises InputError for a program that has no words there: one that switches by the sun but not at dusk and dawn.
    """
    programs: dict[str, dict[str, Any]] = {}
    calendars, groups, commands, assigned = [], {}, [], []
    for number, (cabinet, document) in enumerate(sorted(documents.items()), 1):
        found = read_lamp_document(document)
        prefix = "" if "calendar" in document else f"{cabinet or 'all'}-"
        every = {each.id: each for each in _list_programs(found)}
        programs.update({f"{prefix}{name}": _write_program(f"{prefix}{name}", each) for name, each in every.items()})
        calendar = document.get("calendar") or _write_calendar(found, f"C-{number}", prefix)
        if calendar not in calendars:
            calendars.append(calendar)
        groups.update({str(each.get("address")): each for each in document.get("groups", ())})
        commands += [each for each in document.get("overrideCommands", ()) if each not in commands]
        commands += [_write_override(each) for each in found.overrides if "calendar" not in document]
        if cabinet:
            assigned.append({"entity": calendar["id"], "addresses": [cabinet]})
    return {
        "services": [{"name": "ControlService", "dayOffset": 12}],
        "controlPrograms": [programs[name] for name in sorted(programs)],
        "calendars": calendars,
        "groups": list(groups.values()),
        "assignCommands": assigned,
        "overrideCommands": commands,
    }


def _list_programs(found: LampCalendar) -> Sequence[Program]:
    ruled = [rule.program for rule in found.rules]
    return [*ruled, *found.days.values(), *found.weekdays.values(), found.usual]


def _write_program(name: str, program: Program) -> dict[str, Any]:
    one = program if isinstance(program, ControlProgramOne) else _translate(program)
    return {
        "type": "ControlProgramOne",
        "id": name,
        "ownerCMS": OWNER,
        "activePeriods": [_write_period(each) for each in one.periods],
        "fixedTimeControls": [
            {"startTime": each.start.isoformat(), "command": _write_level(each.level)} for each in one.fixed
        ],
        "astroClockTimeControls": [
            {
                "solarEventType": each.event, "offset": round(each.offset), "operation": each.operation,
                "command": _write_level(each.level),
            }
            for each in one.astro
        ],
    }  # fmt: skip


def _translate(program: Program) -> ControlProgramOne:
    """Return switching events as active periods and fixed controls."""
    if not isinstance(program, ControlProgram):
        raise InputError(f"program '{program.id}' has no words in TALQ")
    clock = [FixedTimeControl(each.at, each.level) for each in program.events if isinstance(each.at, time)]
    sun = {each.at: each for each in program.events if isinstance(each.at, str)}
    if not program.events:
        return ControlProgramOne(program.id, fixed=(FixedTimeControl(time(12), 0.0),))
    if not sun:
        return ControlProgramOne(program.id, fixed=tuple(clock))
    if set(sun) != {"sunset", "sunrise"} or sun["sunrise"].level != 0.0 or len(sun) + len(clock) != len(program.events):
        raise InputError(
            f"program '{program.id}' does not burn from sunset to sunrise", hint="write it as a ControlProgramOne"
        )
    period = AstroClockActivePeriod(sun["sunset"].offset, sun["sunrise"].offset)
    return ControlProgramOne(program.id, (period,), (FixedTimeControl(time(12), sun["sunset"].level), *clock))


def _write_period(period: ActivePeriod) -> dict[str, Any]:
    if isinstance(period, AbsoluteActivePeriod):
        words = {"startTime": period.start.isoformat(), "endTime": period.end.isoformat()}
        return {"name": "AbsoluteActivePeriod", **words}
    offsets = {"sunsetOffset": round(period.sunset_offset), "sunriseOffset": round(period.sunrise_offset)}
    return {"name": "AstroClockActivePeriod", **offsets}


def _write_level(level: float) -> dict[str, Any]:
    return {"state": {"type": "LevelState", "level": round(100.0 * level, 3)}}


def _write_calendar(found: LampCalendar, name: str, prefix: str) -> dict[str, Any]:
    days = [
        {"startDate": day.isoformat(), "endDate": day.isoformat(), "program": f"{prefix}{program.id}"}
        for day, program in sorted(found.days.items())
    ]
    weekdays = [
        {"condition": {"type": "ccDay", "days": [{"start": day + 1}]}, "program": f"{prefix}{program.id}"}
        for day, program in sorted(found.weekdays.items())
    ]
    return {"id": name, "ownerCMS": OWNER, "rules": [*days, *weekdays], "defaultProgram": f"{prefix}{found.usual.id}"}


def _write_override(command: OverrideCommand) -> dict[str, Any]:
    expiration = {} if command.expiration is None else {"expiration": command.expiration.isoformat()}
    return {
        "addresses": sorted(command.addresses),
        "command": {**_write_level(command.level), "start": command.start.isoformat(), **expiration},
    }

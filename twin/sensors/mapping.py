"""A declared device: which part of its JSON is which reading, in which unit, and when it was taken."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from layers.errors import InputError, MappingError
from layers.store.sensing.documents import read_moment
from twin.sensors.message import Format, Reading, Refusal, Uplink

_STEP = re.compile(r"\.?([^.\[\]'\"]+)|\[(-?\d+)\]|\[(?:'([^']+)'|\"([^\"]+)\")\]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ABSENT = object()


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(_Strict):
    """One reading: the value at ``path`` times ``factor`` plus ``offset`` goes to ``datastream``."""

    datastream: str = Field(min_length=1, max_length=200)
    path: str
    factor: float = 1.0
    offset: float = 0.0

    @field_validator("path")
    @classmethod
    def _is_a_path(cls, value: str) -> str:
        parse_path(value)
        return value


class Clock(_Strict):
    """Where the time stands and how it is written: ``iso8601``, ``unix``, ``unix_ms`` or a pattern of strptime.

    ``zone`` (IANA) is that of a time that names none.
    """

    path: str
    format: str = "iso8601"
    zone: str | None = None

    @field_validator("path")
    @classmethod
    def _is_a_path(cls, value: str) -> str:
        parse_path(value)
        return value

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, value: str | None) -> str | None:
        try:
            return value if value is None or ZoneInfo(value) else None
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"'{value}' is no time zone, such as Asia/Ho_Chi_Minh") from None


class Mapping(_Strict):
    """How a device's JSON is read: ``records`` leads to a list of which every entry is read by itself."""

    readings: tuple[Rule, ...] = Field(min_length=1)
    time: Clock | None = None
    records: str | None = None


class Device(NamedTuple):
    """A declared device: DevEUI or name, the format it speaks, how it is read, the thing it is part of."""

    id: str
    format: Format
    mapping: Mapping | None
    thing_id: str | None


def read_mapping(document: Any) -> Mapping | None:
    """Return a mapping from JSON, None for an empty one; MappingError says what is wrong in it."""
    if document in (None, {}):
        return None
    try:
        return Mapping.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise MappingError(
            f"the mapping of a device: {where or 'document'}: {first['msg']}",
            hint='{"readings": [{"datastream": "S-1.stage", "path": "level.mm", "factor": 0.001}]}',
        ) from None


@lru_cache(maxsize=4096)
def parse_path(path: str) -> tuple[str | int, ...]:
    """Return the steps of a path such as ``$.level[0].mm`` or ``['a.b']``; ValueError for what is none.

    The part of JSONPath (RFC 9535) that names one place: members and positions.
    """
    rest = path.removeprefix("$")
    steps: list[str | int] = []
    at = 0
    while at < len(rest):
        found = _STEP.match(rest, at)
        if found is None:
            raise ValueError(f"'{path}' is no path, such as level[0].mm")
        name, position, *quoted = found.groups()
        steps.append(int(position) if position is not None else name or quoted[0] or quoted[1])
        at = found.end()
    return tuple(steps)


def find_value(document: Any, path: str) -> Any:
    """Return what stands at ``path``, ABSENT where nothing does."""
    for step in parse_path(path):
        if isinstance(step, int):
            if not isinstance(document, list) or not -len(document) <= step < len(document):
                return ABSENT
            document = document[step]
        elif isinstance(document, dict) and step in document:
            document = document[step]
        else:
            return ABSENT
    return document


def apply_mapping(mapping: Mapping, uplink: Uplink) -> Iterator[Reading | Refusal]:
    """Yield the readings of what a device sent; those absent are left out, null is a missing reading."""
    records: Any = [uplink.document]
    if mapping.records is not None:
        records = find_value(uplink.document, mapping.records)
        if not isinstance(records, list):
            yield Refusal("no-reading", f"there is no list at '{mapping.records}'")
            return
    found = False
    for record in records:
        try:
            time = uplink.time if mapping.time is None else _read_time(mapping.time, record)
        except InputError as error:
            yield Refusal("bad-time", str(error))
            found = True
            continue
        for rule in mapping.readings:
            value = find_value(record, rule.path)
            if value is ABSENT:
                continue
            found = True
            yield _convert(rule, value, time)
    if not found:
        listed = ", ".join(rule.path for rule in mapping.readings)
        yield Refusal("no-reading", f"none of {listed[:200]} is there")


def _convert(rule: Rule, value: Any, time: datetime) -> Reading | Refusal:
    row: dict[str, Any] = {"datastream_id": rule.datastream, "phenomenon_time": time, "result": None}
    number = read_number(value) if (rule.factor, rule.offset) != (1.0, 0.0) else None
    if number is not None:
        row["result"] = number * rule.factor + rule.offset
    elif value is None:
        pass
    elif isinstance(value, int | float) and not isinstance(value, bool):
        row["result"] = float(value)
    elif (rule.factor, rule.offset) != (1.0, 0.0):
        return Refusal("wrong-type", f"'{rule.path}' holds {str(value)[:80]!r}, expected a number")
    else:
        row["value"] = value
    return Reading(row, lenient=True)


def read_number(value: Any) -> float | None:
    """Return a number, a truth value or a number in words as number; None for anything else."""
    if isinstance(value, bool | int | float):
        return float(value)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    return None


def _read_time(clock: Clock, record: Any) -> datetime:
    value = find_value(record, clock.path)
    if value is ABSENT or value is None:
        raise InputError(f"there is no time at '{clock.path}'")
    try:
        if clock.format in ("unix", "unix_ms"):
            seconds = float(value) / (1000.0 if clock.format == "unix_ms" else 1.0)
            return _EPOCH + timedelta(seconds=seconds)
        zone = ZoneInfo(clock.zone) if clock.zone else None
        moment = datetime.fromisoformat(value) if clock.format == "iso8601" else datetime.strptime(value, clock.format)
        if moment.tzinfo is None and zone is not None:
            moment = moment.replace(tzinfo=zone)
        fixed = moment if moment.utcoffset() is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"'{clock.path}' holds {str(value)[:80]!r}, which is no time of form {clock.format}") from None
    return read_moment(fixed.isoformat(), clock.path)

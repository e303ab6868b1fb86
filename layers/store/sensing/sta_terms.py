"""Terms: pieces of SQL that know their kind, and how one kind becomes another.

Every value from outside is bound with a cast; what a piece of SQL is made of comes from the entities and from the
function table only.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal

import shapely

from layers.errors import InputError
from layers.store.sensing.sta_request import Period, Value

Kind = Literal[
    "text", "number", "boolean", "time", "interval", "date", "clock", "duration", "geometry", "json", "result", "null",
    "id",
]  # fmt: skip
NAMES = {
    "text": "a text", "number": "a number", "boolean": "true or false", "time": "a date-time", "interval": "a period",
    "date": "a date", "clock": "a time of day", "duration": "a duration", "geometry": "a geometry", "json": "JSON",
    "result": "a result", "null": "null", "id": "an id",
}  # fmt: skip
_COLUMNS: dict[Kind, str] = {
    "text": "text", "number": "double precision", "boolean": "boolean", "time": "timestamptz", "date": "date",
    "clock": "time", "duration": "interval", "geometry": "geometry", "json": "jsonb", "id": "text",
}  # fmt: skip
# Only what the database is sure to read as a time is given to it.
_TIME_PATTERN = (
    r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3])[:][0-5]\d([:][0-5]\d(\.\d{1,6})?)?"
    r"(Z|[+-](0\d|1[0-4])[:]?[0-5]\d)$"
)
_DATE_PATTERN = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])$"
_CLOCK_PATTERN = r"^([01]\d|2[0-3])[:][0-5]\d([:][0-5]\d(\.\d{1,6})?)?$"
_DURATION_PATTERN = r"^P(?=\d|T\d)(\d{1,4}D)?(T(?=\d)(\d{1,4}H)?(\d{1,5}M)?(\d{1,6}(\.\d{1,6})?S)?)?$"


@dataclass(frozen=True, slots=True)
class Term:
    """A piece of SQL of one kind.

    ``end``: of an interval its end; of a result its JSON (``sql`` is then the number). ``zone``: offset [min] of a
    literal date-time. ``bare``: the literal itself, where there is one.
    """

    sql: str
    kind: Kind
    end: str = ""
    zone: int = 0
    bare: Value | None = None


@dataclass(slots=True)
class Statement:
    """What one statement has bound and named so far."""

    parameters: dict[str, object] = field(default_factory=dict)
    aliases: int = 0

    def bind(self, value: object, kind: str) -> str:
        """Return the placeholder of ``value`` with its type in the database."""
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f"cast(:{name} as {kind})"

    def name(self) -> str:
        """Return an alias nothing has yet."""
        self.aliases += 1
        return f"t{self.aliases}"


def bind_value(statement: Statement, literal: Value) -> Term:
    """Return a literal as a bound term."""
    value = literal.value
    if value is None:
        return Term("null", "null", bare=literal)
    if isinstance(value, Period):
        start, end = (statement.bind(moment, "timestamptz") for moment in (value.start, value.end))
        return Term(start, "interval", end, bare=literal)
    if isinstance(value, shapely.Geometry):
        return Term(f"st_geomfromwkb({statement.bind(shapely.to_wkb(value), 'bytea')}, 4326)", "geometry", bare=literal)
    for python, kind, column in _LITERALS:
        if isinstance(value, python):
            given = float(value) if kind == "number" and isinstance(value, int | float) else value
            return Term(statement.bind(given, column), kind, zone=literal.zone, bare=literal)
    raise InputError(f"a {type(value).__name__} cannot stand in an expression")


_LITERALS: tuple[tuple[type, Kind, str], ...] = (
    (bool, "boolean", "boolean"),
    (str, "text", "text"),
    (int, "number", "double precision"),
    (float, "number", "double precision"),
    (datetime, "time", "timestamptz"),
    (date, "date", "date"),
    (time, "clock", "time"),
    (timedelta, "duration", "interval"),
)


def _unpack(kind: str, made: Callable[[str], str]) -> Callable[[Term], str]:
    def convert(term: Term) -> str:
        document = term.end if term.kind == "result" else term.sql
        return f"case when jsonb_typeof({document}) = '{kind}' then {made(f'({document} #>> array[]::text[])')} end"

    return convert


_FROM_JSON: dict[Kind, Callable[[Term], str]] = {
    "text": _unpack("string", lambda text: text),
    "number": _unpack("number", lambda text: f"{text}::double precision"),
    "boolean": _unpack("boolean", lambda text: f"{text}::boolean"),
    "time": _unpack("string", lambda text: f"case when {text} ~ '{_TIME_PATTERN}' then {text}::timestamptz end"),
    "date": _unpack("string", lambda text: f"case when {text} ~ '{_DATE_PATTERN}' then {text}::date end"),
    "clock": _unpack("string", lambda text: f"case when {text} ~ '{_CLOCK_PATTERN}' then {text}::time end"),
    "duration": _unpack("string", lambda text: f"case when {text} ~ '{_DURATION_PATTERN}' then {text}::interval end"),
}


def convert(term: Term, kind: Kind, where: str) -> str:
    """Return ``term`` as SQL of ``kind``; InputError says that it cannot be, in ``where``."""
    if term.kind == kind:
        return term.sql
    if term.kind == "null":
        return f"null::{_COLUMNS[kind]}"
    if term.kind == "result" and kind == "number":
        return term.sql
    if term.kind in ("json", "result") and kind in _FROM_JSON:
        return _FROM_JSON[kind](term)
    if kind == "json":
        return to_json(term)
    if kind == "time":
        if term.kind == "interval":
            return term.sql
        if term.kind == "date":
            return f"({term.sql}::timestamp at time zone 'UTC')"
    if (kind, term.kind) in (("text", "id"), ("id", "text")):
        return term.sql
    raise InputError(f"{where} needs {NAMES[kind]}, found {NAMES[term.kind]}")


def bound(term: Term, where: str) -> tuple[str, str]:
    """Return start and end of ``term`` as times."""
    if term.kind == "interval":
        return term.sql, term.end
    moment = convert(term, "time", where)
    return moment, moment


def to_json(term: Term) -> str:
    """Return ``term`` as jsonb."""
    if term.kind == "result":
        return f"coalesce(to_jsonb({term.sql}), {term.end})"
    if term.kind in ("geometry", "interval"):
        raise InputError(f"{NAMES[term.kind]} cannot be compared with JSON")
    return term.sql if term.kind == "json" else f"to_jsonb({term.sql})"

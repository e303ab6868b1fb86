"""What a filter is made of while it becomes SQL: typed terms, and the scope that binds values and finds columns.

Identifiers come from the declaration and are quoted, values are bound: nothing a user wrote becomes SQL.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

from layers.errors import InputError
from layers.schema import Property, VectorLayer
from layers.store.names import quote

Kind = Literal["text", "number", "boolean", "date", "moment", "interval", "geometry"]
GEOMETRY_NAMES = ("geometry", "geom")
_INT64 = 2**63
_KINDS: dict[str, Kind] = {
    "string": "text",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "date": "date",
    "datetime": "moment",
}
_CASTS = {"text": "text", "boolean": "boolean", "date": "date", "moment": "timestamptz"}


class Term(NamedTuple):
    """A part of a filter as SQL: its kind, the property it is, or the literal value it was made from."""

    sql: str
    kind: Kind
    prop: Property | None = None
    value: Any = None

    @property
    def is_literal(self) -> bool:
        """Whether the term is a value somebody wrote."""
        return self.value is not None


class LiteralShape(NamedTuple):
    """A geometry somebody wrote: well-known binary and the EPSG code its coordinates are in."""

    wkb: bytes
    srid: int


@dataclass(slots=True)
class Bindings:
    """The values of a statement by the names its placeholders use."""

    values: dict[str, object] = field(default_factory=dict)

    def bind(self, value: object) -> str:
        """Return a placeholder for ``value``."""
        name = f"v{len(self.values)}"
        self.values[name] = value
        return f"%({name})s"


@dataclass(slots=True)
class Scope:
    """Where names of a filter are looked up: a layer under an alias; ``columns`` collects what was asked for.

    ``srid`` is that of coordinates written in the filter, with
    latitude first where ``flip``.
    """

    layer: VectorLayer
    alias: str
    bindings: Bindings
    srid: int = 4326
    flip: bool = False
    columns: dict[str, None] = field(default_factory=dict)

    def find_property(self, name: str) -> Property:
        """Return the property ``name`` of the layer; InputError names the ones there are."""
        prop = self.layer.find(name)
        if prop is None:
            known = ", ".join(p.name for p in self.layer.properties)
            raise InputError(f"layer '{self.layer.id}' has no property '{name[:80]}'", hint=f"id, geometry, {known}")
        return prop

    def read_property(self, name: str) -> Term:
        """Return the term of property ``name``, of ``id``, of ``fid`` (the feature id in tiles) or of the geometry."""
        if name == "id":
            return Term(f"{self.alias}.id", "text")
        if name == "fid":
            return Term(f"{self.alias}.fid", "number")
        if name in GEOMETRY_NAMES and self.layer.find(name) is None:
            return Term(f"{self.alias}.geom_3857", "geometry")
        prop = self.find_property(name)
        self.columns[prop.name] = None
        return Term(f"{self.alias}.{quote(prop.name)}", _KINDS[prop.type], prop)

    def read_literal(self, value: bool | int | float | str) -> Term:
        """Return the term of a value; InputError for one no column can hold."""
        if isinstance(value, bool):
            return Term("true" if value else "false", "boolean", value=value)
        if isinstance(value, str):
            return self.bind("text", check_text(value))
        if not math.isfinite(value):
            raise InputError("the filter holds a number that is not finite")
        whole = float(value).is_integer() and -_INT64 <= value < _INT64
        cast = "bigint" if whole else "double precision"
        bound = int(value) if whole else float(value)
        return Term(f"{self.bindings.bind(bound)}::{cast}", "number", value=bound)

    def bind(self, kind: Kind, value: object) -> Term:
        """Return the term of a bound text, date or moment."""
        return Term(f"{self.bindings.bind(value)}::{_CASTS[kind]}", kind, value=value)


def check_text(value: str) -> str:
    """Return ``value``; InputError for text PostgreSQL cannot hold."""
    if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        raise InputError("the filter holds text that is not valid Unicode")
    return value


def read_date(words: str) -> date:
    """Return the date ``words``; InputError says how one is written."""
    try:
        return date.fromisoformat(words)
    except ValueError:
        raise InputError(f"'{words[:40]}' is not a date", hint="write DATE('2026-11-22')") from None


def read_moment(words: str) -> datetime:
    """Return the moment ``words`` (RFC 3339); InputError says how one is written."""
    try:
        parsed = datetime.fromisoformat(words)
    except ValueError:
        raise InputError(f"'{words[:40]}' is not a time", hint="TIMESTAMP('2026-11-22T10:00:00Z')") from None
    if parsed.tzinfo is None:
        raise InputError(f"time '{words[:40]}' names no offset", hint="TIMESTAMP('2026-11-22T10:00:00Z')")
    return parsed


def describe(term: Term) -> str:
    """Return what a term is, for a message: a property by its name, else its kind."""
    return f"'{term.prop.name}' ({term.prop.type})" if term.prop else f"a {term.kind}"


def align(terms: Iterable[Term], scope: Scope) -> list[Term]:
    """Return ``terms`` as one kind that can be compared: text beside a date is read as one, a date beside a moment
    is its midnight in UTC. InputError names two that do not fit, or a code a list does not have."""
    listed = list(terms)
    kinds = {term.kind for term in listed}
    if kinds & {"date", "moment"} and "text" in kinds:
        listed = [_date_text(term, scope) for term in listed]
        kinds = {term.kind for term in listed}
    if kinds == {"date", "moment"}:
        listed = [to_moment(term) for term in listed]
        kinds = {"moment"}
    if len(kinds) > 1:
        odd = next(term for term in listed if term.kind != listed[0].kind)
        raise InputError(f"the filter compares {describe(listed[0])} with {describe(odd)}")
    coded = next((term.prop for term in listed if term.prop and term.prop.codes), None)
    if coded is not None:
        known = [code.value for code in coded.codes]
        wrong = next((term.value for term in listed if isinstance(term.value, str) and term.value not in known), None)
        if wrong is not None:
            hint = f"one of {', '.join(known)}"
            raise InputError(f"'{wrong[:80]}' is not in the code list of '{coded.name}'", hint=hint)
    return listed


def to_moment(term: Term) -> Term:
    """Return a date as its midnight in UTC; moments as they are."""
    if term.kind == "moment":
        return term
    return Term(f"({term.sql}::timestamp at time zone 'UTC')", "moment", term.prop, term.value)


def _date_text(term: Term, scope: Scope) -> Term:
    if term.kind != "text" or not isinstance(term.value, str):
        return term
    words = term.value
    return scope.bind("date", read_date(words)) if len(words) == 10 else scope.bind("moment", read_moment(words))

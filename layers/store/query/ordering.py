"""Items in an order: sort keys, and the condition that continues after the last item of a page.

The key of a page is the sort values of its last item and its ``fid``, so inserts between pages neither repeat nor lose
an item. Nothing stands after everything, in both directions. Text follows the Vietnamese alphabet.
"""

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from layers.errors import InputError
from layers.schema import Property, VectorLayer
from layers.store.query.terms import Bindings, Scope, Term

MAX_KEYS = 5
_ALPHABET = 'collate "vi-x-icu"'


class SortKey(NamedTuple):
    """A property to sort by, ``id`` among them, and the direction."""

    name: str
    descending: bool = False


class Position(NamedTuple):
    """Where a page ended: the sort values of its last item, and its key."""

    values: tuple[Any, ...]
    fid: int


def parse_sort(words: str) -> tuple[SortKey, ...]:
    """Return the keys of ``+a,-b`` (or ``a,-b``); InputError for one named twice or too many."""
    keys = []
    for part in words.split(","):
        # A '+' that was not escaped arrives as a blank.
        word = part.strip()
        keys.append(SortKey(word.lstrip("+-"), word.startswith("-")))
    names = [key.name for key in keys]
    if len(names) != len(set(names)) or not all(names):
        raise InputError(f"sortby '{words[:80]}' names a property twice, or none", hint="sortby=+use,-height")
    if len(keys) > MAX_KEYS:
        raise InputError(f"sortby names {len(keys)} properties, at most {MAX_KEYS} are sorted by")
    return tuple(keys)


def read_keys(order: Sequence[SortKey], scope: Scope) -> list[Term]:
    """Return the terms sorted by; InputError names an unknown property."""
    terms = [scope.read_property(key.name) for key in order]
    for key, term in zip(order, terms, strict=True):
        if term.kind == "geometry":
            raise InputError(f"items cannot be sorted by '{key.name}'")
    return terms


def write_order(order: Sequence[SortKey], terms: Sequence[Term], scope: Scope) -> str:
    """Return the list of ``order by``."""
    parts = [
        f"{_collated(term)} {'desc' if key.descending else 'asc'} nulls last"
        for key, term in zip(order, terms, strict=True)
    ]
    return ", ".join((*parts, f"{scope.alias}.fid"))


def write_after(order: Sequence[SortKey], terms: Sequence[Term], position: Position, scope: Scope) -> str:
    """Return the condition on items that come after ``position``."""
    bindings = scope.bindings
    choices, same = [], []
    for key, term, value in zip(order, terms, position.values, strict=True):
        if value is None:
            same.append(f"{term.sql} is null")
            continue
        bound = _bind(term, value, bindings)
        sign = "<" if key.descending else ">"
        choices.append(" and ".join((*same, f"({_collated(term)} {sign} {bound} or {term.sql} is null)")))
        same.append(f"{term.sql} = {bound}")
    choices.append(" and ".join((*same, f"{scope.alias}.fid > {bindings.bind(position.fid)}")))
    return "(" + " or ".join(f"({choice})" for choice in choices) + ")"


def write_position(position: Position) -> str:
    """Return a position as text."""
    values = [value.isoformat() if isinstance(value, date) else value for value in position.values]
    return json.dumps([*values, position.fid])


def read_position(words: str, layer: VectorLayer, order: Sequence[SortKey]) -> Position:
    """Return the position ``write_position`` wrote; ValueError for one of another order."""
    parts = json.loads(words)
    if not isinstance(parts, list) or len(parts) != len(order) + 1 or type(parts[-1]) is not int:
        raise ValueError
    if not 0 <= parts[-1] < 2**63:
        raise ValueError
    values = [_read(layer.find(key.name), value) for key, value in zip(order, parts[:-1], strict=True)]
    return Position(tuple(values), parts[-1])


def _read(prop: Property | None, value: Any) -> Any:
    kind = prop.type if prop else "string"
    if value is None:
        return None
    if kind in ("date", "datetime"):
        return date.fromisoformat(value) if kind == "date" else datetime.fromisoformat(value)
    fitting = {"string": str, "boolean": bool, "integer": int, "number": int | float}[kind]
    if not isinstance(value, fitting) or (isinstance(value, int) and not -(2**63) <= value < 2**63):
        raise ValueError
    return value


def _bind(term: Term, value: object, bindings: Bindings) -> str:
    cast = {"text": "text", "boolean": "boolean", "date": "date", "moment": "timestamptz"}.get(term.kind)
    if cast is None:
        cast = "bigint" if isinstance(value, int) else "double precision"
    return f"{bindings.bind(value)}::{cast}"


def _collated(term: Term) -> str:
    return f"{term.sql} {_ALPHABET}" if term.kind == "text" else term.sql

"""Temporal functions of CQL2: a term as a stretch of time, and how two stretches lie to each other."""

from typing import NamedTuple

from layers.errors import InputError
from layers.store.query.terms import Scope, Term, describe, read_date, read_moment, to_moment

# OGC 21-065, table of temporal functions; a and b are closed, an instant has both ends equal.
RELATIONS = {
    "t_after": "{a0} > {b1}",
    "t_before": "{a1} < {b0}",
    "t_contains": "({a0} < {b0} and {a1} > {b1})",
    "t_disjoint": "({a0} > {b1} or {a1} < {b0})",
    "t_during": "({a0} > {b0} and {a1} < {b1})",
    "t_equals": "({a0} = {b0} and {a1} = {b1})",
    "t_finishedby": "({a0} < {b0} and {a1} = {b1})",
    "t_finishes": "({a0} > {b0} and {a1} = {b1})",
    "t_intersects": "({a0} <= {b1} and {a1} >= {b0})",
    "t_meets": "{a1} = {b0}",
    "t_metby": "{a0} = {b1}",
    "t_overlappedby": "({a0} > {b0} and {a0} < {b1} and {a1} > {b1})",
    "t_overlaps": "({a0} < {b0} and {a1} > {b0} and {a1} < {b1})",
    "t_startedby": "({a0} = {b0} and {a1} > {b1})",
    "t_starts": "({a0} = {b0} and {a1} < {b1})",
}


class Span(NamedTuple):
    """Begin and end of a stretch of time as SQL."""

    start: str
    end: str


def compare_times(operator: str, left: Span, right: Span) -> str:
    """Return the condition that ``left`` lies to ``right`` as ``operator`` says."""
    return RELATIONS[operator].format(a0=left.start, a1=left.end, b0=right.start, b1=right.end)


def to_span(term: Term, scope: Scope) -> Span:
    """Return a date, a moment, or text that says one, as a stretch of no length."""
    if term.kind == "text" and isinstance(term.value, str):
        term = read_end(term.value, scope)
    if term.kind not in ("date", "moment"):
        raise InputError(f"{describe(term)} is not a time")
    moment = to_moment(term).sql
    return Span(moment, moment)


def read_end(words: str, scope: Scope) -> Term:
    """Return one end of an interval, as date or as moment."""
    if "T" in words or "t" in words:
        return scope.bind("moment", read_moment(words))
    return scope.bind("date", read_date(words))

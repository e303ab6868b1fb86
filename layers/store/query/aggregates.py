"""Aggregates of a layer: count, length, area, sums and extremes by material, condition, age, class or area.

Groups are written as functions of properties: ``material``, ``year(installed)``, ``age(installed)``, ``class(height)``
(the classes of the layer's style), ``bins(height, 10)`` (a histogram), ``inside(wards)`` (the area a feature lies in,
by a point of it). Measures: ``count``, ``length``, ``area``, ``sum(p)``, ``avg(p)``, ``min(p)``, ``max(p)``.
One statement answers, the total included.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection

from layers.errors import InputError
from layers.schema import VectorLayer
from layers.store.meeting import write_meets
from layers.store.names import quote
from layers.store.origins import build_origin
from layers.store.query.filters import find_layer
from layers.store.query.selection import ItemQuery, Selection, build_selection, explain_failure
from layers.store.query.terms import Term, describe

MAX_GROUPS, MAX_TERMS, MAX_MEASURES, MAX_BINS = 1_000, 4, 10, 200
AGES = (0, 5, 10, 20, 30, 50)
_WORD = re.compile(r"\s*(\w+)\s*(?:\(\s*(\w+)\s*(?:,\s*(\d{1,6})\s*)?\))?\s*")
_SUMS = ("sum", "avg", "min", "max")
_GROUPS = "material, year(installed), age(installed), class(height), bins(height, 10), inside(wards)"
_MEASURES = "count, length, area, sum(p), avg(p), min(p), max(p)"


class Word(NamedTuple):
    """One term of a list: a function of a property (``year(installed)``), or a bare name."""

    text: str
    function: str | None
    name: str
    number: int | None


@dataclass(frozen=True, slots=True)
class Group:
    """A way to group as SQL: the key; what names it (a title, or the two ends of a histogram); a join it needs.

    ``edges`` are those of the classes a key counts, from its lower one; ``bins`` how many parts a histogram has.
    """

    word: Word
    key: str
    labels: tuple[str, ...] = ()
    join: str = ""
    edges: tuple[float, ...] = ()
    bins: int = 0


class Measure(NamedTuple):
    """What is computed of a group: an aggregate function, and what of each feature goes into it."""

    word: Word
    function: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Rows of groups, the largest first, the total of all, and whether groups were left out."""

    groups: list[dict[str, Any]]
    total: dict[str, Any]
    truncated: bool


def parse_words(words: str, name: str, most: int) -> list[Word]:
    """Return the terms of ``a,f(b),g(c,3)``; InputError names parameter ``name``."""
    found: list[Word] = []
    place = 0
    while True:
        match = _WORD.match(words, place)
        if match is None or (match.end() < len(words) and words[match.end()] != ","):
            hint = f"one or more of {_GROUPS if name == 'group_by' else _MEASURES}"
            raise InputError(f"{name} '{words[:80]}' cannot be read", hint=hint)
        bare = match[2] is None
        number = int(match[3]) if match[3] else None
        text = re.sub(r"\s", "", match[0])
        found.append(Word(text, None if bare else match[1], match[1] if bare else match[2], number))
        place = match.end() + 1
        if place > len(words):
            break
    if len(found) > most:
        raise InputError(f"{name} has {len(found)} terms, at most {most} are computed")
    if len({word.text for word in found}) < len(found):
        raise InputError(f"{name} '{words[:80]}' names a term twice")
    return found


def aggregate(
    connection: Connection, layer: VectorLayer, query: ItemQuery, *, group_by: str | None, measure: str = "count"
) -> Aggregate:
    """Return measures of the features of ``layer`` that match ``query``, in groups; InputError names a wrong term."""
    selection = build_selection(layer, query)
    words = parse_words(group_by, "group_by", MAX_TERMS) if group_by else []
    groups = [_read_group(word, place, selection) for place, word in enumerate(words)]
    measures = [_read_measure(word, selection) for word in parse_words(measure, "measure", MAX_MEASURES)]
    statement = _write_statement(selection, groups, measures)
    with explain_failure():
        rows = connection.exec_driver_sql(statement, selection.values).all()
    # The first row is the total.
    total, *listed = rows
    parts = [_read_row(row, groups, measures) for row in listed]
    return Aggregate(parts[:MAX_GROUPS], _read_row(total, [], measures), len(parts) > MAX_GROUPS)


def _write_statement(selection: Selection, groups: Sequence[Group], measures: Sequence[Measure]) -> str:
    """Return the statement whose rows are measures, then key and labels of each group; the total comes first."""
    read = [f"{group.key} as g{place}" for place, group in enumerate(groups)]
    labels = {(place, number): label for place, group in enumerate(groups) for number, label in enumerate(group.labels)}
    read += [f"{label} as n{place}_{number}" for (place, number), label in labels.items()]
    read += [f"{measure.value} as m{place}" for place, measure in enumerate(measures) if measure.value]
    joins = " ".join(group.join for group in groups)
    rows = f"select {', '.join(read) or 'true'} from {selection.write_origin()} {joins} where {selection.condition}"
    values = ", ".join(
        f"{each.function}(m{place})" if each.value else "count(*)" for place, each in enumerate(measures)
    )
    if not groups:
        return f"select {values} from ({rows}) as part"
    keys = ", ".join(f"g{place}" for place in range(len(groups)))
    named = "".join(f", min(n{place}_{number})" for place, number in labels)
    # 'grouping' tells the total from a group whose values are missing.
    return (
        f"select {values}, {keys}{named} from ({rows}) as part group by grouping sets (({keys}), ()) "
        f"order by grouping({keys}) desc, count(*) desc, {keys} limit {MAX_GROUPS + 2}"
    )


def _read_row(row: Sequence[Any], groups: Sequence[Group], measures: Sequence[Measure]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    labels = iter(row[len(measures) + len(groups) :])
    for group, key in zip(groups, row[len(measures) :], strict=False):
        named = [next(labels) for _ in group.labels]
        if key is None:
            values[group.word.text] = None
        elif group.bins:
            low, width = named[0], (named[1] - named[0]) / group.bins
            values[group.word.text] = {"from": low + (key - 1) * width, "to": low + key * width}
        elif group.edges:
            upper = group.edges[key] if key < len(group.edges) else None
            values[group.word.text] = {"from": group.edges[key - 1] if key else None, "to": upper}
        elif group.labels:
            values[group.word.text] = {"id": key, "name": named[0]}
        else:
            values[group.word.text] = key
    return values | {each.word.text: value for each, value in zip(measures, row, strict=False)}


def _read_group(word: Word, place: int, selection: Selection) -> Group:
    scope = selection.scope
    if word.function == "inside":
        return _group_by_area(word, place, selection)
    term = scope.read_property(word.name)
    if term.kind == "geometry":
        raise InputError("items cannot be grouped by their geometry", hint=_GROUPS)
    if word.function is None:
        return Group(word, term.sql)
    if word.function in ("year", "age"):
        year = _read_year(word, term)
        if word.function == "year":
            return Group(word, year)
        return _group_by_edges(word, f"extract(year from now())::integer - {year}", AGES)
    if word.function in ("class", "bins") and term.kind != "number":
        raise InputError(f"{word.function}() takes a number, not {describe(term)}")
    if word.function == "class":
        classes = scope.layer.style.classes
        if not classes:
            raise InputError(f"layer '{scope.layer.id}' declares no classes", hint=f"bins({word.name}, 10)")
        return _group_by_edges(word, term.sql, [lower for lower, _ in classes])
    if word.function == "bins":
        return _group_by_bins(word, place, term, selection)
    raise InputError(f"group_by '{word.text[:80]}' is not served", hint=_GROUPS)


def _read_year(word: Word, term: Term) -> str:
    if term.kind in ("date", "moment"):
        return f"extract(year from {term.sql})::integer"
    if term.prop is not None and term.prop.type == "integer":
        return f"{term.sql}::integer"
    raise InputError(f"{word.function}() takes a date or a year, not {describe(term)}")


def _group_by_edges(word: Word, value: str, edges: Sequence[float]) -> Group:
    """Return classes from each edge up to the next; key 0 is what lies below the first."""
    listed = ", ".join(repr(float(edge)) for edge in edges)
    key = f"width_bucket(({value})::double precision, array[{listed}]::double precision[])"
    return Group(word, key, edges=tuple(edges))


def _group_by_bins(word: Word, place: int, term: Term, selection: Selection) -> Group:
    bins = 10 if word.number is None else word.number
    if not 1 <= bins <= MAX_BINS:
        raise InputError(f"bins({word.name}, {bins}) has no such number of parts", hint=f"1 to {MAX_BINS}")
    ends = f"ends{place}"
    join = (
        f"cross join (select min({term.sql})::double precision as low, max({term.sql})::double precision as high "
        f"from {selection.write_origin()} where {selection.condition}) as {ends}"
    )
    key = (
        f"case when {term.sql} is null then null when {ends}.low < {ends}.high then "
        f"least(width_bucket({term.sql}::double precision, {ends}.low, {ends}.high, {bins}), {bins}) else 1 end"
    )
    return Group(word, key, labels=(f"{ends}.low", f"{ends}.high"), join=join, bins=bins)


def _group_by_area(word: Word, place: int, selection: Selection) -> Group:
    """Return the area of another layer that a point of the feature lies in, the first where areas overlap."""
    scope = selection.scope
    areas = find_layer(word.name)
    if areas.geometry != "MultiPolygon":
        raise InputError(f"nothing lies inside of layer '{areas.id}', which holds no areas")
    label = areas.style.label or ("name" if areas.find("name") else None)
    title = f"a.{quote(label)}::text" if label else "a.id"
    lies = write_meets("a.geom", "t.geom")
    if scope.layer.geometry != "Point":
        # The index knows the feature, not the point on it.
        lies = "a.geom && t.geom and ST_Intersects(a.geom, ST_PointOnSurface(t.geom))"
    others = build_origin(areas, [label] if label else [], scope.bindings, selection.past)
    join = (
        f"left join (select distinct on (t.fid) t.fid, a.id, {title} as title from {selection.write_origin()} "
        f"join {others} as a on {lies} "
        f"where {selection.condition} order by t.fid, a.fid) as area{place} on area{place}.fid = t.fid"
    )
    return Group(word, f"area{place}.id", labels=(f"area{place}.title",), join=join)


def _read_measure(word: Word, selection: Selection) -> Measure:
    if word.function is None and word.name in ("count", "length", "area"):
        if word.name == "count":
            return Measure(word, "count")
        wanted = {"length": "LineString", "area": "MultiPolygon"}[word.name]
        if selection.scope.layer.geometry != wanted:
            raise InputError(f"layer '{selection.scope.layer.id}' has no {word.name}: its features are no {wanted}s")
        return Measure(word, "sum", f"ST_{word.name.capitalize()}(t.geom)")
    if word.function not in _SUMS or word.number is not None:
        raise InputError(f"measure '{word.text[:80]}' is not served", hint=_MEASURES)
    term = selection.scope.read_property(word.name)
    number = term.kind == "number"
    if term.kind == "geometry" or (not number and word.function in ("sum", "avg")) or term.kind == "boolean":
        raise InputError(f"{word.function}() does not measure {describe(term)}")
    return Measure(word, word.function, f"{term.sql}::double precision" if number else term.sql)

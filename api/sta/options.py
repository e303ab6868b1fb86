"""Query options of SensorThings: $filter, $expand with options in brackets, $select, $orderby, $top, $skip, $count."""

import re
from collections.abc import Mapping
from dataclasses import replace

from api.sta.answers import SELF_NAMES
from api.sta.expressions import parse_expression
from layers.errors import InputError
from layers.store.sensing.entities import ENTITIES, Entity
from layers.store.sensing.sta_request import Expansion, Order, Query
from layers.store.sensing.sta_scope import ID_NAMES

DEEPEST_EXPANSION, MOST_EXPANSIONS, MOST_ORDERS, MOST_SKIPPED = 8, 24, 8, 2**53
LONGEST_OPTION = 10_000
INSIDE = ("$filter", "$expand", "$select", "$orderby", "$top", "$skip", "$count")
_OPTION = re.compile(r"(\$\w+)=(.*)", re.DOTALL)
_ORDER = re.compile(r"(.*?)(?:\s+(asc|desc))?", re.DOTALL | re.IGNORECASE)


def parse_query(entity: Entity, options: Mapping[str, str]) -> Query:
    """Return the query options for a set of ``entity``, or for one; InputError names the option and the piece.

    ``options`` may hold those of `INSIDE` and ``$skiptoken``, as text without percent-encoding.
    """
    return _parse(entity, options, 0, [0])


def _parse(entity: Entity, options: Mapping[str, str], depth: int, expansions: list[int]) -> Query:
    found = {name: value for name, value in options.items() if value is not None}
    return Query(
        filter=parse_expression(found["$filter"], "$filter") if "$filter" in found else None,
        orders=_parse_orders(found["$orderby"]) if "$orderby" in found else (),
        select=_parse_select(entity, found["$select"]) if "$select" in found else None,
        expand=_parse_expand(entity, found["$expand"], depth, expansions) if "$expand" in found else (),
        top=_parse_number("$top", found["$top"]) if "$top" in found else None,
        skip=_parse_number("$skip", found["$skip"]) if "$skip" in found else 0,
        count=_parse_truth("$count", found["$count"]) if "$count" in found else False,
        after=found.get("$skiptoken"),
        options=tuple(found.items()),
    )


def _parse_number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 16 and int(text) <= MOST_SKIPPED):
        raise InputError(f"{name} '{text[:40]}' is not a whole number from 0 up")
    return int(text)


def _parse_truth(name: str, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise InputError(f"{name} '{text[:40]}' is neither true nor false")
    return text.lower() == "true"


def _parse_select(entity: Entity, text: str) -> tuple[str, ...]:
    """Return the names of $select: attributes, links, id."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    for name in names:
        known = name in (*ID_NAMES, *SELF_NAMES) or entity.find_attribute(name) or entity.find_navigation(name)
        if not known:
            raise InputError(f"$select: '{entity.singular}' has nothing called '{name[:80]}'", hint=_list_names(entity))
    return names


def _parse_orders(text: str) -> tuple[Order, ...]:
    terms = split_outside(text, ",", "$orderby")
    if len(terms) > MOST_ORDERS:
        raise InputError(f"$orderby has {len(terms)} terms", hint=f"at most {MOST_ORDERS}")
    orders = []
    for term in terms:
        found = _ORDER.fullmatch(term.strip())
        assert found is not None
        orders.append(Order(parse_expression(found[1], "$orderby"), (found[2] or "asc").lower() == "desc"))
    return tuple(orders)


def _parse_expand(entity: Entity, text: str, depth: int, expansions: list[int]) -> tuple[Expansion, ...]:
    """Return the expansions of $expand; the same link named twice is merged."""
    if depth >= DEEPEST_EXPANSION:
        raise InputError(f"$expand is nested deeper than {DEEPEST_EXPANSION}")
    made: dict[str, Expansion] = {}
    for item in split_outside(text, ",", "$expand"):
        expansion = _parse_expansion(entity, item.strip(), depth, expansions)
        name = expansion.link.name
        made[name] = _merge(made[name], expansion) if name in made else expansion
    return tuple(made.values())


def _parse_expansion(entity: Entity, item: str, depth: int, expansions: list[int]) -> Expansion:
    expansions[0] += 1
    if expansions[0] > MOST_EXPANSIONS:
        raise InputError(f"$expand names more than {MOST_EXPANSIONS} links", hint="ask in several requests")
    path, bracket, rest = item.partition("(")
    name, slash, further = path.strip().partition("/")
    link = entity.find_navigation(name)
    if link is None:
        links = ", ".join(each.name for each in entity.navigations)
        raise InputError(f"$expand: '{entity.singular}' has no link '{name[:80]}'", hint=f"one of {links}")
    target = ENTITIES[link.target]
    if slash:
        inner = _parse_expand(target, further + bracket + rest, depth + 1, expansions)
        return Expansion(link, Query(expand=inner, options=(("$expand", further + bracket + rest),)))
    options: dict[str, str] = {}
    if bracket:
        if not rest.endswith(")"):
            raise InputError(f"$expand: '{item[:80]}' has no closing bracket")
        for part in split_outside(rest[:-1], ";", "$expand"):
            found = _OPTION.fullmatch(part.strip())
            if found is None or found[1] not in INSIDE:
                raise InputError(f"$expand: '{part[:80]}' is not an option", hint=f"one of {', '.join(INSIDE)}")
            if found[1] in options:
                raise InputError(f"$expand: {found[1]} of {name} is given twice")
            options[found[1]] = found[2]
    return Expansion(link, _parse(target, options, depth + 1, expansions))


def _merge(first: Expansion, second: Expansion) -> Expansion:
    """Return one expansion for a link named twice: ``Datastreams/Sensor,Datastreams/ObservedProperty``."""
    inner = {expansion.link.name: expansion for expansion in first.query.expand}
    for expansion in second.query.expand:
        name = expansion.link.name
        inner[name] = _merge(inner[name], expansion) if name in inner else expansion
    told = replace(second.query, expand=(), options=())
    if told != Query():
        raise InputError(f"$expand: '{first.link.name}' is named twice", hint="put all its options into one bracket")
    texts = [text for query in (first.query, second.query) for name, text in query.options if name == "$expand"]
    others = [pair for pair in first.query.options if pair[0] != "$expand"]
    joined = [("$expand", ",".join(texts))] if texts else []
    return Expansion(first.link, replace(first.query, expand=tuple(inner.values()), options=(*others, *joined)))


def split_outside(text: str, mark: str, option: str) -> list[str]:
    """Return the pieces of ``text`` between ``mark`` that stand in no brackets and no quotes."""
    if len(text) > LONGEST_OPTION:
        raise InputError(f"{option} has {len(text)} characters", hint=f"at most {LONGEST_OPTION}")
    pieces, start, depth, quoted = [], 0, 0, False
    for place, letter in enumerate(text):
        if letter == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif letter == "(":
            depth += 1
        elif letter == ")":
            depth -= 1
        elif letter == mark and depth == 0:
            pieces.append(text[start:place])
            start = place + 1
    if depth or quoted:
        raise InputError(f"{option}: a {'quote' if quoted else 'bracket'} of '{text[:80]}' has no partner")
    return [*pieces, text[start:]]


def _list_names(entity: Entity) -> str:
    names = [each.name for each in entity.attributes] + [each.name for each in entity.navigations]
    return f"one of id, {', '.join(names)}"

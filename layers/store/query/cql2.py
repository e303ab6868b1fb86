"""CQL2 filters as trees: text and JSON read into one form, within limits that no filter of a person reaches.

The tree is CQL2 JSON (OGC 21-065): ``{"op": "=", "args": [{"property": "use"}, "shop"]}``. ``filters.py``
makes SQL of it.
"""

import re
from collections.abc import Iterator
from typing import Any

import cql2
import orjson

from layers.errors import InputError, TooLargeError

MAX_LENGTH = 100_000
# An operation is two deep: itself, and the list of its arguments.
MAX_DEPTH = 80
MAX_PARTS = 10_000
_MAX_NESTING = 60
_MAX_OPERATORS = 1_000
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"")
_OPERATORS = re.compile(r"[-+*/%^]|\bnot\b|\bdiv\b", re.IGNORECASE)


LANGUAGES = ("cql2-text", "cql2-json", "cql-text")


def parse_filter(words: str, language: str = "cql2-text") -> Any:
    """Return the tree of a filter in ``cql2-text`` or ``cql2-json``; InputError shows where it cannot be read.

    ``cql-text`` is what the text was called in drafts, and what GDAL 3.6 calls it.
    """
    if language not in LANGUAGES:
        raise InputError(f"filter-lang '{language[:40]}' is not served", hint="use cql2-text or cql2-json")
    if len(words) > MAX_LENGTH:
        raise TooLargeError(f"the filter has {len(words)} characters, at most {MAX_LENGTH} are read")
    if not words.strip():
        raise InputError("the filter is empty", hint="write for instance: height > 3 and use = 'house'")
    tree = _parse_json(words) if language == "cql2-json" else _parse_text(words)
    check_size(tree)
    return tree


def check_size(tree: Any) -> None:
    """Raise TooLargeError for a tree too deep or with too many parts to be worth a database's time."""
    for parts, depth in enumerate(_walk(tree, 1), start=1):
        if depth > MAX_DEPTH:
            raise TooLargeError(f"the filter is nested more than {MAX_DEPTH // 2} deep")
        if parts > MAX_PARTS:
            raise TooLargeError(f"the filter has more than {MAX_PARTS} parts")


def _walk(node: Any, depth: int) -> Iterator[int]:
    """Yield the depth of every part of a tree; coordinates are none."""
    yield depth
    if depth > MAX_DEPTH:
        return
    if isinstance(node, dict):
        inside = [inner for key, inner in node.items() if key not in ("coordinates", "geometries")]
    else:
        inside = node if isinstance(node, list) else []
    for inner in inside:
        yield from _walk(inner, depth + 1)


def _parse_text(words: str) -> Any:
    _check_nesting(words)
    try:
        return cql2.parse_text(words).to_json()
    except cql2.ParseError as error:
        raise InputError(f"the filter cannot be read{_locate(str(error), words)}", hint=_expect(str(error))) from None


def _check_nesting(words: str) -> None:
    # The parser calls itself for every bracket and operator and would run out of stack, which ends the process.
    bare = _QUOTED.sub("''", words)
    depth = deepest = 0
    for letter in bare:
        depth += (letter == "(") - (letter == ")")
        deepest = max(deepest, depth)
    if deepest > _MAX_NESTING or len(_OPERATORS.findall(bare)) > _MAX_OPERATORS:
        raise TooLargeError(f"the filter has more than {_MAX_NESTING} nested brackets or {_MAX_OPERATORS} operators")


def _parse_json(words: str) -> Any:
    try:
        tree = orjson.loads(words)
    except orjson.JSONDecodeError as error:
        raise InputError(f"the filter is not JSON: {error}") from None
    if not isinstance(tree, dict | bool):
        raise InputError("the filter is not CQL2 JSON", hint='{"op": "=", "args": [{"property": "use"}, "shop"]}')
    return tree


def _locate(message: str, words: str) -> str:
    """Return where the parser stopped, in its own words cut short."""
    found = re.search(r"--> \d+:(\d+)", message)
    if found is None:
        return ""
    place = int(found[1]) - 1
    return f" at character {place + 1}: '{words[place : place + 30]}'" if place < len(words) else ": it ends too early"


def _expect(message: str) -> str | None:
    found = re.search(r"expected (.+)", message)
    if found is None:
        return None
    # Names of the grammar's rules that say nothing to a person are left out.
    names = [name for name in re.split(r", (?:or )?| or ", found[1]) if name not in ("EOI", "NotFlag", "UnaryNot")]
    return f"expected {', '.join(names[:8])}" if names else None

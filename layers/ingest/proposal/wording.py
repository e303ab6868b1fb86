"""Names of columns and codes compared: without diacritics, split into words, cut, shortened, misspelt."""

import re
import unicodedata
from difflib import SequenceMatcher
from functools import lru_cache
from typing import NamedTuple

# Shapefiles keep ten letters of a name.
CUT = 10
_WORD = re.compile(r"[A-Z]?[a-z]+\d*|[A-Z]+(?![a-z])\d*|\d+")
_LEAST_CUT, _LEAST_FUZZY, _ALIKE = 7, 5, 0.86


class Likeness(NamedTuple):
    """How much two names say the same, 0 to 1, and in what way."""

    score: float
    how: str


@lru_cache(maxsize=20_000)
def split_words(name: str) -> tuple[str, ...]:
    """Return the words of a name in snake, kebab or camel case, folded: ``DuongKinh_mm`` gives duong, kinh, mm."""
    bare = unicodedata.normalize("NFD", name.replace("Đ", "D").replace("đ", "d"))
    bare = "".join(letter for letter in bare if not unicodedata.combining(letter))
    return tuple(word.lower() for word in _WORD.findall(bare))


@lru_cache(maxsize=200_000)
def compare(words: tuple[str, ...], alias: tuple[str, ...]) -> Likeness:
    """Return how much the words of a column say what the words of an alias say."""
    if not words or not alias:
        return Likeness(0.0, "")
    name, other = "".join(words), "".join(alias)
    if name == other:
        return Likeness(1.0, "is")
    if len(name) >= _LEAST_CUT and other.startswith(name):
        return Likeness(0.94 if len(name) >= CUT - 2 else 0.88, "is the beginning of")
    ways = [_compare_sets(words, alias), _compare_short(name, alias), _compare_letters(name, other)]
    return max(ways, key=lambda way: way.score)


def _compare_sets(words: tuple[str, ...], alias: tuple[str, ...]) -> Likeness:
    """Compare as sets of words: one may say more than the other."""
    more, fewer = set(words) - set(alias), set(alias) - set(words)
    shared = len(set(words) & set(alias))
    if not shared or (more and fewer):
        return Likeness(0.0, "")
    if not fewer:
        base = 0.82 if shared > 1 else 0.62
        return Likeness(max(0.3, base - 0.1 * len(more)), "has the words of")
    return Likeness(0.7 * shared / len(set(alias)), "is part of")


def _compare_short(name: str, alias: tuple[str, ...]) -> Likeness:
    """Compare as a row of word beginnings (``rimelev``) or as initials (``cdd`` for cao độ đáy)."""
    if len(alias) > 1 and name == "".join(word[0] for word in alias):
        return Likeness(0.65 if len(name) > 2 else 0.5, "is the initials of")
    if len(alias) > 1 and len(alias[0]) > 2 and name == alias[0] + "".join(word[0] for word in alias[1:]):
        return Likeness(0.75, "shortens")
    if _is_row_of_beginnings(name, alias, 2 if len(alias) > 1 else 4):
        return Likeness(0.72 + 0.2 * len(name) / sum(map(len, alias)), "shortens")
    return Likeness(0.0, "")


def _is_row_of_beginnings(name: str, alias: tuple[str, ...], least: int) -> bool:
    if not alias:
        return not name
    longest = 0
    while longest < min(len(name), len(alias[0])) and name[longest] == alias[0][longest]:
        longest += 1
    return any(_is_row_of_beginnings(name[size:], alias[1:], least) for size in range(longest, least - 1, -1))


def _compare_letters(name: str, other: str) -> Likeness:
    if min(len(name), len(other)) < _LEAST_FUZZY:
        return Likeness(0.0, "")
    if len(other) < len(name) and (name.endswith(other) or name.startswith(other)):
        return Likeness(0.5, "holds")
    # The first letter is seldom wrong, and most pairs are too unlike to look closer.
    if name[0] != other[0] or 2 * min(len(name), len(other)) < _ALIKE * (len(name) + len(other)):
        return Likeness(0.0, "")
    ratio = SequenceMatcher(None, name, other).ratio()
    return Likeness(0.85 * ratio, "is spelt like") if ratio >= _ALIKE else Likeness(0.0, "")


@lru_cache(maxsize=20_000)
def drop_plurals(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words without the s of an English plural."""
    return tuple(re.sub(r"(?<=[a-z]{3})(?<!s)s$", "", word) for word in words)


def drop_common_prefix(names: list[str]) -> dict[str, tuple[str, ...]]:
    """Return the words of every name, without the first one where nearly all names share it (``p_rimelev``)."""
    split = {name: split_words(name) for name in names}
    first = [words[0] for words in split.values() if len(words) > 1 and len(words[0]) <= 4]
    common = max(set(first), key=first.count) if first else ""
    if len(names) < 4 or first.count(common) < 0.8 * len(names):
        return split
    return {name: words[1:] if words[:1] == (common,) else words for name, words in split.items()}

"""The text of a SWMM 5.2 input file: sections as tables. It knows the format and nothing of any network.

EPA SWMM 5.2 User's Manual, appendix D: a section is its name in brackets and one object a line, words apart by blanks;
a line has at most 1,024 characters; ``;`` begins a comment. Names are told apart without regard to case (hash.c).
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from layers.errors import InputError

LONGEST_LINE = 1024
_WIDEST = 40
Word = str | float | int


class Section(NamedTuple):
    """One section: its name without brackets, the titles of its columns with their units, its rows."""

    name: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[Word, ...]]


def write_inp(sections: Iterable[Section]) -> str:
    """Return the text of an input file with ``sections`` in their order; empty ones are left out.

    Raise InputError naming the section and row where a row has another number of words than titles, a number is none,
    or a word cannot be written.
    """
    return "\n".join(_write_section(section) for section in sections if section.rows)


def _write_section(section: Section) -> str:
    table = [[_write_word(word, section, row) for word in words] for row, words in enumerate(section.rows)]
    for row, words in enumerate(table):
        if len(words) != len(section.columns):
            raise InputError(f"{_place(section, row)} has {len(words)} words, expected {len(section.columns)}")
    titles = [f";;{section.columns[0]}", *section.columns[1:]]
    widths = [min(max(map(len, column)), _WIDEST) for column in zip(titles, *table, strict=True)]
    lines = [" ".join(word.ljust(width) for word, width in zip(words, widths, strict=True)).rstrip() for words in table]
    for row, line in enumerate(lines):
        if len(line.encode()) >= LONGEST_LINE:
            raise InputError(f"{_place(section, row)} is longer than {LONGEST_LINE} characters")
    head = " ".join(title.ljust(width) for title, width in zip(titles, widths, strict=True)).rstrip()
    return "\n".join([f"[{section.name}]", head, *lines]) + "\n"


def _write_word(word: Word, section: Section, row: int) -> str:
    if isinstance(word, str):
        if not is_word(word):
            raise InputError(f"{_place(section, row)} has the word '{word}', expected one without blanks, ';' and '\"'")
        return word
    return write_number(word, _place(section, row))


def write_number(number: float, place: str) -> str:
    """Return a number as text; InputError names the place where it is not finite."""
    if not np.isfinite(number):
        raise InputError(f"{place} has the number {number}, expected a finite one")
    # Ten digits hold a coordinate to the millimetre.
    return f"{number:.10g}"


def is_word(text: str) -> bool:
    """Return whether ``text`` is one word of an input file as it stands, or an empty one in quotes."""
    return text == '""' or (text != "" and not any(sign.isspace() or sign in ';"' for sign in text))


def _place(section: Section, row: int) -> str:
    return f"[{section.name}] row {row + 1}"


def name_objects(ids: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Return a name that SWMM accepts for each id, the id itself where it can be, no two alike, none that is ``taken``.

    Signs that cannot be in a name become ``_``; a name that is taken, in whatever case, gets a number.
    """
    names: dict[str, str] = {}
    used = {name.upper() for name in taken}
    for identifier in ids:
        plain = "".join("_" if sign.isspace() or sign in ';"[' else sign for sign in identifier) or "_"
        name, number = plain, 1
        while name.upper() in used:
            number += 1
            name = f"{plain}~{number}"
        names[identifier] = name
        used.add(name.upper())
    return names

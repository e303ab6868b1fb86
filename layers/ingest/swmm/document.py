"""A SWMM input file as a document: its lines in their order, each known by its words, changed one word at a time.

What is not changed is written as it was read, blanks and comments with it. EPA SWMM 5.2 User's Manual, appendix D;
words are cut as the engine cuts them (input.c, ``getTokens``): apart by blanks, one that begins with ``"`` up to the
next, all from ``;`` on a comment. Names are told apart without regard to the case of a–z (hash.c).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from layers.errors import InputError, NotFoundError, SourceError, TooLargeError
from layers.ingest.inp import LONGEST_LINE, Section, Word, is_word, write_inp, write_number
from layers.ingest.swmm.sections import find_section

LARGEST_TEXT = 64 * 1024 * 1024
"""Signs of a file at most."""

MOST_LINES = 2_000_000
_SPACES = " \t\r"
_BY_PAIRS = frozenset({"TAGS"})
"""Sections whose rows name the kind of the object first."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the document: its text, its words (none where it is a comment, blank or of the title).

    ``section`` is the one it stands in, ``number`` its line in the file it was read from, None where it was added.
    """

    text: str
    words: tuple[str, ...] = ()
    section: str = ""
    number: int | None = None

    @property
    def place(self) -> str:
        """Where it stands, as a person says it."""
        return f"[{self.section}] " + ("an added line" if self.number is None else f"line {self.number}")

    def read_number(self, position: int, default: float | None = None) -> float:
        """Return the word at ``position`` as a number; InputError names the line where it is none or not there."""
        if position >= len(self.words) or self.words[position] in ("", "*"):
            if default is not None:
                return default
            raise InputError(f"{self.place} has {len(self.words)} words, expected a number as word {position + 1}")
        return parse_number(self.words[position], self.place)


@dataclass(slots=True)
class Block:
    """A section as it stands in the document: the line of its name and the lines below."""

    name: str
    head: str
    rows: list[Row] = field(default_factory=list)


class Inp:
    """An input file in memory. Rows of a section that stands twice are one list; objects are found by name."""

    def __init__(self, blocks: Iterable[Block] = (), preamble: Iterable[str] = ()) -> None:
        self.preamble = list(preamble)
        self.blocks = list(blocks)
        self._indexes: dict[str, dict[str, list[tuple[Block, int]]]] = {}

    def copy(self) -> "Inp":
        """Return a document that can be changed without changing this one."""
        return Inp((Block(block.name, block.head, list(block.rows)) for block in self.blocks), self.preamble)

    @property
    def sections(self) -> tuple[str, ...]:
        """Names of the sections, in their order, each once."""
        return tuple(dict.fromkeys(block.name for block in self.blocks))

    @property
    def title(self) -> str:
        """The lines of the title, comments left out, as one text."""
        lines = (row.text.strip() for block in self.blocks if block.name == "TITLE" for row in block.rows)
        return "\n".join(line for line in lines if line and not line.startswith(";"))

    def set_title(self, title: str) -> None:
        """Replace the lines of the title; InputError for one whose line begins a section."""
        rows = [Row(line) for line in title.splitlines()]
        if any(row.text.lstrip().startswith("[") for row in rows):
            raise InputError(f"title '{title[:60]}' has a line that begins with '['")
        self.blocks = [block for block in self.blocks if block.name != "TITLE"]
        if rows:
            self.blocks.insert(0, Block("TITLE", "[TITLE]", [*rows, Row("")]))

    def rows(self, section: str) -> list[Row]:
        """Return the rows of ``section`` that have words."""
        return [row for block in self._find_blocks(section) for row in block.rows if row.words]

    def names(self, section: str) -> list[str]:
        """Return the names of the objects of ``section``, each once, as first written."""
        first: dict[str, str] = {}
        for row in self.rows(section):
            first.setdefault(fold_name(_name_row(section, row)), _name_row(section, row))
        return list(first.values())

    def find(self, section: str, name: str) -> list[Row]:
        """Return the rows of the object ``name``, none where there is none."""
        return [block.rows[position] for block, position in self._index(section).get(fold_name(name), ())]

    def read(self, section: str, name: str) -> Row:
        """Return the first row of the object ``name``; NotFoundError where there is none."""
        found = self.find(section, name)
        if not found:
            raise NotFoundError(f"[{section}] has no '{name}'")
        return found[0]

    def option(self, name: str, default: str = "") -> str:
        """Return the value of an option as written, ``default`` where it is not given."""
        # As the engine does, the last one given holds.
        found = self.find("OPTIONS", name)
        return found[-1].words[1] if found and len(found[-1].words) > 1 else default

    def set_option(self, name: str, value: Word) -> None:
        """Give an option a value."""
        if self.find("OPTIONS", name):
            self.replace("OPTIONS", name, {1: value})
        else:
            self.add("OPTIONS", (name, value))

    def replace(self, section: str, name: str, words: Mapping[int, Word], *, nth: int = 0) -> None:
        """Give words of the ``nth`` row of an object new values; the rest of its line stays as it is.

        ``words`` by position, 0 the name; one just behind the last is appended. InputError where positions would be
        left empty between, NotFoundError where there is no such row.
        """
        found = self._index(section).get(fold_name(name), ())
        if nth >= len(found):
            raise NotFoundError(f"[{section}] has no row {nth + 1} of '{name}'")
        block, position = found[nth]
        block.rows[position] = _change_row(block.rows[position], words, section)
        if 0 in words or section in _BY_PAIRS:
            self._indexes.pop(section, None)

    def add(self, section: str, words: Sequence[Word]) -> None:
        """Add a row at the end of ``section``, which is made where there is none."""
        text = _join_words([write_word(word, section) for word in words], section)
        blocks = self._find_blocks(section)
        if not blocks:
            if self.blocks and self.blocks[-1].rows and self.blocks[-1].rows[-1].text.strip():
                self.blocks[-1].rows.append(Row(""))
            self.blocks.append(Block(section, f"[{section}]"))
            blocks = self.blocks[-1:]
        rows = blocks[-1].rows
        last = next((position for position in reversed(range(len(rows))) if rows[position].words), None)
        row = Row(text, tuple(word for word, _, _ in cut_words(text)), section)
        # Before the blank line that parts it from the next section.
        rows.insert(_end_of_text(rows) if last is None else last + 1, row)
        self._indexes.pop(section, None)

    def remove(self, section: str, name: str) -> int:
        """Remove all rows of an object and return how many there were."""
        found = self._index(section).get(fold_name(name), ())
        for block, position in reversed(found):
            del block.rows[position]
        self._indexes.pop(section, None)
        return len(found)

    def keep(self, section: str, wanted: Iterable[Row]) -> None:
        """Keep of the rows with words of ``section`` only those ``wanted``; comments stay."""
        kept = {id(row) for row in wanted}
        for block in self._find_blocks(section):
            block.rows = [row for row in block.rows if not row.words or id(row) in kept]
        self._indexes.pop(section, None)

    def _find_blocks(self, section: str) -> list[Block]:
        return [block for block in self.blocks if block.name == section]

    def _index(self, section: str) -> dict[str, list[tuple[Block, int]]]:
        if section not in self._indexes:
            index: dict[str, list[tuple[Block, int]]] = {}
            for block in self._find_blocks(section):
                for position, row in enumerate(block.rows):
                    if row.words:
                        index.setdefault(fold_name(_name_row(section, row)), []).append((block, position))
            self._indexes[section] = index
        return self._indexes[section]


def read_inp(text: str, *, largest: int = LARGEST_TEXT, find: Callable[[str, int], str] = find_section) -> Inp:
    """Return the document of an input file's text; ``find`` tells the section that a word at a line begins.

    Raise TooLargeError above ``largest`` signs or ``MOST_LINES`` lines, SourceError naming the line where a section is
    unknown, a line too long, or something stands before the first section.
    """
    if len(text) > largest:
        raise TooLargeError(f"the file has {len(text):,} signs, expected at most {largest:,}")
    if "\0" in text:
        raise SourceError("the file has signs of value 0, expected text", hint="is it a SWMM input file (.inp)?")
    lines = text.split("\n")
    if len(lines) > MOST_LINES:
        raise TooLargeError(f"the file has {len(lines):,} lines, expected at most {MOST_LINES:,}")
    if lines[-1] == "":
        lines.pop()
    document = Inp()
    for number, raw in enumerate(lines, start=1):
        line = raw.rstrip("\r")
        words = cut_words(line)
        if words and len(line.encode()) >= LONGEST_LINE:
            raise SourceError(f"line {number} has {len(line.encode())} characters, expected less than {LONGEST_LINE}")
        if words and words[0][0].startswith("["):
            document.blocks.append(Block(find(words[0][0].strip("[]"), number), line))
        elif document.blocks:
            block = document.blocks[-1]
            own = () if block.name == "TITLE" else tuple(word for word, _, _ in words)
            block.rows.append(Row(line, own, block.name, number))
        elif words:
            raise SourceError(
                f"line {number} stands before the first section: '{line.strip()[:60]}'",
                hint="is it a SWMM input file (.inp)? It begins with [TITLE] or [OPTIONS]",
            )
        else:
            document.preamble.append(line)
    if not document.blocks:
        raise SourceError("the file has no section", hint="is it a SWMM input file (.inp)?")
    return document


def write_document(document: Inp) -> str:
    """Return the text of a document; one that was read and not changed has the lines it was read from."""
    lines = list(document.preamble)
    for block in document.blocks:
        lines.append(block.head)
        lines.extend(row.text for row in block.rows)
    return "\n".join(lines) + "\n"


def build_document(sections: Iterable[Section]) -> Inp:
    """Return the document of tables, written as ``write_inp`` writes them."""
    return read_inp(write_inp(sections))


def fold_name(name: str) -> str:
    """Return a name as SWMM compares it: a–z as A–Z, all else as it is."""
    return name.upper() if name.isascii() else "".join(sign.upper() if sign.isascii() else sign for sign in name)


def cut_words(line: str) -> list[tuple[str, int, int]]:
    """Return the words of a line, each with where it begins and ends in it, quotes included."""
    comment = line.find(";")
    if comment >= 0:
        line = line[:comment]
    words, position, length = [], 0, len(line)
    while position < length:
        if line[position] in _SPACES:
            position += 1
            continue
        start = position
        if line[position] == '"':
            end = line.find('"', start + 1)
            end = length if end < 0 else end
            words.append((line[start + 1 : end], start, min(end + 1, length)))
            position = end + 1
            continue
        while position < length and line[position] not in _SPACES:
            position += 1
        words.append((line[start:position], start, position))
    return words


def parse_number(word: str, place: str) -> float:
    """Return a word as a finite number; InputError names the place and the word where it is none."""
    try:
        # Python reads 1_000 and nan, SWMM does not.
        value = float(word) if "_" not in word else np.nan
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise InputError(f"{place} has '{word[:40]}', expected a number")
    return value


def write_word(word: Word, place: str) -> str:
    """Return a word as it stands in a file, quoted where it needs to be; InputError where it cannot stand in one."""
    if not isinstance(word, str):
        return write_number(word, place)
    if is_word(word):
        return word
    if '"' in word or ";" in word or "\n" in word or "\r" in word:
        raise InputError(f"[{place}] has the word '{word[:60]}', expected one without ';', '\"' and line ends")
    return f'"{word}"'


def _name_row(section: str, row: Row) -> str:
    if section in _BY_PAIRS and len(row.words) > 1:
        return f"{row.words[0]} {row.words[1]}"
    return row.words[0]


def _change_row(row: Row, words: Mapping[int, Word], section: str) -> Row:
    text = row.text
    for position in sorted(words):
        word = write_word(words[position], section)
        cut = cut_words(text)
        if position > len(cut):
            raise InputError(f"{row.place} has {len(cut)} words, expected {position} before '{word}'")
        if position == len(cut):
            end = cut[-1][2]
            text = f"{text[:end]} {word}{_take_blanks(text[end:], len(word) + 1)}"
        else:
            _, start, end = cut[position]
            text = text[:start] + word + _fit_blanks(text[end:], end - start, len(word))
    if len(text.encode()) >= LONGEST_LINE:
        raise InputError(f"{row.place} becomes longer than {LONGEST_LINE} characters")
    return Row(text, tuple(word for word, _, _ in cut_words(text)), row.section, row.number)


def _fit_blanks(rest: str, old: int, new: int) -> str:
    """Return what follows a word whose length changed, in its old column where it can be."""
    if not rest.strip():
        return rest
    if rest[0] not in _SPACES and rest[0] != ";":
        rest = f" {rest}"
    return " " * (old - new) + rest if new <= old else _take_blanks(rest, new - old)


def _take_blanks(rest: str, count: int) -> str:
    """Return ``rest`` with ``count`` of its first blanks less, one of them kept; a comment gets one."""
    if not rest.strip():
        return ""
    blanks = len(rest) - len(rest.lstrip(" "))
    if not blanks:
        return f" {rest}" if rest[0] == ";" else rest
    return rest[min(count, blanks - 1) :]


def _join_words(words: Sequence[str], section: str) -> str:
    text = " ".join(word.ljust(16) if position == 0 else word.ljust(10) for position, word in enumerate(words)).rstrip()
    if len(text.encode()) >= LONGEST_LINE:
        raise InputError(f"[{section}] gets a row longer than {LONGEST_LINE} characters")
    return text


def _end_of_text(rows: Sequence[Row]) -> int:
    end = len(rows)
    while end and not rows[end - 1].text.strip():
        end -= 1
    return end

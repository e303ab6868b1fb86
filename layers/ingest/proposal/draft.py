"""A proposed mapping: each line with its confidence and reasons, written as YAML that is valid as it stands."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from layers.schema import VectorLayer

# Below this a line is written, but commented out: nothing is guessed silently.
SURE = 0.6
_PLAIN = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
_WORDS = frozenset({"yes", "no", "on", "off", "true", "false", "null"})
_LONGEST = 110


@dataclass(frozen=True, slots=True)
class Guess:
    """One value with how sure it is, 0 to 1, and why."""

    value: Any
    confidence: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A property and the columns that feed it; ``parts`` are the rule's other words, each a guess of its own.

    ``unknown`` lists values without a code and in how many rows they are.
    """

    name: str
    columns: tuple[str, ...]
    confidence: float
    why: str
    parts: dict[str, Guess] = field(default_factory=dict)
    unknown: tuple[tuple[str, int], ...] = ()

    @property
    def is_sure(self) -> bool:
        """Whether the line is written to be used."""
        return self.confidence >= SURE


@dataclass(frozen=True, slots=True)
class Unmapped:
    """A column no property takes: its first values, and why."""

    column: str
    shown: str
    why: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposed mapping of one file to one layer; ``ranking`` lists the layers that fit next best."""

    file: str
    layer: VectorLayer
    layer_guess: Guess
    ranking: tuple[tuple[str, float], ...]
    id: Guess
    geometry: Guess | None
    crs: tuple[Guess, ...]
    constants: dict[str, Guess]
    ignored: dict[str, str]
    lines: tuple[Line, ...]
    unmapped: tuple[Unmapped, ...]
    missing: tuple[str, ...]
    condition: Guess | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the draft as plain values for JSON."""
        return {
            "file": self.file,
            "layer": self.layer.id,
            "confidence": round(self.layer_guess.confidence, 2),
            "why": self.layer_guess.why,
            "ranking": [{"layer": name, "share": round(share, 2)} for name, share in self.ranking],
            "id": _plain(self.id),
            "geometry": _plain(self.geometry),
            "crs": [_plain(guess) for guess in self.crs],
            "where": _plain(self.condition),
            "set": {name: _plain(guess) for name, guess in self.constants.items()},
            "properties": [
                {
                    "name": line.name,
                    "columns": list(line.columns),
                    "confidence": round(line.confidence, 2),
                    "why": line.why,
                    "active": line.is_sure,
                    "rule": {word: _plain(guess) for word, guess in line.parts.items()},
                    "unknown": dict(line.unknown),
                }
                for line in self.lines
            ],
            "ignore": self.ignored,
            "missing": list(self.missing),
            "unmapped": {one.column: {"values": one.shown, "why": one.why} for one in self.unmapped},
        }


def _plain(guess: Guess | None) -> dict[str, Any] | None:
    if guess is None:
        return None
    return {"value": guess.value, "confidence": round(guess.confidence, 2), "why": guess.why}


def write_draft(draft: Draft) -> str:
    """Return the draft as YAML: what is sure to be used, what is not as comments, and each line's reasons."""
    return "\n".join(_list_lines(draft)) + "\n"


def _list_lines(draft: Draft) -> Iterator[str]:
    yield f"# Đề xuất ánh xạ cho {draft.file}, cần xem lại. Số đầu mỗi ghi chú là độ tin cậy (0–1)."
    yield f"# Proposed mapping for {draft.file}, to be reviewed. The number before a reason is the confidence (0–1)."
    yield f"# Lines below {SURE} are commented out: take the # away from those that are right."
    yield "layers:"
    yield f"  - layer: {draft.layer.id}{_note(draft.layer_guess)}"
    if len(draft.ranking) > 1:
        yield "    # next: " + ", ".join(f"{name} {share:.2f}" for name, share in draft.ranking[1:])
    if draft.condition is not None:
        yield from _field("where", draft.condition)
    yield from _field("id", draft.id)
    if draft.geometry is not None:
        yield from _field("geometry", draft.geometry)
    yield from _list_constants(draft)
    if draft.ignored:
        yield "    ignore:  # personal data, neither loaded nor kept; keep: [column] loads what is an organisation's"
        for column, why in draft.ignored.items():
            yield f"      - {scalar(column)}  # {_clean(why)}"
    if any(line.is_sure for line in draft.lines):
        yield "    properties:"
    elif draft.lines:
        yield "    # properties:"
    for line in draft.lines:
        yield from _list_property(line)
    for guess in draft.crs:
        yield f"{'' if guess.confidence >= SURE else '# '}crs: {scalar(guess.value)}{_note(guess)}"
    if draft.unmapped:
        yield "# Không ánh xạ · not mapped:"
        for one in draft.unmapped:
            yield f"#   {_clean(one.column)}: {_clean(one.shown)}{f'  ({_clean(one.why)})' if one.why else ''}"


def _field(name: str, guess: Guess) -> Iterator[str]:
    lead = "    " if guess.confidence >= SURE else "    # "
    yield f"{lead}{name}: {flow(guess.value)}{_note(guess)}"


def _list_constants(draft: Draft) -> Iterator[str]:
    sure = {name: guess for name, guess in draft.constants.items() if guess.confidence >= SURE}
    for name, guess in draft.constants.items():
        if name not in sure:
            yield f"    # set: {{{name}: {scalar(guess.value)}}}{_note(guess)}"
    if sure:
        yield "    set:"
        for name, guess in sure.items():
            yield f"      {name}: {scalar(guess.value)}{_note(guess)}"
    for name in draft.missing:
        prop = draft.layer.find(name)
        codes = ", ".join(code.value for code in prop.codes) if prop else ""
        told = f"; one of {codes}" if codes else ""
        yield f"    # set: {{{name}: ...}}  # REQUIRED and not found: without it every row is quarantined{told}"


def _list_property(line: Line) -> Iterator[str]:
    lead = "      " if line.is_sure else "      # "
    note = f"  # {line.confidence:.2f} {_clean(line.why)}"
    if not line.parts and not line.unknown and len(line.columns) == 1:
        yield f"{lead}{line.name}: {scalar(line.columns[0])}{note}"
        return
    yield f"{lead}{line.name}:{note}"
    if len(line.columns) == 1:
        yield f"{lead}  column: {scalar(line.columns[0])}"
    else:
        yield f"{lead}  columns: {flow(list(line.columns))}"
    for word, guess in line.parts.items():
        inner = lead if guess.confidence >= SURE or not line.is_sure else f"{lead}# "
        if isinstance(guess.value, dict):
            yield f"{inner}  {word}:{_note(guess)}"
            for value, target in guess.value.items():
                yield f"{inner}    {_quote(value)}: {scalar(target)}"
        else:
            yield f"{inner}  {word}: {flow(guess.value)}{_note(guess)}"
    for value, count in line.unknown[:12]:
        yield f"{lead}  # no code found: {_clean(_quote(value))} in {count} rows"
    if len(line.unknown) > 12:
        yield f"{lead}  # … and {len(line.unknown) - 12} values more"


def _note(guess: Guess) -> str:
    return f"  # {guess.confidence:.2f} {_clean(guess.why)}".rstrip()


def _clean(words: str) -> str:
    """Return the words on one line without control characters, not too long for a comment."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in words).split())
    return line if len(line) <= _LONGEST else line[:_LONGEST] + "…"


def scalar(value: Any) -> str:
    """Return a value as YAML on one line, quoted where it could be read as something else."""
    if value is None:
        return "null"
    if not isinstance(value, str):
        return json.dumps(value)
    return value if _PLAIN.match(value) and value.lower() not in _WORDS else _quote(value)


def _quote(text: str) -> str:
    """Return text in double quotes; what YAML does not allow in a file is written by its number."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in escaped) + '"'


def flow(value: Any) -> str:
    """Return a value, list or table as YAML on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(str(key))}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return scalar(value)

"""Which encoding a file's text is in, with a stated confidence, and the same text as NFC Unicode.

Every reading of the odd words (those with a letter outside ASCII) is scored: can its words be Vietnamese syllables,
at least words of some language, or neither? A wrong table makes neither. Readings that agree decide nothing, and a
text that reads well as it stands is left as it stands: São Paulo stays São Paulo.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Any

import numpy as np
import pandas as pd

from layers.errors import InputError
from layers.ingest.text.alphabets import READERS, Reader, to_byte_text
from layers.ingest.text.syllables import is_syllable

SURE = 0.8
_GOOD_ENOUGH = 1.5  # two words of three reading well are as good as all: the others are foreign or codes
_LARGEST_SAMPLE = 2000
_LEGACY = ("tcvn3", "vni", "viscii", "cp1258")
_ALIASES = {
    "abc": "tcvn3", "tcvn": "tcvn3", "vni-windows": "vni", "vni-win": "vni", "utf8": "utf-8", "utf-8-sig": "utf-8",
    "windows-1258": "cp1258", "windows-1252": "cp1252", "latin-1": "cp1252", "latin1": "cp1252",
    "iso-8859-1": "cp1252", "nfc": "unicode", "nfd": "unicode",
}  # fmt: skip
_KINDS = ("syllable", "word", "rare", "odd")
# What one word tells, by what it reads as: the chance to meet such a word if the reading were right.
_WORTH = {"syllable": 0.9, "word": 0.03, "rare": 0.01, "odd": 0.004, "none": 0.02}
_WORTH_AS_IT_IS = _WORTH | {"word": 0.2, "rare": 0.02, "none": 0.002}
# The chance of a reading before a word is seen, against one old encoding; UTF-8 does not come about by accident.
_PRIORS = {"unicode": 3.0, "cp1252": 3.0, "utf-8": 30.0}
_ODD_LETTER = re.compile("[\x02\x05\x06\x14\x19\x1e\x80-\U0010ffff]")
_ODD_CELL = re.compile("[?\x02\x05\x06\x14\x19\x1e\x80-\U0010ffff]")
_TOKEN = re.compile("[A-Za-z\x02\x05\x06\x14\x19\x1e\x80-\U0010ffff]+")
_SYMBOLS = re.compile("(?:[mkcd]{0,2}m?[²³]|[nN]?°[CFNESW]?|[ØøΦ×±½¼¾•–—·…“”‘’ªº\x93-\x97\xa0]+|µm)")
_RARE = re.compile("[ÐðÞþ]|(?![çÇ][ãõÃÕ]|[öäüÖÄÜ]ß)[À-ÿ]{2}")
_EDGES = "“”‘’–—…•·\u200b\ufeff"
_LOST = re.compile(r"\ufffd|\?(?=[^\W\d_])|(?<=[^\W\d_])\?\?")
_NO_PROSE = re.compile(r"://|\?.*=")


@dataclass(frozen=True, slots=True)
class Encoding:
    """The encoding of a file's text: ``name``, how sure, and the ``candidates`` with theirs, best first.

    ``lost`` counts sampled texts with '?' or U+FFFD in place of letters; ``given`` marks a choice of the user;
    ``of_bytes`` says that the text stands for bytes, all in this encoding, and not for Unicode typed by many hands.
    """

    name: str
    confidence: float
    candidates: tuple[tuple[str, float], ...] = ()
    lost: int = 0
    given: bool = False
    of_bytes: bool = False

    @property
    def is_sure(self) -> bool:
        """Whether the choice needs no second look."""
        return self.given or self.confidence >= SURE

    def describe(self) -> str:
        """Return the choice as one line for the report."""
        others = ", ".join(f"{name} {sure:.2f}" for name, sure in self.candidates if name != self.name)
        words = f"text encoding {self.name}"
        if not self.given:
            words += f", confidence {self.confidence:.2f}"
        elif self.candidates and self.candidates[0][0] != self.name:
            words += f" as given, though the text looks like {self.candidates[0][0]}"
        else:
            words += " as given"
        if not self.is_sure:
            words += f"; it may be {others}" if others else "; it may be another"
            words += ": say which with --encoding"
        return words + (f"; {self.lost} sampled texts lost letters to '?'" if self.lost else "")


def choose_encoding(texts: Sequence[str], *, undecoded: bool, given: str | None = None) -> Encoding:
    """Return the encoding of ``texts`` with a confidence, or the ``given`` one.

    ``undecoded``: the characters stand for bytes (U+0000–U+00FF). Otherwise the text is Unicode, which may still hold
    the codes of an old font, or UTF-8 read as something else ("mojibake"). Text in ASCII alone is "ascii". What is not
    sure is left as it stands, with the candidates beside it. InputError names an unknown ``given``.
    """
    name = None if given is None else _find_name(given, undecoded=undecoded)
    distinct = list(dict.fromkeys(texts))
    lost = sum(is_lost(text) for text in distinct)
    tokens = _collect_tokens(distinct)
    if not tokens:
        plain = "ascii" if all(map(str.isascii, distinct)) else "cp1252" if undecoded else "unicode"
        return Encoding(name or plain, 1.0, (), lost, name is not None, undecoded)
    ranked = _rank(tokens, undecoded=undecoded)
    if name is not None:
        return Encoding(name, 1.0, ranked[:4], lost, True, undecoded)
    chosen, sure = ranked[0]
    if sure < SURE:
        stands = ("cp1252" if undecoded else "unicode", 0.0)
        chosen, sure = max((one for one in (stands, *ranked) if one[0] in _PRIORS), key=lambda one: one[1])
    return Encoding(chosen, sure, ranked[:4], lost, False, undecoded)


def _find_name(given: str, *, undecoded: bool) -> str:
    """Return our name of an encoding; on text that is Unicode already, utf-8 can only mean mojibake."""
    name = _ALIASES.get(given.strip().lower(), given.strip().lower())
    known = ("ascii", "unicode", "mojibake", *READERS)
    if name.removeprefix("utf-8>") not in known:
        raise InputError(f"encoding '{given}' is not known", hint=f"use one of {', '.join(known)}")
    if undecoded:
        return "utf-8" if name in ("ascii", "unicode") else f"utf-8>{name}" if name == "mojibake" else name
    return {"utf-8": "mojibake", "cp1252": "unicode", "ascii": "unicode"}.get(name, name.removeprefix("utf-8>"))


def _collect_tokens(texts: Sequence[str]) -> list[str]:
    """Return the distinct words with a letter outside ASCII, without signs of measure such as m² and Ø."""
    found: dict[str, None] = {}
    for text in texts:
        if not _ODD_LETTER.search(text):
            continue
        for token in _TOKEN.findall(text):
            if _ODD_LETTER.search(token) and not _SYMBOLS.fullmatch(token):
                found[token] = None
        if len(found) >= _LARGEST_SAMPLE:
            break
    return list(found)


def _rank(tokens: list[str], *, undecoded: bool) -> tuple[tuple[str, float], ...]:
    """Return the readings with their confidence, best first: their share, less where few words read well in them."""
    plain = ("utf-8", "cp1252") if undecoded else ("unicode",)
    over = ("utf-8>mojibake", *(f"utf-8>{name}" for name in _LEGACY)) if undecoded else ("mojibake",)
    seen: set[tuple[str | None, ...]] = set()
    scores, quality = {}, {}
    for name in (*plain, *_LEGACY, *over):
        read = _find_reader(name)
        made = tuple(read(token) for token in tokens)
        if made in seen:  # two readings that agree on every word are one; the plainest name stands for both
            continue
        seen.add(made)
        kinds = Counter(map(_judge, made))
        worth = _WORTH_AS_IT_IS if name in plain else _WORTH
        scores[name] = sum(count * math.log(worth[kind]) for kind, count in kinds.items())
        scores[name] += math.log(_PRIORS.get(name, 1.0))
        good = kinds["syllable"] + (kinds["word"] + kinds["rare"]) * (1.0 if name in plain else 0.5)
        quality[name] = good / max(1, len(tokens) - (0 if undecoded else kinds["none"]))
    best = max(scores.values())
    total = sum(math.exp(score - best) for score in scores.values())
    shares = {name: math.exp(score - best) / total for name, score in scores.items()}
    sure = {name: round(share * min(1.0, _GOOD_ENOUGH * quality[name]), 3) for name, share in shares.items()}
    return tuple((name, sure[name]) for name in sorted(scores, key=scores.__getitem__, reverse=True))


@lru_cache(maxsize=65_536)
def _judge(text: str | None) -> str:
    """Return what a decoded word is: a "syllable", a "word" of some language, a "rare" sort of word, "odd", or "none".

    Rare are letters in a row that Western languages hardly have: öô, Ð.
    """
    if text is None:
        return "none"
    kinds = {_judge_part(part) for part in text.strip(_EDGES).split()} or {"word"}
    return max(kinds, key=_KINDS.index)


def _judge_part(part: str) -> str:
    if _SYMBOLS.fullmatch(part):
        return "word"
    if not all(letter.isalpha() and letter not in "µªº" for letter in part):
        return "odd"
    if part not in (part.lower(), part.upper()) and part[1:] != part[1:].lower():
        return "odd"
    if is_syllable(part):
        return "syllable"
    if len({_find_script(letter) for letter in part}) > 1:
        return "odd"
    return "rare" if _RARE.search(part) else "word"


@cache
def _find_script(letter: str) -> str:
    return unicodedata.name(letter, "UNKNOWN").split()[0]


@cache
def _find_reader(name: str) -> Reader:
    """Return what makes Unicode of one text; None from it means: not in this encoding."""
    if name in ("unicode", "ascii"):
        return partial(unicodedata.normalize, "NFC")
    if name.startswith("utf-8>"):
        return partial(_read_twice, second=_find_reader(name.removeprefix("utf-8>")))
    return partial(_read_bytes, read=READERS["utf-8" if name == "mojibake" else name])


def _read_bytes(text: str, *, read: Reader) -> str | None:
    found = to_byte_text(text)
    return None if found is None else read(found)


def _read_twice(text: str, *, second: Reader) -> str | None:
    first = _read_bytes(text, read=READERS["utf-8"])
    return None if first is None else second(first)


def is_lost(text: str) -> bool:
    """Return whether letters of ``text`` were replaced by '?' or U+FFFD: "Ph??ng". They cannot be brought back."""
    found = _LOST.search(text)
    return found is not None and (found[0] == "\ufffd" or not _NO_PROSE.search(text))


def decode_text(text: str, encoding: Encoding) -> tuple[str, str | None]:
    """Return ``text`` as NFC Unicode and what was done to it, None where nothing was.

    A cell that cannot be in the encoding is left as it stands, and so is one typed in Unicode that reads worse decoded.
    """
    plain = unicodedata.normalize("NFC", text)
    if encoding.name in ("unicode", "ascii"):
        return plain, None if plain == text else "composed to NFC"
    made = _find_reader(encoding.name)(text)
    if made is None:
        if encoding.name.startswith("utf-8"):
            return _replace_broken(text), "not UTF-8"
        return plain, "already Unicode"
    if not encoding.of_bytes and made != plain and _rate(plain) < _rate(made):
        return plain, "left as it stands"
    return made, None if made == text else f"decoded from {encoding.name}"


def _replace_broken(text: str) -> str:
    found = to_byte_text(text)
    made = text if found is None else found.encode("latin-1").decode("utf-8", errors="replace")
    return unicodedata.normalize("NFC", made)


def _rate(text: str) -> int:
    """Return how badly a text reads: 0 where all its words can be Vietnamese, up to 3 for an odd one."""
    return max((_KINDS.index(_judge(token)) for token in _collect_tokens([text])), default=0)


def decode_frame(frame: pd.DataFrame, encoding: Encoding, counted: "Counter[str] | None" = None) -> pd.DataFrame:
    """Return ``frame`` with column names and text cells as NFC Unicode; ``counted`` gains what was done to how many.

    A name that would appear twice keeps its old form.
    """
    counts: Counter[str] = Counter() if counted is None else counted
    made = {name: _decode_column(frame[name], encoding, counts) for name in frame.columns}
    names: dict[object, object] = {}
    for name in frame.columns:
        wanted = decode_text(name, encoding)[0] if isinstance(name, str) else name
        names[name] = name if wanted in names.values() else wanted
    return pd.DataFrame({names[name]: column for name, column in made.items()}, index=frame.index)


def _decode_column(column: "pd.Series[Any]", encoding: Encoding, counts: "Counter[str]") -> "pd.Series[Any]":
    """Decode the distinct texts of a column once each; columns without text, or in plain ASCII, pass as they are."""
    if not (pd.api.types.is_object_dtype(column.dtype) or pd.api.types.is_string_dtype(column.dtype)):
        return column
    places, distinct = pd.factorize(column.astype(object))
    needs = _ODD_CELL.search
    odd = [at for at, cell in enumerate(distinct) if isinstance(cell, str) and needs(cell)]
    if not odd:
        return column
    often = np.bincount(places[places >= 0], minlength=len(distinct))
    made = np.asarray(distinct, dtype=object).copy()
    for at in odd:
        made[at], done = decode_text(made[at], encoding)
        if done is not None:
            counts[f"texts {done}"] += int(often[at])
        if is_lost(made[at]):
            counts["texts with letters lost to '?'"] += int(often[at])
    filled = made[np.maximum(places, 0)]
    filled[places < 0] = None
    return pd.Series(filled, index=column.index, dtype=object)

"""What a column's values say about what it is: codes, numbers with a unit, dates, sentinels, identifiers."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layers.errors import InputError
from layers.ingest.synonyms import Words, read_synonyms
from layers.ingest.values import as_text
from layers.ingest.wording import split_words
from layers.quantities import conversion_factor
from layers.schema import Property

UNKNOWN_WORDS = frozenset(
    " ".join(split_words(word))
    for word in (
        "unknown",
        "unk",
        "un",
        "none",
        "n/a",
        "na",
        "không rõ",
        "chưa rõ",
        "chưa xác định",
        "không có",
        "null",
    )
)
_MOST_CODES = 30
_SENTINELS = (999.0, 888.0, 9999.0, 8888.0, 99999.0, -1.0, -9.0, -99.0, -999.0, -9999.0, -99999.0)
_UNIT_WORDS = {
    "mm": "mm", "cm": "cm", "dm": "dm", "m": "m", "km": "km", "ft": "ft", "feet": "ft", "in": "in", "inch": "in",
    "m2": "m2", "ha": "ha", "km2": "km2", "kw": "kW", "kv": "kV", "mgd": "MGD", "kmh": "km/h", "mph": "mph",
}  # fmt: skip
_IN_FEET = {"elevation": "us-ft", "stage": "us-ft", "depth": "ft", "height": "ft"}
# Tried in this order where the file does not say its unit and the numbers cannot be the layer's.
_TRIED = {"m": ("mm", "cm", "ft", "in"), "m2": ("ha", "km2"), "W": ("kW", "MW"), "V": ("kV",)}
_DATES = (
    ("%Y-%m-%d", r"\d{4}-\d{1,2}-\d{1,2}"), ("%Y/%m/%d", r"\d{4}/\d{1,2}/\d{1,2}"), ("%Y", r"(?:1[6-9]|20)\d{2}"),
    ("%d/%m/%Y", r"\d{1,2}/\d{1,2}/\d{4}"), ("%m/%d/%Y", r"\d{1,2}/\d{1,2}/\d{4}"),
    ("%d/%m/%y", r"\d{1,2}/\d{1,2}/\d{2}"), ("%m/%d/%y", r"\d{1,2}/\d{1,2}/\d{2}"),
    ("%d-%m-%Y", r"\d{1,2}-\d{1,2}-\d{4}"), ("%d.%m.%Y", r"\d{1,2}\.\d{1,2}\.\d{4}"),
)  # fmt: skip
_CLOCKS = (
    ("", ""), (" %H:%M", r" \d{1,2}:\d{2}"), (" %H:%M:%S", r" \d{1,2}:\d{2}:\d{2}"),
    (" %H:%M:%S.%f", r" \d{1,2}:\d{2}:\d{2}\.\d+"), (" %I:%M:%S %p", r" \d{1,2}:\d{2}:\d{2} [AP]M"),
)  # fmt: skip
_PLACEHOLDER = re.compile(
    r"^(?:(?:0?1[/.-]0?1[/.-](?:1753|(?:19)?00|(?:19)?70|0?0?0?1))|(?:0?9[/.-]0?9[/.-](?:99)?99)|(?:0?8[/.-]0?8[/.-]88)"
    r"|(?:(?:1753|1900|1970)[/-]0?1[/-]0?1)|(?:9999[/-]\d\d?[/-]\d\d?)|(?:30/12/1899|12/30/1899|1899-12-30))(?!\d)"
)


@dataclass(frozen=True)
class Column:
    """A column of a sample: its name, its name's words, and how often each filled value occurs in ``rows`` rows."""

    name: str
    words: Words
    counts: Mapping[str, int]
    rows: int

    @cached_property
    def filled(self) -> int:
        """Number of rows that hold something."""
        return sum(self.counts.values())

    @cached_property
    def numbers(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Distinct numbers and how often each occurs; a unit behind the number is left off."""
        texts = pd.Series(list(self.counts), dtype=object).astype(str).str.strip()
        texts = texts.str.replace(r"(?<=\d)\s*[A-Za-z²³]{1,4}\d?$", "", regex=True)
        if not texts.str.contains(".", regex=False).any():
            texts = texts.str.replace(",", ".", regex=False)
        values = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=float)
        known = np.isfinite(values)
        return values[known], np.array(list(self.counts.values()), dtype=np.int64)[known]

    @property
    def bare_words(self) -> Words:
        """The words of the name without a unit behind them."""
        return self.words[:-1] if len(self.words) > 1 and self.words[-1] in _UNIT_WORDS else self.words

    @property
    def is_unique(self) -> bool:
        """Whether every row holds a value of its own."""
        return self.rows > 0 and len(self.counts) == self.rows

    def show(self, most: int = 4) -> str:
        """Return the first values, as a comment can hold them."""
        words = [re.sub(r"\s+", " ", value)[:24] for value in list(self.counts)[:most]]
        return " | ".join(words) if words else "blank"


def read_columns(frame: pd.DataFrame, words: Mapping[str, Words]) -> list[Column]:
    """Return the columns of a sample, each with the words of its name."""
    made = []
    for name in frame.columns:
        text = as_text(frame[name])
        counts = Counter(value for value in text if value is not None)
        made.append(Column(str(name), words[str(name)], counts, len(frame)))
    return made


@dataclass(slots=True)
class Judgement:
    """What values say of a column as one property: ``support`` from −1 (cannot be) to 1 (must be), the rule's parts,
    each with its confidence and reason, and what was seen."""

    support: float = 0.0
    parts: dict[str, tuple[Any, float, str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    unknown: list[tuple[str, int]] = field(default_factory=list)


def judge(
    column: Column, prop: Property, names: Mapping[str, tuple[Words, ...]], *, in_feet: bool = False
) -> Judgement:
    """Return what the values of ``column`` say about its being ``prop``.

    ``names`` are those of its codes; ``in_feet``: the place measures in feet.
    """
    if not column.counts:
        return Judgement(-0.2, notes=["blank in every row read"])
    if prop.codes:
        return _judge_codes(column, prop, names)
    match prop.type:
        case "number" | "integer":
            return _judge_numbers(column, prop, in_feet=in_feet)
        case "boolean":
            return _judge_flags(column, names)
        case "date" | "datetime":
            return _judge_dates(column)
        case _:
            return _judge_text(column, prop)


def recognise_code(value: str, names: Mapping[str, tuple[Words, ...]]) -> str | None:
    """Return the code whose titles or synonyms, ``names``, say what ``value`` says, or None."""
    words = _strip_plurals(split_words(value))
    if not words:
        return None
    best, found = 0.0, None
    for code, aliases in names.items():
        for alias in aliases:
            score = _match_phrase(words, _strip_plurals(alias))
            if score > best:
                best, found = score, code
    return found


def _match_phrase(words: Words, alias: Words) -> float:
    if words == alias or "".join(words) == "".join(alias):
        return 1.0
    if sum(map(len, alias)) < 4:
        return 0.0
    spaced, inner = f" {' '.join(words)} ", f" {' '.join(alias)} "
    return 0.5 + 0.4 * len(inner) / len(spaced) if inner in spaced else 0.0


def _strip_plurals(words: Words) -> Words:
    return tuple(
        word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word for word in words
    )


def _judge_codes(column: Column, prop: Property, names: Mapping[str, tuple[Words, ...]]) -> Judgement:
    if len(column.counts) > _MOST_CODES and (patterned := _judge_pattern(column, names)) is not None:
        return patterned
    own = {code.value for code in prop.codes}
    codes: dict[str, str | None] = {}
    made = Judgement()
    known = nulls = 0
    seen: set[str] = set()
    for value, count in sorted(column.counts.items(), key=lambda item: -item[1])[:200]:
        if " ".join(split_words(value)) in UNKNOWN_WORDS:
            codes[value] = None
            nulls += count
        elif value in own or (target := recognise_code(value, names)) is None:
            if value in own:
                known += count
                seen.add(value)
            elif value == "0":
                codes[value] = None
                nulls += count
            else:
                made.unknown.append((value, count))
        else:
            codes[value] = target
            known += count
            seen.add(target)
    rest = column.filled - nulls
    share = known / rest if rest else 0.0
    if not known:
        made.support = -0.8 if rest else -0.2
        made.notes.append("no value is one of its codes")
        return made
    made.notes.append(f"{share:.0%} of its values name codes ({', '.join(sorted(seen)[:4])})")
    made.support = 0.9 * share - 0.4 if len(seen) > 1 or share == 1.0 else 0.5 * share - 0.3
    if codes:
        made.parts["codes"] = (codes, share, "")
    return made


def _judge_pattern(column: Column, names: Mapping[str, tuple[Words, ...]]) -> Judgement | None:
    """Return a pattern where values begin or end with the word for a code, as ``Phường Ninh Kiều`` does."""
    for pick, pattern in ((0, "^({})"), (-1, "({})$")):
        heads = Counter(value.split()[pick] for value in column.counts if value.split())
        codes = {head: recognise_code(head, names) for head in heads if heads[head] > 1}
        known = {head: code for head, code in codes.items() if code}
        if len(heads) <= _MOST_CODES and known and sum(heads[head] for head in known) >= 0.95 * len(column.counts):
            where = "begin" if pick == 0 else "end"
            made = Judgement(0.7, notes=[f"its values {where} with words for codes ({', '.join(known)})"])
            made.parts["pattern"] = (pattern.format("|".join(map(re.escape, known))), 0.8, "")
            made.parts["codes"] = (known, 0.9, "")
            return made
    return None


def _judge_flags(column: Column, names: Mapping[str, tuple[Words, ...]]) -> Judgement:
    sure, meant = {"true", "t", "yes", "y", "1", "false", "f", "no", "n", "0"}, dict[str, str]()
    known = 0
    made = Judgement()
    for value, count in column.counts.items():
        words = split_words(value)
        flag = next((flag for flag, aliases in names.items() if words in aliases), None)
        if flag is None:
            made.unknown.append((value, count))
            continue
        known += count
        if value.lower() not in sure:
            meant[value] = flag
    share = known / column.filled
    made.support = 0.5 * share if share > 0.9 else -0.7
    made.notes.append(f"{share:.0%} of its values say yes or no")
    if meant:
        made.parts["codes"] = (meant, share, "")
    return made


def _judge_numbers(column: Column, prop: Property, *, in_feet: bool) -> Judgement:
    values, counts = column.numbers
    share = counts.sum() / column.filled
    if share < 0.5:
        return Judgement(-0.8, notes=[f"{share:.0%} of its values are numbers"])
    made = Judgement(0.1, notes=[f"{share:.0%} of its values are numbers"] if share < 1 else [])
    quantity = prop.measure
    nodata = _find_sentinels(values, counts)
    good = ~np.isin(values, nodata)
    if nodata:
        listed = [int(value) if value == int(value) else value for value in nodata]
        times = int(counts[~good].sum())
        made.parts["nodata"] = (listed, 0.7, f"in {times} of {column.filled} rows, apart from all others")
    if quantity is None or not good.any():
        return made
    lasting = np.repeat(values[good], counts[good])
    low, middle, high = np.quantile(lasting, (0.02, 0.5, 0.98))
    made.notes.append(f"values {low:g} to {high:g}, middle {middle:g}")
    unit = _name_unit(column, prop)
    if unit is not None and unit != quantity.unit:
        made.parts["unit"] = (unit, 0.9, "written in the name or the cells")
        made.support = 0.3
    elif unit is None:
        _guess_unit(made, prop, (low, middle, high), in_feet=in_feet)
    return made


def _guess_unit(made: Judgement, prop: Property, spread: tuple[float, float, float], *, in_feet: bool) -> None:
    """Hold numbers without a unit against what the quantity can be and usually is."""
    quantity = prop.measure
    assert quantity is not None
    low, middle, high = spread
    least, most = read_synonyms().usual.get(quantity.name, (quantity.minimum, quantity.maximum))
    tried: tuple[str, ...] = (quantity.unit, *_TRIED.get(quantity.unit, ()))
    feet = in_feet and quantity.name in _IN_FEET
    if feet:
        tried = (_IN_FEET[quantity.name], "in", *tried)
    for unit in dict.fromkeys(tried):
        factor = conversion_factor(unit, quantity.unit)
        if quantity.minimum <= low * factor and high * factor <= quantity.maximum and least <= middle * factor <= most:
            break
    else:
        impossible = low < quantity.minimum or high > quantity.maximum
        made.support = -0.5 if impossible else -0.1
        made.notes.append(f"{'cannot be' if impossible else 'unusual for'} {quantity.name}")
        return
    if unit == quantity.unit:
        return
    if feet and unit == tried[0]:
        made.parts["unit"] = (unit, 0.6, "cities of this place measure it in feet")
    else:
        made.parts["unit"] = (unit, 0.75, f"in {tried[0]} the middle would be {middle:g}")


def _name_unit(column: Column, prop: Property) -> str | None:
    """Return the unit written at the end of the column's name or behind the numbers in its cells, if it fits."""
    cells = (re.match(r"^[\d.,]+\s*([a-zA-Z]+\d?)$", value) for value in list(column.counts)[:50])
    behind = Counter(found[1].lower() for found in cells if found)
    for word in (*column.words[-1:], *(word for word, _ in behind.most_common(1))):
        unit = _UNIT_WORDS.get(word)
        if unit is not None and prop.unit is not None and _is_convertible(unit, prop.unit):
            return unit
    return None


def _is_convertible(unit: str, target: str) -> bool:
    try:
        conversion_factor(unit, target)
    except InputError:
        return False
    return True


def _find_sentinels(values: NDArray[np.float64], counts: NDArray[np.int64]) -> list[float]:
    """Return numbers that stand for unknown: known ones far from all others, and a zero that no other comes near."""
    found: list[float] = []
    for one in _SENTINELS:
        if one not in values:
            continue
        rest = values[~np.isin(values, [*_SENTINELS, 0.0])]
        apart = len(rest) == 0 or one > 1.5 * rest.max() or (one < 0 <= rest.min())
        if apart and (len(rest) == 0 or counts[values == one][0] >= 2):
            found.append(one)
    rest = values[~np.isin(values, [*found, 0.0])]
    zeros = counts[values == 0.0].sum()
    if zeros and (len(rest) == 0 or (zeros > 0.1 * counts.sum() and np.quantile(np.abs(rest), 0.05) > 0.5)):
        found.append(0.0)
    return found


def _judge_dates(column: Column) -> Judgement:
    texts = list(column.counts)
    placeholders = [value for value in texts if _PLACEHOLDER.match(value)]
    rest = [value for value in texts if value not in placeholders]
    formats, read = _choose_formats(rest[:2000])
    share = read / len(rest) if rest else 1.0
    if share < 0.5:
        return Judgement(-0.8, notes=[f"{share:.0%} of its values are dates"])
    made = Judgement(0.3, notes=[f"{share:.0%} of its values are dates"] if share < 1 else ["all values are dates"])
    if formats and formats != ["%Y-%m-%d"]:
        ambiguous = _is_ambiguous(rest, formats)
        why = "day and month may be exchanged: no day above 12" if ambiguous else ""
        made.parts["date"] = (formats, 0.45 if ambiguous else 0.9, why)
    if placeholders:
        times = sum(column.counts[value] for value in placeholders)
        made.parts["drop_dates"] = (placeholders[:20], 0.8, f"in {times} of {column.filled} rows")
    return made


def _choose_formats(texts: list[str]) -> tuple[list[str], int]:
    """Return the fewest formats that read most of the texts, and how many they read."""
    left, chosen, read = list(dict.fromkeys(texts)), list[str](), 0
    while left and len(chosen) < 3:
        best: tuple[int, str] = (0, "")
        for day, day_pattern in _DATES:
            for clock, clock_pattern in _CLOCKS:
                fits = [text for text in left if re.fullmatch(day_pattern + clock_pattern, text)]
                if len(fits) > best[0]:
                    times = pd.to_datetime(pd.Series(fits), format=day + clock, errors="coerce")
                    best = max(best, (int(times.notna().sum()), day + clock), key=lambda one: one[0])
        if best[0] == 0:
            break
        times = pd.to_datetime(pd.Series(left), format=best[1], errors="coerce", exact=True)
        chosen.append(best[1])
        read += int(times.notna().sum())
        left = [text for text, time in zip(left, times, strict=True) if pd.isna(time)]
    return chosen, read


def _is_ambiguous(texts: list[str], formats: list[str]) -> bool:
    """Return whether day and month could be exchanged in every value."""
    if not any(one.startswith(("%d/%m", "%m/%d", "%d-%m", "%d.%m")) for one in formats):
        return False
    parts = [re.findall(r"\d+", text)[:2] for text in texts]
    return not any(int(number) > 12 for pair in parts if len(pair) == 2 for number in pair)


def _judge_text(column: Column, prop: Property) -> Judgement:
    _, counts = column.numbers
    numeric = counts.sum() / column.filled
    if prop.name in ("name", "note", "address", "owner", "species") and numeric > 0.8:
        return Judgement(-0.6, notes=["its values are numbers"])
    return Judgement(0.0)

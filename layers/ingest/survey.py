"""Look at a sample of a column and say which rules its values need: what a proposal writes and a person confirms.

Nothing here changes a value. Each survey gives ``rule`` (fields of a PropertyRule), ``share`` (how much of what is
filled in can be read with it) and a reason for each field; ``question`` names what only a person can decide.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from layers.ingest.dates import NAMED, PLACEHOLDERS, PLAIN, list_readings, read_date
from layers.ingest.measures import UNIT_WORDS, read_measure
from layers.ingest.nulls import NULL_WORDS, is_null_word, strip_marks
from layers.ingest.numbers import NumberStyle, has_two_readings, read_number

_STYLES: tuple[NumberStyle, ...] = ("en", "vi", "mixed")
_SENTINEL = re.compile(r"-?(?:9{2,}|8{3,}|7{4,})(?:\.9*0*)?")
_RARE = 3
_BRACKETS = re.compile(r"[(\[{]\s*([^()\[\]{}]+?)\s*[)\]}]\s*$")
_WORD = re.compile(r"[A-Za-zÀ-ỹ]+[²³]?\d?(?:/[A-Za-zÀ-ỹ]+)?|%")
# As the last word of a name these are units; the others (s, h, d, l, in, v, w) only in brackets.
_AS_SUFFIX = "mm cm m km ft feet inch inches m2 m3 ha km2 kw kv kva kwh kpa kg"
_INCHES_AFTER = re.compile(r"diam|dia|size|width|duong kinh|duongkinh", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a survey found: fields of a PropertyRule, the share of values they read, what to ask, and reasons.

    ``reasons`` has a sentence for each field of the rule, for the question, and for what else was seen.
    """

    rule: dict[str, Any] = field(default_factory=dict)
    share: float = 0.0
    reasons: dict[str, str] = field(default_factory=dict)
    question: str | None = None

    @property
    def why(self) -> tuple[str, ...]:
        """All the reasons."""
        return tuple(self.reasons.values())


def list_filled(values: Iterable[object]) -> list[str]:
    """Return the values as stripped text without nulls and the words a program writes for null."""
    texts = (str(value).strip() for value in values if value is not None and value == value)
    return [text for text in texts if text not in NULL_WORDS]


def survey_numbers(values: Sequence[object]) -> Finding:
    """Return the number style of a column: none where all are plain, else vi, en or mixed by the whole column.

    Numbers that came as numbers need no rule. Where every separator could be either, ``question`` is "numbers".
    """
    if all(isinstance(value, int | float) for value in values if value is not None):
        filled = list_filled(values)
        return Finding(share=1.0 if filled else 0.0)
    texts = [text for text in list_filled(values) if not is_null_word(text)]
    if not texts:
        return Finding()
    distinct = Counter(texts)
    plain = sum(often for text, often in distinct.items() if read_number(text) is not None)
    shares = {
        style: sum(often for text, often in distinct.items() if read_number(text, style) is not None)
        for style in _STYLES
    }
    total = len(texts)
    either = [text for text in distinct if has_two_readings(text)]
    only = {
        "vi": [text for text in distinct if _reads_only(text, "vi")],
        "en": [text for text in distinct if _reads_only(text, "en")],
    }
    if not either and plain == max(plain, *shares.values()):
        return Finding(share=plain / total)
    if only["vi"] and only["en"]:
        why = f"{only['vi'][0]!r} has a decimal comma or dots between thousands, {only['en'][0]!r} the other way round"
        question = "numbers" if either else None
        return Finding({"numbers": "mixed"}, shares["mixed"] / total, {"numbers": why}, question)
    if only["vi"]:
        reasons = {"numbers": f"{only['vi'][0]!r} can only be read the Vietnamese way"}
        return Finding({"numbers": "vi"}, shares["vi"] / total, reasons)
    if only["en"]:
        reasons = {"numbers": f"{only['en'][0]!r} can only be read the English way"}
        plainly = plain >= shares["en"]
        return Finding({} if plainly else {"numbers": "en"}, max(plain, shares["en"]) / total, reasons)
    if either:
        sample = either[0]
        why = (
            f"{sample!r} may be {read_number(sample, 'vi'):g} or {read_number(sample, 'en'):g}, and no value decides it"
        )
        return Finding({}, plain / total, {"numbers": why}, "numbers")
    style = max(_STYLES, key=lambda one: shares[one])
    return Finding({"numbers": style}, shares[style] / total, {"numbers": "spaces or apostrophes between thousands"})


def _reads_only(text: str, style: NumberStyle) -> bool:
    other: NumberStyle = "en" if style == "vi" else "vi"
    return read_number(text, style) is not None and read_number(text, other) is None


def survey_dates(values: Sequence[object]) -> Finding:
    """Return the date rules of a column: formats or date_order, and the placeholders among its values.

    Day or month above 12 decides the order for the whole column. Where nothing does, ``question`` is "date_order" and
    ``why`` gives both readings.
    """
    filled = list_filled(values)
    texts = [text for text in filled if not is_null_word(text)]
    if not texts:
        return Finding()
    distinct = Counter(texts)
    rule: dict[str, Any] = {}
    order, question, reason = _find_order(distinct)
    reasons = {"date_order": reason} if reason else {}
    if order is not None:
        rule["date_order"] = order
    formats: tuple[str, ...] = PLAIN if order is None else (*PLAIN, order)
    if _count(distinct, formats) < len(texts) / 2 and order is None and question is None:
        best = max(("year", "excel", "epoch_ms", "epoch_s", "rfc1123"), key=lambda one: _count_likely(distinct, one))
        if _count_likely(distinct, best) > len(texts) / 2:
            rule["date"], formats = [best], (best,)
            reasons["date"] = f"{next(iter(distinct))!r} is a date as {best}"
    readable = formats if question is None else (*formats, "dmy")
    placeholders = _find_placeholders(distinct, readable)
    if placeholders:
        rule["drop_dates"] = placeholders
        reasons["drop_dates"] = "placeholders: " + ", ".join(f"{word!r} × {distinct[word]}" for word in placeholders)
    if len(texts) < len(filled):
        rule["null_words"] = True
        reasons["null_words"] = _tell_words(Counter(text for text in filled if is_null_word(text)))
    read = _count(distinct, readable) + sum(distinct[word] for word in placeholders if not read_date(word, readable))
    return Finding(rule, read / len(texts), reasons, question)


def _find_order(distinct: "Counter[str]") -> tuple[str | None, str | None, str]:
    """Return the order of day and month that the whole column shows, or the question that is open; and why."""
    shown: dict[str, str] = {}
    unclear = None
    for text in distinct:
        readings = list_readings(text)
        if len(readings) == 1:
            shown.setdefault(next(iter(readings)), text)
        elif len(set(readings.values())) == 2 and unclear is None:
            unclear = text
        elif readings:
            shown.setdefault("same", text)
    orders = [order for order in ("dmy", "mdy") if order in shown]
    if len(orders) == 1:
        way = "day first" if orders[0] == "dmy" else "month first"
        return orders[0], None, f"{shown[orders[0]]!r} can only be {way}"
    if len(orders) == 2:
        both = f"{shown['dmy']!r} is day first, {shown['mdy']!r} month first: the column holds both"
        return None, "date_order", both
    if unclear is not None:
        found = list_readings(unclear)
        two = f"{unclear!r} may be {found['dmy']:%d %B %Y} (dmy) or {found['mdy']:%d %B %Y} (mdy)"
        return None, "date_order", two
    if "same" not in shown:
        return None, None, ""
    return "dmy", None, f"{shown['same']!r}: day and month are the same everywhere, either order reads it"


def _count(distinct: "Counter[str]", formats: tuple[str, ...]) -> int:
    return sum(often for text, often in distinct.items() if read_date(text, formats) is not None)


def _count_likely(distinct: "Counter[str]", style: str) -> int:
    """Count the values that are dates of 1850–2100 in a style that reads almost any number."""
    assert style in NAMED
    found = ((read_date(text, (style,)), often) for text, often in distinct.items())
    return sum(often for made, often in found if made is not None and 1850 <= made[0].year <= 2100)


def _find_placeholders(distinct: "Counter[str]", formats: tuple[str, ...]) -> list[str]:
    """Return the texts that are a database's or a hand's "no date", most frequent first."""
    found = []
    for text, often in distinct.most_common():
        made = read_date(text, formats)
        day = made[0].date().isoformat() if made is not None else _find_far_date(text)
        if day in PLACEHOLDERS and (often >= _RARE or day[:4] in ("0001", "1753", "9999")):
            found.append(text)
    return found


def _find_far_date(text: str) -> str | None:
    """Return the ISO date of a text in the years 1 or 9999, which no date of a city is."""
    numbers = re.match(r"(\d{1,4})[/\-.](\d{1,2})[/\-.](\d{1,4})(?!\d)", text)
    if numbers is None:
        return None
    a, b, c = numbers.groups()
    year, month, day = (a, b, c) if len(a) == 4 else (c, a, b)
    if int(month) > 12:
        month, day = day, month
    return f"{int(year):04d}-{int(month):02d}-{int(day):02d}"


def survey_nodata(values: Sequence[object], *, numeric: bool | None = None) -> Finding:
    """Return the null words and sentinels of a column: {"null_words": true, "nodata": [9999]}.

    Sentinels (rows of nines or eights, and -1 among positive numbers) are only looked for where most values are
    numbers, or as ``numeric`` says, and only proposed where they stand apart from the other values.
    """
    texts = list_filled(values)
    if not texts:
        return Finding()
    distinct = Counter(texts)
    words = {text: often for text, often in distinct.items() if is_null_word(text)}
    rest = [text for text in distinct if text not in words]
    rule: dict[str, Any] = {}
    reasons = {}
    if words:
        rule["null_words"] = True
        reasons["null_words"] = _tell_words(words)
    numbers = {text: number for text in rest if (number := read_number(text)) is not None}
    if numeric is None:
        numeric = 2 * len(numbers) > len(rest)
    sentinels = _find_sentinels(distinct, numbers) if numeric else {}
    if sentinels:
        rule["nodata"] = [int(number) if number.is_integer() else number for number in sentinels]
        reasons["nodata"] = "stand apart: " + ", ".join(f"{one:g} × {often}" for one, often in sentinels.items())
    zeros = sum(often for text, often in distinct.items() if numbers.get(text) == 0.0)
    if numeric and 10 * zeros >= 3 * len(texts) and zeros < len(texts):
        reasons["zeros"] = f"0 × {zeros} of {len(texts)}: unknown rather than zero? then add 0 to nodata"
    dropped = sum(words.values()) + sum(sentinels.values())
    return Finding(rule, dropped / len(texts), reasons)


def _tell_words(words: Mapping[str, int]) -> str:
    return "words for nothing: " + ", ".join(f"{word!r} × {often}" for word, often in words.items())


def _find_sentinels(distinct: "Counter[str]", numbers: dict[str, float]) -> dict[float, int]:
    """Return the numbers that look like "nothing" and lie outside what the others span, with how often."""
    often: Counter[float] = Counter()
    looks = set()
    for text, number in numbers.items():
        often[number] += distinct[text]
        if _SENTINEL.fullmatch(text) or number == -1.0:
            looks.add(number)
    others = [number for number in often if number not in looks]
    low, high = (min(others), max(others)) if others else (0.0, 0.0)
    found = {}
    for number in sorted(looks, key=lambda one: -often[one]):
        apart = number < low - 0.5 if number < 0 else number > 2.0 * max(high, 10.0)
        if apart and (often[number] >= _RARE or abs(number) >= 999 or len(often) == 1):
            found[number] = often[number]
    return found


def survey_unit(name: str, values: Sequence[object] = ()) -> Finding:
    """Return the unit a column's name or cells give: {"unit": "mm"} or {"unit": "mm", "cell_units": true}.

    ``question`` is "unit" where cells differ in unit and some have none.
    """
    unit, how = _find_named_unit(name)
    texts = [text for text in list_filled(values) if not is_null_word(text)]
    found: Counter[str | None] = Counter()
    for text, often in Counter(texts).items():
        measure = read_measure(text, "mixed") or read_measure(text)
        if measure is not None:
            found[measure[1]] += often
    units = {one: often for one, often in found.items() if one is not None}
    reasons = {"unit": how} if how else {}
    rule: dict[str, Any] = {} if unit is None else {"unit": unit}
    question = None
    if units and 2 * sum(found.values()) > len(texts):
        rule["cell_units"] = True
        reasons["cell_units"] = "units in the cells: " + ", ".join(f"{one} × {often}" for one, often in units.items())
        if found[None] and unit is None:
            if len(units) == 1:
                rule["unit"] = next(iter(units))
            else:
                question = "unit"
    return Finding(rule, sum(found.values()) / len(texts) if texts else 0.0, reasons, question)


def _find_named_unit(name: str) -> tuple[str | None, str]:
    """Return the unit in a column name, in brackets or as its last word, and how it was found."""
    bracketed = _BRACKETS.search(name)
    if bracketed is not None:
        unit = UNIT_WORDS.get(" ".join(bracketed[1].lower().split()))
        if unit is not None:
            return unit, f"the name ends in ({bracketed[1]})"
    words = _WORD.findall(re.sub(r"(?<=[a-z])(?=[A-Z][A-Za-z])", " ", name.replace("_", " ")))
    last = words[-1].lower() if len(words) > 1 else ""
    if last in _AS_SUFFIX.split() or (last == "in" and _INCHES_AFTER.search(strip_marks(name))):
        return UNIT_WORDS[last], f"the name ends in {words[-1]}"
    return None, ""

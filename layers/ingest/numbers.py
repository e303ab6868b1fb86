"""Numbers as people write them: decimal comma or point, thousands parted by dot, comma, space or apostrophe."""

import math
import re
from typing import Literal

import pandas as pd

# vi: 1.234,5 · en: 1,234.5 · mixed: either, where only one reading is possible; 1.234 is then no number.
NumberStyle = Literal["vi", "en", "mixed"]

_SPACES = "[ \u00a0\u2009\u202f'’]"
_SHAPE = r"(?P<whole>[1-9]\d{{0,2}}(?P<gap>{gap})\d{{3}}(?:(?P=gap)\d{{3}})*|\d+|(?=[.,]\d))(?:{point}(?P<part>\d*))?"
_STYLES = {
    "vi": re.compile(_SHAPE.format(gap=rf"\.|{_SPACES}", point=",")),
    "en": re.compile(_SHAPE.format(gap=rf",|{_SPACES}", point=r"\.")),
}
_NUMBER = re.compile(r"(?P<sign>[+\-−]?)\s*(?P<body>[\d.,'’ \u00a0\u2009\u202f]*\d[.,]?)(?P<power>[eE][+-]?\d{1,3})?")


def read_number(text: str, style: NumberStyle | None = None) -> float | None:
    """Return the number ``text`` stands for in a style (none: as a program writes it), or None where it is none."""
    if style is None:
        return _read_plain(text)
    found = _NUMBER.fullmatch(text.strip())
    if found is None:
        return None
    digits = _strip_groups(found["body"], style)
    return None if digits is None else _read_plain(found["sign"].replace("−", "-") + digits + (found["power"] or ""))


def _read_plain(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and "_" not in text else None


def _strip_groups(body: str, style: NumberStyle) -> str | None:
    """Return the digits with a decimal point and no groups, or None where they do not follow the style."""
    if style != "mixed":
        found = _STYLES[style].fullmatch(body)
        if found is None:
            return None
        whole = found["whole"].replace(found["gap"], "") if found["gap"] else found["whole"]
        return f"{whole}.{found['part'] or '0'}"
    readings = {_strip_groups(body, "vi"), _strip_groups(body, "en")} - {None}
    return readings.pop() if len(readings) == 1 else None


def has_two_readings(text: str) -> bool:
    """Return whether ``text`` is one number with a decimal comma and another with a decimal point: 1.234."""
    vi, en = read_number(text, "vi"), read_number(text, "en")
    return vi is not None and en is not None and vi != en


def read_numbers(texts: "pd.Series[str]", style: NumberStyle | None) -> "pd.Series[float]":
    """Return the numbers of a column of text; NaN where a cell is none or infinite."""
    if style is None:
        plain = pd.to_numeric(texts, errors="coerce").astype("float64")
        return plain.where(plain.abs() < math.inf)
    known = {text: read_number(text, style) for text in texts.dropna().unique()}
    return texts.map(known).astype("float64")

"""Dates of many hands: ISO, day or month first, Vietnamese in words, years alone, epochs and Excel's day numbers."""

import re
import unicodedata
from datetime import datetime
from typing import Literal

import pandas as pd

DateOrder = Literal["dmy", "mdy"]
# Read without being asked, for they have one reading.
PLAIN = ("iso", "ymd", "vi")
NAMED = ("iso", "ymd", "dmy", "mdy", "vi", "year", "excel", "epoch_s", "epoch_ms", "rfc1123")
# What databases and hands write for "no date".
PLACEHOLDERS = (
    "0001-01-01", "1753-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "1970-01-01", "1988-08-08", "1999-09-09",
    "9999-09-09", "9999-12-31",
)  # fmt: skip
_YEARS = (1000, 2200)
# Two digits mean 1930–2029, as in Excel.
_LAST_OF_THIS_CENTURY = 29
_EXCEL_DAY_ZERO = pd.Timestamp("1899-12-30")

_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.(?P<part>\d{0,6})\d*)?)?"
_TIME = rf"(?:[ T,]+{_CLOCK}\s*(?P<half>AM|PM|SA|CH)?)?\s*"
_GAP = r"\s*[/\-. ]\s*"
_THREE = re.compile(rf"(?P<a>\d{{1,2}}){_GAP}(?P<b>\d{{1,2}}){_GAP}(?P<y>\d{{4}}|\d{{2}}){_TIME}", re.IGNORECASE)
_YEAR_FIRST = re.compile(rf"(?P<y>\d{{4}}){_GAP}(?P<m>\d{{1,2}}){_GAP}(?P<d>\d{{1,2}}){_TIME}", re.IGNORECASE)
_BEGINS_WITH_YEAR = re.compile(r"\d{4}(?!\d{5})")
_MONTH_YEAR = re.compile(r"(?P<m>\d{1,2})\s*[/\-.]\s*(?P<y>\d{4})")
_IN_WORDS = re.compile(
    r"(?:(?:ngày|ng\.?)?\s*(?P<d>\d{1,2})\s*[,/\-]?\s*)?(?:tháng|th\.?)\s*(?P<m>\d{1,2})\s*[,/\-]?\s*(?:năm\s*)?(?P<y>\d{4})"
    r"|năm\s+(?P<only>\d{4})",
    re.IGNORECASE,
)
_YEAR = re.compile(r"\d{4}(?:\.0+)?")


def read_date(word: str, formats: tuple[str, ...], timezone: str | None = None) -> tuple[pd.Timestamp, str] | None:
    """Return the moment ``word`` means in the first format that fits and lies in 1000–2200, and that format.

    ``formats`` are of NAMED or strptime's. ``timezone`` is that of times without one.
    """
    for style in formats:
        try:
            moment = _read_style(word.strip(), style)
        except (ValueError, OverflowError):
            continue
        if moment is None or not _YEARS[0] <= moment.year <= _YEARS[1]:
            continue
        return (moment.tz_localize(timezone) if timezone is not None and moment.tzinfo is None else moment), style
    return None


def _read_style(word: str, style: str) -> pd.Timestamp | None:
    match style:
        case "iso":
            return _read_iso(word)
        case "epoch_s" | "epoch_ms":
            if "_" in word:
                return None
            return pd.Timestamp(int(float(word)), unit="ms" if style == "epoch_ms" else "s", tz="UTC")
        case "excel":
            return _read_excel(word)
        case "rfc1123":
            return pd.to_datetime(word, format="%a, %d %b %Y %H:%M:%S GMT", utc=True)
        case "dmy" | "mdy":
            return _read_three(word, style)
        case "ymd":
            found = _YEAR_FIRST.fullmatch(word)
            return None if found is None else _build(found, int(found["y"]), int(found["m"]), int(found["d"]))
        case "vi":
            return _read_in_words(unicodedata.normalize("NFC", word))
        case "year":
            return pd.Timestamp(int(word[:4]), 1, 1) if _YEAR.fullmatch(word) else None
    return pd.to_datetime(word, format=style)


def _read_iso(word: str) -> pd.Timestamp | None:
    """Read ISO 8601, and its fields with slashes; pandas, slow for a word, takes what Python's reader does not."""
    if not _BEGINS_WITH_YEAR.match(word):
        return None
    try:
        return pd.Timestamp(datetime.fromisoformat(word))
    except ValueError:
        found = _YEAR_FIRST.fullmatch(word)
    if found is not None:
        return _build(found, int(found["y"]), int(found["m"]), int(found["d"]))
    return None if word.isdigit() and len(word) != 4 else pd.to_datetime(word, format="ISO8601")


def _read_excel(word: str) -> pd.Timestamp | None:
    days = float(word) if "_" not in word else 0.0
    return (_EXCEL_DAY_ZERO + pd.Timedelta(days=days)).round("s") if 1.0 <= days < 110_000.0 else None


def _read_three(word: str, order: str) -> pd.Timestamp | None:
    found = _THREE.fullmatch(word)
    if found is None:
        short = _MONTH_YEAR.fullmatch(word)
        return None if short is None else pd.Timestamp(int(short["y"]), int(short["m"]), 1)
    year = int(found["y"])
    if len(found["y"]) == 2:
        year += 2000 if year <= _LAST_OF_THIS_CENTURY else 1900
    day, month = (found["a"], found["b"]) if order == "dmy" else (found["b"], found["a"])
    return _build(found, year, int(month), int(day))


def _build(found: "re.Match[str]", year: int, month: int, day: int) -> pd.Timestamp:
    hour = int(found["hour"] or 0)
    half = (found["half"] or "").upper()
    if half:
        if not 0 <= hour <= 23 or (half in ("AM", "SA") and hour > 12):
            raise ValueError(f"{hour} {half}")
        if half in ("PM", "CH"):
            hour = hour + 12 if hour < 12 else hour
        elif hour == 12:
            hour = 0
    part = int((found["part"] or "").ljust(6, "0"))
    return pd.Timestamp(year, month, day, hour, int(found["minute"] or 0), int(found["second"] or 0), part)


def _read_in_words(word: str) -> pd.Timestamp | None:
    if word.lower().startswith("ngày "):
        numbers = _read_three(word[5:].strip(), "dmy")
        if numbers is not None:
            return numbers
    found = _IN_WORDS.fullmatch(word)
    if found is None:
        return None
    if found["only"]:
        return pd.Timestamp(int(found["only"]), 1, 1)
    return pd.Timestamp(int(found["y"]), int(found["m"]), int(found["d"] or 1))


def list_readings(word: str) -> dict[str, pd.Timestamp]:
    """Return what a date of three numbers means with the day first ("dmy") and the month first ("mdy")."""
    found = {order: read_date(word, (order,)) for order in ("dmy", "mdy")}
    return {order: made[0] for order, made in found.items() if made is not None and _THREE.fullmatch(word.strip())}


def is_ambiguous(word: str) -> bool:
    """Return whether the day and the month of ``word`` could change places: 03/04/2021."""
    return len(set(list_readings(word).values())) == 2

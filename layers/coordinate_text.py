"""Text of coordinates to numbers: decimals with point or comma, degrees with minutes and seconds, metres of a zone."""

import re
import unicodedata
from typing import NamedTuple

MAX_LENGTH = 120
_MARKS = str.maketrans({"º": "°", "˚": "°", "′": "'", "’": "'", "‘": "'", "´": "'", "″": '"', "”": '"', "“": '"',
                        "−": "-", "–": "-", "đ": "d"})  # fmt: skip
_ZONE = re.compile(
    r"(?:ktt|kinh tuyen(?: truc)?|central meridian|cm|tm-?3|zone)"
    r"\s*[:=]?\s*(1\d\d)(?:\s*[°-]\s*(\d{1,2})'?|°|[.,](\d{1,4}))?(?![\d.])"
)
_EPSG = re.compile(r"epsg\s*:?\s*(\d{4,6})")
_SYSTEM = re.compile(r"\b(?:vn\s*-?\s*2000|wgs\s*-?\s*84|mui(?: chieu)? 3(?: ?do|°)?)(?!\w)[:,]?")
# The letters of the two languages: B and N to the north, Đ and E to the east; N is never Nam, S is.
_LATITUDE, _LONGITUDE, _NEGATIVE = "nsb", "ewdt", "swt"
_NUMBER = r"\d+(?:\.\d+)?"
_BODY = (
    rf"([-+]?)({_NUMBER})(?:\s*°\s*(?:({_NUMBER})\s*'\s*(?:({_NUMBER})\s*(?:\"|'')?)?)?"
    rf"|\s+(\d{{1,2}})\s+({_NUMBER})(?=\s*[nsewbdt]))?"
)
_BETWEEN = r"(?:\s*;\s*|\s+|(?<=[\"°'nsewbdt])\s*)"
_LETTER = f"[{_LATITUDE}{_LONGITUDE}]"
_LEADING = re.compile(rf"({_LETTER})\s*{_BODY}{_BETWEEN}({_LETTER})\s*{_BODY}".replace("(?=\\s*[nsewbdt])", ""))
_TRAILING = re.compile(rf"{_BODY}\s*({_LETTER})?{_BETWEEN}{_BODY}\s*({_LETTER})?")
_METRES = re.compile(
    rf"([xyne]?)\s*[:=]?\s*(\d{{5,8}}(?:\.\d+)?)\s*m?{_BETWEEN}([xyne]?)\s*[:=]?\s*(\d{{5,8}}(?:\.\d+)?)\s*m?"
)
_DEGREE_NAMES = (
    (re.compile(r"\b(?:vi do|lat(?:itude)?)\s*[:=]?"), "n"),
    (re.compile(r"\b(?:kinh do|lon(?:gitude|g)?|lng)\s*[:=]?"), "e"),
)
_NORTH_FROM = 880_000.0


class Degrees(NamedTuple):
    """Two angles [°]; ``first_is_latitude`` where the text tells, ``sexagesimal`` where it had minutes."""

    first: float
    second: float
    first_is_latitude: bool | None
    sexagesimal: bool


class Metres(NamedTuple):
    """Two lengths [m]; ``first_is_north`` where the text or the numbers tell; the zone where the text names one."""

    first: float
    second: float
    first_is_north: bool | None
    meridian: float | None
    epsg: int | None


def read_pair(text: str) -> Degrees | Metres | None:
    """Return the two numbers that ``text`` writes, or None where it is no pair of coordinates."""
    if len(text) > MAX_LENGTH or len(re.findall(r"\d+", text)) < 2:
        return None
    plain = _fold(text)
    plain, meridian, epsg = _take_zone(plain)
    plain = re.sub(r"\s+", " ", _write_points(_SYSTEM.sub(" ", plain))).strip(" ()[]:;")
    if (metres := _METRES.fullmatch(plain)) is not None:
        first, second = float(metres[2]), float(metres[4])
        return Metres(first, second, _tell_north(metres[1] + metres[3], first, second), meridian, epsg)
    if meridian is not None or epsg is not None:
        return None
    return _read_angles(plain)


def _fold(text: str) -> str:
    """Return ``text`` in small letters without diacritics, its marks of degrees the plain ones."""
    spaced = re.sub(r"(?<=\d)[\u00a0\u202f](?=\d{3})", "", text)
    # Compatibility forms would write some marks as two.
    marked = unicodedata.normalize("NFD", spaced.lower().translate(_MARKS))
    return "".join(each for each in marked if not unicodedata.combining(each))


def _take_zone(text: str) -> tuple[str, float | None, int | None]:
    """Return ``text`` without the name of a zone, and the zone: its meridian [°], or an EPSG code."""
    if (epsg := _EPSG.search(text)) is not None:
        return _EPSG.sub(" ", text, count=1), None, int(epsg[1])
    zone = _ZONE.search(text)
    if zone is None:
        return text, None, None
    minutes = int(zone[2]) / 60 if zone[2] else 0.0
    meridian = int(zone[1]) + (float(f"0.{zone[3]}") if zone[3] else minutes)
    return text[: zone.start()] + " " + text[zone.end() :], round(meridian, 4), None


def _write_points(text: str) -> str:
    """Return ``text`` with points before decimals and blanks between numbers."""
    if re.search(r"\d{1,3}(?:\.\d{3}){2,}", text):
        text = re.sub(r"(?<=\d)\.(?=\d{3}(?!\d))", "", text)
        return re.sub(r"(?<=\d),(?=\d)", ".", text).replace(",", " ")
    if re.search(r"\d{1,3}(?:,\d{3}){2,}", text):
        text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    if re.search(r"\d\.\d", text):
        return text.replace(",", " ")
    spaced = re.sub(r",(?!\d)|(?<!\d),", " ", text)
    if len(re.findall(r"\d[\d,]*", spaced)) < 2 and spaced.count(",") == 1:
        return spaced.replace(",", " ")
    return spaced.replace(",", ".")


def _tell_north(labels: str, first: float, second: float) -> bool | None:
    """Return whether the first is the one to the north: as labelled N, E, else by size; X and Y tell nothing.

    Surveyors of Viet Nam write X for north, maps write it for east.
    """
    if labels in {"ne", "n", "en", "e"}:
        return labels.startswith("n")
    if (first >= _NORTH_FROM) != (second >= _NORTH_FROM):
        return first >= _NORTH_FROM
    return None


def _read_angles(text: str) -> Degrees | None:
    for name, letter in _DEGREE_NAMES:
        text = name.sub(f" {letter} ", text)
    text = text.strip()
    leading, trailing = _LEADING.fullmatch(text), _TRAILING.fullmatch(text)
    if leading is not None:
        one, two = leading.groups()[:7], leading.groups()[7:]
        letters, bodies = (one[0], two[0]), (one[1:], two[1:])
    elif trailing is not None:
        one, two = trailing.groups()[:7], trailing.groups()[7:]
        letters, bodies = (one[6] or "", two[6] or ""), (one[:6], two[:6])
    else:
        return None
    values = [_read_angle(*body) for body in bodies]
    if None in values:
        return None
    first, second = (
        -value if letter in _NEGATIVE and letter else value
        for value, letter in zip((each for each in values if each is not None), letters, strict=True)
    )
    latitudes = [letter in _LATITUDE if letter else None for letter in letters]
    if latitudes[0] is not None and latitudes[0] == latitudes[1]:
        return None
    told = latitudes[0] if latitudes[0] is not None else None if latitudes[1] is None else not latitudes[1]
    return Degrees(first, second, told, any(body[2] or body[4] for body in bodies))


def _read_angle(
    sign: str, degrees: str, minutes: str | None, seconds: str | None, spaced: str | None, last: str | None
) -> float | None:
    """Return the angle [°] of its parts, or None where minutes or seconds are 60 or more."""
    parts = [float(minutes or spaced or 0), float(seconds or last or 0)]
    if any(part >= 60 for part in parts) or (any(parts) and "." in degrees):
        return None
    value = float(degrees) + parts[0] / 60 + parts[1] / 3600
    return -value if sign == "-" else value

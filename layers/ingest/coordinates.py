"""Coordinates as people write them → numbers: decimal comma, degrees minutes seconds, compass letters."""

import re
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from layers.ingest.values import TEXT

_COMMA = r"^[-+]?\d+,\d+$"
_SEXAGESIMAL = re.compile(
    r"""^(?P<first>[NSEWBĐDT]?)\s*(?P<d>\d{1,3})\s*[°ºd:\s]\s*(?P<m>\d{1,2})\s*(?:['’′:\s]\s*(?P<s>\d{1,2}(?:[.,]\d+)?)?)?
    \s*(?:["”″]|''|’’)?\s*(?P<last>[NSEWBĐDT]?)$""",
    re.IGNORECASE | re.VERBOSE,
)
# Nam (south) shares its letter with north and counts as north: no city of the delta lies south of the equator.
_NEGATIVE = frozenset("SWT")


def read_coordinates(values: "pd.Series[Any]") -> NDArray[np.float64]:
    """Return numbers [unit of the text], NaN for what is none; ``10°02'15"N`` becomes degrees."""
    numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float, copy=True)
    rest = ~np.isfinite(numbers)
    if rest.any():
        text = values[rest].astype(TEXT).str.strip().fillna("")
        plain = text.str.replace(",", ".").where(text.str.match(_COMMA), "")
        made = pd.to_numeric(plain, errors="coerce").to_numpy(dtype=float, copy=True)
        for at in np.flatnonzero(~np.isfinite(made)):
            made[at] = _read_sexagesimal(str(text.iloc[at]))
        numbers[rest] = made
    return numbers


def _read_sexagesimal(text: str) -> float:
    found = _SEXAGESIMAL.match(text)
    if found is None or int(found["m"]) >= 60:
        return float("nan")
    seconds = float((found["s"] or "0").replace(",", "."))
    degrees = int(found["d"]) + int(found["m"]) / 60 + seconds / 3600
    letter = (found["first"] or found["last"]).upper()
    return -degrees if letter in _NEGATIVE else degrees

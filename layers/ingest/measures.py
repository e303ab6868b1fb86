"""Numbers with their unit in the cell: 600mm, D600, Ø 600, 1,2 m, 24in, 5'6", 5 ft 6 in, 3/4"."""

import re

from layers.ingest.numbers import NumberStyle, read_number

# How units are written, without case; the unit's own name stands for itself.
UNIT_WORDS: dict[str, str] = {
    **{name.lower(): name for name in (
        "m", "mm", "cm", "dm", "km", "ft", "in", "mi", "m2", "ha", "km2", "ft2", "acre", "m3", "l", "ft3", "gal",
        "m/s", "km/h", "mph", "m3/s", "l/s", "ft3/s", "m3/d", "m3/h", "l/min", "gal/min", "MGD", "kW", "HP",
        "kV", "%", "lm", "Pa", "kPa", "MPa", "bar", "psi", "kg", "g", "t", "kg/d", "t/d", "mg/L", "ug/L",
        "mg/m3", "ug/m3",
    )},
    "met": "m", "mét": "m", "meter": "m", "meters": "m", "metre": "m", "metres": "m", "w": "W", "v": "V", "mw": "MW",
    "feet": "ft", "foot": "ft", "us-ft": "us-ft", "inch": "in", "inches": "in", "mile": "mi", "miles": "mi",
    "m²": "m2", "sqm": "m2", "km²": "km2", "ft²": "ft2", "sqft": "ft2", "héc-ta": "ha", "hecta": "ha", "hectares": "ha",
    "acres": "acre", "m³": "m3", "lít": "l", "lit": "l", "liter": "l", "liters": "l", "litre": "l", "litres": "l",
    "m³/s": "m3/s", "cfs": "ft3/s", "m³/d": "m3/d", "m3/ngày": "m3/d", "m³/ngày": "m3/d", "m3/ngđ": "m3/d",
    "m³/ngđ": "m3/d", "m3/ngày đêm": "m3/d", "m³/ngày đêm": "m3/d", "kmh": "km/h", "lumen": "lm", "lumens": "lm",
    "m3/giờ": "m3/h", "m³/giờ": "m3/h", "m³/h": "m3/h", "l/phút": "l/min", "gpm": "gal/min", "mwh": "MW.h",
    "kwh": "kW.h", "kva": "kV.A", "mva": "MV.A", "kg/cm2": "kgf/cm2", "kg/cm²": "kgf/cm2", "mh2o": "mH2O",
    "tấn": "t", "tan": "t", "kg/ngày": "kg/d", "tấn/ngày": "t/d", "µg/l": "ug/L", "mg/m³": "mg/m3", "µg/m³": "ug/m3",
    "đồng": "{VND}", "vnđ": "{VND}", "vnd": "{VND}", "đ": "{VND}", "nghìn đồng": "{thousand VND}",
    "ngàn đồng": "{thousand VND}", "triệu đồng": "{million VND}", "triệu": "{million VND}",
    "tỷ đồng": "{billion VND}", "tỉ đồng": "{billion VND}", "tỷ": "{billion VND}",
}  # fmt: skip

_DIAMETER = re.compile(r"(?:DN|D|[ØøΦφФф∅⌀]|phi)\s*[=:.]?\s*(?=\d)", re.IGNORECASE)
_INCHES = r"(?:(?P<inches>\d+(?:[.,]\d{1,2})?)(?:[\s-]+(?P<over>\d+/\d+))?|(?P<only>\d+/\d+))"
_FEET = re.compile(
    rf"(?P<sign>-?)(?P<feet>\d+(?:[.,]\d{{1,2}})?)\s*(?:'|ft\.?|feet|foot)[\s-]*(?:{_INCHES}\s*(?:\"|in\.?|inch(?:es)?)?)?",
    re.IGNORECASE,
)
_INCH = re.compile(rf"(?P<sign>-?){_INCHES}\s*(?:\"|in\.?|inch(?:es)?)", re.IGNORECASE)
_MEASURE = re.compile(r"(?P<number>[+\-−]?[\d.,'’\s]*\d[.,]?(?:[eE][+-]?\d+)?)\s*(?P<unit>[^\d\s.,].*?)?\.?", re.DOTALL)
_PRIMES = str.maketrans({"′": "'", "’": "'", "‘": "'", "″": '"', "”": '"', "“": '"'})
_INCHES_PER_FOOT = 12


def read_measure(text: str, style: NumberStyle | None = None) -> tuple[float, str | None] | None:
    """Return the number and unit of a cell (unit None where it has none), or None where it is no measure.

    A sign of diameter (D, DN, Ø) without a unit means millimetres. Feet with inches come as inches.
    """
    cell = text.strip()
    marked = _DIAMETER.match(cell)
    if marked is not None:
        found = read_measure(cell[marked.end() :], style)
        return None if found is None else (found[0], found[1] or "mm")
    parts = _MEASURE.fullmatch(cell)
    if parts is not None:
        number = read_number(parts["number"], style)
        unit = UNIT_WORDS.get(" ".join(parts["unit"].lower().split())) if parts["unit"] else None
        if number is not None and (unit is not None or not parts["unit"]):
            return number, unit
    imperial = _read_imperial(cell.translate(_PRIMES).replace("''", '"'))
    return None if imperial is None else (imperial, "in")


def _read_imperial(cell: str) -> float | None:
    """Return the inches of a cell in feet and inches or in inches; None for anything else."""
    found = _FEET.fullmatch(cell) or _INCH.fullmatch(cell)
    if found is None:
        return None
    groups = found.groupdict()
    inches = float((groups["inches"] or "0").replace(",", "."))
    for fraction in (groups["over"], groups["only"]):
        if fraction:
            above, below = map(int, fraction.split("/"))
            if below == 0:
                return None
            inches += above / below
    feet = float((groups.get("feet") or "0").replace(",", "."))
    return (feet * _INCHES_PER_FOOT + inches) * (-1.0 if groups["sign"] else 1.0)

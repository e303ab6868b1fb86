"""Sensor Measurement Lists (RFC 8428, JSON): packs are resolved to records, times to UTC, units to UCUM."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from layers.errors import InputError

VERSION = 10
_RELATIVE_BELOW = 2**28
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Where the names of the SenML unit registry (RFC 8428 12.1, RFC 8798) differ from UCUM.
_UCUM = {"%RH": "%", "/": "1", "count": "1", "Ohm": "Ohm", "degL": "Cel", "lat": "deg", "lon": "deg", "pH": "[pH]",
         "dBm": "dB[mW]", "dBW": "dB[W]", "min": "min", "VA": "V.A", "var": "V.A", "Wh": "W.h", "kWh": "kW.h",
         "m3/s": "m3/s", "mm/h": "mm/h", "mg/l": "mg/L", "ug/m3": "ug/m3", "EL": "1", "%EL": "%"}  # fmt: skip
_KNOWN = frozenset(("bn", "bt", "bu", "bv", "bs", "bver", "n", "u", "v", "vs", "vb", "vd", "s", "t", "ut"))


class Record(NamedTuple):
    """One resolved record: ``result`` holds ``result`` (a number) or ``value`` (any other), ``unit`` is UCUM."""

    name: str
    time: datetime
    unit: str | None
    result: dict[str, Any]


def read_pack(document: Any, received: datetime) -> list[Record]:
    """Return the records of a pack with base fields applied (RFC 8428, 4.1–4.6).

    Times below 2²⁸ s count from ``received``. A record with a sum and no value gives the sum. Raises InputError for
    what is no pack: the whole of it is refused, since base fields carry over.
    """
    if not isinstance(document, list) or not document:
        raise InputError("a SenML pack is a list of records")
    base_name, base_time, base_unit, base_value, base_sum = "", 0.0, None, 0.0, 0.0
    records = []
    for number, entry in enumerate(document, start=1):
        if not isinstance(entry, dict):
            raise InputError(f"SenML record {number} is not an object")
        _check_version(entry, number)
        base_name = _read_text(entry, "bn", number, base_name) or ""
        base_unit = _read_text(entry, "bu", number, base_unit)
        base_time = _read_number(entry, "bt", number, base_time)
        base_value = _read_number(entry, "bv", number, base_value)
        base_sum = _read_number(entry, "bs", number, base_sum)
        result = _read_result(entry, number, base_value, base_sum)
        if result is None:
            continue
        name = base_name + (_read_text(entry, "n", number, None) or "")
        if not name:
            raise InputError(f"SenML record {number} has no name", hint="give n, or bn before it")
        unit = _read_text(entry, "u", number, base_unit)
        time = _read_time(base_time + _read_number(entry, "t", number, 0.0), received, number)
        records.append(Record(name, time, None if unit is None else _UCUM.get(unit, unit), result))
    if not records:
        raise InputError("the SenML pack holds no value")
    return records


def _read_result(entry: dict[str, Any], number: int, base_value: float, base_sum: float) -> dict[str, Any] | None:
    """Return the value of a record; None for one that only sets base fields."""
    given = [key for key in ("v", "vs", "vb", "vd") if key in entry]
    if len(given) > 1:
        raise InputError(f"SenML record {number} has several values: {', '.join(given)}")
    if given == ["v"] or (not given and "bv" in entry and ("n" in entry or "t" in entry)):
        return {"result": base_value + _read_number(entry, "v", number, 0.0)}
    if given == ["vb"]:
        if not isinstance(entry["vb"], bool):
            raise InputError(f"SenML record {number}: vb is true or false")
        return {"value": entry["vb"]}
    if given:
        return {"value": _read_text(entry, given[0], number, "")}
    return {"result": base_sum + _read_number(entry, "s", number, 0.0)} if "s" in entry else None


def _check_version(entry: dict[str, Any], number: int) -> None:
    version = entry.get("bver", VERSION)
    if not isinstance(version, int) or version > VERSION:
        raise InputError(f"SenML record {number} is of version {str(version)[:20]}, expected {VERSION} or older")
    needed = [key for key in entry if key.endswith("_") and key not in _KNOWN]
    if needed:
        raise InputError(f"SenML record {number} needs '{needed[0][:40]}', which is not known here")


def _read_text(entry: dict[str, Any], key: str, number: int, otherwise: str | None) -> str | None:
    value = entry.get(key, otherwise)
    if value is not None and not isinstance(value, str):
        raise InputError(f"SenML record {number}: {key} is a text")
    return value


def _read_number(entry: dict[str, Any], key: str, number: int, otherwise: float) -> float:
    value = entry.get(key, otherwise)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"SenML record {number}: {key} is a number")
    return float(value)


def _read_time(seconds: float, received: datetime, number: int) -> datetime:
    try:
        if seconds < _RELATIVE_BELOW:
            return received + timedelta(seconds=seconds)
        return _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        raise InputError(f"SenML record {number}: {seconds:g} s is no time") from None

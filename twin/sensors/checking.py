"""Whether a reading may be stored: a known series, a time that can be, a result of the series' type and unit."""

import math
from collections.abc import Set
from datetime import UTC, datetime

from layers.errors import InputError
from layers.quantities import conversion_factor
from twin.sensors.mapping import read_number
from twin.sensors.message import Reading, Refusal, Row
from twin.store_telemetry import Stream

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
MEASUREMENT, COUNT, TRUTH, CATEGORY = (
    "OM_Measurement",
    "OM_CountObservation",
    "OM_TruthObservation",
    "OM_CategoryObservation",
)


def check_reading(reading: Reading, stream: Stream | None, features: Set[str], latest: datetime) -> Refusal | None:
    """Return why a reading is refused, or None where it is fit.

    ``latest`` is the latest time it may have. Its row is brought to the type and the unit of the series.
    """
    row = reading.row
    if stream is None:
        return Refusal("unknown-datastream", f"datastream '{row['datastream_id'][:200]}' does not exist")
    moment = row["phenomenon_time"]
    if moment > latest:
        return Refusal("future", f"the time {moment.isoformat()} lies in the future")
    if moment < EARLIEST:
        return Refusal("too-old", f"the time {moment.isoformat()} lies before 1990")
    if "feature_of_interest_id" in row and row["feature_of_interest_id"] not in features:
        return Refusal("unknown-feature", f"feature of interest '{row['feature_of_interest_id'][:200]}' does not exist")
    if reading.unit is not None and row.get("result") is not None:
        refusal = _bring_to_unit(row, reading.unit, stream.unit)
        if refusal is not None:
            return refusal
    return _check_type(row, stream.kind, lenient=reading.lenient)


def _bring_to_unit(row: Row, unit: str, due: str) -> Refusal | None:
    if (unit, due) == ("K", "Cel"):
        row["result"] -= 273.15
        return None
    try:
        row["result"] *= conversion_factor(unit, due)
    except InputError:
        return Refusal("wrong-unit", f"the unit is {unit!r}, the datastream's is {due!r}")
    return None


def _check_type(row: Row, kind: str, *, lenient: bool) -> Refusal | None:
    value = row.get("value")
    if value is None:
        number = row["result"]
        if number is None:
            return None
        if not math.isfinite(number):
            return Refusal("wrong-type", f"the result {number} is not finite")
        if kind == MEASUREMENT or (kind == COUNT and number == int(number)):
            return None
        if lenient and kind == TRUTH and number in (0.0, 1.0):
            row["result"], row["value"] = None, bool(number)
            return None
        return None if kind not in (COUNT, TRUTH, CATEGORY) else _refuse_type(number, kind)
    if kind in (MEASUREMENT, COUNT):
        number = read_number(value) if lenient else None
        if number is None or not math.isfinite(number) or (kind == COUNT and number != int(number)):
            return _refuse_type(value, kind)
        row["result"] = number
        del row["value"]
        return None
    fits = {TRUTH: bool, CATEGORY: str}.get(kind, object)
    return None if isinstance(value, fits) else _refuse_type(value, kind)


def _refuse_type(value: object, kind: str) -> Refusal:
    return Refusal("wrong-type", f"the result {str(value)[:80]!r} is no {kind}")

"""Checks of single values and of references between files: presence, types, codes, ranges, keys, foreign keys."""

import re
import zoneinfo
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from twin.transit.feed import Feed, FeedTable, read_time
from twin.transit.notices import MOST_SAMPLES, Notices
from twin.transit.tables import KEPT, TABLES, Field, Table

_URL = re.compile(r"^https?://[^\s/?#]+\.?[^\s]*$", re.IGNORECASE)
_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
_LANGUAGE = re.compile(r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$")
_COLOR = re.compile(r"^[0-9A-Fa-f]{6}$")
_CURRENCY = re.compile(r"^[A-Z]{3}$")
_INTEGER = re.compile(r"^[+-]?\d{1,18}$")


def check_fields(feed: Feed, notices: Notices) -> None:
    """Check every file against its declaration."""
    for table in TABLES.values():
        held = feed.tables.get(table.name)
        if held is None:
            if table.presence == "required":
                notices.add("missing_required_file", [{"filename": table.filename}])
            elif table.presence == "recommended":
                notices.add("missing_recommended_file", [{"filename": table.filename}])
            continue
        _check_table(table, held, notices)
        _check_key(table, held, notices)
        _check_references(feed, table, held, notices)
    if "calendar" not in feed.tables and "calendar_dates" not in feed.tables:
        notices.add("missing_calendar_and_calendar_date_files", [{}])


def list_rows(table: Table, held: FeedTable, where: NDArray[Any], *names: str) -> Iterator[dict[str, Any]]:
    """Return the first rows of a mask as samples of a notice, with the values of some columns."""
    for at in np.flatnonzero(where)[:MOST_SAMPLES]:
        values = {name: held.column(name)[int(at)].as_py() for name in names}
        yield {"filename": table.filename, "csvRowNumber": int(held.rows[at]), **values}


def _check_table(table: Table, held: FeedTable, notices: Notices) -> None:
    if table.name in KEPT:
        return
    present = set(held.names)
    for field in table.fields:
        if field.presence == "required" and field.name not in present:
            notices.add("missing_required_column", [{"filename": table.filename, "fieldName": field.name}])
    for name in held.names:
        field_or_none = table.find(name)
        if field_or_none is None:
            notices.add("unknown_column", [{"filename": table.filename, "fieldName": name}])
        else:
            _check_field(table, held, field_or_none, notices)


def _check_field(table: Table, held: FeedTable, field: Field, notices: Notices) -> None:
    if not held.size:
        return
    encoded = held.column(field.name).dictionary_encode()
    values = encoded.dictionary.to_pylist()
    at = np.asarray(encoded.indices)
    if field.presence in ("required", "recommended") and "" in values:
        code = "missing_required_field" if field.presence == "required" else "missing_recommended_field"
        _add(table, held, field, at == values.index(""), code, notices)
    if field.kind in ("text", "id", "phone"):
        return
    wrong: dict[str, list[int]] = {}
    for position, value in enumerate(values):
        code_or_none = _judge(value, field) if value else None
        if code_or_none:
            wrong.setdefault(code_or_none, []).append(position)
    for code, positions in wrong.items():
        _add(table, held, field, np.isin(at, positions), code, notices)


def _add(table: Table, held: FeedTable, field: Field, where: NDArray[Any], code: str, notices: Notices) -> None:
    samples = (
        {"filename": row["filename"], "csvRowNumber": row["csvRowNumber"], "fieldName": field.name,
         "fieldValue": row[field.name]}
        for row in list_rows(table, held, where, field.name)
    )  # fmt: skip
    notices.add(code, samples, count=int(where.sum()))


def _judge(value: str, field: Field) -> str | None:
    """Return the code of what is wrong with a value, or None."""
    if field.kind in _WORDS:
        code, is_right = _WORDS[field.kind]
        return None if is_right(value) else code
    if field.kind in ("integer", "enum"):
        if not _INTEGER.match(value):
            return "invalid_integer"
        number = float(value)
        if field.kind == "enum":
            extended = field.name == "route_type" and 100 <= number <= 1702
            return None if int(number) in field.codes or extended else "unexpected_enum_value"
    else:
        try:
            number = float(value)
        except ValueError:
            return "invalid_float"
        if not np.isfinite(number):
            return "invalid_float"
    return None if _is_in_range(number, field) else "number_out_of_range"


def _is_in_range(number: float, field: Field) -> bool:
    if field.kind == "latitude":
        return abs(number) <= 90.0
    if field.kind == "longitude":
        return abs(number) <= 180.0
    return field.low is None or number > field.low or (number == field.low and not field.above)


def _is_date(value: str) -> bool:
    if len(value) != 8 or not value.isascii() or not value.isdigit():
        return False
    try:
        date(int(value[:4]), int(value[4:6]), int(value[6:]))
    except ValueError:
        return False
    return True


_WORDS: dict[str, tuple[str, Callable[[str], bool]]] = {
    "url": ("invalid_url", lambda value: bool(_URL.match(value))),
    "email": ("invalid_email", lambda value: bool(_EMAIL.match(value))),
    "language": ("invalid_language_code", lambda value: bool(_LANGUAGE.match(value))),
    "timezone": ("invalid_timezone", lambda value: value in zoneinfo.available_timezones()),
    "color": ("invalid_color", lambda value: bool(_COLOR.match(value))),
    "currency": ("invalid_currency", lambda value: bool(_CURRENCY.match(value))),
    "date": ("invalid_date", _is_date),
    "time": ("invalid_time", lambda value: not np.isnan(read_time(value))),
}


def _check_key(table: Table, held: FeedTable, notices: Notices) -> None:
    names = [name for name in table.key if name in held.names]
    if not names or held.size < 2 or (len(table.key) == 1 and table.key[0] not in held.names):
        return
    codes = np.zeros(held.size, np.int64)
    for name in names:
        own = np.asarray(held.column(name).dictionary_encode().indices, dtype=np.int64)
        _, codes = np.unique(codes * (int(own.max()) + 1) + own, return_inverse=True)
    _, first = np.unique(codes, return_index=True)
    repeated = np.ones(held.size, np.bool_)
    repeated[first] = False
    if table.key == ("attribution_id",):
        repeated &= np.asarray(pc.not_equal(held.column("attribution_id"), ""), dtype=np.bool_)
    if repeated.any():
        notices.add("duplicate_key", list_rows(table, held, repeated, *names), count=int(repeated.sum()))


def _check_references(feed: Feed, table: Table, held: FeedTable, notices: Notices) -> None:
    for field in table.fields:
        if not field.references or field.name not in held.names:
            continue
        targets = [one.split(".") for one in field.references]
        known = pa.concat_arrays([feed.table(name).column(column) for name, column in targets])
        column = held.column(field.name)
        missing = (held.find(field.name, known) < 0) & np.asarray(pc.not_equal(column, ""), dtype=np.bool_)
        if not missing.any():
            continue
        parent, parent_field = targets[0]
        samples = (
            {"childFilename": table.filename, "childFieldName": field.name, "parentFilename": f"{parent}.txt",
             "parentFieldName": parent_field, "fieldValue": row[field.name], "csvRowNumber": row["csvRowNumber"]}
            for row in list_rows(table, held, missing, field.name)
        )  # fmt: skip
        notices.add("foreign_key_violation", samples, count=int(missing.sum()))

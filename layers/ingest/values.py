"""One column of a file → one property of a layer: nodata, codes, units, dates, types and ranges."""

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd

from layers.ingest.mapping import PropertyRule
from layers.ingest.quality import Problems
from layers.quantities import conversion_factor
from layers.schema import Property

# Not Arrow's: that one cannot hold the lone surrogates of a badly decoded file.
TEXT = pd.StringDtype("python")
NULL_WORDS = frozenset({"", "\\N", "NULL", "null", "<Null>", "<null>"})
_TRUE, _FALSE = frozenset({"true", "t", "yes", "y", "1"}), frozenset({"false", "f", "no", "n", "0"})
_LARGEST_INTEGER = 2.0**53
_YEARS = (1000, 2200)


def as_text(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return the column as stripped text with None for null and for the words that mean it."""
    if pd.api.types.is_bool_dtype(values.dtype):
        return values.map({True: "true", False: "false"}).astype(object)
    if pd.api.types.is_float_dtype(values.dtype):
        whole = values.notna() & (values.round() == values) & (values.abs() < _LARGEST_INTEGER)
        text = values.astype(object).map(repr, na_action="ignore")
        text = text.where(~whole, values.where(whole, 0).astype("int64").astype(str))
        return _blank_to_none(text.astype(object).where(values.notna(), None))
    text = values.astype(object).where(values.notna(), None).map(str, na_action="ignore")
    return _blank_to_none(text.astype(object).map(str.strip, na_action="ignore"))


def _blank_to_none(text: "pd.Series[Any]") -> "pd.Series[Any]":
    return text.astype(object).where(text.notna() & ~text.isin(NULL_WORDS), None)


def convert(
    values: list["pd.Series[Any]"],
    prop: Property,
    rule: PropertyRule,
    problems: Problems,
    conversions: "Counter[str]",
    *,
    null_unknown_codes: bool = False,
) -> "pd.Series[Any]":
    """Return the property's values made from the columns of ``rule``; rejected rows go to ``problems``.

    The first column that holds something counts. Counted in ``conversions``: nodata, translated codes, units, dropped
    dates. A null where the property is required rejects the row.
    """
    raw = as_text(values[0])
    for column in values[1:]:
        more = as_text(column)
        raw = raw.where(raw.notna(), more)
    text = _drop_nodata(raw, prop, rule, conversions)
    if rule.pattern is not None:
        text = _extract(text, prop, rule.pattern, problems)
    if rule.codes:
        text = _translate(text, prop, rule, conversions)
    match prop.type:
        case "string":
            made = _to_string(text, prop, problems, conversions, null_unknown_codes=null_unknown_codes)
        case "number" | "integer":
            made = _to_number(text, prop, rule, problems, conversions)
        case "boolean":
            made = _to_boolean(text, prop, problems)
        case "date" | "datetime":
            made = _to_time(text, prop, rule, problems, conversions)
    if prop.required:
        problems.add(
            made.isna().to_numpy(dtype=bool),
            "required value missing",
            name=prop.name,
            values=raw,
            hint=f"fill column {' or '.join(repr(name) for name in rule.columns)}" if rule.columns else None,
        )
    return made


def _drop_nodata(
    text: "pd.Series[Any]", prop: Property, rule: PropertyRule, conversions: "Counter[str]"
) -> "pd.Series[Any]":
    if not rule.nodata:
        return text
    words = {str(value).strip() for value in rule.nodata}
    numbers = [float(value) for value in rule.nodata if isinstance(value, int | float)]
    hit = text.isin(words)
    if numbers:
        hit |= pd.to_numeric(text, errors="coerce").isin(numbers)
    conversions[f"{prop.name}: nodata to null"] += int(hit.sum())
    return text.where(~hit, None)


def _extract(text: "pd.Series[Any]", prop: Property, pattern: str, problems: Problems) -> "pd.Series[Any]":
    found = text.astype(TEXT).str.extract(pattern, expand=False)
    missed = text.notna() & found.isna()
    problems.add(
        missed.to_numpy(dtype=bool), f"does not fit the pattern {pattern}", name=prop.name, values=text, hint=None
    )
    return found.astype(object).where(found.notna(), None)


def _translate(
    text: "pd.Series[Any]", prop: Property, rule: PropertyRule, conversions: "Counter[str]"
) -> "pd.Series[Any]":
    codes = {code: target for code, target in rule.codes.items() if code != "*"}
    known = text.isin(codes)
    made = text.where(~known, text.map(codes))
    if "*" in rule.codes:
        own = text.isin([code.value for code in prop.codes])
        other = text.notna() & ~known & ~own
        made = made.where(~other, rule.codes["*"])
    made = made.astype(object).where(made.notna(), None)
    conversions[f"{prop.name}: codes translated"] += int((text.notna() & (made != text)).sum())
    return made


def _to_string(
    text: "pd.Series[Any]",
    prop: Property,
    problems: Problems,
    conversions: "Counter[str]",
    *,
    null_unknown_codes: bool,
) -> "pd.Series[Any]":
    if prop.codes:
        allowed = [code.value for code in prop.codes]
        unknown = text.notna() & ~text.isin(allowed)
        if null_unknown_codes:
            conversions[f"{prop.name}: unknown codes to null"] += int(unknown.sum())
            return text.where(~unknown, None)
        listed = ", ".join(allowed)
        problems.add(
            unknown.to_numpy(dtype=bool), "unknown code", name=prop.name, values=text, hint=f"expected one of {listed}"
        )
        return text
    shown = text.astype(TEXT)
    broken = shown.str.contains("[\x00\ud800-\udfff]", regex=True).fillna(False)
    problems.add(
        broken.to_numpy(dtype=bool), "holds characters that are no text", name=prop.name, hint="check the encoding"
    )
    returns = shown.str.contains("\r", regex=False).fillna(False)
    if returns.any():
        text = text.where(~returns, shown.str.replace(r"\r\n?", "\n", regex=True).astype(object))
    return text


def _to_number(
    text: "pd.Series[Any]", prop: Property, rule: PropertyRule, problems: Problems, conversions: "Counter[str]"
) -> "pd.Series[Any]":
    plain = text
    if rule.decimal_comma:
        plain = text.astype(TEXT).str.replace(",", ".", regex=False)
        conversions[f"{prop.name}: decimal comma"] += int((text.notna() & (plain != text)).fillna(False).sum())
    numbers = pd.to_numeric(plain, errors="coerce").astype("float64")
    problems.add(
        (text.notna() & ~np.isfinite(numbers)).to_numpy(dtype=bool), "not a number", name=prop.name, values=text
    )
    if rule.unit is not None and prop.unit is not None and rule.unit != prop.unit:
        numbers = numbers * conversion_factor(rule.unit, prop.unit)
        conversions[f"{prop.name}: {rule.unit} to {prop.unit}"] += int(numbers.notna().sum())
    measure = prop.measure
    low, high = (measure.minimum, measure.maximum) if measure else (-_LARGEST_INTEGER, _LARGEST_INTEGER)
    outside = (numbers < low) | (numbers > high)
    unit = f" {measure.symbol}" if measure and measure.symbol else ""
    problems.add(
        outside.to_numpy(dtype=bool),
        f"outside {low:g} to {high:g}{unit}",
        name=prop.name,
        values=text,
        hint="a unit or a nodata value missing in the mapping?",
    )
    if prop.type == "number":
        return numbers
    broken = numbers.notna() & (numbers.round() != numbers)
    problems.add(broken.to_numpy(dtype=bool), "not a whole number", name=prop.name, values=text)
    return numbers.where(~(broken | outside) & np.isfinite(numbers)).astype("Int64")


def _to_boolean(text: "pd.Series[Any]", prop: Property, problems: Problems) -> "pd.Series[Any]":
    lower = text.map(str.lower, na_action="ignore")
    true, false = lower.isin(_TRUE), lower.isin(_FALSE)
    problems.add(
        (text.notna() & ~true & ~false).to_numpy(dtype=bool),
        "neither yes nor no",
        name=prop.name,
        values=text,
        hint="translate it with codes in the mapping",
    )
    made = pd.Series(None, index=text.index, dtype=object)
    made[true.to_numpy(dtype=bool)] = True
    made[false.to_numpy(dtype=bool)] = False
    return made


def _to_time(
    text: "pd.Series[Any]", prop: Property, rule: PropertyRule, problems: Problems, conversions: "Counter[str]"
) -> "pd.Series[Any]":
    dropped = text.isin(rule.drop_dates)
    conversions[f"{prop.name}: placeholder dates to null"] += int(dropped.sum())
    text = text.where(~dropped, None)
    formats = rule.date or ("iso",)
    # Distinct values are few in real inventories; parsing each once keeps large files fast.
    parsed = {word: _parse_time(word, formats, rule.timezone) for word in text.dropna().unique()}
    times = text.map(parsed)
    problems.add(
        (text.notna() & times.isna()).to_numpy(dtype=bool),
        "not a date" if prop.type == "date" else "not a time",
        name=prop.name,
        values=text,
        hint=f"tried {', '.join(formats)}; name its format in the mapping under 'date'",
    )
    if prop.type == "date":
        return times.map(lambda moment: moment.date(), na_action="ignore").astype(object)
    naive = times.map(lambda moment: moment.tzinfo is None, na_action="ignore").eq(True)
    problems.add(
        naive.to_numpy(dtype=bool),
        "time without a zone",
        name=prop.name,
        values=text,
        hint="give 'timezone' in the mapping",
    )
    return pd.to_datetime(times.where(~naive, None), utc=True)


def _parse_time(word: str, formats: tuple[str, ...], timezone: str | None) -> pd.Timestamp | None:
    """Return the moment ``word`` means in the first format that fits and lies in 1000–2200, or None."""
    for style in formats:
        try:
            if style in ("epoch_s", "epoch_ms"):
                moment = pd.Timestamp(int(float(word)), unit="ms" if style == "epoch_ms" else "s", tz="UTC")
            elif style == "rfc1123":
                moment = pd.to_datetime(word, format="%a, %d %b %Y %H:%M:%S GMT", utc=True)
            elif style == "iso":
                moment = pd.to_datetime(word, format="ISO8601")
            else:
                moment = pd.to_datetime(word, format=style)
        except (ValueError, OverflowError):
            continue
        if not _YEARS[0] <= moment.year <= _YEARS[1]:
            continue
        return moment.tz_localize(timezone) if timezone is not None and moment.tzinfo is None else moment
    return None

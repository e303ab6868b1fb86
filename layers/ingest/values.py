"""One column of a file → one property of a layer: nodata, codes, types; numbers and dates have modules of their own."""

from collections import Counter
from typing import Any

import pandas as pd

from layers.ingest.date_values import make_times
from layers.ingest.mapping import PropertyRule
from layers.ingest.nulls import NULL_WORDS, is_null_word
from layers.ingest.number_values import LARGEST_INTEGER, make_numbers, take_numbers
from layers.ingest.quality import Problems
from layers.schema import Property

# Not Arrow's: that one cannot hold the lone surrogates of a badly decoded file.
TEXT = pd.StringDtype("python")
_TRUE = frozenset({"true", "t", "yes", "y", "1", "x", "có", "co", "đúng", "dung"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "không", "khong", "không có", "khong co", "k/c", "sai"})


def as_text(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return the column as stripped text with None for null and for the words that mean it."""
    if pd.api.types.is_bool_dtype(values.dtype):
        return values.map({True: "true", False: "false"}).astype(object)
    if pd.api.types.is_float_dtype(values.dtype):
        whole = values.notna() & (values.round() == values) & (values.abs() < LARGEST_INTEGER)
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
    if len(values) == 1 and prop.type in ("number", "integer") and not prop.required:
        numbers = take_numbers(values[0], prop, rule, conversions)
        if numbers is not None:
            return numbers
    raw, typed = _take_first(values)
    text = _drop_nodata(raw, prop, rule, conversions)
    if rule.pattern is not None:
        text = _extract(text, prop, rule.pattern, problems)
    if rule.codes:
        text = _translate(text, prop, rule, conversions)
    match prop.type:
        case "string":
            made = _to_string(text, prop, problems, conversions, null_unknown_codes=null_unknown_codes)
        case "number" | "integer":
            made = make_numbers(text, typed, prop, rule, problems, conversions)
        case "boolean":
            made = _to_boolean(text, prop, problems)
        case "date" | "datetime":
            made = make_times(text, prop, rule, problems, conversions)
    if prop.required:
        problems.add(
            made.isna().to_numpy(dtype=bool),
            "required value missing",
            name=prop.name,
            values=raw,
            hint=f"fill column {' or '.join(repr(name) for name in rule.columns)}" if rule.columns else None,
        )
    return made


def _take_first(values: list["pd.Series[Any]"]) -> tuple["pd.Series[Any]", "pd.Series[bool]"]:
    """Return the first text of every row, and whether it was a number in the file rather than text."""
    raw, typed = as_text(values[0]), _is_typed(values[0])
    for column in values[1:]:
        more = as_text(column)
        typed = typed.where(raw.notna(), _is_typed(column))
        raw = raw.where(raw.notna(), more)
    return raw, typed


def _is_typed(values: "pd.Series[Any]") -> "pd.Series[bool]":
    if pd.api.types.is_object_dtype(values.dtype):
        return values.map(lambda cell: isinstance(cell, int | float)).astype(bool)
    return pd.Series(pd.api.types.is_numeric_dtype(values.dtype), index=values.index, dtype=bool)


def _drop_nodata(
    text: "pd.Series[Any]", prop: Property, rule: PropertyRule, conversions: "Counter[str]"
) -> "pd.Series[Any]":
    """Return the text without declared nodata and, where asked for, words for nothing; no means no in a yes or no."""
    if rule.null_words:
        spared = _FALSE if prop.type == "boolean" else frozenset[str]()
        empty = {word for word in text.dropna().unique() if is_null_word(word) and word.lower() not in spared}
        hit = text.isin(empty)
        conversions[f"{prop.name}: words for nothing to null"] += int(hit.sum())
        text = text.where(~hit, None)
    if not rule.nodata:
        return text
    hit = text.isin({str(value).strip() for value in rule.nodata})
    numbers = [float(value) for value in rule.nodata if isinstance(value, int | float)]
    if numbers and prop.type not in ("number", "integer"):
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

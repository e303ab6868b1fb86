"""A column of text → numbers of a property: styles, units, sentinels and ranges; what cannot be read is rejected."""

from collections import Counter
from math import isfinite
from typing import Any

import numpy as np
import pandas as pd

from layers.errors import InputError
from layers.ingest.mapping import PropertyRule
from layers.ingest.measures import read_measure
from layers.ingest.nulls import is_null_word
from layers.ingest.numbers import has_two_readings, read_number, read_numbers
from layers.ingest.quality import Problems
from layers.quantities import conversion_factor
from layers.schema import Property

LARGEST_INTEGER = 2.0**53


def make_numbers(
    text: "pd.Series[Any]",
    typed: "pd.Series[bool]",
    prop: Property,
    rule: PropertyRule,
    problems: Problems,
    conversions: "Counter[str]",
) -> "pd.Series[Any]":
    """Return the numbers of ``text`` in the property's unit; ``typed`` marks cells that were numbers in the file."""
    numbers, units = _read(text, typed, prop, rule, conversions)
    _reject_unread(text, text.notna() & ~np.isfinite(numbers), prop, rule, problems)
    numbers = _bring_to_unit(_drop_sentinels(numbers, prop, rule, conversions), units, prop, conversions)
    measure = prop.measure
    low, high = _find_range(prop)
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


def take_numbers(
    values: "pd.Series[Any]", prop: Property, rule: PropertyRule, conversions: "Counter[str]"
) -> "pd.Series[Any] | None":
    """Return the numbers of a column that held numbers in the file; None where any of them must be looked at as text.

    The short way of ``make_numbers``, with the same outcome: most columns of most files are good numbers.
    """
    is_number = pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype)
    if not is_number or rule.codes or rule.pattern or any(isinstance(value, str) for value in rule.nodata):
        return None
    counts: Counter[str] = Counter()
    numbers: pd.Series[Any] = _drop_sentinels(values.astype("float64"), prop, rule, counts)
    numbers = _bring_to_unit(numbers, rule.unit or prop.unit, prop, counts)
    low, high = _find_range(prop)
    if ((numbers < low) | (numbers > high)).any():
        return None
    if prop.type == "integer":
        if (numbers.notna() & (numbers.round() != numbers)).any():
            return None
        numbers = numbers.astype("Int64")
    conversions.update(counts)
    return numbers


def _find_range(prop: Property) -> tuple[float, float]:
    measure = prop.measure
    return (measure.minimum, measure.maximum) if measure else (-LARGEST_INTEGER, LARGEST_INTEGER)


def _read(
    text: "pd.Series[Any]",
    typed: "pd.Series[bool]",
    prop: Property,
    rule: PropertyRule,
    conversions: "Counter[str]",
) -> tuple["pd.Series[float]", "pd.Series[Any] | str | None"]:
    """Return the numbers as the file has them, and the unit of each or of all."""
    numbers = plain = read_numbers(text, None)
    if rule.numbers is not None:
        numbers = plain.where(typed, read_numbers(text.where(~typed, None), rule.numbers))
        read_otherwise = numbers.notna() & (numbers != plain)
        conversions[f"{prop.name}: numbers written as {rule.numbers}"] += int(read_otherwise.sum())
    bare = rule.unit or prop.unit
    return _read_cells(text, numbers, bare, prop, rule) if rule.cell_units else (numbers, bare)


def _read_cells(
    text: "pd.Series[Any]",
    numbers: "pd.Series[float]",
    bare: str | None,
    prop: Property,
    rule: PropertyRule,
) -> tuple["pd.Series[float]", "pd.Series[Any]"]:
    """Return the numbers with those whose cells hold a unit, and the unit of each; ``bare`` is of cells without."""
    measures = {cell: read_measure(cell, rule.numbers) for cell in text[numbers.isna()].dropna().unique()}
    values = {cell: found[0] for cell, found in measures.items() if found is not None}
    units = {cell: found[1] or bare for cell, found in measures.items() if found is not None}
    numbers = numbers.where(numbers.notna(), text.map(values)).astype("float64")
    written = text.map(units).where(text.isin(units), bare)
    return numbers.where(_find_factors(written, prop).notna()), written


def _bring_to_unit(
    numbers: "pd.Series[float]", units: "pd.Series[Any] | str | None", prop: Property, conversions: "Counter[str]"
) -> "pd.Series[float]":
    """Return the numbers in the property's unit; how many were converted is counted."""
    if units is None or isinstance(units, str):
        if units == prop.unit:
            return numbers
        conversions[f"{prop.name}: {units} to {prop.unit}"] += int(numbers.notna().sum())
        return numbers * _find_factor(units, prop)
    for unit, often in units[numbers.notna() & (units != prop.unit)].value_counts().items():
        conversions[f"{prop.name}: {unit} to {prop.unit}"] += int(often)
    return numbers * _find_factors(units, prop)


def _find_factors(units: "pd.Series[Any]", prop: Property) -> "pd.Series[float]":
    return units.map({unit: _find_factor(unit, prop) for unit in units.unique()}).astype("float64")


def _find_factor(unit: str | None, prop: Property) -> float:
    """Return what turns ``unit`` into the property's; NaN where the two do not measure the same."""
    if unit == prop.unit or unit is None or prop.unit is None:
        return 1.0
    try:
        return conversion_factor(unit, prop.unit)
    except InputError:
        return float("nan")


def _drop_sentinels(
    numbers: "pd.Series[float]", prop: Property, rule: PropertyRule, conversions: "Counter[str]"
) -> "pd.Series[float]":
    """Return the numbers without nodata; those written as such were dropped as words before."""
    sentinels = [float(value) for value in rule.nodata if isinstance(value, int | float)]
    if not sentinels:
        return numbers
    hit = numbers.isin(sentinels)
    conversions[f"{prop.name}: nodata to null"] += int(hit.sum())
    return numbers.where(~hit)


def _reject_unread(
    text: "pd.Series[Any]", unread: "pd.Series[bool]", prop: Property, rule: PropertyRule, problems: Problems
) -> None:
    """Reject the cells that are no number, each with the rule that would read it."""
    hints = {cell: _explain(cell, prop, rule) for cell in text[unread].unique()}
    for hint in dict.fromkeys(hints.values()):
        mask = unread & text.map(hints).isin([hint]) if hint is not None else unread & text.map(hints).isna()
        problems.add(mask.to_numpy(dtype=bool), "not a number", name=prop.name, values=text, hint=hint)


def _explain(cell: str, prop: Property, rule: PropertyRule) -> str | None:
    """Return which rule of the mapping would read ``cell``, or why none would."""
    if has_two_readings(cell):
        vi, en = read_number(cell, "vi"), read_number(cell, "en")
        return f"may be {vi:g} (numbers: vi) or {en:g} (numbers: en)"
    for style in ("vi", "en"):
        if rule.numbers is None and read_number(cell, style) is not None:
            return f"read it with 'numbers: {style}' in the mapping"
    if rule.numbers in ("vi", "en") and read_number(cell, "mixed") is not None:
        return "read both ways of writing with 'numbers: mixed' in the mapping"
    if is_null_word(cell):
        return "read it as nothing with 'null_words: true' in the mapping"
    measure = read_measure(cell, rule.numbers or "mixed")
    if measure is None or measure[1] is None:
        return None
    if not isfinite(_find_factor(measure[1], prop)):
        return f"'{measure[1]}' is no unit of {prop.quantity}, expected one as {prop.unit}"
    return (
        None if rule.cell_units or prop.unit is None else "read units in cells with 'cell_units: true' in the mapping"
    )

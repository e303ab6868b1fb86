"""A column of text → dates or times of a property: declared formats and order, placeholders to null, zones."""

from collections import Counter
from typing import Any

import pandas as pd

from layers.ingest.dates import PLAIN, is_ambiguous, list_readings, read_date
from layers.ingest.mapping import PropertyRule
from layers.ingest.quality import Problems
from layers.schema import Property


def make_times(
    text: "pd.Series[Any]", prop: Property, rule: PropertyRule, problems: Problems, conversions: "Counter[str]"
) -> "pd.Series[Any]":
    """Return the moments of ``text``; distinct values, few in real inventories, are read once each."""
    formats = list_formats(rule)
    read = {word: read_date(word, formats, rule.timezone) for word in text.dropna().unique()}
    dropped = {
        word
        for word, made in read.items()
        if word in rule.drop_dates or (made is not None and made[0].date().isoformat() in rule.drop_dates)
    }
    placeholder = text.isin(dropped)
    conversions[f"{prop.name}: placeholder dates to null"] += int(placeholder.sum())
    text = text.where(~placeholder, None)
    for style, often in text.map({word: made[1] for word, made in read.items() if made}).value_counts().items():
        if style != "iso":
            conversions[f"{prop.name}: dates as {style}"] += int(often)
    times = text.map({word: made[0] for word, made in read.items() if made is not None})
    _reject_unread(text, text.notna() & times.isna(), prop, formats, problems)
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


def list_formats(rule: PropertyRule) -> tuple[str, ...]:
    """Return the formats a rule reads, in the order they are tried."""
    declared = rule.date or PLAIN
    return declared if rule.date_order is None else (*declared, rule.date_order)


def _reject_unread(
    text: "pd.Series[Any]", unread: "pd.Series[bool]", prop: Property, formats: tuple[str, ...], problems: Problems
) -> None:
    """Reject the cells that are no date, each with the rule that would read it."""
    reason = "not a date" if prop.type == "date" else "not a time"
    hints = {word: _explain(word, formats) for word in text[unread].unique()}
    for hint in dict.fromkeys(hints.values()):
        mask = unread & text.map(hints).eq(hint)
        problems.add(mask.to_numpy(dtype=bool), reason, name=prop.name, values=text, hint=hint)


def _explain(word: str, formats: tuple[str, ...]) -> str:
    """Return which rule of the mapping would read ``word``, with both readings where it has two."""
    readings = list_readings(word)
    if is_ambiguous(word):
        both = " or ".join(f"{moment:%-d %B %Y} (date_order: {order})" for order, moment in readings.items())
        return f"may be {both}"
    if readings and not {"dmy", "mdy"} & set(formats):
        return f"read it with 'date_order: {next(iter(readings))}' in the mapping"
    return f"tried {', '.join(formats)}; name its format in the mapping under 'date'"

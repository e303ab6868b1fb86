"""Texts made of other properties where the source has none: a full address of number, street, ward and province."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pandas as pd

from layers.schema import VectorLayer


def compose_texts(made: pd.DataFrame, layer: VectorLayer, conversions: "Counter[str]") -> None:
    """Fill the empty cells of properties that have a template, in place; how many is counted in ``conversions``.

    The parts of a template are divided by commas; a part whose properties are all empty is left out.
    """
    for prop in layer.properties:
        parts = prop.template_parts
        if not any(name in made for names in parts for name in names):
            continue
        given = made[prop.name].tolist() if prop.name in made else [None] * len(made)
        if not pd.isna(given).any():
            continue
        rows = made.to_dict("records")
        texts = [_join(parts, row) if pd.isna(own) else own for own, row in zip(given, rows, strict=True)]
        made[prop.name] = pd.Series(texts, index=made.index, dtype=object)
        count = sum(pd.isna(own) and text is not None for own, text in zip(given, texts, strict=True))
        conversions[f"{prop.name}: made of other properties"] += count


def compose_again(
    layer: VectorLayer, row: Mapping[str, Any], before: Mapping[str, Any] | None
) -> dict[str, str | None]:
    """Return the texts to make anew for ``row``, a feature that was ``before`` (None: it was not).

    Those that are empty, and those that still say what was made of the properties before.
    """
    made: dict[str, str | None] = {}
    for prop in layer.properties:
        own = row.get(prop.name)
        if prop.template and (own is None or (before and own == _join(prop.template_parts, before))):
            made[prop.name] = _join(prop.template_parts, row)
    return made


def _join(parts: tuple[tuple[str, ...], ...], row: Mapping[Any, Any]) -> str | None:
    words = [" ".join(str(row[name]) for name in names if not pd.isna(row.get(name))) for names in parts]
    return ", ".join(word for word in words if word) or None

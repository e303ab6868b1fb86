"""What only a person can decide about a file, asked before a row of it is stored."""

from pathlib import Path

import pandas as pd

from layers.errors import MappingError
from layers.ingest.mapping import LayerRule
from layers.ingest.survey import survey_dates
from layers.schema import VectorLayer


def check_dates(frame: pd.DataFrame, layer: VectorLayer, rule: LayerRule, path: Path) -> None:
    """Raise MappingError with both readings where a column's days and months could change places and no rule says."""
    for name, prop_rule in rule.properties.items():
        prop = layer.find(name)
        if prop is None or prop.type not in ("date", "datetime") or prop_rule.date or prop_rule.date_order:
            continue
        for column in prop_rule.columns:
            if column not in frame.columns or not pd.api.types.is_string_dtype(frame[column].dropna()):
                continue
            found = survey_dates(frame[column].drop_duplicates().tolist())
            if found.question is not None:
                raise MappingError(
                    f"{path}: dates of column '{column}' can be read in two ways: {found.why[0]}",
                    hint=f"say 'date_order: dmy' or 'date_order: mdy' at '{name}' in the mapping",
                )

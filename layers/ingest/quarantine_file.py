"""Quarantined rows out to a file that people mend, and back: which values were changed."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import shapely
from sqlalchemy import Connection

from layers.errors import InputError, SourceError
from layers.ingest.export import export_rows, read_shape
from layers.ingest.payloads import PLACED, SHAPE
from layers.ingest.readers import read_file
from layers.ingest.values import as_text
from layers.store.quarantine import QuarantineRow, Wanted, list_quarantine

NUMBER = "_id"
# Written to GeoJSON and back a point moves by less than this [degrees]; who moves one moves it further.
_STILL = 1e-8


def export_quarantine(rows: Iterable[QuarantineRow], path: Path) -> int:
    """Write rows with all they hold and all that is wrong with them to CSV, XLSX or GeoJSON, and return how many."""
    return export_rows([_describe(row) for row in rows], path)


def _describe(row: QuarantineRow) -> dict[str, object]:
    return {
        NUMBER: row.id,
        **row.values,
        "_source": row.source_id,
        "_layer": row.layer,
        "_row": row.row,
        "_field": row.field,
        "_value": row.value,
        "_reason": "; ".join(one.words for one in row.problems),
        "_hint": row.hint,
    }


def read_changes(connection: Connection, path: Path) -> dict[int, dict[str, Any]]:
    """Return what a mended file says otherwise than the quarantine, by number: of all its rows that are still open.

    A place left empty is no change, for an export leaves out what does not fit. SourceError names a file without
    numbers of rows, InputError one with a number that is none or there twice.
    """
    raw = read_file(path)
    if NUMBER not in raw.frame.columns:
        raise SourceError(f"{path} has no column '{NUMBER}', so it is no export of the quarantine")
    numbers = _read_numbers(as_text(raw.frame[NUMBER]), path)
    known = {row.id: row for row in list_quarantine(connection, Wanted(ids=tuple(numbers)))}
    cells = pd.DataFrame({name: as_text(raw.frame[name]) for name in raw.frame.columns if not _is_ours(str(name))})
    shapes = [None] * len(numbers) if raw.shapes is None else raw.shapes
    changes: dict[int, dict[str, Any]] = {}
    for position, number in enumerate(numbers):
        if number not in known:
            continue
        held = known[number].values
        before = as_text(pd.Series({name: held.get(name) for name in cells.columns}, dtype=object))
        now = cells.iloc[position]
        changed = {str(name): now[name] for name in cells.columns if now[name] != before[name]}
        if SHAPE in changed or PLACED in changed:
            if now.get(SHAPE) is None:
                changed.pop(SHAPE, None)
                changed.pop(PLACED, None)
            else:
                changed |= {SHAPE: now[SHAPE], PLACED: now.get(PLACED) or held.get(PLACED)}
        changes[number] = changed | _find_moved(held, shapes[position])
    return changes


def _read_numbers(texts: "pd.Series[Any]", path: Path) -> list[int]:
    numbers = pd.to_numeric(texts, errors="coerce")
    for problem, wrong in (("no number of a row", numbers.isna()), ("there twice", numbers.duplicated())):
        if wrong.any():
            raise InputError(f"{path}: '{NUMBER}' {texts[wrong].iloc[0]} is {problem}")
    return [int(number) for number in numbers]


def _is_ours(name: str) -> bool:
    return name.startswith("_") and name not in (SHAPE, PLACED)


def _find_moved(held: dict[str, Any], shape: Any) -> dict[str, Any]:
    """Return the geometry of a GeoJSON feature where it is not the one that was exported."""
    if shape is None:
        return {}
    before = read_shape(held)
    if before is not None and shapely.equals_exact(before, shape, _STILL, normalize=True):
        return {}
    return {SHAPE: shapely.to_wkt(shape, rounding_precision=-1), PLACED: "OGC:CRS84"}

"""Raw rows → rows a layer can hold: selection, identifiers, values and geometry, every rejected row with its reason."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from layers.errors import MappingError
from layers.ingest.crs import Shapes, check_area, check_crs, name_crs
from layers.ingest.mapping import PLACE, ROW, Condition, LayerRule, PropertyRule
from layers.ingest.quality import Problems, Rejection
from layers.ingest.readers import Raw, locate
from layers.ingest.shapes import (
    count_dimensions,
    fit_type,
    make_points,
    make_squares,
    project,
    reject_unusable,
    repair_areas,
)
from layers.ingest.values import TEXT, as_text, convert
from layers.schema import VectorLayer

LONGEST_ID = 200
_FIELD = re.compile(r"\{([^{}]+)\}")
_LONGEST_PAYLOAD_WKT = 100_000


@dataclass(frozen=True, slots=True)
class Cleaned:
    """One layer's share of a file: ``frame`` with ``id``, properties and geometry in the city's CRS, ready to store.

    ``read`` rows were chosen; ``rows`` are the file's row numbers of ``frame``; ``chosen`` marks the rows of the file.
    """

    layer: VectorLayer
    frame: gpd.GeoDataFrame
    rows: NDArray[np.int64]
    payloads: "_Payloads"
    rejections: tuple[Rejection, ...]
    read: int
    chosen: NDArray[np.bool_]
    repaired: int
    conversions: "Counter[str]"
    ignored_columns: tuple[str, ...]


class _Payloads(MappingOf[int, dict[str, Any]]):
    """What rows of the file held, by position, made only for the rows asked for."""

    def __init__(self, raw: Raw, crs: CRS, hidden: frozenset[str]) -> None:
        self._raw, self._crs = raw, name_crs(crs)
        self._columns = [name for name in raw.frame.columns if name not in hidden]

    def __getitem__(self, position: int) -> dict[str, Any]:
        row = self._raw.frame.iloc[position]
        held = {str(name): _plain(row[name]) for name in self._columns}
        if "@id" in held:
            held = {name: value for name, value in held.items() if value is not None}
        shape = None if self._raw.shapes is None else self._raw.shapes[position]
        if shape is not None and shapely.get_num_coordinates(shape) * 20 < _LONGEST_PAYLOAD_WKT:
            held["_wkt"] = shapely.to_wkt(shape, rounding_precision=-1)
            held["_crs"] = self._crs
        return held

    def __iter__(self) -> Any:
        return iter(range(len(self)))

    def __len__(self) -> int:
        return len(self._raw.frame)


def _plain(value: object) -> object:
    """Return a cell as JSON can hold it; overlong text is cut."""
    if value is None or value is pd.NA or (isinstance(value, float) and not np.isfinite(value)):
        return None
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, np.generic):
        return _plain(value.item())
    words = str(value)
    return words if len(words) <= _LONGEST_PAYLOAD_WKT else words[:1000] + "… (cut)"


def choose_default_rule(layer: VectorLayer, raw: Raw) -> LayerRule:
    """Return the rule for a file without mapping: columns named as properties are taken, ``id`` is the identifier.

    Without a column ``id`` identifiers are made from the place, so that loading twice changes nothing.
    """
    names = {prop.name for prop in layer.properties}
    taken = {str(name): str(name) for name in raw.frame.columns if name in names}
    return LayerRule.model_validate(
        {"layer": layer.id, "id": "id" if "id" in raw.frame.columns else PLACE, "properties": taken}
    )


def clean_layer(
    raw: Raw,
    layer: VectorLayer,
    rules: tuple[LayerRule, ...],
    *,
    source_crs: CRS,
    target_crs: CRS,
    path: Path,
) -> Cleaned:
    """Return the rows that ``rules`` choose for ``layer``, converted and checked.

    Raises MappingError naming a column the file lacks, CrsError when the whole file cannot be where it says,
    SourceError when no row has the layer's geometry type. Anything wrong with single rows is a rejection.
    """
    parts = [_clean_rule(raw, layer, rule, source_crs, target_crs, path) for rule in rules]
    merged = _merge(parts)
    return _reject_duplicates(merged)


def _clean_rule(raw: Raw, layer: VectorLayer, rule: LayerRule, source_crs: CRS, target_crs: CRS, path: Path) -> Cleaned:
    _check_columns(raw, rule, path)
    located = locate(raw, rule.geometry, path)
    assert located.shapes is not None
    check_crs(located.shapes, source_crs, str(path))
    check_area(located.shapes, source_crs, target_crs, str(path))
    chosen = select_rows(raw.frame, rule.where)
    positions = np.flatnonzero(chosen)
    frame = located.frame.iloc[positions].reset_index(drop=True)
    problems, conversions = Problems(len(frame)), Counter[str]()
    reasons = None if located.reasons is None else located.reasons.iloc[positions].reset_index(drop=True)
    shapes, repaired = _clean_shapes(
        located.shapes[positions], reasons, layer, rule, source_crs, target_crs, problems, conversions, path
    )
    made = pd.DataFrame({"id": _make_ids(frame, shapes, positions + 1, rule, problems)}, dtype=object)
    for prop in layer.properties:
        if prop.name in rule.constants:
            constant = pd.Series([rule.constants[prop.name]] * len(frame), dtype=object)
            made[prop.name] = convert([constant], prop, PropertyRule(columns=(prop.name,)), problems, Counter())
        elif prop.name in rule.properties:
            prop_rule = rule.properties[prop.name]
            columns = [frame[name] for name in prop_rule.columns]
            made[prop.name] = convert(
                columns, prop, prop_rule, problems, conversions, null_unknown_codes=rule.null_unknown_codes
            )
        elif prop.required:
            every = np.ones(len(frame), dtype=bool)
            problems.add(every, "required value missing", name=prop.name, hint="no column is mapped to it")
    good = ~problems.bad
    payloads = _Payloads(located, source_crs, frozenset(rule.ignore))
    by_position = {int(at): payloads[int(positions[at])] for at in np.flatnonzero(problems.bad)}
    return Cleaned(
        layer,
        gpd.GeoDataFrame(made[good].reset_index(drop=True), geometry=shapes[good], crs=target_crs),
        positions[good] + 1,
        payloads,
        tuple(problems.list_rejections(positions + 1, by_position)),
        len(frame),
        chosen,
        repaired,
        +conversions,
        _list_ignored(raw, {*rule.columns, *rule.ignore}),
    )


def _list_ignored(raw: Raw, used: set[str]) -> tuple[str, ...]:
    """Return the file's columns that nothing is made of; of OpenStreetMap only the tags asked for were read."""
    if "@id" in raw.frame.columns:
        return ()
    return tuple(str(name) for name in raw.frame.columns if name not in used)


def _clean_shapes(
    shapes: Shapes,
    reasons: "pd.Series[Any] | None",
    layer: VectorLayer,
    rule: LayerRule,
    source_crs: CRS,
    target_crs: CRS,
    problems: Problems,
    conversions: "Counter[str]",
    path: Path,
) -> tuple[Shapes, int]:
    """Return the chosen rows' geometry as the layer stores it, and how many were repaired."""
    reject_unusable(shapes, problems, reasons)
    count_dimensions(shapes, conversions)
    shapes = project(shapes, source_crs, target_crs, problems)
    shapes, repaired = repair_areas(shapes, problems)
    if rule.geometry.as_point:
        shapes = make_points(shapes, conversions)
    if rule.geometry.square is not None:
        shapes = make_squares(shapes, rule.geometry.square, conversions)
    return fit_type(shapes, layer.geometry, problems, conversions, None if rule.where else str(path)), repaired


def select_rows(frame: pd.DataFrame, where: tuple[dict[str, Condition], ...]) -> NDArray[np.bool_]:
    """Return which rows fulfil any of the sets of conditions; no sets choose all rows."""
    if not where:
        return np.ones(len(frame), dtype=bool)
    chosen = np.zeros(len(frame), dtype=bool)
    for tests in where:
        fits = np.ones(len(frame), dtype=bool)
        for name, test in tests.items():
            text = as_text(frame[name])
            if test.any_of is not None:
                fits &= text.isin(test.any_of).to_numpy(dtype=bool)
            if test.none_of is not None:
                fits &= ~text.isin(test.none_of).to_numpy(dtype=bool)
            if test.exists is not None:
                fits &= text.notna().to_numpy(dtype=bool) == test.exists
        chosen |= fits
    return chosen


def _check_columns(raw: Raw, rule: LayerRule, path: Path) -> None:
    geometry = (rule.geometry.x, rule.geometry.y, rule.geometry.wkt)
    for name in (*rule.columns, *rule.ignore):
        if name not in raw.frame.columns and name not in geometry:
            listed = ", ".join(map(str, raw.frame.columns))
            raise MappingError(f"{path} has no column '{name}', which the mapping names", hint=f"it has {listed}")


def _make_ids(
    frame: pd.DataFrame, shapes: Shapes, rows: NDArray[np.int64], rule: LayerRule, problems: Problems
) -> "pd.Series[Any]":
    """Return the identifiers by the rule's column or template; rows without one are rejected."""
    template = rule.id if rule.id is not None else ("@id" if "@id" in frame.columns else PLACE)
    pieces = _FIELD.split(template) if _FIELD.search(template) else ["", template, ""]
    made = pd.Series([rule.id_prefix + pieces[0]] * len(frame), dtype=object)
    missing = np.zeros(len(frame), dtype=bool)
    for name, literal in zip(pieces[1::2], pieces[2::2], strict=True):
        part = _read_id_part(frame, shapes, rows, name)
        missing |= part.isna().to_numpy(dtype=bool)
        made = made + part.where(part.notna(), "") + literal
    named = template if name_is_column(template) else "id"
    problems.add(missing, "no identifier", name=named, hint="fill it, or give another 'id' in the mapping")
    long = made.map(len).to_numpy(dtype=int) > LONGEST_ID
    problems.add(long, f"identifier longer than {LONGEST_ID} characters", name=named, values=made)
    odd = made.astype(TEXT).str.contains("[\x00-\x1f\ud800-\udfff]", regex=True).to_numpy(dtype=bool)
    problems.add(odd, "identifier holds control characters", name=named, values=made)
    return made


def name_is_column(template: str) -> bool:
    """Return whether an id rule is one plain column."""
    return not _FIELD.search(template) and template not in (PLACE, ROW)


def _read_id_part(frame: pd.DataFrame, shapes: Shapes, rows: NDArray[np.int64], name: str) -> "pd.Series[Any]":
    if name == ROW:
        return pd.Series(rows).astype(str).astype(object)
    if name == PLACE:
        written = shapely.to_wkb(shapes)
        digests = [None if wkb is None else hashlib.sha256(wkb).hexdigest()[:16] for wkb in written]
        # Rows without geometry are rejected for that; they need no second reason.
        return pd.Series([digest or "-" for digest in digests], dtype=object)
    return as_text(frame[name])


def _merge(parts: list[Cleaned]) -> Cleaned:
    """Return the shares of several rules for one layer as one, in file order."""
    if len(parts) == 1:
        return parts[0]
    rows = np.concatenate([part.rows for part in parts])
    order = np.argsort(rows, kind="stable")
    filled = [part.frame for part in parts if len(part.frame)] or [parts[0].frame]
    frame = pd.concat(filled, ignore_index=True).iloc[order].reset_index(drop=True)
    ignored = set(parts[0].ignored_columns).intersection(*(part.ignored_columns for part in parts))
    return Cleaned(
        parts[0].layer,
        gpd.GeoDataFrame(frame, geometry="geometry", crs=parts[0].frame.crs),
        rows[order],
        parts[0].payloads,
        tuple(sorted((one for part in parts for one in part.rejections), key=lambda one: one.row)),
        sum(part.read for part in parts),
        np.logical_or.reduce([part.chosen for part in parts]),
        sum(part.repaired for part in parts),
        sum((part.conversions for part in parts), Counter[str]()),
        tuple(name for name in parts[0].ignored_columns if name in ignored),
    )


def _reject_duplicates(cleaned: Cleaned) -> Cleaned:
    """Keep the first row of every identifier and reject the later ones."""
    ids = cleaned.frame["id"]
    again = ids.duplicated().to_numpy(dtype=bool)
    if not again.any():
        return cleaned
    first = dict(zip(ids[~again], cleaned.rows[~again], strict=True))
    hints = [f"row {first[one]} has it" for one in ids[again]]
    return reject(cleaned, again, "identifier appears twice in the file", hints)


def reject(cleaned: Cleaned, mask: NDArray[np.bool_], reason: str, hints: list[str]) -> Cleaned:
    """Return ``cleaned`` with the rows of ``mask`` moved to the rejections; ``hints`` has one entry for each."""
    late = [
        Rejection(int(row), "id", str(one), reason, hint, cleaned.payloads[int(row) - 1])
        for row, one, hint in zip(cleaned.rows[mask], cleaned.frame["id"][mask], hints, strict=True)
    ]
    return Cleaned(
        cleaned.layer,
        cleaned.frame[~mask].reset_index(drop=True),
        cleaned.rows[~mask],
        cleaned.payloads,
        tuple(sorted((*cleaned.rejections, *late), key=lambda one: one.row)),
        cleaned.read,
        cleaned.chosen,
        cleaned.repaired,
        cleaned.conversions,
        cleaned.ignored_columns,
    )

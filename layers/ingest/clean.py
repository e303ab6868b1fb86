"""Raw rows → rows a layer can hold: selection, identifiers, values and geometry, every rejected row with its reason."""

import hashlib
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from layers.errors import MappingError
from layers.ingest.compose import compose_texts
from layers.ingest.crs import Shapes, check_area, check_crs
from layers.ingest.locate import NO_WARDS, Wards, locate
from layers.ingest.mapping import PLACE, ROW, Condition, LayerRule, PropertyRule
from layers.ingest.payloads import Payloads
from layers.ingest.quality import Problem, Problems, Rejection
from layers.ingest.questions import check_dates
from layers.ingest.raw import Raw
from layers.ingest.shapes import (
    count_dimensions,
    exchange_axes,
    fit_type,
    make_points,
    make_squares,
    project,
    reject_unusable,
    repair_areas,
)
from layers.ingest.values import TEXT, as_text, convert
from layers.schema import Property, VectorLayer
from layers.store.area import CityArea

LONGEST_ID = 200
_FIELD = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Facts:
    """What holds for all rows of a file: its path, the CRS it is in and the one to bring it to, and ``hidden`` columns.

    ``area`` is where the city is, ``wards`` its wards' boundaries where rows name them. Hidden columns hold personal
    data: nothing is made of them and no payload keeps them.
    """

    path: Path
    source_crs: CRS
    target_crs: CRS
    hidden: frozenset[str] = frozenset()
    area: CityArea | None = None
    wards: Wards = field(default_factory=lambda: NO_WARDS)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """One layer's share of a chunk: ``frame`` with ``id``, properties and geometry in the city's CRS, ready to store.

    ``read`` rows were chosen; ``rows`` are the file's row numbers of ``frame``, ``rules`` the rules that made them;
    ``chosen`` marks the rows of the chunk.
    """

    frame: gpd.GeoDataFrame
    rows: NDArray[np.int64]
    rules: NDArray[np.int64]
    rejections: tuple[Rejection, ...]
    read: int
    chosen: NDArray[np.bool_]
    repaired: int
    conversions: "Counter[str]"


def choose_default_rule(layer: VectorLayer, columns: Collection[str]) -> LayerRule:
    """Return the rule for a file without mapping: columns named as properties are taken, ``id`` is the identifier.

    Without a column ``id`` identifiers are made from the place, so that loading twice changes nothing.
    """
    names = {prop.name for prop in layer.properties}
    taken = {name: name for name in columns if name in names}
    return LayerRule.model_validate({"layer": layer.id, "id": "id" if "id" in columns else PLACE, "properties": taken})


def check_sample(sample: Raw, layer: VectorLayer, rules: tuple[LayerRule, ...], facts: Facts) -> None:
    """Hold the first rows of a file against what must be true of all of it, before any row is stored.

    Raises MappingError naming a column the file lacks or that must not be loaded, CrsError when the file cannot be
    where it says, SourceError when no row has the layer's geometry type.
    """
    for rule in rules:
        _check_columns(sample, rule, facts.path)
        _check_required(layer, rule, facts)
        check_dates(sample.frame, layer, rule, facts.path)
        located = locate(sample, rule.geometry, facts.path, facts.wards)
        assert located.shapes is not None
        shapes = exchange_axes(located.shapes, rule.geometry.swap, facts.source_crs, facts.area, Counter())
        check_crs(shapes, facts.source_crs, str(facts.path))
        check_area(shapes, facts.source_crs, facts.target_crs, str(facts.path))
        if not rule.where:
            shapes = _redraw(shapes, rule, Counter())
            fit_type(shapes, layer.geometry, Problems(len(shapes)), Counter(), str(facts.path))


def clean_chunk(raw: Raw, layer: VectorLayer, rules: tuple[LayerRule, ...], facts: Facts) -> Cleaned:
    """Return the rows that ``rules`` choose for ``layer``, converted and checked; what is wrong is a rejection."""
    return _merge([_clean_rule(raw, layer, rule, number, facts) for number, rule in enumerate(rules)])


def _clean_rule(raw: Raw, layer: VectorLayer, rule: LayerRule, number: int, facts: Facts) -> Cleaned:
    located = locate(raw, rule.geometry, facts.path, facts.wards)
    assert located.shapes is not None
    chosen = select_rows(raw.frame, rule.where)
    positions = np.flatnonzero(chosen)
    rows = positions + 1 + raw.first_row
    frame = located.frame.iloc[positions].reset_index(drop=True)
    problems, conversions = Problems(len(frame)), Counter[str]()
    reasons = None if located.reasons is None else located.reasons.iloc[positions].reset_index(drop=True)
    shapes, repaired = _clean_shapes(located.shapes[positions], reasons, layer, rule, facts, problems, conversions)
    made = pd.DataFrame({"id": _make_ids(frame, shapes, rows, rule, problems)}, dtype=object)
    for prop in layer.properties:
        values = _make_property(prop, frame, rule, facts, problems, conversions)
        if values is not None:
            made[prop.name] = values
    compose_texts(made, layer, conversions)
    good, bad = ~problems.bad, np.flatnonzero(problems.bad)
    payloads = Payloads(located, facts.source_crs, facts.hidden | frozenset(rule.ignore)).make(positions[bad].tolist())
    return Cleaned(
        gpd.GeoDataFrame(made[good].reset_index(drop=True), geometry=shapes[good], crs=facts.target_crs),
        rows[good],
        np.full(int(good.sum()), number),
        tuple(
            Rejection(int(rows[at]), problems.get(int(at)), payload, made["id"].iloc[at], number)
            for at, payload in zip(bad, payloads, strict=True)
        ),
        len(frame),
        chosen,
        repaired,
        +conversions,
    )


def _make_property(
    prop: Property,
    frame: pd.DataFrame,
    rule: LayerRule,
    facts: Facts,
    problems: Problems,
    conversions: "Counter[str]",
) -> "pd.Series[Any] | None":
    """Return the values of one property, or None where the rule says nothing of it."""
    if prop.name in rule.constants:
        constant = pd.Series([rule.constants[prop.name]] * len(frame), dtype=object)
        return convert([constant], prop, PropertyRule(columns=(prop.name,)), problems, Counter())
    if prop.name in rule.properties:
        prop_rule = rule.properties[prop.name]
        columns = [frame[name] for name in prop_rule.columns if name not in facts.hidden]
        if columns:
            return convert(columns, prop, prop_rule, problems, conversions, null_unknown_codes=rule.null_unknown_codes)
    if prop.required:
        every = np.ones(len(frame), dtype=bool)
        problems.add(every, "required value missing", name=prop.name, hint="no column is mapped to it")
    return None


def list_ignored(columns: Collection[str], rules: tuple[LayerRule, ...], hidden: frozenset[str]) -> tuple[str, ...]:
    """Return the file's columns that nothing is made of; of OpenStreetMap only the tags asked for were read."""
    if "@id" in columns:
        return ()
    used = {name for rule in rules for name in (*rule.columns, *rule.ignore)} | hidden
    return tuple(name for name in columns if name not in used)


def _clean_shapes(
    shapes: Shapes,
    reasons: "pd.Series[Any] | None",
    layer: VectorLayer,
    rule: LayerRule,
    facts: Facts,
    problems: Problems,
    conversions: "Counter[str]",
) -> tuple[Shapes, int]:
    """Return the chosen rows' geometry as the layer stores it, and how many were repaired."""
    reject_unusable(shapes, problems, reasons)
    count_dimensions(shapes, conversions)
    shapes = exchange_axes(shapes, rule.geometry.swap, facts.source_crs, facts.area, conversions)
    shapes = project(shapes, facts.source_crs, facts.target_crs, problems)
    shapes, repaired = repair_areas(shapes, problems)
    return fit_type(_redraw(shapes, rule, conversions), layer.geometry, problems, conversions, None), repaired


def _redraw(shapes: Shapes, rule: LayerRule, conversions: "Counter[str]") -> Shapes:
    """Return the shapes as the rule wants them drawn: areas and lines as points, points as squares."""
    if rule.geometry.as_point:
        shapes = make_points(shapes, conversions)
    if rule.geometry.square is not None:
        shapes = make_squares(shapes, rule.geometry.square, conversions)
    return shapes


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
    geometry = rule.geometry.columns
    for name in (*rule.columns, *rule.ignore):
        if name not in raw.frame.columns and name not in geometry:
            listed = ", ".join(map(str, raw.frame.columns))
            raise MappingError(f"{path} has no column '{name}', which the mapping names", hint=f"it has {listed}")


def _check_required(layer: VectorLayer, rule: LayerRule, facts: Facts) -> None:
    """Raise MappingError where a required property would be made of personal data: every row would be rejected."""
    for prop in layer.properties:
        columns = rule.properties[prop.name].columns if prop.name in rule.properties else ()
        if prop.required and columns and prop.name not in rule.constants and facts.hidden.issuperset(columns):
            listed = ", ".join(columns)
            raise MappingError(
                f"{facts.path}: '{listed}' looks like personal data, which is never loaded, but layer '{layer.id}' "
                f"needs it as '{prop.name}'",
                hint=f"if nobody is named in it, say so in the mapping: keep: [{listed}]",
            )


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
    return made.where(~(missing | long | odd), None)


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
    return Cleaned(
        gpd.GeoDataFrame(frame, geometry="geometry", crs=parts[0].frame.crs),
        rows[order],
        np.concatenate([part.rules for part in parts])[order],
        tuple(sorted((one for part in parts for one in part.rejections), key=lambda one: one.row)),
        sum(part.read for part in parts),
        np.logical_or.reduce([part.chosen for part in parts]),
        sum(part.repaired for part in parts),
        sum((part.conversions for part in parts), Counter[str]()),
    )


def reject(cleaned: Cleaned, raw: Raw, facts: Facts, rules: tuple[LayerRule, ...], late: dict[int, Problem]) -> Cleaned:
    """Return ``cleaned`` with the rows at the positions of ``late`` moved to the rejections, each for its problem."""
    if not late:
        return cleaned
    rejections = list(cleaned.rejections)
    for number, rule in enumerate(rules):
        positions = [position for position in late if cleaned.rules[position] == number]
        located = locate(raw, rule.geometry, facts.path, facts.wards)
        rows = cleaned.rows[positions]
        hidden = facts.hidden | frozenset(rule.ignore)
        payloads = Payloads(located, facts.source_crs, hidden).make((rows - 1 - raw.first_row).tolist())
        ids = cleaned.frame["id"].iloc[positions]
        rejections += [
            Rejection(int(row), (late[position],), payload, str(one), number)
            for position, row, payload, one in zip(positions, rows, payloads, ids, strict=True)
        ]
    keep = np.ones(len(cleaned.frame), dtype=bool)
    keep[list(late)] = False
    return replace(
        cleaned,
        frame=cleaned.frame[keep].reset_index(drop=True),
        rows=cleaned.rows[keep],
        rules=cleaned.rules[keep],
        rejections=tuple(sorted(rejections, key=lambda one: one.row)),
    )

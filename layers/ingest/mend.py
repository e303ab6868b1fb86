"""Quarantined rows loaded again: with values changed by hand, or by a mapping that was mended."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import CRS
from sqlalchemy import Connection

from layers.errors import ConflictError, InputError
from layers.ingest.clean import Facts, clean_chunk
from layers.ingest.crs import read_crs
from layers.ingest.locate import NO_WARDS
from layers.ingest.mapping import LayerRule
from layers.ingest.mapping import Mapping as MappingFile
from layers.ingest.payloads import PLACED, SHAPE, read_payloads
from layers.ingest.quality import Problem
from layers.ingest.raw import Raw
from layers.ingest.stream import TWICE
from layers.registry import read_vector_layer
from layers.schema import VectorLayer
from layers.store.area import CityArea, read_area
from layers.store.edits import begin_edit
from layers.store.loads import read_plan
from layers.store.migrate import read_city
from layers.store.quarantine import (
    QuarantineRow,
    Wanted,
    list_quarantine,
    note_attempt,
    read_quarantined,
    settle_mended,
)
from layers.store.stage import compare_stage, copy_rows, find_foreign, find_stored, open_stage, store_stage
from layers.store.wards import read_ward_shapes

_FOREIGN = Problem("id", None, "identifier belongs to another source", "give it another")
_TAKEN = Problem("id", None, "identifier is another feature's", "give it one that is free")
_UNCHOSEN = Problem(None, None, "no rule of the mapping chooses the row any more")
_ROWS = 5000
_PLACING = ("x", "y", "wkt", "xy", "ward")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row: the feature it was made into, or what is still wrong with it."""

    id: int
    layer: str
    feature_id: str | None
    problems: tuple[Problem, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return asdict(self)


def mend_row(connection: Connection, row_id: int, changes: Mapping[str, Any], *, author: str, reason: str) -> Outcome:
    """Change values of one row by column (``_wkt`` with ``_crs`` is its geometry) and load it again.

    Raises NotFoundError for a row there is not, ConflictError for one that was settled, InputError for a column it
    does not have.
    """
    row = read_quarantined(connection, row_id)
    if row.status != "open":
        raise ConflictError(f"row {row_id} of the quarantine is {row.status} by {row.settled_by}")
    (outcome,) = mend_rows(connection, {row_id: changes}, author=author, reason=reason)
    return outcome


def mend_rows(
    connection: Connection,
    changes: Mapping[int, Mapping[str, Any]],
    *,
    author: str,
    reason: str,
    mapping: MappingFile | None = None,
) -> list[Outcome]:
    """Load the open rows numbered in ``changes`` again, each with its changes, and return what became of them.

    They are read by the rules of the load that rejected them, or by those of ``mapping``. A row that passes becomes a
    feature and leaves the quarantine, settled as mended; one that does not stays, with the changes and its reasons.
    """
    wanted = Wanted(ids=tuple(changes))
    named = list_quarantine(connection, wanted)
    sources = {row.source_id for row in named}
    source = sources.pop() if len(sources) == 1 else None
    layers = {row.layer for row in named}
    # The layers are locked now: what another mended meanwhile is no longer open.
    begin_edit(connection, author=author, reason=reason, kind="mend", source=source, layers=layers)
    rows = [replace(row, changes=row.changes | dict(changes[row.id])) for row in list_quarantine(connection, wanted)]
    facts = _City(CRS.from_epsg(read_city(connection).srid), read_area(connection))
    outcomes = [
        outcome for batch in _group(connection, rows, mapping) for outcome in _load_batch(connection, batch, facts)
    ]
    held = {row.id: row.changes for row in rows}
    for one in outcomes:
        if one.feature_id is None:
            note_attempt(connection, one.id, held[one.id], one.problems)
        else:
            settle_mended(connection, one.id, held[one.id], feature_id=one.feature_id, author=author, reason=reason)
    return sorted(outcomes, key=lambda one: one.id)


@dataclass(frozen=True, slots=True)
class _City:
    """The CRS to bring rows to, and where the city is."""

    crs: CRS
    area: CityArea


@dataclass(frozen=True, slots=True)
class _Batch:
    """Rows of one file, layer and CRS that are read by the same rules."""

    rows: tuple[QuarantineRow, ...]
    layer: VectorLayer
    rules: tuple[LayerRule, ...]
    crs: CRS
    hidden: frozenset[str]


def _group(connection: Connection, rows: Sequence[QuarantineRow], mapping: MappingFile | None) -> Iterator[_Batch]:
    """Yield the rows in batches, in the order of their first ones; InputError names a row without rules to read by."""
    groups: dict[tuple[str, str, int | None, int, Any, bool], list[QuarantineRow]] = defaultdict(list)
    for row in rows:
        is_redrawn = SHAPE in row.changes
        groups[row.source_id, row.layer, row.load_id, row.rule, row.values.get(PLACED), is_redrawn].append(row)
    plans: dict[int | None, dict[str, Any]] = {}
    for (_, layer_id, load_id, number, placed, is_redrawn), group in groups.items():
        plan = plans.setdefault(group[0].load_id, read_plan(connection, group[0].load_id or 0))
        rules = tuple(LayerRule.model_validate(rule) for rule in plan.get("rules", ()))
        if number >= len(rules):
            raise InputError(
                f"row {group[0].id} of the quarantine cannot be loaded alone: load {load_id} left no rules",
                hint=f"mend the file {group[0].uri} and load it again",
            )
        chosen: tuple[LayerRule, ...] = (rules[number],)
        if mapping is not None:
            chosen = tuple(rule for rule in mapping.layers if rule.layer == layer_id)
            if not chosen:
                raise InputError(f"the mapping feeds no layer '{layer_id}'")
        if is_redrawn:
            chosen = tuple(_take_own_shape(rule) for rule in chosen)
        crs = read_crs(str(placed or plan["crs"]))
        for start in range(0, len(group), _ROWS):
            part, layer = tuple(group[start : start + _ROWS]), read_vector_layer(layer_id)
            yield _Batch(part, layer, chosen, crs, frozenset(plan["hidden"]))


def _take_own_shape(rule: LayerRule) -> LayerRule:
    """Return the rule for rows whose geometry was given by hand: not to be made from columns any more."""
    return rule.model_copy(update={"geometry": rule.geometry.model_copy(update=dict.fromkeys(_PLACING))})


def _load_batch(connection: Connection, batch: _Batch, city: _City) -> list[Outcome]:
    """Clean and store a batch; return what became of each of its rows."""
    raw = _restore(batch)
    wards = read_ward_shapes(connection) if any(rule.geometry.ward for rule in batch.rules) else NO_WARDS
    facts = Facts(Path(batch.rows[0].uri), batch.crs, city.crs, batch.hidden, city.area, wards)
    cleaned = clean_chunk(raw, batch.layer, batch.rules, facts)
    stage = open_stage(connection, batch.layer, source_id=batch.rows[0].source_id)
    problems: dict[int, tuple[Problem, ...]] = {one.row: one.problems for one in cleaned.rejections}
    made: dict[int, str] = {}
    ids = cleaned.frame["id"].tolist()
    foreign, stored = find_foreign(stage, ids), find_stored(stage, ids)
    taken: set[str] = set()
    for row, one in zip(cleaned.rows.tolist(), ids, strict=True):
        asked = batch.rows[row - 1]
        is_doubled = any(problem.reason == TWICE for problem in asked.problems)
        if one in foreign:
            problems[row] = (replace(_FOREIGN, value=one),)
        elif one in taken or (one in stored and (is_doubled or one != asked.feature_id)):
            problems[row] = (replace(_TAKEN, value=one),)
        else:
            made[row] = one
            taken.add(one)
    keep = np.isin(cleaned.rows, list(made))
    copy_rows(stage, gpd.GeoDataFrame(cleaned.frame[keep]), cleaned.rows[keep])
    store_stage(stage, compare_stage(stage, overwrite_edits=True))
    return [
        Outcome(one.id, one.layer, made[row])
        if row in made
        else Outcome(one.id, one.layer, None, problems.get(row, (_UNCHOSEN,)))
        for row, one in enumerate(batch.rows, start=1)
    ]


def _restore(batch: _Batch) -> Raw:
    """Return the rows of a batch as they would come from their file, with a column for all that its rules name.

    InputError names a changed column that the file did not have, or that holds personal data.
    """
    raw = read_payloads([row.values for row in batch.rows])
    frame = raw.frame.copy()
    named = {name for rule in batch.rules for name in rule.columns} - batch.hidden
    for row in batch.rows:
        for name in row.changes:
            if name not in {*row.payload, *named, SHAPE, PLACED}:
                listed = ", ".join(name for name in row.payload if name not in (SHAPE, PLACED))
                raise InputError(f"row {row.id} of the quarantine has no column '{name}'", hint=f"it has {listed}")
    for rule in batch.rules:
        for name in (*rule.columns, *rule.ignore):
            if name not in frame.columns:
                # Left out of the payload: personal, or empty.
                frame[name] = pd.Series(None, index=frame.index, dtype=object)
    return replace(raw, frame=frame)

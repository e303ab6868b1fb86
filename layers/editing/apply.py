"""Edits carried out: all of them or none, each on the version its author saw, every rule still kept."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import orjson
import shapely
from pyproj import CRS
from sqlalchemy import Connection

from layers.access import who_asks
from layers.editing.check import Found, check_shapes, check_values
from layers.editing.reasons import translate_reason
from layers.editing.words import Change, Edit, Outcome, RejectedError, Result
from layers.errors import ConflictError, ForbiddenError, InputError, NotFoundError, PreconditionError
from layers.ingest.catalog import BY_HAND
from layers.ingest.compose import compose_again
from layers.ingest.crs import read_crs, transform
from layers.ingest.quality import Problem
from layers.rules.check import check_edit
from layers.rules.words import Finding
from layers.store.checks import Touched
from layers.store.edits import EditKind, begin_edit, read_clock
from layers.store.items import DEGREES, OutputCrs
from layers.store.migrate import read_city
from layers.store.networks.following import tell_written
from layers.store.sources import note_layers
from layers.store.versions import (
    Stored,
    delete_version,
    insert_version,
    read_endings,
    read_stored,
    update_version,
)

_CRS84 = read_crs("OGC:CRS84")
_WAIT_S = 5.0
_READ_AGAIN = "read it again, then repeat the edit"
_By = dict[str, dict[str, Stored]]


def apply_edits(
    connection: Connection, edits: Sequence[Edit], *, author: str, reason: str, valid_from: datetime | None = None
) -> Outcome:
    """Carry out ``edits`` in the caller's transaction and return what they did.

    ``valid_from`` back-dates all of them. Raises NotFoundError, ConflictError (it exists already, it would be valid
    before the version it follows), PreconditionError (it is no longer what was seen), ForbiddenError (a layer that runs
    write) or RejectedError with findings; then the caller rolls back.
    """
    _check_request(connection, edits, valid_from)
    layers = {edit.layer.id for edit in edits}
    edit_id = open_edit(connection, layers, author=author, reason=reason, kind="edit", valid_from=valid_from)
    stored = read_all(connection, edits)
    for edit in edits:
        _check_state(edit, stored[edit.layer.id].get(edit.id), valid_from)
    return carry_out(connection, edit_id, prepare_changes(connection, edits, stored), stored, valid_from)


def open_edit(
    connection: Connection,
    layers: Iterable[str],
    *,
    author: str,
    reason: str,
    kind: EditKind,
    valid_from: datetime | None = None,
    reverts: int | None = None,
) -> int:
    """Begin an edit of ``layers``; it waits a little for a load that is busy with one."""
    return begin_edit(
        connection, author=author, reason=reason, kind=kind, valid_from=valid_from, reverts=reverts, layers=layers,
        wait_s=_WAIT_S,
    )  # fmt: skip


def read_all(connection: Connection, touched: Sequence[Edit | Change]) -> _By:
    """Return the present versions of what is touched, by layer and id."""
    layers = {one.layer.id: one.layer for one in touched}
    return {
        key: read_stored(connection, layer, [one.id for one in touched if one.layer.id == key])
        for key, layer in sorted(layers.items())
    }


def _check_request(connection: Connection, edits: Sequence[Edit], valid_from: datetime | None) -> None:
    met: set[tuple[str, str]] = set()
    for edit in edits:
        if not who_asks().may_edit(edit.layer):
            raise ForbiddenError(f"your roles do not edit collection '{edit.layer.id}'", hint="ask an administrator")
        if edit.layer.of_runs:
            raise ForbiddenError(f"collection '{edit.layer.id}' is written by runs only")
        if (edit.layer.id, edit.id) in met:
            raise InputError(f"'{edit.id[:80]}' of '{edit.layer.id}' is edited twice", hint="one edit a feature")
        met.add((edit.layer.id, edit.id))
    if valid_from is not None and valid_from > read_clock(connection):
        raise InputError(
            f"valid_from {valid_from.isoformat()} lies in the future", hint="what is planned is a scenario"
        )


def _check_state(edit: Edit, present: Stored | None, valid_from: datetime | None) -> None:
    """Raise what stands against an edit in the state of its feature."""
    name = f"'{edit.id[:80]}' of '{edit.layer.id}'"
    if edit.op == "create":
        if present is not None and edit.seen is not None:
            raise PreconditionError(f"{name} exists already", hint="If-Match with its ETag replaces it")
        if present is not None:
            raise ConflictError(f"{name} exists already", hint="replace or update it, or give another id")
        return
    if present is None:
        raise NotFoundError(f"collection '{edit.layer.id}' has no item '{edit.id[:80]}'")
    if edit.seen is not None and (present.fid, present.recorded_from) not in edit.seen:
        raise PreconditionError(f"{name} was changed meanwhile", hint=_READ_AGAIN)
    if edit.unchanged_since is not None and present.recorded_from.replace(microsecond=0) > edit.unchanged_since:
        raise PreconditionError(f"{name} was changed after {edit.unchanged_since.isoformat()}", hint=_READ_AGAIN)
    if valid_from is not None and valid_from < present.valid_from:
        raise ConflictError(
            f"{name} is as it is since {present.valid_from.isoformat()}: it cannot change at {valid_from.isoformat()}",
            hint="give a later valid_from, or revert the later change first",
        )


def prepare_changes(connection: Connection, edits: Sequence[Edit], stored: _By) -> list[Change]:
    """Return what the edits come to, in their order; RejectedError when they do not fit the declaration."""
    target = CRS.from_epsg(read_city(connection).srid)
    made: dict[tuple[str, str], Change] = {}
    findings: list[Finding] = []
    for layer_id, present in stored.items():
        own = [edit for edit in edits if edit.layer.id == layer_id]
        layer, found = own[0].layer, Found()
        rows = [_fill(edit) for edit in own]
        values = check_values(layer, rows, whole=[edit.op in ("create", "replace") for edit in own], found=found)
        geometries = [_choose_geometry(edit, present, target) for edit in own]
        shapes = check_shapes(layer, geometries, target, sources=[_name_crs(edit.crs) for edit in own], found=found)
        for place, edit in enumerate(own):
            if edit.op in ("create", "replace") and edit.geometry is None:
                found.setdefault(place, []).append(Problem("geometry", None, "no geometry"))
            made[layer_id, edit.id] = _compare(edit, present.get(edit.id), values[place], shapes[place])
            findings += [
                _describe(edit, present.get(edit.id), problem.field, problem.value, problem.reason, problem.hint)
                for problem in found.get(place, ())
            ]
    if findings:
        raise RejectedError(findings)
    return [made[edit.layer.id, edit.id] for edit in edits]


def _fill(edit: Edit) -> Mapping[str, Any]:
    """Return the properties of an edit; a whole feature has all that its author sees, absent ones empty."""
    if edit.op not in ("create", "replace"):
        return edit.properties
    return {prop.name: None for prop in edit.layer.properties} | dict(edit.properties)


def _choose_geometry(edit: Edit, present: dict[str, Stored], target: CRS) -> Mapping[str, Any] | None:
    """Return the geometry to write; one put back as it was read moves nothing, though it was rounded for reading."""
    stored = present.get(edit.id)
    if edit.op == "delete" or edit.geometry is None:
        return None
    if stored is not None and _is_same(edit.geometry, edit.crs, stored, target):
        return None
    return edit.geometry


def _is_same(geometry: Mapping[str, Any], crs: OutputCrs, stored: Stored, target: CRS) -> bool:
    """Return whether ``geometry`` is what is stored, as it is written in ``crs``."""
    if crs == DEGREES:
        known = orjson.loads(stored.written)
        return bool(geometry.get("type") == known["type"] and geometry.get("coordinates") == known["coordinates"])
    given = shapely.from_geojson(orjson.dumps(geometry), on_invalid="ignore")
    degrees = transform(np.array([stored.shape], dtype=object), target, _CRS84)
    written = transform(degrees, _CRS84, CRS.from_epsg(crs.srid))[0]
    # Half a digit in both directions.
    return given is not None and bool(shapely.equals_exact(given, written, tolerance=0.75 * 10.0**-crs.decimals))


def _name_crs(crs: OutputCrs) -> str:
    return "OGC:CRS84" if crs == DEGREES else f"EPSG:{crs.srid}"


def _compare(edit: Edit, present: Stored | None, given: dict[str, Any], shape: Any) -> Change:
    before = present.values if present is not None else None
    values = given | compose_again(edit.layer, {**(before or {}), **given}, before)
    if present is None:
        return Change("create", edit.layer, edit.id, values, shape)
    if edit.op == "delete":
        return Change("delete", edit.layer, edit.id, fid=present.fid)
    changed = {name: value for name, value in values.items() if value != present.values[name]}
    moved = shape if shape is not None and not shapely.equals_identical(shape, present.shape) else None
    if not changed and moved is None:
        return Change("keep", edit.layer, edit.id, fid=present.fid)
    return Change("update", edit.layer, edit.id, changed, moved, present.fid)


def _describe(
    edit: Edit, present: Stored | None, name: str | None, value: str | None, reason: str, hint: str | None
) -> Finding:
    said, helped = translate_reason(reason), translate_reason(hint) if hint else None
    place = read_place(present.written) if present is not None else _find_new_place(edit.geometry)
    return Finding("domain", "error", edit.layer.id, edit.id, said, name, value, place=place, hint=helped)


def _find_new_place(geometry: Mapping[str, Any] | None) -> tuple[float, float] | None:
    """Return longitude and latitude [°] of a geometry that was given and may be wrong; None where it is nowhere."""
    shape = shapely.from_geojson(orjson.dumps(geometry), on_invalid="ignore")
    if shape is None or shape.is_empty:
        return None
    lon, lat = shapely.get_coordinates(shapely.point_on_surface(shape) if shape.is_valid else shape)[0]
    return (round(float(lon), 7), round(float(lat), 7)) if abs(lon) <= 180.0 and abs(lat) <= 90.0 else None


def read_place(written: str) -> tuple[float, float]:
    """Return longitude and latitude [°] of a point on a GeoJSON geometry."""
    point = shapely.point_on_surface(shapely.from_geojson(written))
    return round(shapely.get_x(point), 7), round(shapely.get_y(point), 7)


def carry_out(
    connection: Connection, edit_id: int, changes: Sequence[Change], stored: _By, valid_from: datetime | None = None
) -> Outcome:
    """Write ``changes`` and return what they did; RejectedError when one of them breaks a rule that was kept before.

    What was wrong already does not stand against an edit: else nobody could mend an inventory step by step.
    """
    fids = _find_past_keys(connection, changes, valid_from)
    touched = [one for change in changes for one in _list_touched(change, stored)]
    before = {finding.key for finding in check_edit(connection, touched)}
    results = [_write(connection, change, stored, fids) for change in changes]
    by_hand = {one.layer.id for one in changes if one.op == "create" and one.source_id == BY_HAND}
    note_layers(connection, BY_HAND, by_hand)
    tell_written(connection, {change.layer.id for change in changes if change.op != "keep"})
    after = [replace(finding, standing=finding.key in before) for finding in check_edit(connection, touched)]
    if any(finding.severity == "error" and not finding.standing for finding in after):
        raise RejectedError(after)
    return Outcome(edit_id, tuple(results), tuple(after))


def _list_touched(change: Change, stored: _By) -> list[Touched]:
    """Return a changed feature as it was and as it will be."""
    if change.op == "keep":
        return []
    present = stored[change.layer.id].get(change.id)
    old = [] if present is None else [Touched(change.layer.id, {**present.values, "id": change.id}, present.shape)]
    if change.op == "delete":
        return old
    row = {**(present.values if present else {}), **change.values, "id": change.id}
    shape = change.shape if change.shape is not None else present.shape if present else None
    return [*old, Touched(change.layer.id, row, shape)]


def _find_past_keys(
    connection: Connection, changes: Sequence[Change], valid_from: datetime | None
) -> dict[tuple[str, str], int]:
    """Return the keys that created features had before; ConflictError when one would live twice at a time."""
    created: dict[str, list[Change]] = {}
    for change in changes:
        if change.op == "create":
            created.setdefault(change.layer.id, []).append(change)
    keys: dict[tuple[str, str], int] = {}
    for layer_id, group in created.items():
        for feature_id, (fid, ended) in read_endings(connection, group[0].layer, [one.id for one in group]).items():
            if valid_from is not None and valid_from < ended:
                raise ConflictError(
                    f"'{feature_id[:80]}' of '{layer_id}' existed until {ended.isoformat()}: "
                    f"it cannot begin at {valid_from.isoformat()}"
                )
            keys[layer_id, feature_id] = fid
    return keys


def _write(connection: Connection, change: Change, stored: _By, fids: Mapping[tuple[str, str], int]) -> Result:
    layer, present = change.layer, stored[change.layer.id].get(change.id)
    if change.op == "create":
        fid = fids.get((layer.id, change.id), change.fid)
        stamp = insert_version(
            connection, layer, change.id, change.values, change.shape, source_id=change.source_id, fid=fid
        )
        return Result(layer, change.id, "created", (stamp.fid, stamp.recorded_from))
    assert present is not None
    if change.op == "delete":
        delete_version(connection, layer, present.fid)
        return Result(layer, change.id, "deleted", None)
    if change.op == "keep":
        return Result(layer, change.id, "unchanged", (present.fid, present.recorded_from))
    stamp = update_version(connection, layer, present.fid, change.values, change.shape)
    return Result(layer, change.id, "updated", (stamp.fid, stamp.recorded_from))

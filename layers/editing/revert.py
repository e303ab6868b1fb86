"""Taking back: an edit as a whole, or one feature to what it was; either is a new edit that keeps every rule."""

from collections.abc import Sequence
from datetime import datetime

import shapely
from sqlalchemy import Connection

from layers.editing.apply import carry_out, open_edit, read_all
from layers.editing.words import Change, Outcome, Version
from layers.errors import ConflictError, ForbiddenError, NotFoundError, PreconditionError, TooLargeError
from layers.registry import VECTOR_LAYERS
from layers.schema import VectorLayer
from layers.store.edits import read_edit
from layers.store.history import Pair, VersionRow, count_edit_changes, list_edit_changes, list_feature_versions
from layers.store.versions import Stored, read_stored

MOST_REVERTED = 5000
_SHOWN = 5


def revert_edit(connection: Connection, edit_id: int, *, author: str, reason: str) -> Outcome:
    """Take back all that an edit did and return what that did.

    ConflictError names features that were changed since: they must be reverted one by one. TooLargeError for an edit
    (a load) of too many features.
    """
    edit = read_edit(connection, edit_id)
    layers = [VECTOR_LAYERS[name] for name in edit.layers if name in VECTOR_LAYERS]
    count = sum(count_edit_changes(connection, layer, edit_id) for layer in layers)
    if count > MOST_REVERTED:
        raise TooLargeError(
            f"edit {edit_id} touched {count} features, at most {MOST_REVERTED} are reverted at once",
            hint="load the earlier file again",
        )
    if count == 0:
        raise ConflictError(f"edit {edit_id} changed nothing that could be taken back")
    made = open_edit(
        connection, [layer.id for layer in layers], author=author, reason=reason, kind="revert", reverts=edit_id
    )
    changes: list[Change] = []
    later: list[str] = []
    for layer in layers:
        pairs = list_edit_changes(connection, layer, edit_id, limit=MOST_REVERTED)
        present = read_stored(connection, layer, [pair.either.id for pair in pairs])
        for pair in pairs:
            now = present.get(pair.either.id)
            if (now is None) != (pair.new is None) or (
                pair.new and now and pair.new.recorded_from != now.recorded_from
            ):
                later.append(f"'{pair.either.id[:80]}' of '{layer.id}'")
            else:
                changes.append(_undo(layer, pair, now))
    if later:
        more = f" and {len(later) - _SHOWN} more" if len(later) > _SHOWN else ""
        raise ConflictError(
            f"changed since edit {edit_id}: {', '.join(later[:_SHOWN])}{more}",
            hint="revert those features one by one, or the later edits first",
        )
    return _carry_out(connection, made, changes)


def _undo(layer: VectorLayer, pair: Pair, present: Stored | None) -> Change:
    if pair.old is None:
        return Change("delete", layer, pair.either.id, fid=pair.either.fid)
    return _bring_back(layer, pair.old, present)


def _bring_back(layer: VectorLayer, version: VersionRow, present: Stored | None) -> Change:
    """Return the change that makes a feature what it was in ``version``."""
    if present is None:
        return Change("create", layer, version.id, version.values, version.shape, version.fid, version.source_id)
    values = {name: value for name, value in version.values.items() if value != present.values[name]}
    shape = None if shapely.equals_identical(version.shape, present.shape) else version.shape
    if not values and shape is None:
        return Change("keep", layer, version.id, fid=present.fid)
    return Change("update", layer, version.id, values, shape, present.fid)


def revert_feature(
    connection: Connection,
    layer: VectorLayer,
    feature_id: str,
    to: int | datetime,
    *,
    author: str,
    reason: str,
    seen: frozenset[Version] | None = None,
) -> Outcome:
    """Make a feature what it was in a version (counted from 1) or at a moment of valid time, and return what that did.

    ``seen`` are the present versions the caller may have in mind, None for any.
    """
    if layer.of_runs:
        raise ForbiddenError(f"collection '{layer.id}' is written by runs only")
    made = open_edit(connection, [layer.id], author=author, reason=reason, kind="revert")
    versions = list_feature_versions(connection, layer, feature_id)
    if not versions:
        raise NotFoundError(f"collection '{layer.id}' never had an item '{feature_id[:80]}'")
    version = _choose(versions, to)
    present = read_stored(connection, layer, [feature_id]).get(feature_id)
    if seen is not None and (present is None or (present.fid, present.recorded_from) not in seen):
        raise PreconditionError(f"'{feature_id[:80]}' of '{layer.id}' was changed meanwhile", hint="read it again")
    return _carry_out(connection, made, [_bring_back(layer, version, present)])


def _choose(versions: Sequence[VersionRow], to: int | datetime) -> VersionRow:
    name = f"'{versions[0].id[:80]}'"
    if isinstance(to, int):
        if not 1 <= to <= len(versions):
            raise NotFoundError(f"{name} has no version {to}", hint=f"it has 1 to {len(versions)}")
        return versions[to - 1]
    found = next((row for row in versions if row.holds_at(to)), None)
    if found is None:
        raise ConflictError(f"{name} did not exist at {to.isoformat()}", hint="delete it if that is what is meant")
    return found


def _carry_out(connection: Connection, edit_id: int, changes: list[Change]) -> Outcome:
    return carry_out(connection, edit_id, changes, read_all(connection, changes))

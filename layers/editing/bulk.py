"""One change of all items of a layer that pass a filter, as one edit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from layers.editing.apply import apply_edits
from layers.editing.compare import Difference, compare_versions
from layers.editing.words import Edit, Outcome
from layers.errors import InputError, TooLargeError
from layers.schema import VectorLayer
from layers.store.history import list_edit_changes
from layers.store.query.fids import select_fids

# What can be taken back at once: an edit that cannot be undone would be a trap.
MOST_BULK = 5000
SAMPLES = 20


@dataclass(frozen=True, slots=True)
class Bulk:
    """What a change of many did: how many passed the filter, how many of those changed, and how the first differ now.

    ``outcome`` is None where nothing passed.
    """

    count: int
    changed: int
    samples: tuple[tuple[str, Difference], ...]
    outcome: Outcome | None


def change_many(
    connection: Connection,
    layer: VectorLayer,
    *,
    passing: str | None,
    values: Mapping[str, Any],
    author: str,
    reason: str,
) -> Bulk:
    """Give all items of ``layer`` that pass a CQL2 filter the same ``values``, in the caller's transaction.

    Raises InputError for a filter that cannot be read, TooLargeError for more items than can be taken back, and what
    every edit raises; RejectedError when one of the items would be wrong.
    """
    if not values:
        raise InputError("nothing is set", hint='"set": {"condition": "good"}')
    ids = sorted(str(one) for one in select_fids(connection, layer, passing=passing)[0])
    if len(ids) > MOST_BULK:
        raise TooLargeError(
            f"{len(ids)} items pass the filter, at most {MOST_BULK} are changed at once", hint="narrow the filter"
        )
    if not ids:
        return Bulk(0, 0, (), None)
    outcome = apply_edits(connection, [Edit("update", layer, one, values) for one in ids], author=author, reason=reason)
    changed = sum(result.status == "updated" for result in outcome.results)
    pairs = list_edit_changes(connection, layer, outcome.edit_id, limit=SAMPLES)
    samples = tuple((pair.either.id, compare_versions(layer, pair)) for pair in pairs)
    return Bulk(len(ids), changed, samples, outcome)

"""The past over HTTP: the versions of an item, what changed between two moments, and the edits on record."""

from datetime import datetime
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import Response

from api.answers import GEOJSON, answer_json
from api.dependencies import ConnectionOf, LinksOf, find_collection, refuse_unknown
from api.etags import write_etag
from api.links import Link, Links
from api.parameters import parse_moment
from api.writing import MaybeWriterOf, WriterOf
from layers.access import visible_layers
from layers.editing.compare import Difference, compare_versions
from layers.errors import InputError, NotFoundError
from layers.schema import VectorLayer
from layers.store.edits import EditKind, EditRow, list_edits, read_edit, read_edits
from layers.store.history import (
    Clock,
    Pair,
    VersionRow,
    count_edit_changes,
    list_changes,
    list_edit_changes,
    list_feature_versions,
)

MOST_CHANGES = 1000
COLLECTION = "/api/collections/{collection_id}"

router = APIRouter(tags=["history"], dependencies=[Depends(refuse_unknown)])

EditId = Annotated[int, Path(ge=1, lt=2**63)]
Limit = Annotated[int, Query(ge=1, le=MOST_CHANGES)]


@router.get(f"{COLLECTION}/items/{{feature_id:path}}/versions", summary="All versions of an item")
def read_versions(
    collection_id: str, feature_id: str, connection: ConnectionOf, links: LinksOf, writer: MaybeWriterOf
) -> Response:
    """List the versions, the oldest first, with both times and what changed; who and why for those who may write."""
    layer = find_collection(collection_id)
    versions = list_feature_versions(connection, layer, feature_id)
    if not versions:
        raise NotFoundError(f"collection '{layer.id}' never had an item '{feature_id[:80]}'")
    edits = read_edits(connection, [number for row in versions for number in (row.edit_id, row.ended_by)])
    written = []
    before: VersionRow | None = None
    for number, row in enumerate(versions, start=1):
        # What was deleted and came back did not change from one to the other.
        follows = before is not None and before.recorded_to == row.recorded_from
        difference = compare_versions(layer, Pair(before if follows else None, row))
        version = _write_feature(layer, row) | {
            "version": number,
            "etag": write_etag(row.fid, row.recorded_from),
            "valid": [row.valid_from, row.valid_to],
            "recorded": [row.recorded_from, row.recorded_to],
            "change": _write_difference(difference),
            "edit": _write_edit(edits.get(row.edit_id or 0), named=writer is not None),
            "ended_by": _write_edit(edits.get(row.ended_by or 0), named=writer is not None),
        }
        written.append(version)
        before = row
    made = links.of_item(layer.id, feature_id)
    return answer_json({"versions": written, "links": made}, headers={"cache-control": "no-cache"})


@router.get(f"{COLLECTION}/changes", summary="What changed between two moments")
def read_changes(
    collection_id: str,
    connection: ConnectionOf,
    links: LinksOf,
    start: Annotated[str, Query(alias="from", description="The moment before")],
    end: Annotated[str, Query(alias="to", description="The moment after")],
    clock: Annotated[
        Clock, Query(alias="time", description="valid: in the city; recorded: in what the database said of it")
    ] = "valid",
    limit: Limit = 100,
    cursor: Annotated[int, Query(ge=0, lt=2**63, description="From the link 'next'")] = 0,
    f: Annotated[str, Query(description="json, or geojson for a map", pattern="^(json|geojson)$")] = "json",
) -> Response:
    """List the items that differ: created, changed (old and new value, how far moved) and deleted."""
    layer = find_collection(collection_id)
    moments = parse_moment(start, "from"), parse_moment(end, "to")
    if moments[0] >= moments[1]:
        raise InputError(f"from '{start}' is not before to '{end}'")
    pairs, last = list_changes(connection, layer, *moments, clock=clock, after=cursor, limit=limit)
    found = [(pair, compare_versions(layer, pair)) for pair in pairs]
    changes = [_write_change(layer, pair, one, f == "geojson") for pair, one in found if one.change != "none"]
    made = _link_page(links, layer, {"from": start, "to": end, "time": clock, "limit": str(limit), "f": f}, last)
    if f == "geojson":
        return answer_json({"type": "FeatureCollection", "features": changes, "links": made}, media_type=GEOJSON)
    return answer_json({"changes": changes, "links": made})


@router.get("/api/edits", summary="Edits, the newest first")
def read_list(
    connection: ConnectionOf,
    links: LinksOf,
    _writer: WriterOf,
    collection: Annotated[str | None, Query(description="Only those that touched it")] = None,
    author: Annotated[str | None, Query(description="Only by this author")] = None,
    kind: Annotated[EditKind | None, Query(description="Only of this kind")] = None,
    limit: Limit = 100,
    before: Annotated[int | None, Query(ge=1, lt=2**63, description="From the link 'next'")] = None,
) -> Response:
    """List the edits; for those who may write, since they name people."""
    layer_id = find_collection(collection).id if collection is not None else None
    edits = list_edits(connection, layer_id=layer_id, author=author, kind=kind, before=before, limit=limit)
    made: list[Link] = [links.link("/api/edits", "self")]
    if len(edits) == limit:
        asked = {"collection": collection, "author": author, "kind": kind, "limit": str(limit)}
        following = {name: value for name, value in asked.items() if value is not None}
        address = links.url("/api/edits", following | {"before": str(edits[-1].id)})
        made.append({"href": address, "rel": "next", "type": "application/json"})
    written = [_write_edit(edit, named=True) for edit in edits]
    return answer_json({"edits": written, "links": made}, headers={"cache-control": "no-store"})


@router.get("/api/edits/{edit_id}", summary="One edit and what it did")
def read_one(
    edit_id: EditId, connection: ConnectionOf, links: LinksOf, _writer: WriterOf, limit: Limit = 100
) -> Response:
    """Return an edit with the first ``limit`` items it touched in each collection."""
    edit = read_edit(connection, edit_id)
    touched: list[dict[str, Any]] = []
    counts: dict[str, int] = {}
    seen = visible_layers()
    for layer in (seen[name] for name in edit.layers if name in seen):
        counts[layer.id] = count_edit_changes(connection, layer, edit_id)
        for pair in list_edit_changes(connection, layer, edit_id, limit=limit):
            touched.append(_write_change(layer, pair, compare_versions(layer, pair), False))
    written = {
        **(_write_edit(edit, named=True) or {}),
        "counts": counts,
        "changes": touched,
        "links": [links.link(f"/api/edits/{edit_id}", "self")],
    }
    return answer_json(written, headers={"cache-control": "no-store"})


def _write_change(layer: VectorLayer, pair: Pair, difference: Difference, as_feature: bool) -> dict[str, Any]:
    written = {"collection": layer.id, "id": pair.either.id, **_write_difference(difference)}
    if as_feature:
        return {
            "type": "Feature",
            "id": pair.either.id,
            "geometry": orjson.Fragment(pair.either.written),
            "properties": written,
        }
    return written


def _write_difference(difference: Difference) -> dict[str, Any]:
    values = {name: {"old": old, "new": new} for name, (old, new) in difference.properties.items()}
    return {"change": difference.change, "properties": values, "moved": difference.moved}


def _write_feature(layer: VectorLayer, row: VersionRow) -> dict[str, Any]:
    shown = {prop.name: row.values[prop.name] for prop in layer.properties}
    return {"type": "Feature", "id": row.id, "geometry": orjson.Fragment(row.written), "properties": shown}


def _write_edit(edit: EditRow | None, *, named: bool) -> dict[str, Any] | None:
    """Return an edit; who made it and why only if ``named``."""
    if edit is None:
        return None
    written: dict[str, Any] = {
        "id": edit.id,
        "at": edit.at,
        "kind": edit.kind,
        "source": edit.source,
        "reverts": edit.reverts,
        "collections": list(edit.layers),
    }
    said: dict[str, str | datetime | None] = {
        "author": edit.author,
        "reason": edit.reason,
        "valid_from": edit.valid_from,
    }
    return written | (said if named else {})


def _link_page(links: Links, layer: VectorLayer, asked: dict[str, str], last: int | None) -> list[Link]:
    path = f"/api/collections/{layer.id}/changes"
    made: list[Link] = [{"href": links.url(path, asked), "rel": "self", "type": "application/json"}]
    if last is not None:
        following = links.url(path, asked | {"cursor": str(last)})
        made.append({"href": following, "rel": "next", "type": "application/json"})
    return made

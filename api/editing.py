"""Features and edits as people send them → edits; what an edit did → what people read."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from api.dependencies import find_collection
from api.etags import parse_if_match, write_etag
from api.links import Links
from api.parameters import EPSG, parse_crs
from layers.editing.words import MOST_EDITS, Edit, Op, Outcome, Result
from layers.errors import InputError, PreconditionRequiredError, TooLargeError
from layers.ingest.clean import LONGEST_ID
from layers.schema import VectorLayer
from layers.store.items import DEGREES, OutputCrs

_OPS: dict[str, Op] = {"create": "create", "replace": "replace", "update": "update", "delete": "delete"}
_EDIT_MEMBERS = {"op", "collection", "id", "if_match", "feature", "patch"}
_SEE = "send the ETag that came with the item, or * for whatever is there"


def read_edit(
    op: Op,
    layer: VectorLayer,
    feature_id: str | None,
    document: Mapping[str, Any],
    if_match: str | None,
    *,
    crs: OutputCrs = DEGREES,
    unchanged_since: datetime | None = None,
) -> Edit:
    """Return the edit of a feature, or of a merge patch of one (RFC 7396); InputError says what is wrong with it.

    ``crs`` is that of the coordinates; a JSON-FG feature says its own. Other members of the feature (links, bounding
    box) are those of an answer that is sent back, and are not read.
    """
    if document.get("type", "Feature") != "Feature":
        raise InputError(f"type '{str(document['type'])[:80]}' is not 'Feature'")
    if "crs" in document:
        raise InputError("the feature has its own 'crs'", hint="name it in the header Content-Crs")
    geometry, properties = document.get("geometry"), document.get("properties")
    place = document.get("place")
    if place is not None:
        # JSON-FG: what geometry holds beside a place is a copy for those who read degrees only.
        geometry, crs = place, _read_place_crs(place, document)
    if (geometry is not None or "geometry" in document) and not isinstance(geometry, dict):
        raise InputError("geometry is not a GeoJSON geometry")
    if geometry is not None and crs.flip:
        geometry = _flip(geometry)
    if properties is not None and not isinstance(properties, dict):
        raise InputError("properties is not a JSON object")
    named = document.get("id")
    if named is not None and feature_id is not None and named != feature_id:
        raise InputError(f"the feature says id '{str(named)[:80]}', the address '{feature_id[:80]}'")
    chosen = check_id(feature_id if feature_id is not None else named if named is not None else str(uuid.uuid4()))
    seen = parse_if_match(if_match) if if_match is not None else None
    since = unchanged_since if if_match is None else None
    return Edit(op, layer, chosen, properties or {}, geometry, seen, crs, since)


def _read_place_crs(place: Any, document: Mapping[str, Any]) -> OutputCrs:
    """Return the CRS of a JSON-FG place: its own, else the document's."""
    named = place.get("coordRefSys") if isinstance(place, dict) else None
    named = named if named is not None else document.get("coordRefSys")
    if not isinstance(named, str):
        raise InputError("the feature has a 'place' but no 'coordRefSys' that names its CRS", hint=f"{EPSG}5897")
    return parse_crs(named, "coordRefSys")


def _flip(node: Any) -> Any:
    """Return a geometry with the first two numbers of each position exchanged."""
    if isinstance(node, dict):
        return {key: _flip(value) if key in ("coordinates", "geometries") else value for key, value in node.items()}
    if not isinstance(node, list):
        return node
    if len(node) >= 2 and not isinstance(node[0], list | dict):
        return [node[1], node[0], *node[2:]]
    return [_flip(one) for one in node]


def check_id(found: object) -> str:
    """Return ``found`` if it can be the id of a feature."""
    if not isinstance(found, str) or not 0 < len(found) <= LONGEST_ID:
        raise InputError(f"id '{str(found)[:80]}' is not a text of 1 to {LONGEST_ID} characters")
    if any(ord(letter) < 32 or 0xD800 <= ord(letter) <= 0xDFFF for letter in found):
        raise InputError("the id holds control characters")
    return found


def read_edits(found: object) -> list[Edit]:
    """Return the edits of a list; InputError says which one is wrong."""
    if not isinstance(found, list) or not found:
        raise InputError("edits is not a list of edits", hint='"edits": [{"op": "update", "collection": …, "id": …}]')
    if len(found) > MOST_EDITS:
        raise TooLargeError(f"{len(found)} edits at once, at most {MOST_EDITS}")
    return [_read_one(one, f"edits[{place}]") for place, one in enumerate(found)]


def _read_one(found: object, where: str) -> Edit:
    if not isinstance(found, dict):
        raise InputError(f"{where} is not a JSON object")
    for name in found:
        if name not in _EDIT_MEMBERS:
            raise InputError(f"{where} has an unknown member '{name[:80]}'", hint=", ".join(sorted(_EDIT_MEMBERS)))
    op = _OPS.get(str(found.get("op")))
    if op is None:
        raise InputError(f"{where}: op '{str(found.get('op'))[:80]}' is not one of {', '.join(_OPS)}")
    layer = find_collection(str(found.get("collection")))
    if op != "create":
        check_id(found.get("id"))
    document = found.get("patch" if op == "update" else "feature", {})
    if not isinstance(document, dict):
        raise InputError(f"{where}: feature or patch is not a JSON object")
    if_match = found.get("if_match")
    if if_match is not None and not isinstance(if_match, str):
        raise InputError(f"{where}: if_match is not a text", hint=_SEE)
    if op != "create" and if_match is None:
        raise PreconditionRequiredError(f"{where}: which version is edited? if_match is missing", hint=_SEE)
    return read_edit(op, layer, found.get("id"), document, if_match)


def write_outcome(outcome: Outcome, links: Links) -> dict[str, Any]:
    """Return what an edit did, feature by feature, with the warnings that came with it."""
    return {
        "edit": outcome.edit_id,
        "results": [_write_result(one, links) for one in outcome.results],
        "findings": [finding.as_dict() for finding in outcome.findings],
        "links": [links.link(f"/api/edits/{outcome.edit_id}", "related", title="The edit")],
    }


def _write_result(result: Result, links: Links) -> dict[str, Any]:
    return {
        "collection": result.layer.id,
        "id": result.id,
        "status": result.status,
        "etag": write_etag(*result.version) if result.version else None,
        "href": write_address(result, links),
    }


def write_address(result: Result, links: Links) -> str:
    """Return where a feature is read."""
    return links.url(f"/api/collections/{result.layer.id}/items/{quote(result.id, safe='')}")

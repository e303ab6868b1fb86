"""Edits: features created, replaced, updated and deleted (OGC API Features Part 4), one by one or many at once."""

from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from sqlalchemy import Connection
from starlette.responses import Response

from api.answers import GEOJSON, answer_json
from api.bodies import read_json
from api.committing import CheckOnly, carry_out
from api.dependencies import LinksOf, ResourcesOf, find_collection, refuse_unknown
from api.editing import read_edit, read_edits, write_address, write_outcome
from api.etags import parse_if_match, parse_unmodified_since, write_validators
from api.links import Links
from api.parameters import CRS84, parse_crs, parse_moment
from api.principal import current_principal
from api.resources import Resources
from api.routes.history import EditId
from api.writing import LONGEST_AUTHOR, LONGEST_REASON, Writer, WriterOf, check_words
from layers.editing.apply import apply_edits
from layers.editing.revert import revert_edit, revert_feature
from layers.editing.words import Edit, Op, Outcome
from layers.errors import InputError

ITEMS = "/api/collections/{collection_id}/items"
_FEATURE, _PATCH = (GEOJSON, "application/json"), ("application/merge-patch+json", GEOJSON, "application/json")
_JSON = ("application/json",)

router = APIRouter(tags=["edits"], dependencies=[Depends(refuse_unknown)])

ValidFrom = Annotated[
    str | None, Query(description="Since when it is so in the city, for what is entered late; now if not given")
]
IfMatch = Annotated[
    str | None, Header(description="The ETag of the version that is edited; without it whatever is there is edited")
]


@dataclass(frozen=True, slots=True)
class Asked:
    """What every edit of one item comes with: the request, what serves it, who writes and since when it is so."""

    request: Request
    resources: ResourcesOf
    links: LinksOf
    writer: WriterOf
    valid_from: ValidFrom = None


AskedOf = Annotated[Asked, Depends(Asked)]


def _describe_body(kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema}}}}


_BODY = _describe_body(
    GEOJSON, {"type": "object", "description": "A GeoJSON feature in CRS84 or Content-Crs, or JSON-FG"}
)
_PATCH_BODY = _describe_body(_PATCH[0], {"type": "object", "description": "What changes of the feature; null empties"})
_EDITS_BODY = _describe_body(
    "application/json",
    {
        "type": "object",
        "required": ["reason", "edits"],
        "properties": {
            "author": {"type": "string"},
            "reason": {"type": "string"},
            "valid_from": {"type": "string", "format": "date-time"},
            "edits": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["op", "collection"],
                    "properties": {
                        "op": {"type": "string", "enum": ["create", "replace", "update", "delete"]},
                        "collection": {"type": "string"},
                        "id": {"type": "string"},
                        "if_match": {"type": "string"},
                        "feature": {"type": "object"},
                        "patch": {"type": "object"},
                    },
                },
            },
        },
    },
)
_REVERT_BODY = _describe_body(
    "application/json",
    {"type": "object", "required": ["to"], "properties": {"to": {"oneOf": [{"type": "integer"}, {"type": "string"}]}}},
)


@router.options(ITEMS, summary="What can be done with a collection's items")
@router.options(f"{ITEMS}/{{feature_id:path}}", summary="What can be done with an item")
def list_methods(request: Request, collection_id: str, feature_id: str | None = None) -> Response:
    """Say in ``Allow`` which methods there are."""
    layer = find_collection(collection_id)
    writing = "POST" if feature_id is None else "PUT, PATCH, DELETE"
    # What runs write, nobody else does.
    methods = ("GET, HEAD", *(() if layer.of_runs else (writing,)), "OPTIONS")
    return Response(status_code=204, headers={"allow": ", ".join(methods)})


@router.post(ITEMS, status_code=201, summary="Create an item", openapi_extra=_BODY)
async def create_item(collection_id: str, asked: AskedOf) -> Response:
    """Create an item from a GeoJSON feature; ``Location`` says where it is read."""
    return await _edit_one("create", collection_id, None, asked, None)


@router.put(f"{ITEMS}/{{feature_id:path}}", summary="Replace an item", openapi_extra=_BODY)
async def replace_item(
    collection_id: str,
    feature_id: str,
    asked: AskedOf,
    if_match: IfMatch = None,
) -> Response:
    """Replace geometry and all properties of an item; those left out become empty.

    With ``If-None-Match: *`` it is created under this id, and refused where there is one.
    """
    creates = asked.request.headers.get("if-none-match", "").strip() == "*"
    return await _edit_one("create" if creates else "replace", collection_id, feature_id, asked, if_match)


@router.patch(f"{ITEMS}/{{feature_id:path}}", summary="Update an item", openapi_extra=_PATCH_BODY)
async def update_item(
    collection_id: str,
    feature_id: str,
    asked: AskedOf,
    if_match: IfMatch = None,
) -> Response:
    """Change what a merge patch names of an item."""
    return await _edit_one("update", collection_id, feature_id, asked, if_match)


@router.delete(f"{ITEMS}/{{feature_id:path}}", summary="Delete an item")
async def delete_item(
    collection_id: str,
    feature_id: str,
    asked: AskedOf,
    if_match: IfMatch = None,
) -> Response:
    """Delete an item; its versions stay."""
    return await _edit_one("delete", collection_id, feature_id, asked, if_match)


@router.post(f"{ITEMS}/{{feature_id:path}}/revert", summary="Revert an item", openapi_extra=_REVERT_BODY)
async def revert_item(
    collection_id: str,
    feature_id: str,
    request: Request,
    resources: ResourcesOf,
    links: LinksOf,
    writer: WriterOf,
    if_match: IfMatch = None,
) -> Response:
    """Make an item what it was: ``{"to": 2}`` in its second version, ``{"to": "2026-01-01T00:00:00Z"}`` then."""
    layer = find_collection(collection_id)
    to = (await read_json(request, _JSON)).get("to")
    if isinstance(to, bool) or not isinstance(to, int | str):
        raise InputError("'to' is neither the number of a version nor a moment", hint='{"to": 1}')
    target = parse_moment(to, "to") if isinstance(to, str) else to
    seen = parse_if_match(if_match) if if_match is not None else None

    def revert(connection: Connection) -> Outcome:
        return revert_feature(
            connection, layer, feature_id, target, author=writer.author, reason=writer.reason, seen=seen
        )

    return _answer_one(await carry_out(resources, revert), links)


@router.post("/api/edits", status_code=201, summary="Edit many items, all or none", openapi_extra=_EDITS_BODY)
async def edit_many(
    request: Request, resources: ResourcesOf, links: LinksOf, writer: WriterOf, check: CheckOnly = False
) -> Response:
    """Carry out edits of any collections in one transaction; with ``check`` say what would come of them."""
    document = await read_json(request, _JSON)
    for name in document:
        if name not in ("author", "reason", "valid_from", "edits"):
            raise InputError(f"the body has an unknown member '{name[:80]}'", hint="author, reason, valid_from, edits")
    edits = read_edits(document.get("edits"))
    reason = _read_words(document, "reason", LONGEST_REASON) or writer.reason
    if not reason:
        raise InputError("why? the member 'reason' is missing")
    given = _read_words(document, "author", LONGEST_AUTHOR)
    named = Writer((given if current_principal(request).names_others else "") or writer.author, reason)
    outcome = await _apply(resources, edits, named, _read_words(document, "valid_from", 50) or None, check=check)
    if check:
        return answer_json(write_outcome(outcome, links) | {"edit": None, "links": []})
    return _answer_edit(outcome, links)


@router.post("/api/edits/{edit_id}/revert", status_code=201, summary="Take an edit back")
async def take_back(edit_id: EditId, resources: ResourcesOf, links: LinksOf, writer: WriterOf) -> Response:
    """Take back all that an edit did; 409 when something was changed since."""

    def revert(connection: Connection) -> Outcome:
        return revert_edit(connection, edit_id, author=writer.author, reason=writer.reason)

    outcome = await carry_out(resources, revert)
    return _answer_edit(outcome, links)


async def _edit_one(op: Op, collection_id: str, feature_id: str | None, asked: Asked, if_match: str | None) -> Response:
    layer = find_collection(collection_id)
    headers = asked.request.headers
    crs = parse_crs(headers.get("content-crs", CRS84).strip("<> "), "Content-Crs")
    kinds = _PATCH if op == "update" else _FEATURE
    document = {} if op == "delete" else await read_json(asked.request, kinds)
    since = parse_unmodified_since(headers.get("if-unmodified-since"))
    edit = read_edit(op, layer, feature_id, document, if_match, crs=crs, unchanged_since=since)
    if op == "create" and feature_id is not None:
        edit = replace(edit, seen=frozenset())
    return _answer_one(await _apply(asked.resources, [edit], asked.writer, asked.valid_from), asked.links)


async def _apply(
    resources: Resources, edits: list[Edit], writer: Writer, valid_from: str | None, *, check: bool = False
) -> Outcome:
    since = parse_moment(valid_from, "valid_from") if valid_from is not None else None

    def apply(connection: Connection) -> Outcome:
        return apply_edits(connection, edits, author=writer.author, reason=writer.reason, valid_from=since)

    return await carry_out(resources, apply, check=check)


def _answer_edit(outcome: Outcome, links: Links) -> Response:
    location = links.url(f"/api/edits/{outcome.edit_id}")
    return answer_json(write_outcome(outcome, links), status=201, headers={"location": location})


def _answer_one(outcome: Outcome, links: Links) -> Response:
    (result,) = outcome.results
    headers = write_validators(*result.version) if result.version else {}
    if result.status == "created":
        headers["location"] = write_address(result, links)
    status = 201 if result.status == "created" else 200
    return answer_json(write_outcome(outcome, links), status=status, headers=headers)


def _read_words(document: dict[str, Any], name: str, longest: int) -> str:
    words = document.get(name) or ""
    if not isinstance(words, str):
        raise InputError(f"'{name}' is not a text")
    return check_words(words.strip(), name, longest)

"""Bulk changes: the same values for all items that pass a filter, all or none, as one edit."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection
from starlette.responses import Response

from api.answers import answer_json
from api.committing import CheckOnly, carry_out
from api.dependencies import LinksOf, ResourcesOf, find_collection, refuse_unknown
from api.writing import LONGEST_REASON, WriterOf, check_words
from layers.editing.bulk import Bulk, change_many
from layers.errors import InputError

router = APIRouter(tags=["edits"], dependencies=[Depends(refuse_unknown)])

Value = str | int | float | bool | None


class BulkBody(BaseModel):
    """Which items of a collection are changed, to what, and why."""

    model_config = ConfigDict(extra="forbid")
    collection: str = Field(max_length=48)
    filter: Annotated[str, Field(max_length=20_000, description="CQL2 text; without it all items")] | None = None
    set: dict[str, Value] = Field(max_length=100, description="The values by property; null empties")
    reason: str = ""


@router.post("/api/edits/bulk", status_code=201, summary="Change all items that pass a filter, all or none")
async def change_all(
    body: BulkBody, resources: ResourcesOf, links: LinksOf, writer: WriterOf, check: CheckOnly = False
) -> Response:
    """Set properties of up to 5,000 items as one edit; with ``check`` say how many, the first of them, the findings."""
    layer = find_collection(body.collection)
    reason = check_words(body.reason.strip(), "reason", LONGEST_REASON) or writer.reason
    if not reason and not check:
        raise InputError("why? the member 'reason' is missing")

    def change(connection: Connection) -> Bulk:
        return change_many(connection, layer, passing=body.filter, values=body.set, author=writer.author, reason=reason)

    done = await carry_out(resources, change, check=check)
    edit = None if check or done.outcome is None else done.outcome.edit_id
    answer: dict[str, Any] = {
        "edit": edit,
        "count": done.count,
        "changed": done.changed,
        "samples": [
            {"id": one, "properties": {name: {"old": old, "new": new} for name, (old, new) in found.properties.items()}}
            for one, found in done.samples
        ],
        "findings": [one.as_dict() for one in done.outcome.findings[:100]] if done.outcome else [],
    }
    if edit is None:
        return answer_json(answer)
    return answer_json(answer, status=201, headers={"location": links.url(f"/api/edits/{edit}")})

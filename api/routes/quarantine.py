"""The quarantine over HTTP: rows that were not loaded, read, mended, tried again and dismissed by who may write."""

from dataclasses import asdict
from typing import Annotated, Any, Literal

import shapely.geometry
from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api.answers import PROBLEM, answer_json
from api.dependencies import ConnectionOf, LinksOf, refuse_unknown
from api.links import Links
from api.plain_types import Whole
from api.writing import WriterOf
from layers.access import visible_layers
from layers.editing.reasons import translate_reason
from layers.errors import InputError
from layers.ingest.mend import Outcome, mend_row, mend_rows
from layers.ingest.payloads import PLACED, SHAPE
from layers.ingest.quality import Problem
from layers.store.quarantine import (
    QuarantineRow,
    Wanted,
    count_quarantine,
    dismiss_rows,
    list_quarantine,
    read_quarantined,
)

router = APIRouter(prefix="/api/quarantine", tags=["quarantine"], dependencies=[Depends(refuse_unknown)])
RowId = Annotated[int, Path(ge=1, le=2**63 - 1)]
MOST = 5000
_GEOMETRY = 'GeoJSON geometry in CRS84, such as {"type": "Point", "coordinates": [105.75, 10.02]}'


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MendBody(_Body):
    """What the row should hold: values by column of its file, or its place as GeoJSON geometry in CRS84."""

    properties: dict[str, str | int | float | bool | None] = Field(default={}, max_length=500)
    geometry: dict[str, Any] | None = None


class RetryBody(_Body):
    """Which rows are loaded again, as they are or each with ``set``: values by column of their files."""

    source: str | None = None
    layer: str | None = None
    field: str | None = None
    reason: str | None = None
    ids: list[Whole] | None = Field(default=None, max_length=MOST)
    set: dict[str, str | int | float | bool | None] = Field(default={}, max_length=500)


@router.get("", summary="Rows that were not loaded, and why")
def list_rows(
    connection: ConnectionOf,
    links: LinksOf,
    _writer: WriterOf,
    source: Annotated[str | None, Query(description="Only rows of this source")] = None,
    layer: Annotated[str | None, Query(description="Only rows for this layer")] = None,
    field: Annotated[str | None, Query(description="Only rows with a problem in this field")] = None,
    reason: Annotated[str | None, Query(description="Only rows rejected for this reason")] = None,
    text: Annotated[str | None, Query(description="Only rows that hold this text")] = None,
    status: Annotated[Literal["open", "mended", "dismissed"], Query()] = "open",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[int, Query(ge=0, le=2**62, description="Only rows with a higher number: the next page")] = 0,
) -> Response:
    """List rows in the order they came, and on the first page how many have which problem."""
    wanted = Wanted(source, layer, field, reason, text, status)
    rows = list_quarantine(connection, wanted, limit=limit + 1, after=cursor)
    answer: dict[str, Any] = {"rows": [_write_row(row) for row in rows[:limit]], "links": []}
    if cursor == 0:
        counts = count_quarantine(connection, wanted)
        answer["summary"] = [one._asdict() | {"words": translate_reason(one.reason)._asdict()} for one in counts]
    if len(rows) > limit:
        asked = {"source": source, "layer": layer, "field": field, "reason": reason, "text": text, "status": status}
        given = {name: value for name, value in asked.items() if value is not None}
        following = {**given, "limit": str(limit), "cursor": str(rows[limit - 1].id)}
        address = links.url("/api/quarantine", following)
        answer["links"] = [{"rel": "next", "href": address, "type": "application/json"}]
    return answer_json(answer)


@router.get("/{row}", summary="One of them, with all it holds")
def show_row(row: RowId, connection: ConnectionOf, _writer: WriterOf) -> Response:
    """Show a row: what it held, what was mended, all that is wrong with it."""
    return answer_json(_write_row(read_quarantined(connection, row)))


@router.post("/retry", summary="Load rows again after a mapping or a code list was mended")
def retry_rows(body: RetryBody, connection: ConnectionOf, links: LinksOf, writer: WriterOf) -> Response:
    """Load open rows again, all with the same values changed, and say what became of each; at most 5,000 at a time."""
    ids = tuple(body.ids) if body.ids is not None else None
    wanted = Wanted(body.source, body.layer, body.field, body.reason, ids=ids)
    rows = list_quarantine(connection, wanted, limit=MOST)
    changes: dict[int, dict[str, Any]] = {row.id: dict(body.set) for row in rows}
    outcomes = mend_rows(connection, changes, author=writer.author, reason=writer.reason or "retry")
    mended = sum(one.feature_id is not None for one in outcomes)
    told = [_write_outcome(one, links) for one in outcomes]
    return answer_json({"mended": mended, "open": len(outcomes) - mended, "rows": told})


@router.post("/{row}/mend", summary="Change a row and load it again", responses={422: {"description": "Still wrong"}})
def mend(row: RowId, body: MendBody, connection: ConnectionOf, links: LinksOf, writer: WriterOf) -> Response:
    """Load a row with other values: a feature, or the reasons why it is still none; the changes are kept."""
    changes: dict[str, Any] = dict(body.properties)
    if body.geometry is not None:
        changes |= {SHAPE: _read_geometry(body.geometry), PLACED: "OGC:CRS84"}
    if not changes:
        raise InputError("nothing is changed", hint="give 'properties' or 'geometry'")
    outcome = mend_row(connection, row, changes, author=writer.author, reason=writer.reason)
    if outcome.feature_id is not None:
        return answer_json(_write_outcome(outcome, links))
    # An answer and no exception: what was changed is to be kept.
    problem = {
        "type": "about:blank",
        "title": "Still wrong",
        "status": 422,
        "detail": "; ".join(one.words for one in outcome.problems),
        "findings": _write_outcome(outcome, links)["problems"],
    }
    return answer_json(problem, status=422, media_type=PROBLEM)


@router.delete("/{row}", status_code=204, summary="Say that a row need not be loaded")
def dismiss(row: RowId, connection: ConnectionOf, writer: WriterOf) -> Response:
    """Dismiss a row, for the reason of the header Twin-Reason; later loads do not bring it back."""
    if read_quarantined(connection, row).status == "open":
        dismiss_rows(connection, Wanted(ids=(row,)), author=writer.author, reason=writer.reason)
    return Response(status_code=204)


def _read_geometry(value: dict[str, Any]) -> str:
    """Return a GeoJSON geometry as WKT."""
    try:
        shape = shapely.geometry.shape(value)
        return str(shapely.to_wkt(shape, rounding_precision=-1))
    except (shapely.errors.ShapelyError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise InputError("'geometry' is not a GeoJSON geometry", hint=_GEOMETRY) from error


def _write_problem(problem: Problem) -> dict[str, Any]:
    """Return a problem with its reason and hint in both languages."""
    hint = translate_reason(problem.hint)._asdict() if problem.hint else None
    return {**asdict(problem), "words": translate_reason(problem.reason)._asdict(), "hint_words": hint}


def _write_row(row: QuarantineRow) -> dict[str, Any]:
    return row.as_dict() | {"problems": [_write_problem(one) for one in row.problems]}


def _write_outcome(outcome: Outcome, links: Links) -> dict[str, Any]:
    """Return what became of a row, with the address of the feature it was made into where all may read it."""
    problems = [_write_problem(one) for one in outcome.problems]
    status = "open" if outcome.feature_id is None else "mended"
    told: dict[str, Any] = {**outcome.as_dict(), "problems": problems, "status": status}
    if outcome.feature_id is not None and outcome.layer in visible_layers():
        told["links"] = links.of_item(outcome.layer, outcome.feature_id)
    return told

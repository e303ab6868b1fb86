"""Checks: what the rules find wrong with the inventory, with counts and places."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.answers import answer_json
from api.dependencies import LinksOf, ResourcesOf, find_collection, refuse_unknown
from api.parameters import parse_bbox
from api.writing import WriterOf
from layers.access import WHOLE, asking_as, visible_layers, who_asks
from layers.errors import ForbiddenError
from layers.rules.registry import select_rules
from layers.rules.report import write_report
from layers.store.checks import check_layer

router = APIRouter(prefix="/api/checks", tags=["checks"], dependencies=[Depends(refuse_unknown)])


@router.get("", summary="What the rules find")
def read_checks(
    resources: ResourcesOf,
    links: LinksOf,
    _writer: WriterOf,
    collection: Annotated[str | None, Query(description="Only of this collection")] = None,
    rule: Annotated[str | None, Query(description="Only this rule")] = None,
    bbox: Annotated[str | None, Query(description="Only there: west,south,east,north in CRS84")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Findings a rule")] = 20,
) -> Response:
    """Check whole collections, for those who see all of them: it is their work, and it is much work for the server."""
    reach = who_asks()
    if not reach.sees("restricted") or reach.wards:
        raise ForbiddenError("whole collections are checked by who sees all of them", hint="ask an engineer")
    layer_id = find_collection(collection).id if collection is not None else None
    bounds = parse_bbox(bbox) if bbox is not None else None
    rules = [one for one in select_rules(layer_id=layer_id, rule_id=rule) if one.layer in visible_layers()]
    with asking_as(WHOLE), resources.engine.connect() as connection:
        checked = [check_layer(connection, one, bounds=bounds, limit=limit) for one in rules]
    report = write_report(checked) | {"links": [links.link("/api/checks", "self")]}
    return answer_json(report, headers={"cache-control": "no-store"})

"""Rules asked of the database: of a whole layer, or of what an edit touches."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import shapely
from sqlalchemy import Connection, text

from layers.rules.words import Finding, Rule
from layers.schema import Text
from layers.store.meeting import write_meets
from layers.store.mercator import Bounds, cut_mercator_boxes
from layers.store.names import quote
from layers.store.tables import CITY


@dataclass(frozen=True, slots=True)
class Touched:
    """A feature before or after a change: its layer, its properties with ``id``, its shape in the city's CRS."""

    layer: str
    row: Mapping[str, Any]
    shape: Any


@dataclass(frozen=True, slots=True)
class Checked:
    """What one rule found: how many features break it, and the first of them."""

    rule: Rule
    count: int
    findings: tuple[Finding, ...]


def check_layer(connection: Connection, rule: Rule, *, bounds: Bounds | None = None, limit: int) -> Checked:
    """Check all features of the rule's layer, or those in ``bounds`` [°]; at most ``limit`` findings come back."""
    conditions, parameters = ["true"], dict[str, object]()
    if bounds is not None:
        boxes = cut_mercator_boxes(bounds)
        for place, box in enumerate(boxes):
            parameters |= {f"b{place}{side}": value for side, value in enumerate(box)}
        named = [", ".join(f":b{place}{side}" for side in range(4)) for place in range(len(boxes))]
        conditions = [write_meets("geom_3857", f"ST_MakeEnvelope({names}, 3857)") for names in named]
    scope = f"select * from {CITY}.{quote(rule.layer)} where {' or '.join(conditions)}"
    return _run(connection, rule, f"checked as ({scope})", parameters, limit)


def check_touched(connection: Connection, rule: Rule, touched: Sequence[Touched]) -> tuple[Finding, ...]:
    """Check the features of the rule's layer that were touched, or whose soundness hangs on what was."""
    table = f"{CITY}.{quote(rule.layer)}"
    chosen = [f"select s.fid from {table} s join touched t on t.layer = '{rule.layer}' and s.id = t.row->>'id'"]
    for reach in rule.reaches:
        if reach.within is not None:
            near = f"ST_DWithin(s.geom, t.geom, {reach.within})"
            chosen.append(f"select s.fid from {table} s join touched t on t.layer = '{reach.layer}' and {near}")
        for own, theirs in reach.by:
            same = f"s.{quote(own)} = t.row->>'{theirs}'"
            chosen.append(f"select s.fid from {table} s join touched t on t.layer = '{reach.layer}' and {same}")
    head = (
        "touched as materialized (select layer, row, ST_GeomFromWKB(shape, (select srid from meta.city)) as geom "
        "from unnest(cast(:layers as text[]), cast(:rows as jsonb[]), cast(:shapes as bytea[])) "
        "as given(layer, row, shape)), "
        f"checked as materialized (select * from {table} where fid in ({' union '.join(chosen)}))"
    )
    parameters = {
        "layers": [one.layer for one in touched],
        "rows": [json.dumps(dict(one.row), default=str) for one in touched],
        "shapes": [shapely.to_wkb(one.shape) for one in touched],
    }
    return _run(connection, rule, head, parameters, None).findings


def _run(connection: Connection, rule: Rule, head: str, parameters: dict[str, Any], limit: int | None) -> Checked:
    rows = connection.execute(
        text(
            f"with {head}, found as ({rule.query}) "
            "select id, property, value, other, ST_X(p.place) as lon, ST_Y(p.place) as lat, total from ("
            "select *, count(*) over () as total from found order by id, property, other limit :limit) first "
            "cross join lateral (select ST_Transform(first.place, 4326) as place) p order by id, property, other"
        ),
        {**parameters, "limit": limit},
    ).all()
    return Checked(rule, rows[0].total if rows else 0, tuple(_describe(rule, row) for row in rows))


def _describe(rule: Rule, row: Any) -> Finding:
    place = (round(row.lon, 7), round(row.lat, 7)) if row.lon is not None else None
    words = {"value": row.value or "–", "other": row.other or "–"}
    reason = Text(*(said.format(**words) for said in rule.reason))
    return Finding(
        rule.id, rule.severity, rule.layer, row.id, reason, row.property, row.value, row.other, place, rule.hint
    )

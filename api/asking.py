"""What may be asked of a collection: the query parameters of items, aggregates and exports, read once."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request

from api.dependencies import list_parameters
from api.parameters import CRS84, parse_bbox, parse_crs, parse_filters, parse_interval, parse_moment, parse_numbers
from layers.errors import InputError
from layers.schema import VectorLayer
from layers.store.items import DEGREES
from layers.store.origins import Past
from layers.store.query.cql2 import parse_filter
from layers.store.query.selection import Filter, ItemQuery

Box = Annotated[str | None, Query(description="west,south,east,north in CRS84 or bbox-crs; six numbers carry heights")]
When = Annotated[
    str | None,
    Query(
        alias="datetime",
        description="Reads the past: an instant, or start/end ('..' is open); each feature in its last version then",
    ),
]
Recorded = Annotated[
    str | None, Query(description="What the database knew at this instant (system time); valid time is 'datetime'")
]


@dataclass(frozen=True, slots=True)
class Asked:
    """The parameters that choose items, as they came."""

    bbox: Box = None
    bbox_crs: Annotated[str | None, Query(alias="bbox-crs", description=f"{CRS84}, or any EPSG code")] = None
    when: When = None
    recorded: Recorded = None
    filter: Annotated[str | None, Query(description="CQL2: height > 3 and use in ('house', 'shop')")] = None
    filter_lang: Annotated[
        Literal["cql2-text", "cql2-json", "cql-text"],
        Query(alias="filter-lang", description="cql2-text or cql2-json; cql-text is an older name of the text"),
    ] = "cql2-text"
    filter_crs: Annotated[str, Query(alias="filter-crs", description="CRS of coordinates in the filter")] = CRS84
    q: Annotated[str | None, Query(description="Words that begin words of the id or a text, without diacritics")] = None


AskedOf = Annotated[Asked, Depends()]

# Any property of the collection may be a parameter too, which OpenAPI says in this way.
FILTERS: dict[str, Any] = {
    "parameters": [
        {
            "name": "filters",
            "in": "query",
            "description": "Any property of the collection (see queryables): property=value",
            "style": "form",
            "explode": True,
            "schema": {"type": "object", "additionalProperties": {"type": "string"}},
        }
    ]
}


def read_query(request: Request, layer: VectorLayer, asked: Asked) -> ItemQuery:
    """Return what ``request`` asks of ``layer``; parameters no route declares are properties to compare."""
    known = list_parameters(request)
    for name in known:
        if len(request.query_params.getlist(name)) > 1:
            raise InputError(f"parameter '{name}' is given twice")
    pairs = [(name, value) for name, value in request.query_params.multi_items() if name not in known]
    filters = []
    if asked.filter is not None:
        crs = parse_crs(asked.filter_crs, "filter-crs")
        filters.append(Filter(parse_filter(asked.filter, asked.filter_lang), crs.srid, crs.flip))
    bounds = None
    box_crs = parse_crs(asked.bbox_crs, "bbox-crs") if asked.bbox_crs is not None else DEGREES
    if asked.bbox is not None and box_crs == DEGREES:
        bounds = parse_bbox(asked.bbox)
    elif asked.bbox is not None:
        box = {"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": parse_numbers(asked.bbox)}]}
        filters.append(Filter(box, box_crs.srid, box_crs.flip))
    return ItemQuery(
        bounds=bounds,
        equals=tuple(parse_filters([layer], pairs).items()),
        filters=tuple(filters),
        words=asked.q,
        past=read_past(asked.when, asked.recorded),
    )


def read_past(when: str | None, recorded: str | None) -> Past:
    """Return the time to read at."""
    return Past(
        parse_interval(when) if when is not None else None,
        parse_moment(recorded, "recorded") if recorded is not None else None,
    )

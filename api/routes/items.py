"""Items: features of a collection, page by page or whole in a file, now or at a time past."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.answers import GEOJSON, answer_json, write_moment
from api.asking import FILTERS, AskedOf, Recorded, When, read_past, read_query
from api.compression import accepts_gzip
from api.dependencies import LinksOf, ResourcesOf, find_collection, refuse_unknown
from api.etags import is_known, write_validators
from api.export import FORMATS, MEDIA_TYPES, answer_file
from api.features import Writing
from api.json_fg import PROFILES, parse_profile
from api.links import Link, Links, write_link_header
from api.negotiation import prefer_form
from api.parameters import (
    CRS84,
    DEFAULT_LIMIT,
    MAX_LIMIT,
    name_crs,
    parse_crs,
    parse_cursor,
    parse_names,
    write_cursor,
)
from api.resources import Resources
from layers.errors import NotFoundError
from layers.schema import VectorLayer
from layers.store.items import Item, count_items, select_item
from layers.store.origins import PRESENT, Past
from layers.store.query.ordering import parse_sort
from layers.store.query.paging import Page, select_page
from layers.store.query.selection import ItemQuery

router = APIRouter(prefix="/api/collections/{collection_id}/items", tags=["items"])

Sort = Annotated[str | None, Query(description="+a,-b: ascending, descending; nothing stands last")]
Names = Annotated[str | None, Query(description="Only these properties: a,b")]
Crs = Annotated[str, Query(description=f"CRS of the answer, {CRS84} or any EPSG code, in the order of its axes")]
Profiles = Annotated[
    str | None, Query(description=f"{', '.join(PROFILES)}: plain GeoJSON (default), JSON-FG, JSON-FG with fallback")
]
Form = Annotated[
    str | None,
    Query(description=f"json, jsonfg, html: a page; a whole file: {', '.join(FORMATS)}. Without it Accept decides"),
]
NoGeometry = Annotated[bool, Query(alias="skipGeometry", description="Leave the geometry out")]
_PAGES = ("json", "jsonfg", "html")
_OFFERED = {"json": GEOJSON, **MEDIA_TYPES}
# Whole files that an answer links to: what programs read most.
_LINKED = {"csv": "CSV", "fgb": "FlatGeobuf", "parquet": "GeoParquet", "gpkg": "GeoPackage"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """How the answer is asked for."""

    crs: Crs = CRS84
    limit: Annotated[int, Query(ge=1, description="Items a page", json_schema_extra={"maximum": MAX_LIMIT})] = (
        DEFAULT_LIMIT
    )
    _offset: Annotated[
        int,
        Query(alias="offset", ge=0, le=0, description="Only 0, which some clients send: pages follow the link 'next'"),
    ] = 0
    cursor: Annotated[str | None, Query(description="From the link 'next'")] = None
    count: Annotated[bool, Query(description="Count all matching items (numberMatched) even where it costs")] = False
    skip_geometry: NoGeometry = False
    profile: Profiles = None
    f: Form = None


WantedOf = Annotated[Wanted, Depends()]


@router.get("", summary="Items of a collection", openapi_extra=FILTERS)
async def list_items(
    request: Request,
    collection_id: str,
    resources: ResourcesOf,
    links: LinksOf,
    asked: AskedOf,
    wanted: WantedOf,
    sortby: Sort = None,
    properties: Names = None,
) -> Response:
    """Return a page of items as GeoJSON, whose link ``next`` leads to the following page, or all in a file."""
    layer = find_collection(collection_id)
    query = read_query(request, layer, asked)
    return await answer_items(request, resources, links, layer, query, wanted, sortby=sortby, properties=properties)


async def answer_items(
    request: Request,
    resources: Resources,
    links: Links,
    layer: VectorLayer,
    query: ItemQuery,
    wanted: Wanted,
    *,
    sortby: str | None,
    properties: str | None,
) -> Response:
    """Return the items of ``layer`` that match ``query``: a page that links to the next one, or a file."""
    order = parse_sort(sortby) if sortby is not None else ()
    writing = read_writing(layer, properties, wanted.crs, wanted.profile, wanted.f, query.past, wanted.skip_geometry)
    form = wanted.f if wanted.f is not None else prefer_form(request.headers.get("accept", ""), _OFFERED, "json")
    if form not in _PAGES:
        compress = accepts_gzip(request.headers)
        return await run_in_threadpool(
            answer_file, resources, layer, writing.names, query, order, writing.crs, form, compress=compress
        )
    after, pin = parse_cursor(layer, order, wanted.cursor) if wanted.cursor is not None else (None, None)

    async def select(connection: AsyncConnection[TupleRow]) -> tuple[Page, int | None]:
        found = await select_page(
            connection, layer, writing.view, query, size=min(wanted.limit, MAX_LIMIT), order=order, after=after, pin=pin
        )
        return found, await count_items(connection, layer, query) if wanted.count else None

    page, matched = await resources.read_items(select)
    if matched is None:
        matched = _count_for_free(resources, layer, query, page, is_first=after is None)
    made = _link_page(request, layer, links, page, writing)
    collection: dict[str, Any] = {
        "type": "FeatureCollection",
        **writing.write_root(links, is_collection=True),
        "timeStamp": write_moment(datetime.now(UTC)),
        **({"numberMatched": matched} if matched is not None else {}),
        "numberReturned": len(page.items),
        "links": made,
        "features": [writing.write_feature(item) for item in page.items],
    }
    headers = {"content-crs": f"<{name_crs(writing.crs)}>", "link": write_link_header(made), "vary": "accept"}
    return answer_json(collection, media_type=GEOJSON, headers=headers)


@router.get("/{feature_id:path}", summary="One item", dependencies=[Depends(refuse_unknown)])
async def read_item(
    request: Request,
    collection_id: str,
    feature_id: str,
    resources: ResourcesOf,
    links: LinksOf,
    when: When = None,
    recorded: Recorded = None,
    properties: Names = None,
    crs: Crs = CRS84,
    skip_geometry: NoGeometry = False,
    profile: Profiles = None,
    f: Annotated[str, Query(description="json, jsonfg or html", pattern="^(json|jsonfg|html)$")] = "json",
) -> Response:
    """Return an item as GeoJSON."""
    layer = find_collection(collection_id)
    past = read_past(when, recorded)
    writing = read_writing(layer, properties, crs, profile, f, past, skip_geometry)

    async def select(connection: AsyncConnection[TupleRow]) -> Item | None:
        return await select_item(connection, layer, writing.view, feature_id, past=past)

    item = await resources.read_items(select)
    if item is None:
        raise NotFoundError(f"collection '{layer.id}' has no item '{feature_id[:80]}'")
    headers = {"content-crs": f"<{name_crs(writing.crs)}>", "vary": "accept"}
    if past == PRESENT:
        headers |= write_validators(item.fid, item.recorded_from)
        if is_known(request.headers.get("if-none-match"), headers["etag"]):
            return Response(status_code=304, headers=headers)
    feature = writing.write_feature(item) | writing.write_root(links, is_collection=False)
    feature["links"] = [*links.of_item(layer.id, item.id), writing.link_profile()]
    return answer_json(feature, media_type=GEOJSON, headers=headers)


def read_writing(
    layer: VectorLayer,
    properties: str | None,
    crs: str,
    profile: str | None,
    form: str | None,
    past: Past,
    skip_geometry: bool,
) -> Writing:
    """Return how items of ``layer`` are written; the form ``jsonfg`` is short for JSON and that profile."""
    names = parse_names(layer, properties) if properties is not None else [p.name for p in layer.properties]
    chosen = profile if profile is not None else "jsonfg" if form == "jsonfg" else "rfc7946"
    return Writing(
        layer, names, parse_crs(crs, "crs"), parse_profile(chosen), with_geometry=not skip_geometry, past=past
    )


def _count_for_free(
    resources: Resources, layer: VectorLayer, query: ItemQuery, page: Page, *, is_first: bool
) -> int | None:
    """Return how many items match where that is known: all of them are on the page, or the layer is not filtered."""
    if is_first and page.last is None:
        return len(page.items)
    return resources.peek_count(layer) if query == ItemQuery() else None


def _link_page(request: Request, layer: VectorLayer, links: Links, page: Page, writing: Writing) -> list[Link]:
    """Return the links of a page; the last one has no ``next``."""
    path = request.url.path
    asked = dict(request.query_params)
    made: list[Link] = [
        {"href": links.url(path, asked), "rel": "self", "type": GEOJSON},
        {"href": links.url(path, {**asked, "f": "html"}), "rel": "alternate", "type": "text/html", "title": "HTML"},
    ]
    whole = {name: value for name, value in asked.items() if name not in ("limit", "cursor", "count", "profile")}
    for form, title in {"jsonfg": "JSON-FG", **_LINKED}.items():
        kept = asked if form == "jsonfg" else whole
        kind = GEOJSON if form == "jsonfg" else MEDIA_TYPES[form]
        made.append({"href": links.url(path, {**kept, "f": form}), "rel": "alternate", "type": kind, "title": title})
    made += [links.link(f"/api/collections/{layer.id}", "collection"), writing.link_profile()]
    if page.last is not None:
        following = {**asked, "cursor": write_cursor(layer.id, page.last, page.pin)}
        made.append({"href": links.url(path, following), "rel": "next", "type": GEOJSON})
    return made

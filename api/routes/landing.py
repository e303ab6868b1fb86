"""The front door of the API: landing page, conformance, its own description, the viewer's catalogue."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, Response

from api.answers import OPENAPI, answer_json
from api.catalog import build_catalog, describe_city
from api.dependencies import ConnectionOf, LinksOf, ResourcesOf, refuse_unknown
from api.openapi import build_openapi, write_page

CONFORMANCE = tuple(
    f"http://www.opengis.net/spec/{name}"
    for name in (
        "ogcapi-common-1/1.0/conf/core",
        "ogcapi-common-1/1.0/conf/json",
        "ogcapi-common-1/1.0/conf/oas30",
        "ogcapi-common-2/1.0/conf/collections",
        "ogcapi-features-1/1.0/conf/core",
        "ogcapi-features-1/1.0/conf/geojson",
        "ogcapi-features-1/1.0/conf/oas30",
        "ogcapi-features-2/1.0/conf/crs",
        "ogcapi-features-3/1.0/conf/queryables",
        "ogcapi-features-3/1.0/conf/queryables-query-parameters",
        "ogcapi-features-3/1.0/conf/filter",
        "ogcapi-features-3/1.0/conf/features-filter",
        "cql2/1.0/conf/cql2-text",
        "cql2/1.0/conf/cql2-json",
        "cql2/1.0/conf/basic-cql2",
        "cql2/1.0/conf/advanced-comparison-operators",
        "cql2/1.0/conf/case-insensitive-comparison",
        "cql2/1.0/conf/accent-insensitive-comparison",
        "cql2/1.0/conf/basic-spatial-functions",
        "cql2/1.0/conf/basic-spatial-functions-plus",
        "cql2/1.0/conf/spatial-functions",
        "cql2/1.0/conf/temporal-functions",
        "cql2/1.0/conf/functions",
        "cql2/1.0/conf/property-property",
        "cql2/1.0/conf/arithmetic",
        "ogcapi-features-4/1.0/conf/create-replace-delete",
        "ogcapi-features-4/1.0/conf/update",
        "ogcapi-features-4/1.0/conf/optimistic-locking-etags",
        "ogcapi-features-4/1.0/conf/features",
        "ogcapi-features-5/1.0/conf/schemas",
        "ogcapi-tiles-1/1.0/conf/core",
        "ogcapi-tiles-1/1.0/conf/tileset",
        "ogcapi-tiles-1/1.0/conf/tilesets-list",
        "ogcapi-tiles-1/1.0/conf/geodata-tilesets",
        "ogcapi-tiles-1/1.0/conf/mvt",
        "ogcapi-processes-1/1.0/conf/core",
        "ogcapi-processes-1/1.0/conf/json",
        "ogcapi-processes-1/1.0/conf/oas30",
        "ogcapi-processes-1/1.0/conf/ogc-process-description",
        "ogcapi-processes-1/1.0/conf/job-list",
        "ogcapi-processes-1/1.0/conf/dismiss",
    )
)

router = APIRouter(prefix="/api", tags=["landing"], dependencies=[Depends(refuse_unknown)])


@router.get("", summary="Landing page")
def read_landing(connection: ConnectionOf, resources: ResourcesOf, links: LinksOf) -> Response:
    """Say which city this is and where everything else lies."""
    city = describe_city(connection, resources)
    title = city["title"]
    landing = {
        "title": f"{title['vi']} – {title['en']}",
        "title_i18n": title,
        "description": "Bản sao số của thành phố: dữ liệu, quan trắc, dự báo. "
        "Digital twin of the city: data, sensors, forecasts.",
        "attribution": city["attribution"],
        "links": links.of_landing(),
    }
    return answer_json(landing)


@router.get("/conformance", summary="Standards this API keeps")
def read_conformance() -> Response:
    """List the conformance classes."""
    return answer_json({"conformsTo": CONFORMANCE})


@router.get("/openapi", summary="This description (OpenAPI 3.0)")
def read_openapi(request: Request, links: LinksOf) -> Response:
    """Describe the API."""
    return answer_json(build_openapi(request.app, links), media_type=OPENAPI)


@router.get("/docs", summary="This description as a page")
def read_docs(request: Request, links: LinksOf) -> Response:
    """Show the description as a page without scripts."""
    return HTMLResponse(write_page(build_openapi(request.app, links)))


@router.get("/catalog", summary="Everything a viewer needs, in one answer")
def read_catalog(connection: ConnectionOf, resources: ResourcesOf) -> Response:
    """Return the city, its themes and layers with legends, properties and sources."""
    return answer_json(build_catalog(connection, resources), headers={"cache-control": "no-cache"})

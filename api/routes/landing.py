"""The front door of the API: landing page, conformance, its own description, the viewer's catalogue."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, Response

from api.answers import OPENAPI, answer_json
from api.catalog import build_catalog, describe_city
from api.conformance import CONFORMANCE
from api.dependencies import ConnectionOf, LinksOf, ResourcesOf, refuse_unknown
from api.openapi import build_openapi, write_page

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

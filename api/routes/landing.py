"""The front door of the API: landing page, conformance, its own description, the viewer's catalogue."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import HTMLResponse, Response

from api.answers import OPENAPI, OPENAPI_31, answer_json
from api.catalog import build_catalog, describe_city
from api.conformance import CONFORMANCE
from api.dependencies import ConnectionOf, LinksOf, ResourcesOf, refuse_unknown
from api.openapi import build_openapi, build_openapi_31, write_page

router = APIRouter(prefix="/api", tags=["landing"], dependencies=[Depends(refuse_unknown)])


@router.get("/", include_in_schema=False)
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


@router.get("/openapi", summary="This description (OpenAPI 3.0 or 3.1)")
def read_openapi(
    request: Request,
    links: LinksOf,
    f: Annotated[
        Literal["json", "3.0", "3.1", "html"] | None, Query(description="3.0 without it; html: a page")
    ] = None,
) -> Response:
    """Describe the API, as ``f`` or else ``Accept`` asks for it."""
    accept = request.headers.get("accept", "").replace(" ", "").lower()
    if f == "html":
        return HTMLResponse(write_page(build_openapi(request.app, links)))
    if f == "3.1" or (f is None and "openapi+json;version=3.1" in accept):
        return answer_json(build_openapi_31(request.app, links), media_type=OPENAPI_31)
    return answer_json(build_openapi(request.app, links), media_type=OPENAPI)


@router.get("/docs", summary="This description as a page")
def read_docs(request: Request, links: LinksOf) -> Response:
    """Show the description as a page without scripts."""
    return HTMLResponse(write_page(build_openapi(request.app, links)))


@router.get("/catalog", summary="Everything a viewer needs, in one answer")
def read_catalog(connection: ConnectionOf, resources: ResourcesOf) -> Response:
    """Return the city, its themes and layers with legends, properties and sources."""
    return answer_json(build_catalog(connection, resources), headers={"cache-control": "no-cache"})

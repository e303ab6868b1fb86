"""The city as a project for QGIS."""

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.dependencies import ConnectionOf, LinksOf, refuse_unknown
from twin.qgis.contents import read_contents
from twin.qgis.project import write_project

router = APIRouter(tags=["styles"], dependencies=[Depends(refuse_unknown)])


@router.get("/api/qgis.qgz", summary="QGIS project")
def read_project(connection: ConnectionOf, links: LinksOf) -> Response:
    """Return a QGIS project of all layers with their styles, which reads from this server."""
    headers = {"content-disposition": 'attachment; filename="city.qgz"', "cache-control": "no-cache"}
    project = write_project(read_contents(connection, links.base))
    return Response(project, headers=headers, media_type="application/x-qgis-project")

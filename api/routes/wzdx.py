"""Road works as a WZDx 4.2 feed, for navigation services."""

from datetime import UTC, datetime

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.answers import GEOJSON, answer_json
from api.dependencies import ConnectionOf, refuse_unknown
from twin.traffic.wzdx_publishing import publish_works

router = APIRouter(prefix="/wzdx/v4.2", tags=["roads"], dependencies=[Depends(refuse_unknown)])


@router.get("/workzones.geojson", summary="Road works that have not ended, as a WZDx 4.2 work zone feed")
def read_workzones(connection: ConnectionOf) -> Response:
    """Return the feed: work zones, closures, closures by water, incidents and detours, now and to come."""
    feed = publish_works(connection, datetime.now(UTC))
    return answer_json(feed, media_type=GEOJSON, headers={"cache-control": "no-cache"})

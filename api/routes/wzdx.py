"""Road works as a WZDx 4.2 feed, for navigation services."""

from datetime import UTC, datetime

from fastapi import APIRouter, Depends
from pyproj import CRS
from starlette.responses import Response

from api.answers import GEOJSON, answer_json
from api.dependencies import ConnectionOf, refuse_unknown
from layers.ingest.crs import read_crs, transform
from layers.registry import read_vector_layer
from layers.store.features import select_features
from layers.store.migrate import read_city
from twin.traffic.wzdx import build_feed

router = APIRouter(prefix="/wzdx/v4.2", tags=["roads"], dependencies=[Depends(refuse_unknown)])


@router.get("/workzones.geojson", summary="Road works that have not ended, as a WZDx 4.2 work zone feed")
def read_workzones(connection: ConnectionOf) -> Response:
    """Return the feed: work zones, closures, closures by water, incidents and detours, now and to come."""
    city = read_city(connection)
    events = select_features(connection, read_vector_layer("road_works"))
    places = transform(events.geometry.to_numpy().astype(object), CRS.from_epsg(city.srid), read_crs("OGC:CRS84"))
    frame = events.set_geometry(places, crs="EPSG:4326")
    title = city.declaration.get("title")
    publisher = str(title.get("vi") or "") if isinstance(title, dict) else ""
    feed = build_feed(frame, publisher=publisher or str(city.declaration.get("id", "city")), now=datetime.now(UTC))
    return answer_json(feed, media_type=GEOJSON, headers={"cache-control": "no-cache"})

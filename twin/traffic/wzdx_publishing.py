"""The city's road works as it publishes them."""

from datetime import datetime
from typing import Any

from pyproj import CRS
from sqlalchemy import Connection

from layers.ingest.crs import read_crs, transform
from layers.registry import read_vector_layer
from layers.store.features import select_features
from layers.store.migrate import read_city
from twin.traffic.wzdx import build_feed


def publish_works(connection: Connection, now: datetime) -> dict[str, Any]:
    """Return the WZDx feed of the road works that have not ended by ``now``, in the name of the city."""
    city = read_city(connection)
    events = select_features(connection, read_vector_layer("road_works"))
    places = transform(events.geometry.to_numpy().astype(object), CRS.from_epsg(city.srid), read_crs("OGC:CRS84"))
    title = city.declaration.get("title")
    publisher = str(title.get("vi") or "") if isinstance(title, dict) else ""
    frame = events.set_geometry(places, crs="EPSG:4326")
    return build_feed(frame, publisher=publisher or str(city.declaration.get("id", "city")), now=now)

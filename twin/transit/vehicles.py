"""Where vehicles are: positions told live, with the trip and route the feed knows them by."""

from collections.abc import Sequence
from typing import Any

from twin.store_transit_realtime import EntityRow
from twin.transit.feed import Feed


def list_vehicles(feed: Feed, entities: Sequence[EntityRow]) -> list[dict[str, Any]]:
    """Return GeoJSON features of vehicles with a position; ``matched`` says whether the feed knows the trip."""
    trips, routes = feed.table("trips"), feed.table("routes")
    names = dict(zip(feed.route_ids.to_pylist(), routes.column("route_short_name").to_pylist(), strict=True))
    columns = ("route_id", "trip_headsign", "direction_id")
    known = dict(
        zip(
            feed.trip_ids.to_pylist(),
            zip(*(trips.column(name).to_pylist() for name in columns), strict=True),
            strict=True,
        )
    )
    found = []
    for one in entities:
        position = one.document.get("position", {})
        lon, lat = position.get("longitude"), position.get("latitude")
        if not isinstance(lon, float | int) or not isinstance(lat, float | int) or abs(lon) > 180.0 or abs(lat) > 90.0:
            continue
        trip = one.document.get("trip", {})
        route, headsign, direction = known.get(one.trip or "", (trip.get("route_id"), None, None))
        vehicle = one.document.get("vehicle", {})
        found.append({
            "type": "Feature",
            "id": one.id,
            "geometry": {"type": "Point", "coordinates": [round(lon, 6), round(lat, 6)]},
            "properties": {
                "vehicle_id": vehicle.get("id") or one.id,
                "label": vehicle.get("label"),
                "plate": vehicle.get("license_plate"),
                "trip_id": one.trip,
                "start_date": one.start_date,
                "route_id": route,
                "route": names.get(route or "") or route,
                "headsign": headsign or None,
                "direction_id": int(direction) if direction else None,
                "matched": one.trip in known,
                "bearing": position.get("bearing"),
                "speed": position.get("speed"),
                "stop_id": one.document.get("stop_id"),
                "status": one.document.get("current_status"),
                "occupancy": one.document.get("occupancy_status"),
                "timestamp": one.document.get("timestamp"),
            },
        })  # fmt: skip
    return found

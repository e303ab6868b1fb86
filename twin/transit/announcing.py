"""Tell riders and their apps of trips changed by water: GTFS Realtime with alerts, trip modifications and new shapes.

Source: https://gtfs.org/documentation/realtime/reference/, Alert and TripModifications.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

import shapely
from google.transit import gtfs_realtime_pb2 as rt

from layers.datum import CRS84, make_transformer
from layers.schema import Text
from twin.transit.detours import ChangedTrips
from twin.transit.feed import CityFeed

_DIGITS = 5


def write_message(
    one: CityFeed, changed: Sequence[ChangedTrips], day: date, made: datetime, period: tuple[datetime, datetime] | None,
    crs: str,
) -> rt.FeedMessage:  # fmt: skip
    """Return the message: per route an alert, per way that changes a modification with the line that is driven.

    period: from when until when the water stands; None where nobody knows.
    """
    message = rt.FeedMessage()
    message.header.gtfs_realtime_version = "2.0"
    message.header.incrementality = rt.FeedHeader.FULL_DATASET
    message.header.timestamp = int(made.timestamp())
    for route in sorted({each.route for each in changed}):
        own = [each for each in changed if each.route == route]
        alert_id = f"water-{one.feed.route_ids[route].as_py()}"
        _write_alert(message, one, route, own, alert_id, period)
        for number, each in enumerate(own, start=1):
            if not each.is_cut and not each.is_lost and (each.driven is not None or each.shape):
                _write_modifications(message, each, f"{alert_id}-{number}", alert_id, day, made, crs)
    return message


def encode_polyline(lon_lat: Sequence[tuple[float, float]]) -> str:
    """Return a line [°] in the encoded polyline algorithm format, five digits, latitude first."""
    text, last = [], (0, 0)
    for lon, lat in lon_lat:
        now = (round(lat * 10**_DIGITS), round(lon * 10**_DIGITS))
        for value in (now[0] - last[0], now[1] - last[1]):
            left = ~(value << 1) if value < 0 else value << 1
            while left >= 0x20:
                text.append(chr((0x20 | (left & 0x1F)) + 63))
                left >>= 5
            text.append(chr(left + 63))
        last = now
    return "".join(text)


def _write_alert(
    message: rt.FeedMessage, one: CityFeed, route: int, own: Sequence[ChangedTrips], alert_id: str,
    period: tuple[datetime, datetime] | None,
) -> None:  # fmt: skip
    entity = message.entity.add()
    entity.id = alert_id
    alert = entity.alert
    if period is not None:
        span = alert.active_period.add()
        span.start, span.end = int(period[0].timestamp()), int(period[1].timestamp())
    alert.cause = rt.Alert.WEATHER
    said = _judge(own)
    alert.effect = said.effect
    alert.severity_level = rt.Alert.WARNING if said.effect == rt.Alert.DETOUR else rt.Alert.SEVERE
    table = one.feed.table("routes")
    name = table.column("route_short_name")[route].as_py() or table.column("route_long_name")[route].as_py()
    skipped = sorted({one.feed.stop_ids[stop].as_py() for each in own for stop in each.skipped})
    alert.informed_entity.add().route_id = one.feed.route_ids[route].as_py()
    for stop in skipped:
        chosen = alert.informed_entity.add()
        chosen.route_id, chosen.stop_id = one.feed.route_ids[route].as_py(), stop
    trips = len({trip for each in own for trip in each.trips})
    for language, head, body in (
        ("vi", f"Tuyến {name}: {said.words.vi} vì ngập", f"{trips} chuyến thay đổi, {len(skipped)} trạm không dừng."),
        (
            "en",
            f"Route {name} {said.words.en}: water on the road",
            f"{trips} trips change, {len(skipped)} stops are passed.",
        ),
    ):
        for field, words in ((alert.header_text, head), (alert.description_text, body)):
            translation = field.translation.add()
            translation.text, translation.language = words, language


class _Said(NamedTuple):
    """What happens to a route: the effect of GTFS Realtime, and in words."""

    effect: int
    words: Text


def _judge(own: Sequence[ChangedTrips]) -> _Said:
    """Return the gravest of what happens to the trips of a route."""
    if all(each.is_lost for each in own):
        return _Said(rt.Alert.NO_SERVICE, Text("không chạy", "does not run"))
    if any(each.is_cut or each.is_lost for each in own):
        return _Said(rt.Alert.REDUCED_SERVICE, Text("không chạy suốt tuyến", "does not run through"))
    if any(each.driven is not None for each in own):
        return _Said(rt.Alert.DETOUR, Text("chạy đường vòng", "runs a detour"))
    return _Said(rt.Alert.MODIFIED_SERVICE, Text("bỏ trạm", "skips stops"))


def _write_modifications(
    message: rt.FeedMessage, each: ChangedTrips, entity_id: str, alert_id: str, day: date, made: datetime, crs: str
) -> None:
    # A trip that only begins or ends elsewhere keeps its line.
    shape_id = each.shape if each.driven is None else f"{entity_id}-shape"
    if each.driven is not None:
        shape = message.entity.add()
        shape.id = shape.shape.shape_id = shape_id
        points = shapely.get_coordinates(each.driven)
        lon, lat = make_transformer(crs, CRS84).transform(points[:, 0], points[:, 1])
        shape.shape.encoded_polyline = encode_polyline(list(zip(lon.tolist(), lat.tolist(), strict=True)))
    entity = message.entity.add()
    entity.id = entity_id
    changes = entity.trip_modifications
    chosen = changes.selected_trips.add()
    chosen.trip_ids.extend(each.trips)
    chosen.shape_id = shape_id
    changes.service_dates.append(f"{day:%Y%m%d}")
    for one in each.changes:
        change = changes.modifications.add()
        first = one.first if one.last >= one.first else max(one.before, 0)
        change.start_stop_selector.stop_sequence = int(each.sequences[first])
        # Without an end nothing is passed by: the vehicle only takes another way.
        if one.last >= one.first:
            change.end_stop_selector.stop_sequence = int(each.sequences[one.last])
        change.propagated_modification_delay = round(one.delay)
        change.service_alert_id = alert_id
        change.last_modified_time = int(made.timestamp())

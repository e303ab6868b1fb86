"""Public transport: feeds as GTFS, departures of stops, vehicles, and what water changes as GTFS Realtime."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Path, Query
from google.protobuf.json_format import MessageToDict
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from api.answers import GEOJSON, answer_json, write_moment
from api.dependencies import ConnectionOf, LinksOf, ResourcesOf, refuse_unknown
from api.links import Links
from api.parameters import parse_moment
from api.resources import Resources
from layers.access import WHOLE, asking_as
from twin.city import City
from twin.store_transit import FeedRow, list_feeds, list_versions, read_feed_row
from twin.store_transit_realtime import FRESH, LASTING, list_messages, select_entities
from twin.transit.departures import Departure, list_departures
from twin.transit.exporting import read_current_feed
from twin.transit.feed import CityFeed
from twin.transit.vehicles import list_vehicles
from twin.transit.warm import read_warm_feed
from twin.transit.water_alerts import WaterAlerts, find_alerts
from twin.transit.writing import write_feed

PROTOBUF = "application/x-protobuf"
ZIP = "application/zip"
_NO_CACHE = {"cache-control": "no-cache"}

router = APIRouter(prefix="/gtfs", tags=["transit"], dependencies=[Depends(refuse_unknown)])
FeedId = Annotated[str, Path(max_length=40, description="Id of a feed")]
At = Annotated[str | None, Query(description="The moment asked for; without it, now")]
RunId = Annotated[str | None, Query(max_length=80, description="The flood run; without it, the newest")]


@router.get("", summary="Public transport feeds of the city")
def read_feeds(connection: ConnectionOf, links: LinksOf) -> Response:
    """List the feeds in force."""
    feeds = [write_row(row, links) for row in list_feeds(connection)]
    return answer_json({"feeds": feeds, "links": [links.link("/gtfs", "self")]}, headers=_NO_CACHE)


@router.get("/{feed}.zip", summary="A feed as GTFS Schedule, with the edits of its stops", response_class=Response)
async def read_zip(feed: FeedId, request: Request, resources: ResourcesOf) -> Response:
    """Return the zip file; 304 where it is as it was."""
    given = request.headers.get("if-none-match")
    return await to_thread.run_sync(_answer_zip, resources, feed, given)


@router.get("/{feed}", summary="One feed: its versions and what it holds")
def read_one(feed: FeedId, connection: ConnectionOf, links: LinksOf) -> Response:
    """Return the feed with its earlier versions and its newest live messages."""
    row = read_feed_row(connection, feed)
    versions = [
        {"version": one.version, "loaded": write_moment(one.loaded), "author": one.author, "counts": one.counts}
        for one in list_versions(connection, feed)
    ]
    messages = [
        {
            "source": one.source, "at": write_moment(one.at), "received": write_moment(one.received),
            "counts": one.counts, "unmatched": one.unmatched,
        }
        for one in list_messages(connection, feed)
    ]  # fmt: skip
    return answer_json({**write_row(row, links), "versions": versions, "messages": messages}, headers=_NO_CACHE)


@router.get("/{feed}/report", summary="What the validation of a feed found")
def read_report(feed: FeedId, connection: ConnectionOf) -> Response:
    """Return the notices as they were when the version came."""
    row = read_feed_row(connection, feed)
    return answer_json({"feed": row.id, "version": row.version, **row.report}, headers=_NO_CACHE)


@router.get("/{feed}/stops/{stop}/departures", summary="What leaves a stop next")
async def read_departures(
    feed: FeedId,
    stop: Annotated[str, Path(max_length=200, description="Id of a stop in the feed")],
    resources: ResourcesOf,
    at: At = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
    minutes: Annotated[int, Query(ge=1, le=1440, description="How far ahead")] = 120,
) -> Response:
    """Return departures by the timetable with delays told live; of a station those of all its stops."""
    moment = _read_time(at)
    return await to_thread.run_sync(_answer_departures, resources, feed, stop, moment, limit, minutes)


@router.get("/{feed}/vehicles", summary="Where the vehicles are")
def read_vehicles(feed: FeedId, connection: ConnectionOf, at: At = None) -> Response:
    """Return the newest positions as GeoJSON, with trip and route where the feed knows them."""
    moment = _read_time(at)
    row = read_feed_row(connection, feed)
    one = CityFeed(row.id, row.stamp, row.title, read_warm_feed(connection, row))
    entities = select_entities(connection, feed, ["vehicle"], moment)
    body = {"type": "FeatureCollection", "features": list_vehicles(one.feed, entities)}
    return answer_json(body, media_type=GEOJSON, headers=_NO_CACHE)


@router.get("/{feed}/messages", summary="Live messages in force: alerts, delays, modifications as they came")
def read_messages(
    feed: FeedId,
    connection: ConnectionOf,
    at: At = None,
    kind: Annotated[str, Query(pattern="^(trip_update|vehicle|alert|trip_modifications|stop|shape)$")] = "alert",
) -> Response:
    """Return the entities of a kind in force; alerts and modifications of the last day, which say until when."""
    moment = _read_time(at)
    read_feed_row(connection, feed)
    fresh = FRESH if kind in ("vehicle", "trip_update") else LASTING
    found = select_entities(connection, feed, [kind], moment, fresh=fresh)
    return answer_json(
        {"entities": [{"id": one.id, "at": write_moment(one.at), kind: one.document} for one in found]},
        headers=_NO_CACHE,
    )


@router.get("/{feed}/alerts.pb", summary="What water changes, as GTFS Realtime", response_class=Response)
async def read_alerts(feed: FeedId, resources: ResourcesOf, run: RunId = None, at: At = None) -> Response:
    """Return alerts, trip modifications and shapes for the water of a run, as protobuf."""
    found = await to_thread.run_sync(_find_alerts, resources, feed, run, _read_time(at))
    return Response(found.message.SerializeToString(), media_type=PROTOBUF, headers=_NO_CACHE)


@router.get("/{feed}/alerts", summary="What water changes, as JSON")
async def read_alerts_json(feed: FeedId, resources: ResourcesOf, run: RunId = None, at: At = None) -> Response:
    """Return the same as ``alerts.pb`` in the JSON of protobuf, with the run and how many trips change."""
    found = await to_thread.run_sync(_find_alerts, resources, feed, run, _read_time(at))
    body = {
        "run": found.run, "trips_changed": found.changed, "trips_cut": found.cut,
        **MessageToDict(found.message, preserving_proto_field_name=True),
    }  # fmt: skip
    return answer_json(body, headers=_NO_CACHE)


def write_row(row: FeedRow, links: Links) -> dict[str, Any]:
    """Return a feed as it is answered."""
    errors = sum(one["totalNotices"] for one in row.report["notices"] if one["severity"] == "ERROR")
    path = f"/gtfs/{row.id}"
    return {
        "id": row.id,
        "version": row.version,
        "title": row.title,
        "licence": row.licence,
        "attribution": row.attribution,
        "timezone": row.timezone,
        "loaded": write_moment(row.loaded),
        "first_day": row.first_day.isoformat() if row.first_day else None,
        "last_day": row.last_day.isoformat() if row.last_day else None,
        "counts": row.counts,
        "errors": errors,
        "links": [
            links.link(path, "self"),
            links.link(f"{path}.zip", "enclosure", ZIP),
            links.link(f"{path}/report", "describedby"),
            links.link(f"{path}/vehicles", "related", GEOJSON),
            links.link(f"{path}/alerts.pb", "related", PROTOBUF),
        ],
    }


def write_departure(one: Departure) -> dict[str, Any]:
    """Return a departure as it is answered."""
    return {
        "stop_id": one.stop_id,
        "trip_id": one.trip_id,
        "route_id": one.route_id,
        "route": one.route,
        "headsign": one.headsign,
        "stop_sequence": one.sequence,
        "scheduled": write_moment(one.scheduled),
        "expected": write_moment(one.expected),
        "delay": one.delay,
        "state": one.state,
        "exact": one.exact,
    }


def _read_time(at: str | None) -> datetime:
    return datetime.now(UTC) if at is None else parse_moment(at, "at")


def _answer_zip(resources: Resources, feed: str, given: str | None) -> Response:
    with resources.engine.connect() as connection:
        row = read_feed_row(connection, feed)
        current, carried = read_current_feed(connection, row)
    etag = f'"{row.stamp}-{carried.word}"'
    headers = {"etag": etag, **_NO_CACHE}
    if given is not None and etag in [one.strip().removeprefix("W/") for one in given.split(",")]:
        return Response(status_code=304, headers=headers)
    name = f'attachment; filename="{row.id}.zip"'
    return Response(write_feed(current), media_type=ZIP, headers={**headers, "content-disposition": name})


def _answer_departures(resources: Resources, feed: str, stop: str, at: datetime, limit: int, minutes: int) -> Response:
    with resources.engine.connect() as connection:
        one = _read_feed(connection, feed)
        updates = select_entities(connection, feed, ["trip_update"], at)
        changes = select_entities(connection, feed, ["trip_modifications"], at, fresh=LASTING)
    found = list_departures(one, stop, at, updates, changes, within=timedelta(minutes=minutes), limit=limit)
    body = {"feed": feed, "stop_id": stop, "at": write_moment(at), "departures": [write_departure(x) for x in found]}
    return answer_json(body, headers=_NO_CACHE)


def _find_alerts(resources: Resources, feed: str, run: str | None, at: datetime) -> WaterAlerts:
    # The network of streets is read whole, whoever asks.
    with asking_as(WHOLE), resources.engine.connect() as connection:
        one = _read_feed(connection, feed)
        return find_alerts(City(connection, resources.settings.processed_dir, at), one, at, run)


def _read_feed(connection: Connection, feed: str) -> CityFeed:
    row = read_feed_row(connection, feed)
    return CityFeed(row.id, row.stamp, row.title, read_warm_feed(connection, row))

"""Sensors: the latest of everything in one answer, series for charts, the forecast of a gauge."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from sse_starlette import EventSourceResponse
from starlette.responses import Response

from api.answers import GEOJSON, answer_json, write_moment
from api.dependencies import ConnectionOf, ResourcesOf, refuse_unknown
from api.live import Interest, parse_event_id
from api.parameters import parse_bbox, parse_moment
from layers.access import name_sight
from layers.errors import InputError, NotFoundError
from layers.registry import VECTOR_LAYERS
from layers.store.sensing.datastreams import Datastream, read_datastream
from layers.store.sensing.latest import build_latest_query, check_kind
from layers.store.sensing.reading import read_extent, select_observations
from twin.forecasts.writing import write_issue, write_values
from twin.store import list_runs
from twin.store_forecasts import list_issues, read_values

FORECAST_PROCESS = "flood-forecast"
HEARTBEAT_S, SEND_WITHIN_S, END_WITHIN_S = 15, 30.0, 2.0
_DEFAULT_DAYS = 3
_RUNS_LOOKED_AT = 20

BboxText = Annotated[str | None, Query(description="west,south,east,north in CRS84")]
KindText = Annotated[str | None, Query(description="Kind of sensor, such as stage or rain")]
router = APIRouter(prefix="/sensors", tags=["sensors"], dependencies=[Depends(refuse_unknown)])


@router.get("/latest", summary="Every sensor with its latest readings")
async def read_latest_of_all(
    request: Request,
    resources: ResourcesOf,
    bbox: BboxText = None,
    kind: KindText = None,
    since: Annotated[str | None, Query(description="Only sensors with a reading at or after this moment")] = None,
) -> Response:
    """Return sensors as GeoJSON, each with its datastreams and their latest results.

    The ETag changes when a reading, a series or a sensor does; If-None-Match saves the answer until then.
    """
    bounds = parse_bbox(bbox) if bbox is not None else None
    moment = parse_moment(since, "since") if since is not None else None
    tokens, query = await resources.latest.read_tokens(), build_latest_query(bbox_crs84=bounds, kind=kind)
    asked = (bounds, kind, *name_sight([VECTOR_LAYERS["sensors"]]))
    etag = f'W/"{hashlib.blake2b(repr((tokens, asked, moment)).encode(), digest_size=12).hexdigest()}"'
    headers = {"etag": etag, "cache-control": "no-cache"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    features = await resources.latest.write(tokens, asked, query, moment)
    opening = f'{{"type":"FeatureCollection","timeStamp":"{write_moment(datetime.now(UTC))}","features":['
    return Response(b"".join((opening.encode(), features, b"]}")), headers=headers, media_type=GEOJSON)


@router.get("/events", summary="Changes as they come: server-sent events", response_class=EventSourceResponse)
async def follow_changes(
    request: Request,
    resources: ResourcesOf,
    bbox: BboxText = None,
    kind: KindText = None,
    datastream: Annotated[str | None, Query(description="Only these series, ids separated by commas")] = None,
) -> EventSourceResponse:
    """Tell changed readings at most once a second, of each series the newest, and alarms when they change.

    Events: ``ready`` first, then ``reading`` with the changed series, ``alarm`` with its id. The header Last-Event-ID
    of an earlier event brings what changed meanwhile; readings may come twice, none is left out.
    """
    if kind is not None:
        check_kind(kind)
    interest = Interest(
        bounds=parse_bbox(bbox) if bbox is not None else None,
        kind=kind,
        datastreams=frozenset(datastream.split(",")) if datastream is not None else None,
    )
    after = parse_event_id(request.headers.get("last-event-id"))
    return EventSourceResponse(
        resources.live.stream(interest, after),
        ping=HEARTBEAT_S,
        send_timeout=SEND_WITHIN_S,
        shutdown_event=resources.live.ending,
        shutdown_grace_period=END_WITHIN_S,
    )


@router.get("/datastreams/{datastream_id}/observations", summary="Readings of a series")
def read_observations(
    datastream_id: str,
    connection: ConnectionOf,
    start: Annotated[str | None, Query(description="From this moment; without it three days before the end")] = None,
    end: Annotated[str | None, Query(description="To this moment; without it the newest reading")] = None,
    max_points: Annotated[int, Query(ge=2, le=50_000, description="Longer series are thinned, peaks stay")] = 2000,
) -> Response:
    """Return times, results and quality flags (QARTOD) side by side."""
    stream = read_datastream(connection, datastream_id)
    until = parse_moment(end, "end") if end is not None else _find_end(connection, datastream_id)
    since = parse_moment(start, "start") if start is not None else until - timedelta(days=_DEFAULT_DAYS)
    if since > until:
        raise InputError(f"start {write_moment(since)} lies after end {write_moment(until)}")
    found = select_observations(connection, datastream_id, since, until, max_points)
    return answer_json(
        {
            "datastream": _write_datastream(stream),
            "times": [write_moment(datetime.fromtimestamp(at, UTC)) for at in found.times.tolist()],
            "results": found.results,
            "qualities": found.qualities.tolist(),
        }
    )


@router.get("/datastreams/{datastream_id}/forecast", summary="The newest forecast of a series")
def read_forecast(datastream_id: str, connection: ConnectionOf) -> Response:
    """Return the newest forecast issued for this series, or else that of the newest successful forecast run."""
    read_datastream(connection, datastream_id)
    for issue in list_issues(connection, datastream_id, limit=1):
        words = {**write_issue(issue), **write_values(read_values(connection, issue.id))}
        return answer_json(words, headers={"cache-control": "no-cache"})
    runs = list_runs(connection, process=FORECAST_PROCESS, status="successful", limit=_RUNS_LOOKED_AT)
    for run in runs:
        forecast = run.stage_forecast
        if forecast and forecast.get("datastream_id") == datastream_id:
            return answer_json({"run_id": run.id, **forecast}, headers={"cache-control": "no-cache"})
    raise NotFoundError(f"datastream '{datastream_id}' has no forecast yet", hint=f"run the process {FORECAST_PROCESS}")


def _find_end(connection: ConnectionOf, datastream_id: str) -> datetime:
    extent = read_extent(connection, datastream_id)
    return extent[1] if extent else datetime.now(UTC)


def _write_datastream(stream: Datastream) -> dict[str, Any]:
    return {
        "id": stream.id,
        "sensor_id": stream.sensor_id,
        "observed_property": stream.observed_property,
        "unit": stream.unit,
        "title": {"vi": stream.title_vi, "en": stream.title_en},
    }

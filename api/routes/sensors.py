"""Sensors: the latest of everything in one answer, series for charts, the forecast of a gauge."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.answers import GEOJSON, answer_json, write_moment
from api.dependencies import ConnectionOf, refuse_unknown
from api.parameters import parse_bbox, parse_moment
from layers.errors import InputError, NotFoundError
from layers.store.sensing.datastreams import Datastream, read_datastream
from layers.store.sensing.latest import LatestRow, select_latest
from layers.store.sensing.reading import read_extent, select_observations
from twin.store import list_runs

FORECAST_PROCESS = "flood-forecast"
_DEFAULT_DAYS = 3
_RUNS_LOOKED_AT = 20

router = APIRouter(prefix="/sensors", tags=["sensors"], dependencies=[Depends(refuse_unknown)])


@router.get("/latest", summary="Every sensor with its latest readings")
def read_latest(
    connection: ConnectionOf,
    bbox: Annotated[str | None, Query(description="west,south,east,north in CRS84")] = None,
    kind: Annotated[str | None, Query(description="Kind of sensor, such as stage or rain")] = None,
    since: Annotated[str | None, Query(description="Only sensors with a reading at or after this moment")] = None,
) -> Response:
    """Return sensors as GeoJSON, each with its datastreams and their latest results."""
    bounds = parse_bbox(bbox) if bbox is not None else None
    moment = parse_moment(since, "since") if since is not None else None
    shown = [_write_sensor(row) for row in select_latest(connection, bbox_crs84=bounds, kind=kind, since=moment)]
    collection = {"type": "FeatureCollection", "timeStamp": write_moment(datetime.now(UTC)), "features": shown}
    return answer_json(collection, media_type=GEOJSON, headers={"cache-control": "no-cache"})


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
    """Return the stage forecast of the newest successful forecast run of this series."""
    read_datastream(connection, datastream_id)
    runs = list_runs(connection, process=FORECAST_PROCESS, status="successful", limit=_RUNS_LOOKED_AT)
    for run in runs:
        forecast = run.stage_forecast
        if forecast and forecast.get("datastream_id") == datastream_id:
            return answer_json({"run_id": run.id, **forecast}, headers={"cache-control": "no-cache"})
    raise NotFoundError(f"datastream '{datastream_id}' has no forecast yet", hint=f"run the process {FORECAST_PROCESS}")


def _find_end(connection: ConnectionOf, datastream_id: str) -> datetime:
    extent = read_extent(connection, datastream_id)
    return extent[1] if extent else datetime.now(UTC)


def _write_sensor(row: LatestRow) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": row.sensor_id,
        "geometry": {"type": "Point", "coordinates": [round(row.lon, 7), round(row.lat, 7)]},
        "properties": {
            "name": row.name,
            "kind": row.kind,
            "alarm_1": row.alarm_1,
            "alarm_2": row.alarm_2,
            "alarm_3": row.alarm_3,
            "datastreams": [_write_reading(stream) for stream in row.datastreams],
        },
    }


def _write_reading(stream: dict[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in stream.items() if key not in ("title_vi", "title_en")}
    return {**rest, "title": {"vi": stream["title_vi"], "en": stream["title_en"]}}


def _write_datastream(stream: Datastream) -> dict[str, Any]:
    return {
        "id": stream.id,
        "sensor_id": stream.sensor_id,
        "observed_property": stream.observed_property,
        "unit": stream.unit,
        "title": {"vi": stream.title_vi, "en": stream.title_en},
    }

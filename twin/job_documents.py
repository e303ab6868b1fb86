"""Jobs as OGC API Processes writes them: the status, the results; the same for who asks and for who is called back."""

from typing import Any
from urllib.parse import quote, urlencode

from sqlalchemy import Connection

from layers.registry import VECTOR_LAYERS
from layers.store.rasters import format_time, list_rasters
from twin.registry import PROCESSES
from twin.store import RunRow
from twin.store_callbacks import CallbackRow, JobRequest

RESULTS = "http://www.opengis.net/def/rel/ogc/1.0/results"
JSON, GEOJSON, GEOTIFF = "application/json", "application/geo+json", "image/tiff; application=geotiff"
SUMMARY, RECORD = "summary", "run"


def write_status(run: RunRow, base: str, callbacks: list[CallbackRow] | None = None) -> dict[str, Any]:
    """Return a run as statusInfo with links below ``base``; ``callbacks`` are told without their addresses."""
    path = f"{base}/api/jobs/{quote(run.id)}"
    links = [
        {"href": path, "rel": "self", "type": JSON},
        {"href": f"{base}/api/runs/{quote(run.id)}", "rel": "related", "type": JSON, "title": "Run"},
    ]
    if run.status == "successful":
        links.append({"href": f"{path}/results", "rel": RESULTS, "type": JSON})
    written: dict[str, Any] = {
        "jobID": run.id,
        "processID": run.process,
        "type": "process",
        "status": run.status,
        "progress": round(run.progress),
        "message": run.message,
        "created": format_time(run.created),
        "updated": format_time(run.updated),
        "links": links,
    }
    for name, moment in (("started", run.started), ("finished", run.finished)):
        if moment is not None:
            written[name] = format_time(moment)
    if callbacks:
        written["callbacks"] = [_write_callback(row) for row in callbacks]
    return written


def write_results(connection: Connection, run: RunRow, request: JobRequest, base: str) -> dict[str, Any]:
    """Return what a successful run made, by output: a link, or a value with its media type."""
    written: dict[str, Any] = {}
    for row in list_rasters(connection, run_id=run.id):
        as_tiles = request.outputs.get(row.layer, {}).get("mediaType") == JSON
        path = f"{base}/tiles/raster/{quote(row.id)}"
        written[row.layer] = (
            {"href": f"{path}.json", "type": JSON, "title": "TileJSON"}
            if as_tiles
            else {"href": f"{path}.tif", "type": GEOTIFF}
        )
    process = PROCESSES.get(run.process)
    for layer_id in process.outputs if process else ():
        if layer_id in VECTOR_LAYERS:
            href = f"{base}/api/collections/{layer_id}/items?{urlencode({'run_id': run.id})}"
            written[layer_id] = {"href": href, "type": GEOJSON}
    record = {"href": f"{base}/api/runs/{quote(run.id)}", "type": JSON}
    by_reference = request.outputs.get(SUMMARY, {}).get("transmissionMode") == "reference"
    written[SUMMARY] = record if by_reference else {"value": run.summary or {}, "mediaType": JSON}
    written[RECORD] = record
    return {name: value for name, value in written.items() if not request.outputs or name in request.outputs}


def _write_callback(row: CallbackRow) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": row.kind, "state": row.state, "attempts": row.attempts}
    if row.last_attempt is not None:
        told["lastAttempt"] = format_time(row.last_attempt)
    if row.outcome:
        told["outcome"] = row.outcome
    return told

"""Jobs: how far each run is, its results, and the way to stop it."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from api.answers import GEOJSON, answer_json, write_moment
from api.dependencies import ConnectionOf, LinksOf, refuse_unknown
from api.links import OGC, Link, Links
from layers.errors import ConflictError, NotFoundError
from layers.registry import VECTOR_LAYERS
from layers.store.rasters import list_rasters
from twin.registry import PROCESSES
from twin.store import RunRow, RunStatus, list_runs, read_run, request_dismiss

EXCEPTIONS = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0"

router = APIRouter(prefix="/api/jobs", tags=["jobs"], dependencies=[Depends(refuse_unknown)])


class NoSuchJobError(NotFoundError):
    """The job that was named does not exist."""

    code = f"{EXCEPTIONS}/no-such-job"


class ResultNotReadyError(NotFoundError):
    """The job has no results yet."""

    code = f"{EXCEPTIONS}/result-not-ready"


@router.get("", summary="Jobs, the newest first")
def list_jobs(
    connection: ConnectionOf,
    links: LinksOf,
    process_id: Annotated[str | None, Query(alias="processID", description="Only of this process")] = None,
    status: Annotated[RunStatus | None, Query(description="Only in this state")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
) -> Response:
    """List the jobs."""
    runs = list_runs(connection, process=process_id, status=status, limit=limit)
    jobs = [write_status(run, links) for run in runs]
    return answer_json(
        {"jobs": jobs, "links": [links.link("/api/jobs", "self")]}, headers={"cache-control": "no-cache"}
    )


@router.get("/{job_id}", summary="The state of a job")
def read_job(job_id: str, connection: ConnectionOf, links: LinksOf) -> Response:
    """Return how far a job is."""
    return answer_json(write_status(_find(connection, job_id), links), headers={"cache-control": "no-cache"})


@router.delete("/{job_id}", summary="Dismiss a job")
def dismiss_job(job_id: str, connection: ConnectionOf, links: LinksOf) -> Response:
    """Stop a job that waits or runs; one that is over stays."""
    _find(connection, job_id)
    return answer_json(write_status(request_dismiss(connection, job_id), links))


@router.get("/{job_id}/results", summary="The results of a job")
def read_results(job_id: str, connection: ConnectionOf, links: LinksOf) -> Response:
    """Return where the results are; 404 until they are ready, 409 when there will be none."""
    run = _find(connection, job_id)
    if run.status in ("accepted", "running"):
        raise ResultNotReadyError(f"job '{run.id}' is {run.status}: {run.progress:.0f} %", hint="ask again later")
    if run.status != "successful":
        reason = (run.error or {}).get("message") or run.message or "no results"
        raise ConflictError(f"job '{run.id}' is {run.status}: {reason}")
    results: dict[str, Any] = {}
    for row in list_rasters(connection, run_id=run.id):
        path = f"/tiles/raster/{row.id}"
        results[row.layer] = {"href": links.url(f"{path}.json"), "type": "application/json"}
        results[f"{row.layer}_tif"] = {"href": links.url(f"{path}.tif"), "type": "image/tiff; application=geotiff"}
    process = PROCESSES.get(run.process)
    for layer_id in process.outputs if process else ():
        if layer_id in VECTOR_LAYERS:
            href = links.url(f"/api/collections/{layer_id}/items", {"run_id": run.id})
            results[layer_id] = {"href": href, "type": GEOJSON}
    results["run"] = {"href": links.url(f"/api/runs/{quote(run.id)}"), "type": "application/json"}
    return answer_json(results)


def write_status(run: RunRow, links: Links) -> dict[str, Any]:
    """Return a run as the statusInfo of OGC API Processes."""
    path = f"/api/jobs/{quote(run.id)}"
    made: list[Link] = [links.link(path, "self"), links.link(f"/api/runs/{quote(run.id)}", "related", title="Run")]
    if run.status == "successful":
        made.append(links.link(f"{path}/results", f"{OGC}/results"))
    written: dict[str, Any] = {
        "jobID": run.id,
        "processID": run.process,
        "type": "process",
        "status": run.status,
        "progress": round(run.progress),
        "message": run.message,
        "created": write_moment(run.created),
        "updated": write_moment(run.updated),
        "links": made,
    }
    for name, moment in (("started", run.started), ("finished", run.finished)):
        if moment is not None:
            written[name] = write_moment(moment)
    return written


def _find(connection: ConnectionOf, job_id: str) -> RunRow:
    try:
        return read_run(connection, job_id)
    except NotFoundError:
        raise NoSuchJobError(f"job '{job_id[:80]}' does not exist", hint="/api/jobs lists them") from None

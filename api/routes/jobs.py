"""Jobs: how far each run is, its results, and the way to stop it."""

from collections.abc import Iterable
from typing import Annotated, Any, get_args

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from api.answers import answer_json, write_json
from api.cursors import parse_time_cursor, write_time_cursor
from api.dependencies import ConnectionOf, LinksOf, refuse_unknown
from api.links import OGC
from api.parameters import parse_interval
from layers.errors import ConflictError, NotFoundError
from twin.job_documents import write_results, write_status
from twin.registry import PROCESSES
from twin.store import RunRow, RunStatus, read_run, request_dismiss
from twin.store_callbacks import list_callbacks, read_request
from twin.store_jobs import JobQuery, select_jobs

EXCEPTIONS = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0"
STATUSES: tuple[str, ...] = get_args(RunStatus)
MAX_DURATION = 10_000_000

router = APIRouter(prefix="/api/jobs", tags=["jobs"], dependencies=[Depends(refuse_unknown)])


class NoSuchJobError(NotFoundError):
    """The job that was named does not exist."""

    code = f"{EXCEPTIONS}/no-such-job"


class ResultNotReadyError(NotFoundError):
    """The job has no results yet."""

    code = f"{EXCEPTIONS}/result-not-ready"


def _list_of(words: Iterable[str]) -> str:
    each = f"({'|'.join(words)})"
    return f"^{each}(,{each})*$"


Kind = Annotated[str | None, Query(alias="type", pattern="^process$", description="All jobs are of type process")]
OfProcess = Annotated[
    str | None,
    Query(alias="processID", pattern=_list_of(PROCESSES), max_length=1000, description="Only of these processes: a,b"),
]
OfStatus = Annotated[
    str | None, Query(pattern=_list_of(STATUSES), max_length=200, description="Only in these states: a,b")
]
Created = Annotated[
    str | None, Query(alias="datetime", max_length=100, description="When created: an instant, or start/end")
]
Least = Annotated[
    int | None, Query(alias="minDuration", ge=0, le=MAX_DURATION, description="Lasted, or last, so long [s]")
]
Most = Annotated[
    int | None, Query(alias="maxDuration", ge=0, le=MAX_DURATION, description="Lasted, or last, no longer [s]")
]


@router.get("", summary="Jobs, the newest first")
def list_jobs(
    request: Request,
    connection: ConnectionOf,
    links: LinksOf,
    _kind: Kind = None,
    process_id: OfProcess = None,
    status: OfStatus = None,
    when: Created = None,
    min_duration: Least = None,
    max_duration: Most = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Jobs a page")] = 50,
    cursor: Annotated[str | None, Query(max_length=400, description="From the link 'next'")] = None,
) -> Response:
    """List the jobs, page by page."""
    created = parse_interval(when) if when is not None else None
    query = JobQuery(
        processes=process_id.split(",") if process_id else (),
        statuses=status.split(",") if status else (),
        start=created.start if created else None,
        end=created.end if created else None,
        min_duration=min_duration,
        max_duration=max_duration,
    )
    after = parse_time_cursor(cursor, "cursor") if cursor is not None else None
    # One job more than the page tells whether there is a next one.
    runs = select_jobs(connection, query, after=after, limit=limit + 1)
    page = runs[:limit]
    asked = dict(request.query_params)
    made = [{"href": links.url("/api/jobs", asked), "rel": "self", "type": "application/json"}]
    if len(runs) > limit:
        following = {**asked, "cursor": write_time_cursor(page[-1].created, page[-1].id)}
        made.append({"href": links.url("/api/jobs", following), "rel": "next", "type": "application/json"})
    jobs = [write_status(run, links.base) for run in page]
    return answer_json({"jobs": jobs, "links": made}, headers={"cache-control": "no-cache"})


@router.get("/{job_id}", summary="The state of a job")
def read_job(job_id: str, connection: ConnectionOf, links: LinksOf) -> Response:
    """Return how far a job is, and what became of its callbacks."""
    run = _find(connection, job_id)
    status = write_status(run, links.base, list_callbacks(connection, run.id))
    return answer_json(status, headers={"cache-control": "no-cache"})


@router.delete("/{job_id}", summary="Dismiss a job")
def dismiss_job(job_id: str, connection: ConnectionOf, links: LinksOf) -> Response:
    """Stop a job that waits or runs; one that is over stays."""
    _find(connection, job_id)
    return answer_json(write_status(request_dismiss(connection, job_id), links.base))


@router.get("/{job_id}/results", summary="The results of a job")
def read_results(job_id: str, connection: ConnectionOf, links: LinksOf) -> Response:
    """Return the results as they were asked for; 404 until they are ready, 409 when there will be none."""
    run = _find(connection, job_id)
    if run.status in ("accepted", "running"):
        raise ResultNotReadyError(f"job '{run.id}' is {run.status}: {run.progress:.0f} %", hint="ask again later")
    if run.status != "successful":
        reason = (run.error or {}).get("message") or run.message or "no results"
        raise ConflictError(f"job '{run.id}' is {run.status}: {reason}")
    request = read_request(connection, run.id)
    results = write_results(connection, run, request, links.base)
    return _answer_raw(results) if request.response == "raw" else answer_json(results)


def _answer_raw(results: dict[str, Any]) -> Response:
    """Return the one value itself, or links to what is given by reference as headers, with no body."""
    value = next((each for each in results.values() if "value" in each), None)
    if value is not None:
        return Response(write_json(value["value"]), media_type=value["mediaType"])
    response = Response(status_code=204)
    for name, each in results.items():
        response.headers.append("link", f'<{each["href"]}>; rel="{OGC}/results"; type="{each["type"]}"; title="{name}"')
    return response


def _find(connection: ConnectionOf, job_id: str) -> RunRow:
    try:
        return read_run(connection, job_id)
    except NotFoundError:
        raise NoSuchJobError(f"job '{job_id[:80]}' does not exist", hint="/api/jobs lists them") from None

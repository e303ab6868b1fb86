"""Processes: what can be computed, what each wants to know, and the door where a run begins."""

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.answers import answer_json
from api.dependencies import LinksOf, ResourcesOf, refuse_unknown
from api.execution import read_execution
from api.immediate import ANONYMOUS, answer_execution
from api.links import OGC, Links
from api.principal import Principal, current_principal
from api.process_descriptions import describe_process_inputs, describe_process_outputs
from api.resources import Resources
from api.routes.jobs import EXCEPTIONS
from api.writing import MaybeWriterOf
from layers.errors import InputError, NotFoundError, OverloadedError, TooManyError, TwinError
from twin.job_documents import write_status
from twin.process import Process
from twin.queue import choose_priority, defer_run
from twin.registry import PROCESSES
from twin.runs import submit_run
from twin.settings import Settings
from twin.store import RunRow, fail_run, read_run
from twin.store_callbacks import CallbackRow, JobRequest, list_callbacks
from twin.store_queue import count_waiting, lock_queue

router = APIRouter(prefix="/api/processes", tags=["processes"], dependencies=[Depends(refuse_unknown)])


class NoSuchProcessError(NotFoundError):
    """The process that was named does not exist."""

    code = f"{EXCEPTIONS}/no-such-process"


@router.get("", summary="All processes")
def list_processes(
    links: LinksOf,
    limit: Annotated[int, Query(ge=1, le=10_000, description="Processes a page")] = 100,
    cursor: Annotated[str | None, Query(max_length=200, description="From the link 'next'")] = None,
) -> Response:
    """List the processes, page by page."""
    names = list(PROCESSES)
    if cursor is not None and cursor not in names:
        raise InputError(f"cursor '{cursor[:80]}' was not given by this list", hint="follow the link 'next'")
    begin = names.index(cursor) + 1 if cursor is not None else 0
    page = names[begin : begin + limit]
    asked = {"limit": str(limit), **({"cursor": cursor} if cursor is not None else {})}
    made = [{"href": links.url("/api/processes", asked), "rel": "self", "type": "application/json"}]
    if begin + limit < len(names):
        following = {"limit": str(limit), "cursor": page[-1]}
        made.append({"href": links.url("/api/processes", following), "rel": "next", "type": "application/json"})
    summaries = [_describe(PROCESSES[name], links) for name in page]
    return answer_json({"processes": summaries, "links": made})


@router.get("/{process_id}", summary="One process with its inputs and outputs")
def read_process(process_id: str, links: LinksOf) -> Response:
    """Describe a process."""
    process = _find_process(process_id)
    described = _describe(process, links)
    described["inputs"] = describe_process_inputs(process)
    described["outputs"] = describe_process_outputs(process)
    return answer_json(described)


@router.post("/{process_id}/execution", status_code=201, summary="Begin a run, or answer at once")
async def execute(
    process_id: str, request: Request, resources: ResourcesOf, links: LinksOf, writer: MaybeWriterOf
) -> Response:
    """Check the inputs, put a run into the queue and return its status; ``Location`` is the job.

    A process that offers ``sync-execute`` answers at once with its results unless a job is preferred.
    """
    process = _find_process(process_id)
    asked = await read_execution(request, process, links.base, resources.settings)
    principal = current_principal(request)
    if not asked.waits:
        principal.require("run")
    elif process.access != "public":
        principal.require("read-staff")
    if asked.waits:
        author = writer.author if writer else ANONYMOUS
        return await to_thread.run_sync(answer_execution, resources, process, asked.inputs, asked.asked, author)
    run, callbacks = await run_in_threadpool(_submit, resources, process, asked.inputs, asked.asked, principal)
    headers = {"location": links.url(f"/api/jobs/{run.id}")}
    if asked.prefers_job:
        headers["preference-applied"] = "respond-async"
    return answer_json(write_status(run, links.base, callbacks), status=201, headers=headers)


def _submit(
    resources: Resources, process: Process, inputs: dict[str, Any], asked: JobRequest, who: Principal
) -> tuple[RunRow, list[CallbackRow]]:
    with resources.engine.begin() as turn:
        # One after the other, so that two who ask at once are not both the last.
        lock_queue(turn)
        ahead = _check_room(turn, resources.settings, who)
        run_id = submit_run(resources.engine, process.id, inputs, asked=asked)
        try:
            defer_run(resources.engine, run_id, priority=choose_priority(ahead, quick=process.immediate))
        except TwinError as error:
            with resources.engine.begin() as connection:
                fail_run(connection, run_id, code=error.code, message=error.message)
            raise
    with resources.engine.connect() as connection:
        return read_run(connection, run_id), list_callbacks(connection, run_id)


def _check_room(turn: Connection, settings: Settings, who: Principal) -> int:
    """Return how many runs of who asks wait; TooManyError or OverloadedError where there is no room for another."""
    waiting, own = count_waiting(turn, who.subject)
    if waiting >= settings.waiting_runs:
        raise OverloadedError(f"{waiting} runs wait already", hint="try again later, or start a worker")
    # On its own machine an operator may fill the queue.
    if own >= settings.waiting_runs_of_one and who.via != "local":
        raise TooManyError(f"{own} runs of yours wait already", hint="wait for one, or dismiss one at /api/jobs")
    return own


def _find_process(process_id: str) -> Process:
    if process_id not in PROCESSES:
        raise NoSuchProcessError(f"process '{process_id[:80]}' does not exist", hint=f"one of {', '.join(PROCESSES)}")
    return PROCESSES[process_id]


def _describe(process: Process, links: Links) -> dict[str, Any]:
    path = f"/api/processes/{process.id}"
    return {
        "id": process.id,
        "version": "1.0.0",
        "title": process.title.en,
        "title_i18n": process.title._asdict(),
        "description": process.description.en,
        "description_i18n": process.description._asdict(),
        "jobControlOptions": [*(["sync-execute"] if process.immediate else []), "async-execute", "dismiss"],
        "outputTransmission": ["reference", "value"],
        "links": [
            links.link(path, "self"),
            {"href": links.url(f"{path}/execution"), "rel": f"{OGC}/execute", "type": "application/json"},
            {**links.link("/api/jobs", f"{OGC}/job-list"), "href": links.url("/api/jobs", {"processID": process.id})},
        ],
    }

"""Processes: what can be computed, what each wants to know, and the door where a run begins."""

from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.answers import answer_json
from api.bodies import read_json
from api.dependencies import LinksOf, ResourcesOf, refuse_unknown
from api.links import OGC, Links
from api.resources import Resources
from api.routes.jobs import EXCEPTIONS, write_status
from layers.errors import ConflictError, InputError, NotFoundError, TwinError
from layers.registry import LAYERS
from layers.schema import RasterLayer
from twin.process import Process, describe_inputs
from twin.queue import defer_run
from twin.registry import PROCESSES
from twin.runs import submit_run
from twin.store import RunRow, fail_run, list_runs, read_run

MAX_WAITING = 50
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"inputs": {"type": "object"}, "outputs": {"type": "object"}},
                }
            }
        },
    }
}

router = APIRouter(prefix="/api/processes", tags=["processes"], dependencies=[Depends(refuse_unknown)])


class NoSuchProcessError(NotFoundError):
    """The process that was named does not exist."""

    code = f"{EXCEPTIONS}/no-such-process"


@router.get("", summary="All processes")
def list_processes(links: LinksOf) -> Response:
    """List the processes."""
    summaries = [_describe(process, links) for process in PROCESSES.values()]
    return answer_json({"processes": summaries, "links": [links.link("/api/processes", "self")]})


@router.get("/{process_id}", summary="One process with its inputs and outputs")
def read_process(process_id: str, links: LinksOf) -> Response:
    """Describe a process."""
    process = _find_process(process_id)
    described = _describe(process, links)
    described["inputs"] = describe_inputs(process)
    described["outputs"] = {layer_id: _describe_output(layer_id) for layer_id in process.outputs}
    return answer_json(described)


@router.post("/{process_id}/execution", status_code=201, summary="Begin a run", openapi_extra=_BODY)
async def execute(process_id: str, request: Request, resources: ResourcesOf, links: LinksOf) -> Response:
    """Check the inputs, put a run into the queue and return its status; ``Location`` is the job."""
    process = _find_process(process_id)
    inputs = await _read_inputs(request)
    run = await run_in_threadpool(_submit, resources, process, inputs)
    headers = {"location": links.url(f"/api/jobs/{run.id}"), "preference-applied": "respond-async"}
    return answer_json(write_status(run, links), status=201, headers=headers)


def _submit(resources: Resources, process: Process, inputs: dict[str, Any]) -> RunRow:
    with resources.engine.connect() as connection:
        waiting = len(list_runs(connection, status="accepted", limit=MAX_WAITING))
    if waiting >= MAX_WAITING:
        raise ConflictError(f"{waiting} runs wait already", hint="dismiss one at /api/jobs, or start a worker")
    run_id = submit_run(resources.engine, process.id, inputs)
    try:
        defer_run(resources.engine, run_id)
    except TwinError as error:
        with resources.engine.begin() as connection:
            fail_run(connection, run_id, code=error.code, message=error.message)
        raise
    with resources.engine.connect() as connection:
        return read_run(connection, run_id)


async def _read_inputs(request: Request) -> dict[str, Any]:
    """Return the inputs of an execution request; InputError says what is wrong with it."""
    document = await read_json(request, ("application/json",), hint='{"inputs": {…}}')
    for name in document:
        if name not in ("inputs", "outputs", "response"):
            raise InputError(f"the body has an unknown member '{name[:80]}'", hint="inputs, outputs, response")
    if document.get("response", "document") != "document":
        raise InputError("response must be 'document'")
    inputs = document.get("inputs", {})
    if not isinstance(inputs, dict):
        raise InputError("inputs is not a JSON object")
    return inputs


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
        "jobControlOptions": ["async-execute", "dismiss"],
        "outputTransmission": ["reference", "value"],
        "links": [
            links.link(path, "self"),
            {"href": links.url(f"{path}/execution"), "rel": f"{OGC}/execute", "type": "application/json"},
        ],
    }


def _describe_output(layer_id: str) -> dict[str, Any]:
    layer = LAYERS[layer_id]
    media_type = "image/tiff; application=geotiff" if isinstance(layer, RasterLayer) else "application/geo+json"
    return {
        "title": layer.title.en,
        "title_i18n": layer.title._asdict(),
        "description": layer.description.en,
        "schema": {"type": "string", "format": "uri", "contentMediaType": media_type},
    }

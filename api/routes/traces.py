"""Traces that were asked: their figures, what they found as features and as a graph; named configurations."""

from dataclasses import replace
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from api.answers import GEOJSON, answer_json, write_moment
from api.dependencies import ConnectionOf, LinksOf, ResourcesOf, refuse_unknown
from api.hiding import hide_items
from api.immediate import ANONYMOUS, write_frame
from api.links import Links
from api.resources import Resources
from api.routes.queries import TitleBody
from api.trace_links import link_trace
from api.writing import WriterOf, require_staff
from layers.access import asking_as, who_asks
from layers.errors import ConflictError, NotFoundError
from layers.schema import Text
from twin.immediate import Answer, answer_now
from twin.process import parse_inputs
from twin.registry import PROCESSES, read_process
from twin.store_trace_configurations import (
    Configuration,
    delete_configuration,
    list_configurations,
    put_configuration,
    read_configuration,
)
from twin.store_traces import TraceRow, read_trace

router = APIRouter(prefix="/api/traces", tags=["traces"], dependencies=[Depends(refuse_unknown)])


class ConfigurationBody(BaseModel):
    """What of a configuration is written: the process and its inputs."""

    model_config = ConfigDict(extra="forbid")
    title: TitleBody
    process: str = Field(max_length=60)
    inputs: dict[str, Any] = Field(max_length=50)


@router.get("/configurations", summary="Named configurations of traces")
def list_kept(connection: ConnectionOf, links: LinksOf) -> Response:
    """List the configurations."""
    kept = [write_configuration(each, links) for each in list_configurations(connection)]
    made = [links.link("/api/traces/configurations", "self")]
    return answer_json({"configurations": kept, "links": made}, headers={"cache-control": "no-cache"})


@router.get("/configurations/{configuration_id}", summary="One configuration")
def read_kept(configuration_id: str, connection: ConnectionOf, links: LinksOf) -> Response:
    """Return a configuration."""
    return answer_json(write_configuration(read_configuration(connection, configuration_id), links))


@router.put("/configurations/{configuration_id}", summary="Keep inputs of a trace under a name")
def put_kept(
    configuration_id: str, body: ConfigurationBody, connection: ConnectionOf, links: LinksOf, writer: WriterOf
) -> Response:
    """Keep inputs in place of those of that name; they are checked first."""
    parse_inputs(read_process(body.process), body.inputs)
    title = Text(body.title.vi, body.title.en)
    kept = put_configuration(connection, configuration_id, body.process, title, body.inputs, author=writer.author)
    return answer_json(write_configuration(kept, links))


@router.delete("/configurations/{configuration_id}", summary="Forget a configuration", status_code=204)
def delete_kept(configuration_id: str, connection: ConnectionOf, writer: WriterOf) -> Response:
    """Forget a configuration."""
    delete_configuration(connection, configuration_id)
    return Response(status_code=204)


@router.get("/{trace_id}", summary="A trace that was asked", dependencies=[Depends(require_staff)])
def read_kept_trace(trace_id: str, connection: ConnectionOf, links: LinksOf) -> Response:
    """Return what was asked of which version of the network, what it adds up to, and links to what it found."""
    row = read_trace(connection, trace_id)
    return answer_json(write_trace(row, links), headers={"cache-control": "no-cache"})


@router.get("/{trace_id}/{output}", summary="What a trace found, as features", dependencies=[Depends(require_staff)])
async def read_features(trace_id: str, output: str, resources: ResourcesOf) -> Response:
    """Return the features of one output of the trace; 409 where the network has changed since."""
    return await to_thread.run_sync(_answer_features, resources, trace_id, output)


def _answer_features(resources: Resources, trace_id: str, output: str) -> Response:
    with resources.engine.connect() as connection:
        row = read_trace(connection, trace_id)
    process = PROCESSES.get(row.process)
    if process is None or output not in process.outputs:
        known = ", ".join(process.outputs) if process else "none"
        raise NotFoundError(f"trace '{row.id}' has no output '{output[:80]}'", hint=f"one of {known}")
    # Networks are read whole; what is hidden from who asks is taken out of the answer.
    with asking_as(replace(who_asks(), whole=True)):
        answer = _ask_again(resources, row, output)
    return answer_json(
        write_frame(output, hide_items(resources.engine, answer.outputs.features)[output]), media_type=GEOJSON
    )


def write_trace(row: TraceRow, links: Links) -> dict[str, Any]:
    """Return a kept trace as it is answered."""
    outputs = PROCESSES[row.process].outputs if row.process in PROCESSES else ()
    path = f"/api/traces/{row.id}"
    return {
        "id": row.id,
        "process": row.process,
        "commodity": row.commodity,
        "stamp": row.stamp,
        "created": write_moment(row.created),
        "inputs": row.request,
        "figures": row.figures,
        "members": row.members,
        "links": [
            *link_trace(row.id, row.members, links.base),
            *(links.link(f"{path}/{name}", "related", GEOJSON, name) for name in outputs),
        ],
    }


def write_configuration(kept: Configuration, links: Links) -> dict[str, Any]:
    """Return a configuration as it is answered."""
    return {
        "id": kept.id,
        "process": kept.process,
        "title": kept.title._asdict(),
        "inputs": dict(kept.inputs),
        "author": kept.author,
        "created": write_moment(kept.created),
        "changed": write_moment(kept.changed),
        "links": [
            links.link(f"/api/traces/configurations/{kept.id}", "self"),
            links.link(f"/api/processes/{kept.process}", "related"),
        ],
    }


def _ask_again(resources: Resources, row: TraceRow, *wanted: str) -> Answer:
    """Return the answer to the request of a kept trace; ConflictError where it would be another now."""
    answer = answer_now(
        resources.engine,
        resources.settings,
        PROCESSES[row.process],
        row.request,
        author=ANONYMOUS,
        choose=lambda outputs: wanted,
    )
    if answer.outputs.trace is None or answer.outputs.trace.id != row.id:
        raise ConflictError(f"the network has changed since trace '{row.id}' was asked", hint="ask the trace again")
    return answer

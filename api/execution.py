"""Execution requests of OGC API Processes: what a client may ask for, checked before anything is entered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from api.bodies import read_json
from layers.errors import InputError
from layers.registry import RASTER_LAYERS
from twin.callbacks import check_callback
from twin.job_documents import GEOJSON, GEOTIFF, JSON, RECORD, SUMMARY
from twin.process import Process, describe_inputs
from twin.settings import Settings
from twin.store_callbacks import KINDS, CallbackKind, JobRequest

MEMBERS = ("inputs", "outputs", "response", "mode", "subscriber")
_QUALIFIED = {"value", "mediaType", "encoding", "schema"}


@dataclass(frozen=True, slots=True)
class Execution:
    """What a client asks: the inputs, what it wants back, whether it ``waits`` for the answer, and whether a job was
    its stated preference.
    """

    inputs: dict[str, Any]
    asked: JobRequest
    waits: bool
    prefers_job: bool


async def read_execution(request: Request, process: Process, base: str, settings: Settings) -> Execution:
    """Return what was asked for; InputError names the member that is wrong.

    A process that is immediate is answered at once unless ``Prefer: respond-async`` or mode ``async`` says otherwise.
    """
    document = await read_json(request, (JSON,), hint='{"inputs": {…}}')
    for name in document:
        if name not in MEMBERS:
            raise InputError(f"the body has an unknown member '{name[:80]}'", hint=", ".join(MEMBERS))
    wishes = {wish.partition(";")[0].strip().lower() for wish in request.headers.get("prefer", "").split(",")}
    prefers_job = "respond-async" in wishes
    mode = document.get("mode", "auto")
    if mode not in (("async", "auto", "sync") if process.immediate else ("async", "auto")):
        hint = "sync, async or auto" if process.immediate else "runs are asynchronous: async or auto"
        raise InputError(f"mode '{str(mode)[:40]}' is not offered", hint=hint)
    waits = process.immediate and (mode == "sync" or (mode == "auto" and not prefers_job))
    response = document.get("response", "document")
    if response not in ("document", "raw"):
        raise InputError(f"response '{str(response)[:40]}' is not document or raw")
    outputs = _read_outputs(process, document.get("outputs", {}), waits=waits)
    mixed = len(outputs) != 1 if waits else _count_values(process, outputs) not in (0, len(outputs) or -1)
    if response == "raw" and mixed:
        hint = "name one output" if waits else "use 'document', or other outputs"
        raise InputError("response 'raw' cannot mix values and references", hint=hint)
    subscriber = _read_subscriber(document.get("subscriber", {}), settings)
    if subscriber and waits:
        raise InputError("an answer given at once calls nobody back", hint="Prefer: respond-async, or no subscriber")
    asked = JobRequest(base, outputs, response, subscriber)
    return Execution(_read_inputs(process, document.get("inputs", {})), asked, waits, prefers_job)


def describe_formats(output: str) -> tuple[str, ...]:
    """Return the media types an output may have, the usual one first."""
    if output in (SUMMARY, RECORD):
        return (JSON,)
    return (GEOTIFF, JSON) if output in RASTER_LAYERS else (GEOJSON,)


def _read_inputs(process: Process, inputs: object) -> dict[str, Any]:
    """Return the inputs as the process reads them: a qualified value is taken out of its wrapping."""
    if not isinstance(inputs, dict):
        raise InputError("inputs is not a JSON object")
    described = describe_inputs(process)
    for name, value in inputs.items():
        if isinstance(value, dict) and "href" in value and name in described:
            raise InputError(f"input '{name}' is a link, but inputs are given by value")
    return {name: _unwrap(value, described.get(name, {})) for name, value in inputs.items()}


def _unwrap(value: Any, described: Mapping[str, Any]) -> Any:
    qualified = isinstance(value, dict) and "value" in value and set(value) <= _QUALIFIED
    return value["value"] if qualified and described.get("schema", {}).get("type") != "object" else value


def _read_outputs(process: Process, outputs: object, *, waits: bool) -> dict[str, dict[str, str]]:
    """Return what is asked of each output; what is waited for can be given by value, all of it."""
    known = (*process.outputs, SUMMARY, RECORD)
    if not isinstance(outputs, dict):
        raise InputError("outputs is not a JSON object")
    read: dict[str, dict[str, str]] = {}
    for name, asked in outputs.items():
        if name not in known:
            raise InputError(f"process '{process.id}' has no output '{name[:80]}'", hint=", ".join(known))
        if not isinstance(asked, dict) or not set(asked) <= {"transmissionMode", "format"}:
            raise InputError(f"outputs.{name} is not an object of transmissionMode and format")
        offered = _list_modes(name, waits=waits)
        mode = asked.get("transmissionMode", offered[0])
        if mode not in offered:
            hint = " or ".join(offered)
            raise InputError(f"outputs.{name}: transmissionMode '{str(mode)[:40]}' is not offered", hint=hint)
        read[name] = {"transmissionMode": mode, "mediaType": _read_format(name, asked.get("format", {}))}
    return read


def _list_modes(name: str, *, waits: bool) -> tuple[str, ...]:
    """Return how an output can be transmitted, the usual way first."""
    if waits:
        return ("value",) if name in (SUMMARY, RECORD) else ("value", "reference")
    return ("value", "reference") if name == SUMMARY else ("reference",)


def _read_format(name: str, asked: object) -> str:
    offered = describe_formats(name)
    media_type = asked.get("mediaType", offered[0]) if isinstance(asked, dict) else None
    if media_type not in offered:
        raise InputError(f"outputs.{name}.format is not offered", hint=f"mediaType: {' or '.join(offered)}")
    return str(media_type)


def _count_values(process: Process, outputs: Mapping[str, Mapping[str, str]]) -> int:
    if not outputs:
        return 1 if process.outputs else 0
    return sum(each["transmissionMode"] == "value" for each in outputs.values())


def _read_subscriber(subscriber: object, settings: Settings) -> dict[CallbackKind, str]:
    if not isinstance(subscriber, dict):
        raise InputError("subscriber is not a JSON object", hint=", ".join(KINDS))
    unknown = next((name for name in subscriber if name not in KINDS), None)
    if unknown is not None:
        raise InputError(f"subscriber has an unknown member '{unknown[:80]}'", hint=", ".join(KINDS))
    if subscriber and "successUri" not in subscriber:
        raise InputError("subscriber has no successUri", hint="the standard requires it")
    return {kind: check_callback(subscriber[kind], kind, settings) for kind in KINDS if kind in subscriber}

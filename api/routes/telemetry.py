"""Telemetry over HTTP: webhooks of network servers and devices that send themselves; the account of what arrived."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from api.answers import answer_json, write_moment
from api.dependencies import ConnectionOf, ResourcesOf, refuse_unknown
from api.principal import current_principal
from api.writing import WriterOf, require_staff
from layers.errors import InputError
from twin.sensors.clocks import judge_clock
from twin.sensors.intake import store_messages
from twin.sensors.message import Message
from twin.store_telemetry import count_rejected, list_devices, list_ledger, list_rejected

router = APIRouter(prefix="/sensors", tags=["telemetry"], dependencies=[Depends(refuse_unknown)])
_TOPICS = {"sensorthings": "v1.1/Observations", "chirpstack": "chirpstack", "tts": "tts"}
_JSON = {"requestBody": {"required": False, "content": {"application/json": {"schema": {}}}}}


async def give_body(request: Request) -> bytes:
    """Return the body as it came; what it holds is judged by the intake, which keeps what it cannot read."""
    return await request.body()


@router.post("/telemetry/{format}", summary="Readings in one of the formats devices speak", openapi_extra=_JSON)
def take_telemetry(
    request: Request,
    kind: Annotated[Literal["sensorthings", "senml", "chirpstack", "tts", "json"], Path(alias="format")],
    body: Annotated[bytes, Depends(give_body)],
    connection: ConnectionOf,
    resources: ResourcesOf,
    writer: WriterOf,
    device: Annotated[
        str | None, Query(max_length=100, description="Who sends: of json always, of senml if declared")
    ] = None,
    event: Annotated[str | None, Query(description="Event of ChirpStack; all but up are passed over")] = None,
) -> Response:
    """Store readings; 200 is said once they are safe, with what became of them; 503 while the database is away.

    What cannot be read is kept with its reason, so the answer is 200 too: sending it again would change nothing.
    """
    if event not in (None, "up"):
        return answer_json({"received": 0})
    message = Message(_name_topic(kind, device), body, datetime.now(UTC), "http")
    receipt = store_messages(
        connection, [message], tolerance_s=resources.settings.clock_tolerance, author=writer.author,
        only=current_principal(request).streams,
    )  # fmt: skip
    refusals = [
        {"code": one.code, "reason": one.reason, "readings": one.readings} for one in receipt.refused.get(0, ())
    ]
    return answer_json({**receipt.as_dict(), "refusals": refusals})


@router.get(
    "/ledger",
    summary="What arrived, by device and hour, and what became of it",
    dependencies=[Depends(require_staff)],
)
def read_ledger(
    connection: ConnectionOf,
    device: Annotated[str | None, Query(max_length=200, description="Only of this device or thing")] = None,
    hours: Annotated[int, Query(ge=1, le=24 * 366, description="So many hours back")] = 24,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> Response:
    """Return counts that add up: received = stored + repeated + corrected + rejected; and clocks that are off."""
    since = datetime.now(UTC) - timedelta(hours=hours)
    rows = list_ledger(connection, device=device, since=since, limit=limit)
    return answer_json({"ledger": [_write_hour(row) for row in rows]}, headers={"cache-control": "no-cache"})


@router.get("/devices", summary="Declared devices and how what they send is read")
def read_devices(connection: ConnectionOf, _writer: WriterOf) -> Response:
    """List devices with format, mapping and thing, for who may write."""
    rows = [{**row, "changed": write_moment(row["changed"])} for row in list_devices(connection)]
    return answer_json({"devices": rows})


@router.get("/rejected", summary="Messages that were not taken, and why")
def read_rejected(
    connection: ConnectionOf,
    _writer: WriterOf,
    device: Annotated[str | None, Query(max_length=200)] = None,
    code: Annotated[str | None, Query(max_length=40)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """List open messages in the order they came, and how many of which device have which reason, for who may write."""
    rows = list_rejected(connection, device=device, code=code, limit=limit)
    return answer_json({"summary": count_rejected(connection), "rows": [row.as_dict() for row in rows]})


def _name_topic(kind: str, device: str | None) -> str:
    """Return the topic the same message would have over MQTT."""
    if kind in _TOPICS:
        return _TOPICS[kind]
    if kind == "json" and not device:
        raise InputError("a declared device names itself", hint="add ?device=NAME")
    if device is not None and ("/" in device or not device):
        raise InputError(f"'{device}' is no name of a device")
    return f"{kind}/{device}" if device else kind


def _write_hour(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "hour": write_moment(row["hour"]), "clock": judge_clock(row["lag_least"], row["lag_most"])}

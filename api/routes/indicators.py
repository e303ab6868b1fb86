"""The city's indicators: all at once, one with what is behind it, its past hours, and changes as they come."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal, get_args

from fastapi import APIRouter, Depends, Query, Request
from sse_starlette import EventSourceResponse
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.answers import answer_json, write_moment
from api.dependencies import ConnectionOf, ResourcesOf, refuse_unknown
from api.etags import is_known
from api.hiding import find_hidden
from api.indicators import (
    BEAT_S,
    make_token,
    measure,
    stream_indicators,
    write_csv,
    write_hours_csv,
    write_indicator,
    write_items,
)
from api.routes.sensors import END_WITHIN_S, SEND_WITHIN_S
from layers.errors import InputError
from twin.indicators.board import find_indicator, read_history
from twin.indicators.registry import INDICATORS
from twin.indicators.words import State

router = APIRouter(prefix="/indicators", tags=["indicators"], dependencies=[Depends(refuse_unknown)])
IdsText = Annotated[str | None, Query(description="Only these, separated by commas, in this order")]
Format = Annotated[Literal["json", "csv"], Query(description="Format")]
_CSV = "text/csv; charset=utf-8"


@router.get("", summary="The city's indicators")
async def list_all(
    request: Request,
    resources: ResourcesOf,
    ids: IdsText = None,
    theme: Annotated[str | None, Query(description="Only of this theme", max_length=48)] = None,
    state: Annotated[str | None, Query(description="good, watch, bad, unknown; separated by commas")] = None,
    f: Format = "json",
) -> Response:
    """Return value, state with its reason, limits, change within the hour and the last day by hour of each.

    The ETag changes when one of them says something else; If-None-Match saves the answer until then.
    """
    wanted, states = _read_ids(ids), _read_states(state)
    by_id = {each.indicator.id: each for each in await measure(resources)}
    told = [by_id[name] for name in wanted or by_id]
    written = [
        write_indicator(each)
        for each in told
        if (theme is None or each.indicator.theme == theme) and (not states or each.state in states)
    ]
    etag = f'"{make_token(written)}-{f}"'
    headers = {"etag": etag, "cache-control": "no-cache"}
    if is_known(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    if f == "csv":
        return Response(write_csv(written), headers=headers, media_type=_CSV)
    return answer_json({"timeStamp": write_moment(datetime.now(UTC)), "indicators": written}, headers=headers)


@router.get("/events", summary="Changes as they come: server-sent events", response_class=EventSourceResponse)
async def follow(request: Request, resources: ResourcesOf, ids: IdsText = None) -> EventSourceResponse:
    """Tell all indicators once, then those that change, and alarms when they do, at most every two seconds.

    Events: ``indicators`` with a list, ``alarm`` with its id, ``beat`` when nothing changed for a while. With the
    header Last-Event-ID the first list is left out where nothing changed since that event.
    """
    wanted = frozenset(_read_ids(ids))
    seen = (request.headers.get("last-event-id") or "")[:64] or None
    return EventSourceResponse(
        stream_indicators(resources, wanted, seen),
        ping=round(BEAT_S),
        send_timeout=SEND_WITHIN_S,
        shutdown_event=resources.live.ending,
        shutdown_grace_period=END_WITHIN_S,
    )


@router.get("/{indicator}", summary="One indicator with what is behind it")
async def read_one(indicator: str, resources: ResourcesOf) -> Response:
    """Return an indicator and the items that weigh most in it, at most fifty."""
    found = find_indicator(indicator)
    told = next(each for each in await measure(resources) if each.indicator.id == found.id)
    hidden = await run_in_threadpool(find_hidden, resources.engine)
    return answer_json(
        {**write_indicator(told), "items": write_items(told, hidden)}, headers={"cache-control": "no-cache"}
    )


@router.get("/{indicator}/history", summary="An indicator by the hour")
def read_hours(
    indicator: str,
    connection: ConnectionOf,
    hours: Annotated[int, Query(ge=1, le=744, description="So many hours back")] = 24,
    f: Format = "json",
) -> Response:
    """Return hourly figures where readings tell them; 404 for an indicator that is no figure of sensors."""
    found = find_indicator(indicator)
    now = datetime.now(UTC)
    read = read_history(connection, found, now - timedelta(hours=hours - 1), now)
    headers = {"cache-control": "no-cache"}
    if f == "csv":
        return Response(write_hours_csv(read), headers=headers, media_type=_CSV)
    return answer_json(
        {
            "id": found.id,
            "unit": found.unit,
            "times": [write_moment(at) for at, _ in read],
            "values": [None if value is None else round(value, 4) for _, value in read],
        },
        headers=headers,
    )


def _read_ids(words: str | None) -> tuple[str, ...]:
    """Return the ids asked for; InputError names one there is not."""
    asked = tuple(dict.fromkeys(words.split(","))) if words else ()
    for name in asked:
        if name not in INDICATORS:
            raise InputError(f"there is no indicator '{name[:80]}'", hint=f"one of {', '.join(INDICATORS)}")
    return asked


def _read_states(words: str | None) -> tuple[str, ...]:
    asked = tuple(words.split(",")) if words else ()
    for name in asked:
        if name not in get_args(State):
            raise InputError(f"state '{name[:40]}' is not known", hint=f"one of {', '.join(get_args(State))}")
    return asked

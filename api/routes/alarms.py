"""Alarms: what stands, what somebody does with it, how it came to be, how well the system serves."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar, get_args

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field, StrictBool
from starlette.responses import Response

from api.answers import GEOJSON, answer_json
from api.dependencies import ConnectionOf, refuse_unknown
from api.parameters import parse_bbox, parse_moment
from api.writing import MaybeWriterOf, Writer, WriterOf
from layers.errors import InputError
from twin.alarms.lifecycle import Action, ActionKind
from twin.alarms.rules import PRIORITIES, write_rule
from twin.alarms.state import VisibleState
from twin.alarms.words import PRIORITY_TITLES, STATE_TITLES, STEP_TITLES
from twin.store_alarm_incidents import Incident, list_incidents
from twin.store_alarm_rules import read_rule
from twin.store_alarm_statistics import compute_statistics
from twin.store_alarms import (
    STANDING,
    AlarmQuery,
    AlarmRow,
    EventRow,
    act_on_alarm,
    list_alarm_events,
    list_alarms,
    list_inputs,
    read_alarm,
    read_now,
)

router = APIRouter(prefix="/alarms", tags=["alarms"], dependencies=[Depends(refuse_unknown)])
AlarmId = Annotated[int, Path(ge=1, le=2**63 - 1)]
Reason = Annotated[str, Field(max_length=500, description="Why; without it the header Twin-Reason is taken")]
_FRESH = {"cache-control": "no-store"}
_LONGEST = timedelta(days=400)
_Word = TypeVar("_Word", bound=str)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")
    reason: Reason = ""


class ReasonBody(_Body):
    """Why it is done."""


class ShelveBody(_Body):
    """For how long the alarm is put aside; at most a day."""

    minutes: float = Field(gt=0, le=1440)


class CommentBody(BaseModel):
    """What is to be remembered."""

    model_config = ConfigDict(extra="forbid")
    text: str = Field(min_length=1, max_length=2000)


class SuppressBody(_Body):
    """``suppressed`` false lets the alarm speak again."""

    suppressed: StrictBool = True


class ServiceBody(_Body):
    """``in_service`` false takes the alarm out of service until it is true again."""

    in_service: StrictBool


@router.get("", summary="Alarms, by default those that stand")
def list_all(
    connection: ConnectionOf,
    writer: MaybeWriterOf,
    state: Annotated[str | None, Query(description="Only these, separated by commas; 'all' for every one")] = None,
    priority: Annotated[str | None, Query(description="critical, high, medium, low; separated by commas")] = None,
    event: Annotated[str | None, Query(description="What about, such as flood; separated by commas")] = None,
    kind: Annotated[str | None, Query(description="Kind of sensor, such as stage")] = None,
    rule: Annotated[str | None, Query(description="Only of this rule")] = None,
    ward: Annotated[str | None, Query(description="Only in the ward of this code")] = None,
    incident: Annotated[int | None, Query(ge=1, le=2**62, description="Only of this incident")] = None,
    bbox: Annotated[str | None, Query(description="west,south,east,north in CRS84")] = None,
    before: Annotated[int | None, Query(ge=1, le=2**62, description="Only numbers below it: the next page")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    f: Annotated[str, Query(description="json, or geojson for a map", pattern="^(json|geojson)$")] = "json",
) -> Response:
    """List alarms, the newest first, with counts by state and priority."""
    query = AlarmQuery(
        states=_parse_states(state),
        priorities=_parse_words(priority, "priority", PRIORITIES),
        events=event.split(",") if event else (),
        rule=rule,
        kind=kind,
        ward=ward,
        incident=incident,
        bounds=parse_bbox(bbox) if bbox is not None else None,
    )
    rows = list_alarms(connection, query, before=before, limit=limit)
    alarms = [write_alarm(row, named=writer is not None) for row in rows]
    if f == "geojson":
        features = [_write_feature(row, alarm) for row, alarm in zip(rows, alarms, strict=True)]
        collection = {"type": "FeatureCollection", "numberReturned": len(features), "features": features}
        return answer_json(collection, media_type=GEOJSON, headers=_FRESH)
    return answer_json({"numberReturned": len(alarms), "alarms": alarms}, headers=_FRESH)


@router.get("/incidents", summary="Alarms of one cause as one line")
def list_groups(
    connection: ConnectionOf,
    closed: Annotated[bool, Query(description="Also those of which nothing stands any more")] = False,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> Response:
    """List incidents, the newest first, each with how many alarms stand, the highest priority and level."""
    found = [write_incident(one) for one in list_incidents(connection, closed=closed, limit=limit)]
    return answer_json({"numberReturned": len(found), "incidents": found}, headers=_FRESH)


@router.get("/statistics", summary="How many alarms there are, and which")
def read_statistics(
    connection: ConnectionOf,
    start: Annotated[str | None, Query(description="From this moment; without it a day before the end")] = None,
    end: Annotated[str | None, Query(description="To this moment; without it now")] = None,
) -> Response:
    """Return the measures of ISA-18.2: alarms in 10 minutes, floods, standing and stale alarms, the most frequent."""
    until = parse_moment(end, "end") if end is not None else datetime.now(UTC)
    since = parse_moment(start, "start") if start is not None else until - timedelta(days=1)
    if not timedelta(0) < until - since <= _LONGEST:
        raise InputError(
            f"start {since.isoformat()} to end {until.isoformat()} is no span of up to {_LONGEST.days} days"
        )
    return answer_json(asdict(compute_statistics(connection, since, until)), headers=_FRESH)


@router.get("/{alarm_id}", summary="An alarm with its history")
def read_one(
    alarm_id: AlarmId,
    connection: ConnectionOf,
    writer: MaybeWriterOf,
    before: Annotated[int | None, Query(ge=1, le=2**62, description="Only steps below this number")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Return the alarm, its rule, its inputs and every step, the newest first; who and why for those who may write."""
    row = read_alarm(connection, alarm_id)
    named = writer is not None
    events = list_alarm_events(connection, alarm_id, before=before, limit=limit)
    return answer_json(
        {
            **write_alarm(row, named=named),
            "definition": write_rule(read_rule(connection, row.rule, row.rule_version).rule),
            "inputs": [asdict(one) for one in list_inputs(connection, alarm_id)],
            "events": [write_event(one, named=named) for one in events],
        },
        headers=_FRESH,
    )


@router.post("/{alarm_id}/acknowledge", summary="Acknowledge an alarm")
def acknowledge(
    alarm_id: AlarmId, connection: ConnectionOf, writer: WriterOf, body: ReasonBody = ReasonBody()
) -> Response:
    """Say that somebody saw it; 409 when there is nothing to acknowledge."""
    return _act(connection, alarm_id, "acknowledge", writer, body.reason)


@router.post("/{alarm_id}/shelve", summary="Put an alarm aside for some time")
def shelve(alarm_id: AlarmId, body: ShelveBody, connection: ConnectionOf, writer: WriterOf) -> Response:
    """Shelve it for ``minutes``, with a reason; then it comes back by itself."""
    return _act(connection, alarm_id, "shelve", writer, body.reason, minutes=body.minutes)


@router.post("/{alarm_id}/unshelve", summary="Take an alarm off the shelf")
def unshelve(
    alarm_id: AlarmId, connection: ConnectionOf, writer: WriterOf, body: ReasonBody = ReasonBody()
) -> Response:
    """Take it off the shelf before its time."""
    return _act(connection, alarm_id, "unshelve", writer, body.reason)


@router.post("/{alarm_id}/comment", summary="Write a comment on an alarm")
def comment(alarm_id: AlarmId, body: CommentBody, connection: ConnectionOf, writer: WriterOf) -> Response:
    """Put a remark into its history."""
    return _act(connection, alarm_id, "comment", writer, body.text)


@router.post("/{alarm_id}/suppress", summary="Suppress an alarm, or no longer")
def suppress(alarm_id: AlarmId, body: SuppressBody, connection: ConnectionOf, writer: WriterOf) -> Response:
    """Suppress it by hand, with a reason, until ``suppressed`` false is sent."""
    return _act(connection, alarm_id, "suppress" if body.suppressed else "unsuppress", writer, body.reason)


@router.post("/{alarm_id}/service", summary="Take an alarm out of service, or back")
def serve(alarm_id: AlarmId, body: ServiceBody, connection: ConnectionOf, writer: WriterOf) -> Response:
    """Take it out of service, with a reason, or return it."""
    return _act(connection, alarm_id, "return-to-service" if body.in_service else "out-of-service", writer, body.reason)


def write_alarm(row: AlarmRow, *, named: bool) -> dict[str, Any]:
    """Return an alarm as JSON; who acknowledged it only if ``named``."""
    return {
        "id": row.id,
        "rule": row.rule,
        "rule_version": row.rule_version,
        "title": {"vi": row.title_vi, "en": row.title_en},
        "event": row.event,
        "level": row.level,
        "priority": row.priority,
        "priority_title": PRIORITY_TITLES[row.priority]._asdict(),
        "state": row.state,
        "state_title": STATE_TITLES[row.state]._asdict(),
        "since": row.since,
        "active": row.active,
        "occurrence": row.occurrence,
        "raised": row.raised,
        "cleared": row.cleared,
        "value": row.value,
        "unit": row.unit,
        "acknowledged": row.acknowledged,
        "acknowledged_by": row.acknowledged_by if named else None,
        "shelved_until": row.shelved_until,
        "incident": row.incident,
        "datastream": row.datastream,
        "thing": row.thing,
        "thing_name": row.thing_name,
        "kind": row.thing_kind,
        "watched": {"layer": row.watched_layer, "id": row.watched_id} if row.watched_id else None,
        "ward": {"code": row.ward_code, "name": row.ward_name} if row.ward_code else None,
        "position": None if row.longitude is None else [row.longitude, row.latitude],
    }


def write_event(one: EventRow, *, named: bool) -> dict[str, Any]:
    """Return a step of an alarm as JSON; who and why only if ``named`` or if the engine did it."""
    shown = named or one.author == "engine"
    return {
        "id": one.id,
        "kind": one.kind,
        "title": STEP_TITLES[one.kind]._asdict(),
        "at": one.at,
        "known": one.known,
        "recorded": one.recorded,
        "author": one.author if shown else None,
        "reason": one.reason if shown else None,
        "from": one.state_before,
        "to": one.state_after,
        "occurrence": one.occurrence,
        "announced": one.announced,
        "value": one.value,
        "rule_version": one.rule_version,
        "details": one.details,
    }


def write_incident(one: Incident) -> dict[str, Any]:
    """Return an incident as JSON, with the title of its most urgent alarm."""
    written = asdict(one)
    title = {"vi": written.pop("title_vi"), "en": written.pop("title_en")}
    layer, feature = written.pop("layer"), written.pop("feature")
    return {**written, "title": title, "about": {"layer": layer, "id": feature} if feature else None}


def _act(
    connection: ConnectionOf, alarm_id: int, kind: ActionKind, writer: Writer, reason: str, minutes: float | None = None
) -> Response:
    now = read_now()
    until = None if minutes is None else now + minutes * 60.0
    row = act_on_alarm(connection, alarm_id, Action(kind, now, writer.author, reason or writer.reason, until))
    return answer_json(write_alarm(row, named=True), headers=_FRESH)


def _write_feature(row: AlarmRow, alarm: dict[str, Any]) -> dict[str, Any]:
    position = alarm.pop("position")
    geometry = None if position is None else {"type": "Point", "coordinates": position}
    return {"type": "Feature", "id": row.id, "geometry": geometry, "properties": alarm}


def _parse_states(words: str | None) -> tuple[VisibleState, ...]:
    if words is None:
        return STANDING
    if words == "all":
        return ()
    known: tuple[VisibleState, ...] = get_args(VisibleState)
    return _parse_words(words, "state", known)


def _parse_words(words: str | None, name: str, known: tuple[_Word, ...]) -> tuple[_Word, ...]:
    by_name = {str(one): one for one in known}
    asked = words.split(",") if words else []
    for word in asked:
        if word not in by_name:
            raise InputError(f"{name} '{word[:40]}' is not known", hint=f"one of {', '.join(known)}")
    return tuple(by_name[word] for word in asked)

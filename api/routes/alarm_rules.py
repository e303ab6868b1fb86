"""Alarm rules over HTTP: read, written in versions, ended; nothing is lost."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from api.answers import answer_json
from api.bodies import read_json
from api.dependencies import ConnectionOf, LinksOf, refuse_unknown
from api.links import Links
from api.parameters import parse_moment
from api.writing import MaybeWriterOf, WriterOf
from layers.errors import ConflictError, InputError
from twin.alarms.rules import parse_rule, write_rule
from twin.store_alarm_rules import (
    RuleVersion,
    end_rule,
    list_rule_versions,
    list_rules,
    put_rule,
    rule_exists,
)

router = APIRouter(prefix="/alarm-rules", tags=["alarms"], dependencies=[Depends(refuse_unknown)])
RuleId = Annotated[str, Path(max_length=120)]
_FRESH = {"cache-control": "no-store"}
_HINT = "the rule as GET gives it under 'rule', with valid_from and valid_to beside it if need be"


async def read_body(request: Request) -> dict[str, Any]:
    """Return the rule that was sent."""
    return await read_json(request, ("application/json",), hint=_HINT)


BodyOf = Annotated[dict[str, Any], Depends(read_body)]


@router.get("", summary="The alarm rules in force")
def list_all(
    connection: ConnectionOf,
    writer: MaybeWriterOf,
    at: Annotated[str | None, Query(description="In force at this moment; without it now")] = None,
) -> Response:
    """List the rules in force now, or at a moment, by id."""
    moment = parse_moment(at, "at") if at is not None else None
    rules = [write_version(one, named=writer is not None) for one in list_rules(connection, moment)]
    return answer_json({"numberReturned": len(rules), "rules": rules}, headers=_FRESH)


@router.post("", status_code=201, summary="Write a new alarm rule")
def create(body: BodyOf, connection: ConnectionOf, links: LinksOf, writer: WriterOf) -> Response:
    """Write it; 409 when there was ever one of its id."""
    rule_id = str(body.get("id", ""))
    if rule_exists(connection, rule_id):
        raise ConflictError(f"there is a rule '{rule_id[:120]}'", hint=f"PUT /alarm-rules/{rule_id[:120]} changes it")
    return _put(body, connection, links, writer.author, writer.reason, status=201)


@router.get("/{rule_id}", summary="An alarm rule in all its versions")
def read_one(rule_id: RuleId, connection: ConnectionOf, writer: MaybeWriterOf) -> Response:
    """Return all versions, the newest first."""
    versions = list_rule_versions(connection, rule_id)
    return answer_json({"versions": [write_version(one, named=writer is not None) for one in versions]}, headers=_FRESH)


@router.put("/{rule_id}", summary="Change an alarm rule")
def change(rule_id: RuleId, body: BodyOf, connection: ConnectionOf, links: LinksOf, writer: WriterOf) -> Response:
    """Write its next version; alarms go on under it. What was there before stays on record."""
    if body.setdefault("id", rule_id) != rule_id:
        raise InputError(f"the body is rule '{str(body['id'])[:120]}', the address says '{rule_id}'")
    return _put(body, connection, links, writer.author, writer.reason)


@router.delete("/{rule_id}", summary="End an alarm rule")
def end_one(rule_id: RuleId, connection: ConnectionOf, writer: WriterOf) -> Response:
    """Let it be in force no longer; its alarms end and stay on record."""
    ended = end_rule(connection, rule_id, author=writer.author, reason=writer.reason)
    return answer_json(write_version(ended, named=True), headers=_FRESH)


def write_version(one: RuleVersion, *, named: bool) -> dict[str, Any]:
    """Return a version of a rule as JSON; who and why only if ``named``."""
    return {
        "id": one.rule.id,
        "version": one.version,
        "origin": one.origin,
        "valid_from": one.valid_from,
        "valid_to": one.valid_to,
        "recorded": one.recorded,
        "author": one.author if named else None,
        "reason": one.reason if named else None,
        "ended_by": one.ended_by if named else None,
        "end_reason": one.end_reason if named else None,
        "rule": write_rule(one.rule),
    }


def _put(
    body: dict[str, Any], connection: ConnectionOf, links: Links, author: str, reason: str, *, status: int = 200
) -> Response:
    start, end = (_read_moment(body.pop(name, None), name) for name in ("valid_from", "valid_to"))
    written = put_rule(
        connection, parse_rule(body), origin="hand", author=author, reason=reason, valid_from=start, valid_to=end
    )
    headers = {**_FRESH, "location": links.url(f"/alarm-rules/{written.rule.id}")} if status == 201 else _FRESH
    return answer_json(write_version(written, named=True), status=status, headers=headers)


def _read_moment(value: Any, name: str) -> datetime | None:
    if value is not None and not isinstance(value, str):
        raise InputError(f"{name} is not a date-time", hint="write 2026-11-22T10:00:00Z")
    return None if value is None else parse_moment(value, name)

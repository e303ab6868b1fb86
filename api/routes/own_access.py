"""The own sessions and the own keys."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import Connection
from starlette.responses import Response

from api.answers import write_moment
from api.dependencies import ResourcesOf, refuse_unknown
from api.identity.asking import SessionOfAsking, answer_nothing, answer_private, begin_as_twin, name_author
from api.principal import Principal, current_principal
from layers.errors import ForbiddenError, NotFoundError, UnauthorizedError
from twin.accounts.keys import add_device_key, add_key, take_key
from twin.accounts.recording import record
from twin.accounts.rules import check_within
from twin.store_keys import list_keys
from twin.store_sessions import end_sessions, list_sessions

router = APIRouter(prefix="/auth", tags=["accounts"], dependencies=[Depends(refuse_unknown)])
Words = Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f]*$")]


class NewKey(BaseModel):
    """What a new key is for and may do; a device, thing or gateway has no roles."""

    model_config = ConfigDict(extra="forbid")
    title: Words
    roles: list[Words] = Field(default=[], max_length=20)
    wards: list[Words] = Field(default=[], max_length=200)
    scopes: list[Words] = Field(default=[], max_length=20)
    until: AwareDatetime | None = None
    device: Words | None = None
    thing: Words | None = None
    gateway: bool = False


def give_key_owner(request: Request) -> Principal:
    """Return who keeps keys: a person who signed in, or an administrator; a key makes no keys."""
    principal = current_principal(request)
    if principal.names_others or (principal.via == "session" and principal.may("read-staff")):
        return principal
    if not principal.is_known:
        raise principal.refusal or UnauthorizedError("sign in first", hint="POST /auth/sign-in")
    raise ForbiddenError("keys are kept by people who signed in")


KeyOwner = Annotated[Principal, Depends(give_key_owner)]


@router.get("/sessions", summary="The own sessions")
def read_sessions(resources: ResourcesOf, found: SessionOfAsking) -> Response:
    """List where the account is signed in."""
    with begin_as_twin(resources) as connection:
        rows = list_sessions(connection, found.account)
    told = [
        {
            "id": one.id, "address": one.address, "agent": one.agent, "created": write_moment(one.created),
            "seen": write_moment(one.seen), "until": write_moment(one.until), "current": one.id == found.id,
        }
        for one in rows
    ]  # fmt: skip
    return answer_private({"sessions": told})


@router.delete("/sessions", status_code=204, summary="End the other sessions")
def end_others(request: Request, resources: ResourcesOf, found: SessionOfAsking) -> Response:
    """End all own sessions but this one."""
    with begin_as_twin(resources) as connection:
        ended = end_sessions(connection, found.account, but=found.id)
        record(connection, name_author(request).tell("sign-out", found.account, sessions=ended))
    return answer_nothing()


@router.delete("/sessions/{id}", status_code=204, summary="End one of the own sessions")
def end_one(
    request: Request,
    resources: ResourcesOf,
    found: SessionOfAsking,
    name: Annotated[str, Path(alias="id", max_length=40)],
) -> Response:
    """End a session of the account."""
    with begin_as_twin(resources) as connection:
        if end_sessions(connection, found.account, one=name) == 0:
            raise NotFoundError(f"session '{name}' does not exist")
        record(connection, name_author(request).tell("sign-out", found.account, sessions=1))
    return answer_nothing()


@router.get("/keys", summary="The own keys, an administrator's: all")
def read_keys(resources: ResourcesOf, principal: KeyOwner) -> Response:
    """List keys without their secrets."""
    with begin_as_twin(resources) as connection:
        rows = list_keys(connection, owner=_name_owner(principal))
    return answer_private({"keys": [key.describe() for key in rows]})


@router.post("/keys", status_code=201, summary="Make a key")
def make_key(request: Request, resources: ResourcesOf, principal: KeyOwner, sent: NewKey) -> Response:
    """Return a new key, shown this once. It may do no more than who makes it, and ends with the account."""
    with begin_as_twin(resources) as connection:
        made = _make(connection, request, principal, sent)
    return answer_private({"id": made[0], "key": made[1]}, status=201)


@router.delete("/keys/{id}", status_code=204, summary="Revoke a key")
def revoke(
    request: Request, resources: ResourcesOf, principal: KeyOwner, name: Annotated[str, Path(alias="id", max_length=40)]
) -> Response:
    """Let a key count no longer, at once."""
    with begin_as_twin(resources) as connection:
        take_key(connection, name_author(request), name, owner=_name_owner(principal))
    return answer_nothing()


def _make(connection: Connection, request: Request, principal: Principal, sent: NewKey) -> tuple[str, str]:
    author, until = name_author(request), sent.until
    if sent.device or sent.thing or sent.gateway:
        principal.require("administer")
        return add_device_key(
            connection, author, sent.title, device=sent.device, thing=sent.thing, gateway=sent.gateway, until=until
        )
    # An administrator makes keys of machines, which stay when he goes.
    of_machine = principal.may("administer") and not set(sent.roles) <= principal.roles
    if not of_machine:
        check_within(sent.roles, sent.wards, own=principal.roles, within=principal.wards)
    owner = principal.subject.removeprefix("account:") if principal.via == "session" and not of_machine else None
    return add_key(
        connection, author, sent.title, roles=sent.roles, wards=sent.wards, scopes=sent.scopes, until=until, owner=owner
    )


def _name_owner(principal: Principal) -> str | None:
    return None if principal.may("administer") else principal.subject.removeprefix("account:")

"""Signing in and out, who one is, the own password and second factor."""

from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.dependencies import ResourcesOf, refuse_unknown
from api.identity.asking import (
    SessionOfAsking,
    answer_nothing,
    answer_private,
    begin_as_twin,
    find_address,
    name_author,
)
from api.identity.cookies import clear_cookie, find_foreign, read_cookie, require_private_way, write_cookie
from api.identity.known import asks_code
from api.identity.oidc import write_end_address
from api.identity.remembered import SessionOf
from api.principal import current_principal
from api.resources import Resources
from layers.errors import SetupError, UnauthorizedError
from layers.store.migrate import read_city
from twin.accounts.codes import write_link
from twin.accounts.keeping import set_password
from twin.accounts.recording import record
from twin.accounts.sign_in import Given, Opened, begin_code, confirm_code, needs_code, open_session, prove
from twin.accounts.tokens import digest
from twin.roles import ROLES, list_actions
from twin.store_sessions import end_session, end_sessions

MOST_WAITING = 20
router = APIRouter(prefix="/auth", tags=["accounts"], dependencies=[Depends(refuse_unknown)])


class Credentials(BaseModel):
    """Name, password and, where there is a second factor, a code of it or a recovery code."""

    model_config = ConfigDict(extra="forbid")
    name: str
    password: str
    code: str = ""


class PasswordChange(BaseModel):
    """The present password and the new one."""

    model_config = ConfigDict(extra="forbid")
    old: str
    new: str


class Code(BaseModel):
    """A one-time code."""

    model_config = ConfigDict(extra="forbid")
    code: str = Field(max_length=20)


@router.post("/sign-in", summary="Sign in with name, password and code")
async def sign_in(request: Request, resources: ResourcesOf, sent: Credentials) -> Response:
    """Begin a session: its token is in the cookie of the answer. A session the browser had ends."""
    settings = resources.settings
    require_private_way(request, settings)
    foreign = find_foreign(request, settings)
    if foreign is not None:
        raise foreign
    given = Given(sent.name.strip().lower(), sent.password, sent.code, find_address(request), _name_agent(request))
    opened = await _judge(resources, given, read_cookie(request, settings))
    await resources.identities.refresh()
    found = await resources.identities.find_session(opened.token)
    answer = answer_private({} if found is None else _describe(found, resources))
    write_cookie(answer, request, settings, opened.token, int(settings.session_hours * 3600))
    return answer


@router.post("/sign-out", summary="Sign out")
async def sign_out(
    request: Request,
    resources: ResourcesOf,
    found: SessionOfAsking,
    everywhere: Annotated[bool, Query(description="End all sessions of the account")] = False,
) -> Response:
    """End the session; ``next`` is where the provider ends its own, if one signed in elsewhere."""
    token = read_cookie(request, resources.settings) or ""

    def end() -> None:
        with begin_as_twin(resources) as connection:
            if everywhere:
                end_sessions(connection, found.account)
            else:
                end_session(connection, digest(token))
            record(connection, name_author(request).tell("sign-out", found.account, everywhere=everywhere))

    await run_in_threadpool(end)
    resources.identities.forget()
    answer = answer_private({"next": await write_end_address(request, resources, found.id_token)})
    clear_cookie(answer, request, resources.settings)
    return answer


@router.get("/me", summary="Who one is, and what one may do")
async def read_me(request: Request, resources: ResourcesOf) -> Response:
    """Return subject, roles, wards and actions; ``needs`` says what is missing, ``signIn`` how one can sign in."""
    principal = current_principal(request)
    token = read_cookie(request, resources.settings)
    found = None if token is None or principal.via == "key" else await resources.identities.find_session(token)
    if found is not None:
        return answer_private(_describe(found, resources))
    has_accounts = await resources.identities.has_accounts()
    told = _tell(principal.subject, principal.name, principal.via, principal.roles, principal.wards, resources)
    if principal.scopes is not None:
        told["actions"] = sorted(set(told["actions"]) & principal.scopes)
    return answer_private({**told, "signIn": {**told["signIn"], "password": has_accounts}})


@router.post("/password", status_code=204, summary="Change the own password")
async def change_password(
    request: Request, resources: ResourcesOf, found: SessionOfAsking, sent: PasswordChange
) -> Response:
    """Give the own account a new password; its other sessions end."""
    if found.via != "password":
        raise UnauthorizedError("your password is changed where you sign in")

    def change() -> None:
        # Also here a stolen session must not try out passwords without end.
        given = Given(found.account, sent.old, "", find_address(request), "")
        prove(lambda: begin_as_twin(resources), given, with_code=False)
        with begin_as_twin(resources) as connection:
            set_password(connection, name_author(request), found.account, sent.new, keep=found.id)

    await to_thread.run_sync(change, limiter=resources.identities.proving)
    resources.identities.forget()
    return answer_nothing()


@router.post("/code", summary="Begin a second factor")
async def begin_second_factor(resources: ResourcesOf, found: SessionOfAsking) -> Response:
    """Return a new shared secret and the address applications for one-time codes read; a code must confirm it."""

    def begin() -> dict[str, str]:
        with begin_as_twin(resources) as connection:
            secret = begin_code(connection, found.account)
            title: Any = read_city(connection).declaration.get("title") or {}
        return {"secret": secret, "link": write_link(secret, found.account, str(title.get("vi") or ""))}

    return answer_private(await run_in_threadpool(begin))


@router.post("/code/confirm", summary="Confirm a second factor")
async def confirm_second_factor(
    request: Request, resources: ResourcesOf, found: SessionOfAsking, sent: Code
) -> Response:
    """Let it count from now on, and return recovery codes, shown this once. The session begins anew."""
    settings, before = resources.settings, read_cookie(request, resources.settings)

    def confirm() -> tuple[list[str], Opened]:
        with begin_as_twin(resources) as connection:
            author = name_author(request)
            codes = confirm_code(connection, author, found.account, sent.code)
            opened = open_session(
                connection, found.account, via=found.via, address=find_address(request), agent=_name_agent(request),
                hours=settings.session_hours, before=before,
            )  # fmt: skip
            return codes, opened

    codes, opened = await run_in_threadpool(confirm)
    resources.identities.forget()
    answer = answer_private({"recovery": codes})
    write_cookie(answer, request, settings, opened.token, int(settings.session_hours * 3600))
    return answer


async def _judge(resources: Resources, given: Given, before: str | None) -> Opened:
    limiter = resources.identities.proving
    if limiter.statistics().tasks_waiting >= MOST_WAITING:
        raise SetupError("too many sign in just now", hint="try again in a moment")
    hours = resources.settings.session_hours

    def judge() -> Opened:
        account = prove(lambda: begin_as_twin(resources), given)
        with begin_as_twin(resources) as connection:
            return open_session(
                connection, account.id, via="password", address=given.address, agent=given.agent, hours=hours,
                before=before,
            )  # fmt: skip

    return await to_thread.run_sync(judge, limiter=limiter)


def _describe(found: SessionOf, resources: Resources) -> dict[str, Any]:
    """Return whose session it is; without a second factor that is needed it may do nothing yet."""
    required = found.via == "password" and asks_code(resources.settings)
    missing = not found.has_code and needs_code(found.roles, required=required)
    told = _tell(f"account:{found.account}", found.title, "session", found.roles, found.wards, resources)
    more = {"account": found.account, "signedInBy": found.via, "code": found.has_code}
    if missing:
        return {**told, **more, "actions": sorted(list_actions(frozenset({"public"}))), "needs": ["code"]}
    return {**told, **more}


def _tell(
    subject: str, name: str, via: str, roles: frozenset[str], wards: tuple[str, ...], resources: Resources
) -> dict[str, Any]:
    settings = resources.settings
    titles = [{"id": role, "title": {"vi": ROLES[role].title.vi, "en": ROLES[role].title.en}} for role in sorted(roles)]
    return {
        "subject": subject, "name": name, "via": via, "roles": titles, "wards": list(wards),
        "actions": sorted(list_actions(roles)), "needs": [],
        "signIn": {"password": True, "openid": settings.oidc_title if settings.oidc_issuer else None},
    }  # fmt: skip


def _name_agent(request: Request) -> str:
    return request.headers.get("user-agent", "")[:200]

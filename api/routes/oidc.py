"""Signing in at an OpenID Connect provider."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import RedirectResponse, Response

from api.dependencies import ResourcesOf, refuse_unknown
from api.identity.asking import begin_as_twin, find_address
from api.identity.cookies import clear_cookie, read_cookie, require_private_way, write_cookie
from api.identity.oidc import give_provider, make_secrets, write_redirect
from layers.errors import InputError, UnauthorizedError
from twin.accounts.backing_off import FORGET_S
from twin.accounts.claims import map_claims
from twin.accounts.elsewhere import welcome
from twin.accounts.sign_in import Opened, open_session
from twin.accounts.tokens import digest
from twin.store_accounts import prune
from twin.store_sessions import Flow, insert_flow, take_flow

_FLOW_S = 600
router = APIRouter(prefix="/auth/oidc", tags=["accounts"])
Given = Annotated[str | None, Query(max_length=4000)]


@router.get(
    "/sign-in", summary="Sign in at the provider", status_code=303, dependencies=[Depends(refuse_unknown)],
    response_class=RedirectResponse,
)  # fmt: skip
async def begin(
    request: Request,
    resources: ResourcesOf,
    next_: Annotated[str, Query(alias="next", max_length=500, description="Page to come back to")] = "/",
) -> Response:
    """Send the browser to the provider."""
    if not next_.startswith("/") or next_.startswith(("//", "/\\")) or any(ord(letter) < 33 for letter in next_):
        raise InputError(f"next '{next_[:80]}' is no page of this server", hint="write it as /?…")
    settings = resources.settings
    require_private_way(request, settings)
    state, nonce, verifier, browser = make_secrets()
    address = await give_provider(request.app.state).write_begin(
        write_redirect(request), state=state, nonce=nonce, verifier=verifier
    )

    def remember() -> None:
        with begin_as_twin(resources) as connection:
            prune(connection, FORGET_S)
            insert_flow(connection, digest(state), digest(browser), Flow(nonce, verifier, next_))

    await run_in_threadpool(remember)
    answer = RedirectResponse(address, 303, headers={"cache-control": "no-store"})
    write_cookie(answer, request, settings, browser, _FLOW_S, "flow")
    return answer


@router.get("/callback", summary="Come back from the provider", status_code=303, response_class=RedirectResponse)
async def come_back(
    request: Request,
    resources: ResourcesOf,
    state: Given = None,
    code: Given = None,
    error: Given = None,
    iss: Given = None,
) -> Response:
    """Begin a session for who signed in, with the roles the provider's claims give."""
    settings, provider = resources.settings, give_provider(request.app.state)
    browser = read_cookie(request, settings, "flow")
    flow = None
    if state is not None and browser is not None:
        flow = await run_in_threadpool(_take, resources, state, browser)
    if flow is None:
        raise UnauthorizedError("this sign-in was not begun in this browser, or is over", hint="begin again")
    if error is not None or code is None:
        raise UnauthorizedError(f"the provider refused: {(error or 'no code')[:80]}")
    if iss is not None and iss.rstrip("/") != provider.issuer:
        raise UnauthorizedError("the answer is another provider's")
    claims, token = await provider.redeem(code, write_redirect(request), nonce=flow.nonce, verifier=flow.verifier)
    mapped = map_claims(claims, settings, provider.roles)

    def open_own() -> Opened:
        with begin_as_twin(resources) as connection:
            name = welcome(connection, provider.issuer, str(claims["sub"]), mapped, find_address(request))
            return open_session(
                connection, name, via="oidc", address=find_address(request),
                agent=request.headers.get("user-agent", ""), hours=settings.session_hours,
                before=read_cookie(request, settings), id_token=token,
            )  # fmt: skip

    opened = await run_in_threadpool(open_own)
    resources.identities.forget()
    answer = RedirectResponse(flow.next, 303, headers={"cache-control": "no-store"})
    clear_cookie(answer, request, settings, "flow")
    write_cookie(answer, request, settings, opened.token, int(settings.session_hours * 3600))
    return answer


def _take(resources: ResourcesOf, state: str, browser: str) -> Flow | None:
    with begin_as_twin(resources) as connection:
        return take_flow(connection, digest(state), digest(browser))

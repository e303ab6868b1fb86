"""A client of an OpenID Connect provider: authorization code with PKCE, state and nonce (RFC 6749, 7636, 9207).

What the provider says of itself is kept for an hour, its keys until a token is signed with one that is not known.
"""

import base64
import hashlib
import secrets
import time
from typing import Any
from urllib.parse import urlencode

import httpx
from fastapi import Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from starlette.datastructures import State

from api.identity.cookies import is_secure
from api.links import Links
from api.resources import Resources
from layers.errors import NotFoundError, SetupError, UnauthorizedError
from twin.accounts.claims import read_role_table
from twin.settings import Settings

CALLBACK = "/auth/oidc/callback"
# Signatures alone, by keys of the provider: neither "none" nor one made with the client's own secret.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]
_KEEP_S, _LEEWAY_S, _WITHIN_S = 3600.0, 60, 10.0
_LARGEST = 1_000_000


class Provider:
    """The provider of the settings; NotFoundError without one, SetupError where they do not fit together."""

    def __init__(self, settings: Settings) -> None:
        if settings.oidc_issuer is None:
            raise NotFoundError("nobody signs in elsewhere here", hint="TWIN_OIDC_ISSUER: docs/accounts.md")
        self.issuer, self._settings = settings.oidc_issuer.rstrip("/"), settings
        self.roles = read_role_table(settings)
        self._told: dict[str, Any] = {}
        self._told_at = -_KEEP_S
        self._keys = KeySet([])

    async def write_begin(self, redirect: str, *, state: str, nonce: str, verifier: str) -> str:
        """Return the address that asks somebody to sign in and comes back to ``redirect``."""
        told = await self.tell()
        proof = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code", "client_id": self._settings.oidc_client, "redirect_uri": redirect,
            "scope": self._settings.oidc_scopes, "state": state, "nonce": nonce, "code_challenge": proof,
            "code_challenge_method": "S256",
        }  # fmt: skip
        return f"{told['authorization_endpoint']}?{urlencode(query)}"

    async def redeem(self, code: str, redirect: str, *, nonce: str, verifier: str) -> tuple[dict[str, Any], str]:
        """Return the claims of who signed in, and the ID token; UnauthorizedError for what does not prove it."""
        told, secret = await self.tell(), self._settings.oidc_secret
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": redirect, "code_verifier": verifier,
            "client_id": self._settings.oidc_client,
        }  # fmt: skip
        auth = None
        if secret is not None:
            methods = told.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
            if "client_secret_basic" in methods:
                auth = (self._settings.oidc_client, secret.get_secret_value())
            else:
                form["client_secret"] = secret.get_secret_value()
        answer = await self._fetch("POST", told["token_endpoint"], data=form, auth=auth)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise UnauthorizedError("the provider gave no ID token")
        claims = await self._prove(token, nonce)
        if "userinfo_endpoint" in told and isinstance(answer.get("access_token"), str):
            bearer = {"authorization": f"Bearer {answer['access_token']}"}
            more = await self._fetch("GET", told["userinfo_endpoint"], headers=bearer)
            # Somebody else's claims are worth nothing (OpenID Connect Core, 5.3.2).
            if more.get("sub") == claims["sub"]:
                claims = {**more, **claims}
        return claims, token

    async def tell(self) -> dict[str, Any]:
        """Return what the provider says of itself; SetupError where it is away or says that it is another."""
        if time.monotonic() - self._told_at > _KEEP_S:
            told = await self._fetch("GET", f"{self.issuer}/.well-known/openid-configuration")
            if str(told.get("issuer", "")).rstrip("/") != self.issuer:
                raise SetupError(f"the provider at {self.issuer} says it is '{str(told.get('issuer'))[:200]}'")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                if not str(told.get(name, "")).startswith("https://" if self.issuer.startswith("https") else "http"):
                    raise SetupError(f"the provider at {self.issuer} has no usable {name}")
            self._told, self._told_at = told, time.monotonic()
        return self._told

    async def _prove(self, token: str, nonce: str) -> dict[str, Any]:
        told, client = await self.tell(), self._settings.oidc_client
        try:
            decoded = await self._decode(token)
            registry = jwt.JWTClaimsRegistry(
                leeway=_LEEWAY_S,
                iss={"essential": True, "value": told["issuer"]},
                aud={"essential": True, "value": client},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
                nonce={"essential": True, "value": nonce},
            )
            registry.validate(decoded.claims)
        except (JoseError, ValueError) as error:
            raise UnauthorizedError(f"the ID token does not count: {type(error).__name__}") from None
        claims: dict[str, Any] = decoded.claims
        audience = claims["aud"]
        if ((isinstance(audience, list) and len(audience) > 1) or "azp" in claims) and claims.get("azp") != client:
            raise UnauthorizedError("the ID token is for another client")
        return claims

    async def _decode(self, token: str) -> jwt.Token:
        """Check the signature; the keys are read again for one that is not known: a provider changes them."""
        try:
            return jwt.decode(token, self._keys, algorithms=_ALGORITHMS)
        except (JoseError, ValueError):
            told = await self.tell()
        self._keys = KeySet.import_key_set(await self._fetch("GET", told["jwks_uri"]))  # type: ignore[arg-type]
        return jwt.decode(token, self._keys, algorithms=_ALGORITHMS)

    async def _fetch(self, method: str, url: str, **given: Any) -> dict[str, Any]:
        """Return the JSON object of an answer; SetupError where there is none."""
        try:
            async with httpx.AsyncClient(timeout=_WITHIN_S, follow_redirects=False, trust_env=False) as client:
                answer = await client.request(method, url, **given)
            if len(answer.content) > _LARGEST:
                raise SetupError(f"{url} answered more than {_LARGEST} bytes")
            document = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise SetupError(f"the provider does not answer at {url}: {type(error).__name__}") from None
        if answer.status_code in (400, 401) and method == "POST":
            raise UnauthorizedError(f"the provider refused: {str(document.get('error'))[:80]}")
        if answer.status_code != 200 or not isinstance(document, dict):
            raise SetupError(f"{url} answered {answer.status_code}")
        return document


def give_provider(state: State) -> Provider:
    """Return the provider of the application that holds ``state``."""
    held: Provider | None = getattr(state, "provider", None)
    if held is None:
        held = state.provider = Provider(state.resources.settings)
    return held


def make_secrets() -> tuple[str, str, str, str]:
    """Return state, nonce, verifier and what binds them to one browser."""
    return secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48), secrets.token_urlsafe(32)


def write_redirect(request: Request) -> str:
    """Return the address the provider comes back to."""
    base = Links.of(request).base
    secure = is_secure(request, request.app.state.resources.settings)
    return f"{base.replace('http://', 'https://', 1) if secure else base}{CALLBACK}"


async def write_end_address(request: Request, resources: Resources, id_token: str | None) -> str | None:
    """Return where the provider ends its own session (RP-Initiated Logout), None where it need not or cannot."""
    if id_token is None or resources.settings.oidc_issuer is None:
        return None
    try:
        told = await give_provider(request.app.state).tell()
    except SetupError:
        return None
    if "end_session_endpoint" not in told:
        return None
    back = f"{write_redirect(request).removesuffix(CALLBACK)}/"
    query = {
        "id_token_hint": id_token, "post_logout_redirect_uri": back, "client_id": resources.settings.oidc_client,
    }  # fmt: skip
    return f"{told['end_session_endpoint']}?{urlencode(query)}"

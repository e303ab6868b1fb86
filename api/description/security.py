"""Ways to be known, as the description declares them."""

from typing import Any

from api.identity.cookies import SECURE


def list_schemes(issuer: str | None) -> dict[str, Any]:
    """Return the security schemes of OpenAPI by name; ``issuer`` is where people sign in elsewhere."""
    schemes: dict[str, Any] = {
        "session": {
            "type": "apiKey", "in": "cookie", "name": SECURE,
            "description": "The session of a browser, begun at /auth/sign-in. What changes something also carries the "
            "header Twin-Page and comes from a page of this server.",
        },
        "bearer": {
            "type": "http", "scheme": "bearer", "bearerFormat": "twin_<id>_<secret>",
            "description": "A key of a machine, a person or a device, or the server's own token.",
        },
        "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key", "description": "The same key."},
    }  # fmt: skip
    if issuer is not None:
        schemes["openid"] = {
            "type": "openIdConnect",
            "openIdConnectUrl": f"{issuer.rstrip('/')}/.well-known/openid-configuration",
            "description": "Sign in there in a browser, by /auth/oidc/sign-in; the answer is a session.",
        }
    return schemes

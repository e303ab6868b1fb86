"""Webhooks, signed after the Standard Webhooks specification, to public places only unless configured otherwise.

Redirects are not followed.
"""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime
from urllib.parse import urlsplit

import httpx

from layers.errors import AddressError
from layers.outbound import open_client

READ_S, TOTAL_S = 10.0, 20.0
_PREFIX = "whsec_"


class NotDeliveredError(Exception):
    """An attempt failed; the text names no address and no secret."""


def sign(secret: str, delivery_id: str, moment: datetime, body: bytes) -> dict[str, str]:
    """Return the headers that prove who sent ``body``, when, and as which delivery (HMAC-SHA256)."""
    seconds = str(int(moment.timestamp()))
    signed = b".".join((delivery_id.encode(), seconds.encode(), body))
    digest = hmac.new(_read_secret(secret), signed, hashlib.sha256).digest()
    return {
        "webhook-id": delivery_id,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def post(
    url: str, body: bytes, media_type: str, headers: dict[str, str], *, private: bool, plain: bool = False
) -> None:
    """Send ``body``; NotDeliveredError for a place it must not go to and for any answer but 2xx.

    ``private`` allows private addresses and plain http, ``plain`` the latter alone.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("https", "http") or not host:
        raise NotDeliveredError("the webhook is no http(s) address")
    if parts.scheme == "http" and not (private or plain):
        raise NotDeliveredError("the webhook is not https; plain http needs 'private: true'")
    try:
        with (
            open_client(total_s=TOTAL_S, read_s=READ_S, private_hosts=(host,) if private else ()) as client,
            client.stream("POST", url, content=body, headers={**headers, "content-type": media_type}) as answer,
        ):
            status = answer.status_code
    except AddressError:
        raise NotDeliveredError("the webhook leads to a private address, which needs 'private: true'") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise NotDeliveredError(f"no answer: {type(error).__name__}") from None
    if not 200 <= status < 300:
        raise NotDeliveredError(f"answered {status}")


def _read_secret(secret: str) -> bytes:
    """Return the key: base64 after ``whsec_``, else the letters themselves."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret[len(_PREFIX) :], validate=True)
    except binascii.Error:
        raise NotDeliveredError("the webhook's secret is not base64 after 'whsec_'") from None

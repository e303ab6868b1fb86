"""Webhooks, signed after the Standard Webhooks specification, to public places only unless configured otherwise.

A host is resolved once, its addresses are judged, and the connection goes to the address that was judged: a name that
answers differently a moment later leads nowhere else. Redirects are not followed.
"""

import base64
import binascii
import hashlib
import hmac
import ipaddress
import socket
from datetime import datetime
from urllib.parse import urlsplit

import httpx

CONNECT_S, READ_S = 5.0, 10.0
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
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise NotDeliveredError("the webhook has no valid port") from None
    address = find_address(host, port, private=private)
    target = httpx.URL(url).copy_with(host=address, port=port)
    name = f"[{host}]" if ":" in host else host
    sent = {**headers, "host": name if parts.port is None else f"{name}:{port}", "content-type": media_type}
    try:
        with (
            httpx.Client(
                trust_env=False, follow_redirects=False, timeout=httpx.Timeout(READ_S, connect=CONNECT_S)
            ) as client,
            client.stream("POST", target, content=body, headers=sent, extensions={"sni_hostname": host}) as answer,
        ):
            status = answer.status_code
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise NotDeliveredError(f"no answer: {type(error).__name__}") from None
    if not 200 <= status < 300:
        raise NotDeliveredError(f"answered {status}")


def find_address(host: str, port: int, *, private: bool) -> str:
    """Return an address of ``host`` that may be connected to; NotDeliveredError when one of them is private.

    All are judged, so that a name with a public and a private address does not pass by luck.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NotDeliveredError("the webhook's host is not known") from None
    addresses = [str(row[4][0]) for row in found]
    if not private and not all(is_public(address) for address in addresses):
        raise NotDeliveredError("the webhook leads to a private address, which needs 'private: true'")
    return addresses[0]


def is_public(address: str) -> bool:
    """Return whether ``address`` is one of the open Internet."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    inner = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    judged = inner or parsed
    return judged.is_global and not judged.is_multicast


def _read_secret(secret: str) -> bytes:
    """Return the key: base64 after ``whsec_``, else the letters themselves."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret[len(_PREFIX) :], validate=True)
    except binascii.Error:
        raise NotDeliveredError("the webhook's secret is not base64 after 'whsec_'") from None

"""Send a notice on a channel: a webhook, or whatever Apprise knows (e-mail, SMS gateways)."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

import apprise
import orjson

from twin.warning.areas import Language
from twin.warning.contacts import Channel
from twin.warning.message import MEDIA_TYPE
from twin.warning.notice import Notice, strip_marks
from twin.warning.webhook import NotDeliveredError, post, sign

DELIVERY_HEADER = "X-Delivery-Id"
_TIMEOUT_S = 20.0
# Services whose address may carry a header of its own: the id of the delivery travels in it.
_WITH_HEADERS = frozenset({"json", "jsons", "xml", "xmls", "form", "forms"})
# What it logs of a failure may hold parts of an address.
logging.getLogger("apprise").disabled = True


def send(channel: Channel, notice: Notice, languages: Sequence[Language], delivery_id: str) -> None:
    """Deliver; NotDeliveredError says why it did not arrive. A receiver knows a repeated one by ``delivery_id``."""
    if channel.webhook is not None and channel.secret is not None:
        body, media_type = _write_body(channel, notice, delivery_id)
        headers = sign(channel.secret.get_secret_value(), delivery_id, datetime.now(UTC), body)
        post(channel.webhook.get_secret_value(), body, media_type, headers, private=channel.private)
    elif channel.url is not None:
        _notify(channel, channel.url.get_secret_value(), notice, languages, delivery_id)


def _write_body(channel: Channel, notice: Notice, delivery_id: str) -> tuple[bytes, str]:
    if channel.body == "cap" and notice.cap is not None:
        return notice.cap, MEDIA_TYPE
    return orjson.dumps({"id": delivery_id, **notice.document}), "application/json"


def _notify(channel: Channel, url: str, notice: Notice, languages: Sequence[Language], delivery_id: str) -> None:
    asset = apprise.AppriseAsset(async_mode=False, storage_mode="memory", secure_logging=True)
    asset.http_redirects = False
    service = apprise.Apprise(asset=asset)
    if not service.add(_add_header(url, delivery_id)):
        raise NotDeliveredError("the channel's address is not one that Apprise knows")
    if channel.short:
        title, body = "", notice.write_line(languages)
    else:
        title = notice.write_title(languages)
        body = f"{notice.write_text(languages)}\n\n[{delivery_id}]"
    if channel.plain:
        title, body = strip_marks(title), strip_marks(body)
    try:
        accepted = service.notify(body=body, title=title, body_format="text", timeout=_TIMEOUT_S)
    except Exception as error:
        # A plug-in may raise anything, with its address in the text.
        raise NotDeliveredError(f"the service failed: {type(error).__name__}") from None
    if not accepted:
        raise NotDeliveredError("the service did not take it")


def _add_header(url: str, delivery_id: str) -> str:
    if urlsplit(url).scheme not in _WITH_HEADERS:
        return url
    return f"{url}{'&' if '?' in url else '?'}+{DELIVERY_HEADER}={quote(delivery_id)}"

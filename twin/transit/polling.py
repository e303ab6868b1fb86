"""Fetch messages of GTFS Realtime: from files, and from addresses that are asked again and again."""

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from sqlalchemy import Engine

from layers.errors import SourceError, TooLargeError
from layers.ingest.fetch import is_url
from twin.settings import Settings
from twin.store_transit import read_feed_row
from twin.store_transit_realtime import MessageRow, insert_message, list_messages
from twin.transit.realtime import MOST_BYTES, find_unknown, read_message
from twin.transit.warm import read_warm_feed
from twin.warning.webhook import NotDeliveredError, find_address

_TIMEOUT = httpx.Timeout(15.0, connect=5.0)
_BLOCK = 1 << 16


def take_message(engine: Engine, settings: Settings, feed_id: str, origin: str) -> tuple[MessageRow, bool]:
    """Read a message of a feed from a file or an address, keep it, and return it and whether it is new.

    Raises NotFoundError for an unknown feed, SourceError for what cannot be read, TooLargeError beyond the limits.
    """
    with engine.connect() as connection:
        row = read_feed_row(connection, feed_id)
        feed = read_warm_feed(connection, row)
    content = _get(origin, settings) if is_url(origin) else _read(Path(origin))
    name = urlsplit(origin)._replace(query="", fragment="").geturl() if is_url(origin) else Path(origin).name
    message = read_message(content, name, datetime.now(UTC))
    with engine.begin() as connection:
        made = insert_message(connection, feed_id, name[:300], message, find_unknown(message, feed))
        rows = list_messages(connection, feed_id, limit=1_000)
        found = next(one for one in rows if one.id == made or (made is None and one.at == message.at))
    return found, made is not None


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise SourceError(f"{path} is no file")
    if path.stat().st_size > MOST_BYTES:
        raise TooLargeError(f"{path.name} has {path.stat().st_size >> 20} MiB, at most {MOST_BYTES >> 20} MiB are read")
    return path.read_bytes()


def _get(url: str, settings: Settings) -> bytes:
    """Return what an address answers: a host is resolved once, its addresses are judged, redirects are not followed."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address = find_address(host, port, private=host in settings.private_callback_hosts)
        target = httpx.URL(url).copy_with(host=address, port=port)
        named = f"[{host}]" if ":" in host else host
        headers = {"host": named if parts.port is None else f"{named}:{port}", "user-agent": "city-twin"}
        content = bytearray()
        with (
            httpx.Client(trust_env=False, follow_redirects=False, timeout=_TIMEOUT) as client,
            client.stream("GET", target, headers=headers, extensions={"sni_hostname": host}) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                raise SourceError(f"{host} answers {answer.status_code}, expected a message of GTFS Realtime")
            for block in answer.iter_bytes(_BLOCK):
                content += block
                if len(content) > MOST_BYTES:
                    raise TooLargeError(f"{host} sends more than {MOST_BYTES >> 20} MiB")
    except NotDeliveredError as error:
        reason = "is not known" if "known" in str(error) else "is a private address"
        raise SourceError(f"host '{host}' {reason}", hint="TWIN_CALLBACK_HOSTS may name private hosts") from error
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
        raise SourceError(f"{host} cannot be asked: {type(error).__name__}") from error
    return bytes(content)

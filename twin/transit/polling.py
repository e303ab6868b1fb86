"""Fetch messages of GTFS Realtime: from files, and from addresses that are asked again and again."""

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from sqlalchemy import Engine

from layers.errors import SourceError, TooLargeError
from layers.ingest.fetch import is_url
from layers.outbound import open_client
from twin.settings import Settings
from twin.store_transit import read_feed_row
from twin.store_transit_realtime import MessageRow, insert_message, list_messages
from twin.transit.realtime import MOST_BYTES, find_unknown, read_message
from twin.transit.warm import read_warm_feed

_READ_S, _TOTAL_S = 15.0, 60.0
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
    """Return what a public address, or one of a host that is named as private, answers; redirects are not followed."""
    host = urlsplit(url).hostname or ""
    content = bytearray()
    try:
        with (
            open_client(total_s=_TOTAL_S, read_s=_READ_S, private_hosts=settings.private_callback_hosts) as client,
            client.stream("GET", url) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                raise SourceError(f"{host} answers {answer.status_code}, expected a message of GTFS Realtime")
            for block in answer.iter_bytes(_BLOCK):
                content += block
                if len(content) > MOST_BYTES:
                    raise TooLargeError(f"{host} sends more than {MOST_BYTES >> 20} MiB")
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, OSError) as error:
        raise SourceError(f"{host} cannot be asked: {type(error).__name__}") from error
    return bytes(content)

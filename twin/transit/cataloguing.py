"""The feeds that the city's catalogue lists: read, validated and taken in."""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from layers.ingest.catalog import Transit
from layers.ingest.fetch import fetch, is_url
from twin.transit.importing import FeedOrigin, Imported, import_feed
from twin.transit.reading import read_feed
from twin.transit.validating import validate_feed


def load_transit(
    engine: Engine,
    listed: Sequence[Transit],
    base: Path,
    fetched: Path,
    *,
    author: str,
    private_hosts: Collection[str] = (),
    follow: Callable[[float, str], None] | None = None,
) -> list[Imported]:
    """Take in the feeds of a catalogue that lies in ``base``; what did not change is left alone.

    fetched: where files behind addresses go; private_hosts: which may be asked though they are not public. Raises
    SourceError or InputError for a feed that cannot be used; those before it are in.
    """
    today, done = datetime.now(UTC).date(), []
    for number, one in enumerate(listed):
        if follow is not None:
            follow(number / len(listed), one.title.vi)
        path = fetch(one.uri, fetched, private_hosts=private_hosts) if is_url(one.uri) else base / one.uri
        feed = read_feed(path)
        origin = FeedOrigin(one.id, one.title.vi, one.uri, one.licence, one.attribution, one.synthetic)
        report = validate_feed(feed, today)
        done.append(import_feed(engine, feed, report, origin, author=author, today=today))
    return done

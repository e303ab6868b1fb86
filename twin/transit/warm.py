"""Feeds kept in memory by a process that lives long: the last few that were asked, by version."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection

from twin.store_transit import FeedRow, read_feed_tables
from twin.transit.feed import Feed

MOST_KEPT = 8
Value = TypeVar("Value")


class Kept:
    """Values made of a version of a feed, the last ``MOST_KEPT`` that were asked; threads may ask at once."""

    def __init__(self) -> None:
        self._values: OrderedDict[tuple[object, ...], Any] = OrderedDict()
        self._locks: dict[tuple[object, ...], threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: tuple[object, ...], make: Callable[[], Value]) -> Value:
        """Return the value under ``key``; ``make`` is called by one thread when there is none."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                found: Value = self._values[key]
                return found
            own = self._locks.setdefault(key, threading.Lock())
        with own:
            with self._lock:
                if key in self._values:
                    kept: Value = self._values[key]
                    return kept
            made = make()
            with self._lock:
                self._values[key] = made
                self._locks.pop(key, None)
                while len(self._values) > MOST_KEPT:
                    self._values.popitem(last=False)
        return made


_FEEDS = Kept()


def name_version(connection: Connection, row: FeedRow) -> tuple[object, ...]:
    """Return what tells a version of a feed of one database from all others."""
    return (connection.engine.url.render_as_string(hide_password=True), row.id, row.version, row.fingerprint)


def read_warm_feed(connection: Connection, row: FeedRow) -> Feed:
    """Return the tables of a version; they are never changed."""
    return _FEEDS.get(name_version(connection, row), lambda: read_feed_tables(connection, row))

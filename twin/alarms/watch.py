"""The watch: follows new readings, forecasts and timers, and lets the engine decide. One process does it at a time."""

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from layers.store.engine import plain_url
from twin.alarms.board import Board, bring_in_line
from twin.alarms.cycle import Pass
from twin.alarms.state import Reading
from twin.store_alarm_follow import (
    Listener,
    read_cursor,
    read_safe_moment,
    select_arrivals,
    select_recent,
    write_cursor,
)
from twin.store_alarm_rules import read_rules_mark
from twin.store_alarm_states import find_next_due

CURSOR = "readings"
PAGE = 20_000
POLL_S = 5.0
SHORTEST_WAIT_S = 0.2
RETRY_S = 2.0
# Readings come in bursts: one pass for a burst.
COALESCE_S = 0.25
# A writer that takes longer than this holds no timer up.
LONGEST_WRITER_S = 10.0
LOOK_BACK = timedelta(hours=3)

log = logging.getLogger("twin.alarms")


class Feed(Protocol):
    """Another source of inputs than readings: forecasts, the forecast loop."""

    def read(self, connection: Connection, board: Board, since: datetime, before: datetime | None) -> list[Reading]:
        """Return what became known at ``since`` or later (and before ``before``), as readings of the board's inputs."""
        ...


class Watch:
    """What the watch remembers between two passes; all of it can be lost, for the database holds the rest."""

    def __init__(self, engine: Engine, feeds: tuple[Feed, ...] = (), *, look_back: timedelta = LOOK_BACK) -> None:
        self._engine, self._feeds, self._look_back = engine, feeds, look_back
        self._board = Board({}, {})
        self._mark: tuple[object, ...] | None = None
        self._seen: set[Reading] = set()

    def pass_once(self) -> int:
        """Take in all that is new, up to now, and return how many steps alarms took."""
        with self._engine.begin() as connection:
            taken = self._bring_in_line(connection)
        more = True
        while more:
            with self._engine.begin() as connection:
                steps, more = self._take_page(connection)
            taken += steps
        return taken

    def find_wait(self) -> float:
        """Return how long nothing happens by itself [s]."""
        with self._engine.connect() as connection:
            due = find_next_due(connection)
        return POLL_S if due is None else min(max(due - time.time() + 1.0, SHORTEST_WAIT_S), POLL_S)

    def _bring_in_line(self, connection: Connection) -> int:
        mark = read_rules_mark(connection)
        if mark == self._mark:
            return 0
        now = datetime.now(UTC)
        self._board, fresh = bring_in_line(connection, now.timestamp())
        # Read again: what was derived just now is part of it.
        self._mark = read_rules_mark(connection)
        if not fresh:
            return 0
        sources = {source for number in fresh for source in self._board.applied[number].point.sources}
        by_source: dict[str, list[Reading]] = {}
        recent = select_recent(connection, sorted(sources), now - self._look_back)
        for feed in self._feeds:
            recent += feed.read(connection, self._board, now - self._look_back, None)
        for reading in recent:
            by_source.setdefault(reading.source, []).append(reading)
        begun = {
            number: [
                row for source in set(self._board.applied[number].point.sources) for row in by_source.get(source, ())
            ]
            for number in fresh
        }
        cursor = read_cursor(connection, CURSOR) or now
        moment = read_safe_moment(connection).timestamp()
        log.info("%d alarms, %d of them new", len(self._board.applied), len(fresh))
        return Pass(connection, self._board, moment, min(cursor.timestamp(), moment)).run([], begun)

    def _take_page(self, connection: Connection) -> tuple[int, bool]:
        safe = read_safe_moment(connection)
        since = read_cursor(connection, CURSOR) or safe
        readings, more = select_arrivals(connection, list(self._board.by_source), since, limit=PAGE)
        upto = max(since, more or safe)
        clock = upto if more else max(safe, datetime.now(UTC) - timedelta(seconds=LONGEST_WRITER_S))
        news = [one for one in readings if one not in self._seen]
        for feed in self._feeds:
            news += [one for one in feed.read(connection, self._board, since, more) if one not in self._seen]
        steps = Pass(connection, self._board, clock.timestamp(), upto.timestamp()).run(news)
        write_cursor(connection, CURSOR, upto)
        self._seen = {one for one in self._seen.union(readings, news) if one.stored >= upto.timestamp()}
        return steps, more is not None


def watch(engine: Engine, feeds: tuple[Feed, ...] = (), *, once: bool = False) -> None:
    """Watch until told to stop, or one pass if ``once``. A database that goes away is waited for."""
    if once:
        Watch(engine, feeds).pass_once()
        return
    while True:
        try:
            _watch_connected(engine, Watch(engine, feeds))
        except OperationalError as error:
            log.warning("the database cannot be reached: %s", str(error.orig).strip().splitlines()[0])
            time.sleep(RETRY_S)


def _watch_connected(engine: Engine, watching: Watch) -> None:
    with Listener(plain_url(engine)) as listener:
        while not listener.become_watcher():
            log.info("another process watches; waiting")
            time.sleep(POLL_S)
        log.info("watching")
        while True:
            steps = watching.pass_once()
            if steps:
                log.info("%d steps", steps)
            if "reading" in listener.wait(watching.find_wait()):
                time.sleep(COALESCE_S)

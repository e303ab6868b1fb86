"""The watch: follows new readings, forecasts and timers, and lets the engine decide. One process does it at a time."""

import logging
import time
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from layers.store.engine import plain_url
from twin.alarms.board import Board, bring_in_line
from twin.alarms.cycle import Pass
from twin.alarms.state import Reading
from twin.store_alarm_follow import (
    MARGIN_S,
    Listener,
    ListenerError,
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
# Readings come in bursts: one pass for a burst, when all of it is safe to take.
COALESCE_S = MARGIN_S + 0.05
# A writer that takes longer than this holds no timer up.
LONGEST_WRITER_S = 10.0
LOOK_BACK = timedelta(hours=3)

log = logging.getLogger("twin.alarms")


class Feed(Protocol):
    """Another source of inputs than readings: forecasts, the forecast loop."""

    def read(self, connection: Connection, board: Board, since: datetime, before: datetime) -> list[Reading]:
        """Return what became known at ``since`` ≤ time < ``before``, as readings of the board's inputs."""
        ...


class Watch:
    """What the watch remembers between two passes; all of it can be lost, for the database holds the rest."""

    def __init__(self, engine: Engine, feeds: tuple[Feed, ...] = (), *, look_back: timedelta = LOOK_BACK) -> None:
        self._engine, self._feeds, self._look_back = engine, feeds, look_back
        self._board = Board({}, {})
        self._mark: tuple[object, ...] | None = None
        self._seen: set[Reading] = set()

    def pass_once(self) -> int:
        """Take in all that was stored up to now, and return how many steps alarms took."""
        time.sleep(MARGIN_S)
        return self.take_news()

    def take_news(self) -> int:
        """Take in what was stored up to a moment ago, and return how many steps alarms took."""
        with self._engine.begin() as connection:
            taken = self._bring_in_line(connection)
        position: datetime | None = None
        while True:
            with self._engine.begin() as connection:
                steps, position = self._take_page(connection, position)
            taken += steps
            if position is None:
                return taken

    def find_wait(self) -> float:
        """Return how long nothing happens by itself [s]."""
        with self._engine.connect() as connection:
            due = find_next_due(connection)
        return POLL_S if due is None else min(max(due - time.time() + MARGIN_S, SHORTEST_WAIT_S), POLL_S)

    def _bring_in_line(self, connection: Connection) -> int:
        mark = read_rules_mark(connection)
        if mark == self._mark:
            return 0
        safe, clock = read_safe_moment(connection, LONGEST_WRITER_S)
        self._board, fresh = bring_in_line(connection, clock.timestamp())
        # Read again: what was derived just now is part of it.
        self._mark = read_rules_mark(connection)
        if not fresh:
            return 0
        log.info("%d alarms, %d of them new", len(self._board.applied), len(fresh))
        begun = self._find_beginnings(connection, fresh, clock)
        cursor = read_cursor(connection, CURSOR)
        if cursor is None:
            # What comes from now on is offered also to who goes on after a watch that ended before its first page.
            write_cursor(connection, CURSOR, min(safe, clock))
        floor = min(cursor or clock, clock)
        return Pass(connection, self._board, clock.timestamp(), floor.timestamp()).run([], begun)

    def _find_beginnings(self, connection: Connection, fresh: list[int], clock: datetime) -> dict[int, list[Reading]]:
        """Return what each new alarm begins with: what its inputs said in the last hours."""
        sources = {number: set(self._board.applied[number].point.sources) for number in fresh}
        since = clock - self._look_back
        recent = select_recent(connection, sorted(set().union(*sources.values())), since, clock)
        for feed in self._feeds:
            recent += feed.read(connection, self._board, since, clock)
        by_source: dict[str, list[Reading]] = {}
        for reading in recent:
            by_source.setdefault(reading.source, []).append(reading)
        return {number: [row for one in sources[number] for row in by_source.get(one, ())] for number in fresh}

    def _take_page(self, connection: Connection, position: datetime | None) -> tuple[int, datetime | None]:
        """Take in one page, from ``position`` or from where the last pass ended; return the steps and the next page."""
        safe, clock = read_safe_moment(connection, LONGEST_WRITER_S)
        cursor = read_cursor(connection, CURSOR) or safe
        since = position or cursor
        readings, more = select_arrivals(connection, list(self._board.by_source), since, clock, limit=PAGE)
        clock = more or clock
        upto = max(cursor, min(safe, clock))
        for feed in self._feeds:
            readings += feed.read(connection, self._board, since, clock)
        news = [one for one in readings if one not in self._seen]
        steps = Pass(connection, self._board, clock.timestamp(), upto.timestamp()).run(news)
        write_cursor(connection, CURSOR, upto)
        self._seen = {one for one in self._seen.union(news) if one.stored >= upto.timestamp()}
        return steps, more


def watch(engine: Engine, feeds: tuple[Feed, ...] = (), *, once: bool = False) -> None:
    """Watch until told to stop, or one pass if ``once``. A database that goes away is waited for."""
    if once:
        Watch(engine, feeds).pass_once()
        return
    while True:
        try:
            _watch_connected(engine, Watch(engine, feeds))
        except (OperationalError, ListenerError) as error:
            log.warning("the database cannot be reached: %s", " ".join(str(error).split())[:200])
            time.sleep(RETRY_S)


def _watch_connected(engine: Engine, watching: Watch) -> None:
    with Listener(plain_url(engine)) as listener:
        while not listener.become_watcher():
            log.info("another process watches; waiting")
            time.sleep(POLL_S)
        log.info("watching")
        while True:
            steps = watching.take_news()
            if steps:
                log.info("%d steps", steps)
            if "reading" in listener.wait(watching.find_wait()):
                time.sleep(COALESCE_S)

"""The loop from the broker to the database: durable first, acknowledged then; a spill on disk while it is away."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from layers.errors import DatabaseError, NotFoundError
from twin.sensors.consumer import Consumer
from twin.sensors.intake import Receipt, refuse_message, store_messages
from twin.sensors.message import Message
from twin.sensors.spill import Spill

log = logging.getLogger("twin.ingest")
MOST_MESSAGES, MOST_BYTES = 1000, 1_000_000
WAIT_S, RETRY_S, TALK_EVERY_S = 0.1, 1.0, 30.0


class DatabaseAway(Exception):
    """The database takes nothing now; nothing of the batch is written."""


@dataclass(slots=True)
class Progress:
    """What was done since the start: messages stored, readings of them, messages spilled."""

    messages: int = 0
    readings: int = 0
    rejected: int = 0
    spilled: int = 0


class Store:
    """The database behind the intake, which may go away and come back at another address."""

    def __init__(self, connect: Callable[[], Engine | None], tolerance_s: float) -> None:
        self._connect, self._tolerance_s = connect, tolerance_s
        self._engine: Engine | None = None

    def write(self, messages: Sequence[Message]) -> Receipt:
        """Store a batch in one transaction; DatabaseAway when it cannot.

        Where the database refuses what one message holds, the batch is halved until that one is alone and kept apart.
        """
        try:
            with self._open().begin() as connection:
                return store_messages(connection, messages, tolerance_s=self._tolerance_s)
        except NotFoundError:
            # A datastream was deleted between two looks: look again.
            return self._write_apart(messages, "a datastream was deleted meanwhile")
        except (DataError, IntegrityError) as error:
            return self._write_apart(messages, _tell_first_line(error))
        except SQLAlchemyError as error:
            self._close()
            raise DatabaseAway(_tell_first_line(error)) from error
        except DatabaseAway:
            raise
        except Exception as error:
            # What nobody foresaw in one message must not stop all others: that one is kept with what happened.
            return self._write_apart(messages, f"{type(error).__name__}: {error}")

    def _write_apart(self, messages: Sequence[Message], reason: str) -> Receipt:
        if len(messages) == 1:
            try:
                with self._open().begin() as connection:
                    refuse_message(connection, messages[0], reason)
            except SQLAlchemyError as error:
                self._close()
                raise DatabaseAway(_tell_first_line(error)) from error
            return Receipt(received=1, rejected=1, reasons={"not-stored": 1})
        half = len(messages) // 2
        first, second = self.write(messages[:half]), self.write(messages[half:])
        names = ("received", "stored", "repeated", "corrected", "rejected")
        return Receipt(**{name: getattr(first, name) + getattr(second, name) for name in names})

    def _open(self) -> Engine:
        if self._engine is None:
            try:
                self._engine = self._connect()
            except DatabaseError as error:
                raise DatabaseAway(error.message) from error
            if self._engine is None:
                raise DatabaseAway("the private cluster is not running")
        return self._engine

    def _close(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None


class Ingest:
    """Takes messages from ``consumer`` into ``store``, by way of ``spill`` while the database is away.

    While anything is spilled, what arrives goes behind it: readings are stored in the order they came. When the spill
    is full nothing more is acknowledged and the broker keeps the rest.
    """

    def __init__(self, consumer: Consumer, store: Store, spill: Spill) -> None:
        self._consumer, self._store, self._spill = consumer, store, spill
        self.progress = Progress()
        self._retry_at = 0.0
        self._told_at, self._told = time.monotonic(), 0
        self._said = ""

    @property
    def is_connected(self) -> bool:
        """Whether the broker is there."""
        return self._consumer.is_connected

    @property
    def spilled_bytes(self) -> int:
        """How much waits on disk [B]."""
        return self._spill.size

    def run(self, should_stop: Callable[[], bool]) -> None:
        """Work until ``should_stop``."""
        self._consumer.start()
        try:
            while not should_stop():
                self.step(should_stop)
        finally:
            self._consumer.stop()
            self._spill.close()

    def step(self, should_stop: Callable[[], bool]) -> None:
        """Carry one batch to where it is safe, acknowledge it, and give back a batch of the spill."""
        deliveries = self._consumer.take(MOST_MESSAGES, MOST_BYTES, WAIT_S)
        if deliveries:
            messages = [one.message for one in deliveries]
            while not (self._try_database(messages) or self._try_spill(messages)):
                if should_stop():
                    return
                self._say("spill full: nothing is acknowledged, the broker keeps what comes")
                time.sleep(0.2)
                self._drain()
            self._consumer.acknowledge(deliveries)
        self._drain()
        self._tell()

    def _try_database(self, messages: Sequence[Message]) -> bool:
        return self._spill.is_empty and self._write(messages)

    def _try_spill(self, messages: Sequence[Message]) -> bool:
        if not self._spill.append(messages):
            return False
        self.progress.spilled += len(messages)
        return True

    def _drain(self) -> None:
        """Store the oldest of what was spilled."""
        if self._spill.is_empty or time.monotonic() < self._retry_at:
            return
        messages = self._spill.peek(MOST_MESSAGES, MOST_BYTES)
        if messages and self._write(messages):
            self._spill.drop()

    def _write(self, messages: Sequence[Message]) -> bool:
        if time.monotonic() < self._retry_at:
            return False
        try:
            receipt = self._store.write(messages)
        except DatabaseAway as away:
            self._retry_at = time.monotonic() + RETRY_S
            self._say(f"database away: {away}; what arrives is kept on disk")
            return False
        self._said = ""
        self.progress.messages += len(messages)
        self.progress.readings += receipt.received
        self.progress.rejected += receipt.rejected
        return True

    def _say(self, words: str) -> None:
        """Say something once while it lasts."""
        if words != self._said:
            self._said = words
            log.warning(words)

    def _tell(self) -> None:
        now, done = time.monotonic(), self.progress
        if now - self._told_at < TALK_EVERY_S:
            return
        if done.messages != self._told:
            waiting = f", {self._spill.size:,} bytes on disk" if not self._spill.is_empty else ""
            log.info(f"{done.messages:,} messages, {done.readings:,} readings, {done.rejected:,} rejected{waiting}")
        self._told_at, self._told = now, done.messages


def _tell_first_line(error: SQLAlchemyError) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]

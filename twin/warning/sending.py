"""The sender: spreads the outbox, delivers what is due, tries again with growing pauses, keeps dead letters.

At least once: a delivery is marked only after the receiver took it. Receivers know a repeated one by its id.
"""

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from layers.errors import SetupError, TwinError
from twin.store_outbox import Delivery, State, Told, lease_delivery, listen, postpone_delivery, settle_delivery
from twin.store_warnings import read_body, read_message
from twin.warning.channels import send
from twin.warning.contacts import Contacts, read_contacts
from twin.warning.notice import Notice, describe_alarm, describe_message
from twin.warning.policy import Policy
from twin.warning.proposing import propose_from_alarms
from twin.warning.spreading import spread_next
from twin.warning.webhook import NotDeliveredError

log = logging.getLogger("twin.warnings")


@dataclass(frozen=True, slots=True)
class Pace:
    """How the sender paces itself [s]: pause after the first failure, the longest pause, how long a lease lasts, how
    often it looks without being called, how often drafts are looked at.
    """

    first_s: float = 10.0
    longest_s: float = 3600.0
    lease_s: float = 120.0
    poll_s: float = 2.0
    propose_s: float = 60.0

    def pause(self, attempts: int) -> timedelta:
        """Return the pause after so many failed attempts: doubled each time, with up to half of it left to chance."""
        full = min(self.longest_s, self.first_s * 2.0 ** min(attempts - 1, 40))
        return timedelta(seconds=full * random.uniform(0.5, 1.0))


class ContactsFile:
    """The contacts as the file says now; what was last read stays while the file is broken."""

    def __init__(self, path: Path | None) -> None:
        self._path, self._stamp = path, self._look(path)
        self._held = read_contacts(path)
        if path is not None and path.stat().st_mode & 0o077:
            log.warning("the contacts %s can be read by others than their owner; type: chmod 600", path)

    @property
    def now(self) -> Contacts:
        """The contacts, read again when the file has changed."""
        stamp = self._look(self._path)
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._held = read_contacts(self._path)
            except SetupError as error:
                log.error("%s; the contacts read before stay in use", error)
        return self._held

    @staticmethod
    def _look(path: Path | None) -> tuple[int, int] | None:
        try:
            found = path.stat() if path is not None else None
        except OSError:
            return None
        return None if found is None else (found.st_mtime_ns, found.st_size)


class Sender:
    """Delivers until stopped, with ``threads`` deliveries at a time."""

    def __init__(
        self, engine: Engine, policy: Policy, contacts: ContactsFile, *, pace: Pace = Pace(), threads: int = 4
    ):
        self._engine, self._policy, self._contacts, self._pace = engine, policy, contacts, pace
        self._threads = threads
        self._stop, self._due = threading.Event(), threading.Event()

    def stop(self) -> None:
        """Let the deliveries in progress end and take up no others."""
        self._stop.set()
        self._due.set()

    def run(self) -> None:
        """Send until ``stop``; a database that is away is waited for."""
        threads = [threading.Thread(target=self._deliver_forever, daemon=True) for _ in range(self._threads)]
        for thread in threads:
            thread.start()
        self._patiently(self._watch)
        for thread in threads:
            thread.join()

    def run_once(self) -> int:
        """Spread and deliver all that is due now; return how many deliveries were tried."""
        self._propose()
        self._spread()
        tried = 0
        while self._deliver_next():
            tried += 1
        return tried

    def _watch(self) -> None:
        """Listen for what enters the outbox and for alarms, until stopped or the connection breaks."""
        with listen(self._engine) as wait:
            proposed, called = time.monotonic(), {"alarm"}
            while not self._stop.is_set():
                if "alarm" in called or time.monotonic() - proposed >= self._pace.propose_s:
                    proposed = time.monotonic()
                    self._propose()
                self._spread()
                self._due.set()
                called = wait(self._pace.poll_s)

    def _deliver_forever(self) -> None:
        self._patiently(self._deliver_while_due)

    def _deliver_while_due(self) -> None:
        while not self._stop.is_set():
            if not self._deliver_next():
                self._due.wait(self._pace.poll_s)
                self._due.clear()

    def _patiently(self, work: Callable[[], None]) -> None:
        while not self._stop.is_set():
            try:
                work()
            except (OperationalError, psycopg.OperationalError) as error:
                log.warning("the database is away: %s", type(error).__name__)
                self._stop.wait(self._pace.poll_s)
            except Exception:
                # A warning that cannot be told must not keep the others from being told.
                log.exception("the sender stumbled")
                self._stop.wait(self._pace.poll_s)

    def _propose(self) -> None:
        try:
            with self._engine.begin() as connection:
                propose_from_alarms(connection, self._policy, _now())
        except TwinError as error:
            log.error("no warning could be proposed: %s", error)

    def _spread(self) -> None:
        while not self._stop.is_set():
            with self._engine.begin() as connection:
                if not spread_next(connection, self._policy, self._contacts.now, _now()):
                    return

    def _deliver_next(self) -> bool:
        now = _now()
        with self._engine.begin() as connection:
            delivery = lease_delivery(connection, moment=now, until=now + timedelta(seconds=self._pace.lease_s))
        if delivery is None:
            return False
        if delivery.expires is not None and delivery.expires <= now:
            self._settle(delivery, "expired", None)
            return True
        try:
            self._send(delivery)
        except NotDeliveredError as error:
            self._note_failure(delivery, str(error))
        except (OperationalError, psycopg.OperationalError):
            raise
        except Exception as error:
            log.exception("delivery %s could not be written", delivery.id)
            self._note_failure(delivery, f"it could not be written: {type(error).__name__}")
        else:
            self._settle(delivery, "sent", None)
            log.info("delivery %s to %s/%s sent", delivery.id, delivery.contact_group, delivery.channel)
        return True

    def _send(self, delivery: Delivery) -> None:
        contacts = self._contacts.now
        channel = contacts.find_channel(delivery.contact_group, delivery.channel)
        if channel is None:
            raise NotDeliveredError("the contacts no longer have this channel")
        languages = contacts.groups[delivery.contact_group].languages
        send(channel, self._describe(delivery), languages, str(delivery.id))

    def _describe(self, delivery: Delivery) -> Notice:
        if delivery.kind == "message":
            with self._engine.connect() as connection:
                message = read_message(connection, delivery.reference)
                return describe_message(message, read_body(connection, delivery.reference))
        told = Told(
            delivery.outbox, delivery.subject, delivery.kind, delivery.reference, delivery.content, delivery.created
        )
        return describe_alarm(told, self._policy.status, self._policy.originator.zone)

    def _note_failure(self, delivery: Delivery, error: str) -> None:
        channel = self._contacts.now.find_channel(delivery.contact_group, delivery.channel)
        if channel is None or delivery.attempts >= channel.attempts:
            log.error(
                "delivery %s to %s/%s is given up after %d attempts: %s",
                delivery.id, delivery.contact_group, delivery.channel, delivery.attempts, error,
            )  # fmt: skip
            self._settle(delivery, "dead", error)
            return
        due = _now() + self._pace.pause(delivery.attempts)
        with self._engine.begin() as connection:
            postpone_delivery(connection, delivery, due=due, error=error)

    def _settle(self, delivery: Delivery, state: State, error: str | None) -> None:
        with self._engine.begin() as connection:
            settle_delivery(connection, delivery, state, moment=_now(), error=error)
        # What waited for this one in its order may go now.
        self._due.set()


def _now() -> datetime:
    return datetime.now(UTC)

"""Callbacks: the addresses a job's client gave are told of its progress, its results or its failure.

The worker sends them. What does not arrive is tried again, later each time, and given up after the sixth attempt; what
became of it stands in the job's status. Only public addresses are called, unless the host is one of
``TWIN_CALLBACK_HOSTS``: a callback must not become a way into the network the server stands in.
"""

import asyncio
import json
import logging
from urllib.parse import urlsplit

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from layers.errors import InputError
from layers.outbound import may_be_public
from twin.job_documents import write_results, write_status
from twin.settings import Settings
from twin.store import read_run
from twin.store_callbacks import DueCallback, claim_due, note_failure, note_sent, read_request
from twin.warning.webhook import NotDeliveredError, post

EVERY_S = 2.0
AT_ONCE = 20
MAX_URL = 2000

log = logging.getLogger("twin.callbacks")


def check_callback(url: object, name: str, settings: Settings) -> str:
    """Return the address of callback ``name``; InputError for one that is never called.

    A host's name is resolved, and its addresses are judged, when it is called.
    """
    if not isinstance(url, str) or len(url) > MAX_URL:
        raise InputError(f"subscriber.{name} is not an address of at most {MAX_URL} characters")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise InputError(f"subscriber.{name} is not an address: {error}") from None
    if parts.scheme not in ("http", "https") or not host or any(letter <= " " for letter in url):
        raise InputError(f"subscriber.{name} '{url[:80]}' is not an http or https address")
    if parts.username is not None or parts.password is not None:
        raise InputError(f"subscriber.{name} holds a user name", hint="put a secret into the path or the query")
    if host not in settings.private_callback_hosts and not may_be_public(host):
        raise InputError(
            f"subscriber.{name}: '{host}' is not a public address", hint="TWIN_CALLBACK_HOSTS may name private hosts"
        )
    return url


def deliver_due(engine: Engine, settings: Settings) -> int:
    """Send the callbacks that have something to tell and return how many arrived."""
    with engine.begin() as connection:
        due = claim_due(connection, limit=AT_ONCE)
    return sum(_deliver(engine, settings, each) for each in due)


async def deliver_forever(engine: Engine, settings: Settings, *, every_s: float = EVERY_S) -> None:
    """Send callbacks every ``every_s`` [s] until cancelled; what fails is logged and tried again."""
    while True:
        try:
            await asyncio.to_thread(deliver_due, engine, settings)
        except SQLAlchemyError as error:
            log.warning("callbacks are not sent for now: %s", error)
        await asyncio.sleep(every_s)


def _deliver(engine: Engine, settings: Settings, due: DueCallback) -> bool:
    with engine.connect() as connection:
        run = read_run(connection, due.run_id)
        request = read_request(connection, due.run_id)
        told = (
            write_results(connection, run, request, request.base)
            if due.kind == "successUri"
            else write_status(run, request.base)
        )
    body = json.dumps(told, ensure_ascii=False, allow_nan=False, default=str).encode()
    private = (urlsplit(due.url).hostname or "") in settings.private_callback_hosts
    try:
        post(due.url, body, "application/json", {"user-agent": "city-twin"}, private=private, plain=True)
    except NotDeliveredError as error:
        log.info("callback %s of job %s: %s", due.kind, due.run_id, error)
        with engine.begin() as connection:
            # What follows the comma is how a webhook of the city's own is configured.
            note_failure(connection, due, str(error).partition(",")[0].replace("webhook", "callback"))
        return False
    with engine.begin() as connection:
        note_sent(connection, due, progress=run.progress)
    return True

"""Signs of life: every process of the twin writes every few seconds that it lives, with its figures.

So one scrape of any server sees the workers of all machines. Where ``TWIN_METRICS_PORT`` is set the figures are also
served on loopback, for the time the database is away.
"""

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from layers.errors import TwinError
from layers.store.cluster import find_running
from layers.store.engine import open_engine
from twin.settings import Settings
from twin.store_observing import give_sign, take_leave

BEAT_S = 10.0
MOST_FIGURES = 200_000
PORTS = {"ingest": 0, "alarms": 1, "warnings": 2, "worker": 3}
"""How far above ``TWIN_METRICS_PORT`` the figures of a part are; several workers take the next ones free."""
MOST_WORKERS = 16
_log = logging.getLogger("twin.observing")


class Heart:
    """Writes signs of life from a thread of its own until stopped; a database that is away is waited for.

    ``beside`` is done with each sign, in the same transaction. Without ``url`` the database of the settings is looked
    for again and again.
    """

    def __init__(
        self,
        settings: Settings,
        part: str,
        registry: CollectorRegistry | None,
        *,
        beside: Callable[[Connection], None] | None = None,
        url: str | None = None,
        beat_s: float = BEAT_S,
    ) -> None:
        self._settings, self._part, self._registry, self._url = settings, part, registry, url
        self._beside, self._beat_s = beside, beat_s
        self._stop = threading.Event()
        self._engine: Engine | None = None
        self._said = False
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)

    def start(self) -> None:
        """Give the first sign, and go on giving them."""
        self._thread.start()

    def stop(self) -> None:
        """Give no more signs and say that this process ends."""
        self._stop.set()
        self._thread.join(timeout=self._beat_s)

    def _run(self) -> None:
        while True:
            self._try(self._beat)
            if self._stop.wait(self._beat_s):
                break
        self._try(lambda connection: take_leave(connection, *self._name()))
        if self._engine is not None:
            self._engine.dispose()

    def _name(self) -> tuple[str, str, int]:
        return self._part, self._settings.machine, os.getpid()

    def _beat(self, connection: Connection) -> None:
        figures = generate_latest(self._registry).decode() if self._registry is not None else ""
        if len(figures) > MOST_FIGURES:
            raise TwinError(f"the figures of '{self._part}' have {len(figures)} characters, at most {MOST_FIGURES}")
        give_sign(connection, *self._name(), figures)
        if self._beside is not None:
            self._beside(connection)

    def _try(self, work: Callable[[Connection], None]) -> None:
        try:
            engine = self._open()
            if engine is None:
                return
            with engine.begin() as connection:
                work(connection)
            self._said = False
        except (SQLAlchemyError, TwinError, OSError) as error:
            if not self._said:
                _log.warning("no sign of life can be written for now: %s", " ".join(str(error).split())[:200])
            self._said = True
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None

    def _open(self) -> Engine | None:
        """Return an engine on the database; None while the private cluster is down."""
        if self._engine is None:
            given = self._url or self._settings.database_url
            url = given or find_running(self._settings.state_dir / "postgres")
            self._engine = None if url is None else open_engine(url, statement_timeout_s=5.0, pool_size=1)
        return self._engine


@contextmanager
def alive(
    settings: Settings,
    part: str,
    registry: CollectorRegistry | None,
    *,
    beside: Callable[[Connection], None] | None = None,
    url: str | None = None,
) -> Iterator[None]:
    """Give signs of life for the time of the block, and serve the figures where a port is set."""
    heart = Heart(settings, part, registry, beside=beside, url=url)
    heart.start()
    with _served(settings, part, registry):
        try:
            yield
        finally:
            heart.stop()


@contextmanager
def _served(settings: Settings, part: str, registry: CollectorRegistry | None) -> Iterator[None]:
    if not settings.metrics_port or registry is None or part not in PORTS:
        yield
        return
    first = settings.metrics_port + PORTS[part]
    for port in range(first, first + (MOST_WORKERS if part == "worker" else 1)):
        with contextlib.suppress(OSError):
            server, thread = start_http_server(port, addr="127.0.0.1", registry=registry)
            break
    else:
        _log.warning("figures are not served: port %d is taken", first)
        yield
        return
    try:
        yield
    finally:
        server.shutdown()
        thread.join()

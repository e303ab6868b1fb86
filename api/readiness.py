"""Whether this process can serve, and all that is wrong beside: looked at at most once a second."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from api.answers import write_moment
from api.limits.connections import Pools
from api.replicas import Replicas
from api.versions import LayerVersions
from layers.access import WHOLE, asking_as
from layers.errors import DatabaseError, TwinError
from twin.observing.checks import (
    Check,
    Clock,
    check_broker,
    check_city,
    check_disk,
    check_loop,
    check_migrations,
    check_parts,
    check_queue,
    check_workers,
)
from twin.settings import Settings
from twin.store_observing import limit_statements

KEPT_S, PATIENCE_S = 1.0, 2.0


class Readiness:
    """What was found at the last look, and since when each thing stands as it does."""

    def __init__(
        self, settings: Settings, engine: Engine, pools: Pools, versions: LayerVersions, replicas: Replicas
    ) -> None:
        self._settings, self._engine, self._pools = settings, engine, pools
        self._versions, self._replicas = versions, replicas
        self._clock = Clock()
        self._lock = threading.Lock()
        self._looked: tuple[float, list[Check]] | None = None
        self._since: dict[str, tuple[str, datetime]] = {}
        self._draining = False

    @property
    def is_draining(self) -> bool:
        """Whether this process takes leave: it ends what it began and is sent nothing new."""
        return self._draining

    def drain(self) -> None:
        """Say from now on that this process is not to be sent anything."""
        self._draining = True

    def read(self, *, in_words: bool = True) -> dict[str, Any]:
        """Return whether this process can serve, with every thing looked at, as JSON; ``in_words`` with the reasons."""
        checks = [self._check_draining(), *self._find()]
        written = [self._write(check, in_words=in_words) for check in checks]
        ready = all(check.state != "failed" or not check.required for check in checks)
        well = all(check.state in ("ok", "off") for check in checks)
        status = "draining" if self._draining else "failed" if not ready else "ok" if well else "degraded"
        return {"ready": ready, "status": status, "checks": written}

    def _find(self) -> list[Check]:
        """Return what was found a moment ago, or look; who comes while another looks does not wait long."""
        if not self._lock.acquire(timeout=PATIENCE_S):
            words = f"the database has not answered for {PATIENCE_S:g} s"
            return [Check("database", "failed", words, "see: twin doctor, and the log of PostgreSQL", True)]
        try:
            if self._looked is None or time.monotonic() - self._looked[0] >= KEPT_S:
                self._looked = (time.monotonic(), self._look())
            return self._looked[1]
        finally:
            self._lock.release()

    def _check_draining(self) -> Check:
        if self._draining:
            return Check("serving", "failed", "this process takes leave", "ask another one", True)
        return Check("serving", "ok", "requests are taken", required=True)

    def _look(self) -> list[Check]:
        return [*self._look_into_database(), self._check_notifications(), *self._look_around()]

    def _look_into_database(self) -> list[Check]:
        try:
            # Its connections are used again a moment after the database is back.
            if any(pool.is_away for pool in self._pools.by_name.values()):
                raise DatabaseError("the database is away")
            with asking_as(WHOLE), self._engine.connect() as connection:
                limit_statements(connection, PATIENCE_S)
                city = check_city(connection)
                if city.state == "failed":
                    return [city]
                return [city, check_migrations(connection), *self._look_at_work(connection)]
        except (SQLAlchemyError, TwinError):
            hint = "see: twin doctor, and the log of PostgreSQL"
            return [Check("database", "failed", "the database cannot be reached", hint, True)]

    def _look_at_work(self, connection: Connection) -> list[Check]:
        looks: tuple[tuple[str, Callable[[], list[Check]]], ...] = (
            ("worker", lambda: [check_workers(connection)]),
            ("queue", lambda: [check_queue(connection)]),
            ("loop", lambda: [check_loop(connection, self._settings)]),
            ("clock", lambda: [self._clock.check(connection)]),
            ("parts", lambda: check_parts(connection)),
        )
        found: list[Check] = []
        for name, look in looks:
            try:
                with connection.begin_nested():
                    found += look()
            except SQLAlchemyError:
                found.append(Check(name, "degraded", "it cannot be read", "see: twin db migrate, twin doctor"))
        return found

    def _check_notifications(self) -> Check:
        if self._versions.tokens is not None:
            return Check("notifications", "ok", "changes are followed")
        words = "changes are not followed: each tile asks the database"
        return Check("notifications", "degraded", words, "it mends itself once the database answers")

    def _look_around(self) -> list[Check]:
        viewer = Check("viewer", "ok", "built")
        if not (self._settings.web_dir / "index.html").exists():
            viewer = Check("viewer", "degraded", "not built", "type: make setup")
        return [
            *self._replicas.list_checks(),
            check_broker(self._settings),
            check_disk(self._settings.data_dir),
            viewer,
        ]

    def _write(self, check: Check, *, in_words: bool) -> dict[str, Any]:
        state, since = self._since.get(check.name, ("", datetime.now(UTC)))
        if state != check.state:
            since = datetime.now(UTC)
            self._since[check.name] = (check.state, since)
        return {
            "name": check.name,
            "ok": check.state in ("ok", "off"),
            "state": check.state,
            "required": check.required,
            "detail": check.detail if in_words else None,
            "hint": check.hint if in_words and check.state in ("degraded", "failed") else None,
            "since": write_moment(since),
        }

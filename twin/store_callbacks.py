"""SQL of what a job's client asked for: outputs, and the addresses that are told how the job goes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, text

CallbackKind = Literal["successUri", "inProgressUri", "failedUri"]
KINDS: tuple[CallbackKind, ...] = ("successUri", "inProgressUri", "failedUri")
FIRST_WAIT_S, WAIT_FACTOR, MOST_ATTEMPTS = 10.0, 3.0, 6
"""A failed attempt is repeated after 10 s, 30 s, … 13.5 min; the sixth is the last."""
PROGRESS_STEP, PROGRESS_S = 10.0, 5.0
"""Progress is told when it grew by so much [%], and not more often than that [s]."""
# When a callback has something to tell: its kind fits how far the run is.
_FITS = (
    "(c.kind = 'successUri' and r.status = 'successful' or c.kind = 'failedUri' and r.status in ('failed', "
    "'dismissed') or c.kind = 'inProgressUri' and r.status = 'running' and "
    "(c.told is null or r.progress >= c.told + :step))"
)


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What the client of a job asked for; ``base`` is the server's address as the client wrote it.

    ``outputs`` holds, by output, its transmission mode and its media type where one was asked; empty: all of them.
    """

    base: str = ""
    outputs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    response: str = "document"
    callbacks: Mapping[CallbackKind, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CallbackRow:
    """A callback and what became of it; ``state`` is waiting, delivered, given up or not needed."""

    kind: str
    url: str
    state: str
    attempts: int
    last_attempt: datetime | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class DueCallback:
    """A callback to be sent now; ``attempts`` counts this one."""

    run_id: str
    kind: CallbackKind
    url: str
    attempts: int


def insert_request(connection: Connection, run_id: str, request: JobRequest) -> None:
    """Enter what was asked for with a run."""
    connection.execute(
        text(
            "insert into run.request (run_id, base, outputs, response) "
            "values (:run_id, :base, cast(:outputs as jsonb), :response)"
        ),
        {
            "run_id": run_id,
            "base": request.base,
            "outputs": json.dumps(request.outputs),
            "response": request.response,
        },
    )
    for kind, url in request.callbacks.items():
        connection.execute(
            text("insert into run.callback (run_id, kind, url) values (:run_id, :kind, :url)"),
            {"run_id": run_id, "kind": kind, "url": url},
        )


def read_request(connection: Connection, run_id: str) -> JobRequest:
    """Return what was asked for with a run, without its callbacks; the defaults where nobody asked over HTTP."""
    row = connection.execute(
        text("select base, outputs, response from run.request where run_id = :run_id"), {"run_id": run_id}
    ).first()
    return JobRequest(*row) if row is not None else JobRequest()


def list_callbacks(connection: Connection, run_id: str) -> list[CallbackRow]:
    """Return the callbacks of a run and what became of each."""
    rows: Any = connection.execute(
        text(
            "select c.kind, c.url, case when c.state = 'waiting' and r.finished is not null and not "
            f"{_FITS} then 'not needed' else c.state end, c.attempts, c.last_attempt, c.outcome "
            "from run.callback c join run.run r on r.id = c.run_id where c.run_id = :run_id order by c.kind desc"
        ),
        {"run_id": run_id, "step": PROGRESS_STEP},
    )
    return [CallbackRow(*row) for row in rows]


def claim_due(connection: Connection, *, limit: int) -> list[DueCallback]:
    """Return callbacks that have something to tell and take them; what is not noted as sent comes again later."""
    rows: Any = connection.execute(
        text(
            "with due as (select c.run_id, c.kind from run.callback c join run.run r on r.id = c.run_id "
            f"where c.state = 'waiting' and c.next_attempt <= now() and {_FITS} "
            "order by c.next_attempt limit :limit for update of c skip locked) "
            "update run.callback c set attempts = c.attempts + 1, last_attempt = now(), "
            "next_attempt = now() + make_interval(secs => :wait * power(:factor, c.attempts)) "
            "from due where c.run_id = due.run_id and c.kind = due.kind "
            "returning c.run_id, c.kind, c.url, c.attempts"
        ),
        {"limit": limit, "wait": FIRST_WAIT_S, "factor": WAIT_FACTOR, "step": PROGRESS_STEP},
    )
    return [DueCallback(*row) for row in rows]


def note_sent(connection: Connection, due: DueCallback, *, progress: float | None) -> None:
    """Note that a callback arrived; one of progress [%] waits for more."""
    connection.execute(
        text(
            "update run.callback set outcome = 'arrived', told = :progress, "
            "state = case when kind = 'inProgressUri' then 'waiting' else 'delivered' end, "
            "attempts = case when kind = 'inProgressUri' then 0 else attempts end, "
            "next_attempt = now() + make_interval(secs => :pause) where run_id = :run_id and kind = :kind"
        ),
        {"run_id": due.run_id, "kind": due.kind, "progress": progress, "pause": PROGRESS_S},
    )


def note_failure(connection: Connection, due: DueCallback, reason: str) -> None:
    """Note why a callback did not arrive; after the last attempt it is given up."""
    connection.execute(
        text(
            "update run.callback set outcome = :reason, state = case when attempts >= :most then 'given up' else state "
            "end where run_id = :run_id and kind = :kind"
        ),
        {"run_id": due.run_id, "kind": due.kind, "reason": reason[:200], "most": MOST_ATTEMPTS},
    )

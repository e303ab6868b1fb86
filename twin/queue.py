"""How something is put into the queue (Procrastinate on PostgreSQL)."""

from typing import Any

from procrastinate import App, SyncPsycopgConnector
from procrastinate.exceptions import ConnectorException
from sqlalchemy import Engine

from layers.errors import DatabaseError
from layers.store.engine import CLIENT_HEARS, plain_url
from twin.observing.context import CARRIED, read_context
from twin.observing.traces import PARENT, read_parent, span

QUEUE, MEMBERS, LOOP = "runs", "members", "loop"
"""Runs, calls to compute members of one, and the flood loop's runs, for which every worker keeps a place.

A worker without the city's files can follow the second alone.
"""
QUICK = 1000
"""How far what somebody waits for stands before what may take its time."""
TASK, HELP = "execute_run", "help_run"
_SEARCH_PATH = "-c search_path=queue,public -c timezone=UTC"


def defer_run(engine: Engine, run_id: str, *, queue: str = QUEUE, priority: int = 0) -> int:
    """Put an accepted run into the queue and return the job's number; the higher ``priority`` is taken up first.

    The same run is worked on only once at a time; on whose behalf goes with it into the worker's logs and traces.
    Raises DatabaseError when the queue cannot be reached.
    """
    with span("put into the queue", "producer", run_id=run_id):
        job: dict[str, Any] = {"run_id": run_id}
        if carried := list_carried():
            job["carried"] = carried
        return _defer(engine, TASK, queue, run_id, [job], priority)[0]


def choose_priority(ahead: int, *, quick: bool) -> int:
    """Return the priority of a run of somebody who has ``ahead`` runs waiting already.

    So everybody's first run stands before anybody's second, and a quick one before all that take long.
    """
    return (QUICK if quick else 0) - ahead


def call_for_help(engine: Engine, run_id: str, workers: int) -> None:
    """Ask up to ``workers`` workers to compute members of a run; DatabaseError when the queue cannot be reached."""
    _defer(engine, HELP, MEMBERS, None, [{"run_id": run_id}] * workers)


def list_carried() -> dict[str, str]:
    """Return what a job takes along of the request that asked for it."""
    held, parent = read_context(), read_parent()
    carried = {name: held[name] for name in CARRIED if name in held}
    return carried if parent is None else {**carried, PARENT: parent}


def list_options() -> dict[str, Any]:
    """Return how a connection of the queue is opened."""
    return {"options": _SEARCH_PATH, "application_name": "twin-queue", "connect_timeout": 10, **CLIENT_HEARS}


def _defer(
    engine: Engine, task: str, queue: str, lock: str | None, jobs: list[dict[str, Any]], priority: int = 0
) -> list[int]:
    app = App(connector=SyncPsycopgConnector(conninfo=plain_url(engine), kwargs=list_options(), min_size=1, max_size=1))
    try:
        with app.open():
            configured = app.configure_task(task, queue=queue, lock=lock, priority=priority, allow_unknown=True)
            return [int(configured.defer(**job)) for job in jobs]
    except ConnectorException as error:
        raise DatabaseError(f"run '{jobs[0]['run_id']}' could not be put into the queue: {error}") from error

"""The queue: jobs that carry out runs, on PostgreSQL (Procrastinate), by as many workers as there are.

A job is only the run's id; the run's record holds everything. A worker that dies leaves its job to be found by the
next one: its heart no longer beats, the job goes back to the queue and the run restarts from its last checkpoint.
"""

import asyncio
import contextlib
import logging
from typing import Any

from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from procrastinate.exceptions import ConnectorException
from sqlalchemy import Engine

from layers.errors import DatabaseError
from layers.store.engine import plain_url
from twin.runs import execute
from twin.settings import Settings

QUEUE = "runs"
TASK = "execute_run"
STALLED_S = 30.0
_SEARCH_PATH = "-c search_path=queue,public -c timezone=UTC"

log = logging.getLogger("twin.jobs")


def defer_run(engine: Engine, run_id: str) -> int:
    """Put an accepted run into the queue and return the job's number.

    The same run waits in the queue only once. Raises DatabaseError when the queue cannot be reached.
    """
    app = App(connector=SyncPsycopgConnector(conninfo=plain_url(engine), kwargs=_options(), min_size=1, max_size=1))
    try:
        with app.open():
            job = app.configure_task(TASK, queue=QUEUE, lock=run_id, allow_unknown=True)
            return int(job.defer(run_id=run_id))
    except ConnectorException as error:
        raise DatabaseError(f"run '{run_id}' could not be put into the queue: {error}") from error


def make_worker_app(engine: Engine, settings: Settings) -> App:
    """Return the queue's application with the task that carries out runs."""
    app = App(connector=PsycopgConnector(conninfo=plain_url(engine), kwargs=_options(), min_size=1, max_size=4))

    @app.task(name=TASK, queue=QUEUE)
    def execute_run(run_id: str) -> None:
        run = execute(engine, settings, run_id)
        log.info("run %s is %s", run_id, run.status)

    return app


def work(engine: Engine, settings: Settings, *, once: bool = False, stalled_s: float = STALLED_S) -> None:
    """Carry out the runs in the queue: all that wait and then stop if ``once``, else until told to stop.

    Jobs of workers whose heart did not beat for ``stalled_s`` [s] are taken up again.
    """
    asyncio.run(_work(engine, settings, once, stalled_s))


async def _work(engine: Engine, settings: Settings, once: bool, stalled_s: float) -> None:
    app = make_worker_app(engine, settings)
    async with app.open_async():
        await _rescue(app, stalled_s)
        rescuer = asyncio.create_task(_rescue_forever(app, stalled_s))
        try:
            await app.run_worker_async(
                queues=[QUEUE],
                wait=not once,
                concurrency=settings.worker_threads,
                fetch_job_polling_interval=2.0,
                update_heartbeat_interval=stalled_s / 3.0,
                stalled_worker_timeout=stalled_s,
            )
        finally:
            rescuer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await rescuer


async def _rescue_forever(app: App, stalled_s: float) -> None:
    while True:
        await asyncio.sleep(stalled_s / 2.0)
        await _rescue(app, stalled_s)


async def _rescue(app: App, stalled_s: float) -> None:
    """Put the jobs of dead workers back into the queue."""
    for job in await app.job_manager.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=stalled_s):
        log.warning("job %s of run %s was left by a dead worker", job.id, job.task_kwargs.get("run_id"))
        await app.job_manager.retry_job(job)


def _options() -> dict[str, Any]:
    return {"options": _SEARCH_PATH, "application_name": "twin-queue", "connect_timeout": 10}

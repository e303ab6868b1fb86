"""The queue: jobs that carry out runs, on PostgreSQL (Procrastinate), by as many workers as there are.

A job is only the run's id; the run's record holds everything. A worker that dies leaves its job to be found by the
next one: its heart no longer beats, the job goes back to the queue and the run restarts from its last checkpoint.
"""

import asyncio
import contextlib
import logging
import time

from procrastinate import App, PsycopgConnector
from sqlalchemy import Engine

from layers.store.engine import plain_url
from twin.board import Board
from twin.callbacks import deliver_due, deliver_forever
from twin.ensemble import help_members
from twin.forecasts.schedule import forecast_forever
from twin.queue import HELP, MEMBERS, QUEUE, TASK, list_options
from twin.runs import execute
from twin.settings import Settings
from twin.tending import tend_forever

STALLED_S = 30.0
YIELD_S = 3.0
"""How long a worker beside the run itself leaves a call for help to others."""

log = logging.getLogger("twin.jobs")


def make_worker_app(engine: Engine, settings: Settings) -> App:
    """Return the queue's application with the task that carries out runs."""
    app = App(connector=PsycopgConnector(conninfo=plain_url(engine), kwargs=list_options(), min_size=1, max_size=4))

    @app.task(name=TASK, queue=QUEUE)
    def execute_run(run_id: str) -> None:
        run = execute(engine, settings, run_id)
        log.info("run %s is %s", run_id, run.status)

    @app.task(name=HELP, queue=MEMBERS)
    def help_run(run_id: str) -> None:
        board = Board(engine, run_id)
        try:
            opened = board.read()
            if opened is None:
                return
            if opened[0] == settings.machine:
                time.sleep(YIELD_S)
                return
            log.info("computed %d members of run %s", help_members(board), run_id)
        finally:
            board.leave()

    return app


def work(
    engine: Engine,
    settings: Settings,
    *,
    once: bool = False,
    stalled_s: float = STALLED_S,
    only_members: bool = False,
) -> None:
    """Carry out the runs in the queue: all that wait and then stop if ``once``, else until told to stop.

    Jobs of workers whose heart did not beat for ``stalled_s`` [s] are taken up again. With ``only_members`` it computes
    members of runs that others carry out, and needs nothing but the database.
    """
    asyncio.run(_work(engine, settings, once, stalled_s, only_members))


async def _work(engine: Engine, settings: Settings, once: bool, stalled_s: float, only_members: bool) -> None:
    app = make_worker_app(engine, settings)
    async with app.open_async():
        await _rescue(app, stalled_s)
        beside = [asyncio.create_task(_rescue_forever(app, stalled_s))]
        if not (once or only_members):
            beside.append(asyncio.create_task(tend_forever(engine, settings)))
            beside.append(asyncio.create_task(forecast_forever(engine, settings)))
            beside.append(asyncio.create_task(deliver_forever(engine, settings)))
        try:
            await app.run_worker_async(
                queues=[MEMBERS] if only_members else [QUEUE, MEMBERS],
                wait=not once,
                concurrency=settings.worker_threads,
                fetch_job_polling_interval=2.0,
                update_heartbeat_interval=stalled_s / 3.0,
                stalled_worker_timeout=stalled_s,
            )
        finally:
            for task in beside:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        if once and not only_members:
            await asyncio.to_thread(deliver_due, engine, settings)


async def _rescue_forever(app: App, stalled_s: float) -> None:
    while True:
        await asyncio.sleep(stalled_s / 2.0)
        await _rescue(app, stalled_s)


async def _rescue(app: App, stalled_s: float) -> None:
    """Put the jobs of dead workers back into the queue."""
    for queue in (QUEUE, MEMBERS):
        for job in await app.job_manager.get_stalled_jobs(queue=queue, seconds_since_heartbeat=stalled_s):
            log.warning("job %s of run %s was left by a dead worker", job.id, job.task_kwargs.get("run_id"))
            await app.job_manager.retry_job(job)

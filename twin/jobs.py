"""The queue: jobs that carry out runs, on PostgreSQL (Procrastinate), by as many workers as there are.

A job is only the run's id; the run's record holds everything. A worker that dies leaves its job to be found by the
next one: its heart no longer beats, the job goes back to the queue and the run restarts from its last checkpoint. A
worker that is told to stop hands its runs back at their next step. One that loses the database waits for it.
"""

import asyncio
import contextlib
import logging
import signal
import threading
import time

from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from layers.errors import ConflictError, TwinError
from layers.store.engine import plain_url
from twin.board import Board
from twin.callbacks import deliver_due, deliver_forever
from twin.ensemble import help_members
from twin.forecasts.schedule import forecast_forever
from twin.observing.context import bound
from twin.observing.heart import alive
from twin.observing.measuring import measure_objectives
from twin.observing.traces import PARENT, span
from twin.observing.work import WorkFigures
from twin.queue import HELP, LOOP, MEMBERS, QUEUE, TASK, defer_run, list_options
from twin.runs import BusyError, HandedBackError, execute
from twin.settings import Settings
from twin.store_queue import has_waiting, list_abandoned
from twin.tending import tend_forever

STALLED_S = 30.0
YIELD_S = 3.0
"""How long a worker beside the run itself leaves a call for help to others."""
BUSY_S, RETRY_S = 15, 1.0
LOOK_S = 2.0
"""How often a worker looks whether the flood loop has a run for it."""
ABANDONED_S = 120.0
"""A run without a job, of which nothing was heard for so long, is put into the queue."""

log = logging.getLogger("twin.jobs")


class _TakeUpAgain(BaseRetryStrategy):
    """A run that was handed back is taken up at once; one that somebody else is at is looked at later."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Return when to try again, None for what failed for good."""
        if isinstance(exception, HandedBackError):
            return RetryDecision(retry_in={"seconds": 0})
        return RetryDecision(retry_in={"seconds": BUSY_S}) if isinstance(exception, BusyError) else None


def make_worker_app(engine: Engine, settings: Settings, figures: WorkFigures, leaving: threading.Event) -> App:
    """Return the queue's application with the task that carries out runs; they stop when ``leaving`` is set."""
    app = App(connector=PsycopgConnector(conninfo=plain_url(engine), kwargs=list_options(), min_size=1, max_size=4))

    @app.task(name=TASK, queue=QUEUE, pass_context=True, retry=_TakeUpAgain())
    def execute_run(context: JobContext, run_id: str, carried: dict[str, str] | None = None) -> None:
        asked = carried or {}
        job = str(context.job.id)
        with (
            bound({"run_id": run_id, "job_id": job, "request_id": asked.get("request_id"), "who": asked.get("who")}),
            span("job", "consumer", asked.get(PARENT), run_id=run_id, job_id=job),
            figures.measure(TASK),
        ):
            log.info("run %s begins", run_id)
            try:
                run = execute(engine, settings, run_id, leaving=leaving)
            except BusyError:
                raise
            except ConflictError as error:
                # It was over when its worker died, or somebody dismissed it.
                log.info("%s", error)
                return
            except TwinError as error:
                log.warning("run %s ends early: %s", run_id, error)
                raise
            log.info("run %s is %s", run_id, run.status)

    @app.task(name=HELP, queue=MEMBERS)
    def help_run(run_id: str) -> None:
        with bound({"run_id": run_id}), span("help", "consumer", run_id=run_id), figures.measure(HELP):
            _help(run_id)

    def _help(run_id: str) -> None:
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
    figures, leaving = WorkFigures(), threading.Event()
    app = make_worker_app(engine, settings, figures, leaving)
    beside = None if only_members else measure_objectives
    with alive(settings, "worker", figures.registry, beside=beside, url=plain_url(engine)):
        asyncio.run(_work(app, engine, settings, once, stalled_s, only_members, leaving))


async def _work(
    app: App,
    engine: Engine,
    settings: Settings,
    once: bool,
    stalled_s: float,
    only_members: bool,
    leaving: threading.Event,
) -> None:
    """Follow the queue until told to stop, or until it is empty if ``once``; a lost database is waited for."""
    stop = asyncio.Event()

    def leave() -> None:
        leaving.set()
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, leave)
    while not stop.is_set():
        try:
            await _follow_queue(app, engine, settings, once, stalled_s, only_members, stop)
        except (ConnectorException, SQLAlchemyError, TwinError) as error:
            if once:
                raise
            log.warning("the queue cannot be followed for now: %s", error)
        if once:
            break
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), RETRY_S)
    if once and not only_members:
        await asyncio.to_thread(deliver_due, engine, settings)


async def _follow_queue(
    app: App,
    engine: Engine,
    settings: Settings,
    once: bool,
    stalled_s: float,
    only_members: bool,
    stop: asyncio.Event,
) -> None:
    async with app.open_async():
        await _rescue(app, engine, stalled_s)
        beside = [asyncio.create_task(_rescue_forever(app, engine, stalled_s))]
        if not (once or only_members):
            beside.append(asyncio.create_task(tend_forever(engine, settings)))
            beside.append(asyncio.create_task(forecast_forever(engine, settings)))
            beside.append(asyncio.create_task(deliver_forever(engine, settings)))
            beside.append(asyncio.create_task(_follow_loop(app, engine, stalled_s)))
        told = asyncio.create_task(stop.wait())
        # It ends by itself when its heartbeat or its notifications fail.
        worker = asyncio.create_task(
            app.run_worker_async(
                queues=_list_queues(once, only_members),
                wait=not once,
                concurrency=settings.worker_threads,
                fetch_job_polling_interval=2.0,
                update_heartbeat_interval=stalled_s / 3.0,
                stalled_worker_timeout=stalled_s,
                install_signal_handlers=False,
            )
        )
        try:
            await asyncio.wait({worker, told}, return_when=asyncio.FIRST_COMPLETED)
            if not worker.done():
                worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await worker
        finally:
            for task in (told, *beside):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task


def _list_queues(once: bool, only_members: bool) -> list[str]:
    """Return the queues of a worker's places; one that stays has a place of its own for the flood loop."""
    if only_members:
        return [MEMBERS]
    return [QUEUE, MEMBERS, *([LOOP] if once else [])]


async def _follow_loop(app: App, engine: Engine, stalled_s: float) -> None:
    """Carry out the flood loop's runs beside all others: what fills this worker does not hold them up."""
    while True:
        try:
            if await asyncio.to_thread(_has_loop, engine):
                await app.run_worker_async(
                    queues=[LOOP],
                    wait=False,
                    concurrency=1,
                    listen_notify=False,
                    update_heartbeat_interval=stalled_s / 3.0,
                    stalled_worker_timeout=stalled_s,
                    install_signal_handlers=False,
                )
        except (ConnectorException, SQLAlchemyError) as error:
            log.warning("the flood loop's runs are not followed for now: %s", error)
        await asyncio.sleep(LOOK_S)


def _has_loop(engine: Engine) -> bool:
    with engine.connect() as connection:
        return has_waiting(connection, LOOP)


async def _rescue_forever(app: App, engine: Engine, stalled_s: float) -> None:
    while True:
        await asyncio.sleep(stalled_s / 2.0)
        try:
            await _rescue(app, engine, stalled_s)
        except (ConnectorException, SQLAlchemyError, TwinError) as error:
            log.warning("dead workers are not looked for for now: %s", error)


async def _rescue(app: App, engine: Engine, stalled_s: float) -> None:
    """Put the jobs of dead workers back into the queue, and runs that lost theirs."""
    for queue in (QUEUE, MEMBERS, LOOP):
        for job in await app.job_manager.get_stalled_jobs(queue=queue, seconds_since_heartbeat=stalled_s):
            log.warning("job %s of run %s was left by a dead worker", job.id, job.task_kwargs.get("run_id"))
            await app.job_manager.retry_job(job)
    await asyncio.to_thread(_adopt, engine)


def _adopt(engine: Engine) -> None:
    with engine.begin() as connection:
        abandoned = list_abandoned(connection, silent_s=ABANDONED_S)
    for run_id in abandoned:
        log.warning("run %s was left without a job", run_id)
        defer_run(engine, run_id)

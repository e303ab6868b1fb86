"""SQL of the queue's own tables: who works on it, what waits in it."""

from sqlalchemy import Connection, text


def count_workers(connection: Connection, *, seen_within_s: float) -> int:
    """Return how many workers' hearts beat within ``seen_within_s`` [s]."""
    return int(
        connection.execute(
            text(
                # A worker that does the flood loop's run has another heart for it.
                "select count(*) from queue.procrastinate_workers w "
                "where last_heartbeat > now() - make_interval(secs => :seconds) and not exists "
                "(select from queue.procrastinate_jobs j where j.worker_id = w.id and j.queue_name = 'loop')"
            ),
            {"seconds": seen_within_s},
        ).scalar_one()
    )


def lock_queue(connection: Connection) -> None:
    """Let nobody else put something into the queue by count until the transaction ends."""
    connection.execute(text("select pg_advisory_xact_lock(hashtextextended('queue', 9))"))


def count_waiting(connection: Connection, who: str) -> tuple[int, int]:
    """Return how many runs wait in the queue, and how many of them somebody asked for."""
    row = connection.execute(
        text(
            "select count(*), count(*) filter (where j.args -> 'carried' ->> 'who' = :who) "
            # The job of a run that was dismissed while it waited is there until a worker drops it.
            "from queue.procrastinate_jobs j join run.run r on r.id = j.args ->> 'run_id' and r.status <> 'dismissed' "
            "where j.status = 'todo' and j.queue_name = 'runs'"
        ),
        {"who": who},
    ).one()
    return int(row[0]), int(row[1])


def has_waiting(connection: Connection, queue: str) -> bool:
    """Return whether something in ``queue`` waits to be begun now."""
    return bool(
        connection.execute(
            text(
                "select exists (select from queue.procrastinate_jobs where status = 'todo' and queue_name = :queue "
                "and (scheduled_at is null or scheduled_at <= now()))"
            ),
            {"queue": queue},
        ).scalar_one()
    )


def list_abandoned(connection: Connection, *, silent_s: float) -> list[str]:
    """Return the runs that wait or were begun, but have no job, are at nobody and said nothing for ``silent_s`` [s].

    Who entered them, or carried them out without the queue, died before they were over.
    """
    rows = connection.execute(
        text(
            "select id from run.run where status in ('accepted', 'running') "
            "and updated < now() - make_interval(secs => :seconds) and not exists (select from "
            "queue.procrastinate_jobs where status in ('todo', 'doing') and args ->> 'run_id' = run.run.id "
            "and task_name = 'execute_run') order by created"
        ),
        {"seconds": silent_s},
    ).scalars()
    # Who carries a run out holds its lock.
    return [run_id for run_id in list(rows) if _is_at_nobody(connection, run_id)]


def _is_at_nobody(connection: Connection, run_id: str) -> bool:
    return bool(
        connection.execute(
            text("select pg_try_advisory_xact_lock(hashtextextended(:id, 7))"), {"id": run_id}
        ).scalar_one()
    )


def read_backlog(connection: Connection) -> tuple[int, float | None]:
    """Return how many jobs wait, and for how long the oldest has [s], None where none does."""
    row = connection.execute(
        text(
            "select count(*), extract(epoch from now() - min(e.at))::float from queue.procrastinate_jobs j "
            "left join lateral (select max(at) as at from queue.procrastinate_events "
            "where job_id = j.id and type in ('deferred', 'deferred_for_retry', 'retried')) e on true "
            "where j.status = 'todo' and (j.scheduled_at is null or j.scheduled_at <= now())"
        )
    ).one()
    return int(row[0]), row[1]

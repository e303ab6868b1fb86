"""SQL of the forecast loop: when it turned, what it ran, why it did not, and whom the water reaches first."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

NAME = "flood"


@dataclass(frozen=True, slots=True)
class LoopState:
    """How the loop stands; ``late_since`` is set when nothing was finished, or found unchanged, for two intervals."""

    name: str
    interval_s: float
    checked: datetime | None
    last_started: datetime | None
    last_finished: datetime | None
    skipped: datetime | None
    skipped_why: str | None
    run_id: str | None
    status: str | None
    message: str | None
    late_since: datetime | None


@dataclass(frozen=True, slots=True)
class WardWater:
    """A ward in a run: assets touched, people in them, when the first of them gets water."""

    ward_code: str
    ward_name: str
    assets: int
    buildings: int
    people: int
    depth_max: float
    first_water: datetime | None


def lock_loop(connection: Connection, *, wait: bool = False) -> bool:
    """Take the loop until the transaction ends; return False when another turns it, or ``wait`` for that one."""
    if wait:
        connection.execute(text("select pg_advisory_xact_lock(hashtext('forecast.loop'))"))
        return True
    return bool(connection.execute(text("select pg_try_advisory_xact_lock(hashtext('forecast.loop'))")).scalar_one())


def forget_loop(connection: Connection) -> None:
    """Forget how the loop stood: where it is off it is not late."""
    connection.execute(text("delete from forecast.loop_state where name = :name"), {"name": NAME})


def check_loop(connection: Connection, interval_s: float) -> str | None:
    """Note that the loop was looked at, and return the fingerprint of its newest run that was not a failure."""
    connection.execute(
        text(
            "insert into forecast.loop_state (name, interval_s, checked) values (:name, :interval, clock_timestamp()) "
            "on conflict (name) do update set interval_s = excluded.interval_s, checked = excluded.checked"
        ),
        {"name": NAME, "interval": interval_s},
    )
    found: str | None = connection.execute(
        text(
            "select l.fingerprint from forecast.loop_run l join run.run r on r.id = l.run_id "
            "where l.name = :name and r.status in ('accepted', 'running', 'successful') "
            "order by l.started desc limit 1"
        ),
        {"name": NAME},
    ).scalar()
    return found


def find_open_run(connection: Connection) -> str | None:
    """Return the loop's run that waits or works, or None."""
    found: str | None = connection.execute(
        text(
            "select l.run_id from forecast.loop_run l join run.run r on r.id = l.run_id "
            "where l.name = :name and r.status in ('accepted', 'running') order by l.started desc limit 1"
        ),
        {"name": NAME},
    ).scalar()
    return found


def note_skip(connection: Connection, why: str) -> None:
    """Note that the loop ran nothing, and why."""
    connection.execute(
        text("update forecast.loop_state set skipped = clock_timestamp(), skipped_why = :why where name = :name"),
        {"name": NAME, "why": why},
    )


def note_start(connection: Connection, run_id: str, fingerprint: str, issue_time: datetime) -> None:
    """Note that the loop started a run."""
    connection.execute(
        text(
            "insert into forecast.loop_run (run_id, name, fingerprint, issue_time) "
            "values (:run, :name, :fingerprint, :issue_time)"
        ),
        {"run": run_id, "name": NAME, "fingerprint": fingerprint, "issue_time": issue_time},
    )
    connection.execute(
        text(
            "update forecast.loop_state set last_started = clock_timestamp(), run_id = :run, "
            "fingerprint = :fingerprint, skipped = null, skipped_why = null where name = :name"
        ),
        {"name": NAME, "run": run_id, "fingerprint": fingerprint},
    )


def list_old_runs(connection: Connection, keep: int) -> list[str]:
    """Return the loop's finished runs but the newest ``keep``."""
    return list(
        connection.execute(
            text(
                "select l.run_id from forecast.loop_run l join run.run r on r.id = l.run_id "
                "where l.name = :name and r.status not in ('accepted', 'running') "
                "order by l.started desc offset :keep"
            ),
            {"name": NAME, "keep": keep},
        ).scalars()
    )


def read_loop(connection: Connection) -> LoopState | None:
    """Return how the loop stands, or None when it never turned."""
    row = connection.execute(
        text(
            "select name, interval_s, checked, last_started, last_finished, skipped, skipped_why, run_id, status, "
            "message, late_since from forecast.loop where name = :name"
        ),
        {"name": NAME},
    ).first()
    return None if row is None else LoopState(*row)


def find_newest_run(connection: Connection) -> str | None:
    """Return the loop's newest successful run, or None."""
    found: str | None = connection.execute(
        text(
            "select l.run_id from forecast.loop_run l join run.run r on r.id = l.run_id "
            "where l.name = :name and r.status = 'successful' order by l.started desc limit 1"
        ),
        {"name": NAME},
    ).scalar()
    return found


def list_ward_water(connection: Connection, run_id: str) -> list[WardWater]:
    """Return the wards whose assets a run found touched, those the water reaches first before the others."""
    rows = connection.execute(
        text(
            "select a.ward_code, coalesce(min(w.name), a.ward_code) as name, count(*) as assets, "
            "count(*) filter (where a.asset_layer = 'buildings') as buildings, "
            "coalesce(sum(a.people), 0)::integer as people, max(a.depth_max) as depth_max, "
            "min(a.arrival) as first_water "
            "from city.flood_assets a left join city.wards w on w.ward_code = a.ward_code "
            "where a.run_id = :run and a.ward_code is not null "
            "group by a.ward_code order by first_water nulls last, a.ward_code"
        ),
        {"run": run_id},
    )
    return [WardWater(*row) for row in rows]

"""SQL of signs of life and of objectives by the hour."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

SILENT_S = 45.0
"""A process that wrote nothing for so long [s] is taken for dead."""
FORGET_S = 3600.0
MEASURED = "measured"
"""The name under which minutes that were measured are counted."""


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """A process of the twin: how long ago it last gave a sign of life [s], and its figures in Prometheus' text."""

    part: str
    machine: str
    pid: int
    started: datetime
    seen: datetime
    silent_s: float
    figures: str

    @property
    def is_alive(self) -> bool:
        """Whether it gave a sign of life a short while ago."""
        return self.silent_s < SILENT_S


@dataclass(frozen=True, slots=True)
class Counted:
    """Of ``total`` chances ``good`` were good."""

    good: float
    total: float


def give_sign(connection: Connection, part: str, machine: str, pid: int, figures: str) -> None:
    """Write that a process lives, and its figures; those that are silent for an hour are forgotten."""
    connection.execute(
        text(
            "insert into observing.process (part, machine, pid, figures) values (:part, :machine, :pid, :figures) "
            "on conflict (part, machine, pid) do update set seen = clock_timestamp(), figures = excluded.figures"
        ),
        {"part": part, "machine": machine, "pid": pid, "figures": figures},
    )
    connection.execute(
        text("delete from observing.process where seen < clock_timestamp() - make_interval(secs => :age)"),
        {"age": FORGET_S},
    )


def take_leave(connection: Connection, part: str, machine: str, pid: int) -> None:
    """Forget a process that ends."""
    connection.execute(
        text("delete from observing.process where part = :part and machine = :machine and pid = :pid"),
        {"part": part, "machine": machine, "pid": pid},
    )


def list_processes(connection: Connection) -> list[ProcessRow]:
    """Return the processes that gave a sign of life within the last hour, those of one part together."""
    rows = connection.execute(
        text(
            "select part, machine, pid, started, seen, extract(epoch from clock_timestamp() - seen)::float, figures "
            "from observing.process order by part, machine, pid"
        )
    )
    return [ProcessRow(*row) for row in rows]


def limit_statements(connection: Connection, seconds: float) -> None:
    """Let no statement of this transaction take longer than ``seconds`` [s]."""
    connection.execute(
        text("select set_config('statement_timeout', :limit, true)"), {"limit": str(int(seconds * 1000.0))}
    )


def read_moment(connection: Connection) -> datetime:
    """Return what time the database says it is."""
    moment: datetime = connection.execute(text("select clock_timestamp()")).scalar_one()
    return moment


def add_chances(connection: Connection, objective: str, hour: datetime, counted: Counted) -> None:
    """Add chances to an hour of an objective."""
    connection.execute(
        text(
            "insert into observing.objective_hour as h (objective, hour, good, total) "
            "values (:objective, :hour, :good, :total) on conflict (objective, hour) do update set "
            "good = h.good + excluded.good, total = h.total + excluded.total"
        ),
        {"objective": objective, "hour": hour, "good": counted.good, "total": counted.total},
    )


def claim_minute(connection: Connection, minute: datetime) -> bool:
    """Return whether nobody has measured this minute, and note that it is being measured until the transaction ends."""
    claimed = connection.execute(
        text(
            "insert into observing.objective_hour as h (objective, hour, good, total, measured) "
            "values (:measured, :hour, 1, 1, :minute) on conflict (objective, hour) do update set "
            "good = h.good + 1, total = h.total + 1, measured = excluded.measured "
            "where h.measured < excluded.measured"
        ),
        {"measured": MEASURED, "hour": minute.replace(minute=0), "minute": minute},
    )
    return claimed.rowcount > 0


def set_hours(connection: Connection, objective: str, since: datetime, hours: dict[datetime, Counted]) -> None:
    """Replace the hours of an objective from ``since`` on by those counted anew."""
    connection.execute(
        text("delete from observing.objective_hour where objective = :objective and hour >= :since"),
        {"objective": objective, "since": since},
    )
    for hour, counted in hours.items():
        add_chances(connection, objective, hour, counted)


def list_hours(connection: Connection, since: datetime) -> dict[str, dict[datetime, Counted]]:
    """Return what was counted of every objective in the hours from ``since`` on."""
    rows = connection.execute(
        text("select objective, hour, good, total from observing.objective_hour where hour >= :since order by 1, 2"),
        {"since": since},
    )
    found: dict[str, dict[datetime, Counted]] = {}
    for row in rows:
        found.setdefault(row.objective, {})[row.hour] = Counted(row.good, row.total)
    return found


def forget_hours(connection: Connection, now: datetime, *, days: int = 90) -> None:
    """Forget hours older than ``days``."""
    connection.execute(
        text("delete from observing.objective_hour where hour < :before"), {"before": now - timedelta(days=days)}
    )


def count_deliveries(connection: Connection, since: datetime, within_s: float) -> dict[datetime, Counted]:
    """Return by hour of cause how many deliveries were due, and how many were sent within ``within_s`` [s].

    One that still waits counts as soon as its time is over.
    """
    rows = connection.execute(
        text(
            "select date_trunc('hour', o.created) as hour, count(*) filter (where d.state = 'sent' and "
            "d.settled <= o.created + make_interval(secs => :within)) as good, count(*) as total "
            "from warning.outbox o join warning.delivery d on d.outbox = o.id "
            "where o.created >= :since and (d.state in ('sent', 'dead') or "
            "(d.state = 'waiting' and o.created < clock_timestamp() - make_interval(secs => :within))) group by 1"
        ),
        {"since": since, "within": within_s},
    )
    return {row.hour: Counted(float(row.good), float(row.total)) for row in rows}


def read_forecast_age(connection: Connection) -> tuple[float | None, float | None]:
    """Return how old the newest forecast and the newest flood run of the loop are [s], None where there is none."""
    row = connection.execute(
        text(
            "select extract(epoch from clock_timestamp() - (select max(issue_time) from forecast.issue))::float, "
            "extract(epoch from clock_timestamp() - (select max(greatest(last_finished, "
            "case when skipped_why = 'unchanged' then skipped end)) from forecast.loop))::float"
        )
    ).one()
    return row[0], row[1]

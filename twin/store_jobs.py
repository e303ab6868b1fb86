"""SQL of the list of jobs: filters and pages of OGC API Processes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from twin.store import RUN_COLUMNS, RunRow


@dataclass(frozen=True, slots=True)
class JobQuery:
    """Which jobs: all given conditions hold; durations [s] are those of running jobs until now."""

    processes: Sequence[str] = ()
    statuses: Sequence[str] = ()
    start: datetime | None = None
    end: datetime | None = None
    min_duration: float | None = None
    max_duration: float | None = None


def select_jobs(
    connection: Connection, query: JobQuery, *, after: tuple[datetime, str] | None = None, limit: int
) -> list[RunRow]:
    """Return the newest runs that match, those after the position ``after`` (when created, id)."""
    conditions, values = ["true"], dict[str, Any](limit=limit)

    def demand(condition: str, **given: Any) -> None:
        conditions.append(condition)
        values.update(given)

    if query.processes:
        demand("process = any(:processes)", processes=list(query.processes))
    if query.statuses:
        demand("status = any(:statuses)", statuses=list(query.statuses))
    if query.start is not None:
        demand("created >= :start", start=query.start)
    if query.end is not None:
        demand("created <= :end", end=query.end)
    lasted = "extract(epoch from coalesce(finished, now()) - started)"
    if query.min_duration is not None:
        demand(f"{lasted} >= :min_duration", min_duration=query.min_duration)
    if query.max_duration is not None:
        demand(f"{lasted} <= :max_duration", max_duration=query.max_duration)
    if after is not None:
        demand("(created, id) < (:created, :id)", created=after[0], id=after[1])
    rows: Any = connection.execute(
        text(
            f"select {RUN_COLUMNS} from run.run where {' and '.join(conditions)} "
            "order by created desc, id desc limit :limit"
        ),
        values,
    )
    return [RunRow(*row) for row in rows]

"""SQL of what alarms hear of forecasts: issues as they became known, and the state of the loops."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

PROBABILITIES = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)


@dataclass(frozen=True, slots=True)
class IssueRow:
    """One issue: times [s since 1970 UTC], and of each lead [s] the values at ``PROBABILITIES``."""

    series: str
    issue_time: float
    created: float
    values: list[tuple[float, list[float]]]


@dataclass(frozen=True, slots=True)
class Loop:
    """A forecast loop: how often it is due [s], and when it was last done or found nothing to do [s since 1970 UTC]."""

    name: str
    interval_s: float
    heard: float


def select_issues(connection: Connection, series: Sequence[str], since: datetime, before: datetime) -> list[IssueRow]:
    """Return the issues of ``series`` that were kept at ``since`` ≤ time < ``before``, in that order."""
    rows = connection.execute(
        text(
            "select d.id, extract(epoch from i.issue_time)::double precision as issued, "
            "extract(epoch from i.created)::double precision as created, "
            "json_agg(json_build_array(v.lead_s, array[v.q05, v.q10, v.q25, v.q50, v.q75, v.q90, v.q95]) "
            "order by v.lead_s) as found "
            "from forecast.issue i join sensing.datastream d on d.fid = i.datastream "
            "join forecast.value v on v.issue = i.id where d.id = any(:series) and i.created >= :since "
            "and i.issue_time >= cast(:since as timestamptz) - interval '2 days' "
            "and i.created < :before group by d.id, i.id order by i.created"
        ),
        {"series": list(series), "since": since, "before": before},
    )
    return [
        IssueRow(
            row.id, row.issued, row.created, [(float(lead), [float(q) for q in values]) for lead, values in row.found]
        )
        for row in rows
    ]


def list_loops(connection: Connection) -> list[Loop]:
    """Return the forecast loops there are."""
    rows = connection.execute(
        text(
            "select name, interval_s, extract(epoch from greatest(since, last_finished, "
            "case when skipped_why = 'unchanged' then skipped end))::double precision as heard "
            "from forecast.loop order by name"
        )
    )
    return [Loop(row.name, row.interval_s, row.heard) for row in rows]

"""SQL of what alarms hear of leaks: the finished searches, and the zones they searched."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

# The model and the area that were searched, empty for the whole network of the layers.
_ZONE = "left(concat_ws('/', r.inputs->>'model', r.summary->>'area'), 200)"
_FINISHED = "r.process = 'leak-detection' and r.status = 'successful'"


@dataclass(frozen=True, slots=True)
class Search:
    """A search: its zone, when it finished [s since 1970 UTC], what the leaks that run take together [m3/s]."""

    zone: str
    finished: float
    flow: float


def select_searches(connection: Connection, since: datetime, before: datetime) -> list[Search]:
    """Return the searches that finished at ``since`` ≤ time < ``before``, in that order.

    One whose readings end more than a day before it finished looks back: it is no news.
    """
    rows = connection.execute(
        text(
            f"select {_ZONE} as zone, extract(epoch from r.finished)::double precision as finished, "
            "(select coalesce(sum((a->>'size')::double precision), 0.0) from jsonb_array_elements(r.summary->'alarms') "
            f"a where a->>'ended' is null) as flow from run.run r where {_FINISHED} "
            "and r.finished >= :since and r.finished < :before "
            "and r.base_time + make_interval(secs => 3600 * r.horizon_hours) > r.finished - interval '1 day' "
            "order by r.finished"
        ),
        {"since": since, "before": before},
    )
    return [Search(row.zone, row.finished, row.flow) for row in rows]


def list_searched_zones(connection: Connection) -> list[str]:
    """Return the zones that were searched."""
    rows = connection.execute(text(f"select distinct {_ZONE} as zone from run.run r where {_FINISHED} order by zone"))
    return [row.zone for row in rows]

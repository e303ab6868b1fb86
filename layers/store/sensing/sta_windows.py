"""The newest readings of all series: looked for in a short time before the newest first, in a longer one after.

Readings are indexed by series and time. Of all series in the order of time, newest first, a page mostly lies in the
last hour; that hour is found by one descent of the index a series instead of by sorting everything there is. A window
that holds too few readings is widened, at last to all of time, so that the answer is the same.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, text

from layers.store.sensing.sta_build import find_keyset
from layers.store.sensing.sta_grouping import list_members
from layers.store.sensing.sta_request import Query, ResourcePath
from layers.store.sensing.sta_scope import read_key
from layers.store.sensing.sta_terms import Statement

WINDOWS = (timedelta(hours=1), timedelta(days=1), timedelta(days=31))


def find_windows(connection: Connection, path: ResourcePath, query: Query) -> list[datetime]:
    """Return the moments from which on to look, the latest first; none where the order is another one."""
    keyset = find_keyset(path.entity, query.orders)
    if path.entity.name != "Observations" or path.last.link is not None or keyset is None:
        return []
    (first, *_), descending = keyset
    if not descending or first != "{a}.phenomenon_time":
        return []
    newest = connection.execute(text("select max(phenomenon_time) from sensing.latest")).scalar()
    if query.after is not None:
        newest = next(
            (value for value in read_key(path.entity, query.after) or () if isinstance(value, datetime)), None
        )
    if newest is None:
        return []
    # A clock that runs ahead must not draw the windows into a time without readings.
    end = min(newest, datetime.now(UTC))
    return [end - length for length in WINDOWS if end - datetime.min.replace(tzinfo=UTC) > length]


def build_window(statement: Statement, alias: str, query: Query, since: datetime) -> str:
    """Return the condition that a reading is not older than ``since``.

    Where the filter does not choose series, it says "of any series" in the words of the index on series and time.
    """
    recent = f"{alias}.phenomenon_time >= {statement.bind(since, 'timestamptz')}"
    members = () if query.filter is None else list_members(query.filter)
    if any(member.names[0] in ("Datastream", "FeatureOfInterest") for member in members):
        return recent
    return f"{alias}.datastream = any (array(select fid from sensing.datastream)) and {recent}"

"""Where rows of a layer come from: the present table, or the versions of a past, in valid and in system time."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from layers.schema import VectorLayer
from layers.store.names import quote
from layers.store.query.terms import Bindings
from layers.store.tables import CITY, HISTORY

_KEPT = ("fid", "id", "valid_from", "recorded_from", "geom")


class Interval(NamedTuple):
    """A closed stretch of time, open where None; an instant has both ends equal."""

    start: datetime | None
    end: datetime | None


class Past(NamedTuple):
    """A time to read at.

    ``during`` is valid time: every feature that existed then, in its last version of that time. ``recorded`` is system
    time: what the database knew at that moment.
    """

    during: Interval | None = None
    recorded: datetime | None = None


PRESENT = Past()


def build_origin(layer: VectorLayer, columns: Sequence[str], bindings: Bindings, past: Past) -> str:
    """Return the table of ``layer``, or a sub-select of it as it was; either has ``columns`` and needs an alias."""
    if past == PRESENT:
        return f"{CITY}.{quote(layer.id)}"
    present, ended = ["true"], ["true"]
    over = "valid_to"
    if past.recorded is not None:
        known = bindings.bind(past.recorded)
        present.append(f"recorded_from <= {known}")
        # What ended later was not known to end.
        over = f"(case when recorded_to <= {known} then valid_to else 'infinity'::timestamptz end)"
    if past.during is None:
        ended.append(f"{over} = 'infinity'")
    else:
        # A version that was corrected from its own beginning was true at no time.
        ended.append(f"{over} > valid_from")
        if past.during.end is not None:
            present.append(f"valid_from <= {bindings.bind(past.during.end)}")
        if past.during.start is not None:
            ended.append(f"{over} > {bindings.bind(past.during.start)}")
    listed = ", ".join(dict.fromkeys((*_KEPT, *map(quote, columns))))
    began = " and ".join(present)
    return (
        f"(select distinct on (fid) *, ST_Transform(geom, 3857) as geom_3857 from ("
        f"select {listed} from {CITY}.{quote(layer.id)} where {began} union all "
        f"select {listed} from {HISTORY}.{quote(layer.id)} where {began} and {' and '.join(ended)}"
        f") versions order by fid, valid_from desc, recorded_from desc)"
    )

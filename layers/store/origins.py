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
_FARTHEST = 200_000.0
_BENT = 0.01


class Narrowed(NamedTuple):
    """Conditions on rows of a layer's two tables, for the past of those features alone that ever met one."""

    city: str
    history: str


def narrow_to_item(feature_id: str) -> Narrowed:
    """Return the conditions for one item; ``feature_id`` is an expression."""
    return Narrowed(f"id = {feature_id}", f"id = {feature_id}")


def narrow_to_box(envelope: str, width: float) -> Narrowed | None:
    """Return the conditions for a box in EPSG:3857, an expression, of ``width`` [m]; None where it is too wide to gain.

    History is found by its place in the city's CRS, in which the sides of the box are bent: by less than 1 in 100 over
    200 km.
    """
    if width > _FARTHEST:
        return None
    moved = f"ST_Transform({envelope}, (select srid from meta.city))"
    return Narrowed(f"geom_3857 && {envelope}", f"geom && ST_Expand({moved}, {_BENT * width + 1.0!r})")


def build_origin(
    layer: VectorLayer, columns: Sequence[str], bindings: Bindings, past: Past, narrowed: Narrowed | None = None
) -> str:
    """Return the table of ``layer``, or a sub-select of it as it was; either has ``columns`` and needs an alias.

    With ``narrowed`` the past holds at least the features that ever met it.
    """
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
    if narrowed is not None:
        # All versions of a feature count: a later one may lie elsewhere.
        present.append(
            f"fid = any(array(select fid from {CITY}.{quote(layer.id)} where {narrowed.city} union all "
            f"select fid from {HISTORY}.{quote(layer.id)} where {narrowed.history}))"
        )
    began = " and ".join(present)
    return (
        f"(select distinct on (fid) *, ST_Transform(geom, 3857) as geom_3857 from ("
        f"select {listed} from {CITY}.{quote(layer.id)} where {began} union all "
        f"select {listed} from {HISTORY}.{quote(layer.id)} where {began} and {' and '.join(ended)}"
        f") versions order by fid, valid_from desc, recorded_from desc)"
    )

"""What is asked of a layer — a box, values, CQL2 filters, words, a time — as one SQL condition on its rows."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy.exc import DBAPIError

from layers.errors import InputError
from layers.schema import VectorLayer
from layers.store.finding.search_words import fold_words
from layers.store.meeting import write_meets
from layers.store.mercator import Bounds, cut_mercator_boxes
from layers.store.names import quote
from layers.store.origins import PRESENT, Narrowed, Past, build_origin, narrow_to_box
from layers.store.query.filters import Translator
from layers.store.query.terms import Bindings, Scope


@dataclass(frozen=True, slots=True)
class Filter:
    """A CQL2 tree (see ``cql2.py``), and the CRS of the coordinates in it, latitude first where ``flip``."""

    tree: Any
    srid: int = 4326
    flip: bool = False


@dataclass(frozen=True, slots=True)
class ItemQuery:
    """What is asked of a layer; every part must hold.

    ``bounds`` (west, south, east, north) in CRS84, west > east across the antimeridian; ``equals`` pairs of property
    and value; ``filters`` in CQL2; ``words`` that must all be found in the item's id or texts; ``past`` a time to read
    at.
    """

    bounds: Bounds | None = None
    equals: tuple[tuple[str, object], ...] = ()
    filters: tuple[Filter, ...] = ()
    words: str | None = None
    past: Past = PRESENT


@dataclass(slots=True)
class Selection:
    """A query as SQL: ``condition`` on rows of ``write_origin``, with the values its placeholders name."""

    scope: Scope
    past: Past
    condition: str = "true"
    narrowed: Narrowed | None = None

    @property
    def values(self) -> dict[str, object]:
        """The values bound so far."""
        return self.scope.bindings.values

    def write_origin(self, columns: Sequence[str] = ()) -> str:
        """Return where rows come from, with ``columns`` and all that was read in the scope so far."""
        listed = list(dict.fromkeys((*columns, *self.scope.columns)))
        origin = build_origin(self.scope.layer, listed, self.scope.bindings, self.past, self.narrowed)
        return f"{origin} as {self.scope.alias}"


def build_selection(layer: VectorLayer, query: ItemQuery) -> Selection:
    """Return ``query`` as SQL on ``layer``; InputError names what its filters get wrong."""
    bindings = Bindings()
    scope = Scope(layer, "t", bindings)
    conditions = []
    for name, value in query.equals:
        scope.columns[name] = None
        conditions.append(f"t.{quote(name)} = {bindings.bind(value)}")
    narrowed = None
    if query.bounds is not None:
        conditions.append(_write_box(query.bounds, bindings))
        narrowed = _narrow(query.bounds, bindings) if query.past != PRESENT else None

    def find_rows(joined: VectorLayer, columns: Sequence[str], bound: Bindings) -> str:
        return build_origin(joined, columns, bound, query.past)

    translator = Translator(find_rows)
    for each in query.filters:
        scope.srid, scope.flip = each.srid, each.flip
        conditions.append(translator.translate_condition(each.tree, scope))
    if query.words is not None:
        conditions.append(_write_words(query.words, scope))
    return Selection(scope, query.past, " and ".join(conditions) or "true", narrowed)


def _narrow(bounds: Bounds, bindings: Bindings) -> Narrowed | None:
    boxes = cut_mercator_boxes(bounds)
    if len(boxes) > 1:
        return None
    x0, y0, x1, y1 = boxes[0]
    sides = ", ".join(f"{bindings.bind(side)}::double precision" for side in boxes[0])
    return narrow_to_box(f"ST_MakeEnvelope({sides}, 3857)", max(x1 - x0, y1 - y0))


def _write_box(bounds: Bounds, bindings: Bindings) -> str:
    # CRS84 and EPSG:3857 have the same rectangles, so the indexed column answers without a transformation. The envelope
    # of a line is a point or a line where the box has no width or height; a polygon without area would meet nothing.
    boxes = []
    for corners in cut_mercator_boxes(bounds):
        x0, y0, x1, y1 = (f"{bindings.bind(side)}::double precision" for side in corners)
        line = f"ST_MakeLine(ST_MakePoint({x0}, {y0}), ST_MakePoint({x1}, {y1}))"
        boxes.append(write_meets("t.geom_3857", f"ST_SetSRID(ST_Envelope({line}), 3857)"))
    return f"({' or '.join(boxes)})"


def _write_words(words: str, scope: Scope) -> str:
    """Return the condition that every word begins a word of the item's id or of one of its texts."""
    folded = fold_words(words)
    if not folded:
        raise InputError(f"q '{words[:80]}' holds no word")
    read = ["t.id"]
    for prop in scope.layer.properties:
        if prop.type == "string" and not prop.codes:
            read.append(scope.read_property(prop.name).sql)
    searched = f"meta.search_words(concat_ws(' ', {', '.join(read)}))"
    return "(" + " and ".join(f"{searched} like {scope.bindings.bind(f'% {word}%')}::text" for word in folded) + ")"


@contextmanager
def explain_failure() -> Iterator[None]:
    """Turn what the database cannot compute of a filter into InputError: overflow, a place outside of a CRS."""
    try:
        yield
    except (psycopg.Error, DBAPIError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(cause, psycopg.DataError | psycopg.errors.InternalError_):
            reason = cause.diag.message_primary or str(cause)
            raise InputError(f"the query cannot be computed: {reason.splitlines()[0]}") from None
        raise

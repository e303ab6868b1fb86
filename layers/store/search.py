"""Find features by words — names, addresses, codes, ids — without diacritics, tolerant of typing errors.

Every word must begin a word of the text; where that finds too little, texts that are nearly so are added (trigrams).
Features of one layer with the same text, as the links of a road, are one hit.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection

from layers.errors import InputError
from layers.registry import VECTOR_LAYERS
from layers.schema import VectorLayer
from layers.store.mercator import Bounds, cut_mercator_boxes, to_degrees
from layers.store.names import quote
from layers.store.search_tables import Kind, find_kind
from layers.store.search_words import fold_words
from layers.store.tables import CITY
from layers.store.terms import Bindings

MAX_LENGTH, MAX_HITS = 200, 100
# So many texts are ranked; more of them match only words that say nothing.
_CANDIDATES = 400
_LIKENESS = 0.5
# What people mean more often stands first among equals.
_FIRST = ("provinces", "wards", "streets", "admin_changes", "places", "addresses")
_ABBREVIATED = {
    "đ": "đường", "p": "phường", "x": "xã", "q": "quận", "h": "huyện", "tp": "thành phố", "tt": "thị trấn",
    "tx": "thị xã", "t": "tỉnh", "kp": "khu phố", "ql": "quốc lộ",
}  # fmt: skip
_ABBREVIATION = re.compile(rf"(?<!\w)({'|'.join(_ABBREVIATED)})\.\s*(?=[^\W\d]|\d)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hit:
    """A feature, or several of one layer with the same text: where they are [°] and which words of the text matched
    (``marks``: begin and end of each). ``count`` says how many, ``score`` how well from 0 to 1."""

    layer: VectorLayer
    id: str
    kind: Kind | str
    text: str
    marks: tuple[tuple[int, int], ...]
    position: tuple[float, float]
    bounds: Bounds
    count: int
    score: float
    exact: bool


class _Row(NamedTuple):
    layer: str
    property: str
    id: str
    words: str
    x: float
    y: float
    x0: float
    y0: float
    x1: float
    y1: float
    total: int
    score: float
    exact: bool


def expand_abbreviations(words: str) -> str:
    """Return ``words`` with the usual short forms written out: ``'12 Đ. Trần Phú, P.5'`` → ``'12 đường Trần Phú,
    phường 5'``."""
    return _ABBREVIATION.sub(lambda found: _ABBREVIATED[found[1].lower()] + " ", words)


def search(
    connection: Connection,
    words: str,
    *,
    layers: Sequence[VectorLayer],
    bounds: Bounds | None = None,
    limit: int = 20,
) -> list[Hit]:
    """Return at most ``limit`` hits in ``layers``, the best first; InputError for no word at all.

    ``bounds`` in CRS84 leave only what lies there.
    """
    if len(words) > MAX_LENGTH:
        raise InputError(f"q has {len(words)} characters, at most {MAX_LENGTH} are searched")
    folded = fold_words(expand_abbreviations(words))
    if not folded:
        raise InputError(f"q '{words}' holds no word")
    found = _select_by_id(connection, words.strip(), layers, bounds)
    found += _select_by_words(connection, folded, layers, bounds, limit)
    if len(found) < limit:
        known = {(row.layer, row.words) for row in found}
        similar = _select_similar(connection, folded, layers, bounds, limit)
        found += [row for row in similar if (row.layer, row.words) not in known]
    return [_make_hit(row, folded) for row in found[:limit]]


def mark_words(words: str, folded: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Return begin and end of every word of ``words`` that begins with one of ``folded``."""
    marks = []
    for found in re.finditer(r"(?:[^\W_]|/)+", words):
        bare = "".join(fold_words(found[0]))
        start = next((part for part in folded if bare.startswith(part)), None)
        if start is not None:
            marks.append((found.start(), found.start() + len(start)))
    return tuple(marks)


def _select_by_id(
    connection: Connection, words: str, layers: Sequence[VectorLayer], bounds: Bounds | None
) -> list[_Row]:
    """Return features whose id is ``words``, as written or in another case."""
    bindings = Bindings()
    ids = bindings.bind(sorted({words, words.upper(), words.lower()}))
    limits = _write_limits(bounds, bindings, "geom_3857")
    parts = [
        f"select '{layer.id}' as layer, 'id' as property, id, id as words, geom_3857 from {CITY}.{quote(layer.id)} "
        f"where id = any({ids}::text[]) and {limits}"
        for layer in layers
    ]
    rows = connection.exec_driver_sql(
        "select layer, property, id, words, ST_X(place), ST_Y(place), ST_XMin(geom_3857), ST_YMin(geom_3857), "
        "ST_XMax(geom_3857), ST_YMax(geom_3857), 1, 1.0, true from (select *, "
        "case when ST_GeometryType(geom_3857) = 'ST_LineString' then ST_LineInterpolatePoint(geom_3857, 0.5) "
        "else ST_PointOnSurface(geom_3857) end as place "
        f"from ({' union all '.join(parts)}) found) placed",
        bindings.values,
    )
    return [_Row(*row) for row in rows]


def _select_by_words(
    connection: Connection, folded: Sequence[str], layers: Sequence[VectorLayer], bounds: Bounds | None, limit: int
) -> list[_Row]:
    bindings = Bindings()
    matching = " and ".join(f"folded like {bindings.bind(f'% {word}%')}::text" for word in folded)
    return _rank(connection, folded, layers, bounds, limit, bindings, matching, "length(folded)", exact=True)


def _select_similar(
    connection: Connection, folded: Sequence[str], layers: Sequence[VectorLayer], bounds: Bounds | None, limit: int
) -> list[_Row]:
    bindings = Bindings()
    connection.exec_driver_sql(f"set local pg_trgm.word_similarity_threshold = {_LIKENESS}")
    asked = bindings.bind(" ".join(folded))
    nearest = f"word_similarity({asked}::text, folded) desc, length(folded)"
    return _rank(connection, folded, layers, bounds, limit, bindings, f"{asked}::text <%% folded", nearest, exact=False)


def _rank(
    connection: Connection,
    folded: Sequence[str],
    layers: Sequence[VectorLayer],
    bounds: Bounds | None,
    limit: int,
    bindings: Bindings,
    matching: str,
    nearest: str,
    *,
    exact: bool,
) -> list[_Row]:
    """Return the best of the texts that match, features of one layer with the same text together."""
    asked = f"{bindings.bind(' '.join(folded))}::text"
    chosen = f"{bindings.bind([layer.id for layer in layers])}::text[]"
    first = f"{bindings.bind(list(_FIRST))}::text[]"
    score = f"greatest(similarity({asked}, folded), word_similarity({asked}, folded) * 0.9)"
    rows = connection.exec_driver_sql(
        f"with matched as materialized (select * from meta.search_entry where {matching} and layer = any({chosen}) "
        f"and {_write_limits(bounds, bindings, 'place')} order by {nearest} limit {_CANDIDATES}), "
        "grouped as (select layer, (array_agg(kind order by fid))[1] as kind, (array_agg(id order by fid))[1] as id, "
        "words, min(folded) as folded, (array_agg(place order by fid))[1] as place, ST_Extent(box) as box, "
        "count(*) as n from matched group by layer, words) "
        "select layer, kind, id, words, ST_X(place), ST_Y(place), ST_XMin(box), ST_YMin(box), ST_XMax(box), "
        f"ST_YMax(box), n, {score}, {'true' if exact else 'false'} from grouped "
        f"order by round(({score})::numeric, 1) desc, coalesce(array_position({first}, layer), 99), "
        f"({score}) desc, length(words), words, id limit {int(limit)}",
        bindings.values,
    )
    return [_Row(*row) for row in rows]


def _write_limits(bounds: Bounds | None, bindings: Bindings, column: str) -> str:
    if bounds is None:
        return "true"
    boxes = []
    for corners in cut_mercator_boxes(bounds):
        sides = ", ".join(f"{bindings.bind(side)}::double precision" for side in corners)
        boxes.append(f"{column} && ST_MakeEnvelope({sides}, 3857)")
    return f"({' or '.join(boxes)})"


def _make_hit(row: _Row, folded: Sequence[str]) -> Hit:
    layer = VECTOR_LAYERS[row.layer]
    prop = layer.find(row.property)
    return Hit(
        layer=layer,
        id=row.id,
        kind=(find_kind(layer, prop) if prop else None) or "id",
        text=row.words,
        marks=mark_words(row.words, folded) if row.property != "id" else ((0, len(row.words)),),
        position=to_degrees(row.x, row.y),
        bounds=(*to_degrees(row.x0, row.y0), *to_degrees(row.x1, row.y1)),
        count=row.total,
        score=round(float(row.score), 3),
        exact=row.exact,
    )

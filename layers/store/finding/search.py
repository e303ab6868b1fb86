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
from layers.store.finding.search_tables import Kind, find_kind
from layers.store.finding.search_words import fold_words, spell_dates
from layers.store.mercator import Bounds, cut_mercator_boxes, to_degrees
from layers.store.names import quote
from layers.store.query.terms import Bindings
from layers.store.tables import CITY

MAX_LENGTH, MAX_HITS = 200, 100
# So many texts are ranked; more of them match only words that say nothing.
_CANDIDATES = 400
_LIKENESS = 0.5
# As the conditions of the two indexes say it; the percent sign is doubled for the driver.
_NAMES, _ADDRESSES = "kind not like '%%address'", "kind like '%%address'"
# What people mean more often stands first among equals.
_FIRST = ("provinces", "wards", "streets", "admin_changes", "places", "addresses")
# Of the texts of one feature, those that are not what it is called now.
_SECOND = ("name_en", "former_name", "former_address")
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


class _Asked(NamedTuple):
    folded: Sequence[str]
    layers: Sequence[VectorLayer]
    bounds: Bounds | None
    limit: int


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
    for spelt in (folded, spell_dates(folded)):
        asked = _Asked(spelt, layers, bounds, limit)
        found += _sort(_select_by_words(connection, asked, _NAMES) + _select_by_words(connection, asked, _ADDRESSES))
        if found:
            break
    for kind in (_NAMES, _ADDRESSES):
        # Among a million addresses every word is like another: they are asked when no name is.
        if len(found) < limit and (kind == _NAMES or not found):
            known = {(row.layer, row.words) for row in found}
            similar = _sort(_select_similar(connection, asked, kind))
            found += [row for row in similar if (row.layer, row.words) not in known]
    # A feature found by several of its texts is one hit, by the best of them.
    best: dict[tuple[str, str], _Row] = {}
    for row in found:
        best.setdefault((row.layer, row.id), row)
    return [_make_hit(row, asked.folded) for row in list(best.values())[:limit]]


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


def _select_by_words(connection: Connection, asked: _Asked, kind: str) -> list[_Row]:
    bindings = Bindings()
    matching = " and ".join(f"folded like {bindings.bind(f'% {word}%')}::text" for word in asked.folded)
    return _select(connection, asked, bindings, f"{kind} and {matching}", "length(folded)", exact=True)


def _select_similar(connection: Connection, asked: _Asked, kind: str) -> list[_Row]:
    bindings = Bindings()
    connection.exec_driver_sql(f"set local pg_trgm.word_similarity_threshold = {_LIKENESS}")
    words = f"{bindings.bind(' '.join(asked.folded))}::text"
    nearest = f"word_similarity({words}, folded) desc, length(folded)"
    return _select(connection, asked, bindings, f"{kind} and {words} <%% folded", nearest, exact=False)


def _select(
    connection: Connection, asked: _Asked, bindings: Bindings, matching: str, nearest: str, *, exact: bool
) -> list[_Row]:
    """Return the nearest of the texts that match, features of one layer with the same text together."""
    words = f"{bindings.bind(' '.join(asked.folded))}::text"
    chosen = f"{bindings.bind([layer.id for layer in asked.layers])}::text[]"
    score = f"greatest(similarity({words}, folded), word_similarity({words}, folded) * 0.9)"
    rows = connection.exec_driver_sql(
        f"with matched as materialized (select * from meta.search_entry where {matching} and layer = any({chosen}) "
        f"and {_write_limits(asked.bounds, bindings, 'place')} order by {nearest} limit {_CANDIDATES}), "
        "grouped as (select layer, (array_agg(kind order by fid))[1] as kind, (array_agg(id order by fid))[1] as id, "
        "words, min(folded) as folded, (array_agg(place order by fid))[1] as place, ST_Extent(box) as box, "
        "count(*) as n from matched group by layer, words) "
        "select layer, kind, id, words, ST_X(place), ST_Y(place), ST_XMin(box), ST_YMin(box), ST_XMax(box), "
        f"ST_YMax(box), n, {score}, {'true' if exact else 'false'} from grouped order by {score} desc, {nearest}, id "
        f"limit {int(asked.limit) * 3}",
        bindings.values,
    )
    return [_Row(*row) for row in rows]


def _sort(rows: list[_Row]) -> list[_Row]:
    """Return rows in the order people expect: about equally good ones by what is meant more often."""

    def rank(row: _Row) -> tuple[float, int, bool, float, int, str, str]:
        first = _FIRST.index(row.layer) if row.layer in _FIRST else len(_FIRST)
        return (-round(row.score, 1), first, row.property in _SECOND, -row.score, len(row.words), row.words, row.id)

    return sorted(rows, key=rank)


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

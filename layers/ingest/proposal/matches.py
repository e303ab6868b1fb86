"""Columns as the properties they could be: what names and values say together, each column and property once."""

from collections.abc import Sequence
from dataclasses import dataclass

from layers.ingest.proposal.column import Column
from layers.ingest.proposal.draft import SURE, Guess, Line
from layers.ingest.proposal.evidence import judge
from layers.ingest.proposal.judgement import Judgement
from layers.ingest.proposal.place import Place
from layers.ingest.proposal.synonyms import Words, read_names
from layers.ingest.proposal.wording import Likeness, compare
from layers.schema import Property, VectorLayer

# Below this a candidate is not even mentioned.
_LEAST = 0.35
_LEAST_NAME = 0.3
# Values alone: good for a hint, never for more.
_MOST_WITHOUT_NAME = 0.55
_SECOND = 0.85
# A name that could mean many things counts for so much of another.
_VAGUE = 0.8
# Shapefiles and geodatabases add these, in the unit of the file's CRS.
COMPUTED = frozenset({"shapelengt", "shapearea", "shapeleng", "stlengthsh", "stareashap"})


@dataclass(frozen=True, slots=True)
class Match:
    """A column as one property: what its name and its values say together."""

    column: Column
    prop: Property
    confidence: float
    likeness: Likeness
    alias: Words
    judgement: Judgement

    def explain(self) -> str:
        """Return the reasons in words."""
        said = [f'name {self.likeness.how} "{" ".join(self.alias)}"'] if self.likeness.score >= _LEAST_NAME else []
        return "; ".join([*said, *self.judgement.notes])


def list_matches(layer: VectorLayer, columns: Sequence[Column], place: Place) -> list[Match]:
    """Return every column as every property it could be."""
    names, made = read_names(layer.id), []
    for column in columns:
        if column.name in place.columns or "".join(column.words)[:10] in COMPUTED:
            continue
        for prop in layer.properties:
            likeness, alias = _compare_names(column, layer, prop)
            if likeness.score < _LEAST_NAME and not (prop.codes and 0 < len(column.counts) <= 40):
                continue
            judgement = judge(column, prop, names.codes[prop.name], in_feet=place.in_feet)
            confidence = _combine(likeness.score, judgement.support)
            if likeness.score < _LEAST_NAME:
                confidence = min(confidence, _MOST_WITHOUT_NAME)
            if confidence >= _LEAST:
                made.append(Match(column, prop, confidence, likeness, alias, judgement))
    return sorted(made, key=lambda match: match.confidence, reverse=True)


def _compare_names(column: Column, layer: VectorLayer, prop: Property) -> tuple[Likeness, Words]:
    names = read_names(layer.id)
    best: tuple[Likeness, Words] = (Likeness(0.0, ""), ())
    for alias in names.properties[prop.name]:
        for words in {column.words, column.bare_words}:
            likeness = compare(words, alias)
            if (prop.name, alias) in names.vague:
                likeness = Likeness(_VAGUE * likeness.score, likeness.how)
            best = max(best, (likeness, alias), key=lambda one: one[0].score)
    return best


def _combine(name: float, support: float) -> float:
    """Return the confidence of name and values together, both as independent evidence."""
    if support >= 0:
        return 1.0 - (1.0 - name) * (1.0 - support)
    return name * (1.0 + support)


def assign(candidates: list[Match]) -> list[Match]:
    """Return the best matches, each column and each property once, best first."""
    columns, props, made = set[str](), set[str](), list[Match]()
    for match in candidates:
        if match.column.name not in columns and match.prop.name not in props:
            made.append(match)
            columns.add(match.column.name)
            props.add(match.prop.name)
    return made


def find_seconds(
    layer: VectorLayer, columns: Sequence[Column], place: Place, matches: list[Match]
) -> dict[str, tuple[str, ...]]:
    """Return columns whose name says the same as one already taken: they fill in where the first is empty."""
    taken = {match.column.name for match in matches}
    found: dict[str, tuple[str, ...]] = {}
    for match in matches:
        if match.prop.type != "string" or match.prop.codes or match.confidence < SURE:
            continue
        more = [
            column
            for column in columns
            if column.name not in taken
            and column.name not in place.columns
            and column.name not in place.personal
            and column.counts
            and _compare_names(column, layer, match.prop)[0].score >= max(_SECOND, match.likeness.score)
        ]
        if more:
            found[match.prop.name] = tuple(column.name for column in more[:2])
    return found


def make_line(match: Match, more: tuple[str, ...]) -> Line:
    """Return the line of a draft for ``match``; ``more`` are columns that fill in where its own is empty."""
    parts = {word: Guess(*part) for word, part in match.judgement.parts.items()}
    return Line(
        match.prop.name,
        (match.column.name, *more),
        match.confidence,
        match.explain(),
        parts,
        tuple(match.judgement.unknown),
    )

"""A file → a proposed mapping: which layer, which columns its properties, in which units and codes, and why."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from layers.ingest.candidates import list_candidates
from layers.ingest.column import Column, read_columns
from layers.ingest.draft import SURE, Draft, Guess, Line, Unmapped
from layers.ingest.evidence import judge
from layers.ingest.judgement import Judgement
from layers.ingest.locate import locate
from layers.ingest.mapping import PLACE, GeometryRule
from layers.ingest.place import UNKNOWN_CRS, Place, find_place
from layers.ingest.placing import pick_points
from layers.ingest.raw import Raw
from layers.ingest.recognise import recognise_code
from layers.ingest.synonyms import Words, read_names
from layers.ingest.wording import Likeness, compare, drop_common_prefix, drop_plurals, split_words
from layers.registry import VECTOR_LAYERS, read_vector_layer
from layers.schema import GeometryType, Property, VectorLayer
from layers.store.area import CityArea

# Below this a candidate is not even mentioned.
_LEAST = 0.35
_LEAST_NAME = 0.3
_SECOND = 0.85
# A name that could mean many things counts for so much of another.
_VAGUE = 0.8
_IDS = {
    split_words(name): confidence
    for names, confidence in (
        (("facility id", "asset id", "ma tai san"), 0.97),
        (("ma so", "ma doi tuong", "ma hieu"), 0.93),
        (("id", "ma", "so hieu"), 0.9),
        (("code", "ky hieu", "global id", "uuid"), 0.86),
        (("object id", "gid", "number"), 0.74),
        (("fid", "ogc fid", "oid"), 0.7),
        (("stt",), 0.6),
    )
    for name in names
}
# Shapefiles and geodatabases add these, in the unit of the file's CRS.
_COMPUTED = frozenset({"shapelengt", "shapearea", "shapeleng", "stlengthsh", "stareashap"})
_GONE = frozenset({"abandoned", "proposed", "removed", "abn", "ab", "demolished", "planned", "da bo", "huy", "du kien"})


@dataclass(frozen=True, slots=True)
class _Match:
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


def propose_mapping(
    raw: Raw,
    path: Path,
    *,
    layer_id: str | None = None,
    table: str | None = None,
    find_area: Callable[[], CityArea | None] = lambda: None,
) -> Draft:
    """Return the mapping that names and values of a sample of a file suggest.

    Without ``layer_id`` the declared layer that fits best is chosen, by geometry, columns, and the names of file and
    table. ``find_area`` gives the city where a CRS must be sought. NotFoundError names an unknown layer.
    """
    words = drop_common_prefix([str(name) for name in raw.frame.columns])
    columns = read_columns(raw.frame, words)
    place = find_place(raw, columns)
    title = split_words(f"{path.name.split('.')[0]} {table or ''}")
    layers = [read_vector_layer(layer_id)] if layer_id else _list_fitting(place.geometry)
    rated = sorted(
        ((_rate(layer, columns, place, title), layer.id) for layer in layers), key=lambda one: one[0][0], reverse=True
    )
    (score, matches, why), chosen = rated[0]
    ranking = _share_out([(name, rating[0]) for rating, name in rated[:4]])
    sure = 1.0 if layer_id else ranking[0][1] * min(1.0, max(score, 0.0) / 1.5)
    guess = Guess(chosen, sure, "given" if layer_id else why)
    draft = _draft(path, read_vector_layer(chosen), guess, ranking, columns, place, matches, title)
    if place.crs is not UNKNOWN_CRS or (area := find_area()) is None:
        return draft
    return replace(draft, crs=_list_crs(raw, path, place, area) or draft.crs)


def _list_crs(raw: Raw, path: Path, place: Place, area: CityArea) -> tuple[Guess, ...]:
    """Return the CRS that would put the rows into the city; which one is right is for people to say."""
    rule = GeometryRule.model_validate(place.rule.value if place.rule else {})
    shapes = locate(raw, rule, path).shapes
    found = [] if shapes is None else list_candidates(pick_points(shapes), area)
    return tuple(
        Guess(
            one.say.split(" with ")[0].strip('"'),
            0.5,
            f"{one.name}{one.remark}: {one.share:.0%} of the rows fall into {area.name}",
        )
        for one in found[:4]
    )


def _list_fitting(found: GeometryType | None) -> list[VectorLayer]:
    """Return the layers that can hold the geometry: of areas points can be made, around points squares be drawn."""
    return [
        layer
        for layer in VECTOR_LAYERS.values()
        if found in (None, layer.geometry) or {found, layer.geometry} == {"Point", "MultiPolygon"}
    ]


def _share_out(scores: list[tuple[str, float]]) -> tuple[tuple[str, float], ...]:
    """Return the layers with their shares of the evidence, the best first."""
    weights = [math.exp(1.5 * (score - scores[0][1])) for _, score in scores]
    return tuple((name, weight / sum(weights)) for (name, _), weight in zip(scores, weights, strict=True))


def _rate(layer: VectorLayer, columns: Sequence[Column], place: Place, title: Words) -> tuple[float, list[_Match], str]:
    """Return how well a layer fits the file, the columns its properties would take, and the reasons."""
    candidates = _list_matches(layer, columns, place)
    matches = _assign(candidates)
    taken = {match.prop.name for match in matches}
    said = max((_compare_title(title, alias) for alias in read_names(layer.id).layer), default=0.0)
    score = 1.6 * said + sum(_weigh(match) for match in matches if match.confidence >= SURE)
    score += _rate_geometry(place.geometry, layer.geometry)
    missing = [prop for prop in layer.properties if prop.required and prop.name not in taken]
    score -= 0.4 * sum(_name_codes(layer, prop, title)[0] is None for prop in missing)
    sure = [match.prop.name for match in matches if match.confidence >= SURE]
    reasons = [f"{place.geometry} geometry"] if place.geometry else []
    reasons += [f"the file's name says {layer.title.en.lower()}"] if said > 0.5 else []
    reasons += [f"columns for {', '.join(sure[:5])}"] if sure else []
    return score, matches, "; ".join(reasons)


def _compare_title(title: Words, alias: Words) -> float:
    """Return whether the words of a layer's name are among those of the file's name."""
    spaced, inner = f" {' '.join(drop_plurals(title))} ", f" {' '.join(drop_plurals(alias))} "
    if inner in spaced:
        return 1.0 if len(alias) > 1 or len(alias[0]) > 4 else 0.7
    glued = "".join(drop_plurals(alias))
    return 0.9 if len(glued) >= 6 and glued in "".join(drop_plurals(title)) else 0.0


def _weigh(match: _Match) -> float:
    """Return what a match tells of its layer: little where many layers have such a property."""
    sharing = sum(layer.find(match.prop.name) is not None for layer in VECTOR_LAYERS.values())
    return match.confidence / math.sqrt(sharing)


def _rate_geometry(found: GeometryType | None, wanted: GeometryType) -> float:
    if found is None:
        return 0.0
    return 0.5 if found == wanted else -0.4 if wanted == "Point" else -1.5


def _list_matches(layer: VectorLayer, columns: Sequence[Column], place: Place) -> list[_Match]:
    """Return every column as every property it could be."""
    names, made = read_names(layer.id), []
    for column in columns:
        if column.name in place.columns or "".join(column.words)[:10] in _COMPUTED:
            continue
        for prop in layer.properties:
            likeness, alias = _compare_names(column, layer, prop)
            if likeness.score < _LEAST_NAME and not (prop.codes and 0 < len(column.counts) <= 40):
                continue
            judgement = judge(column, prop, names.codes[prop.name], in_feet=place.in_feet)
            confidence = _combine(likeness.score, judgement.support)
            if likeness.score < _LEAST_NAME:
                # Values alone: good for a hint, never for more.
                confidence = min(confidence, 0.55)
            if confidence >= _LEAST:
                made.append(_Match(column, prop, confidence, likeness, alias, judgement))
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


def _assign(candidates: list[_Match]) -> list[_Match]:
    """Return the best matches, each column and each property once, best first."""
    columns, props, made = set[str](), set[str](), list[_Match]()
    for match in candidates:
        if match.column.name not in columns and match.prop.name not in props:
            made.append(match)
            columns.add(match.column.name)
            props.add(match.prop.name)
    return made


def _draft(
    path: Path,
    layer: VectorLayer,
    guess: Guess,
    ranking: tuple[tuple[str, float], ...],
    columns: Sequence[Column],
    place: Place,
    matches: list[_Match],
    title: Words,
) -> Draft:
    ignored = place.personal
    order = [prop.name for prop in layer.properties]
    kept = [match for match in matches if match.column.name not in ignored]
    kept.sort(key=lambda match: order.index(match.prop.name))
    taken = {match.prop.name for match in kept if match.confidence >= SURE}
    constants, missing = {}, []
    for prop in layer.properties:
        if prop.required and prop.name not in taken:
            code, why = _name_codes(layer, prop, title)
            if code:
                constants[prop.name] = Guess(code, 0.7, why)
                kept = [match for match in kept if match.prop is not prop]
            else:
                missing.append(prop.name)
    second = _find_seconds(layer, columns, place, kept)
    lines = tuple(_make_line(match, second.get(match.prop.name, ())) for match in kept)
    identifier = _choose_id(columns, place)
    condition = _find_condition(columns)
    used = {name for line in lines if line.is_sure for name in line.columns} | {identifier.value} | set(place.columns)
    return Draft(
        path.name,
        layer,
        guess,
        ranking,
        identifier,
        _fit_geometry(place, layer),
        () if place.crs is None else (place.crs,),
        constants,
        ignored,
        lines,
        tuple(_explain_unmapped(one, lines) for one in columns if one.name not in used and one.name not in ignored),
        tuple(missing),
        condition,
    )


def _find_seconds(
    layer: VectorLayer, columns: Sequence[Column], place: Place, matches: list[_Match]
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


def _make_line(match: _Match, more: tuple[str, ...]) -> Line:
    parts = {word: Guess(*part) for word, part in match.judgement.parts.items()}
    return Line(
        match.prop.name,
        (match.column.name, *more),
        match.confidence,
        match.explain(),
        parts,
        tuple(match.judgement.unknown),
    )


def _name_codes(layer: VectorLayer, prop: Property, title: Words) -> tuple[str | None, str]:
    """Return the code that the file's own name says, as ``catch_basins.csv`` says inlet."""
    if not prop.codes:
        return None, ""
    code = recognise_code(" ".join(title), read_names(layer.id).codes[prop.name])
    return code, f'the file\'s name, "{" ".join(title)}"' if code else ""


def _choose_id(columns: Sequence[Column], place: Place) -> Guess:
    """Return the column that names every row, by its name and by having a value of its own in each."""
    best = Guess(PLACE, 0.6, "no column has a value of its own in every row: the geometry's digest stands for it")
    for column in columns:
        if column.name in place.columns or not column.counts or column.filled < 0.97 * column.rows:
            continue
        share = len(column.counts) / column.filled
        if share < 0.97:
            continue
        named, alias = max(
            (confidence * compare(words, alias).score, alias)
            for alias, confidence in _IDS.items()
            for words in (column.words, column.bare_words)
        )
        looks = 0.8 if column.words[-1:] == ("id",) else 0.62 if _looks_like_ids(column) else 0.3
        # Rows without a value, or with another row's, would be lost: each hundredth costs five.
        confidence = max(named, looks) * (len(column.counts) / column.rows) ** 5
        if confidence > best.confidence or (best.value == PLACE and confidence >= SURE):
            told = "in every row a value of its own" if column.is_unique else f"{share:.1%} of its values are its own"
            said = f'name is like "{" ".join(alias)}"; ' if named >= looks else ""
            best = Guess(column.name, confidence, said + told)
    return best


def _looks_like_ids(column: Column) -> bool:
    """Return whether the values are short words of letters and digits, such as IN-2042."""
    values = list(column.counts)[:200]
    fits = [value for value in values if len(value) <= 40 and " " not in value and any(map(str.isdigit, value))]
    letters = [value for value in fits if any(map(str.isalpha, value))]
    return len(letters) >= 0.9 * len(values)


def _find_condition(columns: Sequence[Column]) -> Guess | None:
    """Return a condition, to be decided by people, that leaves out what is proposed or abandoned."""
    for column in columns:
        gone = [value for value in column.counts if " ".join(split_words(value)) in _GONE]
        if gone and len(column.counts) <= 12:
            rows = sum(column.counts[value] for value in gone)
            return Guess({column.name: {"not": gone}}, 0.5, f"{rows} rows say that they do not stand")
    return None


def _fit_geometry(place: Place, layer: VectorLayer) -> Guess | None:
    """Return the geometry rule: where coordinates stand, and points made of areas where the layer wants points."""
    if place.geometry is None:
        return Guess({"x": "…", "y": "…"}, 0.0, "REQUIRED: no coordinates found; name x and y, xy, wkt or ward")
    if place.rule is not None and (place.geometry, layer.geometry) == ("Point", "MultiPolygon"):
        return replace(place.rule, why=f"{place.rule.why}; the layer holds areas: add square: SIDE [m]")
    if place.rule is not None and "ward" in place.rule.value and layer.geometry == "Point":
        return replace(place.rule, value={**place.rule.value, "as": "point"})
    if place.rule is not None:
        return place.rule
    if layer.geometry == "Point" and place.geometry == "MultiPolygon":
        return Guess({"as": "point"}, 0.7, "the file holds areas, the layer points")
    return None


def _explain_unmapped(column: Column, lines: Sequence[Line]) -> Unmapped:
    if "".join(column.words)[:10] in _COMPUTED:
        return Unmapped(column.name, column.show(), "computed by the GIS from the geometry")
    for line in lines:
        if column.name in line.columns:
            return Unmapped(column.name, column.show(), f"perhaps {line.name}, {line.confidence:.2f}")
    return Unmapped(column.name, column.show(), "" if column.counts else "blank")

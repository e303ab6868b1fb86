"""A file → a proposed mapping: which layer, which columns its properties, in which units and codes, and why."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from layers.ingest.candidates import list_candidates
from layers.ingest.locate import locate
from layers.ingest.mapping import GeometryRule
from layers.ingest.placing import pick_points
from layers.ingest.proposal.column import Column, read_columns
from layers.ingest.proposal.draft import SURE, Draft, Guess, Line, Unmapped
from layers.ingest.proposal.identifying import choose_id
from layers.ingest.proposal.matches import COMPUTED, Match, assign, find_seconds, list_matches, make_line
from layers.ingest.proposal.place import UNKNOWN_CRS, Place, find_place
from layers.ingest.proposal.recognise import recognise_code
from layers.ingest.proposal.synonyms import Words, read_names
from layers.ingest.proposal.wording import drop_common_prefix, drop_plurals, split_words
from layers.ingest.raw import Raw
from layers.registry import VECTOR_LAYERS, read_vector_layer
from layers.schema import GeometryType, Property, VectorLayer
from layers.store.area import CityArea

_GONE = frozenset({"abandoned", "proposed", "removed", "abn", "ab", "demolished", "planned", "da bo", "huy", "du kien"})


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


_LAYERS = tuple(layer for layer in VECTOR_LAYERS.values() if not layer.of_runs and layer.id != "rain_gauges")
"""Those that files are loaded into; rain gauges come with models."""


def _list_fitting(found: GeometryType | None) -> list[VectorLayer]:
    """Return the layers that can hold the geometry: of areas points can be made, around points squares be drawn."""
    return [
        layer
        for layer in _LAYERS
        if found in (None, layer.geometry) or {found, layer.geometry} == {"Point", "MultiPolygon"}
    ]


def _share_out(scores: list[tuple[str, float]]) -> tuple[tuple[str, float], ...]:
    """Return the layers with their shares of the evidence, the best first."""
    weights = [math.exp(1.5 * (score - scores[0][1])) for _, score in scores]
    return tuple((name, weight / sum(weights)) for (name, _), weight in zip(scores, weights, strict=True))


def _rate(layer: VectorLayer, columns: Sequence[Column], place: Place, title: Words) -> tuple[float, list[Match], str]:
    """Return how well a layer fits the file, the columns its properties would take, and the reasons."""
    candidates = list_matches(layer, columns, place)
    matches = assign(candidates)
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


def _weigh(match: Match) -> float:
    """Return what a match tells of its layer: little where many layers have such a property."""
    sharing = sum(layer.find(match.prop.name) is not None for layer in _LAYERS)
    return match.confidence / math.sqrt(sharing)


def _rate_geometry(found: GeometryType | None, wanted: GeometryType) -> float:
    if found is None:
        return 0.0
    return 0.5 if found == wanted else -0.4 if wanted == "Point" else -1.5


def _draft(
    path: Path,
    layer: VectorLayer,
    guess: Guess,
    ranking: tuple[tuple[str, float], ...],
    columns: Sequence[Column],
    place: Place,
    matches: list[Match],
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
    second = find_seconds(layer, columns, place, kept)
    lines = tuple(make_line(match, second.get(match.prop.name, ())) for match in kept)
    identifier = choose_id(columns, place)
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


def _name_codes(layer: VectorLayer, prop: Property, title: Words) -> tuple[str | None, str]:
    """Return the code that the file's own name says, as ``catch_basins.csv`` says inlet."""
    if not prop.codes:
        return None, ""
    code = recognise_code(" ".join(title), read_names(layer.id).codes[prop.name])
    return code, f'the file\'s name, "{" ".join(title)}"' if code else ""


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
    if "".join(column.words)[:10] in COMPUTED:
        return Unmapped(column.name, column.show(), "computed by the GIS from the geometry")
    for line in lines:
        if column.name in line.columns:
            return Unmapped(column.name, column.show(), f"perhaps {line.name}, {line.confidence:.2f}")
    return Unmapped(column.name, column.show(), "" if column.counts else "blank")

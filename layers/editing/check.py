"""Values and geometry of an edit against the declaration: the checks of an import, on JSON that has types already."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import pandas as pd
import shapely
from pyproj import CRS

from layers.ingest.crs import Shapes, read_crs, transform
from layers.ingest.mapping import PropertyRule
from layers.ingest.quality import Problem, Problems
from layers.ingest.shapes import fit_type, project, reject_unusable
from layers.ingest.values import convert
from layers.schema import Property, VectorLayer

_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "date": (str,),
    "datetime": (str,),
}
_CRS84 = read_crs("OGC:CRS84")
Found = dict[int, list[Problem]]


def check_values(
    layer: VectorLayer, rows: Sequence[Mapping[str, Any]], *, whole: Sequence[bool], found: Found
) -> list[dict[str, Any]]:
    """Return the rows' properties as the layer stores them; what is wrong goes to ``found`` by position.

    ``whole`` marks rows that must have every required property; in the others only what is given counts.
    """
    made: list[dict[str, Any]] = [{} for _ in rows]
    for place, row in enumerate(rows):
        for name in row:
            prop = layer.find(name)
            if prop is None:
                known = ", ".join(prop.name for prop in layer.properties)
                _note(found, place, Problem(name, None, "no such property", f"one of {known}"))
    for prop in layer.properties:
        given = [place for place, row in enumerate(rows) if prop.name in row]
        for place, value in zip(given, _check_property(prop, rows, given, found), strict=True):
            made[place][prop.name] = value
        if prop.required:
            for place, row in enumerate(rows):
                if row.get(prop.name) is None and (whole[place] or prop.name in row):
                    _note(found, place, Problem(prop.name, None, "required value missing"))
    return made


def _check_property(prop: Property, rows: Sequence[Mapping[str, Any]], given: list[int], found: Found) -> list[Any]:
    """Return one property's values of the rows at ``given``; a wrong one becomes None and is noted."""
    values: list[Any] = []
    for place in given:
        value = rows[place][prop.name]
        typed = isinstance(value, _JSON_TYPES[prop.type]) and (prop.type == "boolean") == isinstance(value, bool)
        if value is not None and not typed:
            _note(found, place, Problem(prop.name, str(value)[:200], f"not a {prop.type}"))
        values.append(value if typed else None)
    if prop.type == "boolean":
        return values
    if prop.type == "string":
        for place, value in zip(given, values, strict=True):
            if value is not None:
                _check_text(prop, value, place, found)
        return values
    if not any(value is not None for value in values):
        return values
    problems = Problems(len(values))
    made = convert(
        [pd.Series(values, dtype=object)], prop, PropertyRule(columns=(prop.name,)), problems, Counter()
    )  # fmt: skip
    for position, place in enumerate(given):
        # A required value that is missing is noted for all types alike.
        if values[position] is None:
            continue
        for problem in problems.get(position):
            _note(found, place, Problem(problem.field, problem.value, problem.reason))
        if pd.isna(made.iloc[position]) and not problems.get(position):
            _note(found, place, Problem(prop.name, str(values[position]), f"not a {prop.type}"))
    return [_plain(value, prop) for value in made]


def _check_text(prop: Property, value: str, place: int, found: Found) -> None:
    """Note a string that no database can hold or that is not in the code list; text itself is kept to the letter."""
    if any(letter == "\x00" or 0xD800 <= ord(letter) <= 0xDFFF for letter in value):
        _note(found, place, Problem(prop.name, None, "holds characters that are no text"))
    elif prop.codes and value not in {code.value for code in prop.codes}:
        listed = ", ".join(code.value for code in prop.codes)
        _note(found, place, Problem(prop.name, value[:200], "unknown code", f"expected one of {listed}"))


def _plain(value: Any, prop: Property) -> Any:
    if value is None or pd.isna(value):
        return None
    if prop.type == "datetime":
        return value.to_pydatetime()
    return {"number": float, "integer": int}.get(prop.type, lambda same: same)(value)


def check_shapes(
    layer: VectorLayer,
    geometries: Sequence[Mapping[str, Any] | None],
    target: CRS,
    *,
    sources: Sequence[str],
    found: Found,
) -> Shapes:
    """Return the GeoJSON geometries in ``target`` as the layer stores them, None where none is given.

    ``sources`` name the CRS of each; x or longitude comes first.

    An area that crosses itself is not mended, unlike on import: who draws it can see where.
    """
    shapes: Shapes = shapely.from_geojson(
        [None if one is None else orjson.dumps(one) for one in geometries], on_invalid="ignore"
    )
    for source in dict.fromkeys(sources):
        given = [place for place, one in enumerate(geometries) if one is not None and sources[place] == source]
        _check_given(layer, shapes, given, read_crs(source), target, found)
    return shapes


def _check_given(layer: VectorLayer, shapes: Shapes, given: list[int], source: CRS, target: CRS, found: Found) -> None:
    """Bring the shapes at ``given`` from ``source`` to ``target`` in place."""
    problems = Problems(len(given))
    chosen = shapes[given]
    unread = shapely.is_missing(chosen)
    problems.add(unread, "not a GeoJSON geometry", name="geometry")
    reject_unusable(chosen, problems)
    areas = shapely.get_dimensions(chosen) == 2
    crossed = areas & ~shapely.is_valid(chosen)
    why = pd.Series(shapely.is_valid_reason(chosen), dtype=object)
    problems.add(crossed, "the area crosses itself", name="geometry", values=why)
    # By way of WGS 84: a declared shift leads there, and to no other datum.
    moved = project(transform(chosen, source, _CRS84), _CRS84, target, problems)
    moved = fit_type(moved, layer.geometry, problems, Counter(), None)
    for position, place in enumerate(given):
        for problem in problems.get(position)[:1]:
            _note(found, place, problem)
    shapes[given] = moved


def _note(found: Found, place: int, problem: Problem) -> None:
    found.setdefault(place, []).append(problem)

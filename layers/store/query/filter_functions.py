"""The functions of filters that CQL2 does not have: what they mean, their arguments, and a use of each."""

from typing import NamedTuple


class FilterFunction(NamedTuple):
    """A function that is true or false for a feature; the last argument of a join may be left out."""

    name: str
    meaning: str
    arguments: tuple[tuple[str, str], ...]
    use: str


NEAR = FilterFunction(
    "near",
    "A feature of the named layer, of those that pass the filter, is at most so far away",
    (("layer", "string"), ("metres", "number"), ("filter", "boolean")),
    "near(places, 50, category = 'school')",
)
INSIDE = FilterFunction(
    "inside",
    "The feature lies within an area of the named layer, of those that pass the filter",
    (("layer", "string"), ("filter", "boolean")),
    "inside(wards, name = 'Ninh Kiều')",
)
RELATED = FilterFunction(
    "related",
    "A property equals a property of a feature of the named layer, of those that pass the filter",
    (("layer", "string"), ("own property", "string"), ("its property", "string"), ("filter", "boolean")),
    "related(lighting_circuits, circuit_id, circuit_id, cabinet_id = 'LC-7')",
)
WITHIN_DISTANCE = FilterFunction(
    "s_dwithin",
    "Two geometries are at most so far apart",
    (("geometry", "geometry"), ("geometry", "geometry"), ("metres", "number")),
    "s_dwithin(geometry, POINT(105.78 10.03), 200)",
)
IN_TRACE = FilterFunction(
    "in_trace",
    "The feature was found by the trace of this id, or lies on what it found",
    (("trace", "string"),),
    "in_trace('5f0c2b9e7a1d4c38')",
)
JOINS = {function.name: function for function in (NEAR, INSIDE, RELATED)}
FUNCTIONS = (*JOINS.values(), WITHIN_DISTANCE, IN_TRACE)

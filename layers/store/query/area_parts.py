"""What of a layer lies in an area: counts, lengths and areas of the parts within it, and how two layers overlap."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection

from layers.errors import InputError, NotFoundError
from layers.schema import VectorLayer
from layers.store.meeting import write_meets
from layers.store.names import quote
from layers.store.query.filter_space import CITY_SRID
from layers.store.query.selection import explain_failure

MAX_GROUPS, MAX_OVERLAPS = 100, 50
_ASKED = f"select ST_Transform(ST_GeomFromWKB(%(shape)s::bytea, 4326), {CITY_SRID}) as shape"
_PART = (
    "case when ST_CoveredBy(t.geom, asked.shape) then t.geom "
    "else ST_CollectionExtract(ST_Intersection(t.geom, asked.shape), {kind}) end"
)
_MEETS = write_meets("t.geom", "asked.shape")
_MEASURES = {1: "ST_Length", 2: "ST_Area"}


class Sum(NamedTuple):
    """A number of each feature to add up, times the share of it that lies within, or times the ``area`` within."""

    prop: str
    by_area: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """Features of one class within an area: how many, length [m], area [m2] and sums of the parts within it."""

    key: str | None
    count: int
    length: float | None
    area: float | None
    sums: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Overlap:
    """A feature that meets another: length [m] and area [m2] of what they share, and its share of the other [1]."""

    id: str
    values: Mapping[str, Any]
    length: float | None
    area: float | None
    share: float | None


def measure_area(connection: Connection, shape: bytes) -> float:
    """Return the area [m2] of a shape (WKB in CRS84) in the city's CRS; InputError where it cannot be computed."""
    with explain_failure():
        found = connection.exec_driver_sql(f"select ST_Area(shape) from ({_ASKED}) as asked", {"shape": shape})
        return float(found.scalar_one())


def measure_parts(
    connection: Connection,
    layer: VectorLayer,
    shape: bytes,
    *,
    by: str | None = None,
    sums: Mapping[str, Sum] | None = None,
    run_id: str | None = None,
) -> list[Part]:
    """Return what of ``layer`` lies within ``shape`` (WKB in CRS84), in classes of property ``by``, the largest first.

    Lines and areas count where a part of them is within, with length and area of that part. ``run_id`` leaves the
    features of one run.
    """
    sums = sums or {}
    key = f"t.{quote(_check(layer, by))}::text" if by else "null::text"
    length, area, share = _write_measures(layer)
    whole = f"{_MEASURES.get(_dimension(layer), 'ST_NPoints')}(t.geom)"
    read = [quote(_check(layer, each.prop)) for each in sums.values()]
    numbers = [f"coalesce(t.{name}, 0)::float8 as n{place}" for place, name in enumerate(read)]
    totals = [f"sum(n{place} * {'area' if each.by_area else 'share'})" for place, each in enumerate(sums.values())]
    of_run = "and t.run_id = %(run)s" if run_id is not None else ""
    statement = (
        f"with asked as materialized ({_ASKED}), parts as (select "
        + ", ".join((f"{key} as key", f"{length} as length", f"{area} as area", f"{whole} as whole", *numbers))
        + f" from city.{quote(layer.id)} as t, asked where {_MEETS} {of_run}) "
        f"select {', '.join(('key', 'count(*)', 'sum(length)', 'sum(area)', *totals))} "
        f"from (select *, {share} as share from parts) as shared group by key "
        f"order by coalesce(sum(area), sum(length), count(*)) desc, key limit {MAX_GROUPS}"
    )
    with explain_failure():
        rows = connection.exec_driver_sql(statement, {"shape": shape, "run": run_id}).all()
    return [
        Part(found, count, length, area, {name: float(value or 0.0) for name, value in zip(sums, rest, strict=True)})
        for found, count, length, area, *rest in rows
    ]


def list_overlaps(
    connection: Connection, layer: VectorLayer, feature_id: str, other: VectorLayer, columns: Sequence[str]
) -> list[Overlap]:
    """Return the features of ``other`` that share more than an edge with a feature of ``layer``, the largest first.

    NotFoundError where there is no such feature.
    """
    own = connection.exec_driver_sql(
        f"select true from city.{quote(layer.id)} where id = %(id)s", {"id": feature_id}
    ).first()
    if own is None:
        raise NotFoundError(f"collection '{layer.id}' has no item '{feature_id[:80]}'")
    length, area, _ = _write_measures(other)
    read = ", ".join(f"t.{quote(_check(other, name))}" for name in columns)
    statement = (
        f"with asked as materialized (select geom as shape from city.{quote(layer.id)} where id = %(id)s) "
        f"select t.id, {length} as length, {area} as area, ST_Area(asked.shape) as whole{', ' if read else ''}{read} "
        f"from city.{quote(other.id)} as t, asked "
        f"where {_MEETS} and not ST_Touches(t.geom, asked.shape) "
        f"and not (t.id = %(id)s and {'true' if layer.id == other.id else 'false'}) "
        f"order by coalesce({area}, {length}, 0) desc, t.id limit {MAX_OVERLAPS}"
    )
    rows = connection.exec_driver_sql(statement, {"id": feature_id}).all()
    return [
        Overlap(
            found,
            dict(zip(columns, values, strict=True)),
            length,
            area,
            area / whole if area is not None and whole else None,
        )
        for found, length, area, whole, *values in rows
    ]


def _dimension(layer: VectorLayer) -> int:
    """Return 0 for points, 1 for lines, 2 for areas."""
    return next((place for place, word in ((2, "Polygon"), (1, "LineString")) if word in layer.geometry), 0)


def _write_measures(layer: VectorLayer) -> tuple[str, str, str]:
    """Return length and area of the part of a feature within ``asked``, and what share of the feature it is."""
    dimension = _dimension(layer)
    if dimension == 0:
        return "null::float8", "null::float8", "1.0"
    part = f"{_MEASURES[dimension]}({_PART.format(kind=dimension + 1)})"
    if dimension == 1:
        return part, "null::float8", "coalesce(length / nullif(whole, 0), 1)"
    return "null::float8", part, "coalesce(area / nullif(whole, 0), 1)"


def _check(layer: VectorLayer, name: str | None) -> str:
    prop = layer.find(name or "")
    if prop is None:
        raise InputError(f"'{layer.id}' has no property '{name}'")
    return prop.name

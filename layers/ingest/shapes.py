"""Geometry of a file → geometry of a layer: checked, in the city's CRS, repaired, of the one declared type."""

from collections import Counter
from typing import Any, Literal

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from layers.errors import SourceError
from layers.ingest.crs import Shapes, find_outside, name_area, show_places, transform
from layers.ingest.placing import find_inside
from layers.ingest.quality import Problems
from layers.schema import GeometryType
from layers.store.area import CityArea

Swap = Literal["no", "auto", "yes"]

MOST_VERTICES = 1_000_000
_NAMES = ("Point", "LineString", "LinearRing", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "Collection")
_POINT, _LINE, _RING, _POLYGON, _MULTIPOINT, _MULTILINE, _MULTIPOLYGON = range(7)


def reject_unusable(shapes: Shapes, problems: Problems, reasons: "pd.Series[Any] | None" = None) -> None:
    """Reject rows without geometry, with endless or missing coordinates, or with too many vertices.

    ``reasons`` holds what the reader already knows to be wrong with a row's geometry.
    """
    if reasons is not None:
        for reason in reasons.dropna().unique():
            problems.add((reasons == reason).to_numpy(dtype=bool), str(reason), name="geometry")
    empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    problems.add(empty, "no geometry", name="geometry", hint="draw it, or delete the row")
    count = shapely.get_num_coordinates(shapes)
    problems.add(
        count > MOST_VERTICES,
        "too many vertices",
        name="geometry",
        values=pd.Series(count),
        hint=f"at most {MOST_VERTICES} vertices; simplify or split it",
    )
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    nowhere = np.zeros(len(shapes), dtype=bool)
    nowhere[owner[(coordinates == 0.0).all(axis=1)]] = True
    problems.add(nowhere, "a coordinate is 0, 0", name="geometry", hint="the place is not known: fill it")
    endless = np.zeros(len(shapes), dtype=bool)
    endless[owner[~np.isfinite(coordinates).all(axis=1)]] = True
    problems.add(endless, "a coordinate is not a number", name="geometry")


def project(shapes: Shapes, source: CRS, target: CRS, problems: Problems) -> Shapes:
    """Return the shapes in ``target``, without Z and M; shapes outside what both CRS can hold are rejected.

    A row must lie within the target's area of use and 2 degrees around it.
    """
    flat: Shapes = shapely.force_2d(_blank(shapes, problems.bad))
    if source.is_geographic:
        _, y0, _, y1 = np.moveaxis(shapely.bounds(flat), -1, 0)
        off = (np.abs(y0) > 90) | (np.abs(y1) > 90)
        problems.add(off, "latitude beyond 90 degrees", name="geometry", values=lambda: show_places(flat))
        flat = _blank(flat, off)
    outside = find_outside(flat, source, target) & ~shapely.is_missing(flat)
    hint = f"beyond {name_area(target)}"
    problems.add(outside, "far outside the city's area", name="geometry", values=lambda: show_places(flat), hint=hint)
    moved = transform(_blank(flat, outside), source, target)
    lost = ~shapely.is_missing(moved) & ~np.isfinite(shapely.bounds(moved)).all(axis=1)
    problems.add(lost, "cannot be projected", name="geometry", values=lambda: show_places(flat), hint=hint)
    return _blank(moved, lost)


def exchange_axes(
    shapes: Shapes, swap: Swap, source: CRS, area: CityArea | None, conversions: "Counter[str]"
) -> Shapes:
    """Return the shapes with x and y exchanged: all of them, or (``auto``) those that lie in the city only that way.

    Without a city to hold them against, ``auto`` leaves every row as it is.
    """
    if swap == "no" or (swap == "auto" and area is None):
        return shapes
    turned: Shapes = shapely.transform(shapes, lambda points: points[:, ::-1])
    wrong = ~shapely.is_missing(shapes)
    if swap == "auto" and area is not None:
        wrong &= ~find_inside(shapes, source, area) & find_inside(turned, source, area)
    conversions["geometry: x and y exchanged"] += int(wrong.sum())
    return np.where(wrong, turned, shapes)


def _blank(shapes: Shapes, mask: NDArray[np.bool_]) -> Shapes:
    made = shapes.copy()
    made[mask] = None
    return made


def count_dimensions(shapes: Shapes, conversions: "Counter[str]") -> None:
    """Count the shapes whose Z or M is dropped."""
    conversions["geometry: Z dropped"] += int(shapely.has_z(shapes).sum())
    conversions["geometry: M dropped"] += int(shapely.has_m(shapes).sum())


def repair_areas(shapes: Shapes, problems: Problems) -> tuple[Shapes, int]:
    """Return the shapes with invalid areas mended and how many were; what has no area left is rejected."""
    kinds = shapely.get_type_id(shapes)
    broken = np.isin(kinds, (_POLYGON, _MULTIPOLYGON)) & ~shapely.is_valid(shapes)
    if not broken.any():
        return shapes, 0
    why = pd.Series(shapely.is_valid_reason(shapes), dtype=object)
    made = shapes.copy()
    for position in np.flatnonzero(broken):
        parts = shapely.get_parts(shapely.make_valid(shapes[position]))
        areas = [part for part in shapely.get_parts(parts) if shapely.get_type_id(part) == _POLYGON]
        made[position] = shapely.multipolygons(areas) if areas else None
    gone = broken & shapely.is_missing(made)
    problems.add(gone, "the area collapses to nothing", name="geometry", values=why)
    return made, int((broken & ~gone).sum())


def fit_type(
    shapes: Shapes, wanted: GeometryType, problems: Problems, conversions: "Counter[str]", file: str | None
) -> Shapes:
    """Return the shapes as the layer's type: single parts unwrapped, lines merged, areas promoted.

    Rows of another type are rejected; with ``file``, SourceError names it when every row is of another type.
    """
    made = _unwrap(shapes.copy(), conversions)
    kinds = shapely.get_type_id(made)
    if wanted == "LineString":
        # WKB knows no ring: it comes back as a line.
        made[kinds == _RING] = shapely.from_wkb(shapely.to_wkb(made[kinds == _RING]))
        many = kinds == _MULTILINE
        made[many] = shapely.line_merge(made[many])
        apart = many & (shapely.get_type_id(made) == _MULTILINE)
        conversions["geometry: parts merged"] += int((many & ~apart).sum())
        problems.add(
            apart,
            "line in separate parts",
            name="geometry",
            values=pd.Series(shapely.get_num_geometries(made)),
            hint="split it into one row a part",
        )
        fits = (shapely.get_type_id(made) == _LINE) | many
    elif wanted == "MultiPolygon":
        single = kinds == _POLYGON
        made[single] = shapely.multipolygons(made[single], indices=np.arange(int(single.sum())))
        fits = single | (kinds == _MULTIPOLYGON)
    else:
        fits = kinds == _POINT
    _reject_types(made, fits, wanted, problems, file)
    if wanted == "LineString":
        short = fits & (shapely.length(made) == 0.0)
        problems.add(short, "line without length", name="geometry")
    return made


def _unwrap(shapes: Shapes, conversions: "Counter[str]") -> Shapes:
    """Take single parts out of multi-part shapes and collections."""
    for _ in range(2):
        wrapped = (shapely.get_type_id(shapes) >= _MULTIPOINT) & (shapely.get_num_geometries(shapes) == 1)
        conversions["geometry: single part unwrapped"] += int((wrapped & (shapely.get_type_id(shapes) != 6)).sum())
        shapes[wrapped] = shapely.get_geometry(shapes[wrapped], 0)
    return shapes


def _reject_types(
    shapes: Shapes, fits: NDArray[np.bool_], wanted: GeometryType, problems: Problems, file: str | None
) -> None:
    known = ~shapely.is_missing(shapes)
    wrong = known & ~fits
    kinds = shapely.get_type_id(shapes)
    if file is not None and wrong.any() and wrong[known].all():
        found = ", ".join(sorted({_NAMES[kind] for kind in kinds[wrong]}))
        raise SourceError(f"{file}: every geometry is {found}, the layer holds {wanted}")
    for kind in np.unique(kinds[wrong]):
        problems.add(wrong & (kinds == kind), f"geometry is {_NAMES[kind]}", name="geometry", hint=f"expected {wanted}")


def make_points(shapes: Shapes, conversions: "Counter[str]") -> Shapes:
    """Return a point on every area and on the middle of every line; points stay."""
    kinds = shapely.get_type_id(shapes)
    areas, lines = np.isin(kinds, (_POLYGON, _MULTIPOLYGON)), kinds == _LINE
    made = shapes.copy()
    made[areas] = shapely.point_on_surface(made[areas])
    made[lines] = shapely.line_interpolate_point(made[lines], 0.5, normalized=True)
    conversions["geometry: point made of area or line"] += int((areas | lines).sum())
    return made


def make_squares(shapes: Shapes, side: float, conversions: "Counter[str]") -> Shapes:
    """Return squares of ``side`` [m] around points; other shapes stay."""
    points = shapely.get_type_id(shapes) == _POINT
    x, y = shapely.get_x(shapes[points]), shapely.get_y(shapes[points])
    made = shapes.copy()
    made[points] = shapely.box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)
    conversions["geometry: square drawn around point"] += int(points.sum())
    return made

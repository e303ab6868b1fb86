"""Geometry of a file → geometry of a layer: checked, in the city's CRS, repaired, of the one declared type."""

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from layers.errors import CrsError, SourceError
from layers.ingest.quality import Problems
from layers.schema import GeometryType

Shapes = NDArray[np.object_]
MOST_VERTICES = 1_000_000
# A CRS serves a little beyond its area of use; about 200 km [degrees].
_MARGIN = 2.0
_NAMES = ("Point", "LineString", "LinearRing", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "Collection")
_POINT, _LINE, _RING, _POLYGON, _MULTIPOINT, _MULTILINE, _MULTIPOLYGON = range(7)


def read_crs(name: str) -> CRS:
    """Return the CRS called ``name`` (``EPSG:4326``, WKT …); CrsError names an unknown one."""
    try:
        return CRS.from_user_input(name)
    except CRSError as error:
        raise CrsError(f"'{name[:80]}' is not a known coordinate reference system", hint="such as EPSG:4326") from error


def check_crs(shapes: Shapes, crs: CRS, file: str) -> None:
    """Raise CrsError when the coordinates cannot be in ``crs``: metres declared as degrees or degrees as metres."""
    x0, y0, x1, y1 = np.moveaxis(shapely.bounds(shapes), -1, 0)
    known = np.isfinite(x0) & np.isfinite(y1)
    if not known.any():
        return
    in_degrees = (np.abs(x0) <= 360) & (np.abs(x1) <= 360) & (np.abs(y0) <= 90) & (np.abs(y1) <= 90)
    share = float(in_degrees[known].mean())
    example = f"such as {x0[known][0]:.6g}, {y0[known][0]:.6g}"
    if crs.is_geographic and share < 0.5:
        raise CrsError(
            f"{file}: the coordinates are not degrees ({example}) but {name_crs(crs)} is declared",
            hint="give the projected CRS with --crs EPSG:N",
        )
    if crs.is_projected and share > 0.5:
        raise CrsError(
            f"{file}: the coordinates look like degrees ({example}) but {name_crs(crs)} is declared",
            hint="give --crs EPSG:4326 if they are",
        )


def name_crs(crs: CRS) -> str:
    """Return authority and code of ``crs``, or its name."""
    authority = crs.to_authority()
    return ":".join(authority) if authority else str(crs.name)


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
    endless = np.zeros(len(shapes), dtype=bool)
    endless[owner[~np.isfinite(coordinates).all(axis=1)]] = True
    problems.add(endless, "a coordinate is not a number", name="geometry")


def check_area(shapes: Shapes, source: CRS, target: CRS, file: str) -> None:
    """Raise CrsError when no row of a file lies near the area of use of ``target``: then its CRS is wrong."""
    bounds = shapely.bounds(shapes)
    known = np.isfinite(bounds).all(axis=1)
    if known.any() and _find_outside(shapes[known], source, target).all():
        first = _show(shapes[known][:1]).iloc[0]
        raise CrsError(
            f"{file}: no row read as {name_crs(source)} lies near {_name_area(target)}, the first is at {first}",
            hint="is the CRS right, or are x and y exchanged?",
        )


def project(shapes: Shapes, source: CRS, target: CRS, problems: Problems) -> Shapes:
    """Return the shapes in ``target``, without Z and M; shapes outside what both CRS can hold are rejected.

    A row must lie within the target's area of use and 2 degrees around it.
    """
    flat: Shapes = shapely.force_2d(_blank(shapes, problems.bad))
    if source.is_geographic:
        _, y0, _, y1 = np.moveaxis(shapely.bounds(flat), -1, 0)
        off = (np.abs(y0) > 90) | (np.abs(y1) > 90)
        problems.add(off, "latitude beyond 90 degrees", name="geometry", values=_show(flat))
        flat = _blank(flat, off)
    outside = _find_outside(flat, source, target) & ~shapely.is_missing(flat)
    hint = f"beyond {_name_area(target)}"
    problems.add(outside, "far outside the city's area", name="geometry", values=_show(flat), hint=hint)
    moved = transform(_blank(flat, outside), source, target)
    lost = ~shapely.is_missing(moved) & ~np.isfinite(shapely.bounds(moved)).all(axis=1)
    problems.add(lost, "cannot be projected", name="geometry", values=_show(flat), hint=hint)
    return _blank(moved, lost)


def _blank(shapes: Shapes, mask: NDArray[np.bool_]) -> Shapes:
    made = shapes.copy()
    made[mask] = None
    return made


def _name_area(crs: CRS) -> str:
    return f"{name_crs(crs)} ({crs.area_of_use.name[:70]})" if crs.area_of_use else name_crs(crs)


def transform(shapes: Shapes, source: CRS, target: CRS) -> Shapes:
    """Return the shapes in ``target`` (x east, y north in both); unprojectable coordinates become infinite."""
    if source == target:
        return shapes
    moving = Transformer.from_crs(source, target, always_xy=True)

    def move(points: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = moving.transform(points[:, 0], points[:, 1])
        return np.column_stack([x, y])

    moved: Shapes = shapely.transform(shapes, move)
    return moved


def _find_outside(shapes: Shapes, source: CRS, target: CRS) -> NDArray[np.bool_]:
    area = target.area_of_use
    if area is None:
        return np.zeros(len(shapes), dtype=bool)
    x0, y0, x1, y1 = np.moveaxis(shapely.bounds(shapes), -1, 0)
    try:
        moving = Transformer.from_crs(source, CRS.from_epsg(4326), always_xy=True)
        west, south = moving.transform(x0, y0)
        east, north = moving.transform(x1, y1)
    except ProjError as error:
        raise CrsError(f"{name_crs(source)} cannot be brought to degrees: {error}") from error
    inside = (
        (west >= area.west - _MARGIN)
        & (east <= area.east + _MARGIN)
        & (south >= area.south - _MARGIN)
        & (north <= area.north + _MARGIN)
    )
    return np.asarray(~inside, dtype=bool)


def _show(shapes: Shapes) -> "pd.Series[Any]":
    """Return where each shape begins, as people write it."""
    x, y, _, _ = np.moveaxis(shapely.bounds(shapes), -1, 0)
    return pd.Series([f"{a:.6f}, {b:.6f}" if np.isfinite(a) else None for a, b in zip(x, y, strict=True)], dtype=object)


def count_dimensions(shapes: Shapes, conversions: "Counter[str]") -> None:
    """Count the shapes whose Z is dropped."""
    conversions["geometry: Z dropped"] += int(shapely.has_z(shapes).sum())


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

"""The coordinate reference system of a file: named, chosen, checked against where the data would fall."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import CRSError, ProjError

from layers.datum import CRS84, make_transformer
from layers.errors import CrsError
from layers.ingest.vn2000 import GRIDS_3, match_grid, recognise

Shapes = NDArray[np.object_]
WGS84 = "EPSG:4326"
# Units of length that coordinates come in [m].
UNITS = {"mm": 0.001, "cm": 0.01, "km": 1000.0, "in": 0.0254, "ft": 0.3048, "us-ft": 1200.0 / 3937.0}
_DEPARTURE = re.compile(rf"(?P<base>\S.*?)(?: zone=(?P<zone>\d{{1,3}}))?(?: unit=(?P<unit>{'|'.join(UNITS)}))?")
# A CRS serves a little beyond its area of use; about 200 km [degrees].
_MARGIN = 2.0


def read_crs(name: str) -> CRS:
    """Return the CRS called ``name`` (``EPSG:4326``, WKT …); CrsError names an unknown one.

    A projected one may be followed by how the file departs from it: ``EPSG:3405 zone=48`` has the number of the zone
    before x (48 586 000), ``EPSG:5897 unit=mm`` another unit of length (mm, cm, km, in, ft, us-ft).
    """
    match = _DEPARTURE.fullmatch(name)
    base, zone, unit = (match["base"], match["zone"], match["unit"]) if match else (name, None, None)
    try:
        crs = CRS.from_user_input(base)
    except CRSError as error:
        raise CrsError(f"'{name[:80]}' is not a known coordinate reference system", hint="such as EPSG:4326") from error
    return crs if zone is None and unit is None else _depart(crs, name, int(zone or 0), unit or "")


def _depart(crs: CRS, name: str, zone: int, unit: str) -> CRS:
    """Return a projected CRS with a zone number before x, in another unit; its name is how it was asked for."""
    if not crs.is_projected or crs.is_bound:
        raise CrsError(f"'{name}': only a projected CRS has zones and units of length")
    words = crs.to_json_dict()
    for one in words["conversion"]["parameters"]:
        if one["name"] == "False easting":
            one["value"] += zone * 1_000_000.0 / one.get("conversion_factor", 1.0)
    for axis in words["coordinate_system"]["axis"] if unit else ():
        axis["unit"] = {"type": "LinearUnit", "name": unit, "conversion_factor": UNITS[unit]}
    for key in ("id", "area", "bbox", "usages", "scope"):
        words.pop(key, None)
    return CRS.from_json_dict({**words, "name": name})


def name_crs(crs: CRS) -> str:
    """Return authority and code of ``crs``, or its name."""
    authority = crs.to_authority()
    return ":".join(authority) if authority else str(crs.name)


def name_area(crs: CRS) -> str:
    """Return ``crs`` with the place it is made for."""
    return f"{name_crs(crs)} ({crs.area_of_use.name[:70]})" if crs.area_of_use else name_crs(crs)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The CRS a file is read in; ``words`` say how it was found. ``is_given``: a person said so for this load."""

    crs: CRS
    words: str
    is_given: bool = False


def choose_crs(file: str, *, given: str | None, declared: str | None, default: str | None, is_table: bool) -> CRS:
    """Return the CRS of a file: given, its own, the mapping's, WGS 84 for tables; CrsError when none is known."""
    chosen = find_named(given=given, declared=declared, default=default)
    if chosen is not None:
        return chosen.crs
    if is_table:
        return read_crs(WGS84)
    raise CrsError(f"{file} does not say its coordinate reference system", hint="give it with --crs EPSG:N")


def find_named(*, given: str | None, declared: str | None, default: str | None) -> Chosen | None:
    """Return the CRS somebody named: for this load, in the file, in the mapping; None where nobody did.

    A file's VN-2000 grid without its code is known by its exact parameters.
    """
    if given is not None:
        crs = read_crs(given)
        return Chosen(crs, f"{name_crs(crs)}, as given", is_given=True)
    if declared is not None:
        crs = read_crs(declared)
        code = recognise(crs) if "id" not in crs.to_json_dict() else None
        if code is None:
            return Chosen(crs, f"{name_crs(crs)}, as the file says{_warn_of_datum(crs)}")
        return Chosen(CRS.from_epsg(code), f"EPSG:{code}, known by its parameters; the file calls it '{crs.name}'")
    if default is not None:
        crs = read_crs(default)
        return Chosen(crs, f"{name_crs(crs)}, as the mapping says")
    return None


def _warn_of_datum(crs: CRS) -> str:
    """Return a word where a file has the 3° projection of a VN-2000 grid but says another datum, often by mistake."""
    code = match_grid(crs)
    if code not in GRIDS_3.values() or "id" in crs.to_json_dict():
        return ""
    return f"; it has the projection of EPSG:{code}: if its datum is VN-2000, 200 m away, say --crs EPSG:{code}"


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


def check_area(shapes: Shapes, source: CRS, target: CRS, file: str) -> None:
    """Raise CrsError when no row of a file lies near the area of use of ``target``: then its CRS is wrong."""
    bounds = shapely.bounds(shapes)
    known = np.isfinite(bounds).all(axis=1)
    if known.any() and find_outside(shapes[known], source, target).all():
        first = show_places(shapes[known][:1]).iloc[0]
        raise CrsError(
            f"{file}: no row read as {name_crs(source)} lies near {name_area(target)}, the first is at {first}",
            hint="is the CRS right, or are x and y exchanged?",
        )


def find_outside(shapes: Shapes, source: CRS, target: CRS) -> NDArray[np.bool_]:
    """Return which shapes lie beyond the area of use of ``target`` and 2 degrees around it."""
    area = target.area_of_use
    if area is None:
        return np.zeros(len(shapes), dtype=bool)
    x0, y0, x1, y1 = np.moveaxis(shapely.bounds(shapes), -1, 0)
    try:
        moving = make_transformer(source, CRS84)
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


def transform(shapes: Shapes, source: CRS, target: CRS) -> Shapes:
    """Return the shapes in ``target`` (x east, y north in both); unprojectable coordinates become infinite."""
    if source == target:
        return shapes
    moving = make_transformer(source, target)

    def move(points: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = moving.transform(points[:, 0], points[:, 1])
        return np.column_stack([x, y])

    moved: Shapes = shapely.transform(shapes, move)
    return moved


def show_places(shapes: Shapes) -> "pd.Series[Any]":
    """Return where each shape begins, as people write it."""
    x, y, _, _ = np.moveaxis(shapely.bounds(shapes), -1, 0)
    return pd.Series([f"{a:.6f}, {b:.6f}" if np.isfinite(a) else None for a, b in zip(x, y, strict=True)], dtype=object)

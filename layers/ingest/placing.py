"""Whether a file's rows fall into the city as its CRS puts them; where not, which CRS would."""

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from layers.datum import CRS84, make_transformer
from layers.errors import CrsError
from layers.ingest.candidates import Points, describe_candidates, list_candidates, share_inside
from layers.ingest.crs import WGS84, Chosen, Shapes, find_named, name_crs, read_crs
from layers.store.area import Bounds, CityArea

# So many rows, spread over the sample, tell where it lies.
_ENOUGH = 500
# Data of a city reach beyond its border: a quarter of its size, at least 20 km [°]; a CRS serves 200 km around.
_MARGIN, _LEAST, _AROUND = 0.25, 0.2, 2.0
_NONE = "is the CRS right, or are x and y exchanged? none known here puts them into the city"


def place_file(
    file: str,
    shapes: Shapes,
    area: CityArea,
    *,
    given: str | None,
    declared: str | None,
    default: str | None,
    is_table: bool,
) -> Chosen:
    """Return the CRS of a file by what was said and by where its rows fall; ``shapes`` are some of its rows.

    Nothing is guessed: a table of degrees is read as WGS 84, and that is said. Without a CRS, or with one that puts
    every row out of the city, CrsError says which ones would put them into it. One that was given is believed as long
    as the rows stay in the area of use of the city's CRS.
    """
    points = pick_points(shapes)
    chosen = find_named(given=given, declared=declared, default=default)
    if chosen is None and is_table and (len(points) == 0 or _share_degrees(points) > 0.5):
        chosen = Chosen(read_crs(WGS84), f"{WGS84}, for a table of degrees that names none")
    if chosen is None:
        hint = _say_candidates(points, area) or "give it with --crs EPSG:N"
        raise CrsError(f"{file} does not say its coordinate reference system", hint=hint)
    if len(points) == 0:
        return chosen
    problem = _contradict(points, chosen, area)
    if problem is not None:
        raise CrsError(f"{file}: {problem}", hint=_say_candidates(points, area) or _NONE)
    return _check_city(file, points, chosen, area)


def find_inside(shapes: Shapes, crs: CRS, area: CityArea) -> NDArray[np.bool_]:
    """Return which shapes begin in the city or near it; missing ones do not."""
    x0, y0, _, _ = np.moveaxis(shapely.bounds(shapes), -1, 0)
    x, y = make_transformer(crs, CRS84).transform(x0, y0)
    west, south, east, north = _widen(area.bounds, _MARGIN, _LEAST)
    return np.asarray((x >= west) & (x <= east) & (y >= south) & (y <= north), dtype=bool)


def pick_points(shapes: Shapes) -> Points:
    """Return the middles of at most 500 shapes, spread over all of them, as (n, 2)."""
    known = shapes[~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)]
    picked = known[:: max(1, len(known) // _ENOUGH)]
    x0, y0, x1, y1 = np.moveaxis(shapely.bounds(picked), -1, 0)
    with np.errstate(invalid="ignore", over="ignore"):
        middles = np.column_stack([x0 + (x1 - x0) / 2.0, y0 + (y1 - y0) / 2.0])
    return np.asarray(middles[np.isfinite(middles).all(axis=1)], dtype=np.float64)


def _share_degrees(points: Points) -> float:
    return float(((np.abs(points[:, 0]) <= 360.0) & (np.abs(points[:, 1]) <= 90.0)).mean())


def _contradict(points: Points, chosen: Chosen, area: CityArea) -> str | None:
    """Return why the coordinates cannot be in the CRS at all: tied to no place, in another unit, or off the map."""
    name = name_crs(chosen.crs)
    if not (chosen.crs.is_projected or chosen.crs.is_geographic):
        return f"its CRS '{name}' is a local one, tied to no place on Earth"
    example = f"such as {points[0, 0]:.10g}, {points[0, 1]:.10g}"
    degrees = _share_degrees(points)
    if chosen.crs.is_geographic and degrees < 0.5:
        return f"the coordinates are not degrees ({example}) but {name} is declared"
    if chosen.crs.is_projected and degrees > 0.5:
        return f"the coordinates look like degrees ({example}) but {name} is declared"
    used = read_crs(f"EPSG:{area.srid}").area_of_use
    if used is not None and share_inside(points, chosen.crs, _widen(used.bounds, 0.0, _AROUND))[0] == 0.0:
        return f"no row read as {name} lies near the area of use of EPSG:{area.srid} ({used.name[:70]}), {example}"
    return None


def _check_city(file: str, points: Points, chosen: Chosen, area: CityArea) -> Chosen:
    """Return the choice, with a word where every row is out of the city; CrsError where another CRS would fit."""
    if not area.is_exact:
        return chosen
    share, distance = share_inside(points, chosen.crs, _widen(area.bounds, _MARGIN, _LEAST))
    if share > 0.0:
        return _compare(points, chosen, area)
    where = f"every row lies outside {area.name}, {distance / 1000.0:.0f} km from its middle"
    hint = "" if chosen.is_given else _say_candidates(points, area)
    if hint:
        insist = f"; if {name_crs(chosen.crs)} is right, say --crs {name_crs(chosen.crs)}"
        raise CrsError(f"{file}: read as {chosen.words}, {where}", hint=hint + insist)
    return Chosen(chosen.crs, f"{chosen.words}; {where}", chosen.is_given)


def _compare(points: Points, chosen: Chosen, area: CityArea) -> Chosen:
    """Return the choice, with a word where part of the rows is out of the city and another CRS would hold more."""
    share, _ = share_inside(points, chosen.crs, area.bounds)
    better = list_candidates(points, area)[:1] if share < 0.95 else []
    if not better or better[0].share < share + 0.05:
        return chosen
    word = (
        f"{1.0 - share:.0%} of the rows lie outside {area.name}, with --crs {better[0].say} {1.0 - better[0].share:.0%}"
    )
    return Chosen(chosen.crs, f"{chosen.words}; {word}", chosen.is_given)


def _say_candidates(points: Points, area: CityArea) -> str:
    return describe_candidates(list_candidates(points, area), area)


def _widen(bounds: Bounds, share: float, least: float) -> Bounds:
    west, south, east, north = bounds
    wide, high = max(least, share * (east - west)), max(least, share * (north - south))
    return west - wide, south - high, east + wide, north + high

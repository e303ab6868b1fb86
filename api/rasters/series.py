"""Values of a raster at a place and along a line, as JSON, CSV and CoverageJSON."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from api.answers import write_moment
from api.rasters.warping import open_raster
from layers.datum import CRS84, make_transformer
from layers.errors import InputError
from layers.quantities import QUANTITIES
from layers.schema import RasterLayer

COVERAGE_JSON = "application/prs.coverage+json"
CSV = "text/csv; charset=utf-8"
MAX_SAMPLES = 2000
_MAX_CORNERS = 1000
_MAX_WORDS = 50_000
_CRS84_URI = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_UCUM = "http://www.opengis.net/def/uom/UCUM/"
_CF = "http://vocab.nerc.ac.uk/standard_name/"


class Series(NamedTuple):
    """The values of ``layer`` at a place [°], one for each of ``times``; a raster without times has one value."""

    layer: RasterLayer
    lon: float
    lat: float
    times: Sequence[datetime] | None
    values: Sequence[float | None]


class Profile(NamedTuple):
    """Distances [m] along a line, the places [°] and the values there."""

    distances: list[float]
    places: list[tuple[float, float]]
    values: list[float | None]


def parse_place(words: str) -> tuple[float, float]:
    """Return longitude and latitude [°] of ``coords``; InputError for what is not the WKT of a point in CRS84."""
    corners = _read_corners(words, shapely.Point, "POINT(105.78 10.03)")
    return float(corners[0, 0]), float(corners[0, 1])


def parse_line(words: str) -> shapely.LineString:
    """Return the line of ``coords``; InputError for what is not the WKT of one in CRS84."""
    return shapely.LineString(_read_corners(words, shapely.LineString, "LINESTRING(105.77 10.03, 105.79 10.04)"))


def _read_corners(words: str, kind: type[shapely.Point] | type[shapely.LineString], hint: str) -> NDArray[np.float64]:
    """Return longitudes and latitudes (corners, 2) of a shape written as WKT."""
    try:
        shape = shapely.from_wkt(words[:_MAX_WORDS])
    except shapely.errors.GEOSException:
        raise InputError(f"coords '{words[:80]}' is not WKT", hint=hint) from None
    if not isinstance(shape, kind) or shape.is_empty:
        raise InputError(f"coords '{words[:80]}' is not a {kind.__name__}", hint=hint)
    corners = np.asarray(shapely.get_coordinates(shape), dtype=np.float64)
    if len(corners) > _MAX_CORNERS:
        raise InputError(f"coords has {len(corners)} corners, expected at most {_MAX_CORNERS}")
    if not (np.abs(corners) <= (180.0, 90.0)).all():
        raise InputError(f"coords '{words[:80]}' is not in longitudes −180 to 180 and latitudes −90 to 90", hint=hint)
    return corners


def read_profile(path: Path, line: shapely.LineString, band: int, samples: int) -> Profile:
    """Return ``samples`` values of band ``band`` (from 1), evenly along ``line`` (CRS84), its ends included.

    Distances are those of the raster's own plane. None where the raster has no value.
    """
    with open_raster(path) as dataset:
        name = dataset.crs.to_wkt()
        x, y = make_transformer(CRS84, name).transform(*shapely.get_coordinates(line).T)
        flat = shapely.LineString(np.column_stack([x, y]))
        if not np.isfinite(flat.length):
            raise InputError("coords lies too far from the raster")
        distances = np.linspace(0.0, flat.length, samples)
        points = shapely.get_coordinates(shapely.line_interpolate_point(flat, distances))
        found = [float(each[0]) for each in dataset.sample(points, indexes=band, masked=False)]
        box, nodata = dataset.bounds, dataset.nodata
        lon, lat = make_transformer(name, CRS84).transform(*points.T)
    inside = [box.left <= px < box.right and box.bottom < py <= box.top for px, py in points]
    values = [
        value if within and np.isfinite(value) and value != nodata else None
        for value, within in zip(found, inside, strict=True)
    ]
    places = [(round(float(east), 7), round(float(north), 7)) for east, north in zip(lon, lat, strict=True)]
    return Profile([round(float(each), 3) for each in distances], places, values)


def write_series_csv(series: Series) -> str:
    """Return a series as CSV: ``time,lon,lat,value,unit``; where there is no value the cell is empty."""
    unit = QUANTITIES[series.layer.quantity].unit
    times = [write_moment(moment) for moment in series.times] if series.times else [""]
    rows = [(time, series.lon, series.lat, value, unit) for time, value in zip(times, series.values, strict=True)]
    return _write_csv(("time", "lon", "lat", "value", "unit"), rows)


def write_profile_csv(profile: Profile, layer: RasterLayer) -> str:
    """Return a profile as CSV: ``distance,lon,lat,value,unit``."""
    unit = QUANTITIES[layer.quantity].unit
    rows = [
        (distance, lon, lat, value, unit)
        for distance, (lon, lat), value in zip(profile.distances, profile.places, profile.values, strict=True)
    ]
    return _write_csv(("distance", "lon", "lat", "value", "unit"), rows)


def write_coverage(series: Series) -> dict[str, Any]:
    """Return a series as CoverageJSON (OGC 21-069r2): a PointSeries, or a Point where there are no times."""
    axes: dict[str, Any] = {"x": {"values": [series.lon]}, "y": {"values": [series.lat]}}
    referencing: list[dict[str, Any]] = [
        {"coordinates": ["x", "y"], "system": {"type": "GeographicCRS", "id": _CRS84_URI}}
    ]
    if series.times:
        axes["t"] = {"values": [write_moment(moment) for moment in series.times]}
        referencing.append({"coordinates": ["t"], "system": {"type": "TemporalRS", "calendar": "Gregorian"}})
    values = {
        "type": "NdArray",
        "dataType": "float",
        "axisNames": ["t"] if series.times else [],
        "shape": [len(series.values)] if series.times else [],
        "values": list(series.values),
    }
    return {
        "type": "Coverage",
        "domain": {
            "type": "Domain",
            "domainType": "PointSeries" if series.times else "Point",
            "axes": axes,
            "referencing": referencing,
        },
        "parameters": {series.layer.id: describe_parameter(series.layer)},
        "ranges": {series.layer.id: values},
    }


def describe_parameter(layer: RasterLayer) -> dict[str, Any]:
    """Return a layer as a parameter of CoverageJSON and of OGC API EDR: what is measured, in which unit."""
    quantity = QUANTITIES[layer.quantity]
    observed: dict[str, Any] = {"label": layer.title._asdict()}
    if quantity.cf_standard_name:
        observed["id"] = f"{_CF}{quantity.cf_standard_name}/"
    return {
        "type": "Parameter",
        "description": layer.description._asdict(),
        "unit": {"label": {"en": quantity.symbol}, "symbol": {"value": quantity.unit, "type": _UCUM}},
        "observedProperty": observed,
    }


def _write_csv(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()

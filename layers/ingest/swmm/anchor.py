"""Where a model's own coordinates lie in the city: in a CRS, or laid around a place when they are local ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from layers.datum import CRS84, make_transformer
from layers.errors import CrsError, InputError
from layers.ingest.crs import check_area, check_crs, name_crs, read_crs
from layers.ingest.swmm.document import Inp
from layers.ingest.swmm.units import read_units

Points = NDArray[np.float64]

_MAP_UNITS = {"FEET": 0.3048, "METERS": 1.0}
_PLACED = ("COORDINATES", "VERTICES", "POLYGONS", "SYMBOLS")


@dataclass(frozen=True, slots=True)
class Anchor:
    """Brings points (n, 2) from the model's coordinates to the city's [m] and back.

    ``words`` are what is stored of it: ``crs``, or ``origin`` [lon, lat], ``centre`` [x, y] of the model's own
    coordinates that lies there, and ``scale``, metres in one of their units.
    """

    words: Mapping[str, Any]
    _forward: Transformer | None
    _backward: Transformer | None
    _origin: tuple[float, float]
    _centre: tuple[float, float]
    _scale: float

    def place(self, points: Points) -> Points:
        """Return points of the model in the city's CRS."""
        if self._forward is not None:
            x, y = self._forward.transform(points[:, 0], points[:, 1])
            return np.column_stack([x, y])
        return (points - self._centre) * self._scale + self._origin

    def unplace(self, points: Points) -> Points:
        """Return points of the city in the model's coordinates."""
        if self._backward is not None:
            x, y = self._backward.transform(points[:, 0], points[:, 1])
            return np.column_stack([x, y])
        return (points - self._origin) / self._scale + self._centre


def open_anchor(words: Mapping[str, Any], city_crs: str) -> Anchor:
    """Return the anchor that was stored as ``words``, for a city in ``city_crs``."""
    if "crs" in words:
        own, city = read_crs(str(words["crs"])), read_crs(city_crs)
        return Anchor(words, make_transformer(own, city), make_transformer(city, own), (0.0, 0.0), (0.0, 0.0), 1.0)
    lon, lat = words["origin"]
    x, y = make_transformer(CRS84, city_crs).transform(lon, lat)
    if not (np.isfinite(x) and np.isfinite(y)):
        raise CrsError(f"origin {lon:g}, {lat:g} cannot be brought to {city_crs}", hint="give it as lon,lat in degrees")
    first, second = words["centre"]
    return Anchor(words, None, None, (float(x), float(y)), (first, second), float(words["scale"]))


def choose_anchor(
    document: Inp, city_crs: str, *, crs: str | None = None, origin: tuple[float, float] | None = None
) -> Anchor:
    """Return how a model that is read lies in the city.

    Raise CrsError where neither ``crs`` nor ``origin`` [lon, lat] is given, or the coordinates cannot be in ``crs``.
    """
    points = read_places(document)
    if crs is not None and origin is not None:
        raise InputError("a model has a CRS or an origin, not both", hint="give --crs or --origin")
    if crs is not None:
        own = read_crs(crs)
        shapes = np.asarray(shapely.points(points), dtype=object)
        check_crs(shapes, own, "the model")
        check_area(shapes, own, CRS.from_user_input(city_crs), "the model")
        return open_anchor({"crs": crs if own.to_authority() is None else name_crs(own)}, city_crs)
    if origin is None:
        raise CrsError(
            f"a SWMM file does not say where its coordinates lie; these span {_say_extent(points)}",
            hint="give --crs EPSG:N where they are in a CRS (EPSG:4326 for degrees), or --origin LON,LAT to lay local "
            "ones around a place",
        )
    lon, lat = origin
    if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):
        raise InputError(f"origin {lon:g},{lat:g}: expected longitude,latitude in degrees")
    low, high = (points.min(axis=0), points.max(axis=0)) if len(points) else (np.zeros(2), np.zeros(2))
    centre = ((low + high) / 2.0).tolist()
    return open_anchor({"origin": [lon, lat], "centre": centre, "scale": _read_scale(document)}, city_crs)


def read_places(document: Inp) -> Points:
    """Return all coordinates of a document (n, 2); InputError naming the line of one that is no number."""
    rows = [row for section in _PLACED for row in document.rows(section)]
    found = [(row.read_number(1), row.read_number(2)) for row in rows]
    return np.array(found, dtype=np.float64).reshape(-1, 2)


def _read_scale(document: Inp) -> float:
    """Return the metres in one unit of local coordinates: as the map says, else as lengths of the file."""
    rows = document.find("MAP", "UNITS")
    unit = rows[-1].words[1].upper() if rows and len(rows[-1].words) > 1 else ""
    return _MAP_UNITS.get(unit, read_units(document).length)


def _say_extent(points: Points) -> str:
    if not len(points):
        return "nothing, for it has none"
    low, high = points.min(axis=0), points.max(axis=0)
    return f"{low[0]:.6g}…{high[0]:.6g}, {low[1]:.6g}…{high[1]:.6g}"

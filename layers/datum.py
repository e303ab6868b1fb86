"""From one coordinate reference system to another by the official datum shift, the same one everywhere.

PROJ chooses among the published shifts by place and accuracy: in the Mekong delta it takes EPSG:5194 for VN-2000, which
lies 0.8 m from EPSG:6960, the one of the Ministry's decision of 2007. Here each datum has one declared shift; the
database (``layers/store/spatial_reference.py``), Python and GDAL all use it.
"""

import re
import warnings
from functools import lru_cache

from pyproj import CRS, Transformer
from pyproj.crs import BoundCRS
from pyproj.crs.coordinate_operation import ToWGS84Transformation
from pyproj.database import query_crs_info
from pyproj.enums import PJType
from pyproj.transformer import TransformerGroup

CRS84 = "OGC:CRS84"
# Datum, its name bare of blanks and marks → its shift to WGS 84 (EPSG). Only the first is known to a metre.
_SHIFTS = {
    "vietnam2000": 6960,  # VN-2000 to WGS 84 (2), 1 m
    "vn2000": 6960,
    "hanoi1972": 1544,  # Hanoi 1972 to WGS 84 (1), 5 m at Vung Tau; none is published for the rest
    "indian1960": 1542,  # Indian 1960 to WGS 84 (2), 44 m
}
_NAMES = ("VN-2000", "Hanoi 1972", "Indian 1960")
_WGS84 = 4326


def find_shift(crs: CRS) -> int | None:
    """Return the EPSG code of the shift from the datum of ``crs`` to WGS 84; None where none is declared here.

    A CRS that brings its own shift (TOWGS84) keeps that one.
    """
    return None if crs.is_bound else _SHIFTS.get(name_datum(crs))


def name_datum(crs: CRS) -> str:
    """Return the name of the datum in small letters and digits, without the D_ that ESRI writes before it."""
    geodetic = crs.geodetic_crs
    name = geodetic.datum.name if geodetic is not None and geodetic.datum is not None else ""
    return re.sub("[^a-z0-9]", "", name.lower().removeprefix("d_"))


def bind(crs: CRS) -> CRS:
    """Return ``crs`` tied to the declared shift of its datum; others come back as they are."""
    shift = find_shift(crs)
    if shift is None:
        return crs
    bound = BoundCRS(crs, CRS.from_epsg(_WGS84), f"urn:ogc:def:coordinateOperation:EPSG::{shift}").to_json_dict()
    # PROJ passes over a shift outside its area and moves nothing instead; a shift known for a part serves the whole.
    for name in ("area", "bbox", "usages"):
        bound["transformation"].pop(name, None)
    return CRS.from_json_dict(bound)


@lru_cache(maxsize=256)
def make_transformer(source: CRS | str, target: CRS | str) -> Transformer:
    """Return the transformer between two CRS, x east and y north in both, by the declared shift of each datum."""
    here, there = CRS.from_user_input(source), CRS.from_user_input(target)
    if find_shift(here) is not None and find_shift(here) == find_shift(there):
        return Transformer.from_crs(here, there, always_xy=True)
    if find_shift(here) is None and find_shift(there) is None:
        return Transformer.from_crs(here, there, always_xy=True)
    return Transformer.from_crs(_tie(here), _tie(there), always_xy=True)


def _tie(crs: CRS) -> CRS:
    """Return ``crs`` tied to WGS 84: by its declared shift, else by none where PROJ knows of none (CGCS2000).

    PROJ drops the shift of the one CRS as well where it has no way from the other to WGS 84.
    """
    bound = bind(crs)
    if bound.is_bound or crs.geodetic_crs is None:
        return bound
    ways = TransformerGroup(crs.geodetic_crs, CRS.from_epsg(_WGS84)).transformers
    if ways and not ways[0].description.startswith("Ballpark"):
        return crs
    return BoundCRS(crs, CRS.from_epsg(_WGS84), ToWGS84Transformation(crs.geodetic_crs))


@lru_cache(maxsize=256)
def write_for_gdal(crs: CRS | str) -> str:
    """Return ``crs`` as GDAL's raster warper has to be told it to use the declared shift.

    GDAL drops the shift of any CRS whose datum it knows by name, so such a CRS is written as a PROJ string.
    """
    given = CRS.from_user_input(crs)
    bound = bind(given)
    if not bound.is_bound or given.is_bound:
        return str(given.to_wkt())
    with warnings.catch_warnings():
        # PROJ strings hold less than WKT; a datum whose shift is written out needs no name.
        warnings.simplefilter("ignore", UserWarning)
        return str(bound.to_proj4())


@lru_cache(maxsize=1)
def list_shifted() -> tuple[int, ...]:
    """Return the EPSG codes of every CRS on a datum with a declared shift, those EPSG gave up included."""
    every = query_crs_info("EPSG", [PJType.PROJECTED_CRS, PJType.GEOGRAPHIC_2D_CRS], allow_deprecated=True)
    return tuple(sorted({int(one.code) for one in every if one.name.startswith(_NAMES)}))

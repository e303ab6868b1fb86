"""Where the city is, in degrees: what tells whether data can be in the CRS they claim."""

from dataclasses import dataclass

from pyproj import CRS
from sqlalchemy import Connection, text

from layers.store.migrate import read_city

Bounds = tuple[float, float, float, float]
_WORLD = (-180.0, -90.0, 180.0, 90.0)


@dataclass(frozen=True, slots=True)
class CityArea:
    """The city's place: ``name`` for people, ``bounds`` west, south, east, north [°], ``srid`` of its own CRS.

    ``is_exact``: the bounds are the city's own; else no more is known than the area of use of its CRS.
    """

    name: str
    bounds: Bounds
    srid: int
    is_exact: bool


def read_area(connection: Connection) -> CityArea:
    """Return the place of the city: the catalogue's ``bounds``, else the extent of its wards, else its CRS's area."""
    city = read_city(connection)
    title = city.declaration.get("title")
    name = str(title.get("vi") or title.get("en")) if isinstance(title, dict) else city.id
    given = city.declaration.get("bounds")
    if isinstance(given, list) and len(given) == 4:
        west, south, east, north = map(float, given)
        return CityArea(name, (west, south, east, north), city.srid, is_exact=True)
    extent = connection.execute(
        text(
            "select st_xmin(box), st_ymin(box), st_xmax(box), st_ymax(box) "
            "from (select st_extent(st_transform(st_envelope(geom), 4326)) as box from city.wards) as extent"
        )
    ).one()
    if extent[0] is not None:
        return CityArea(name, (extent[0], extent[1], extent[2], extent[3]), city.srid, is_exact=True)
    area = CRS.from_epsg(city.srid).area_of_use
    return CityArea(f"the area of EPSG:{city.srid}", area.bounds if area else _WORLD, city.srid, is_exact=False)

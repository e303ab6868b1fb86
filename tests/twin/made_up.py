"""Places, lines and layers of made-up streets, in metres from one corner of the city."""

from typing import Any

import geopandas as gpd
import shapely

X, Y, CRS = 586_000.0, 1_109_000.0, "EPSG:5897"


def place(*xy: tuple[float, float]) -> list[shapely.Point]:
    """Return a point for each pair of metres."""
    return [shapely.Point(X + x, Y + y) for x, y in xy]


def join(*xy: tuple[float, float]) -> shapely.LineString:
    """Return the line through pairs of metres."""
    return shapely.LineString([(X + x, Y + y) for x, y in xy])


def frame(ids: list[str], shapes: list[Any], **columns: Any) -> gpd.GeoDataFrame:
    """Return the features of a layer."""
    return gpd.GeoDataFrame({"id": ids, **columns}, geometry=shapes, crs=CRS)

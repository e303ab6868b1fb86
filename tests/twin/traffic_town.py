"""A main street of four blocks with a parallel one and cross streets, for tests of what moves on them."""

from typing import Any

import geopandas as gpd
import shapely
from sqlalchemy import Connection

from layers.registry import read_vector_layer
from layers.store.features import upsert_features

X, Y, BLOCK = 586_000.0, 1_109_000.0, 300.0
CRS = "EPSG:5897"


def line(*corners: tuple[float, float]) -> shapely.LineString:
    """Return a line over corners counted in blocks."""
    return shapely.LineString([(X + east * BLOCK, Y + north * BLOCK) for east, north in corners])


def make_roads() -> gpd.GeoDataFrame:
    """Return the streets: M0 to M3 along the main one, N0 to N3 a block north of it, C0 to C4 across."""
    rows: list[dict[str, Any]] = []
    for place in range(4):
        for key, name, north, kind, speed in (
            ("M", "Đường Chính", 0.0, "primary", 50.0),
            ("N", "Đường Bắc", 1.0, "tertiary", 40.0),
        ):
            shape = line((place, north), (place + 1, north))
            rows.append(
                {
                    "id": f"{key}{place}", "name": name, "road_class": kind, "oneway": "no", "lanes": 2,
                    "max_speed": speed, "geometry": shape,
                }
            )  # fmt: skip
    for place in range(5):
        shape = line((place, 0.0), (place, 1.0))
        rows.append(
            {
                "id": f"C{place}", "name": f"Ngang {place}", "road_class": "residential", "oneway": "no", "lanes": 2,
                "max_speed": 30.0, "geometry": shape,
            }
        )  # fmt: skip
    return gpd.GeoDataFrame(rows, crs=CRS)


def make_works(*rows: dict[str, Any]) -> gpd.GeoDataFrame:
    """Return events of ``road_works`` from what is said of each."""
    usual = {"event_type": "work_zone", "vehicle_impact": "all_lanes_closed"}
    return gpd.GeoDataFrame([usual | row for row in rows], crs=CRS)


def load(connection: Connection, layer: str, frame: gpd.GeoDataFrame) -> None:
    """Put features into a layer."""
    upsert_features(connection, read_vector_layer(layer), frame, source_id="town")

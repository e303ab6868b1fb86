"""A point of Viet Nam lies at the same place for PROJ's own EPSG:6960, for Python, for GDAL and for PostGIS."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
import rasterio.warp
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.transformer import TransformerGroup
from rasterio.crs import CRS as RasterCRS
from rasterio.transform import from_origin
from sqlalchemy import Connection, text

from api.rasters.pictures import read_point
from layers.datum import CRS84, bind, find_shift, list_shifted, make_transformer, write_for_gdal
from layers.ingest.rasters import read_in_crs
from layers.registry import RASTER_LAYERS

VN2000 = [5896, 5897, 5898, 5899, *range(9205, 9219), 3405, 3406, 4756]
Points = NDArray[np.float64]


def scatter(crs: CRS, count: int = 200) -> Points:
    """Return points all over Viet Nam within 3° of the CRS's central meridian, in the CRS, as x and y."""
    random = np.random.default_rng(crs.to_epsg())
    meridian = float(list(crs.coordinate_operation.params)[1].value) if crs.coordinate_operation is not None else 106.0
    lon = random.uniform(max(102.2, meridian - 3), min(109.5, meridian + 3), count)
    lat = random.uniform(8.4, 23.3, count)
    return np.array(Transformer.from_crs(4756, crs, always_xy=True).transform(lon, lat))


def ask_proj(crs: CRS, target: str, points: Points) -> Points:
    """Return the points by the one operation of PROJ's own list that is VN-2000 to WGS 84 (2), EPSG:6960."""
    listed = TransformerGroup(crs, CRS.from_user_input(target), always_xy=True).transformers
    official = [one for one in listed if "VN-2000 to WGS 84 (2)" in one.description]
    assert len(official) == 1
    return np.array(official[0].transform(*points))


def test_the_official_parameters() -> None:
    # EPSG:6960, coordinate frame rotation, as the EPSG registry gives it.
    step = make_transformer("EPSG:4756", CRS84).definition
    for word in ("x=-191.90441429", "y=-39.30318279", "z=-111.45032835", "rx=-0.00928836", "ry=0.01975479"):
        assert word in step
    assert "rz=-0.00427372 s=0.252906278 convention=coordinate_frame" in step


@pytest.mark.parametrize("code", VN2000)
def test_python_agrees_with_proj(code: int) -> None:
    crs = CRS.from_epsg(code)
    points = scatter(crs)
    for target in ("EPSG:3857", "EPSG:32648"):
        moved = np.array(make_transformer(crs, target).transform(*points))
        assert np.abs(moved - ask_proj(crs, target, points)).max() < 1e-4
    # Back through the two-dimensional shift a point comes within 2 mm, for its height is not carried along.
    back = np.array(make_transformer("EPSG:32648", crs).transform(*moved))
    assert np.abs(back - points).max() < (2e-8 if crs.is_geographic else 0.002)


def test_the_default_of_proj_is_another_place() -> None:
    # Why the shift is declared: in the delta PROJ takes EPSG:5194. This fails the day PROJ changes its mind.
    crs = CRS.from_epsg(5897)
    by_default = Transformer.from_crs(crs, "EPSG:32648", always_xy=True).transform(586_000.0, 1_109_000.0)
    ours = make_transformer(crs, "EPSG:32648").transform(586_000.0, 1_109_000.0)
    assert np.hypot(*np.subtract(by_default, ours)) == pytest.approx(0.82, abs=0.05)


@pytest.mark.parametrize("code", VN2000)
def test_postgis_agrees_with_proj(connection: Connection, code: int) -> None:
    crs = CRS.from_epsg(code)
    points = scatter(crs)
    for srid in (3857, 32648):
        moved = transform_in_postgis(connection, points, code, srid)
        assert np.abs(moved - ask_proj(crs, f"EPSG:{srid}", points)).max() < 1e-4
    back = transform_in_postgis(connection, moved, 32648, code)
    assert np.abs(back - np.array(make_transformer("EPSG:32648", crs).transform(*moved))).max() < 1e-4


@pytest.mark.parametrize("code", [2044, 2045, 3148, 3149])
def test_old_datums_move_alike(connection: Connection, code: int) -> None:
    crs = CRS.from_epsg(code)
    points = np.array(make_transformer("EPSG:4756", crs).transform(*scatter(CRS.from_epsg(4756), 50)))
    moved = transform_in_postgis(connection, points, code, 5897)
    assert np.abs(moved - np.array(make_transformer(crs, "EPSG:5897").transform(*points))).max() < 1e-3
    assert "to WGS 84" in make_transformer(crs, "EPSG:5897").description


def transform_in_postgis(connection: Connection, points: Points, source: int, target: int) -> Points:
    rows = connection.execute(
        text(
            "select st_x(moved), st_y(moved) from (select i, st_transform(st_setsrid(st_makepoint(x, y), "
            "cast(:source as int)), cast(:target as int)) as moved from unnest(cast(:x as float8[]), "
            "cast(:y as float8[])) with ordinality as given (x, y, i)) as all_moved order by i"
        ),
        {"x": points[0].tolist(), "y": points[1].tolist(), "source": source, "target": target},
    ).all()
    return np.array([tuple(row) for row in rows]).T


@pytest.mark.parametrize("code", [5897, 9210, 3405, 2044])
def test_gdal_agrees_with_proj(code: int) -> None:
    crs = CRS.from_epsg(code)
    points = np.array(make_transformer("EPSG:4756", crs).transform(*scatter(CRS.from_epsg(4756), 50)))
    told = RasterCRS.from_user_input(write_for_gdal(crs))
    x, y = rasterio.warp.transform(told, RasterCRS.from_epsg(3857), *points.tolist())
    assert np.abs(np.array([x, y]) - np.array(make_transformer(crs, "EPSG:3857").transform(*points))).max() < 1e-3


def test_within_one_datum_nothing_is_shifted() -> None:
    assert "to WGS 84" not in make_transformer("EPSG:9210", "EPSG:5897").description
    assert "to WGS 84" not in make_transformer(CRS.from_epsg(9210).to_wkt("WKT1_ESRI"), "EPSG:5897").description


def test_who_has_a_declared_shift() -> None:
    assert {*VN2000, 4147, 2044, 2045, 4131, 3148, 3149} <= set(list_shifted())
    assert all(find_shift(CRS.from_epsg(code)) for code in list_shifted())
    assert find_shift(CRS.from_epsg(4326)) is None
    brought = CRS.from_user_input("+proj=tmerc +lon_0=105 +ellps=WGS84 +towgs84=1,2,3")
    assert find_shift(brought) is None
    assert bind(brought) == brought
    assert write_for_gdal(CRS.from_epsg(2263)) == CRS.from_epsg(2263).to_wkt()


def test_a_raster_is_warped_to_where_its_points_go(tmp_path: Path) -> None:
    # Each cell holds how far east it lies, so that the warped values tell the shift, far below the size of a cell.
    x0, y0 = make_transformer("EPSG:5897", "EPSG:32648").transform(586_000.0, 1_109_000.0)
    cells = 2.0 * (np.arange(100) + 0.5)
    path = tmp_path / "east.tif"
    frame = {"driver": "GTiff", "width": 100, "height": 100, "count": 1, "dtype": "float32"}
    with rasterio.open(path, "w", crs="EPSG:32648", transform=from_origin(x0, y0, 2.0, 2.0), **frame) as made:
        made.write(np.tile(cells, (100, 1)).astype(np.float32), 1)
    warped, grid = read_in_crs(path, CRS.from_epsg(5897), RASTER_LAYERS["terrain"])
    x, y = np.meshgrid(*grid.centres())
    east = np.asarray(make_transformer("EPSG:5897", "EPSG:32648").transform(x, y)[0]) - x0
    inner = (slice(5, -5), slice(5, -5))
    assert np.nanmax(np.abs(warped[inner] - east[inner])) < 0.001
    assert np.isfinite(warped[inner]).mean() > 0.99
    picked = read_point(path, *make_transformer("EPSG:32648", CRS84).transform(x0 + 41.0, y0 - 41.0))
    assert picked == [41.0]


@pytest.mark.parametrize("code", [4490, 4544, 4326, 32648])
def test_other_datums_meet_vn2000_at_the_same_place(code: int) -> None:
    # CGCS2000 (4490, 4544) is ITRF97 at epoch 2000: within a metre of WGS 84, and PROJ knows no way between them.
    crs, place = CRS.from_epsg(code), (105.77, 10.03)
    plane = Transformer.from_crs(crs.geodetic_crs, crs, always_xy=True).transform(*place)
    expected = make_transformer(CRS84, "EPSG:9210").transform(*place)
    found = make_transformer(crs, "EPSG:9210").transform(*plane)
    assert np.hypot(*np.subtract(found, expected)) < 1.0
    back = make_transformer("EPSG:9210", crs).transform(*expected)
    assert np.array(back) == pytest.approx(np.array(plane), abs=1e-7 if crs.is_geographic else 0.01)

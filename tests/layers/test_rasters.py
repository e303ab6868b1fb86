"""COGs: what is written comes back, on its own grid and on others."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import rasterio
from pyproj import CRS
from sqlalchemy import Connection

from layers.errors import InputError, NotFoundError, SourceError
from layers.grid import Grid
from layers.ingest.rasters import read_in_crs
from layers.registry import read_raster_layer
from layers.store.rasters import (
    find_raster,
    list_newest_rasters,
    list_rasters,
    read_grid,
    read_raster_row,
    register_raster,
    write_cog,
)
from tests.layers.cog_rules import check_cog

GRID = Grid(300, 500, 586_000.0, 1_109_000.0, 10.0, "EPSG:5897")
TIMES = tuple(datetime(2026, 10, 25, tzinfo=UTC) + timedelta(minutes=15 * step) for step in range(3))


def make_values(bands: int) -> np.ndarray:
    values = np.random.default_rng(1).random((bands, *GRID.shape)).astype(np.float32)
    values[:, :20, :20] = np.nan
    return values


def test_a_series_comes_back_with_its_times(tmp_path: Path) -> None:
    values = make_values(3)
    write_cog(tmp_path / "depth.tif", values, GRID, times=TIMES, tags={"layer": "flood_depth"})
    with rasterio.open(tmp_path / "depth.tif") as back:
        assert back.descriptions == ("2026-10-25T00:00:00Z", "2026-10-25T00:15:00Z", "2026-10-25T00:30:00Z")
        assert back.overviews(1) == [2]
        assert back.profile["interleave"] == "band"
        assert back.block_shapes[0] == (256, 256)
        assert np.isnan(back.nodata)
        assert back.crs.to_epsg() == 5897
        np.testing.assert_array_equal(back.read(), values)
    assert [path.name for path in tmp_path.iterdir()] == ["depth.tif"]


@pytest.mark.parametrize(("rows", "cols", "bands"), [(1500, 1300, 1), (700, 1300, 4), (300, 500, 3), (40, 30, 1)])
def test_what_is_written_is_a_valid_cog(tmp_path: Path, rows: int, cols: int, bands: int) -> None:
    grid = Grid(rows, cols, 586_000.0, 1_109_000.0, 10.0, "EPSG:5897")
    values = np.random.default_rng(2).random((bands, rows, cols)).astype(np.float32)
    write_cog(tmp_path / "a.tif", values, grid)
    check_cog(tmp_path / "a.tif")


def test_a_file_in_another_order_is_no_valid_cog(tmp_path: Path) -> None:
    """The rules find the faults of a plain GeoTIFF: overviews that were added behind the data, or none, or strips."""
    profile = {"driver": "GTiff", "width": 1300, "height": 1200, "count": 1, "dtype": "float32", "crs": "EPSG:5897",
               "transform": rasterio.transform.from_origin(580_000.0, 1_108_000.0, 10.0, 10.0)}  # fmt: skip
    values = np.ones((1, 1200, 1300), dtype=np.float32)
    with rasterio.open(tmp_path / "plain.tif", "w", **profile, tiled=True, blockxsize=256, blockysize=256) as made:
        made.write(values)
    with pytest.raises(AssertionError, match="no overviews"):
        check_cog(tmp_path / "plain.tif")
    with rasterio.open(tmp_path / "plain.tif", "r+") as made:
        made.build_overviews([2, 4])
    with pytest.raises(AssertionError, match=r"out of order|before a directory|behind"):
        check_cog(tmp_path / "plain.tif")


def test_a_real_terrain_that_was_brought_in_is_a_valid_cog(tmp_path: Path, shared: Callable[[str], Path]) -> None:
    path = shared("porto-alegre/poa_elevation.tif")
    array, grid = read_in_crs(path, CRS.from_epsg(31982), read_raster_layer("terrain"))
    write_cog(tmp_path / "terrain.tif", array, grid)
    check_cog(tmp_path / "terrain.tif")


def test_the_newest_raster_of_a_layer_is_found_by_the_layers_name(connection: Connection) -> None:
    same = {"run_id": None, "path": "a.tif", "times": None, "bounds_crs84": (105.7, 10.0, 105.8, 10.1), "minimum": 0.0,
            "maximum": 2.0, "source_id": None, "fingerprint": "f"}  # fmt: skip
    for raster_id, layer_id in (("r1", "terrain"), ("r2", "terrain"), ("r3", "land_cover"), ("terrain", "flood_depth")):
        register_raster(connection, raster_id=raster_id, layer_id=layer_id, **same)  # type: ignore[arg-type]
    # A raster's own name goes before that of a layer.
    assert find_raster(connection, "terrain").layer == "flood_depth"
    assert find_raster(connection, "land_cover").id == "r3"
    assert find_raster(connection, "r1").id == "r1"
    # Of one moment, the last name.
    assert {row.layer: row.id for row in list_newest_rasters(connection)} == {
        "terrain": "r2", "land_cover": "r3", "flood_depth": "terrain",
    }  # fmt: skip
    with pytest.raises(NotFoundError, match="'nothing' does not exist"):
        find_raster(connection, "nothing")


def test_bands_and_times_must_agree(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="3 bands but 2 times"):
        write_cog(tmp_path / "a.tif", make_values(3), GRID, times=TIMES[:2])
    with pytest.raises(InputError, match="does not lie on a grid"):
        write_cog(tmp_path / "a.tif", make_values(1)[:, :5], GRID)
    assert not list(tmp_path.iterdir())


def test_coarser_cells_are_means_and_a_window_is_itself(tmp_path: Path) -> None:
    values = make_values(1)[0]
    write_cog(tmp_path / "a.tif", values, GRID)
    native, grid = read_grid(tmp_path / "a.tif")
    assert grid == GRID
    np.testing.assert_array_equal(native, values)
    coarse, coarse_grid = read_grid(tmp_path / "a.tif", cell_size=20.0)
    assert coarse_grid.shape == (150, 250)
    np.testing.assert_allclose(coarse[100, 100], values[200:202, 200:202].mean(), rtol=1e-5)
    bounds = (587_000.0, 1_107_000.0, 587_100.0, 1_107_050.0)
    window, window_grid = read_grid(tmp_path / "a.tif", bounds=bounds, cell_size=10.0)
    assert window_grid.bounds == bounds
    np.testing.assert_allclose(window, values[195:200, 100:110], rtol=1e-6)


def test_a_file_that_is_no_raster_is_named(tmp_path: Path) -> None:
    (tmp_path / "words.tif").write_text("no raster")
    with pytest.raises(SourceError, match=r"words\.tif cannot be read"):
        read_grid(tmp_path / "words.tif")


def test_the_list_of_rasters(connection: Connection) -> None:
    for path in ("a.tif", "b.tif"):
        register_raster(
            connection,
            raster_id="terrain",
            layer_id="terrain",
            run_id=None,
            path=path,
            times=TIMES,
            bounds_crs84=(105.7, 10.0, 105.8, 10.1),
            minimum=-1.0,
            maximum=2.0,
            source_id="s",
            fingerprint="f",
        )
    assert [row.path for row in list_rasters(connection, layer="terrain")] == ["b.tif"]
    assert read_raster_row(connection, "terrain").times == TIMES
    assert list_rasters(connection, run_id="none") == []
    with pytest.raises(NotFoundError, match="'nothing'"):
        read_raster_row(connection, "nothing")

"""COGs: what is written comes back, on its own grid and on others."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import rasterio
from sqlalchemy import Connection

from layers.errors import InputError, NotFoundError, SourceError
from layers.grid import Grid
from layers.store.rasters import list_rasters, read_grid, read_raster_row, register_raster, write_cog

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


def test_overviews_and_directory_lie_before_the_data(tmp_path: Path) -> None:
    write_cog(tmp_path / "a.tif", make_values(1), GRID)
    with rasterio.open(tmp_path / "a.tif") as back:
        full = int(back.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", 1))
        overview = int(back.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", 1, ovr=0))
    assert overview < full


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

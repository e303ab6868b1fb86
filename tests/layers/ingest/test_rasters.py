"""A GeoTIFF comes into the city's CRS with its values where they were."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from pyproj import CRS
from rasterio.transform import from_origin
from sqlalchemy import Engine, text

from layers.errors import CrsError, SourceError
from layers.ingest.catalog import Source
from layers.ingest.load import load_source
from layers.store.rasters import list_rasters, read_raster_row

Make = Callable[..., Source]


def write_tif(path: Path, values: np.ndarray, *, crs: str | None, west: float, north: float, cell: float) -> Path:
    profile = {"driver": "GTiff", "height": values.shape[0], "width": values.shape[1], "count": 1, "dtype": "float32"}
    with rasterio.open(
        path, "w", **profile, crs=crs, transform=from_origin(west, north, cell, cell), nodata=-9999.0
    ) as made:
        made.write(values.astype(np.float32), 1)
    return path


def raster(make_source: Make, path: Path) -> Source:
    return make_source(path, id="dem", layer="terrain").model_copy(update={"kind": "raster"})


def test_degrees_become_metres(engine: Engine, tmp_path: Path, make_source: Make) -> None:
    # A plane that rises to the east: 100 m a degree from 105.7° E.
    lon = 105.7 + (np.arange(60) + 0.5) * 0.001
    values = np.tile((lon - 105.7) * 100.0, (40, 1))
    values[0, 0], values[1, 1] = -9999.0, 20_000.0
    path = write_tif(tmp_path / "dem.tif", values, crs="EPSG:4326", west=105.7, north=10.04, cell=0.001)
    (report,) = load_source(engine, raster(make_source, path), Path(), processed_dir=tmp_path / "processed")
    assert report.quarantined >= 1
    assert report.loaded + report.quarantined == report.read
    with engine.connect() as connection:
        row = read_raster_row(connection, "terrain")
    assert row.bounds == pytest.approx((105.7, 10.0, 105.76, 10.04), abs=0.002)
    with rasterio.open(tmp_path / "processed" / row.path) as made:
        assert made.crs.to_epsg() == 5897
        x, y = rasterio.warp.transform("EPSG:4326", made.crs, [105.735], [10.02])
        assert next(made.sample([(x[0], y[0])]))[0] == pytest.approx(3.5, abs=0.06)


def test_a_raster_in_the_citys_crs_is_not_resampled(engine: Engine, tmp_path: Path, make_source: Make) -> None:
    values = np.random.default_rng(1).normal(1.0, 0.3, (30, 20))
    path = write_tif(tmp_path / "dem.tif", values, crs="EPSG:5897", west=580_000, north=1_108_000, cell=10)
    counts = []
    for _ in range(2):
        (report,) = load_source(engine, raster(make_source, path), Path(), processed_dir=tmp_path / "processed")
        counts.append((report.loaded, report.unchanged))
    assert counts[0][0] == counts[1][1] > 0
    assert counts[0][1] == counts[1][0] == 0
    with rasterio.open(tmp_path / "processed" / "rasters" / "terrain.tif") as made:
        assert np.array_equal(made.read(1), values.astype(np.float32))


def test_bad_rasters_are_named_and_leave_nothing(engine: Engine, tmp_path: Path, make_source: Make) -> None:
    with engine.connect() as connection:
        before = list_rasters(connection)
    empty = write_tif(
        tmp_path / "empty.tif", np.full((4, 4), -9999.0), crs="EPSG:5897", west=580_000, north=1_108_000, cell=10
    )
    nowhere = write_tif(tmp_path / "nowhere.tif", np.ones((4, 4)), crs=None, west=0, north=0, cell=10)
    (tmp_path / "text.tif").write_text("no raster")
    for path, error, named in (
        (empty, SourceError, "has no value"),
        (nowhere, CrsError, "does not say its coordinate reference system"),
        (tmp_path / "text.tif", SourceError, "cannot be read as a raster"),
        (tmp_path / "gone.tif", SourceError, "does not exist"),
    ):
        with pytest.raises(error, match=named) as caught:
            load_source(engine, raster(make_source, path), Path(), processed_dir=tmp_path / "out")
        assert path.name in str(caught.value)
    assert not (tmp_path / "out").exists()
    with engine.connect() as connection:
        assert list_rasters(connection) == before


def test_a_raster_that_would_fall_elsewhere_is_refused_with_what_would_fit(
    engine: Engine, tmp_path: Path, make_source: Make
) -> None:
    with engine.begin() as connection:
        words = '{"title": {"vi": "Cần Thơ"}, "bounds": [105.226, 9.245, 106.298, 10.325]}'
        connection.execute(text("update meta.city set declaration = cast(:words as jsonb)"), {"words": words})
    # Terrain of Can Tho on the city's grid, but labelled with that of Quang Ninh, 300 km to the east.
    values = np.ones((30, 30), dtype=np.float32)
    for crs, said in ((None, "does not say"), ("EPSG:5899", "every row lies outside Cần Thơ")):
        path = write_tif(tmp_path / "dem.tif", values, crs=crs, west=580_000, north=1_108_000, cell=100)
        with pytest.raises(CrsError, match=said) as caught:
            load_source(engine, raster(make_source, path), Path(), processed_dir=tmp_path / "out")
        assert "--crs EPSG:5897 (VN-2000 / TM-3 zone 482, the city's own)" in str(caught.value)
    (report,) = load_source(engine, raster(make_source, path), Path(), crs="EPSG:5897", processed_dir=tmp_path / "out")
    assert (report.read, report.crs) == (900, "EPSG:5897, as given")
    # All of Viet Nam in degrees: larger than the city, and no other reading would do.
    path = write_tif(tmp_path / "dem.tif", np.ones((50, 30)), crs="EPSG:4326", west=102, north=24, cell=0.3)
    (report,) = load_source(engine, raster(make_source, path), Path(), processed_dir=tmp_path / "out")
    assert report.crs == "EPSG:4326, as the file says"


@pytest.mark.parametrize("has_crs", [True, False])
def test_an_ascii_grid_of_codes_keeps_its_codes(
    engine: Engine, tmp_path: Path, make_source: Make, has_crs: bool
) -> None:
    codes = np.random.default_rng(2).integers(1, 5, (20, 30))
    head = "ncols 30\nnrows 20\nxllcorner 105.70\nyllcorner 10.00\ncellsize 0.001\nNODATA_value -9999\n"
    path = tmp_path / "cover.asc"
    path.write_text(head + "\n".join(" ".join(map(str, row)) for row in codes))
    if has_crs:
        (tmp_path / "cover.prj").write_text(CRS.from_epsg(4326).to_wkt("WKT1_ESRI"))
    source = make_source(path, id="cover", layer="land_cover").model_copy(update={"kind": "raster"})
    given = None if has_crs else "EPSG:4326"
    (report,) = load_source(engine, source, Path(), crs=given, processed_dir=tmp_path / "out")
    assert report.quarantined == 0
    with rasterio.open(tmp_path / "out" / "rasters" / "land_cover.tif") as made:
        # The nearest cell is taken: no code lies between two others.
        found = made.read(1, masked=True).compressed()
        assert set(np.unique(found)) == {1, 2, 3, 4}
        x, y = rasterio.warp.transform("EPSG:4326", made.crs, [105.7105], [10.0105])
        assert next(made.sample([(x[0], y[0])]))[0] == codes[9, 10]


@pytest.mark.parametrize("name", ["t.vrt", "t.tif", "t.asc"])
def test_a_virtual_raster_is_refused_whatever_its_name(
    engine: Engine, tmp_path: Path, make_source: Make, name: str
) -> None:
    real = write_tif(tmp_path / "real.tif", np.ones((4, 4)), crs="EPSG:5897", west=580_000, north=1_108_000, cell=10)
    (tmp_path / name).write_text(
        '<VRTDataset rasterXSize="4" rasterYSize="4"><VRTRasterBand dataType="Float32" band="1"><SimpleSource>'
        f"<SourceFilename>{real}</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    with pytest.raises(SourceError, match="cannot be read"):
        load_source(engine, raster(make_source, tmp_path / name), Path(), processed_dir=tmp_path / "out")

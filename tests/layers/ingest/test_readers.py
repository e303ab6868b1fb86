"""Files are read as they are; broken, empty and unknown ones are named in one line."""

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pytest

from layers.errors import SourceError
from layers.ingest.mapping import GeometryRule
from layers.ingest.readers import locate, read_file

Trees = Callable[[int], gpd.GeoDataFrame]


@pytest.mark.parametrize("name", ["t.gpkg", "t.geojson", "t.shp", "t.fgb"])
def test_formats_of_gdal(tmp_path: Path, tree_frame: Trees, name: str) -> None:
    tree_frame(5).to_file(tmp_path / name)
    raw = read_file(tmp_path / name)
    # FlatGeobuf orders its rows in space.
    assert sorted(raw.frame["id"]) == ["t0", "t1", "t2", "t3", "t4"]
    assert raw.crs is not None
    assert raw.shapes is not None
    assert len(raw.shapes) == 5


def test_zipped_shapefile(tmp_path: Path, tree_frame: Trees) -> None:
    make_zip(tmp_path, tree_frame(3))
    assert len(read_file(tmp_path / "t.zip").frame) == 3


def make_zip(folder: Path, frame: gpd.GeoDataFrame) -> Path:
    frame.to_file(folder / "t.shp")
    with zipfile.ZipFile(folder / "t.zip", "w") as archive:
        for part in folder.glob("t.*"):
            if part.suffix != ".zip":
                archive.write(part, f"inside/{part.name}")
    return folder / "t.zip"


def test_truncated_zip_is_named(tmp_path: Path, tree_frame: Trees) -> None:
    path = make_zip(tmp_path, tree_frame(50))
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(SourceError, match=r"t\.zip is not a whole zip file"):
        read_file(path)


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_truncated_geopackage_is_named(tmp_path: Path, tree_frame: Trees, share: float) -> None:
    path = tmp_path / "t.gpkg"
    tree_frame(5000).to_file(path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(SourceError, match=r"t\.gpkg"):
        read_file(path)


def test_truncated_geojson_is_named(tmp_path: Path, tree_frame: Trees) -> None:
    path = tmp_path / "t.geojson"
    tree_frame(50).to_file(path)
    path.write_text(path.read_text()[:-300])
    with pytest.raises(SourceError, match=r"t\.geojson"):
        read_file(path)


def test_tables_are_listed(tmp_path: Path, tree_frame: Trees) -> None:
    path = tmp_path / "t.gpkg"
    tree_frame(2).to_file(path, layer="oaks")
    tree_frame(3).to_file(path, layer="palms")
    with pytest.raises(SourceError, match="choose one with 'table': oaks, palms"):
        read_file(path)
    with pytest.raises(SourceError, match="no table 'pines' — it has oaks, palms"):
        read_file(path, table="pines")
    assert len(read_file(path, table="palms").frame) == 3


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("gone.gpkg", None, "does not exist"),
        ("empty.csv", b"", "an empty file"),
        ("t.xlsx", b"x", "cannot be read — known are"),
        ("t.gpkg", b"not a database at all", "cannot be read as GeoPackage"),
        ("t.geojson", b'{"type": "Feature', "cannot be read as GeoJSON"),
        ("t.geojson", b'{"type": "FeatureCollection", "features": []}', "has no rows"),
        ("t.shp", b"\x00\x00\x27\x0a", "cannot be read as shapefile"),
        ("t.zip", b"PK\x03\x04", "not a whole zip"),
        ("t.csv", b"a,b\n", "a header but no rows"),
        ("t.csv", b"a,b\n1,2\n3,4,5\n", "is not a CSV table"),
        ("t.csv", "a,b\nđ,2\n".encode("utf-16"), "is not UTF-8"),
        ("t.csv.gz", b"not gzip", "is not a CSV table"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, name: str, content: bytes | None, named: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError) as caught:
        read_file(path)
    assert name in str(caught.value)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


def test_csv_keeps_every_cell_as_text(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("\ufeffid;lon;lat;name\n007;105.7;10.0;Đường 3/2\nNA;;;\n".encode())
    raw = read_file(path)
    assert raw.frame["id"].tolist() == ["007", "NA"]
    assert raw.frame["name"].tolist() == ["Đường 3/2", ""]
    located = locate(raw, GeometryRule(), path)
    assert located.shapes is not None
    assert (located.shapes[0].x, located.shapes[1]) == (105.7, None)


def test_gzipped_csv(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    assert read_file(path).frame["b"].tolist() == ["2"]


def test_coordinate_columns_are_guessed_or_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,Longitude,Latitude\na,105.7,abc\n")
    located = locate(read_file(path), GeometryRule(), path)
    assert located.reasons is not None
    assert located.reasons.tolist() == ["a coordinate is not a number"]
    with pytest.raises(SourceError, match="no coordinate column 'x' — it has id, Longitude, Latitude"):
        locate(read_file(path), GeometryRule(x="x", y="y"), path)
    path.write_text("id,street\na,b\n")
    with pytest.raises(SourceError, match="has no coordinate columns"):
        locate(read_file(path), GeometryRule(), path)


def test_wkt_column(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    huge = "LINESTRING (" + ", ".join(["105.123456 10.123456"] * 50_000) + ")"
    path.write_text(f'id,shape\na,POINT (105 10)\nb,POINT (105\nc,\nd,"{huge}"\n')
    located = locate(read_file(path), GeometryRule(wkt="shape"), path)
    assert located.reasons is not None
    assert located.reasons.fillna("").tolist() == [
        "", "geometry is not WKT", "", "geometry text longer than 1000000 characters",
    ]  # fmt: skip

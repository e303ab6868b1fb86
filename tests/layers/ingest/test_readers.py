"""Files are read as they are; broken, empty and unknown ones are named in one line."""

import gzip
import sqlite3
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from layers.errors import SourceError
from layers.ingest.locate import locate
from layers.ingest.mapping import GeometryRule
from layers.ingest.readers import open_file, read_file

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
    ("file", "kind"),
    [
        ("porto-alegre/poa_trensurb.zip", "a GTFS timetable"),
        ("tide-gauge/VLISSGN_obs19.txt", "a DONAR file"),
        ("tide-gauge/VLISSGN_waterlevel_20180101_20180401.noos", "a NOOS file"),
        ("swmm-networks/alpha.inp", "a network model of SWMM"),
    ],
)
def test_what_is_not_read_yet_is_called_by_its_name(shared: Callable[[str], Path], file: str, kind: str) -> None:
    with pytest.raises(SourceError, match=f"is {kind}.*, which is not read yet"):
        read_file(shared(file))


def test_a_timetable_is_called_by_its_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bus.zip", "w") as packed:
        for name in ("stops.txt", "routes.txt", "trips.txt"):
            packed.writestr(name, "stop_id,stop_name\n1,a\n")
    with pytest.raises(SourceError, match=r"is a GTFS timetable, which is not read yet — load its stops\.txt"):
        read_file(tmp_path / "bus.zip")


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("gone.gpkg", None, "does not exist"),
        ("empty.csv", b"", "an empty file"),
        ("t.doc", b"x", "cannot be read — known are"),
        ("t.xls", b"x", "cannot be read — save it as .xlsx"),
        ("t.inp", b"[TITLE]", "is a network model of SWMM or EPANET, which is not read yet — save its nodes"),
        (
            "t.txt",
            b"[IDT;*DIF*;A;CENT;20190213]",
            "is a DONAR file of readings, which is not read yet — save it as CSV",
        ),
        ("t.txt", b"x", "files ending in '.txt' cannot be read — known are"),
        ("gone.txt", None, "files ending in '.txt' cannot be read"),
        ("t.gpkg", b"not a database at all", "cannot be read as GeoPackage"),
        ("t.geojson", b'{"type": "Feature', "cannot be read as GeoJSON"),
        ("t.geojson", b'{"type": "FeatureCollection", "features": []}', "has no rows"),
        ("t.shp", b"\x00\x00\x27\x0a", "cannot be read as shapefile"),
        ("t.zip", b"PK\x03\x04", "not a whole zip"),
        ("t.csv", b"a,b\n", "a header but no rows"),
        ("t.csv", b'a,b\n1,2\n3,"4\n', "a quotation mark in line 3 is never closed"),
        ("t.csv", b"a,b\n\x00\x01,2\n", "holds binary zeros"),
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


def test_a_ragged_row_is_rejected_alone(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("id,lon,lat\na,105.7,10\nb,105.7,10,surplus\nc,105.7\n\nd,105.7,10,,\n")
    located = locate(read_file(path), GeometryRule(), path)
    assert located.reasons is not None
    assert located.reasons.fillna("").tolist() == [
        "",
        "4 cells where the header has 3",
        "a coordinate is not a number",
        "",
    ]
    assert [shape is None for shape in located.shapes] == [False, True, True, False]
    assert located.notes == ("rows with fewer cells than the header: their last columns are empty",)


@pytest.mark.parametrize("name", ["t.gpkg", "t.csv", "t.shp"])
def test_chunks_follow_each_other(tmp_path: Path, tree_frame: Trees, name: str) -> None:
    path, trees = tmp_path / name, tree_frame(25)
    if name == "t.csv":
        trees.drop(columns="geometry").to_csv(path, index=False)
    else:
        trees.to_file(path)
    with open_file(path) as opened:
        assert opened.columns[:2] == ("id", "species")
        assert opened.count in (25, None)
        for _ in range(2):
            chunks = list(opened.read(10))
            assert [(chunk.first_row, len(chunk.frame)) for chunk in chunks] == [(0, 10), (10, 10), (20, 5)]
            assert [one for chunk in chunks for one in chunk.frame["id"]] == [f"t{i}" for i in range(25)]
            assert chunks[2].frame.index.tolist() == [0, 1, 2, 3, 4]


def test_a_column_has_one_type_in_all_chunks(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame(
        {"whole": pd.array([1, 2, None, 9007199254740993], dtype="Int64"), "flag": pd.array([True, False, None, True])},
        geometry=shapely.points([0, 1, 2, 3], 0),
    )
    frame.to_file(tmp_path / "t.gpkg")
    with open_file(tmp_path / "t.gpkg") as opened:
        parts = [chunk.frame for chunk in opened.read(2)]
    assert [str(part["whole"].dtype) for part in parts] == ["Int64", "Int64"]
    assert parts[1]["whole"].tolist()[1] == 9007199254740993
    assert [one for part in parts for one in part["flag"]] == [True, False, None, True]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8", "latin-1"])
def test_csv_text_is_unicode_or_comes_byte_for_byte(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes("id,tên\n1,à\n".replace("tên", "t\xean").encode(encoding))
    with open_file(path) as opened:
        assert opened.columns == ("id", "t\xean")
        assert opened.undecoded == (encoding == "latin-1")
        assert next(opened.read()).frame.iloc[0, 1] == "à"


def test_shapefile_text_without_an_encoding_comes_byte_for_byte(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"ten": ["Cần Thơ"]}, geometry=shapely.points([0], [0]))
    frame.to_file(tmp_path / "t.shp", encoding="UTF-8")
    with open_file(tmp_path / "t.shp") as opened:
        assert not opened.undecoded
        assert next(opened.read()).frame["ten"][0] == "Cần Thơ"
    (tmp_path / "t.cpg").unlink()
    raw = bytes(range(0x80, 0x80 + 40))
    dbf = bytearray((tmp_path / "t.dbf").read_bytes())
    start = int.from_bytes(dbf[8:10], "little") + 1
    dbf[start : start + 40], dbf[29] = raw, 0x57
    (tmp_path / "t.dbf").write_bytes(dbf)
    with open_file(tmp_path / "t.shp") as opened:
        assert opened.undecoded
        assert next(opened.read()).frame["ten"][0] == raw.decode("latin-1")


def test_a_zip_holds_several_shapefiles(tmp_path: Path, tree_frame: Trees) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        tree_frame(len(name)).to_file(tmp_path / name / f"{name}.shp")
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        for part in tmp_path.glob("*/*"):
            archive.write(part, f"deep/down/{part.parent.name}/{part.name}")
    with pytest.raises(SourceError, match="choose one with 'table': one, two"):
        read_file(tmp_path / "t.zip")
    assert len(read_file(tmp_path / "t.zip", table="two").frame) == 3


@pytest.mark.parametrize("name", ["../evil.shp", "/etc/evil.shp", "a/../../evil.shp", "c:evil.shp"])
def test_a_zip_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(SourceError, match=r"t\.zip: '.*' in it leads out of its folder"):
        read_file(tmp_path / "t.zip")


def test_a_gzip_bomb_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wb") as packed:
        packed.write(b"id,name\n1,")
        for _ in range(70):
            packed.write(b"\xff" * (1 << 20))
    with pytest.raises(SourceError, match="unpacks to more than 64 MiB"):
        read_file(path)


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.shp", bytes(100 << 20))
    with pytest.raises(SourceError, match="would unpack to 100 MiB"):
        read_file(tmp_path / "t.zip")


def test_curves_become_straight(tmp_path: Path) -> None:
    path = tmp_path / "t.gpkg"
    gpd.GeoDataFrame({"id": [1]}, geometry=[shapely.Point(0, 0)], crs=4326).to_file(path)
    # A GeoPackage header of 8 bytes before the WKB of CIRCULARSTRING (0 0, 1 1, 2 0).
    wkb = struct.pack("<BII6d", 1, 8, 3, 0, 0, 1, 1, 2, 0)
    with sqlite3.connect(path) as database:
        for (trigger,) in database.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            database.execute(f'drop trigger "{trigger}"')
        database.execute("update gpkg_geometry_columns set geometry_type_name = 'GEOMETRY'")
        database.execute("update t set geom = ?", [b"GP\x00\x01" + struct.pack("<i", 4326) + wkb])
    raw = read_file(path)
    assert raw.shapes is not None
    assert shapely.length(raw.shapes[0]) == pytest.approx(np.pi, rel=1e-3)
    assert "curves are drawn as short straight pieces" in raw.notes

"""Each format of the city's offices is read as it is; what is broken or leads elsewhere is named in one line."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
import shapely

from layers.errors import SourceError
from layers.ingest.formats.sheets import make_table
from layers.ingest.readers import READERS, open_file, read_file

Trees = Callable[[int], gpd.GeoDataFrame]
WRITTEN = {
    "t.kml": {"driver": "LIBKML"},
    "t.kmz": {"driver": "LIBKML"},
    "t.tab": {"driver": "MapInfo File", "encoding": "UTF-8"},
    "t.mif": {"driver": "MapInfo File", "encoding": "UTF-8", "FORMAT": "MIF"},
    "t.gdb": {"driver": "OpenFileGDB"},
    "t.gml": {"driver": "GML"},
    "t.sqlite": {"driver": "SQLite", "SPATIALITE": "YES"},
    "t.geojsonl": {"driver": "GeoJSONSeq"},
}


@pytest.mark.parametrize("name", [*WRITTEN, "t.parquet", "t.gdb.zip"])
def test_a_format_is_read(tmp_path: Path, tree_frame: Trees, name: str) -> None:
    path, trees = tmp_path / name, tree_frame(5)
    if name == "t.parquet":
        trees.to_parquet(path)
    elif name == "t.gdb.zip":
        pyogrio.write_dataframe(trees, tmp_path / "t.gdb", driver="OpenFileGDB")
        zip_folder(path, tmp_path / "t.gdb")
    else:
        pyogrio.write_dataframe(trees, path, **WRITTEN[name])
    with open_file(path) as opened:
        chunks = list(opened.read(2))
        assert opened.count == 5
        assert [len(chunk.frame) for chunk in chunks] == [2, 2, 1]
        assert set(opened.columns) == set(chunks[0].frame.columns)
        assert opened.crs is not None
    raw = read_file(path)
    assert sorted(raw.frame["id"]) == ["t0", "t1", "t2", "t3", "t4"]
    assert raw.frame["species"].tolist() == ["Dầu rái"] * 5
    assert sorted(raw.frame["height"]) == [5, 6, 7, 8, 9]
    assert raw.shapes is not None
    assert shapely.get_x(raw.shapes).min() == pytest.approx(105.75, abs=1e-7)
    assert [one.name for one in tmp_path.iterdir() if one.suffix == ".gfs"] == []


def zip_folder(path: Path, folder: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in folder.rglob("*"):
            archive.write(part, f"in/{folder.name}/{part.relative_to(folder)}")


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("t.kml", b"<kml>", "</kml> is missing at its end"),
        ("t.kml", b"{}", "cannot be read as KML: it begins with '{}'"),
        ("t.kmz", b"PK\x03\x04", "not a whole zip"),
        ("t.tab", b"!table\n!version 300\n", "cannot be read as MapInfo TAB"),
        ("t.mif", b"Version 300\nData\n", "t.mif"),
        ("t.dxf", b"AutoCAD Binary DXF\r\n\x1a\x00", "cannot be read as DXF: it begins with 'AutoCAD Binary DXF'"),
        ("t.dxf", b"0\nSECTION\n2\nENTITIES\n0\n", "t.dxf"),
        ("t.parquet", b"PAR1 and no more", "cannot be read as Parquet"),
        ("t.xlsx", b"PK\x03\x04", "not a whole zip"),
        ("t.gdb", b"x", "is no folder with .gdbtable files"),
        ("t.gml", b"<?xml version='1.0'?><html></html>", "cannot be read as GML"),
        ("t.gpx", b"<gpx", "</gpx> is missing at its end"),
        ("t.sqlite", b"SQLite format 3\x00 and no more", "cannot be read as SQLite"),
        ("t.city.json", b'{"type": "CityJSON", "version": "2.0"}', "cannot be read as CityJSON"),
        ("t.city.json", b'{"type": "CityJSON", "version": "0.9", "CityObjects": {}, "vertices": []}', "CityJSON 0.9"),
        ("t.city.json", b"[1, 2", "cannot be read as CityJSON"),
        ("t.shp", b"<OGRVRTDataSource></OGRVRTDataSource>", "cannot be read as shapefile"),
    ],
)  # fmt: skip
def test_broken_files_are_named(tmp_path: Path, name: str, content: bytes, named: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SourceError) as caught:
        read_file(path)
    assert name in str(caught.value)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["t.kmz", "t.xlsx", "t.ods", "t.gdb.zip", "t.parquet", "t.gml", "t.sqlite"])
def test_truncated_files_are_named(tmp_path: Path, tree_frame: Trees, name: str) -> None:
    path, trees = tmp_path / name, tree_frame(300)
    if name == "t.parquet":
        trees.to_parquet(path)
    elif name == "t.gdb.zip":
        pyogrio.write_dataframe(trees, tmp_path / "t.gdb", driver="OpenFileGDB")
        zip_folder(path, tmp_path / "t.gdb")
    elif name in ("t.xlsx", "t.ods"):
        pyogrio.write_dataframe(pd.DataFrame(trees.drop(columns="geometry")), path)
    else:
        pyogrio.write_dataframe(trees, path, **WRITTEN[name])
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(SourceError, match=name.replace(".", r"\.")):
        read_file(path)


@pytest.mark.parametrize(
    ("name", "cut"),
    [
        ("t.shp", "t.shp"), ("t.shp", "t.dbf"), ("t.shp", "t.shx"), ("t.tab", "t.dat"), ("t.tab", "t.map"),
        ("t.tab", "t.id"), ("t.mif", "t.mif"), ("t.mif", "t.mid"), ("t.fgb", "t.fgb"), ("t.geojsonl", "t.geojsonl"),
        ("t.kml", "t.kml"), ("t.dxf", "t.dxf"),
    ],
)  # fmt: skip
def test_a_part_cut_short_is_named(tmp_path: Path, tree_frame: Trees, name: str, cut: str) -> None:
    trees = tree_frame(300)
    if name == "t.dxf":
        trees = gpd.GeoDataFrame({"Layer": ["a"] * 300}, geometry=trees.geometry)
    pyogrio.write_dataframe(trees, tmp_path / name, **WRITTEN.get(name, {}))
    part = tmp_path / cut
    part.write_bytes(part.read_bytes()[: part.stat().st_size * 2 // 3])
    with pytest.raises(SourceError, match=r"t\.\w+ (breaks off|cannot be read)"):
        read_file(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.geojson", '{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read secret.gpkg"}'),
        ("t.kml", '<!DOCTYPE kml [<!ENTITY x SYSTEM "secret.txt">]><kml><Document>&x;</Document></kml>'),
        ("t.gml", '<gml><OGRVRTDataSource><OGRVRTLayer name="x"/></OGRVRTDataSource></gml>'),
        ("t.gpx", '<?xml version="1.0"?><!DOCTYPE gpx SYSTEM "http://127.0.0.1/x.dtd"><gpx/>'),
    ],
)
def test_what_could_lead_elsewhere_is_refused(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(SourceError, match="could lead to other files"):
        read_file(tmp_path / name)


def test_a_mapinfo_view_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.tab").write_text('!table\n!version 100\nOpen Table "other"\nCreate View t As\nSelect a From b\n')
    with pytest.raises(SourceError, match="stands on others"):
        read_file(tmp_path / "t.tab")


@pytest.mark.parametrize("charset", ["Neutral", "WindowsLatin1"])
@pytest.mark.parametrize("ending", ["mif", "tab"])
def test_mapinfo_text_comes_byte_for_byte(tmp_path: Path, charset: str, ending: str) -> None:
    frame = gpd.GeoDataFrame({"ten": ["@" * 30]}, geometry=shapely.points([105.7], [10.0]), crs=4326)
    pyogrio.write_dataframe(frame, tmp_path / f"t.{ending}", **WRITTEN[f"t.{ending}"])
    held, head = tmp_path / ("t.mid" if ending == "mif" else "t.dat"), tmp_path / f"t.{ending}"
    legacy = bytes(range(0x80, 0x80 + 30))
    held.write_bytes(held.read_bytes().replace(b"@" * 30, legacy))
    head.write_bytes(head.read_bytes().replace(b"UTF-8", charset.encode()).replace(b"Neutral", charset.encode()))
    with open_file(head) as opened:
        assert opened.undecoded
        assert next(opened.read()).frame["ten"][0] == legacy.decode("latin-1")


def test_a_kml_keeps_extended_data(tmp_path: Path) -> None:
    words = """<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>
    <Folder><name>Cống</name><Placemark id="p1"><name>Hố ga 1</name><ExtendedData><Data name="sâu"><value>1.5</value>
    </Data></ExtendedData><Point><coordinates>105.7,10,0</coordinates></Point></Placemark></Folder>
    <Folder><name>Khác</name><NetworkLink><Link><href>http://127.0.0.1/x.kml</href></Link></NetworkLink></Folder>
    </Document></kml>"""
    (tmp_path / "t.kml").write_text(words, encoding="utf-8")
    raw = read_file(tmp_path / "t.kml", table="Cống")
    assert raw.frame.loc[0, ["id", "name", "sâu"]].tolist() == ["p1", "Hố ga 1", "1.5"]
    assert "links to files elsewhere (NetworkLink) are not followed" in raw.notes


DXF = """0\nSECTION\n2\nHEADER\n9\n$ACADVER\n1\nAC1015\n9\n$DWGCODEPAGE\n3\nANSI_1252\n0\nENDSEC
0\nSECTION\n2\nBLOCKS\n0\nBLOCK\n8\n0\n2\nMH\n70\n2\n10\n0\n20\n0\n0\nCIRCLE\n8\n0\n10\n0\n20\n0\n40\n0.5\n0\nENDBLK\n8\n0
0\nENDSEC\n0\nSECTION\n2\nENTITIES
0\nLWPOLYLINE\n5\nAA\n8\nNHA\n90\n3\n70\n1\n10\n0\n20\n0\n10\n10\n20\n0\n10\n10\n20\n10
0\nTEXT\n5\nAB\n8\nCHU\n10\n5\n20\n5\n40\n1\n1\n\xb5\x81x
0\nINSERT\n5\nAC\n8\nHOGA\n2\nMH\n66\n1\n10\n100\n20\n200\n0\nATTRIB\n8\nHOGA\n10\n100\n20\n200\n40\n1\n1\nG-17\n2\nTAGNO\n70\n0
0\nSEQEND\n0\nENDSEC\n0\nEOF\n"""


def test_a_drawing_keeps_layers_texts_and_block_attributes(tmp_path: Path) -> None:
    (tmp_path / "t.dxf").write_bytes(DXF.encode("latin-1"))
    with open_file(tmp_path / "t.dxf") as opened:
        assert opened.undecoded
        assert opened.crs is None
        raw = next(opened.read())
    assert raw.frame["Layer"].tolist() == ["NHA", "CHU", "HOGA"]
    assert raw.frame["EntityHandle"].tolist() == ["AA", "AB", "AC"]
    assert raw.frame["Text"][1] == "\xb5\x81x"
    assert raw.frame["TAGNO"].tolist() == [None, None, "G-17"]
    assert raw.shapes is not None
    assert [shape.geom_type for shape in raw.shapes] == ["LineString", "Point", "Point"]
    assert raw.shapes[0].is_closed
    newer = DXF.replace("AC1015", "AC1027").replace("\xb5\x81x", "Hố ga")
    (tmp_path / "u.dxf").write_text(newer, encoding="utf-8")
    with open_file(tmp_path / "u.dxf") as opened:
        assert not opened.undecoded
        assert next(opened.read()).frame["Text"][1] == "Hố ga"


@pytest.mark.parametrize("ending", ["xlsx", "ods"])
def test_a_sheet_has_its_header_below_titles(tmp_path: Path, ending: str) -> None:
    rows = [
        ["ỦY BAN NHÂN DÂN", "", "", "", ""],
        ["", "BẢNG KÊ HỐ GA", "", "", ""],
        ["", "", "", "", ""],
        ["Mã", "Độ sâu (m)", "Ngày", "Tên", ""],
        ["1", "2", "3", "4", ""],
        ["HG-1", "1,5", "x", "Đường 3/2", ""],
        ["", "", "", "", ""],
        ["HG-2", "2.25", "y", "", ""],
    ]
    path = tmp_path / f"t.{ending}"
    table = pd.DataFrame(rows[1:], columns=["ỦY BAN NHÂN DÂN", " ", "  ", "   ", "    "], dtype=object)
    pyogrio.write_dataframe(table.replace("", None), path, layer="kê")
    numbers = pd.DataFrame({"n": [1.5, None], "k": [3, 4], "d": pd.to_datetime(["2020-01-02", "1999-12-31"])})
    pyogrio.write_dataframe(numbers, path, layer="số", append=True)
    with pytest.raises(SourceError, match="choose one with 'table': kê, số"):
        read_file(path)
    raw = read_file(path, table="số")
    assert raw.frame["d"].tolist() == ["2020-01-02", "1999-12-31"]
    assert [float(value) for value in raw.frame["n"].dropna()] == [1.5]
    raw = read_file(path, table="kê")
    assert raw.frame.columns[:4].tolist() == ["Mã", "Độ sâu (m)", "Ngày", "Tên"]
    assert raw.frame["Mã"].tolist() == ["HG-1", "HG-2"]
    assert raw.frame["Tên"].tolist() == ["Đường 3/2", None]
    assert "the row that counts the columns is left out" in raw.notes


def test_a_header_with_holes_and_doubles() -> None:
    cells = pd.DataFrame([["a", "a", "", ""], ["x", "", "y", ""]]).to_numpy(dtype=object)
    frame, notes = make_table(cells)
    assert frame.columns.tolist() == ["a", "a.1", "column 3"]
    assert frame.loc[0].tolist() == ["x", None, "y"]
    assert notes == []


def test_parquet_without_geometry_and_without_crs(tmp_path: Path, tree_frame: Trees) -> None:
    trees = tree_frame(3)
    pd.DataFrame({"a": ["x"], "day": [pd.Timestamp("2020-01-02").date()]}).to_parquet(tmp_path / "t.parquet")
    raw = read_file(tmp_path / "t.parquet")
    assert (raw.shapes, raw.crs, raw.frame["day"][0]) == (None, None, "2020-01-02")
    trees.set_crs(None, allow_override=True).to_parquet(tmp_path / "t.parquet")
    assert read_file(tmp_path / "t.parquet").crs is None
    trees.to_parquet(tmp_path / "t.parquet", geometry_encoding="geoarrow")
    raw = read_file(tmp_path / "t.parquet")
    assert raw.shapes is not None
    assert shapely.equals_exact(raw.shapes, trees.geometry.to_numpy(), tolerance=0).all()


def make_house(**more: object) -> dict[str, object]:
    """Return CityJSON of one house of 10 m × 6 m with a height of 4 m, its ground at 1 m."""
    corners = [[x, y, z] for z in (1000, 5000) for x, y in ((0, 0), (10000, 0), (10000, 6000), (0, 6000))]
    walls = [[[a, b, b + 4, a + 4]] for a, b in ((0, 1), (1, 2), (2, 3), (3, 0))]
    solid = {"type": "Solid", "lod": "1.2", "boundaries": [[[[3, 2, 1, 0]], [[4, 5, 6, 7]], *walls]]}
    return {
        "type": "CityJSON",
        "version": "2.0",
        "transform": {"scale": [0.001, 0.001, 0.001], "translate": [580000.0, 1108000.0, 0.0]},
        "metadata": {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/5897"},
        "vertices": corners,
        "CityObjects": {
            "h1": {"type": "Building", "attributes": {"tên": "Nhà", "list": [1, 2]}, "children": ["p1"], **more},
            "p1": {"type": "BuildingPart", "parents": ["h1"], "geometry": [solid]},
        },
    }


def test_cityjson_draws_footprint_and_height(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text(json.dumps(make_house()))
    raw = read_file(path)
    assert raw.crs == "EPSG:5897"
    assert raw.frame.loc[0].to_dict() == {
        "id": "h1", "type": "Building", "height": 4.0, "ground_elevation": 1.0, "tên": "Nhà", "list": "[1,2]",
    }  # fmt: skip
    assert raw.shapes is not None
    assert raw.shapes[0].equals(shapely.box(580000, 1108000, 580010, 1108006))
    path.write_text(json.dumps(make_house(children=[], geometry=[{"type": "Solid", "boundaries": [[[[99, 1, 2]]]]}])))
    raw = read_file(path)
    assert raw.reasons is not None
    assert raw.reasons[0].startswith("its geometry cannot be drawn: index 99 is out of bounds")


@pytest.mark.parametrize(
    ("name", "rows", "crs", "extent"),
    [
        # The extents are those the files themselves state (metadata.geographicalExtent); Rotterdam states none.
        ("DH_01_subs.city.json", 4, None, (78612.169, 457782.107, 78695.679, 458154.974)),
        ("delft.city.json", 570, "EPSG:7415", (84616.468, 447422.999, 85140.839, 447750.636)),
        ("rotterdam_subset.city.json", 16, None, None),
    ],
)
def test_real_city_models(
    shared: Callable[[str], Path], name: str, rows: int, crs: str | None, extent: tuple[float, ...] | None
) -> None:
    raw = read_file(shared(f"cityjson/{name}"))
    assert (len(raw.frame), raw.crs) == (rows, crs)
    assert raw.shapes is not None
    assert not shapely.is_missing(raw.shapes).any()
    if extent is not None:
        assert shapely.total_bounds(raw.shapes) == pytest.approx(extent, abs=0.002)
    buildings = raw.frame["type"] == "Building"
    assert (shapely.area(raw.shapes[buildings]) > 1.0).all()
    assert raw.frame.loc[buildings, "height"].astype(float).between(0.5, 100).all()


def test_every_ending_has_a_kind_and_is_lower_case() -> None:
    assert all(ending == ending.lower() and ending.startswith(".") and one.kind for ending, one in READERS.items())


def test_the_only_table_with_rows_is_taken(tmp_path: Path, tree_frame: Trees) -> None:
    trees = tree_frame(2)
    trees.iloc[:0].to_file(tmp_path / "t.gpkg", layer="empty")
    trees.to_file(tmp_path / "t.gpkg", layer="full")
    assert len(read_file(tmp_path / "t.gpkg").frame) == 2
    pyogrio.write_dataframe(trees[["geometry"]], tmp_path / "t.gpx", driver="GPX", layer="waypoints")
    raw = read_file(tmp_path / "t.gpx")
    assert raw.shapes is not None
    assert shapely.get_x(raw.shapes).tolist() == pytest.approx([105.75, 105.7501])

"""How each output format is written, what it cannot hold, and how exactly it comes back.

``WRITERS`` is the table: ending → kind, function, tolerance. What a format cuts is said in a table of field names
beside the data; what it cannot hold at all is refused.
"""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely
from pyproj import CRS

from layers.errors import InputError
from layers.ingest.formats import kml
from layers.ingest.formats.ogr import configure_gdal
from layers.schema import VectorLayer

# Nine decimals are a tenth of a millimetre; the standard's own seven would move points by a centimetre.
GEOJSON = {"RFC7946": "YES", "COORDINATE_PRECISION": "9"}
_SHAPEFILE_NAME, _MAPINFO_NAME = 10, 31
_LONGEST_FIELD = 254
LONGEST_CELL = 32_767

Frame = gpd.GeoDataFrame
Write = Callable[[Frame, VectorLayer, Path], None]


class Writer(NamedTuple):
    """What people call a format, who writes it, and how far a coordinate may come back from where it was [m].

    ``only_wgs84``: the format knows no other datum; ``only_degrees``: nor any projection. ``keeps``: whether
    properties survive; ``many_files``: whether other files lie beside it.
    """

    kind: str
    write: Write
    tolerance: float
    only_degrees: bool = False
    only_wgs84: bool = False
    keeps: bool = True
    many_files: bool = False


def _through_gdal(driver: str, **options: str) -> Write:
    def write(frame: Frame, layer: VectorLayer, path: Path) -> None:
        pyogrio.write_dataframe(frame, path, layer=layer.id, driver=driver, geometry_type=layer.geometry, **options)

    return write


def _write_kml(frame: Frame, layer: VectorLayer, path: Path) -> None:
    with configure_gdal(kml.CONFIG):
        _through_gdal("LIBKML")(frame, layer, path)


def _write_parquet(frame: Frame, _layer: VectorLayer, path: Path) -> None:
    frame.to_parquet(path, index=False, compression="zstd")


def _write_csv(frame: Frame, layer: VectorLayer, path: Path) -> None:
    _spread_geometry(frame, layer).to_csv(path, index=False, encoding="utf-8")


def _write_xlsx(frame: Frame, layer: VectorLayer, path: Path) -> None:
    table = _spread_geometry(frame, layer)
    _check_text(table, LONGEST_CELL, "a cell of a workbook", len)
    pyogrio.write_dataframe(table, path, layer=layer.id, driver="XLSX")


def _spread_geometry(frame: Frame, layer: VectorLayer) -> pd.DataFrame:
    """Return a table with lon and lat (x and y in a projected CRS) for points, ``wkt`` for other shapes."""
    table = pd.DataFrame(frame.drop(columns="geometry"))
    shapes = frame.geometry.to_numpy()
    if layer.geometry == "Point":
        names = ("lon", "lat") if frame.crs is not None and frame.crs.is_geographic else ("x", "y")
        table[names[0]], table[names[1]] = shapely.get_x(shapes), shapely.get_y(shapes)
    else:
        table["wkt"] = shapely.to_wkt(shapes, rounding_precision=-1)
    return table


def _write_shapefile(frame: Frame, layer: VectorLayer, path: Path) -> None:
    """Write a zip of the shapefile's parts and ``fields.csv``, which maps its ten-letter names to the full ones."""
    short = shorten_names([str(name) for name in frame.columns if name != "geometry"], _SHAPEFILE_NAME)
    _check_text(frame, _LONGEST_FIELD, "a shapefile", _count_bytes)
    kind = "Polygon" if layer.geometry == "MultiPolygon" else layer.geometry
    folder = _make_folder(path)
    pyogrio.write_dataframe(
        frame.rename(columns=short),
        folder / f"{layer.id}.shp",
        driver="ESRI Shapefile",
        geometry_type=kind,
        encoding="UTF-8",
    )
    pd.DataFrame(short.items(), columns=["property", "field"]).to_csv(folder / "fields.csv", index=False)
    _zip_folder(folder, path)


def _write_geodatabase(frame: Frame, layer: VectorLayer, path: Path) -> None:
    folder = _make_folder(path)
    options = {"TARGET_ARCGIS_VERSION": "ARCGIS_PRO_3_2_OR_LATER"}
    _through_gdal("OpenFileGDB", **options)(frame, layer, folder / f"{layer.id}.gdb")
    _zip_folder(folder, path)


def _write_tab(frame: Frame, layer: VectorLayer, path: Path) -> None:
    options = {}
    if len(frame):
        # Coordinates are whole numbers inside these bounds: the tighter, the finer.
        west, south, east, north = map(float, frame.total_bounds)
        margin = max(east - west, north - south) * 0.01 + 1e-3
        options["BOUNDS"] = f"{west - margin!r},{south - margin!r},{east + margin!r},{north + margin!r}"
    _write_mapinfo(frame, path, FORMAT="TAB", **options)


def _write_mif(frame: Frame, _layer: VectorLayer, path: Path) -> None:
    _write_mapinfo(frame, path, FORMAT="MIF")


def _write_mapinfo(frame: Frame, path: Path, **options: str) -> None:
    """Write a MapInfo table; it knows no null but in text, so that columns with nulls become text."""
    short = shorten_names([str(name) for name in frame.columns if name != "geometry"], _MAPINFO_NAME)
    _check_text(frame, _LONGEST_FIELD, "MapInfo", _count_bytes)
    made = frame.copy()
    for name in short:
        if made[name].isna().any() and made[name].dtype != object:
            made[name] = made[name].astype(object).where(made[name].notna(), None).map(_write_plain, na_action="ignore")
    pyogrio.write_dataframe(
        made.rename(columns=short),
        path,
        driver="MapInfo File",
        encoding="UTF-8",
        STRICT_FIELDS_NAME_LAUNDERING="NO",
        **options,
    )
    if any(name != field for name, field in short.items()):
        table = pd.DataFrame(short.items(), columns=["property", "field"])
        table.to_csv(path.with_suffix(".fields.csv"), index=False)


def _write_plain(value: object) -> str:
    return repr(float(value)) if isinstance(value, float) else str(value)


def _write_drawing(frame: Frame, layer: VectorLayer, path: Path) -> None:
    """Write a drawing: one entity a part, on a layer of the name of ours; DXF has no place for properties."""
    parts = frame[["geometry"]].explode(index_parts=False, ignore_index=True)
    drawn = Frame({"Layer": [layer.id] * len(parts)}, geometry=parts.geometry)
    pyogrio.write_dataframe(drawn, path, driver="DXF")


def _zipped(write: Write, suffix: str) -> Write:
    def write_zip(frame: Frame, layer: VectorLayer, path: Path) -> None:
        folder = _make_folder(path)
        write(frame, layer, folder / f"{layer.id}{suffix}")
        _zip_folder(folder, path)

    return write_zip


def _make_folder(path: Path) -> Path:
    folder = path.parent / "parts"
    folder.mkdir()
    return folder


def _zip_folder(folder: Path, path: Path) -> None:
    """Move a folder's content into a zip."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted(folder.rglob("*")):
            archive.write(part, part.relative_to(folder))
    shutil.rmtree(folder)


def _count_bytes(text: str) -> int:
    return len(text.encode())


def _check_text(frame: pd.DataFrame, longest: int, holder: str, measure: Callable[[str], int]) -> None:
    """Raise InputError naming the first text that would be cut."""
    for name in frame.columns:
        if name == "geometry" or frame[name].dtype != object:
            continue
        sizes = frame[name].map(lambda text: measure(text) if isinstance(text, str) else 0)
        if len(sizes) and sizes.max() > longest:
            at: Any = sizes.idxmax()
            raise InputError(
                f"'{name}' of {frame['id'][at]} has {sizes[at]} letters or bytes, {holder} holds {longest}",
                hint="use .gpkg",
            )


def shorten_names(names: list[str], longest: int = _SHAPEFILE_NAME) -> dict[str, str]:
    """Return unique names of at most ``longest`` letters; short ones stay."""
    taken = {name for name in names if len(name) <= longest}
    short = {name: name for name in taken}
    for name in names:
        number = 0
        while name not in short:
            tail = str(number) if number else ""
            cut = name[: longest - len(tail)] + tail
            if cut not in taken:
                short[name] = cut
                taken.add(cut)
            number += 1
    return {name: short[name] for name in names}


WGS84 = CRS.from_epsg(4326)
# Tolerances [m], measured by the round trip in the tests: text and doubles are exact, GeoJSON and MapInfo round.
WRITERS: dict[str, Writer] = {
    ".gpkg": Writer("GeoPackage", _through_gdal("GPKG"), 1e-9),
    ".geojson": Writer("GeoJSON", _through_gdal("GeoJSON", **GEOJSON), 1e-3, only_degrees=True),
    ".fgb": Writer("FlatGeobuf", _through_gdal("FlatGeobuf"), 1e-9),
    ".gdb.zip": Writer("File Geodatabase, zipped", _write_geodatabase, 1e-3),
    ".tab.zip": Writer("MapInfo TAB, zipped", _zipped(_write_tab, ".tab"), 1e-3, only_wgs84=True),
    ".mif.zip": Writer("MapInfo MIF, zipped", _zipped(_write_mif, ".mif"), 1e-6, only_wgs84=True),
    ".zip": Writer("shapefile, zipped", _write_shapefile, 1e-9),
    ".parquet": Writer("GeoParquet", _write_parquet, 1e-9),
    ".csv": Writer("CSV", _write_csv, 1e-9),
    ".xlsx": Writer("Excel workbook", _write_xlsx, 1e-6),
    ".kml": Writer("KML", _write_kml, 1e-6, only_degrees=True),
    ".kmz": Writer("KMZ", _write_kml, 1e-6, only_degrees=True),
    ".tab": Writer("MapInfo TAB", _write_tab, 1e-3, only_wgs84=True, many_files=True),
    ".mif": Writer("MapInfo MIF", _write_mif, 1e-6, only_wgs84=True, many_files=True),
    ".dxf": Writer("DXF, geometry alone", _write_drawing, 1e-6, keeps=False),
}

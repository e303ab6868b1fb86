"""Files of the demo: GeoPackage, Cloud-Optimised GeoTIFFs, readings and faults as CSV, the catalogue of sources."""

import csv
import gzip
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pyogrio.raw
import rasterio
import shapely
import yaml
from numpy.typing import NDArray

from layers.errors import DeclarationError
from layers.registry import LAYERS, read_vector_layer
from layers.schema import Property
from twin.demo.faults import Fault
from twin.demo.plan import CRS, GRID
from twin.demo.readings import Series
from twin.demo.shapes import Table
from twin.demo.stations import MAIN_GAUGE
from twin.demo.transit import FEED_FILE

ATTRIBUTION = "Dữ liệu mô phỏng, không phải số liệu thật của Cần Thơ / Synthetic data, not real data of Can Tho"
LICENCE = "Apache-2.0"
# GDAL's flag for a time in UTC.
_UTC = 100
# A fixed date in place of the time of writing: the same seed gives the same bytes.
WRITTEN = "2026-01-01T00:00:00.000Z"
# Who is interrupted writes anew: a journal would cost as long as the writing.
_OPTIONS = {"OGR_CURRENT_DATE": WRITTEN, "OGR_SQLITE_SYNCHRONOUS": "OFF", "OGR_SQLITE_JOURNAL": "OFF"}


def write_tables(path: Path, tables: Mapping[str, Table]) -> None:
    """Write one GeoPackage table a layer, with ``id`` and exactly the declared properties as columns.

    Raises DeclarationError for an undeclared layer or column, or a required property that is missing.
    """
    with _set_options():
        for number, (layer_id, table) in enumerate(tables.items()):
            _write_table(path, layer_id, table, append=number > 0)


@contextmanager
def _set_options() -> Iterator[None]:
    before = {name: pyogrio.get_gdal_config_option(name) for name in _OPTIONS}
    pyogrio.set_gdal_config_options(_OPTIONS)
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options(before)


def _write_table(path: Path, layer_id: str, table: Table, *, append: bool) -> None:
    layer = read_vector_layer(layer_id)
    unknown = set(table.columns) - {"id"} - {prop.name for prop in layer.properties}
    if unknown:
        raise DeclarationError(f"demo table '{layer_id}' has undeclared columns {sorted(unknown)}")
    data: list[NDArray[Any]] = [table.columns["id"]]
    masks: list[NDArray[np.bool_] | None] = [None]
    for prop in layer.properties:
        values, mask = _fill_column(layer_id, prop, table)
        data.append(values)
        masks.append(mask)
    geometry = table.geometry
    if layer.geometry == "MultiPolygon":
        geometry = np.array([shapely.MultiPolygon([g]) if g.geom_type == "Polygon" else g for g in geometry], object)
    pyogrio.raw.write(
        path,
        geometry=shapely.to_wkb(geometry),
        field_data=data,
        fields=np.array(["id", *(prop.name for prop in layer.properties)], object),
        field_mask=masks,
        layer=layer_id,
        driver="GPKG",
        geometry_type=layer.geometry,
        crs=CRS,
        append=append,
        gdal_tz_offsets={prop.name: np.full(len(table), _UTC) for prop in layer.properties if prop.type == "datetime"},
    )


def _fill_column(layer_id: str, prop: Property, table: Table) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Return the values of a property and which are null; a property the demo leaves out is null throughout."""
    count = len(table)
    if prop.name in table.columns:
        values = table.columns[prop.name]
        if prop.required and any(value is None for value in values.tolist()):
            raise DeclarationError(f"demo table '{layer_id}' lacks required '{prop.name}' in some rows")
        return (values.astype("datetime64[D]"), None) if prop.type == "date" else (values, None)
    if prop.required:
        raise DeclarationError(f"demo table '{layer_id}' lacks the required column '{prop.name}'")
    empty = {
        "string": np.full(count, None, object),
        "number": np.full(count, np.nan),
        "integer": np.zeros(count, np.int64),
        "boolean": np.zeros(count, bool),
        "date": np.full(count, np.datetime64("NaT"), "datetime64[D]"),
        "datetime": np.full(count, np.datetime64("NaT"), "datetime64[ms]"),
    }[prop.type]
    return empty, np.ones(count, bool)


def write_raster(path: Path, values: NDArray[Any], *, nodata: float | None) -> None:
    """Write values on the plan's grid as a Cloud-Optimised GeoTIFF with overviews."""
    predictor = 3 if values.dtype == np.float32 else 2
    with rasterio.open(
        path, "w", driver="COG", width=GRID.cols, height=GRID.rows, count=1, dtype=values.dtype, crs=CRS,
        transform=GRID.transform, nodata=nodata, compress="DEFLATE", predictor=predictor, blocksize=512,
        overviews="AUTO", resampling="average" if values.dtype == np.float32 else "mode",
    ) as file:  # fmt: skip
        file.write(values, 1)


def write_datastreams(path: Path, series: list[Series]) -> None:
    """Write what each datastream measures."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["id", "sensor_id", "observed_property", "unit", "title_vi", "title_en", "interval_s"])
        for item in series:
            what = [item.datastream_id, item.sensor_id, item.observed_property, item.unit]
            rows.writerow([*what, item.name_vi, item.name_en, item.interval])


def write_observations(path: Path, series: list[Series]) -> None:
    """Write all readings, gzipped without a time stamp."""
    text = io.StringIO()
    text.write("datastream_id,phenomenon_time,result\n")
    for item in series:
        times = np.datetime_as_string(item.seconds.astype("datetime64[s]"), unit="s")
        text.writelines(
            f"{item.datastream_id},{time}Z,{result:.10g}\n" for time, result in zip(times, item.result, strict=True)
        )
    with path.open("wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0, compresslevel=6) as file:
        file.write(text.getvalue().encode())


def write_faults(path: Path, faults: list[Fault]) -> None:
    """Write which items were spoilt on purpose, and how."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["layer", "item", "kind", "says_vi", "says_en"])
        for fault in faults:
            rows.writerow([fault.layer, fault.item, fault.kind, *fault.says])


def write_catalog(path: Path, layer_ids: list[str]) -> None:
    """Write the catalogue that the import reads: the city, then one source a layer, the rasters and the readings."""
    common = {"licence": LICENCE, "attribution": ATTRIBUTION, "synthetic": True}
    sources: list[dict[str, Any]] = []
    for raster_id in ("terrain", "land_cover"):
        sources.append(
            {"id": _source_id(raster_id), "uri": f"{raster_id}.tif", "layer": raster_id} | common | _title(raster_id)
        )
    for layer_id in layer_ids:
        source = {"id": _source_id(layer_id), "uri": "demo.gpkg", "table": layer_id, "layer": layer_id}
        sources.append(source | common | _title(layer_id))
    readings = {
        "id": "demo-readings", "kind": "observations", "uri": "observations.csv.gz", "datastreams": "datastreams.csv",
    }  # fmt: skip
    title = {"title": {"vi": "Số đo của các trạm (mô phỏng)", "en": "Readings of the stations (synthetic)"}}
    sources.append(readings | common | title)
    city = {
        "id": "demo",
        "title": {"vi": "Quận mẫu bên sông Hậu (mô phỏng)", "en": "Sample riverside district on the Hau (synthetic)"},
        "crs": CRS,
        "timezone": "Asia/Ho_Chi_Minh",
        "vertical_datum": "Hòn Dấu (EPSG:5727), mô phỏng / synthetic",
        "synthetic": True,
        "licence": LICENCE,
        "attribution": ATTRIBUTION,
        "main_gauge": MAIN_GAUGE,
    }
    buses = {"id": "demo", "uri": FEED_FILE, "title": {"vi": "Xe buýt (mô phỏng)", "en": "Buses (synthetic)"}}
    document = {"city": city, "sources": sources, "transit": [buses | common]}
    text = yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=110)
    path.write_text(text, encoding="utf-8")


def _source_id(layer_id: str) -> str:
    return f"demo-{layer_id.replace('_', '-')}"


def _title(layer_id: str) -> dict[str, dict[str, str]]:
    title = LAYERS[layer_id].title
    return {"title": {"vi": f"{title.vi} (mô phỏng)", "en": f"{title.en} (synthetic)"}}

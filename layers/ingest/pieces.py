"""Features → files written piece by piece, so that memory holds a batch however long the file is.

CSV, GeoParquet 1.1, FlatGeobuf, GeoPackage and GeoJSON; what they hold is what ``export_features`` writes.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import shapely
from pyproj import CRS

from layers.ingest.crs import name_crs
from layers.ingest.export import check_target
from layers.ingest.writers import GEOJSON
from layers.schema import VectorLayer

_TYPES = {"integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}
Rows = Sequence[tuple[Any, ...]]


def write_pieces(batches: Iterable[Rows], layer: VectorLayer, columns: Sequence[str], path: Path, *, crs: CRS) -> int:
    """Write rows of ``id``, ``columns`` and well-known binary in ``crs`` to ``path`` and return how many there were.

    The ending of ``path`` is one of ``PIECEWISE``. CrsError for a CRS that the format cannot hold.
    """
    suffix = check_target(path, crs)
    watched = _Watched(batches)
    try:
        PIECEWISE[suffix](watched, layer, columns, path, crs)
    except Exception:
        if watched.failure is not None:
            raise watched.failure from None
        raise
    return watched.rows


class _Watched:
    """Batches that count their rows as they pass, and keep what stopped them: GDAL tells it in words of its own."""

    def __init__(self, batches: Iterable[Rows]) -> None:
        self._batches, self.rows = batches, 0
        self.failure: Exception | None = None

    def __iter__(self) -> Iterator[Rows]:
        try:
            for batch in self._batches:
                self.rows += len(batch)
                yield batch
        except Exception as error:
            self.failure = error
            raise


Write = Callable[[Iterable[Rows], VectorLayer, Sequence[str], Path, CRS], None]


def _write_csv(batches: Iterable[Rows], layer: VectorLayer, columns: Sequence[str], path: Path, crs: CRS) -> None:
    """Write lon and lat (x and y in a projected CRS) of points, ``wkt`` of other shapes."""
    is_point = layer.geometry == "Point"
    places = (("lon", "lat") if crs.is_geographic else ("x", "y")) if is_point else ("wkt",)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["id", *columns, *places])
        for batch in batches:
            shapes = shapely.from_wkb([row[-1] for row in batch])
            if is_point:
                written = shapely.get_coordinates(shapes).tolist()
            else:
                written = [(words,) for words in shapely.to_wkt(shapes, rounding_precision=-1)]
            writer.writerows([*map(_write_plain, row[:-1]), *place] for row, place in zip(batch, written, strict=True))


def _write_parquet(batches: Iterable[Rows], layer: VectorLayer, columns: Sequence[str], path: Path, crs: CRS) -> None:
    """Write GeoParquet: the ``geo`` metadata says encoding, geometry type, CRS and bounds."""
    bounds = np.array([np.inf, np.inf, -np.inf, -np.inf])
    with pq.ParquetWriter(path, _describe(layer, columns, crs), compression="zstd") as writer:
        for batch in batches:
            x0, y0, x1, y1 = shapely.total_bounds(shapely.from_wkb([row[-1] for row in batch]))
            bounds[:2], bounds[2:] = np.minimum(bounds[:2], (x0, y0)), np.maximum(bounds[2:], (x1, y1))
            writer.write_batch(_pack(batch, layer, columns, crs))
        column: dict[str, Any] = {
            "encoding": "WKB",
            "geometry_types": [layer.geometry],
            "crs": crs.to_json_dict(),
        }
        if np.isfinite(bounds).all():
            column["bbox"] = bounds.tolist()
        geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
        writer.add_key_value_metadata({"geo": json.dumps(geo)})


def _through_gdal(driver: str, **options: str) -> Write:
    def write(batches: Iterable[Rows], layer: VectorLayer, columns: Sequence[str], path: Path, crs: CRS) -> None:
        packed = (_pack(batch, layer, columns, crs) for batch in batches)
        reader = pa.RecordBatchReader.from_batches(_describe(layer, columns, crs), packed)
        pyogrio.write_arrow(
            reader, path, layer=layer.id, driver=driver, geometry_name="geometry", geometry_type=layer.geometry,
            crs=name_crs(crs), **options,
        )  # fmt: skip

    return write


def _describe(layer: VectorLayer, columns: Sequence[str], crs: CRS) -> pa.Schema:
    """Return the Arrow schema of the rows; dates and times are ISO text, as in every other format."""
    fields = [pa.field("id", pa.string(), nullable=False)]
    for name in columns:
        prop = layer.find(name)
        assert prop is not None
        fields.append(pa.field(name, _TYPES.get(prop.type, pa.string())))
    kind = {b"ARROW:extension:name": b"geoarrow.wkb", b"ARROW:extension:metadata": crs_metadata(crs)}
    return pa.schema([*fields, pa.field("geometry", pa.binary(), metadata=kind)])


def crs_metadata(crs: CRS) -> bytes:
    """Return how GeoArrow names ``crs``."""
    return json.dumps({"crs": crs.to_json_dict(), "crs_type": "projjson"}).encode()


def _pack(batch: Rows, layer: VectorLayer, columns: Sequence[str], crs: CRS) -> pa.RecordBatch:
    schema = _describe(layer, columns, crs)
    made = []
    for field, values in zip(schema, zip(*batch, strict=True), strict=True):
        is_text = field.type == pa.string()
        made.append(pa.array([_write_text(value) for value in values] if is_text else values, field.type))
    return pa.RecordBatch.from_arrays(made, schema=schema)


def _write_text(value: Any) -> str | None:
    """Return text as it is; a date or a moment, in UTC, in ISO 8601."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date) else value


def _write_plain(value: Any) -> Any:
    return _write_text(value) if isinstance(value, date | str) else value


PIECEWISE: dict[str, Write] = {
    ".csv": _write_csv,
    ".parquet": _write_parquet,
    ".fgb": _through_gdal("FlatGeobuf"),
    ".gpkg": _through_gdal("GPKG"),
    ".geojson": _through_gdal("GeoJSON", **GEOJSON),
}

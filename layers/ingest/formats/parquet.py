"""Parquet and GeoParquet → rows, one row group after the other."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from layers.errors import SourceError
from layers.ingest.formats.ogr import make_column, make_shapes, note
from layers.ingest.formats.request import Request
from layers.ingest.raw import Opened, Raw

KIND = "Parquet"
# What a GeoParquet column without 'crs' is in.
_DEFAULT_CRS = "OGC:CRS84"


def open_parquet(path: Path, request: Request) -> Opened:
    """Open a Parquet file, with geometry where its metadata follow GeoParquet; SourceError for a broken one."""
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{path} cannot be read as {KIND}: {' '.join(str(error).split())[:200]}") from error
    count = int(file.metadata.num_rows)
    if count == 0:
        file.close()
        raise SourceError(f"{path}: the file has no rows")
    place, encoding, crs = _find_geometry(path, file)
    schema = file.schema_arrow
    left = [one.name for one in schema if pa.types.is_struct(one.type) or _is_bytes(one.type)]
    columns = tuple(name for name in schema.names if name != place and name not in left)
    notes = [f"column '{name}' holds no single value and is left out" for name in left if name not in (place, "bbox")]

    def read(rows: int) -> Iterator[Raw]:
        first = 0
        wanted = [*columns, *([place] if place else [])]
        try:
            for batch in file.iter_batches(batch_size=rows, columns=wanted):
                frame = pd.DataFrame(
                    {name: make_column(_plain(batch.column(name))) for name in columns},
                    index=pd.RangeIndex(len(batch)),
                )
                shapes, reasons = None, None
                if place is not None:
                    shapes, reasons = _read_shapes(batch, place, encoding, schema, notes)
                yield Raw(frame, shapes, crs, reasons, first_row=first)
                first += len(batch)
        except (pa.ArrowException, OSError, NotImplementedError) as error:
            raise SourceError(f"{path} cannot be read as {KIND}: {' '.join(str(error).split())[:200]}") from error

    opened = Opened(columns, read, crs, count, notes=notes)
    opened.closing.callback(file.close)
    return opened


def _find_geometry(path: Path, file: pq.ParquetFile) -> tuple[str | None, str, str | None]:
    """Return the name, the encoding and the CRS of the geometry column."""
    held = file.schema_arrow.metadata or {}
    if b"geo" not in held:
        return None, "", None
    try:
        said = orjson.loads(held[b"geo"])
        place = str(said["primary_column"])
        column = said["columns"][place]
        encoding, crs = str(column["encoding"]), column.get("crs", _DEFAULT_CRS)
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise SourceError(f"{path}: its metadata 'geo' are not those of GeoParquet: {error!r}") from error
    if place not in file.schema_arrow.names:
        raise SourceError(f"{path} has no geometry column '{place}', which its metadata name")
    return place, encoding, crs if crs is None or isinstance(crs, str) else orjson.dumps(crs).decode()


def _read_shapes(
    batch: pa.RecordBatch, place: str, encoding: str, schema: pa.Schema, notes: list[str]
) -> tuple[Any, Any]:
    if encoding == "WKB":
        return make_shapes(batch.column(place).to_numpy(zero_copy_only=False))
    named = schema.field(place).with_metadata({"ARROW:extension:name": f"geoarrow.{encoding}"})
    table = pa.Table.from_arrays([batch.column(place)], schema=pa.schema([named]))
    note(notes, f"geometry is written as arrays of coordinates ({encoding})")
    return np.asarray(gpd.GeoDataFrame.from_arrow(table).geometry.to_numpy(), dtype=object), None


def _plain(values: pa.Array) -> pa.Array:
    return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))

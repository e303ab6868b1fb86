"""What GDAL reads → rows, streamed as Arrow batches."""

import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import pyogrio.errors
import shapely

from layers.errors import SourceError
from layers.ingest.crs import Shapes
from layers.ingest.formats.request import Request
from layers.ingest.raw import Opened, Raw

_ERRORS = (
    pyogrio.errors.DataSourceError,
    pyogrio.errors.DataLayerError,
    pyogrio.errors.FeatureError,
    pyogrio.errors.FieldError,
    pyogrio.errors.GeometryError,
    pyogrio.errors.CRSError,
    pa.ArrowException,
    RuntimeError,
    OSError,
    ValueError,
)
# GeoJSON may name the address of its CRS, which GDAL would ask; nobody listens at this proxy, so that no request of
# GDAL leaves the machine. Files behind addresses are fetched by ``layers.ingest.fetch``.
_NOWHERE = "http://127.0.0.1:1"
pyogrio.set_gdal_config_options({"GDAL_HTTP_PROXY": _NOWHERE, "GDAL_HTTPS_PROXY": _NOWHERE, "GDAL_HTTP_MAX_RETRY": "0"})


@dataclass(frozen=True, slots=True)
class Dataset:
    """Something GDAL opens: the user's ``path``, the ``address`` GDAL is given, what people call the format.

    ``encoding`` is handed to GDAL; ``undecoded`` says that it makes one character of every byte. ``options`` are
    GDAL's open options, ``config`` its settings while the file is opened, ``without`` columns nobody wants, ``titles``
    what columns are called instead. ``has_one``: the format knows a single layer, and need not be asked which.
    """

    path: Path
    address: str
    kind: str
    encoding: str | None = None
    undecoded: bool = False
    options: dict[str, str] = field(default_factory=dict)
    config: dict[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    titles: dict[str, str] = field(default_factory=dict)
    has_one: bool = False


def open_ogr(dataset: Dataset, request: Request) -> Opened:
    """Open one layer of ``dataset``; SourceError names a file GDAL cannot read, and lists the layers where one must
    be chosen."""
    notes: list[str] = []
    with _naming(dataset, notes):
        table = _choose(dataset, request.table)
        info = _describe(dataset, table)
    count = int(info["features"])
    if count == 0:
        raise SourceError(f"{dataset.path}: {f'table {table!r}' if table else 'the file'} has no rows")
    kinds = dict(zip(map(str, info["fields"]), info["ogr_types"], strict=True))
    columns = tuple(name for name, kind in kinds.items() if kind != "OFTBinary" and name not in dataset.without)
    notes += [f"column '{name}' holds bytes and is left out" for name, kind in kinds.items() if kind == "OFTBinary"]
    crs = str(info["crs"]) if info["crs"] else None
    undecoded = dataset.undecoded or info["encoding"] != "UTF-8"

    def read(rows: int) -> Iterator[Raw]:
        first = 0
        for frame, shapes, reasons in _stream(dataset, table, columns, rows, notes):
            yield Raw(frame, shapes, crs, reasons, first_row=first)
            first += len(frame)
        if first != count:
            raise SourceError(f"{dataset.path} breaks off: {first} of {count} rows can be read")

    return Opened(tuple(dataset.titles.get(name, name) for name in columns), read, crs, count, undecoded, notes)


def _describe(dataset: Dataset, table: str | None) -> dict[str, Any]:
    made: dict[str, Any] = pyogrio.read_info(
        dataset.address, layer=table, encoding=dataset.encoding, force_feature_count=True, **dataset.options
    )
    return made


def _choose(dataset: Dataset, wanted: str | None) -> str | None:
    """Return the layer to read: the one wanted, or the only one that has rows; None where the format knows but one."""
    if dataset.has_one and wanted is None:
        return None
    tables = [str(name) for name, _ in pyogrio.list_layers(dataset.address)]
    if wanted is None and len(tables) > 1:
        filled = [name for name in tables if _describe(dataset, name)["features"] > 0]
        tables = filled if len(filled) == 1 else tables
    return choose_table(dataset.path, tables, wanted)


def choose_table(path: Path, tables: list[str], table: str | None) -> str:
    """Return the table of the file to read; SourceError lists those there are."""
    if not tables:
        raise SourceError(f"{path} holds no table")
    listed = ", ".join(tables)
    if table is None and len(tables) > 1:
        raise SourceError(f"{path} holds {len(tables)} tables", hint=f"choose one with 'table': {listed}")
    if table is not None and table not in tables:
        raise SourceError(f"{path} has no table '{table}'", hint=f"it has {listed}")
    return table or tables[0]


@contextmanager
def configure_gdal(config: Mapping[str, str]) -> Iterator[None]:
    """Give GDAL settings for a while."""
    before = {name: pyogrio.get_gdal_config_option(name) for name in config}
    pyogrio.set_gdal_config_options(dict(config))
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options(before)


@contextmanager
def _naming(dataset: Dataset, notes: list[str]) -> Iterator[None]:
    """Turn GDAL's errors into one that names the file, and keep its warnings."""
    with configure_gdal(dataset.config), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        except _ERRORS as error:
            words = " ".join(str(error).replace(dataset.address, dataset.path.name).split())[:200]
            raise SourceError(f"{dataset.path} cannot be read as {dataset.kind}: {words}") from error
        finally:
            for one in caught:
                note(notes, " ".join(str(one.message).replace(dataset.address, dataset.path.name).split()))


def _stream(
    dataset: Dataset, table: str | None, columns: tuple[str, ...], rows: int, notes: list[str]
) -> Iterator[tuple[pd.DataFrame, Shapes | None, "pd.Series[Any] | None"]]:
    """Yield columns, geometry and what is wrong with it, batch by batch."""
    opening = pyogrio.open_arrow(
        dataset.address,
        layer=table,
        encoding=dataset.encoding,
        batch_size=rows,
        use_pyarrow=True,
        datetime_as_string=True,
        **dataset.options,
    )
    with _naming(dataset, notes):
        meta, reader = opening.__enter__()
    try:
        place = meta["geometry_name"] or "wkb_geometry"
        first = 0
        while True:
            with _naming(dataset, notes):
                batch = next(reader, None)
                if batch is None:
                    return
                frame = _make_frame(batch, columns)
                shapes, reasons = None, None
                if place in batch.schema.names:
                    wkb = batch.column(place).to_numpy(zero_copy_only=False)
                    try:
                        shapes, reasons = make_shapes(wkb)
                    except NotImplementedError:  # curves
                        shapes, reasons = make_shapes(_read_straight(dataset, table, first, len(batch)))
                        note(notes, "curves are drawn as short straight pieces")
            yield frame.rename(columns=dataset.titles), shapes, reasons
            first += len(batch)
    finally:
        opening.__exit__(None, None, None)


def _make_frame(batch: pa.RecordBatch, columns: tuple[str, ...]) -> pd.DataFrame:
    return pd.DataFrame(
        {name: make_column(batch.column(name)) for name in columns}, index=pd.RangeIndex(len(batch)), columns=columns
    )


def make_column(values: pa.Array) -> Any:
    """Return a column whose type is the same in every batch: with or without nulls."""
    kind = values.type
    if pa.types.is_integer(kind):
        return values.to_pandas(types_mapper={kind: pd.Int64Dtype()}.get)
    if pa.types.is_floating(kind):
        return values.to_numpy(zero_copy_only=False)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pd.Series(_decode(values), dtype=object)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        words = [None if value is None else json.dumps(value, ensure_ascii=False) for value in values.to_pylist()]
        return pd.Series(words, dtype=object)
    if pa.types.is_boolean(kind):
        return pd.Series(values.to_pylist(), dtype=object)
    return pd.Series([_write_value(value) for value in values.to_pylist()], dtype=object)


def _write_value(value: Any) -> str | None:
    """Return dates and times as ISO text, and whatever else a column may hold as people write it."""
    if value is None:
        return None
    return str(value.isoformat() if hasattr(value, "isoformat") else value)


def _decode(values: pa.Array) -> Any:
    """Return text; where it is not UTF-8, as legacy files have it, every byte becomes one character."""
    try:
        values.validate(full=True)
        return values.to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        raw = values.cast(pa.large_binary() if pa.types.is_large_string(values.type) else pa.binary())
        return [None if value is None else value.decode("latin-1") for value in raw.to_pylist()]


def make_shapes(wkb: Any) -> tuple[Shapes, "pd.Series[Any] | None"]:
    """Return geometry, and why it cannot be read where it cannot; NotImplementedError for curves."""
    shapes: Shapes = np.asarray(shapely.from_wkb(wkb, on_invalid="ignore"), dtype=object)
    broken = shapely.is_missing(shapes) & np.asarray([one is not None for one in wkb], dtype=bool)
    if not broken.any():
        return shapes, None
    reasons = pd.Series(None, index=pd.RangeIndex(len(shapes)), dtype=object)
    reasons[broken] = "geometry cannot be read (a ring that does not close, or too few points)"
    return shapes, reasons


def _read_straight(dataset: Dataset, table: str | None, first: int, count: int) -> Any:
    """Return the same rows' geometry with curves made straight, which GDAL does where it hands over single features."""
    _, _, wkb, _ = pyogrio.raw.read(
        dataset.address,
        layer=table,
        encoding=dataset.encoding,
        columns=[],
        skip_features=first,
        max_features=count,
        **dataset.options,
    )
    return wkb


def note(notes: list[str], words: str) -> None:
    """Add a remark that is not there yet."""
    if words not in notes:
        notes.append(words)

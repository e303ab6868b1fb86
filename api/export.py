"""All items a query finds, as a file in any format that can be written."""

import gzip
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pyproj import CRS
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from api.resources import Resources
from layers.access import is_open, who_asks
from layers.errors import InputError
from layers.ingest.export import SINGLE_FILES, export_features
from layers.ingest.pieces import PIECEWISE, write_pieces
from layers.schema import VectorLayer
from layers.store.batches import select_batches
from layers.store.items import OutputCrs, select_frame
from layers.store.query.ordering import SortKey
from layers.store.query.selection import ItemQuery
from twin.audit.act import tell_export

# What is written piece by piece takes no more memory the longer it is; the rest is built as a whole.
MAX_ROWS, MAX_WHOLE_ROWS = 5_000_000, 200_000
FORMATS = tuple(suffix.removeprefix(".") for suffix in SINGLE_FILES)
MEDIA_TYPES = {
    "gpkg": "application/geopackage+sqlite3",
    "geojson": "application/geo+json",
    "csv": "text/csv; charset=utf-8",
    "fgb": "application/flatgeobuf",
    "parquet": "application/vnd.apache.parquet",
    "kml": "application/vnd.google-earth.kml+xml",
    "kmz": "application/vnd.google-earth.kmz",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "dxf": "image/vnd.dxf",
    "zip": "application/zip",
    "gdb.zip": "application/zip",
    "tab.zip": "application/zip",
    "mif.zip": "application/zip",
}
_TEXTS = ("csv", "geojson")


def answer_file(
    resources: Resources,
    layer: VectorLayer,
    names: Sequence[str],
    query: ItemQuery,
    order: Sequence[SortKey],
    crs: OutputCrs,
    form: str,
    *,
    compress: bool = False,
) -> Response:
    """Return all items of ``layer`` that match ``query`` as a file of format ``form``, x or longitude first.

    More than ``MAX_ROWS`` (``MAX_WHOLE_ROWS`` of formats built as a whole) are refused with TooLargeError, never cut.
    ``compress`` sends text as gzip.
    """
    suffix = f".{form}"
    if suffix not in SINGLE_FILES:
        raise InputError(f"f '{form[:40]}' is not served", hint=f"json, jsonfg, html, {', '.join(FORMATS)}")
    if not is_open(layer.id) and who_asks().level != "public":
        tell_export(f"layer:{layer.id}", format=form, properties=list(names))
    folder = Path(tempfile.mkdtemp(prefix="twin-export-"))
    path = folder / f"{layer.id}.{form}"
    try:
        with resources.engine.connect() as connection:
            if suffix in PIECEWISE:
                rows = select_batches(connection, layer, names, query, order=order, crs=crs, limit=MAX_ROWS)
                write_pieces(rows, layer, names, path, crs=CRS.from_epsg(crs.srid))
            else:
                frame = select_frame(connection, layer, names, query, order=order, limit=MAX_WHOLE_ROWS)
                export_features(frame, layer, path, crs=f"EPSG:{crs.srid}")
        headers = {"vary": "accept"}
        if compress and form in _TEXTS:
            headers |= {"content-encoding": "gzip", "vary": "accept, accept-encoding"}
            sent = _compress(path)
        else:
            sent = path
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    gone = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    return FileResponse(sent, headers=headers, media_type=MEDIA_TYPES[form], filename=path.name, background=gone)


def _compress(path: Path) -> Path:
    packed = path.with_name(f"{path.name}.gz")
    with path.open("rb") as source, gzip.open(packed, "wb", compresslevel=1) as target:
        shutil.copyfileobj(source, target, 1 << 20)
    path.unlink()
    return packed

"""All items a query finds, as a file in any format that can be written."""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from threading import BoundedSemaphore

from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from api.resources import Resources
from layers.errors import InputError
from layers.ingest.export import SINGLE_FILES, export_features
from layers.schema import VectorLayer
from layers.store.items import OutputCrs, select_frame
from layers.store.query.ordering import SortKey
from layers.store.query.selection import ItemQuery

MAX_ROWS = 200_000
FORMATS = tuple(suffix.removeprefix(".") for suffix in SINGLE_FILES)
_MEDIA_TYPES = {
    ".gpkg": "application/geopackage+sqlite3",
    ".geojson": "application/geo+json",
    ".csv": "text/csv; charset=utf-8",
    ".kml": "application/vnd.google-earth.kml+xml",
    ".kmz": "application/vnd.google-earth.kmz",
    ".parquet": "application/vnd.apache.parquet",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".dxf": "image/vnd.dxf",
    ".zip": "application/zip",
}
# A file of many rows takes memory and a core for seconds.
_TURN = BoundedSemaphore(2)


def answer_file(
    resources: Resources,
    layer: VectorLayer,
    names: Sequence[str],
    query: ItemQuery,
    order: Sequence[SortKey],
    crs: OutputCrs,
    form: str,
) -> Response:
    """Return the items of ``layer`` that match ``query`` as a file of format ``form``, at most ``MAX_ROWS``."""
    suffix = f".{form}"
    if suffix not in SINGLE_FILES:
        raise InputError(f"f '{form[:40]}' is not served", hint=f"json, {', '.join(FORMATS)}")
    folder = Path(tempfile.mkdtemp(prefix="twin-export-"))
    try:
        with _TURN:
            with resources.engine.connect() as connection:
                frame = select_frame(connection, layer, names, query, order=order, limit=MAX_ROWS)
            path = folder / f"{layer.id}.{form}"
            export_features(frame, layer, path, crs=f"EPSG:{crs.srid}")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    media_type = _MEDIA_TYPES.get(path.suffix, "application/octet-stream")
    gone = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    return FileResponse(path, media_type=media_type, filename=path.name, background=gone)

"""What the database knows that a QGIS project needs."""

from sqlalchemy import Connection

from layers.access import visible_layers
from layers.datum import CRS84, make_transformer
from layers.registry import VECTOR_LAYERS
from layers.schema import Text
from layers.store.features import select_features
from layers.store.items import read_extent
from layers.store.mercator import Bounds
from layers.store.migrate import read_city
from layers.store.rasters import list_newest_rasters
from twin.qgis.project import Contents

_TERRAIN = "terrain"


def read_contents(connection: Connection, server: str) -> Contents:
    """Return what a project of the city of ``connection`` holds, read from ``server`` (``http://host:port``)."""
    city = read_city(connection)
    title = city.declaration.get("title")
    words = title if isinstance(title, dict) else {"vi": city.id, "en": city.id}
    extents = {key: read_extent(connection, layer) for key, layer in visible_layers().items()}
    rasters = list_newest_rasters(connection)
    counts = {key: extent.count for key, extent in extents.items()} | {row.layer: 1 for row in rasters}
    boxes = [row.bounds for row in rasters if row.layer == _TERRAIN]
    boxes = boxes or [extent.bounds for extent in extents.values() if extent.bounds is not None]
    return Contents(
        Text(str(words["vi"]), str(words["en"])),
        server.rstrip("/"),
        city.srid,
        _unite(boxes),
        counts,
        _read_wards(connection, city.srid),
    )


def _unite(boxes: list[Bounds]) -> Bounds:
    if not boxes:
        return (-180.0, -85.0, 180.0, 85.0)
    west, south, east, north = zip(*boxes, strict=True)
    return min(west), min(south), max(east), max(north)


def _read_wards(connection: Connection, srid: int) -> dict[str, Bounds]:
    """Return where each ward lies (CRS84), by name."""
    frame = select_features(connection, VECTOR_LAYERS["wards"], columns=["name"])
    to_degrees = make_transformer(f"EPSG:{srid}", CRS84)
    boxes = zip(frame["name"], frame.bounds.to_numpy(), strict=True)
    return dict(sorted((name, to_degrees.transform_bounds(*box)) for name, box in boxes))

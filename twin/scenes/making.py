"""The scene of a layer: its tileset, one tile, one item, each made from the database as it is now."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection

from layers.datum import CRS84, make_transformer
from layers.scene.attributes import list_columns
from layers.scene.frame import Frame, place_mesh
from layers.scene.glb import write_glb
from layers.scene.mesh import Mesh, build_solids
from layers.scene.paint import paint_solids
from layers.scene.tileset import build_tileset, find_frame
from layers.schema import VectorLayer
from layers.store.migrate import CityRow, read_city
from layers.store.solids import Solids, SolidVersion, list_contents, select_solid, select_tile
from layers.store.tiles import TileAddress

FORM = 1
"""Counts up when tiles are written in another way, so that kept ones become stale."""


@dataclass(frozen=True, slots=True)
class MadeScene:
    """A GLB, empty when nothing stands there; how many solids are in it; whether a budget left some out; and by item id
    what was wrong with a footprint.
    """

    data: bytes
    count: int
    truncated: bool
    faults: dict[str, str]


def make_tileset(connection: Connection, layer: VectorLayer, *, version: str, undulation: float) -> dict[str, Any]:
    """Return ``tileset.json`` of a layer; ``undulation`` [m] is added to levels to make ellipsoidal heights."""
    city = read_city(connection)
    facts = {
        "title": f"{layer.title.vi} · {layer.title.en}",
        "credit": write_credit(city),
        "crs": f"EPSG:{city.srid}",
    }
    contents = list_contents(connection, layer, undulation=undulation)
    return build_tileset(contents, list_columns(layer), class_id=layer.id, version=version, facts=facts)


def make_tile(connection: Connection, layer: VectorLayer, tile: TileAddress, *, undulation: float) -> MadeScene:
    """Return the GLB of one tile, in the frame of its middle."""
    solids = select_tile(connection, layer, tile)
    if not len(solids.shapes):
        return MadeScene(b"", 0, False, {})
    frame = find_frame((tile.z, tile.x, tile.y))
    return _write(connection, layer, solids, frame, undulation=undulation, floor=False)


def make_item(
    connection: Connection, layer: VectorLayer, item_id: str, *, undulation: float
) -> tuple[MadeScene, SolidVersion]:
    """Return the GLB of one item, closed, in the frame of its own middle; NotFoundError when there is no such item."""
    solids, version = select_solid(connection, layer, item_id)
    x0, y0, x1, y1 = solids.shapes[0].bounds
    to_degrees = make_transformer(f"EPSG:{solids.srid}", CRS84)
    frame = Frame(*to_degrees.transform((x0 + x1) / 2.0, (y0 + y1) / 2.0))
    return _write(connection, layer, solids, frame, undulation=undulation, floor=True), version


def write_credit(city: CityRow) -> str:
    """Return whose data it is, and whether they are made up, as clients show it."""
    words = ["Dữ liệu mô phỏng · Synthetic data"] if city.synthetic else []
    credit = city.declaration.get("attribution")
    return " · ".join([*words, str(credit)] if credit else words)


def _write(
    connection: Connection, layer: VectorLayer, solids: Solids, frame: Frame, *, undulation: float, floor: bool
) -> MadeScene:
    mesh = _raise(solids, floor=floor)
    placed = place_mesh(mesh, frame, make_transformer(f"EPSG:{solids.srid}", CRS84), undulation=undulation)
    by = layer.style.by
    colours = paint_solids(layer, solids.rows[by] if by else [None] * len(solids.shapes))
    extras = {"longitude": frame.longitude, "latitude": frame.latitude, "truncated": solids.truncated}
    data = write_glb(
        placed, colours, list_columns(layer), solids.rows,
        class_id=layer.id, credit=write_credit(read_city(connection)), extras=extras,
    )  # fmt: skip
    faults = {solids.rows["id"][place]: fault for place, fault in mesh.faults.items()}
    return MadeScene(data, len(solids.shapes), solids.truncated, faults)


def _raise(solids: Solids, *, floor: bool) -> Mesh:
    base, height = (np.array(solids.rows[name], dtype=np.float64) for name in ("base", "height"))
    return build_solids(solids.shapes, base, height, floor=floor)

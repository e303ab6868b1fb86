"""Baking: the public layers of one moment, made into tiles on several connections and written as one archive."""

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from isal import igzip
from pmtiles.tile import zxy_to_tileid
from psycopg import AsyncConnection

from layers.access import PUBLIC, asking_as
from layers.errors import InputError
from layers.schema import Text, VectorLayer
from layers.store.mercator import Bounds, cut_mercator_boxes, to_degrees
from layers.store.overviews import refresh_overview
from layers.store.snapshots import find_filled, share_snapshot
from layers.store.tiles import find_area_name, name_columns, read_version_tokens
from twin.baking.archive import build_header, write_archive
from twin.baking.walk import walk_pyramid
from twin.progress import Report

DEFAULT_MAX_ZOOM = 16
_KEPT = 20
_KINDS = {"integer": "Number", "number": "Number", "boolean": "Boolean"}


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be baked: layers, zooms, ``bounds`` [°] (None: wherever there are features), and who is named."""

    layers: tuple[VectorLayer, ...]
    zooms: range
    bounds: Bounds | None
    title: Text
    attribution: str


@dataclass(frozen=True, slots=True)
class Baked:
    """What was baked: bytes of the file, tiles in it, how many of them are truncated and the first of those."""

    path: Path
    size: int
    tiles: int
    layers: tuple[str, ...]
    truncated: int
    first_truncated: tuple[str, ...]


async def bake(url: str, order: Order, path: Path, *, connections: int, report: Report) -> Baked:
    """Write the archive of ``order`` to ``path`` from the database at ``url``; the file appears whole or not at all.

    InputError when no feature lies there.
    """
    await _draw_overviews(url, order)
    # An archive is read by anybody: it holds what everybody sees.
    with asking_as(PUBLIC):
        return await _bake_seen(url, order, path, connections=connections, report=report)


async def _bake_seen(url: str, order: Order, path: Path, *, connections: int, report: Report) -> Baked:
    async with share_snapshot(url, connections) as opened:
        found = await find_filled(opened[0], order.layers)
        layers = tuple(layer for layer in order.layers if layer.id in found)
        if not layers:
            raise InputError("there is nothing to bake: the layers hold no features", hint="load some: twin load")
        bounds = order.bounds or _join_bounds(list(found.values()))
        versions = await read_version_tokens(opened[0])
        tiles, truncated = 0, 0
        named: list[str] = []
        with write_archive(path) as writer:
            walk = walk_pyramid(opened, layers, zooms=order.zooms, boxes=cut_mercator_boxes(bounds))
            async with aclosing(walk):
                async for step in walk:
                    tile, made = step.address, step.made
                    if made is not None and made.data:
                        writer.write_tile(zxy_to_tileid(tile.z, tile.x, tile.y), igzip.compress(made.data, 3, mtime=0))
                        tiles += 1
                    if made is not None and made.truncated:
                        truncated += 1
                        named += [f"{tile.z}/{tile.x}/{tile.y}"][: _KEPT - len(named)]
                    report(step.share, f"z{tile.z}, {tiles:,}")
            if not tiles:
                raise InputError("there is nothing to bake: no feature lies in these bounds at these zooms")
            metadata = build_metadata(layers, order) | {
                "twin:layer_versions": {layer.id: versions.get(layer.id, "0") for layer in order.layers},
                "twin:baked": datetime.now(UTC).isoformat(timespec="seconds"),
                "twin:truncated_tiles": truncated,
            }
            writer.finalize(build_header(bounds, order.zooms), metadata)
    return Baked(path, path.stat().st_size, tiles, tuple(layer.id for layer in layers), truncated, tuple(named))


async def _draw_overviews(url: str, order: Order) -> None:
    """Draw anew what edits left old: in a snapshot nothing can be drawn, and every tile would pay for it."""
    async with await AsyncConnection.connect(url, autocommit=True, application_name="twin bake") as connection:
        for layer in order.layers:
            if set(layer.overview_zooms) & set(order.zooms):
                await refresh_overview(connection, layer)


def build_metadata(layers: Sequence[VectorLayer], order: Order) -> dict[str, Any]:
    """Return the metadata of an archive: name in both languages, attribution, and the tile layers with their fields."""
    return {
        "name": order.title.vi,
        "name:vi": order.title.vi,
        "name:en": order.title.en,
        "description": ", ".join(f"{layer.title.vi} · {layer.title.en}" for layer in layers),
        "attribution": order.attribution,
        "type": "overlay",
        "format": "pbf",
        "vector_layers": [entry for layer in layers for entry in _describe_tile_layers(layer, order.zooms)],
    }


def _describe_tile_layers(layer: VectorLayer, zooms: range) -> list[Mapping[str, Any]]:
    carried = set(name_columns(layer))
    fields = {prop.name: _KINDS.get(prop.type, "String") for prop in layer.properties if prop.name in carried}
    told: dict[str, Any] = {
        "id": layer.id,
        "description": layer.title.en,
        "minzoom": max(layer.min_zoom, zooms.start),
        "maxzoom": zooms.stop - 1,
        "fields": {"id": "String", **fields},
    }
    label = find_area_name(layer)
    return [told, {**told, "id": f"{layer.id}-label", "fields": {"id": "String", label: "String"}}] if label else [told]


def _join_bounds(boxes: Sequence[tuple[float, float, float, float]]) -> Bounds:
    """Return the bounds [°] of boxes in EPSG:3857 [m]."""
    left, bottom, right, top = zip(*boxes, strict=True)
    return (*to_degrees(min(left), min(bottom)), *to_degrees(max(right), max(top)))

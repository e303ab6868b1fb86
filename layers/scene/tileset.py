"""The tree of a scene as ``tileset.json`` of 3D Tiles 1.1 (OGC 22-025r4): explicit, refined by addition."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layers.scene.attributes import Column, describe_class
from layers.scene.frame import Frame
from layers.scene.levels import TOP_ZOOM, find_error

_MARGIN_DEGREES, _MARGIN = 2e-7, 0.05
"""What 32-bit floats and the curve of the ellipsoid below a straight edge may add to a box [°], [m]."""
Address = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Region:
    """A box on the ellipsoid: west, south, east, north [°], low, high [m above the ellipsoid]."""

    west: float
    south: float
    east: float
    north: float
    low: float
    high: float

    def join(self, other: "Region") -> "Region":
        """Return the box around both."""
        return Region(
            min(self.west, other.west),
            min(self.south, other.south),
            max(self.east, other.east),
            max(self.north, other.north),
            min(self.low, other.low),
            max(self.high, other.high),
        )

    def write(self) -> dict[str, list[float]]:
        """Return the bounding volume with a margin, in radians and metres."""
        degrees = (
            self.west - _MARGIN_DEGREES,
            self.south - _MARGIN_DEGREES,
            self.east + _MARGIN_DEGREES,
            self.north + _MARGIN_DEGREES,
        )
        return {"region": [*map(math.radians, degrees), self.low - _MARGIN, self.high + _MARGIN]}


@dataclass(frozen=True, slots=True)
class Content:
    """What one tile holds: how many solids, the box around them, the size of the largest [m]."""

    count: int
    region: Region
    size: float


@dataclass(slots=True)
class _Node:
    """A tile while the tree is built."""

    content: Content | None = None
    children: set[Address] = field(default_factory=set)


def find_frame(address: Address) -> Frame:
    """Return the frame of a tile (zoom, column, row of WebMercatorQuad): its middle, on the ellipsoid."""
    zoom, column, row = address
    across = float(1 << zoom)
    latitude = math.degrees(math.atan(math.sinh(math.pi * (1.0 - 2.0 * (row + 0.5) / across))))
    return Frame((column + 0.5) / across * 360.0 - 180.0, latitude)


def build_tileset(
    contents: Mapping[Address, Content],
    columns: Sequence[Column],
    *,
    class_id: str,
    version: str,
    facts: Mapping[str, str],
) -> dict[str, Any]:
    """Return the tileset over ``contents`` by tile; the content of tile (z, x, y) is at ``z/x/y.glb`` beside it.

    ``facts`` (title, credit …) stand as metadata of the tileset. Without contents it is one empty tile.
    """
    nodes = _grow_tree(contents)
    tops = sorted(address for address in nodes if address[0] == TOP_ZOOM)
    largest = max((content.size for content in contents.values()), default=0.0)
    error = max(2.0 * find_error(TOP_ZOOM), largest)
    tops_written = [_write_tile(nodes, top, np.eye(4)) for top in tops]
    root: dict[str, Any] = {
        "boundingVolume": _join([region for _, region in tops_written]).write(),
        "geometricError": error,
        "refine": "ADD",
    }
    if tops_written:
        root["children"] = [tile for tile, _ in tops_written]
    classes = {class_id: describe_class(columns), "tileset": _describe_facts(facts)}
    return {
        "asset": {"version": "1.1", "tilesetVersion": version},
        "schema": {"id": "city_twin", "classes": classes},
        "metadata": {"class": "tileset", "properties": dict(facts)},
        "geometricError": 2.0 * error,
        "root": root,
    }


def _grow_tree(contents: Mapping[Address, Content]) -> dict[Address, _Node]:
    """Return the tiles with contents and all above them up to ``TOP_ZOOM``."""
    nodes: dict[Address, _Node] = {}
    for address, content in contents.items():
        nodes.setdefault(address, _Node()).content = content
        child = address
        while child[0] > TOP_ZOOM:
            parent = (child[0] - 1, child[1] // 2, child[2] // 2)
            nodes.setdefault(parent, _Node()).children.add(child)
            child = parent
    return nodes


def _write_tile(
    nodes: Mapping[Address, _Node], address: Address, above: NDArray[np.float64]
) -> tuple[dict[str, Any], Region]:
    """Return a tile and the box around all below it; ``above`` (4, 4) is what the tiles over it add up to."""
    node = nodes[address]
    tile: dict[str, Any] = {}
    regions: list[Region] = []
    if node.content is not None:
        own = find_frame(address).matrix
        # A transform counts from its parent's; column-major.
        tile["transform"] = (np.linalg.inv(above) @ own).T.ravel().tolist()
        uri = "/".join(map(str, address)) + ".glb"
        tile["content"] = {"uri": uri, "boundingVolume": node.content.region.write()}
        regions.append(node.content.region)
        above = own
    below = [_write_tile(nodes, child, above) for child in sorted(node.children)]
    region = _join([*regions, *(found for _, found in below)])
    tile["boundingVolume"] = region.write()
    tile["geometricError"] = find_error(address[0]) if below else 0.0
    if below:
        tile["children"] = [child for child, _ in below]
    return tile, region


def _join(regions: Sequence[Region]) -> Region:
    joined = regions[0] if regions else Region(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    for region in regions[1:]:
        joined = joined.join(region)
    return joined


def _describe_facts(facts: Mapping[str, str]) -> dict[str, Any]:
    return {"properties": {name: {"type": "STRING"} for name in facts}}

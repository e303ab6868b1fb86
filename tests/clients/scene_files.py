"""A scene's files read as any client reads them: GLB with its property table, the tree with its transforms."""

import itertools
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TYPES = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_METADATA = {"FLOAT32": "<f4", "UINT32": "<u4", "INT32": "<i4"}
_WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}


@dataclass(frozen=True)
class Glb:
    """A GLB: its document and its binary chunk."""

    document: dict[str, Any]
    data: bytes

    @classmethod
    def read(cls, file: bytes) -> "Glb":
        """Return the file's chunks; AssertionError where they are not as glTF 2.0, 4.4 wants them."""
        magic, version, length = struct.unpack_from("<4sII", file)
        assert (magic, version, length) == (b"glTF", 2, len(file))
        size, kind = struct.unpack_from("<II", file, 12)
        assert kind == 0x4E4F534A
        assert size % 4 == 0
        document, rest = json.loads(file[20 : 20 + size]), file[20 + size :]
        if rest:
            size, kind = struct.unpack_from("<II", rest)
            assert (kind, size) == (0x004E4942, len(rest) - 8)
        return cls(document, rest[8:])

    @property
    def primitive(self) -> dict[str, Any]:
        """The only primitive."""
        (mesh,) = self.document["meshes"]
        (primitive,) = mesh["primitives"]
        return dict(primitive)

    def view(self, number: int) -> bytes:
        """Return the bytes of a buffer view."""
        view = self.document["bufferViews"][number]
        assert view["byteOffset"] + view["byteLength"] <= len(self.data)
        return self.data[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]

    def accessor(self, number: int) -> NDArray[Any]:
        """Return the values of an accessor (n, width)."""
        accessor = self.document["accessors"][number]
        values = np.frombuffer(self.view(accessor["bufferView"]), _TYPES[accessor["componentType"]])
        shaped = values.reshape(-1, _WIDTHS[accessor["type"]])
        assert len(shaped) == accessor["count"]
        return shaped

    def attribute(self, name: str) -> NDArray[Any]:
        """Return a vertex attribute (v, width)."""
        return self.accessor(self.primitive["attributes"][name])

    @property
    def triangles(self) -> NDArray[np.int64]:
        """Vertex numbers (t, 3)."""
        return self.accessor(self.primitive["indices"]).reshape(-1, 3).astype(np.int64)

    @property
    def positions(self) -> NDArray[np.float64]:
        """Vertices (v, 3) z up, as 3D Tiles turn them: x, -z, y."""
        given = self.attribute("POSITION").astype(np.float64)
        return np.column_stack([given[:, 0], -given[:, 2], given[:, 1]])

    @property
    def table(self) -> list[dict[str, Any]]:
        """The rows of the property table."""
        extension = self.document["extensions"]["EXT_structural_metadata"]
        (table,) = extension["propertyTables"]
        described = extension["schema"]["classes"][table["class"]]["properties"]
        assert set(described) == set(table["properties"])
        columns = {name: self._column(table["count"], described[name], table["properties"][name]) for name in described}
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def _column(self, count: int, described: dict[str, Any], stored: dict[str, int]) -> list[Any]:
        for number in stored.values():
            assert self.document["bufferViews"][number]["byteOffset"] % 8 == 0
        data = self.view(stored["values"])
        if described["type"] != "STRING":
            values: list[Any] = np.frombuffer(data, _METADATA[described["componentType"]], count).tolist()
        else:
            offsets = np.frombuffer(self.view(stored["stringOffsets"]), "<u4")
            assert len(offsets) == count + 1
            values = [data[a:b].decode() for a, b in itertools.pairwise(offsets.tolist())]
        return [
            None if not described.get("required") and value == described.get("noData") else value for value in values
        ]


def walk_tiles(
    tile: dict[str, Any], above: NDArray[np.float64] | None = None
) -> Iterator[tuple[dict[str, Any], NDArray[np.float64]]]:
    """Yield each tile of a tileset with the transform (4, 4) from its content to the earth's centre."""
    own = np.array(tile.get("transform", np.eye(4).ravel())).reshape(4, 4).T
    here = own if above is None else above @ own
    yield tile, here
    for child in tile.get("children", ()):
        yield from walk_tiles(child, here)

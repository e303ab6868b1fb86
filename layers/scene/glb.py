"""Meshes as glTF 2.0 in one binary file (GLB), with an id on every vertex and a table of what the ids stand for.

Only what the core of glTF allows is used for geometry, and nothing is required: QGIS reads positions as 32-bit floats
only. ``EXT_mesh_features`` and ``EXT_structural_metadata`` are there for whoever knows them.
"""

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from layers.scene.attributes import Column, describe_class, pack_column
from layers.scene.frame import PlacedMesh

_FLOAT, _UBYTE, _USHORT, _UINT = 5126, 5121, 5123, 5125
_VERTICES, _INDICES = 34962, 34963
_MOST_SHORT = 0xFFFF
_JSON, _BIN = 0x4E4F534A, 0x004E4942


class _Buffer:
    """Views one after the other, each beginning at a multiple of 8 bytes, as property tables want it."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.views: list[dict[str, int]] = []

    def add(self, data: bytes, target: int | None = None) -> int:
        """Append a view and return its number."""
        self.data += b"\0" * (-len(self.data) % 8)
        view = {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(data)}
        self.views.append(view | ({"target": target} if target else {}))
        self.data += data
        return len(self.views) - 1


def write_glb(
    mesh: PlacedMesh,
    colours: NDArray[np.uint8],
    columns: Sequence[Column],
    rows: Mapping[str, Sequence[Any]],
    *,
    class_id: str,
    credit: str,
    extras: Mapping[str, Any] | None = None,
) -> bytes:
    """Return ``mesh`` as GLB: x east, y up, z south [m].

    ``colours`` (n, 4) are those of the n solids, ``rows`` holds n values for each of ``columns``. ``credit`` is shown
    by clients as the source. A mesh without triangles makes a file without a mesh.
    """
    asset = {"version": "2.0", "generator": "city-twin", "copyright": credit}
    gltf: dict[str, Any] = {"asset": asset, "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"name": class_id}]}
    if extras:
        gltf["asset"]["extras"] = dict(extras)
    buffer = _Buffer()
    if len(mesh.triangles):
        gltf["nodes"][0]["mesh"] = 0
        gltf["materials"] = [{"pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 1.0}}]
        gltf["meshes"] = [{"name": class_id, "primitives": [_add_primitive(gltf, buffer, mesh, colours)]}]
        gltf["extensionsUsed"] = ["EXT_mesh_features", "EXT_structural_metadata"]
        gltf["extensions"] = {"EXT_structural_metadata": _add_table(buffer, columns, rows, class_id)}
        gltf["bufferViews"] = buffer.views
        gltf["buffers"] = [{"byteLength": len(buffer.data)}]
    return _pack(orjson.dumps(gltf), bytes(buffer.data))


def _add_primitive(
    gltf: dict[str, Any], buffer: _Buffer, mesh: PlacedMesh, colours: NDArray[np.uint8]
) -> dict[str, Any]:
    positions = np.ascontiguousarray(mesh.positions[:, [0, 2, 1]] * np.array([1, 1, -1], np.float32))
    normals = np.ascontiguousarray(mesh.normals[:, [0, 2, 1]] * np.array([1, 1, -1], np.float32))
    small = len(positions) <= _MOST_SHORT
    indices = mesh.triangles.astype(np.uint16 if small else np.uint32)
    span = {"min": positions.min(axis=0).tolist(), "max": positions.max(axis=0).tolist()}
    accessors: list[dict[str, Any]] = []

    def add(values: NDArray[Any], kind: int, shape: str, target: int = _VERTICES, **more: Any) -> int:
        view = buffer.add(values.tobytes(), target)
        count = values.size if shape == "SCALAR" else len(values)
        accessors.append({"bufferView": view, "componentType": kind, "count": count, "type": shape} | more)
        return len(accessors) - 1

    attributes = {
        "POSITION": add(positions, _FLOAT, "VEC3", **span),
        "NORMAL": add(normals, _FLOAT, "VEC3"),
        "COLOR_0": add(colours[mesh.owners], _UBYTE, "VEC4", normalized=True),
        # Whole numbers below 2²⁴ are exact, and floats need no padding.
        "_FEATURE_ID_0": add(mesh.owners.astype(np.float32), _FLOAT, "SCALAR"),
    }
    primitive = {
        "attributes": attributes,
        "indices": add(indices, _USHORT if small else _UINT, "SCALAR", _INDICES),
        "material": 0,
        "extensions": {
            "EXT_mesh_features": {
                "featureIds": [
                    {"featureCount": len(np.unique(mesh.owners)), "attribute": 0, "propertyTable": 0, "label": "item"}
                ]
            }
        },
    }
    gltf["accessors"] = accessors
    return primitive


def _add_table(
    buffer: _Buffer, columns: Sequence[Column], rows: Mapping[str, Sequence[Any]], class_id: str
) -> dict[str, Any]:
    properties = {}
    for column in columns:
        values, offsets = pack_column(column, rows[column.name])
        # A view holds at least one byte, also where every text is empty.
        properties[column.name] = {"values": buffer.add(values or b"\0")}
        if offsets is not None:
            properties[column.name]["stringOffsets"] = buffer.add(offsets)
    table = {"class": class_id, "count": len(rows["id"]), "properties": properties}
    schema = {"id": "city_twin", "classes": {class_id: describe_class(columns)}}
    return {"schema": schema, "propertyTables": [table]}


def _pack(document: bytes, data: bytes) -> bytes:
    """Return the chunks of a GLB (glTF 2.0, 4.4), padded to 4 bytes."""
    document += b" " * (-len(document) % 4)
    chunks = struct.pack("<II", len(document), _JSON) + document
    if data:
        data += b"\0" * (-len(data) % 4)
        chunks += struct.pack("<II", len(data), _BIN) + data
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks

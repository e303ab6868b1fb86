"""What a solid tells of itself when it is picked: typed columns, described and packed as the 3D metadata specification
wants them (OGC 22-025r4, 8; EXT_structural_metadata).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from layers.schema import Property, Text, VectorLayer

Kind = Literal["STRING", "FLOAT32", "UINT32", "INT32"]
_DTYPES = {"FLOAT32": np.float32, "UINT32": np.uint32, "INT32": np.int32}
_NONE: dict[str, Any] = {"STRING": "", "FLOAT32": -9999.0, "INT32": -9999}
HEIGHT_SOURCES = ("height", "storeys", "assumed")
_ID = Text("Mã đối tượng", "Item id")
_FID = Text("Số đối tượng trong ô bản đồ", "Feature id in the vector tiles")
_HEIGHT = Text("Chiều cao dựng hình [m]", "Height the solid is built with [m]")
_SOURCE = Text("Chiều cao lấy từ: height, storeys, assumed", "Where the height is from: height, storeys, assumed")
_BASE = Text("Cao độ chân khối [m]", "Level the solid stands at [m]")


@dataclass(frozen=True, slots=True)
class Column:
    """One attribute: its name, what people read, how it is packed, and whether every solid has it."""

    name: str
    title: Text
    kind: Kind
    required: bool = False
    semantic: str | None = None


def list_columns(layer: VectorLayer) -> tuple[Column, ...]:
    """Return the columns of a layer's solids: ids, height and where it is from, base, and what vector tiles carry."""
    own = (
        Column("id", _ID, "STRING", True, "ID"),
        Column("fid", _FID, "UINT32", True),
        Column("height", _HEIGHT, "FLOAT32", True),
        Column("height_source", _SOURCE, "STRING", True),
        Column("base", _BASE, "FLOAT32", True),
    )
    return own + tuple(_declare(prop, layer) for prop in list_told(layer))


def list_told(layer: VectorLayer) -> tuple[Property, ...]:
    """Return the properties, besides the height, that a solid carries: those of vector tiles, and storeys."""
    names = {*layer.tile_properties, "storeys"} - {layer.style.height, "id", "base", "height"}
    return tuple(prop for prop in layer.properties if prop.name in names)


def describe_class(columns: Sequence[Column]) -> dict[str, Any]:
    """Return the class of a metadata schema that ``columns`` make."""
    return {"properties": {column.name: _describe(column) for column in columns}}


def pack_column(column: Column, values: Sequence[Any]) -> tuple[bytes, bytes | None]:
    """Return n values as bytes and, of strings, the n + 1 offsets (UINT32) into them; None becomes noData."""
    if column.kind != "STRING":
        given = [_NONE.get(column.kind, 0) if value is None else value for value in values]
        kind = _DTYPES[column.kind]
        limits: Any = np.finfo(kind) if column.kind == "FLOAT32" else np.iinfo(kind)
        return np.clip(np.asarray(given, np.float64), limits.min, limits.max).astype(kind).tobytes(), None
    texts = [b"" if value is None else str(value).encode() for value in values]
    offsets: NDArray[np.uint32] = np.cumsum([0, *map(len, texts)]).astype(np.uint32)
    return b"".join(texts), offsets.tobytes()


def _declare(prop: Property, layer: VectorLayer) -> Column:
    kinds: dict[str, Kind] = {"number": "FLOAT32", "integer": "INT32"}
    semantic = "NAME" if prop.name == layer.style.label or prop.name == "name" else None
    return Column(prop.name, prop.title, kinds.get(prop.type, "STRING"), semantic=semantic)


def _describe(column: Column) -> dict[str, Any]:
    made: dict[str, Any] = {"name": f"{column.title.vi} · {column.title.en}"}
    if column.kind == "STRING":
        made["type"] = "STRING"
    else:
        made |= {"type": "SCALAR", "componentType": column.kind}
    if column.semantic:
        made["semantic"] = column.semantic
    return made | ({"required": True} if column.required else {"noData": _NONE[column.kind]})

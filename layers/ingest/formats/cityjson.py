"""CityJSON 1.1 and 2.0 → rows: one a city object, its footprint, height and attributes.

A building's parts are drawn with the building. The footprint is the union of the ground surfaces of the lowest level
of detail, where surfaces say what they are, else that of all its faces seen from above. CityJSON specifications 2.0.1,
https://www.cityjson.org/specs/2.0.1/
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
import shapely
from numpy.typing import NDArray

from layers.errors import SourceError
from layers.ingest.crs import Shapes
from layers.ingest.formats.request import Request
from layers.ingest.raw import Opened, Raw, cut_chunks

KIND = "CityJSON"
BEGINS = re.compile(rb'"type"\s*:\s*"CityJSON"')
MOST_BYTES = 1 << 30
_VERSION = re.compile(r"^(1\.[01]|2\.0)")
_EPSG = re.compile(r"(?i)EPSG[:/]+(?:[\d.]+[:/]+)?(\d+)$")
# How deep the faces lie in the boundaries of a geometry.
_DEPTH = {"MultiSurface": 0, "CompositeSurface": 0, "Solid": 1, "MultiSolid": 2, "CompositeSolid": 2}
# Faces of less than this, seen from above, stand upright [m²].
_SMALLEST = 1e-6
_Face = tuple[list[list[int]], str | None]


def is_cityjson(path: Path) -> bool:
    """Return whether the file's first or last bytes say that it is CityJSON."""
    with path.open("rb") as opened:
        head = opened.read(4096)
        opened.seek(max(0, path.stat().st_size - 4096))
        return bool(BEGINS.search(head) or BEGINS.search(opened.read(4096)))


def open_cityjson(path: Path, request: Request) -> Opened:
    """Open a CityJSON file; columns ``id``, ``type``, ``height`` [m], ``ground_elevation`` [m] and the attributes.

    SourceError names a file that is none, of another version, or without objects.
    """
    if path.stat().st_size > MOST_BYTES:
        raise SourceError(f"{path} is larger than {MOST_BYTES >> 20} MiB", hint="cut it into tiles")
    try:
        document = orjson.loads(path.read_bytes())
        version, objects = str(document["version"]), dict(document["CityObjects"])
        corners = _place_vertices(document)
        is_known = document["type"] == "CityJSON" and _VERSION.match(version)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise SourceError(f"{path} cannot be read as {KIND}: {str(error)[:160]}") from error
    if not is_known:
        raise SourceError(f"{path} is CityJSON {version}, expected 1.1 or 2.0", hint="convert it with cjio upgrade")
    roots = {name: thing for name, thing in objects.items() if not thing.get("parents")}
    if not roots:
        raise SourceError(f"{path}: the file has no rows")
    found = _EPSG.search(str((document.get("metadata") or {}).get("referenceSystem", "")))
    crs = f"EPSG:{found.group(1)}" if found else None
    whole = _make_rows(roots, objects, corners, crs)

    def read(rows: int) -> Iterator[Raw]:
        return cut_chunks(whole, rows)

    return Opened(tuple(map(str, whole.frame.columns)), read, crs, len(roots))


def _place_vertices(document: dict[str, Any]) -> NDArray[np.float64]:
    corners = np.asarray(document["vertices"], dtype=float).reshape(-1, 3)
    move = document.get("transform")
    return corners if move is None else corners * np.asarray(move["scale"]) + np.asarray(move["translate"])


def _make_rows(roots: dict[str, Any], objects: dict[str, Any], corners: NDArray[np.float64], crs: str | None) -> Raw:
    rows: list[dict[str, Any]] = []
    shapes: Shapes = np.full(len(roots), None, dtype=object)
    reasons = pd.Series(None, index=pd.RangeIndex(len(roots)), dtype=object)
    for at, (name, thing) in enumerate(roots.items()):
        attributes = {key: _write_value(value) for key, value in (thing.get("attributes") or {}).items()}
        row: dict[str, Any] = {"id": name, "type": thing.get("type"), "height": None, "ground_elevation": None}
        try:
            shapes[at], lowest, highest = _draw(_gather(thing, objects), corners)
            row["ground_elevation"] = lowest
            row["height"] = (thing.get("attributes") or {}).get("measuredHeight", round(highest - lowest, 3))
        except (IndexError, KeyError, TypeError, ValueError, shapely.errors.GEOSException) as error:
            reasons[at] = f"its geometry cannot be drawn: {str(error)[:120]}"
        rows.append({**row, **attributes})
    frame = pd.DataFrame(rows, dtype=object)
    return Raw(frame.where(frame.notna(), None), shapes, crs, reasons)


def _write_value(value: Any) -> Any:
    return value if isinstance(value, str | int | float | None) else orjson.dumps(value).decode()


def _gather(thing: dict[str, Any], objects: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the geometries of an object and of its parts, and of theirs."""
    made: list[dict[str, Any]] = []
    waiting, seen = [thing], 0
    while waiting:
        one = waiting.pop()
        made += one.get("geometry") or []
        waiting += [objects[name] for name in one.get("children", []) if name in objects]
        seen += 1
        if seen > len(objects):
            raise ValueError("its parts contain each other")
    return [one for one in made if one.get("type") in _DEPTH]


def _draw(geometries: list[dict[str, Any]], corners: NDArray[np.float64]) -> tuple[Any, float, float]:
    """Return the footprint, and the lowest and the highest point of the most detailed geometry [m]."""
    if not geometries:
        raise ValueError("it has no surfaces")
    levels = [str(one.get("lod", "")) for one in geometries]
    faces = [face for one in geometries if str(one.get("lod", "")) == min(levels) for face in _list_faces(one)]
    ground = [rings for rings, meaning in faces if meaning == "GroundSurface"]
    drawn = _flatten(ground or [rings for rings, _ in faces], corners)
    if drawn is None and ground:
        drawn = _flatten([rings for rings, _ in faces], corners)
    if drawn is None:
        raise ValueError("seen from above it has no area")
    used = [face for one in geometries if str(one.get("lod", "")) == max(levels) for face in _list_faces(one)]
    heights = corners[[number for rings, _ in used for ring in rings for number in ring], 2]
    return drawn, round(float(heights.min()), 3), float(heights.max())


def _list_faces(geometry: dict[str, Any]) -> list[_Face]:
    """Return the rings of every face and what it is said to be."""
    semantics = geometry.get("semantics") or {}
    surfaces = [one.get("type") for one in semantics.get("surfaces", [])]
    faces, values = geometry["boundaries"], semantics.get("values")
    for _ in range(_DEPTH[geometry["type"]]):
        if values is not None:
            values = [one for part, inner in zip(values, faces, strict=True) for one in (part or [None] * len(inner))]
        faces = [face for part in faces for face in part]
    if values is None:
        values = [None] * len(faces)
    return [(rings, None if number is None else surfaces[number]) for rings, number in zip(faces, values, strict=True)]


def _flatten(faces: list[list[list[int]]], corners: NDArray[np.float64]) -> Any:
    """Return the union of faces as seen from above, None where they stand upright."""
    rings = [(at, ring) for at, face in enumerate(faces) for ring in face if len(ring) > 2]
    if not rings:
        return None
    places = np.repeat(np.arange(len(rings)), [len(ring) for _, ring in rings])
    drawn: Any = shapely.linearrings(corners[[number for _, ring in rings for number in ring], :2], indices=places)
    areas: Any = shapely.polygons(drawn, indices=np.array([at for at, _ in rings]))
    areas = areas[shapely.area(areas) > _SMALLEST]
    areas = np.where(shapely.is_valid(areas), areas, shapely.make_valid(areas))
    if len(areas) == 0:
        return None
    # Corners lie on a grid of millimetres: faces that share an edge share it exactly.
    union = shapely.union_all(areas)
    parts = [part for part in shapely.get_parts([union]) if part.geom_type == "Polygon"]
    return shapely.union_all(parts) if parts else None

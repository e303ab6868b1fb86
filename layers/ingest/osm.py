"""OpenStreetMap files → raw rows: nodes as points, ways as lines, closed ways and multipolygons as areas.

A closed way is read twice, as line and as area; the pseudo-column ``@geometry`` (point, line or area) lets a mapping
choose, ``@type`` and ``@id`` name the object as in OpenStreetMap.
"""

from pathlib import Path
from typing import Any

import numpy as np
import osmium
import pandas as pd
import shapely

from layers.errors import MappingError, SourceError
from layers.ingest.crs import Shapes

_AREA_TYPES = ("multipolygon", "boundary")
_INCOMPLETE = "the file lacks nodes or ways of this object"


def read_osm(
    path: Path, *, keys: tuple[str, ...], tags: tuple[str, ...]
) -> tuple[pd.DataFrame, Shapes, "pd.Series[Any]"]:
    """Return rows of the objects that have one of ``keys``, their ``tags`` as columns, geometry in degrees, and why
    a geometry could not be made.

    Objects whose members lie outside the extract keep their row, without geometry. Raises SourceError for a file
    that breaks off or is none, MappingError without ``keys``.
    """
    if not keys:
        raise MappingError(f"{path}: a mapping for OpenStreetMap needs 'where' with a tag for every layer")
    found = _Rows(tags)
    filters = osmium.filter.KeyFilter(*keys)
    try:
        for thing in osmium.FileProcessor(str(path)).with_areas(filters).with_filter(filters):
            found.add(thing)
    except (RuntimeError, OSError) as error:
        words = " ".join(str(error).split())
        raise SourceError(f"{path} cannot be read as OpenStreetMap: {words}") from error
    return found.finish(path)


class _Rows:
    """Columns being filled, one entry a row."""

    def __init__(self, tags: tuple[str, ...]) -> None:
        self._factory = osmium.geom.WKBFactory()
        self._columns: dict[str, list[str | None]] = {name: [] for name in ("@type", "@id", "@geometry", *tags)}
        self._tags = tags
        self._wkb: list[str | None] = []
        self._assembled: set[int] = set()
        self._relations: dict[int, dict[str, str]] = {}

    def add(self, thing: Any) -> None:
        """Take one object of the file."""
        tags = {name: thing.tags.get(name) for name in self._tags}
        if thing.is_node():
            self._append("node", thing.id, "point", tags, self._make(self._factory.create_point, thing))
        elif thing.is_way():
            self._append("way", thing.id, "line", tags, self._make(self._factory.create_linestring, thing))
        elif thing.is_area():
            if not thing.from_way():
                self._assembled.add(thing.orig_id())
            kind = "way" if thing.from_way() else "relation"
            self._append(kind, thing.orig_id(), "area", tags, self._make(self._factory.create_multipolygon, thing))
        elif thing.is_relation() and thing.tags.get("type") in _AREA_TYPES:
            self._relations[thing.id] = tags

    def finish(self, path: Path) -> tuple[pd.DataFrame, Shapes, "pd.Series[Any]"]:
        """Return the frame, the geometry and what is wrong with it."""
        for number, tags in self._relations.items():
            if number not in self._assembled:
                self._append("relation", number, "area", tags, None)
        if not self._wkb:
            raise SourceError(f"{path} holds no object with a tag the mapping asks for")
        frame = pd.DataFrame(self._columns, dtype=object)
        shapes: Shapes = np.asarray(shapely.from_wkb(self._wkb), dtype=object)
        reasons = pd.Series(None, index=frame.index, dtype=object)
        reasons[shapely.is_missing(shapes)] = _INCOMPLETE
        return frame, shapes, reasons

    def _append(self, kind: str, number: int, geometry: str, tags: dict[str, str], wkb: str | None) -> None:
        for name, value in (("@type", kind), ("@id", f"{kind}/{number}"), ("@geometry", geometry), *tags.items()):
            self._columns[name].append(value)
        self._wkb.append(wkb)

    @staticmethod
    def _make(create: Any, thing: Any) -> str | None:
        """Return the geometry as hexadecimal WKB, or None where a member's place is unknown or a line is a dot."""
        try:
            return str(create(thing))
        except (osmium.InvalidLocationError, RuntimeError, ValueError):
            return None

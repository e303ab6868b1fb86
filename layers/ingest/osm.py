"""OpenStreetMap files → raw rows: nodes as points, ways as lines, closed ways and multipolygons as areas.

A closed way is read twice, as line and as area; the pseudo-column ``@geometry`` (point, line or area) lets a mapping
choose, ``@type`` and ``@id`` name the object as in OpenStreetMap. A relation of type ``restriction`` is a point, the
node where its turn begins; ``@from``, ``@via`` and ``@to`` name its members.
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
_TURN, _ROLES = "restriction", ("from", "via", "to")
_KINDS = {"n": "node", "w": "way"}
_INCOMPLETE = "the file lacks nodes or ways of this object"
Ends = tuple[tuple[int, str | None], ...]


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
    found = _Rows(keys, tags)
    # Where a turn goes over a road, the road's ends say where it begins, whether roads are asked for or not.
    filters = osmium.filter.KeyFilter(*keys, *(("highway",) if found.reads_turns else ()))
    try:
        things = osmium.FileProcessor(str(path)).with_areas(osmium.filter.KeyFilter(*keys)).with_filter(filters)
        for thing in things:
            found.add(thing, things)
    except (RuntimeError, OSError) as error:
        words = " ".join(str(error).split())
        raise SourceError(f"{path} cannot be read as OpenStreetMap: {words}") from error
    return found.finish(path)


class _Rows:
    """Columns being filled, one entry a row."""

    def __init__(self, keys: tuple[str, ...], tags: tuple[str, ...]) -> None:
        self._keys = keys
        self._factory = osmium.geom.WKBFactory()
        named = "@type", "@id", "@geometry", *(f"@{role}" for role in _ROLES), *tags
        self._columns: dict[str, list[str | None]] = {name: [] for name in named}
        self._tags = tags
        self._wkb: list[str | None] = []
        self._assembled: set[int] = set()
        self._relations: dict[int, dict[str, str | None]] = {}
        self._ends: dict[int, Ends] = {}
        self.reads_turns = any(key.startswith(_TURN) for key in keys)

    def add(self, thing: Any, file: Any) -> None:
        """Take one object of the file."""
        if self.reads_turns and thing.is_way() and len(thing.nodes):
            ends = thing.nodes[0], thing.nodes[-1]
            self._ends[thing.id] = tuple(
                (node.ref, self._make(self._factory.create_point, node.location)) for node in ends
            )
        if not any(key in thing.tags for key in self._keys):
            return
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
        elif thing.is_relation() and thing.tags.get("type") == _TURN:
            self._add_turn(thing, tags, file)

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

    def _add_turn(self, thing: Any, tags: dict[str, str | None], file: Any) -> None:
        """Take a restriction: its place is the node it goes over, else the one where its first two ways meet."""
        members: dict[str, list[tuple[str, int]]] = {role: [] for role in _ROLES}
        for member in thing.members:
            if member.role in members and member.type in _KINDS:
                members[member.role].append((_KINDS[member.type], member.ref))
        named = {f"@{role}": ";".join(f"{kind}/{ref}" for kind, ref in of) or None for role, of in members.items()}
        self._append("relation", thing.id, "point", tags | named, self._find_turn(members, file))

    def _find_turn(self, members: dict[str, list[tuple[str, int]]], file: Any) -> str | None:
        nodes = [ref for kind, ref in members["via"] if kind == "node"]
        if nodes:
            try:
                return self._make(self._factory.create_point, file.node_location_storage.get(nodes[0]))
            except KeyError:
                return None
        ways = [dict(self._ends[ref]) for role in ("from", "via") for _, ref in members[role][:1] if ref in self._ends]
        shared = [place for ref, place in ways[0].items() if ref in ways[1]] if len(ways) == 2 else []
        return shared[0] if shared else None

    def _append(self, kind: str, number: int, geometry: str, tags: dict[str, str | None], wkb: str | None) -> None:
        row = {"@type": kind, "@id": f"{kind}/{number}", "@geometry": geometry, **tags}
        for name, column in self._columns.items():
            column.append(row.get(name))
        self._wkb.append(wkb)

    @staticmethod
    def _make(create: Any, thing: Any) -> str | None:
        """Return the geometry as hexadecimal WKB, or None where a member's place is unknown or a line is a dot."""
        try:
            return str(create(thing))
        except (osmium.InvalidLocationError, RuntimeError, ValueError):
            return None

"""The objects of an EPANET file as items of the layers: values in SI by property, geometry in the city's CRS.

EPANET 2.2 User Manual, appendix C.2: the positions of the words of each section, 0 the id. EPANET tells ids apart by
their case, the layers' own reading of rows does not: a file with two ids alike but for it is refused.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import shapely

from layers.errors import InputError, SourceError
from layers.ingest.epanet.sections import LINKS, NODES, Units, read_units
from layers.ingest.model_items import Item, Items
from layers.ingest.swmm.anchor import Anchor
from layers.ingest.swmm.document import Inp, Row, fold_name
from layers.registry import read_vector_layer

SPACING = 50.0
OBJECTS = {
    "water_nodes": NODES,
    "water_pipes": ("PIPES",),
    "water_valves": ("VALVES",),
    "water_pumps": ("PUMPS",),
}
"""The sections whose objects are items of a layer."""

NODE_TYPES = {"JUNCTIONS": "junction", "RESERVOIRS": "reservoir", "TANKS": "tank"}
VALVE_TYPES = {kind.upper(): kind for kind in ("prv", "psv", "pbv", "fcv", "tcv", "gpv")} | {"PCV": "tcv"}
MAIN = 0.3
"""A pipe this wide [m] is taken for a transmission main, since EPANET does not say."""


class Field(NamedTuple):
    """The word at ``position`` of an object's row; ``measure`` names its unit in ``Units``, ``none`` for a number."""

    position: int
    measure: str = "none"


FIELDS: Mapping[str, Mapping[str, Field]] = {
    "JUNCTIONS": {"elevation": Field(1, "length")},
    "RESERVOIRS": {"head": Field(1, "length")},
    "TANKS": {
        "elevation": Field(1, "length"),
        "initial_level": Field(2, "length"),
        "min_level": Field(3, "length"),
        "max_level": Field(4, "length"),
        "tank_diameter": Field(5, "length"),
    },
    "PIPES": {
        "length": Field(3, "length"),
        "diameter": Field(4, "diameter"),
        "roughness": Field(5),
        "minor_loss": Field(6),
    },
    "VALVES": {"diameter": Field(3, "diameter"), "minor_loss": Field(6)},
    "PUMPS": {},
}


def describe_items(document: Inp, model: str, anchor: Anchor, counts: Counter[str] | None = None) -> Items:
    """Return the items of a document by layer and id.

    ``counts`` gets how many places were assumed and values are beyond what a layer holds, which then has none. Raise
    InputError naming the line where a number is none or a link has no node, SourceError where two ids are alike.
    """
    reader = _Reader(document, model, Counter() if counts is None else counts)
    places = reader.place_nodes()
    points = anchor.place(np.array(list(places.values()), np.float64).reshape(-1, 2))
    at = dict(zip(places, np.atleast_1d(np.asarray(shapely.points(points))), strict=True))
    items: Items = {layer: {} for layer in OBJECTS}
    for section in NODES:
        for name in document.names(section):
            values = reader.read_node(section, name)
            items["water_nodes"][f"{model}.{name}"] = Item(section, name, values, at[fold_name(name)])
    for layer, section in (("water_pipes", "PIPES"), ("water_valves", "VALVES"), ("water_pumps", "PUMPS")):
        for name in document.names(section):
            values = reader.read_link(section, name)
            start, end = (at[fold_name(node)] for node in reader.read_ends(section, name))
            inner = [(row.read_number(1), row.read_number(2)) for row in document.find("VERTICES", name)]
            path = anchor.place(np.array(inner, np.float64).reshape(-1, 2)).tolist()
            line = shapely.LineString([start.coords[0], *path, end.coords[0]])
            shape = line if layer == "water_pipes" else line.interpolate(0.5, normalized=True)
            items[layer][f"{model}.{name}"] = Item(section, name, values, shape)
    return items


class _Reader:
    def __init__(self, document: Inp, model: str, counts: Counter[str]) -> None:
        self.document, self.model, self.counts = document, model, counts
        self.units: Units = read_units(document)
        self.by_c = document.option("HEADLOSS", "H-W").upper().startswith("H")
        self.nodes = self._name_all(NODES, "node")
        self._name_all(LINKS, "link")
        self._status = {row.words[0]: row.words[1] for row in document.rows("STATUS") if len(row.words) > 1}
        self._demands: dict[str, list[Row]] = {}
        for row in document.rows("DEMANDS"):
            self._demands.setdefault(row.words[0], []).append(row)

    def _name_all(self, sections: tuple[str, ...], what: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for section in sections:
            for row in self.document.rows(section):
                first = found.setdefault(fold_name(row.words[0]), row.words[0])
                if first != row.words[0]:
                    raise SourceError(f"{row.place}: {what} '{row.words[0]}' is alike '{first}' but for its case")
        return found

    def read_node(self, section: str, name: str) -> dict[str, Any]:
        row = self.document.read(section, name)
        values: dict[str, Any] = {"node_type": NODE_TYPES[section]}
        values |= self._read_fields("water_nodes", section, row)
        if section == "RESERVOIRS":
            values["elevation"] = values["head"]
        if section == "JUNCTIONS":
            values |= self._read_demand(row)
        return values

    def _read_demand(self, row: Row) -> dict[str, Any]:
        """Return the base demand of a junction, the sum of its categories, and the pattern of the first."""
        rows = self._demands.get(row.words[0])
        flow, position = (sum(own.read_number(1, 0.0) for own in rows), 2) if rows else (row.read_number(2, 0.0), 3)
        first = rows[0] if rows else row
        pattern = first.words[position] if len(first.words) > position else None
        base = self._limit("water_nodes", "base_demand", flow * self.units.flow)
        return {"base_demand": base, "pattern": None if pattern in (None, "*") else pattern}

    def read_ends(self, section: str, name: str) -> tuple[str, str]:
        row = self.document.read(section, name)
        ends = []
        for position in (1, 2):
            word = row.words[position] if position < len(row.words) else ""
            node = self.nodes.get(fold_name(word))
            if node is None:
                raise InputError(f"{row.place}: link '{row.words[0]}' ends in '{word[:60]}', which is no node")
            ends.append(node)
        return ends[0], ends[1]

    def read_link(self, section: str, name: str) -> dict[str, Any]:
        row = self.document.read(section, name)
        start, end = self.read_ends(section, name)
        layer = {"PIPES": "water_pipes", "VALVES": "water_valves", "PUMPS": "water_pumps"}[section]
        values: dict[str, Any] = {"from_node": f"{self.model}.{start}", "to_node": f"{self.model}.{end}"}
        values |= self._read_fields(layer, section, row)
        status = self._status.get(row.words[0], "").upper()
        if section == "PIPES":
            return values | self._read_pipe(row, values, status)
        return values | (self._read_valve(row, status) if section == "VALVES" else self._read_pump(row, status))

    def _read_pipe(self, row: Row, values: Mapping[str, Any], status: str) -> dict[str, Any]:
        own = find_status(row)
        word = status or (row.words[own].upper() if own is not None else "OPEN")
        wide = values.get("diameter") or 0.0
        return {
            "pipe_type": "transmission" if wide >= MAIN else "distribution",
            "status": "check_valve" if word == "CV" else "closed" if word == "CLOSED" else "open",
        }

    def _read_valve(self, row: Row, status: str) -> dict[str, Any]:
        kind = row.words[4].upper() if len(row.words) > 4 else ""
        if kind not in VALVE_TYPES:
            raise InputError(
                f"{row.place}: valve '{row.words[0]}' is a '{kind[:20]}', expected {', '.join(VALVE_TYPES)}"
            )
        values: dict[str, Any] = {
            "valve_type": VALVE_TYPES[kind],
            "status": status.lower() if status in ("OPEN", "CLOSED") else "active",
        }
        field = find_setting(kind)
        if field is not None and len(row.words) > 5:
            prop, measure = field
            setting = row.read_number(5) * getattr(self.units, measure)
            values[prop] = self._limit("water_valves", prop, setting)
        return values

    def _read_pump(self, row: Row, status: str) -> dict[str, Any]:
        words = [word.upper() for word in row.words]
        values: dict[str, Any] = {"status": "standby" if status in ("CLOSED", "0") else "running"}
        for position in range(3, len(words) - 1, 2):
            if words[position] == "POWER":
                power = row.read_number(position + 1) * self.units.power
                values["power"] = self._limit("water_pumps", "power", power)
            elif words[position] == "HEAD":
                points = self._read_curve(row.words[position + 1])
                values["curve"] = "; ".join(f"{flow:.10g},{head:.10g}" for flow, head in points) or None
        return values

    def _read_curve(self, name: str) -> list[tuple[float, float]]:
        """Return the points of a curve: flow [m3/d], head [m]."""
        numbers = [
            row.read_number(position)
            for row in self.document.find("CURVES", name)
            for position in range(1, len(row.words))
        ]
        pairs = zip(numbers[::2], numbers[1::2], strict=False)
        return [(flow * self.units.flow, head * self.units.length) for flow, head in pairs]

    def _read_fields(self, layer: str, section: str, row: Row) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for prop, field in FIELDS[section].items():
            if (prop == "roughness" and not self.by_c) or not has_number(row, section, field):
                values[prop] = None
                continue
            values[prop] = self._limit(layer, prop, row.read_number(field.position) * measure_of(self.units, field))
        return values

    def _limit(self, layer: str, prop: str, value: float) -> float | None:
        declared = read_vector_layer(layer).find(prop)
        measure = declared.measure if declared is not None else None
        if measure is None or measure.minimum <= value <= measure.maximum:
            return value
        self.counts["values_beyond_their_range"] += 1
        return None

    def place_nodes(self) -> dict[str, tuple[float, float]]:
        """Return the model's coordinates of each node; those without stand in a row below the others."""
        places = {
            fold_name(row.words[0]): (row.read_number(1), row.read_number(2))
            for row in self.document.rows("COORDINATES")
        }
        found = {node: places[node] for node in self.nodes if node in places}
        low = min((y for _, y in found.values()), default=0.0) - SPACING
        left = min((x for x, _ in found.values()), default=0.0)
        missing = [node for node in self.nodes if node not in found]
        self.counts["places_assumed"] += len(missing)
        return found | {node: (left + SPACING * number, low) for number, node in enumerate(missing)}


def measure_of(units: Units, field: Field) -> float:
    """Return what one unit of a field's word is in SI."""
    return 1.0 if field.measure == "none" else float(getattr(units, field.measure))


def has_number(row: Row, section: str, field: Field) -> bool:
    """Return whether a row has a word for a field; of pipes the status may stand where the minor loss does."""
    if field.position >= len(row.words) or row.words[field.position] in ("", "*"):
        return False
    return not (section == "PIPES" and field.position == 6 and find_status(row) == 6)


def find_status(row: Row) -> int | None:
    """Return the position of the word that is the status of a pipe, None where it has none."""
    words = [word.upper() for word in row.words]
    return next(
        (position for position in (7, 6) if words[position : position + 1] and words[position] in STATUSES), None
    )


STATUSES = ("OPEN", "CLOSED", "CV")


def find_setting(kind: str) -> tuple[str, str] | None:
    """Return the property that holds the setting of a valve of a kind, and the measure of it."""
    if kind in ("PRV", "PSV", "PBV"):
        return "pressure_setting", "pressure"
    return ("flow_setting", "flow") if kind == "FCV" else None

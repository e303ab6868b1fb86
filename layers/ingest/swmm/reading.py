"""What the rows of an object say of the properties of its layer, in SI."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from layers.errors import InputError
from layers.ingest.swmm.document import Inp, Row, fold_name, parse_number
from layers.ingest.swmm.fields import (
    LINK_TYPES,
    NODE_NAMES,
    NODE_TYPES,
    OPEN_SHAPES,
    SHAPES,
    Field,
    find_gate,
    list_fields,
    make_id,
)
from layers.ingest.swmm.sections import NODES
from layers.ingest.swmm.units import Units
from layers.registry import read_vector_layer


class Reader:
    """Reads the properties of objects; ``nodes`` are the names of all nodes by folded name."""

    def __init__(self, document: Inp, model: str, units: Units, counts: Counter[str]) -> None:
        """Read ``document`` as the ``model``; ``counts`` gets how often a value is beyond what a layer can hold."""
        self.document, self.model, self.units, self.counts = document, model, units, counts
        self.nodes = {fold_name(name): name for section in NODES for name in document.names(section)}
        self.are_elevations = document.option("LINK_OFFSETS", "DEPTH").upper().startswith("ELEV")
        self._inverts = {
            fold_name(name): document.read(section, name).read_number(1, 0.0) * units.length
            for section in NODES
            for name in document.names(section)
        }

    def read_node(self, section: str, name: str) -> dict[str, Any]:
        """Return the properties of a node."""
        row = self.document.read(section, name)
        values: dict[str, Any] = {"node_type": NODE_TYPES[section]}
        values |= self._read_fields("drainage_nodes", list_fields(section, row), name)
        if not values.get("max_depth"):
            # 0 stands for the crown of the highest link.
            values["max_depth"] = None
        elif values.get("invert_elevation") is not None:
            values["ground_elevation"] = values["invert_elevation"] + values["max_depth"]
        if section == "OUTFALLS":
            gate = find_gate(row)
            said = row.words[gate].upper() if gate is not None and gate < len(row.words) else "NO"
            values["has_gate"] = said == "YES"
        return values

    def read_link(self, section: str, name: str) -> dict[str, Any]:
        """Return the properties of a link; InputError where it ends in no node."""
        row = self.document.read(section, name)
        shape = next(iter(self.document.find("XSECTIONS", name)), None)
        ends = self.read_ends(section, row)
        values: dict[str, Any] = {"link_type": LINK_TYPES[section], "is_active": True}
        values |= {end: make_id(self.model, node) for end, node in ends.items()}
        form = shape.words[1].upper() if shape is not None and len(shape.words) > 1 else ""
        if section == "CONDUITS" and form in OPEN_SHAPES:
            values["link_type"] = "open_channel"
        values["shape"] = SHAPES.get(form)
        values |= self._read_fields("drainage_links", list_fields(section, row, shape), name, ends)
        for size in ("height", "width"):
            values[size] = values.get(size) or None
        if section == "PUMPS":
            curve = row.words[3] if len(row.words) > 3 else "*"
            values["capacity"] = self._limit(
                "drainage_links", "capacity", find_capacity(self.document, curve, self.units)
            )
        return values

    def read_ends(self, section: str, row: Row) -> dict[str, str]:
        """Return the nodes of a link by property, as their own section spells them."""
        found = {}
        for end, position in NODE_NAMES[section].items():
            named = row.words[position] if position < len(row.words) else ""
            node = self.nodes.get(fold_name(named))
            if node is None:
                raise InputError(f"{row.place}: link '{row.words[0]}' ends in '{named}', which is no node")
            found[end] = node
        return found

    def read_catchment(self, name: str) -> dict[str, Any]:
        """Return the properties of a subcatchment."""
        row = self.document.read("SUBCATCHMENTS", name)
        values: dict[str, Any] = self._read_fields("catchments", list_fields("SUBCATCHMENTS", row), name)
        outlet = self.nodes.get(fold_name(row.words[2])) if len(row.words) > 2 else None
        # One that drains to another catchment names no node.
        values["outlet_node"] = None if outlet is None else make_id(self.model, outlet)
        return values

    def read_gauge(self, name: str) -> dict[str, Any]:
        """Return the properties of a rain gauge: its series and interval [s]."""
        row = self.document.read("RAINGAGES", name)
        values: dict[str, Any] = {"interval": None, "series": None}
        if len(row.words) > 2:
            hours = read_hours(row.words[2], row.place)
            values["interval"] = self._limit("rain_gauges", "interval", hours * 3600.0)
        if len(row.words) > 5:
            values["series"] = row.words[5]
        return values

    def _read_fields(
        self, layer: str, fields: Mapping[str, Field], name: str, ends: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for prop, field in fields.items():
            value = self.read_field(field, name, ends)
            values[prop] = self._limit(layer, prop, value)
        return values

    def read_field(self, field: Field, name: str, ends: Mapping[str, str] | None = None) -> float | None:
        """Return what a field says in SI, None where it says nothing."""
        row = self.document.read(field.section, name)
        given = field.position < len(row.words) and row.words[field.position] not in ("", "*")
        if not given and field.offset is None:
            return None
        place = row.place
        value = parse_number(row.words[field.position], place) * self.units.factor(field.measure) if given else 0.0
        if field.offset is not None and ends is not None and (not given or not self.are_elevations):
            value += self._inverts[fold_name(ends[field.offset])]
        return value

    def _limit(self, layer: str, prop: str, value: float | None) -> float | None:
        declared = read_vector_layer(layer).find(prop)
        measure = declared.measure if declared is not None else None
        if value is None or measure is None or measure.minimum <= value <= measure.maximum:
            return value
        self.counts["values_beyond_their_range"] += 1
        return None


def find_capacity(document: Inp, curve: str, units: Units) -> float | None:
    """Return the greatest flow [m3/s] of a pump's curve, None of an ideal pump, whose curve is ``*``."""
    flows = []
    for row in document.find("CURVES", curve) if curve != "*" else ():
        words = row.words[1:]
        if words and words[0].upper().startswith("PUMP"):
            words = words[1:]
        flows += [parse_number(word, row.place) for word in words[1::2]]
    return max(flows) * units.flow if flows else None


def read_hours(word: str, place: str) -> float:
    """Return a duration, ``H:MM``, ``H:MM:SS`` or decimal hours, in hours; InputError names the place."""
    parts = word.split(":")
    if len(parts) > 3:
        raise InputError(f"{place} has '{word[:40]}', expected hours as H:MM")
    return sum(parse_number(part, place) / 60.0**power for power, part in enumerate(parts))

"""Changes of items written into an EPANET document: a value, a place, an object more or less, and no other line."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely

from layers.errors import InputError
from layers.ingest.epanet.items import (
    FIELDS,
    NODE_TYPES,
    find_setting,
    find_status,
    has_number,
    measure_of,
)
from layers.ingest.epanet.sections import LINKS, NODES, Units, read_units
from layers.ingest.inp import Word
from layers.ingest.model_items import Item
from layers.ingest.swmm.anchor import Anchor
from layers.ingest.swmm.document import Inp
from twin.water.model import read_curve

PLACE_TOLERANCE = 1.0e-6
"""A place that differs by less is the same [m]."""

_SECTIONS = {value: key for key, value in NODE_TYPES.items()}
_OWN_ROWS = {
    "water_nodes": ("COORDINATES", "DEMANDS", "EMITTERS", "QUALITY", "SOURCES", "MIXING"),
    "water_pipes": ("VERTICES", "STATUS", "LEAKAGE"),
    "water_valves": ("VERTICES", "STATUS"),
    "water_pumps": ("VERTICES", "STATUS"),
}
_PIPE_WORDS = {"open": "Open", "closed": "Closed", "check_valve": "CV"}
_DEFAULTS: Mapping[str, float] = {"minor_loss": 0.0, "roughness": 130.0, "min_level": 0.0}


class Writer:
    """Writes into the document of a model."""

    def __init__(self, document: Inp, model: str, anchor: Anchor) -> None:
        self.document, self.model, self.anchor = document, model, anchor
        self.units: Units = read_units(document)

    def name(self, identifier: str) -> str:
        """Return the name in the model of an item."""
        return identifier.removeprefix(f"{self.model}.")

    def name_node(self, identifier: Any, of: str) -> str:
        """Return the name of a node by the layer's id; InputError where the model does not have it."""
        name = self.name(str(identifier))
        if not any(self.document.find(section, name) for section in NODES):
            raise InputError(
                f"'{of}' names the node '{identifier}', which model '{self.model}' does not have",
                hint=f"set its model_id to {self.model}, or choose a node of the model",
            )
        return name

    def remove(self, layer: str, item: Item) -> None:
        """Remove an object with the rows that are its own, and the simple controls that name it."""
        self.document.remove(item.section, item.name)
        for section in _OWN_ROWS[layer]:
            self.document.remove(section, item.name)
        self.document.remove("TAGS", f"{'NODE' if layer == 'water_nodes' else 'LINK'} {item.name}")
        rows = self.document.rows("CONTROLS")
        position = 5 if layer == "water_nodes" else 1
        kept = [row for row in rows if len(row.words) <= position or row.words[position] != item.name]
        if len(kept) < len(rows):
            self.document.keep("CONTROLS", kept)

    def change(self, layer: str, item: Item, row: Mapping[str, Any]) -> int:
        """Write what differs between a file's object and its row, and return 1 where something does."""
        differs = {name: row.get(name) for name, value in item.values.items() if row.get(name) != value and name in row}
        moved = self._move(layer, item, row["geometry"])
        wrote = [self._write(layer, item, prop, value) for prop, value in differs.items()]
        return int(moved or any(wrote))

    def _write(self, layer: str, item: Item, prop: str, value: Any) -> bool:
        section, name = item.section, item.name
        if prop in ("from_node", "to_node"):
            self.document.replace(section, name, {1 if prop == "from_node" else 2: self.name_node(value, name)})
            return True
        if prop == "status":
            return self._write_status(layer, name, value)
        if prop == "base_demand" and value is not None:
            return self._write_demand(name, float(item.values["base_demand"] or 0.0), float(value))
        if prop == "pattern":
            return self._write_pattern(name, value)
        if prop == "curve" and value is not None:
            return self._write_curve(name, str(value))
        if prop == "power" and value is not None:
            return self._write_word(name, "POWER", float(value) / self.units.power)
        if prop in ("pressure_setting", "flow_setting") and value is not None:
            kind = self.document.read(section, name).words[4].upper()
            found = find_setting(kind)
            if found is not None and found[0] == prop:
                self.document.replace(section, name, {5: _write(float(value) / getattr(self.units, found[1]))})
                return True
            return False
        if prop == "node_type":
            raise InputError(f"node '{name}' became a {value}; its model knows it as a {item.values[prop]}")
        field = FIELDS[section].get(prop)
        if field is None or value is None:
            return False
        row = self.document.read(section, name)
        if not has_number(row, section, field) and section == "PIPES":
            # The status stands where the minor loss belongs, or neither is there.
            status = find_status(row)
            word = row.words[status] if status is not None else "Open"
            self.document.replace(section, name, {6: _write(float(value)), 7: word})
            return True
        fill: dict[int, Word] = dict.fromkeys(range(len(row.words), field.position), 0.0)
        self.document.replace(
            section, name, {**fill, field.position: _write(float(value) / measure_of(self.units, field))}
        )
        return True

    def _write_status(self, layer: str, name: str, value: Any) -> bool:
        if layer == "water_pipes":
            word = _PIPE_WORDS.get(str(value), "Open")
            self.document.remove("STATUS", name)
            row = self.document.read("PIPES", name)
            position = find_status(row)
            fill: dict[int, Word] = {6: 0.0} if len(row.words) < 7 else {}
            self.document.replace("PIPES", name, {**fill, position if position is not None else 7: word})
            return True
        self.document.remove("STATUS", name)
        if value in ("open", "closed"):
            self.document.add("STATUS", (name, str(value).title()))
        elif value in ("standby", "failed", "stuck"):
            self.document.add("STATUS", (name, "Closed"))
        elif value == "running":
            self.document.add("STATUS", (name, "Open"))
        return True

    def _write_demand(self, name: str, before: float, now: float) -> bool:
        """Write a base demand, categories in proportion."""
        rows = self.document.find("DEMANDS", name)
        if not rows:
            row = self.document.read("JUNCTIONS", name)
            fill: dict[int, Word] = {1: 0.0} if len(row.words) < 2 else {}
            self.document.replace("JUNCTIONS", name, {**fill, 2: _write(now / self.units.flow)})
            return True
        for number, row in enumerate(rows):
            share = row.read_number(1, 0.0) / (before / self.units.flow) if before else 1.0 / len(rows)
            self.document.replace("DEMANDS", name, {1: _write(now / self.units.flow * share)}, nth=number)
        return True

    def _write_pattern(self, name: str, value: Any) -> bool:
        if value is not None and not self.document.find("PATTERNS", str(value)):
            raise InputError(f"node '{name}' has the pattern '{value}', which model '{self.model}' does not have")
        word = str(value) if value is not None else "*"
        if self.document.find("DEMANDS", name):
            self.document.replace("DEMANDS", name, {2: word})
            return True
        row = self.document.read("JUNCTIONS", name)
        fill: dict[int, Word] = dict.fromkeys(range(len(row.words), 3), 0.0)
        self.document.replace("JUNCTIONS", name, {**fill, 3: word})
        return True

    def _write_curve(self, name: str, words: str) -> bool:
        """Give a pump a curve of its own."""
        own, number = f"{name}~1"[-31:], 1
        while self.document.find("CURVES", own):
            number += 1
            own = f"{name}~{number}"[-31:]
        for flow, head in read_curve(words, name):
            self.document.add("CURVES", (own, _write(flow / self.units.flow), _write(head / self.units.length)))
        return self._write_word(name, "HEAD", own)

    def _write_word(self, name: str, keyword: str, value: float | str) -> bool:
        row = self.document.read("PUMPS", name)
        words = [word.upper() for word in row.words]
        for position in range(3, len(words) - 1, 2):
            if words[position] == keyword:
                self.document.replace("PUMPS", name, {position + 1: value if isinstance(value, str) else _write(value)})
                return True
        return False

    def _move(self, layer: str, item: Item, shape: Any) -> bool:
        """Write the place of an object where it was moved; of pipes the points between their nodes."""
        if layer == "water_pipes":
            old, new = (shapely.get_coordinates(line)[1:-1] for line in (item.geometry, shape))
            if old.shape == new.shape and np.allclose(old, new, rtol=0.0, atol=PLACE_TOLERANCE):
                return False
            self.document.remove("VERTICES", item.name)
            for x, y in self._unplace(new):
                self.document.add("VERTICES", (item.name, x, y))
            return True
        if layer != "water_nodes" or shapely.equals_exact(item.geometry, shape, PLACE_TOLERANCE):
            return False
        self._place(item.name, shape)
        return True

    def _place(self, name: str, point: Any) -> None:
        x, y = self._unplace(np.array([[point.x, point.y]]))[0]
        if self.document.find("COORDINATES", name):
            self.document.replace("COORDINATES", name, {1: x, 2: y})
        else:
            self.document.add("COORDINATES", (name, x, y))

    def _unplace(self, points: Any) -> list[tuple[str, str]]:
        if not len(points):
            return []
        # A millimetre of the city in whatever unit the model has.
        return [(f"{x:.12g}", f"{y:.12g}") for x, y in self.anchor.unplace(points).tolist()]

    def add(self, layer: str, identifier: str, row: Mapping[str, Any]) -> None:
        """Add an object that was drawn in the city and given the model's id."""
        name = self.name(identifier)
        if any(self.document.find(section, name) for section in (NODES if layer == "water_nodes" else LINKS)):
            raise InputError(
                f"'{identifier}' would be '{name}' in model '{self.model}', which has one", hint="rename it"
            )
        if layer == "water_nodes":
            self._add_node(name, row)
        elif layer == "water_pipes":
            self._add_pipe(name, row)
        else:
            raise InputError(
                f"'{identifier}' cannot be added to model '{self.model}': valves and pumps come with their file",
                hint="add it to the file and import that with --replace",
            )

    def _add_node(self, name: str, row: Mapping[str, Any]) -> None:
        section = _SECTIONS[row["node_type"]]
        words: list[Word] = [name]
        for prop, field in FIELDS[section].items():
            value = row.get(prop)
            value = row.get("elevation") if value is None and prop == "head" else value
            if value is None and prop not in _DEFAULTS:
                raise InputError(f"node '{row['id']}' has no {prop}, which model '{self.model}' needs")
            words.append(_write(float(_DEFAULTS[prop] if value is None else value) / measure_of(self.units, field)))
        if section == "JUNCTIONS":
            words.append(_write(float(row.get("base_demand") or 0.0) / self.units.flow))
        self.document.add(section, words)
        self._place(name, row["geometry"])

    def _add_pipe(self, name: str, row: Mapping[str, Any]) -> None:
        ends = [self.name_node(row[end], str(row["id"])) for end in ("from_node", "to_node")]
        length = row.get("length") or float(row["geometry"].length)
        if row.get("diameter") is None:
            raise InputError(f"pipe '{row['id']}' has no diameter, which model '{self.model}' needs")
        rough = _DEFAULTS["roughness"] if row.get("roughness") is None else float(row["roughness"])
        self.document.add(
            "PIPES",
            (
                name, *ends, _write(float(length) / self.units.length),
                _write(float(row["diameter"]) / self.units.diameter), _write(rough),
                _write(float(row.get("minor_loss") or 0.0)), _PIPE_WORDS.get(str(row.get("status")), "Open"),
            ),
        )  # fmt: skip
        for x, y in self._unplace(shapely.get_coordinates(row["geometry"])[1:-1]):
            self.document.add("VERTICES", (name, x, y))


def _write(value: float) -> str:
    """Return a number as a word: a value that was read and converted comes back as it was written."""
    return f"{round(value, 9):.15g}"

"""Changes of items written into a SWMM document: a value, a place, an object more or less, and no other line."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import shapely

from layers.errors import InputError
from layers.ingest.inp import Word, name_objects
from layers.ingest.swmm.anchor import Anchor
from layers.ingest.swmm.document import Inp, fold_name
from layers.ingest.swmm.fields import NODE_NAMES, SHAPES, Field, find_gate, list_fields, make_name
from layers.ingest.swmm.reading import find_capacity
from layers.ingest.swmm.sections import NODES
from layers.ingest.swmm.units import Units, read_units
from twin.swmm.running import write_clock
from twin.swmm.tables import BANK_SLOPE

_FORMS = {value: word for word, value in SHAPES.items()}
_ROWS_OF = {
    "drainage_nodes": ("COORDINATES", "INFLOWS", "DWF", "RDII", "TREATMENT"),
    "drainage_links": ("XSECTIONS", "LOSSES", "VERTICES", "INLET_USAGE"),
    "catchments": (
        "SUBAREAS", "INFILTRATION", "GROUNDWATER", "GWF", "LOADINGS", "COVERAGES", "LID_USAGE", "POLYGONS",
        "ADJUSTMENTS",
    ),
    "rain_gauges": ("SYMBOLS",),
}  # fmt: skip
_TAGS = {"drainage_nodes": "Node", "drainage_links": "Link", "catchments": "Subcatch", "rain_gauges": "Gage"}
_REPORTED = {"drainage_nodes": "NODES", "drainage_links": "LINKS", "catchments": "SUBCATCHMENTS"}


class Writer:
    """Writes into ``document``.

    inverts: the nodes' elevations [m] by folded name, as they will be. new_nodes: names by id of nodes it did not have.
    exact: words that are read as the layers' values to the last bit, as long as that may take.
    """

    def __init__(
        self, document: Inp, model: str, anchor: Anchor, inverts: Mapping[str, float], *, exact: bool = False
    ) -> None:
        self.document, self.model, self.anchor, self.inverts = document, model, anchor, inverts
        self.new_nodes: dict[str, str] = {}
        self._exact = exact
        self.units: Units = read_units(document)
        self.are_elevations = document.option("LINK_OFFSETS", "DEPTH").upper().startswith("ELEV")

    def name_node(self, identifier: object, of: str) -> str:
        """Return the name of a node by the layer's id; InputError where the model does not have it."""
        name = self.new_nodes.get(str(identifier)) or make_name(self.model, str(identifier))
        if not any(self.document.find(section, name) for section in NODES):
            raise InputError(
                f"'{of}' names the node '{identifier}', which model '{self.model}' does not have",
                hint=f"set its model_id to {self.model}, or choose a node of the model",
            )
        return name

    def find_invert(self, node: str) -> float:
        """Return the invert [m] of a node by its name."""
        return self.inverts[fold_name(node)]

    def write_length(self, metres: float) -> str:
        """Return a length as a word in the model's unit."""
        return write_value(metres / self.units.length)

    def write_offset(self, elevation: float, node: str) -> str:
        """Return the elevation [m] of a link's end at ``node`` as the document gives such: above it, or as it is."""
        base = 0.0 if self.are_elevations else self.find_invert(node)
        return self.write_length(elevation - base)

    def change_values(self, section: str, name: str, values: Mapping[str, Any]) -> None:
        """Write the values of properties of an object; None, and what the file has no word for, is passed over."""
        row = self.document.read(section, name)
        shape = next(iter(self.document.find("XSECTIONS", name)), None)
        if values.get("shape") is not None and shape is not None:
            self._change_shape(name, str(values["shape"]))
            shape = self.document.read("XSECTIONS", name)
        for prop, position in NODE_NAMES.get(section, {}).items():
            if values.get(prop) is not None:
                self.document.replace(section, name, {position: self.name_node(values[prop], name)})
        fields = list_fields(section, row, shape)
        for prop, value in values.items():
            if prop in fields and value is not None:
                self._change_field(fields[prop], section, name, float(value))
        if values.get("has_gate") is not None and section == "OUTFALLS":
            self._change_gate(name, bool(values["has_gate"]))
        if values.get("capacity") is not None and section == "PUMPS":
            self._change_capacity(name, float(values["capacity"]))
        if values.get("series") is not None and section == "RAINGAGES":
            self.document.replace(section, name, {5: str(values["series"])})

    def _change_field(self, field: Field, section: str, name: str, value: float) -> None:
        if field.offset is not None:
            position = NODE_NAMES[section][field.offset]
            word = self.write_offset(value, self.document.read(section, name).words[position])
        elif field.measure == "hours":
            word = write_clock(value)
        else:
            factor = self.units.factor(field.measure)
            word = write_value(value / factor)
            if self._exact and float(word) * factor != value:
                word = repr(value / factor)
        missing = field.position - len(self.document.read(field.section, name).words)
        fill: dict[int, Word] = {field.position - step: 0.0 for step in range(1, missing + 1)}
        self.document.replace(field.section, name, {**fill, field.position: word})

    def _change_shape(self, name: str, shape: str) -> None:
        words = self.document.read("XSECTIONS", name).words
        if SHAPES.get(words[1].upper()) == shape:
            return
        height = words[2] if len(words) > 2 and words[1].upper() in SHAPES else self.write_length(1.0)
        width = words[3] if len(words) > 3 and words[1].upper() in SHAPES and float(words[3]) > 0.0 else height
        slope = BANK_SLOPE if shape == "trapezoidal" else 0.0
        sides: tuple[Word, ...] = (0.0, 0.0, 0.0) if shape == "circular" else (width, slope, slope)
        self.document.remove("XSECTIONS", name)
        self.document.add("XSECTIONS", (name, _FORMS[shape], height, *sides))

    def _change_gate(self, name: str, gated: bool) -> None:
        row = self.document.read("OUTFALLS", name)
        position = find_gate(row)
        if position is None or position > len(row.words):
            raise InputError(f"{row.place}: outfall '{name}' cannot be given a flap gate, its kind is unknown")
        self.document.replace("OUTFALLS", name, {position: "YES" if gated else "NO"})

    def _change_capacity(self, name: str, capacity: float) -> None:
        """Give a pump a curve of its own, the old one in proportion, or one flow at any depth."""
        row = self.document.read("PUMPS", name)
        curve = row.words[3] if len(row.words) > 3 else "*"
        before = find_capacity(self.document, curve, self.units)
        points = [words for line in self.document.find("CURVES", curve) for words in [list(line.words[1:])]]
        own = self.name_curve(name)
        if not before or not points:
            self.document.add(
                "CURVES", (own, "PUMP2", self.write_length(100.0), write_value(capacity / self.units.flow))
            )
        else:
            for position, words in enumerate(points):
                kind = [words.pop(0)] if words[0].upper().startswith("PUMP") else []
                scaled = [
                    word if at % 2 == 0 else write_value(float(word) * capacity / before)
                    for at, word in enumerate(words)
                ]
                self.document.add("CURVES", (own, *(kind if position == 0 else []), *scaled))
        self.document.replace("PUMPS", name, {3: own})

    def name_curve(self, name: str) -> str:
        """Return a name that no curve has."""
        return name_objects([name], self.document.names("CURVES"))[name]

    def move_point(self, section: str, name: str, point: Any) -> None:
        """Write the place of a node ([COORDINATES]) or gauge ([SYMBOLS])."""
        x, y = self._unplace([(point.x, point.y)])[0]
        if self.document.find(section, name):
            self.document.replace(section, name, {1: x, 2: y})
        else:
            self.document.add(section, (name, x, y))

    def draw_path(self, section: str, name: str, points: Sequence[tuple[float, float]]) -> None:
        """Write the inner points of a link ([VERTICES]) or the corners of a catchment ([POLYGONS])."""
        self.document.remove(section, name)
        for x, y in self._unplace(points):
            self.document.add(section, (name, x, y))

    def draw_area(self, name: str, shape: Any) -> None:
        """Write the largest part of a catchment's area; SWMM draws one ring."""
        largest = max(shapely.get_parts(shape), key=lambda part: float(part.area))
        self.draw_path("POLYGONS", name, [tuple(at) for at in shapely.get_coordinates(largest.exterior)[:-1].tolist()])

    def _unplace(self, points: Sequence[tuple[float, float]]) -> list[tuple[str, str]]:
        moved = self.anchor.unplace(np.array(points, dtype=np.float64).reshape(-1, 2))
        # A millimetre in degrees; in other units what is behind is noise of the way there and back.
        return [(f"{round(x, 8) + 0.0:.12g}", f"{round(y, 8) + 0.0:.12g}") for x, y in moved.tolist()]

    def remove(self, layer: str, section: str, name: str) -> None:
        """Remove an object with the rows that are its own."""
        self.document.remove(section, name)
        for own in _ROWS_OF[layer]:
            self.document.remove(own, name)
        self.document.remove("TAGS", f"{_TAGS[layer]} {name}")
        self._forget_report(layer, name)

    def _forget_report(self, layer: str, name: str) -> None:
        wanted = _REPORTED.get(layer)
        rows = self.document.rows("REPORT")
        if wanted is None or not any(fold_name(name) in map(fold_name, row.words[1:]) for row in rows):
            return
        self.document.keep("REPORT", [])
        for row in rows:
            listed = [
                word
                for word in row.words[1:]
                if fold_name(row.words[0]) != wanted or fold_name(word) != fold_name(name)
            ]
            if listed:
                self.document.add("REPORT", (row.words[0], *listed))


def write_value(value: float) -> str:
    """Return a number as a word: a value that was read and converted comes back as it was written."""
    return f"{round(value, 9) + 0.0:.15g}"

"""Which word of which row of a SWMM file says which property of a layer.

EPA SWMM 5.2 User's Manual, appendix D.2: the positions of the words of each section, 0 the name.
"""

from typing import NamedTuple

from layers.ingest.swmm.document import Row
from layers.ingest.swmm.sections import LINKS, NODES
from layers.ingest.swmm.units import Measure

NODE_TYPES = {"JUNCTIONS": "junction", "OUTFALLS": "outfall", "DIVIDERS": "junction", "STORAGE": "storage"}
LINK_TYPES = {"CONDUITS": "conduit", "PUMPS": "pump", "ORIFICES": "gate", "WEIRS": "weir", "OUTLETS": "gate"}

SHAPES = {
    "CIRCULAR": "circular",
    "RECT_CLOSED": "rect_closed",
    "RECT_OPEN": "rect_open",
    "TRAPEZOIDAL": "trapezoidal",
}
OPEN_SHAPES = frozenset({"RECT_OPEN", "TRAPEZOIDAL", "TRIANGULAR", "PARABOLIC", "POWER", "IRREGULAR", "STREET"})
"""A conduit of such a shape is an open channel."""

NAMED_SHAPES = frozenset({"IRREGULAR", "STREET"})
"""Their second word is a name, not a height."""

WIDE_SHAPES = frozenset({
    "RECT_CLOSED", "RECT_OPEN", "TRAPEZOIDAL", "TRIANGULAR", "PARABOLIC", "POWER", "HORIZ_ELLIPSE", "VERT_ELLIPSE",
    "ARCH", "MODBASKETHANDLE", "RECT_TRIANGULAR", "RECT_ROUND",
})  # fmt: skip
"""Their third word is a width."""

OBJECTS = {
    "drainage_nodes": NODES,
    "drainage_links": LINKS,
    "catchments": ("SUBCATCHMENTS",),
    "rain_gauges": ("RAINGAGES",),
}
"""The sections whose objects are items of a layer."""


class Field(NamedTuple):
    """The word at ``position`` of an object's row in ``section``.

    ``offset``: the word is a height above the invert of the node that the property of this name tells, or an elevation,
    as the file's LINK_OFFSETS say.
    """

    section: str
    position: int
    measure: Measure = "none"
    offset: str | None = None


_ENDS = {"from_node": 1, "to_node": 2}

NODE_NAMES = {
    **dict.fromkeys(LINKS, _ENDS),
    "SUBCATCHMENTS": {"outlet_node": 2},
}
"""Properties that name a node, by section: the position of its name."""

FIELDS: dict[str, dict[str, Field]] = {
    "JUNCTIONS": {
        "invert_elevation": Field("JUNCTIONS", 1, "length"),
        "max_depth": Field("JUNCTIONS", 2, "length"),
    },
    "OUTFALLS": {"invert_elevation": Field("OUTFALLS", 1, "length")},
    "DIVIDERS": {"invert_elevation": Field("DIVIDERS", 1, "length")},
    "STORAGE": {
        "invert_elevation": Field("STORAGE", 1, "length"),
        "max_depth": Field("STORAGE", 2, "length"),
    },
    "CONDUITS": {
        "length": Field("CONDUITS", 3, "length"),
        "mannings_n": Field("CONDUITS", 4),
        "from_invert": Field("CONDUITS", 5, "length", "from_node"),
        "to_invert": Field("CONDUITS", 6, "length", "to_node"),
    },
    "PUMPS": {},
    "ORIFICES": {"crest_elevation": Field("ORIFICES", 4, "length", "from_node")},
    "WEIRS": {"crest_elevation": Field("WEIRS", 4, "length", "from_node")},
    "OUTLETS": {"crest_elevation": Field("OUTLETS", 3, "length", "from_node")},
    "SUBCATCHMENTS": {
        "area": Field("SUBCATCHMENTS", 3, "area"),
        "impervious": Field("SUBCATCHMENTS", 4, "percent"),
        "width": Field("SUBCATCHMENTS", 5, "length"),
        "slope": Field("SUBCATCHMENTS", 6, "percent"),
    },
    "RAINGAGES": {"interval": Field("RAINGAGES", 2, "hours")},
}
_GATES = {"FREE": 3, "NORMAL": 3, "FIXED": 4, "TIDAL": 4, "TIMESERIES": 4}
_DIVIDER_DEPTHS = {"OVERFLOW": 4, "CUTOFF": 5, "TABULAR": 5, "WEIR": 7}


def list_fields(section: str, row: Row, shape: Row | None = None) -> dict[str, Field]:
    """Return the fields of an object by property: those of its section and, of a link, of its cross-section."""
    fields = dict(FIELDS[section])
    kind = row.words[3].upper() if len(row.words) > 3 else ""
    if section == "DIVIDERS" and kind in _DIVIDER_DEPTHS:
        fields["max_depth"] = Field("DIVIDERS", _DIVIDER_DEPTHS[kind], "length")
    if shape is not None and len(shape.words) > 2:
        form = shape.words[1].upper()
        if form not in NAMED_SHAPES:
            fields["height"] = Field("XSECTIONS", 2, "length")
        if form in WIDE_SHAPES:
            fields["width"] = Field("XSECTIONS", 3, "length")
    return fields


def find_gate(row: Row) -> int | None:
    """Return the position of the word that says whether an outfall has a flap gate, None where its kind is unknown."""
    return _GATES.get(row.words[2].upper()) if len(row.words) > 2 else None


def make_id(model: str, name: str) -> str:
    """Return the layer's id of an object of a model."""
    return f"{model}.{name}"


def make_name(model: str, identifier: str) -> str:
    """Return the name in the model of an item, ``make_id`` undone where the id begins with the model's."""
    return identifier.removeprefix(f"{model}.")

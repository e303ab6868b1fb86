"""New items of a model as rows of its document, with what the layers do not tell taken from its own objects."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely

from layers.errors import InputError
from layers.ingest.inp import Word
from layers.ingest.swmm.fields import SHAPES
from twin.processes.sewer_network import CHANNEL_N, PIPE_N
from twin.swmm.building import STORAGE_AREA
from twin.swmm.catchments import DEPRESSIONS_MM, DRY_SHARE, IMPERVIOUS, LONGEST_PATH, ROUGHNESS, SLOPE
from twin.swmm.running import write_clock
from twin.swmm.tables import (
    BANK_SLOPE,
    GATE_COEFFICIENT,
    PUMP_START,
    PUMP_STOP,
    WEIR_COEFFICIENT,
)
from twin.swmm.writing import Writer, write_value

_FORMS = {value: word for word, value in SHAPES.items()}
_METRIC_WEIR = 0.3048**0.5
"""A weir's coefficient is in m^(1/2)/s or, in models in feet, ft^(1/2)/s."""


def add_node(writer: Writer, name: str, values: Mapping[str, Any], shape: Any) -> None:
    """Add a node; InputError where it has no invert elevation."""
    invert = writer.write_length(_need(values, "invert_elevation", name))
    depth = values.get("max_depth")
    if depth is None and values.get("ground_elevation") is not None:
        depth = float(values["ground_elevation"]) - float(values["invert_elevation"])
    tall: Word = 0.0 if depth is None else writer.write_length(float(depth))
    match values.get("node_type"):
        case "outfall":
            writer.document.add("OUTFALLS", (name, invert, "FREE", "YES" if values.get("has_gate") else "NO"))
        case "storage":
            area = write_value(STORAGE_AREA / writer.units.length**2)
            writer.document.add("STORAGE", (name, invert, tall, 0.0, "FUNCTIONAL", 0.0, 0.0, area, 0.0, 0.0))
        case _:
            writer.document.add("JUNCTIONS", (name, invert, tall, 0.0, 0.0, 0.0))
    writer.move_point("COORDINATES", name, shape)


def add_link(writer: Writer, name: str, values: Mapping[str, Any], shape: Any) -> None:
    """Add a link; InputError where it ends in no node of the model, or a size it needs is not told."""
    start, end = (writer.name_node(_need_text(values, prop, name), name) for prop in ("from_node", "to_node"))
    kind = values.get("link_type")
    crest = values.get("crest_elevation")
    above = writer.write_offset(float(crest), start) if crest is not None else _rest(writer, start)
    if kind == "pump":
        flow = write_value(_need(values, "capacity", name) / writer.units.flow)
        curve = writer.name_curve(name)
        levels = (writer.write_length(PUMP_START), writer.write_length(PUMP_STOP))
        writer.document.add("PUMPS", (name, start, end, curve, "ON", *levels))
        writer.document.add("CURVES", (curve, "PUMP2", writer.write_length(100.0), flow))
    elif kind == "gate":
        writer.document.add("ORIFICES", (name, start, end, "SIDE", above, GATE_COEFFICIENT, "NO", 0.0))
    elif kind == "weir":
        factor = 1.0 if writer.units.length == 1.0 else 1.0 / _METRIC_WEIR
        writer.document.add(
            "WEIRS", (name, start, end, "TRANSVERSE", above, round(WEIR_COEFFICIENT * factor, 3), "NO", 0.0, 0.0, "YES")
        )
    else:
        length = writer.write_length(float(values.get("length") or max(float(shape.length), 1.0)))
        roughness = float(values.get("mannings_n") or (CHANNEL_N if kind == "open_channel" else PIPE_N))
        inverts = [values.get("from_invert"), values.get("to_invert")]
        offsets = [
            _rest(writer, node) if invert is None else writer.write_offset(float(invert), node)
            for invert, node in zip(inverts, (start, end), strict=True)
        ]
        writer.document.add("CONDUITS", (name, start, end, length, roughness, *offsets, 0.0, 0.0))
    if kind != "pump":
        writer.document.add("XSECTIONS", (name, *_describe_section(writer, name, str(kind), values)))
    inner = shapely.get_coordinates(shape)[1:-1]
    if len(inner):
        writer.draw_path("VERTICES", name, [tuple(at) for at in inner.tolist()])


def add_catchment(writer: Writer, name: str, values: Mapping[str, Any], shape: Any) -> None:
    """Add a catchment: its rain, soil and roughness those of the model's first; InputError without an outlet."""
    document = writer.document
    outlet = writer.name_node(_need_text(values, "outlet_node", name), name)
    area = float(values.get("area") or shape.area)
    width = float(values.get("width") or area / min(np.sqrt(area), LONGEST_PATH))
    sealed, slope = values.get("impervious"), values.get("slope")
    first = next(iter(document.rows("SUBCATCHMENTS")), None)
    gauge = first.words[1] if first is not None else next(iter(document.names("RAINGAGES")), "*")
    numbers = (
        write_value(area / writer.units.area),
        write_value(100.0 * float(IMPERVIOUS if sealed is None else sealed)),
        writer.write_length(width),
        write_value(100.0 * float(SLOPE if slope is None else slope)),
    )
    document.add("SUBCATCHMENTS", (name, gauge, outlet, *numbers, 0.0))
    inch = 1.0 if writer.units.length == 1.0 else 25.4
    depths = [write_value(depth / inch) for depth in DEPRESSIONS_MM]
    usual: dict[str, tuple[Word, ...]] = {"SUBAREAS": (*ROUGHNESS, *depths, DRY_SHARE, "OUTLET"), "INFILTRATION": ()}
    for section, words in usual.items():
        found = document.find(section, first.words[0]) if first is not None else []
        copied: tuple[Word, ...] = found[0].words[1:] if found else words
        if copied:
            document.add(section, (name, *copied))
    writer.draw_area(name, shape)


def add_gauge(writer: Writer, name: str, values: Mapping[str, Any], shape: Any) -> None:
    """Add a rain gauge of a time series that the model has; InputError where it names none."""
    series = _need_text(values, "series", name)
    if not writer.document.find("TIMESERIES", series):
        known = ", ".join(writer.document.names("TIMESERIES")[:10]) or "none"
        raise InputError(f"rain gauge '{name}' names the series '{series}', which the model does not have", hint=known)
    interval = write_clock(_need(values, "interval", name))
    writer.document.add("RAINGAGES", (name, "INTENSITY", interval, 1.0, "TIMESERIES", series))
    writer.move_point("SYMBOLS", name, shape)


def _rest(writer: Writer, node: str) -> str:
    """Return the word of a link's end that lies at its node's invert."""
    return "*" if writer.are_elevations else writer.write_offset(writer.find_invert(node), node)


def _describe_section(writer: Writer, name: str, kind: str, values: Mapping[str, Any]) -> tuple[Word, ...]:
    """Return the words of a cross-section as SWMM takes it for a kind of link."""
    form = values.get("shape") or ("rect_open" if kind in ("open_channel", "weir") else "circular")
    height = _need(values, "height", name)
    width = float(values.get("width") or height)
    if kind == "weir":
        form = "rect_open"
    elif kind == "gate" and form != "circular":
        form = "rect_closed"
    slope = BANK_SLOPE if form == "trapezoidal" else 0.0
    across: Word = 0.0 if form == "circular" else writer.write_length(width)
    return (_FORMS[str(form)], writer.write_length(height), across, slope, slope)


def _need(values: Mapping[str, Any], prop: str, name: str) -> float:
    value = values.get(prop)
    if value is None:
        raise InputError(f"'{name}' has no {prop}, which a new object of the model needs", hint=f"give it a {prop}")
    return float(value)


def _need_text(values: Mapping[str, Any], prop: str, name: str) -> str:
    value = values.get(prop)
    if not value:
        raise InputError(f"'{name}' has no {prop}, which a new object of the model needs", hint=f"give it a {prop}")
    return str(value)

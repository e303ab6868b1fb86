"""A model of the city as a SWMM document: the file it was read from with what the layers say now written over it.

What the layers say is compared with what the file says; only where they differ is a word, a line, an object changed.
A file whose items nobody edited comes back as it was read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from layers.errors import InputError, SourceError
from layers.ingest.inp import name_objects
from layers.ingest.model_items import Item, Items
from layers.ingest.swmm.anchor import open_anchor
from layers.ingest.swmm.check import check_document
from layers.ingest.swmm.document import Inp, fold_name, read_inp
from layers.ingest.swmm.fields import OBJECTS, make_name
from layers.ingest.swmm.items import describe_items
from layers.registry import read_vector_layer
from layers.store.models import Model
from twin.process import CityView
from twin.swmm.adding import add_catchment, add_gauge, add_link, add_node
from twin.swmm.writing import Writer

PLACE_TOLERANCE = 1.0e-6
"""A place that differs by less is the same [m]."""

_JUNCTIONS = frozenset({"manhole", "inlet", "junction"})
_NOT_WRITTEN = frozenset({"node_type", "link_type", "is_active", "ground_elevation"})
_ADD = {"drainage_nodes": add_node, "drainage_links": add_link, "catchments": add_catchment, "rain_gauges": add_gauge}


@dataclass(frozen=True, slots=True)
class Changes:
    """How many objects of a model were changed, added and removed since it was read, by layer."""

    changed: Mapping[str, int]
    added: Mapping[str, int]
    removed: Mapping[str, int]


def compose_model(view: CityView, model: Model, *, rewrite: bool = False) -> tuple[Inp, Changes]:
    """Return the document of a model as the city is now, and what was changed of the one it was read from.

    The items of a model are those whose ``model_id`` names it. rewrite: write every value of the layers, those that
    nobody changed too, in full precision.

    Raises InputError where an edit leaves something that SWMM would not open: a link without its node, a rule for what
    is gone, a new object without a size.
    """
    document = read_inp(model.document)
    anchor = open_anchor(model.anchor, view.crs)
    before = describe_items(document, model.id, anchor)
    now = {layer: _read_rows(view, layer, model.id) for layer in OBJECTS}
    inverts = _list_inverts(before, now, model.id)
    writer = Writer(document, model.id, anchor, inverts, exact=rewrite)
    removed = {layer: _remove_gone(writer, layer, before, now) for layer in reversed(OBJECTS)}
    changed, added = dict.fromkeys(OBJECTS, 0), dict.fromkeys(OBJECTS, 0)
    for layer in OBJECTS:
        names = _name_new(document, layer, before, now, model.id)
        if layer == "drainage_nodes":
            writer.new_nodes = names
            inverts |= {fold_name(name): inverts[fold_name(make_name(model.id, new))] for new, name in names.items()}
        for identifier, row in now[layer].items():
            if identifier in before[layer]:
                changed[layer] += _change(writer, layer, before[layer][identifier], row, rewrite=rewrite)
            else:
                _ADD[layer](writer, names[identifier], row, row["geometry"])
                added[layer] += 1
    try:
        check_document(document)
    except SourceError as error:
        raise InputError(
            f"model '{model.id}' would not open after the edits: {error.message}",
            hint="the line is that of the file it was read from; mend the items, or the file and import it again",
        ) from error
    return document, Changes(changed, added, removed)


def _read_rows(view: CityView, layer_id: str, model: str) -> dict[str, dict[str, Any]]:
    """Return the rows of a model's items by id, missing values None; links out of operation are not there."""
    names = [prop.name for prop in read_vector_layer(layer_id).properties]
    frame: gpd.GeoDataFrame = view.layer(layer_id, columns=names)
    frame = frame[frame["model_id"] == model]
    if "is_active" in frame.columns:
        frame = frame[frame["is_active"].ne(False)]
    columns = {name: frame[name].tolist() for name in ["id", *names]}
    shapes = frame.geometry.tolist()
    rows = {}
    for position, identifier in enumerate(columns["id"]):
        values = {name: _none(columns[name][position]) for name in names}
        rows[str(identifier)] = {**values, "geometry": shapes[position]}
    return rows


def _none(value: Any) -> Any:
    return None if value is None or pd.isna(value) else value


def _list_inverts(before: Items, now: Mapping[str, Mapping[str, Any]], model: str) -> dict[str, float]:
    """Return the nodes' inverts [m] by folded name: the layer's where it tells one, else the file's."""
    inverts = {}
    for identifier in {**before["drainage_nodes"], **now["drainage_nodes"]}:
        item = before["drainage_nodes"].get(identifier)
        told = now["drainage_nodes"].get(identifier, {}).get("invert_elevation")
        said = None if item is None else item.values.get("invert_elevation")
        inverts[fold_name(make_name(model, identifier))] = float(said or 0.0) if told is None else float(told)
    return inverts


def _name_new(
    document: Inp, layer: str, before: Items, now: Mapping[str, Mapping[str, Any]], model: str
) -> dict[str, str]:
    """Return a name for each item that the file does not have, none of them taken in it."""
    new = [identifier for identifier in now[layer] if identifier not in before[layer]]
    # A catchment drains to what its outlet names, be it a node or a catchment: those share their names.
    drained = ("drainage_nodes", "catchments")
    sections = [name for one in (drained if layer in drained else (layer,)) for name in OBJECTS[one]]
    taken = [name for section in sections for name in document.names(section)]
    names: dict[str, str] = {}
    for identifier in new:
        wanted = make_name(model, identifier)
        names[identifier] = name_objects([wanted], [*taken, *names.values()])[wanted]
    return names


def _remove_gone(writer: Writer, layer: str, before: Items, now: Mapping[str, Mapping[str, Any]]) -> int:
    gone = [item for identifier, item in before[layer].items() if identifier not in now[layer]]
    for item in gone:
        writer.remove(layer, item.section, item.name)
    return len(gone)


def _change(writer: Writer, layer: str, item: Item, row: Mapping[str, Any], *, rewrite: bool) -> int:
    """Write what differs between a file's object and its row, and return 1 where something does."""
    if layer == "drainage_nodes" and _is_retyped_node(item, row["node_type"]):
        return _retype(writer, layer, item, row)
    if layer == "drainage_links" and _is_retyped_link(item, row["link_type"]):
        return _retype(writer, layer, item, row)
    told = {name: value for name, value in row.items() if name in item.values and name not in _NOT_WRITTEN}
    # A pump's capacity is the greatest flow of its curve, which has more than that to say.
    values = {
        name: value for name, value in told.items() if value != item.values[name] or (rewrite and name != "capacity")
    }
    ground, depth = row.get("ground_elevation"), "max_depth"
    if layer == "drainage_nodes" and ground != item.values.get("ground_elevation") and depth not in values:
        invert = row.get("invert_elevation")
        if ground is not None and invert is not None:
            values[depth] = float(ground) - float(invert)
    moved = _move(writer, layer, item, row["geometry"])
    writer.change_values(item.section, item.name, values)
    return int(moved or any(value is not None for value in values.values()))


def _is_retyped_node(item: Item, kind: object) -> bool:
    if item.section in ("JUNCTIONS", "DIVIDERS"):
        return kind not in _JUNCTIONS
    return bool(kind != item.values["node_type"])


def _is_retyped_link(item: Item, kind: object) -> bool:
    conduits = ("conduit", "open_channel")
    return kind not in conduits if item.section == "CONDUITS" else bool(kind != item.values["link_type"])


def _retype(writer: Writer, layer: str, item: Item, row: Mapping[str, Any]) -> int:
    """Make an object one of another kind: its main row and cross-section new, all else of it kept."""
    writer.document.remove(item.section, item.name)
    if layer == "drainage_links":
        writer.document.remove("XSECTIONS", item.name)
        writer.document.remove("VERTICES", item.name)
    _ADD[layer](writer, item.name, row, row["geometry"])
    return 1


def _move(writer: Writer, layer: str, item: Item, shape: Any) -> bool:
    """Write the place of an object where it was moved; of links the points between their nodes."""
    if layer == "drainage_links":
        old, new = (shapely.get_coordinates(line)[1:-1] for line in (item.geometry, shape))
        if old.shape == new.shape and np.allclose(old, new, rtol=0.0, atol=PLACE_TOLERANCE):
            return False
        writer.draw_path("VERTICES", item.name, [tuple(at) for at in new.tolist()])
        return True
    if shapely.equals_exact(item.geometry, shape, PLACE_TOLERANCE):
        return False
    if layer == "catchments":
        writer.draw_area(item.name, shape)
    else:
        writer.move_point("COORDINATES" if layer == "drainage_nodes" else "SYMBOLS", item.name, shape)
    return True

"""The objects of a SWMM file as items of layers: what the layers have columns for, in SI, placed in the city."""

from collections import Counter

from layers.errors import InputError
from layers.ingest.clean import LONGEST_ID
from layers.ingest.model_items import Item, Items
from layers.ingest.swmm.anchor import Anchor
from layers.ingest.swmm.document import Inp, fold_name
from layers.ingest.swmm.drawing import draw_catchment, draw_gauge, draw_links, draw_nodes, place_nodes
from layers.ingest.swmm.fields import OBJECTS, make_id
from layers.ingest.swmm.reading import Reader
from layers.ingest.swmm.sections import LINKS, NODES
from layers.ingest.swmm.units import read_units


def describe_items(document: Inp, model: str, anchor: Anchor, counts: Counter[str] | None = None) -> Items:
    """Return the items of a document by layer and id.

    ``counts`` gets how often a place was assumed or a value is beyond what a layer can hold, which then has none.
    Raise InputError naming line and word where a number is none, a link has no node, or two objects share a name.
    """
    counted: Counter[str] = Counter() if counts is None else counts
    reader = Reader(document, model, read_units(document), counted)
    places = place_nodes(document, reader, counted)
    items: Items = {layer: {} for layer in OBJECTS}
    shapes = draw_nodes(places, anchor)
    for section in NODES:
        for name in document.names(section):
            values = reader.read_node(section, name)
            _put(items, "drainage_nodes", make_id(model, name), Item(section, name, values, shapes[fold_name(name)]))
    lines = draw_links(document, reader, places, anchor)
    for section in LINKS:
        for name in document.names(section):
            values = reader.read_link(section, name)
            _put(items, "drainage_links", make_id(model, name), Item(section, name, values, lines[fold_name(name)]))
    for name in document.names("SUBCATCHMENTS"):
        values = reader.read_catchment(name)
        shape = draw_catchment(document, name, values, reader, places, anchor, counted)
        _put(items, "catchments", make_id(model, name), Item("SUBCATCHMENTS", name, values, shape))
    for name in document.names("RAINGAGES"):
        shape = draw_gauge(document, name, places, anchor, counted)
        _put(items, "rain_gauges", make_id(model, name), Item("RAINGAGES", name, reader.read_gauge(name), shape))
    return items


def _put(items: Items, layer: str, identifier: str, item: Item) -> None:
    if len(identifier) > LONGEST_ID:
        raise InputError(
            f"[{item.section}] '{item.name[:40]}…' has a name of {len(item.name)} signs",
            hint=f"with the model's id before it, {LONGEST_ID} are the most",
        )
    if identifier in items[layer]:
        raise InputError(f"[{item.section}] '{item.name}' is also in [{items[layer][identifier].section}]")
    items[layer][identifier] = item

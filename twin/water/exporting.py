"""A model of the city as an EPANET document: the file it was read from with what the layers say now written over it.

What the layers say is compared with what the file says; only where they differ is a word, a line, an object changed.
A file whose items nobody edited comes back as it was read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import shapely

from layers.errors import InputError, SourceError
from layers.ingest.epanet.items import OBJECTS, describe_items
from layers.ingest.epanet.sections import read_epanet
from layers.ingest.swmm.anchor import open_anchor
from layers.ingest.swmm.document import Inp
from layers.registry import read_vector_layer
from layers.store.models import Model
from twin.process import CityView
from twin.water.importing import verify_model
from twin.water.writing import Writer


@dataclass(frozen=True, slots=True)
class Changes:
    """How many objects of a model were changed, added and removed since it was read, by layer."""

    changed: Mapping[str, int]
    added: Mapping[str, int]
    removed: Mapping[str, int]


def compose_model(view: CityView, model: Model) -> tuple[Inp, Changes]:
    """Return the document of a model as the city is now, and what was changed of the one it was read from.

    The items of a model are those whose ``model_id`` names it. Raises InputError where an edit leaves something that
    EPANET would not open: a link without its node, a rule for what is gone, a new object without a size.
    """
    document = read_epanet(model.document)
    anchor = open_anchor(model.anchor, view.crs)
    before = describe_items(document, model.id, anchor)
    now = {layer: _read_rows(view, layer, model.id) for layer in OBJECTS}
    writer = Writer(document, model.id, anchor)
    changed, added, removed = (dict.fromkeys(OBJECTS, 0) for _ in range(3))
    for layer in reversed(OBJECTS):
        for identifier, item in before[layer].items():
            if identifier not in now[layer]:
                writer.remove(layer, item)
                removed[layer] += 1
    for layer in OBJECTS:
        for identifier, row in now[layer].items():
            if identifier in before[layer]:
                changed[layer] += writer.change(layer, before[layer][identifier], row)
            else:
                writer.add(layer, identifier, row)
                added[layer] += 1
    if any((*changed.values(), *added.values(), *removed.values())):
        _put_end_last(document)
        try:
            verify_model(document)
        except SourceError as error:
            raise InputError(
                f"model '{model.id}' would not open after the edits: {error.message}",
                hint="mend the items, or the file and import it again",
            ) from error
    return document, Changes(changed, added, removed)


def _put_end_last(document: Inp) -> None:
    """Move [END] behind what was added: EPANET reads no further."""
    ends = [block for block in document.blocks if block.name == "END"]
    document.blocks[:] = [block for block in document.blocks if block.name != "END"] + ends


def _read_rows(view: CityView, layer_id: str, model: str) -> dict[str, dict[str, Any]]:
    names = [prop.name for prop in read_vector_layer(layer_id).properties]
    frame = view.layer(layer_id, columns=names)
    frame = frame[frame["model_id"] == model]
    rows: list[dict[str, Any]] = [
        {str(name): _plain(value) for name, value in row.items()} for row in frame.to_dict("records")
    ]
    return {row["id"]: row for row in rows}


def _plain(value: Any) -> Any:
    return None if not isinstance(value, shapely.Geometry) and pd.isna(value) else value

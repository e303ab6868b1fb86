"""What a trace adds up to: counts by layer, length, volume, area drained, people, and what a user asks for."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import shapely

from layers.datum import CRS84, make_transformer
from layers.errors import InputError
from layers.quantities import QUANTITIES
from layers.registry import read_vector_layer
from network.graph import Mask, Values
from network.measures import Measure, Operation, measure_trace, sum_volume
from twin.networks.attaching import Attached
from twin.networks.city_graph import CityGraph
from twin.networks.results_items import mark_equipment
from twin.networks.traces import Found
from twin.process import CityView

HOUSEHOLD = 3.6
"""People of a connection whose building says nothing: the mean household (Census of Viet Nam 2019: 3.6)."""
OPERATIONS: Mapping[str, str] = {
    "sum": "sum",
    "min": "minimum",
    "max": "maximum",
    "mean": "mean",
    "worst": "worst",
}
WHOLE = ("count", "length", "volume", "area", "population", "customers")
_FEW = 20_000
_WORDS = re.compile(r"^\s*(\w+)\s*(?:\(\s*(?:(\w+)\.)?(\w+)\s*\))?\s*$")


@dataclass(frozen=True, slots=True)
class Result:
    """One result function: its name, and the layer and property it looks at."""

    words: str
    name: str
    layer: str | None = None
    prop: str | None = None


def parse_results(words: Sequence[str]) -> tuple[Result, ...]:
    """Return result functions; InputError says how one is written.

    ``count``, ``length``, ``volume``, ``area``, ``population``, ``customers``; ``sum``, ``min``, ``max``, ``mean``,
    ``worst`` of a property, of one layer where it is named: ``mean(diameter)``, ``worst(water_pipes.condition)``.
    """
    return tuple(_parse(word) for word in words)


def _parse(word: str) -> Result:
    found = _WORDS.match(word)
    hint = f"one of {', '.join(WHOLE)}, or {', '.join(OPERATIONS)} of a property: mean(diameter)"
    if found is None:
        raise InputError(f"result '{word[:80]}' cannot be read", hint=hint)
    name, layer, prop = found.groups()
    if name in WHOLE and prop is None:
        return Result(word, name)
    if name not in OPERATIONS or prop is None:
        raise InputError(f"result '{word[:80]}' is not offered", hint=hint)
    return Result(word, name, layer, prop)


def count_layers(marked: Mapping[str, Mask]) -> list[dict[str, Any]]:
    """Return by layer how many items were found, each once, whatever its parts; marked as ``mark_items`` returns it."""
    counts = [(layer_id, int(np.count_nonzero(here))) for layer_id, here in marked.items()]
    return [{"layer": layer_id, "title": _title(layer_id), "count": count} for layer_id, count in counts if count]


def measure_length(city: CityGraph, found: Found) -> float:
    """Return the length of the links found [m]."""
    return round(float(city.graph.weights[found.links].sum()), 3)


def count_equipment(city: CityGraph, found: Found) -> dict[str, dict[str, Any]]:
    """Return of each kind of equipment how much hangs on what was found: how many, and what they count for."""
    told: dict[str, dict[str, Any]] = {}
    for kind in city.equipment_kinds:
        attached = city.find_equipment(kind)
        here = mark_equipment(city, attached, found)
        told[kind] = {"count": int(here.sum()), "sum": round(float(attached.weights[here].sum()), 3)}
    return told


def compute_results(view: CityView, city: CityGraph, found: Found, results: Sequence[Result]) -> list[dict[str, Any]]:
    """Return each result with its value, unit [UCUM] and on how many it stands; of the worst, the item."""
    return [{"function": each.words, **_compute(view, city, found, each)} for each in results]


def _compute(view: CityView, city: CityGraph, found: Found, result: Result) -> dict[str, Any]:
    if result.prop is not None:
        return _measure_property(city, found, result)
    if result.name == "count":
        return {"value": int(found.links.size + found.nodes.size), "unit": "1", "counted": int(found.links.size)}
    if result.name == "length":
        return {"value": measure_length(city, found), "unit": "m", "counted": int(found.links.size)}
    if result.name == "volume":
        figure = measure_trace(city.graph, found.to_trace(city.stamp), read_volume(city))
        return {"value": figure.value, "unit": "m3", "counted": figure.counted}
    if result.name == "population":
        served = count_people(view, city)
        attached, weights, unit = served.attached, served.people, "1"
    else:
        kind, unit = ("catchments", "m2") if result.name == "area" else ("customers", "1")
        _need(city, kind, result)
        attached = city.find_equipment(kind)
        weights = attached.weights
    here = mark_equipment(city, attached, found)
    return {"value": round(float(weights[here].sum()), 1), "unit": unit, "counted": int(np.count_nonzero(here))}


def _need(city: CityGraph, kind: str, result: Result) -> None:
    if kind not in city.equipment_kinds:
        raise InputError(
            f"result '{result.words}' does not exist for '{city.commodity.id}', on which no {kind} hang",
            hint=f"there hang {', '.join(city.equipment_kinds) or 'none'}",
        )


def read_volume(city: CityGraph) -> Measure:
    """Return the measure of what the links hold [m3]: round where they have a diameter or no width, else a box."""
    return city.kept.get("volume", lambda: _read_volume(city))


def _read_volume(city: CityGraph) -> Measure:
    layers = [read_vector_layer(part.layer) for part in city.commodity.lines]
    if any(layer.find("diameter") is not None for layer in layers):
        return sum_volume(city.graph.weights, city.values("diameter"))
    if any(layer.find("height") is not None for layer in layers):
        height, width = city.values("height"), city.values("width")
        section = np.where(np.nan_to_num(width) > 0.0, height * width, np.pi / 4.0 * height**2)
        return Measure("sum", "links", city.graph.weights * section)
    raise InputError(f"the links of '{city.commodity.id}' hold no volume", hint="ask for length")


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """The people behind each piece of equipment (n,)."""

    attached: Attached
    people: Values


def count_people(view: CityView, city: CityGraph) -> People:
    """Return the people that a network serves, by what hangs on it; InputError where nobody is known.

    Of water: the residents of the building of each meter, shared among its meters, else ``HOUSEHOLD`` a connection. Of
    drains: the residents of the buildings in the catchments that drain there. Of power: ``HOUSEHOLD`` a customer.
    """
    return city.kept.get("people", lambda: _count_people(view, city))


def _count_people(view: CityView, city: CityGraph) -> People:
    if "catchments" in city.equipment_kinds:
        return _count_drained(view, city)
    if "customers" not in city.equipment_kinds:
        raise InputError(f"nobody is known to be served by '{city.commodity.id}'", hint="ask for count or length")
    served = city.find_equipment("customers")
    people = served.weights * HOUSEHOLD
    if read_vector_layer(served.layer).find("building_id") is not None:
        meters = view.layer(served.layer, columns=["building_id"]).set_index("id")["building_id"]
        homes = view.layer("buildings", columns=["residents"]).set_index("id")["residents"]
        residents = meters.map(homes).astype("float64") / meters.map(meters.value_counts()).astype("float64")
        own = residents.reindex(served.items).to_numpy(np.float64)
        people = np.where(np.isnan(own), people, own)
    return People(served, people)


def _count_drained(view: CityView, city: CityGraph) -> People:
    drained = city.find_equipment("catchments")
    areas = city.reader.pick(drained.layer, drained.items, (), shapes=True).shapes
    assert areas is not None
    homes = view.layer("buildings", columns=["residents"])
    homes = homes[homes["residents"].notna()]
    points = shapely.centroid(homes.geometry.to_numpy())
    place, area = shapely.STRtree(areas).query(points, predicate="within")
    residents = homes["residents"].to_numpy(np.float64)
    people = np.bincount(area, weights=residents[place], minlength=drained.items.size)
    return People(drained, people.astype(np.float64))


def _measure_property(city: CityGraph, found: Found, result: Result) -> dict[str, Any]:
    layers = city.layers if result.layer is None else (result.layer,)
    if result.layer is not None and result.layer not in city.layers:
        raise InputError(
            f"result '{result.words}': layer '{result.layer}' is not in the network '{city.commodity.id}'",
            hint=f"one of {', '.join(city.layers)}",
        )
    name = cast(str, result.prop)
    having = [layer_id for layer_id in layers if read_vector_layer(layer_id).find(name) is not None]
    if not having and name != "length":
        raise InputError(f"result '{result.words}': no layer of {', '.join(layers)} has '{name}'")
    of_lines = {part.layer for part in city.commodity.lines}
    on_links = not having or bool(of_lines & set(having))
    numbers = city.link_layers if on_links else city.node_layers
    where = np.isin(numbers, [city.layers.index(layer_id) for layer_id in having or layers])
    values = city.values(name, "links" if on_links else "nodes")
    operation = cast(Operation, OPERATIONS[result.name])
    figure = measure_trace(
        city.graph, found.to_trace(city.stamp), Measure(operation, "links" if on_links else "nodes", values, where)
    )
    told: dict[str, Any] = {"value": figure.value, "counted": figure.counted}
    prop = next((read_vector_layer(layer_id).find(name) for layer_id in having), None)
    if prop is not None and prop.quantity is not None:
        told["unit"] = QUANTITIES[prop.quantity].unit
    if figure.place is not None:
        items = city.link_items if on_links else city.node_items
        told["item"] = f"{city.layers[numbers[figure.place]]}/{items[figure.place]}"
        if prop is not None and prop.codes and figure.value is not None:
            code = prop.codes[int(figure.value)]
            told |= {"code": code.value, "code_title": code.title._asdict()}
    return told


def measure_extent(view: CityView, city: CityGraph, found: Found) -> list[float] | None:
    """Return west, south, east, north [degrees] of the nodes found and the ends of links; None of nothing.

    Of many links the ends are not looked at: all but those of a start are nodes found, or barriers.
    """
    graph = city.graph
    nodes = np.concatenate((found.nodes, found.barriers))
    if found.links.size <= _FEW:
        nodes = np.concatenate((nodes, graph.starts[found.links], graph.ends[found.links]))
    if not nodes.size:
        return None
    # Columns of their own: the least of each of two interleaved ones takes ten times as long.
    x, y = (column[nodes] for column in city.kept.get("columns", lambda: np.ascontiguousarray(city.node_xy.T)))
    x0, y0, x1, y1 = (float(side) for side in (x.min(), y.min(), x.max(), y.max()))
    bounds = make_transformer(view.crs, CRS84).transform_bounds(x0, y0, x1, y1)
    return [round(float(side), 7) for side in bounds]


def _title(layer_id: str) -> dict[str, str]:
    return read_vector_layer(layer_id).title._asdict()

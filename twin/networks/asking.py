"""From words to places and masks: where a trace starts, and what it may pass."""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from layers.datum import CRS84, make_transformer
from layers.errors import InputError, NotFoundError
from layers.registry import read_vector_layer
from layers.store.query.cql2 import parse_filter
from layers.store.query.filter_functions import JOINS
from layers.store.query.filters import reads_other_layers
from network.graph import Index, Mask, mark
from twin.networks.city_graph import CityGraph
from twin.process import CityView

MOST_FILTERS = 32
_PLACE = re.compile(r"^\s*(-?\d{1,3}(?:\.\d+)?)\s*,\s*(-?\d{1,2}(?:\.\d+)?)\s*$")
_NONE: Index = np.zeros(0, np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where somebody pointed: node and link indices, and for each word what it was taken for."""

    nodes: Index
    links: Index
    told: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Openness:
    """What a trace may pass: masks (nodes,) and (links,). as_is: just what is open in the network."""

    nodes: Mask
    links: Mask
    as_is: bool


def find_places(view: CityView, city: CityGraph, words: Sequence[str], *, tolerance: float, name: str) -> Places:
    """Return the nodes and links that ``layer/item`` and ``lon,lat`` mean; the same one is kept once.

    A place is snapped to the nearest link within ``tolerance`` [m]. Raises NotFoundError for an item that is not in
    the network or a place where none is near, InputError for words that are neither; both name the input ``name``.
    """
    nodes, links, told = [_NONE], [_NONE], list[Mapping[str, Any]]()
    for word in words:
        found = _snap(view, city, word, tolerance, name) if _PLACE.match(word) else _find_item(city, word, name)
        nodes.append(found.nodes)
        links.append(found.links)
        told += found.told
    return Places(_unite(nodes), _unite(links), tuple(told))


def find_node(city: CityGraph, places: Places, name: str) -> int:
    """Return the one node that ``places`` mean; of a link the start. InputError where there is none or several."""
    if len(places.told) != 1:
        raise InputError(f"'{name}' names {len(places.told)} places, expected one")
    return int(places.nodes[0]) if places.nodes.size else int(city.graph.starts[places.links[0]])


def _unite(parts: Iterable[Index]) -> Index:
    together = np.concatenate(list(parts))
    return together[np.sort(np.unique(together, return_index=True)[1])]


def _find_item(city: CityGraph, word: str, name: str) -> Places:
    layer_id, slash, item = word.partition("/")
    if not slash or not item:
        hint = "LAYER/ITEM as water_pipes/WP-00012, or LON,LAT as 105.78,10.03"
        raise InputError(f"'{name}': '{word[:80]}' is neither an item nor a place", hint=hint)
    if layer_id not in city.layers:
        what = f"layer '{layer_id[:80]}' is not in the network '{city.commodity.id}'"
        raise InputError(f"'{name}': {what}", hint=f"one of {', '.join(city.layers)}")
    try:
        nodes, links = city.find_items(layer_id, [item])
    except NotFoundError:
        nodes = links = _NONE
    if not nodes.size and not links.size:
        hint = f"it does not exist, or takes no part: see layer {layer_id}"
        raise NotFoundError(f"'{name}': the network '{city.commodity.id}' has no '{word[:80]}'", hint=hint)
    return Places(nodes, links, ({"asked": word, "item": f"{layer_id}/{item}"},))


def _snap(view: CityView, city: CityGraph, word: str, tolerance: float, name: str) -> Places:
    longitude, latitude = (float(part) for part in word.split(","))
    if not (-180.0 <= longitude <= 180.0 and -90.0 <= latitude <= 90.0):
        raise InputError(f"'{name}': '{word[:80]}' is not a longitude and latitude in degrees", hint="LON,LAT")
    x, y = make_transformer(CRS84, view.crs).transform(longitude, latitude)
    if not (np.isfinite(x) and np.isfinite(y)):
        raise InputError(f"'{name}': '{word[:80]}' lies outside of the city's CRS {view.crs}")
    point, best, found = shapely.Point(x, y), np.inf, None
    box = (x - tolerance, y - tolerance, x + tolerance, y + tolerance)
    for part in city.commodity.lines:
        near = view.layer(part.layer, bounds=box, columns=[])
        for item, away in zip(near["id"], shapely.distance(near.geometry.to_numpy(), point), strict=True):
            if away <= min(best, tolerance):
                _, links = city.find_items(part.layer, [item])
                if links.size:
                    best, found = float(away), (part.layer, str(item), links)
    if found is None:
        hint = "point closer to one, or allow a larger tolerance"
        raise NotFoundError(
            f"'{name}': no link of the network '{city.commodity.id}' within {tolerance:g} m of {word}", hint=hint
        )
    layer_id, item, links = found
    if links.size > 1:
        links = links[[int(np.argmin(shapely.distance(city.link_geometry(links), point)))]]
    return Places(_NONE, links, ({"asked": word, "item": f"{layer_id}/{item}", "distance": round(best, 2)},))


def read_openness(
    view: CityView,
    city: CityGraph,
    *,
    barriers: Sequence[str] = (),
    passing: Sequence[str] = (),
    through_closed: bool = False,
) -> Openness:
    """Return what a trace may pass: what is open now (all, where ``through_closed``), passes and is no barrier.

    barriers, passing: filters in CQL2, each ``LAYER: CQL2``, or of every layer of the network that has its properties.
    What any of the barriers names is not passed; what is passed must pass all filters about its layer. Raises
    InputError for layers or properties there are not.
    """
    nodes = np.ones(city.graph.node_count, np.bool_) if through_closed else city.open_nodes.copy()
    links = np.ones(city.graph.link_count, np.bool_) if through_closed else city.open_links.copy()
    for _, chosen in _select_all(view, city, barriers, "barriers"):
        nodes[chosen.nodes] = False
        links[chosen.links] = False
    for layer_id, chosen in _select_all(view, city, passing, "filter"):
        shut = mark(list(city.places.get(layer_id, {}).values()), nodes.size)
        shut[chosen.nodes] = False
        nodes &= ~shut
        links &= (city.link_layers != city.layers.index(layer_id)) | mark(chosen.links, links.size)
    return Openness(nodes, links, as_is=not (barriers or passing or through_closed))


@dataclass(frozen=True, slots=True, eq=False)
class _Chosen:
    nodes: Index
    links: Index


def _select_all(view: CityView, city: CityGraph, conditions: Sequence[str], name: str) -> list[tuple[str, _Chosen]]:
    """Return what passes of each layer that a condition is about; one that suits no layer is an InputError."""
    selected: list[tuple[str, _Chosen]] = []
    try:
        for words in conditions:
            layer_id, colon, condition = words.partition(":")
            if colon and layer_id.strip().isidentifier():
                selected.append((layer_id.strip(), _select(view, city, layer_id.strip(), condition)))
            else:
                selected += _select_fitting(view, city, words)
    except InputError as error:
        raise type(error)(f"'{name}': {error.message}", hint=error.hint) from None
    return selected


def _select_fitting(view: CityView, city: CityGraph, words: str) -> list[tuple[str, _Chosen]]:
    names = _list_properties(parse_filter(words)) - {"id", "fid", "geometry", "geom"}
    fitting = [key for key in city.layers if all(read_vector_layer(key).find(prop) is not None for prop in names)]
    selected: list[tuple[str, _Chosen]] = []
    refused: InputError | None = None
    for layer_id in fitting:
        try:
            selected.append((layer_id, _select(view, city, layer_id, words)))
        except InputError as error:
            # A code of one layer's list need not be in another's: the filter is not about that one.
            refused = error
    if not selected:
        raise refused or InputError(
            f"no layer of the network '{city.commodity.id}' has {', '.join(sorted(names))[:200]}",
            hint=f"its layers are {', '.join(city.layers)}",
        )
    return selected


def _list_properties(tree: Any) -> set[str]:
    """Return the properties of the layer itself that a filter reads; what joins read of other layers is left out."""
    if isinstance(tree, list):
        return set().union(*map(_list_properties, tree))
    if not isinstance(tree, dict):
        return set()
    if isinstance(tree.get("property"), str):
        return {tree["property"]}
    operator, arguments = tree.get("op"), tree.get("args")
    if isinstance(operator, str) and operator.lower() in JOINS and isinstance(arguments, list):
        return _list_properties(arguments[1:2]) if operator.lower() == "related" else set()
    return set().union(*map(_list_properties, tree.values()))


def _select(view: CityView, city: CityGraph, layer_id: str, words: str) -> _Chosen:
    """Return what of a layer passes; kept with the graph unless the filter looks at other layers too."""
    if layer_id not in city.layers:
        raise InputError(
            f"layer '{layer_id[:80]}' is not in the network '{city.commodity.id}'",
            hint=f"one of {', '.join(city.layers)}",
        )
    if reads_other_layers(parse_filter(words)):
        return _find_passing(view, city, layer_id, words)
    masks = city.kept.get("passing", _Few)
    return masks.get((layer_id, words), lambda: _find_passing(view, city, layer_id, words))


def _find_passing(view: CityView, city: CityGraph, layer_id: str, words: str) -> _Chosen:
    ids, _ = view.find_features(layer_id, passing=words)
    places, spans = city.places.get(layer_id, {}), city.find_spans(layer_id)
    nodes = [places[item] for item in ids.tolist() if item in places]
    links = [np.arange(*spans[item], dtype=np.int32) for item in ids.tolist() if item in spans]
    return _Chosen(np.array(nodes, np.int32), np.concatenate(links) if links else _NONE)


class _Few:
    """The last few filters that were asked of a graph."""

    def __init__(self) -> None:
        self._made: OrderedDict[tuple[str, str], _Chosen] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, str], make: Callable[[], _Chosen]) -> _Chosen:
        """Return what is kept under ``key``, made now if it is not there; the oldest goes when there are too many."""
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key]
        made = make()
        with self._lock:
            self._made[key] = made
            while len(self._made) > MOST_FILTERS:
                self._made.popitem(last=False)
        return made

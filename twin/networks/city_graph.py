"""The graph of one commodity of the city: what the numerics need, and the way back to layers and items."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import shapely
import shapely.ops
from numpy.typing import ArrayLike, NDArray

from layers.errors import InputError, NotFoundError
from layers.registry import read_vector_layer
from network.graph import Graph, Index, Mask, Values
from network.isolation import Segments, build_segments
from network.tracing import Passes, orient_from_sources
from twin.networks.attaching import Attached, attach
from twin.networks.commodities import Commodity
from twin.networks.reading import Fids, Objects, Reader

T = TypeVar("T")


class Kept:
    """What was computed once of a graph, by name; several threads may ask, each thing is made once."""

    def __init__(self) -> None:
        self._made: dict[Any, Any] = {}
        self._lock = threading.RLock()

    def get(self, name: Any, make: Callable[[], T]) -> T:
        """Return what is kept under ``name``, made now if it is not there."""
        found = self._made.get(name)
        if found is None:
            with self._lock:
                found = self._made.get(name)
                if found is None:
                    found = self._made[name] = make()
        made: T = found
        return made


@dataclass(frozen=True, eq=False)
class Standing:
    """Features of a layer that are nodes (n,): their ids and their nodes; several may share a node."""

    layer: str
    items: Objects
    nodes: Index


@dataclass(frozen=True, eq=False)
class CityGraph:
    """Nodes and links of a commodity, and where each came from.

    graph: weights are lengths [m]; ids are indices. stamp: the version. layers: what the numbers in ``link_layers``
    and ``node_layers`` stand for; -1 is a node that is only an end of lines. link_items, node_items: item ids, "" of a
    node without. link_fids, node_fids: the same as feature ids, -1 of none. link_parts: the part of a line that devices
    and joints split, from its start. from_measures, to_measures: where the part lies on its line [m], NaN for devices,
    which have no line. node_xy: places in the city's CRS. standing: the features that are nodes.

    sources, sinks: nodes. valves, closed, stuck: masks of nodes; closed are valves that let nothing through now, stuck
    those that cannot be moved. open_links: mask of links that let something through. unresolved: how many places are
    dirty: ends of lines on no node, and devices on no line.
    """

    commodity: Commodity
    graph: Graph
    stamp: str
    layers: tuple[str, ...]
    link_layers: Index
    link_items: Objects
    link_fids: Fids
    link_parts: Index
    from_measures: Values
    to_measures: Values
    node_layers: Index
    node_items: Objects
    node_fids: Fids
    node_xy: Values
    standing: tuple[Standing, ...]
    sources: Index
    sinks: Index
    valves: Mask
    closed: Mask
    stuck: Mask
    open_links: Mask
    unresolved: int
    reader: Reader
    kept: Kept = field(default_factory=Kept)

    @property
    def places(self) -> Mapping[str, Mapping[str, int]]:
        """The node of every feature that is one, by layer and item."""
        return self.kept.get("places", self._list_places)

    @property
    def open_nodes(self) -> Mask:
        """Nodes that let something through (nodes,)."""
        return ~self.closed

    @property
    def segments(self) -> Segments:
        """The valve segments of all links, closed or not; computed once."""
        return self.kept.get("segments", lambda: build_segments(self.graph, self.valves))

    @property
    def flow(self) -> Passes | None:
        """The direction of each link away from the sources, by length; None where it is as drawn. Computed once."""
        if self.commodity.basis == "sink":
            return None
        return self.kept.get(
            "flow",
            lambda: orient_from_sources(
                self.graph, self.sources, open_nodes=self.open_nodes, open_links=self.open_links
            ),
        )

    @property
    def equipment_kinds(self) -> tuple[str, ...]:
        """What may hang on the network: names for ``find_equipment``."""
        return tuple(one.kind for one in self.commodity.attachments)

    @property
    def customers(self) -> Values:
        """The customers at each node (nodes,); those on a line count at its nearer end."""
        return self.sum_equipment("customers")

    @property
    def hydrants(self) -> Attached:
        """The hydrants and where they hang."""
        return self.find_equipment("hydrants")

    def find_equipment(self, kind: str) -> Attached:
        """Return what hangs on the network of one kind and where; NotFoundError for a kind it does not have."""
        declared = next((one for one in self.commodity.attachments if one.kind == kind), None)
        if declared is None:
            raise NotFoundError(
                f"nothing called '{kind[:40]}' hangs on commodity '{self.commodity.id}'",
                hint=f"one of {', '.join(self.equipment_kinds) or 'none'}",
            )
        return self.kept.get(("equipment", kind), lambda: attach(self, declared))

    def sum_equipment(self, kind: str) -> Values:
        """Return the weights of one kind of equipment added up at each node (nodes,); zeros where there is none."""
        if kind not in self.equipment_kinds:
            return np.zeros(self.graph.node_count)
        found = self.find_equipment(kind)
        sums = np.bincount(found.nodes, weights=found.weights, minlength=self.graph.node_count)
        return sums.astype(np.float64)

    def find_items(self, layer: str, ids: Sequence[str]) -> tuple[Index, Index]:
        """Return the nodes and the links of items of a layer; NotFoundError for one that is not in the network."""
        if layer not in self.layers:
            raise NotFoundError(
                f"layer '{layer[:60]}' is not part of commodity '{self.commodity.id}'",
                hint=f"one of {', '.join(self.layers)}",
            )
        places, spans = self.places.get(layer, {}), self.find_spans(layer)
        nodes: list[int] = []
        links: list[Index] = []
        for item in ids:
            node, span = places.get(item), spans.get(item)
            if node is None and span is None:
                raise NotFoundError(
                    f"'{item[:80]}' of '{layer}' is not in the network '{self.commodity.id}'",
                    hint="name an item of the layer that takes part in it",
                )
            if node is not None:
                nodes.append(node)
            if span is not None:
                links.append(np.arange(*span, dtype=np.int32))
        return np.array(nodes, np.int32), np.concatenate(links) if links else np.zeros(0, np.int32)

    def words(self, name: str, on: str = "links") -> Objects:
        """Return a property of the layers of all ``links`` or ``nodes``, as it is stored; None where there is none."""
        return self.kept.get(("words", name, on), lambda: self._read_words(name, on))

    def values(self, name: str, on: str = "links") -> Values:
        """Return a property of all ``links`` or ``nodes`` as numbers; NaN where there is none.

        ``length`` of links is what the graph measured. A code is its place in the code list (a condition of 0 is good,
        3 failed), yes is 1. Read once a stamp.
        """
        if name == "length" and on == "links":
            return self.graph.weights
        return self.kept.get(("values", name, on), lambda: self._read_values(name, on))

    def link_geometry(self, links: ArrayLike) -> Objects:
        """Return the shapes of links [m, city CRS]: the part of its line, or the straight way through a device."""
        wanted = np.asarray(links, np.int64)
        shapes = np.empty(wanted.size, object)
        whole = np.isnan(self.from_measures[wanted])
        ends = np.stack((self.node_xy[self.graph.starts[wanted]], self.node_xy[self.graph.ends[wanted]]), axis=1)
        shapes[whole] = shapely.linestrings(ends[whole])
        for number, layer in enumerate(self.layers):
            own = np.flatnonzero(~whole & (self.link_layers[wanted] == number))
            if own.size:
                items, back = np.unique(self.link_items[wanted[own]].astype(str), return_inverse=True)
                lines = self.reader.pick(layer, items.astype(object), (), shapes=True).shapes
                assert lines is not None
                shapes[own] = self._cut(lines[back], wanted[own])
        return shapes

    def _cut(self, lines: Objects, links: NDArray[np.int64]) -> Objects:
        low, high = self.from_measures[links], self.to_measures[links]
        parts = lines.copy()
        lengths = shapely.length(lines)
        for k in np.flatnonzero((low > 0.0) | (high < lengths)).tolist():
            parts[k] = shapely.ops.substring(lines[k], low[k], high[k])
        return parts

    def find_spans(self, layer: str) -> dict[str, tuple[int, int]]:
        """Return the first link and the one after the last of each item of a layer."""
        return self.kept.get(("spans", layer), lambda: self._find_spans(layer))

    def _list_places(self) -> dict[str, dict[str, int]]:
        places: dict[str, dict[str, int]] = {}
        for one in self.standing:
            places.setdefault(one.layer, {}).update(zip(one.items.tolist(), one.nodes.tolist(), strict=True))
        return places

    def _find_spans(self, layer: str) -> dict[str, tuple[int, int]]:
        own = np.flatnonzero(self.link_layers == self.layers.index(layer))
        if not own.size:
            return {}
        fresh = np.flatnonzero(np.append(True, self.link_parts[own[1:]] == 0))
        last = np.append(own[fresh[1:] - 1], own[-1]) + 1
        return dict(
            zip(self.link_items[own[fresh]].tolist(), zip(own[fresh].tolist(), last.tolist(), strict=True), strict=True)
        )

    def _read_words(self, name: str, on: str) -> Objects:
        numbers, items = self._side(on)
        found = np.full(items.size, None, object)
        known = False
        for number, layer in enumerate(self.layers):
            if read_vector_layer(layer).find(name) is None:
                continue
            known = True
            own = np.flatnonzero(numbers == number)
            if own.size:
                found[own] = self.reader.pick(layer, items[own], (name,)).values[name]
        if not known:
            raise InputError(
                f"no layer of commodity '{self.commodity.id}' has the property '{name[:60]}'",
                hint=f"the layers are {', '.join(self.layers)}",
            )
        return found

    def _read_values(self, name: str, on: str) -> Values:
        numbers, _ = self._side(on)
        words = self.words(name, on)
        found = np.full(words.size, np.nan)
        for number, layer in enumerate(self.layers):
            prop = read_vector_layer(layer).find(name)
            own = np.flatnonzero(numbers == number)
            if prop is None or not own.size:
                continue
            if prop.codes:
                place: dict[Any, float] = {code.value: float(k) for k, code in enumerate(prop.codes)}
                found[own] = [place.get(word, np.nan) for word in words[own].tolist()]
            elif prop.type in ("integer", "number", "boolean"):
                found[own] = [np.nan if word is None else float(word) for word in words[own].tolist()]
            else:
                raise InputError(f"'{name}' of '{layer}' is a {prop.type}, not a number", hint="name a number")
        return found

    def _side(self, on: str) -> tuple[Index, Objects]:
        if on not in ("links", "nodes"):
            raise InputError(f"values are on '{on[:20]}'", hint="links or nodes")
        return (self.link_layers, self.link_items) if on == "links" else (self.node_layers, self.node_items)

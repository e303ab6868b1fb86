"""What is wrong with the network of a commodity: topology, names of nodes, levels, each fault with place and fix."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from network.findings import Finding
from network.graph import Index, Mask, Values, build_graph
from network.topology import AT_END, Topology, build_network, build_topology, list_links
from network.tracing import find_parts
from network.validation import validate_sewer, validate_topology
from twin.networks.assembling import Layout, assemble, read_parts
from twin.networks.city_graph import CityGraph
from twin.networks.commodities import Commodity, read_commodity
from twin.networks.laying import lay
from twin.networks.reading import Objects, Reader, Rows

WARNINGS = frozenset({
    "dangling_end", "crossing_without_node", "missing_invert", "big_into_small", "unconnected_point", "end_disagrees",
    "ends_swapped",
})  # fmt: skip
"""Kinds that may be as the city is; all others are errors."""

_PIPES = ("conduit", "open_channel")
_MOST_ITEMS = 20


@dataclass(frozen=True, slots=True)
class NetworkReport:
    """The faults of a network and what it is: lines, nodes, links, parts, and the share of its lines in the largest."""

    commodity: str | None
    findings: tuple[Finding, ...]
    lines: int
    nodes: int
    links: int
    parts: int
    largest_share: float

    @property
    def counts(self) -> Counter[str]:
        """How many faults there are of each kind."""
        return Counter(finding.kind for finding in self.findings)

    @property
    def errors(self) -> int:
        """How many faults are errors."""
        return sum(count for kind, count in self.counts.items() if kind not in WARNINGS)


def check_network(commodity: Commodity, reader: Reader) -> NetworkReport:
    """Return the faults of the network of a commodity, made of the features as ``reader`` gives them.

    Ids of findings are ``layer/item``. A part is a fault where it has no source, or no sink where the commodity has
    none; a commodity whose nodes are only ends of lines has no dangling ends.
    """
    lines, points = read_parts(commodity, reader, shapes=True)
    topology, _ = lay(commodity, lines, points, crossings=True)
    layout = Layout(lines, points, list_links(topology), topology.node_xy, topology.node_levels, topology.point_nodes)
    graph = assemble(commodity, layout, reader, "")
    names = np.array(
        [f"{one.layer}/{item}" for one, rows in zip(commodity.lines, lines, strict=True) for item in rows.ids.tolist()],
        object,
    )
    found = validate_topology(topology, names, tree=commodity.tree, parts=False)
    if not commodity.points:
        found = [finding for finding in found if finding.kind != "dangling_end"]
    found += _find_unfed(graph)
    found += _find_unconnected(graph)
    found += _compare_names(commodity, reader, graph, topology, lines)
    if commodity.basis == "sink":
        found += _check_levels(graph)
    label, parts = find_parts(graph.graph)
    return NetworkReport(
        commodity.id, tuple(found), names.size, graph.graph.node_count, graph.graph.link_count, parts,
        _measure_largest(label, graph.graph.starts[: layout.links.line.size], layout.links.line, names.size),
    )  # fmt: skip


def check_lines(shapes: Objects, names: Objects, *, tolerance: float) -> NetworkReport:
    """Return the faults of lines [m] that nothing else is known of."""
    topology = build_topology(shapes, tolerance=tolerance)
    graph, links = build_network(topology, names)
    label, parts = find_parts(graph)
    share = _measure_largest(label, links.starts, links.line, names.size)
    found = tuple(validate_topology(topology, names))
    return NetworkReport(None, found, names.size, graph.node_count, graph.link_count, parts, share)


def make_frame(report: NetworkReport, crs: Any) -> gpd.GeoDataFrame:
    """Return the findings as features of the layer ``network_findings``, the worst kinds first."""
    found = sorted(report.findings, key=lambda one: (one.kind in WARNINGS, one.kind, one.ids))
    layers = frozenset() if report.commodity is None else frozenset(read_commodity(report.commodity).layers)
    split = [[_split_name(name, layers) for name in one.ids] for one in found]
    columns = {
        "id": [f"F{number + 1:06d}" for number in range(len(found))],
        "commodity": [report.commodity] * len(found),
        "kind": [one.kind for one in found],
        "severity": ["warning" if one.kind in WARNINGS else "error" for one in found],
        "layer_id": [parts[0][0] for parts in split],
        "item_id": [parts[0][1] for parts in split],
        "other_items": [", ".join(part[1] for part in parts[1:_MOST_ITEMS]) or None for parts in split],
        "items": [len(parts) for parts in split],
        "measure": [one.measure for one in found],
        "fix_vi": [one.fix["vi"] for one in found],
        "fix_en": [one.fix["en"] for one in found],
    }
    places = shapely.points(np.array([(one.x, one.y) for one in found], np.float64).reshape(-1, 2))
    return gpd.GeoDataFrame(columns, geometry=places, crs=crs)


def _split_name(name: str, layers: frozenset[str]) -> tuple[str | None, str]:
    """Return layer and item of a name; ids of items may hold strokes, too."""
    layer, _, item = name.partition("/")
    return (layer, item) if layer in layers else (None, name)


def _measure_largest(label: Index, starts: Index, line: Index, lines: int) -> float:
    """Return the share of lines that lie in the part which holds most of them, 0–1."""
    if not line.size:
        return 0.0
    first = np.append(True, line[1:] != line[:-1])
    return float(np.bincount(label[starts[first]]).max() / lines)


def _find_unfed(graph: CityGraph) -> Iterator[Finding]:
    """Yield the parts without a source, or without a sink; without either, all but the longest."""
    label, count = find_parts(graph.graph)
    if not graph.graph.link_count:
        return
    anchors = graph.sources if graph.sources.size else graph.sinks
    of = label[graph.graph.starts]
    lengths = np.bincount(of, weights=graph.graph.weights, minlength=count)
    fed = np.zeros(count, np.bool_)
    fed[label[anchors] if anchors.size else lengths.argmax()] = True
    order = np.argsort(of, kind="stable")
    alone = _find_alone(graph)
    for links in np.split(order, np.flatnonzero(np.diff(of[order])) + 1):
        if not fed[of[links[0]]] and not alone[links].all():
            who = tuple(dict.fromkeys(_name_link(graph, link) for link in links.tolist()))
            x, y = graph.node_xy[graph.graph.starts[links[0]]].tolist()
            yield Finding("disconnected_part", who, x, y, float(lengths[of[links[0]]]))


def _find_alone(graph: CityGraph) -> Mask:
    """Return which links may stand by themselves (links,)."""
    found = np.zeros(graph.graph.link_count, np.bool_)
    for lines in graph.commodity.lines:
        if lines.alone is not None:
            own = graph.link_layers == graph.layers.index(lines.layer)
            found |= own & np.isin(graph.words(lines.alone.name).astype(str), lines.alone.values)
    return found


def _find_unconnected(graph: CityGraph) -> Iterator[Finding]:
    for node in np.flatnonzero((graph.graph.degrees == 0) & (graph.node_layers >= 0)).tolist():
        x, y = graph.node_xy[node].tolist()
        yield Finding("unconnected_point", (_name_node(graph, node),), x, y, None)


def _compare_names(
    commodity: Commodity, reader: Reader, graph: CityGraph, topology: Topology, lines: Sequence[Rows]
) -> Iterator[Finding]:
    """Yield lines and devices that name nodes which are not there, or not where the geometry ends."""
    nodes = {item: node for places in graph.places.values() for item, node in places.items()}
    ends = np.full((topology.lines.size, 2), -1, np.int64)
    stops = topology.stops
    own = stops.cause == AT_END
    # The stops of a line's start and end, in this order; of a line without length both are at its start.
    order = np.flatnonzero(own)[np.lexsort((stops.measure[own], stops.line[own]))].reshape(-1, 2)
    ends[stops.line[order[:, 0]]] = stops.node[order]
    begin = 0
    for one, rows in zip(commodity.lines, lines, strict=True):
        if one.from_id is not None and one.to_id is not None and nodes:
            told = reader.pick(one.layer, rows.ids, (one.from_id, one.to_id)).values
            pairs = zip(rows.ids.tolist(), told[one.from_id].tolist(), told[one.to_id].tolist(), strict=True)
            for row, (item, *named) in enumerate(pairs):
                yield from _compare_ends(f"{one.layer}/{item}", named, ends[begin + row].tolist(), nodes, graph)
        begin += rows.ids.size
    for device in commodity.between:
        rows = reader.list(device.layer, (device.from_id, device.to_id), shapes=True)
        assert rows.shapes is not None
        for item, shape, first, last in zip(
            rows.ids.tolist(), rows.shapes.tolist(), rows.values[device.from_id].tolist(),
            rows.values[device.to_id].tolist(), strict=True,
        ):  # fmt: skip
            lost = [name for name in (first, last) if name and name not in nodes]
            if lost:
                yield Finding("unknown_node", (f"{device.layer}/{item}", *lost), shape.x, shape.y, None)


def _compare_ends(
    name: str, named: list[str | None], ends: list[int], nodes: dict[str, int], graph: CityGraph
) -> Iterator[Finding]:
    at = [None if not one else nodes.get(one, -1) for one in named]
    if None not in at and at != ends and at == ends[::-1]:
        x, y = graph.node_xy[ends[0]].tolist()
        yield Finding("ends_swapped", (name,), x, y, None)
        return
    for one, node, end in zip(named, at, ends, strict=True):
        x, y = graph.node_xy[end].tolist()
        if node == -1:
            yield Finding("unknown_node", (name, str(one)), x, y, None)
        elif node is not None and node != end:
            off = float(np.hypot(*(graph.node_xy[node] - graph.node_xy[end])))
            yield Finding("end_disagrees", (name, str(one)), x, y, off)


def _check_levels(graph: CityGraph) -> list[Finding]:
    """Return faults of inverts and diameters; a link without inverts of its own has those of its nodes."""
    own = np.flatnonzero(np.isin(graph.words("link_type").astype(str), _PIPES))
    if not own.size:
        return []
    starts, ends = graph.graph.starts[own], graph.graph.ends[own]
    at_nodes = graph.values("invert_elevation", on="nodes")
    upper = _fill(_spread_inverts(graph, "from_invert", "to_invert", first=True)[own], at_nodes[starts])
    lower = _fill(_spread_inverts(graph, "from_invert", "to_invert", first=False)[own], at_nodes[ends])
    pipes = build_graph(
        starts, ends, nodes=graph.graph.node_count, weights=graph.graph.weights[own],
        link_ids=np.array([_name_link(graph, link) for link in own.tolist()], object).astype(str),
        node_ids=np.array([_name_node(graph, node) for node in range(graph.graph.node_count)], object).astype(str),
    )  # fmt: skip
    found = validate_sewer(
        pipes, graph.node_xy, from_inverts=upper, to_inverts=lower,
        ground=graph.values("ground_elevation", on="nodes"), diameters=graph.values("height")[own],
    )  # fmt: skip
    return found


def _spread_inverts(graph: CityGraph, first_name: str, last_name: str, *, first: bool) -> Values:
    """Return the invert at one end of each link; between the ends of its line it falls evenly."""
    top, bottom = graph.values(first_name), graph.values(last_name)
    length = np.zeros(graph.graph.link_count)
    for layer in {one.layer for one in graph.commodity.lines}:
        for begin, end in graph.find_spans(layer).values():
            length[begin:end] = graph.to_measures[end - 1]
    measure = graph.from_measures if first else graph.to_measures
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(length > 0.0, measure / length, 0.0)
    return np.where(share <= 0.0, top, np.where(share >= 1.0, bottom, top + share * (bottom - top)))


def _fill(values: Values, otherwise: Values) -> Values:
    return np.where(np.isnan(values), otherwise, values)


def _name_link(graph: CityGraph, link: int) -> str:
    return f"{graph.layers[graph.link_layers[link]]}/{graph.link_items[link]}"


def _name_node(graph: CityGraph, node: int) -> str:
    layer = graph.node_layers[node]
    return f"{graph.layers[layer]}/{graph.node_items[node]}" if layer >= 0 else ""

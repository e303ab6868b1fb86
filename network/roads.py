"""Roads as a graph: one link for each direction of a stretch of road, arcs between nodes that obey banned turns.

Links are the links of GMNS: they carry speed, capacity and flow. Edges are stretches of road, both directions together,
as they lie in a layer. A search goes over nodes and arcs. Where turns are banned, one junction is several nodes: links
that may go on the same ways arrive at the same node, and only the arcs they may take leave it. So any search over nodes
obeys every ban, and costs no more where there is none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from layers.errors import InputError
from network.road_turns import group, split_nodes

Index = NDArray[np.int32]
Mask = NDArray[np.bool_]
Values = NDArray[np.float64]
Way = Sequence[tuple[int, bool]]
"""Edges one after the other, each with whether it is gone as drawn."""

MODES = ("car", "motorbike", "truck", "bus", "emergency", "bicycle", "foot")
"""What moves; bit i of ``access`` is mode i. An ambulance or a fire engine is ``emergency``."""

ROAD_CLASSES = (
    "motorway", "trunk", "primary", "secondary", "tertiary", "residential", "living_street", "service", "pedestrian",
    "cycleway", "path", "other",
)  # fmt: skip

EVERY_MODE = (1 << len(MODES)) - 1
MAX_EDGES = 20_000_000


def mode_bits(*modes: str) -> int:
    """Return the bit mask of modes; InputError names an unknown one and those there are."""
    bits = 0
    for mode in modes:
        if mode not in MODES:
            raise InputError(f"'{mode[:40]}' is no mode of travel", hint=f"one of {', '.join(MODES)}")
        bits |= 1 << MODES.index(mode)
    return bits


@dataclass(frozen=True, eq=False)
class RoadGraph:
    """A network of roads; what is per node or arc serves a search, what is per link says what a road is.

    first: int32 (nodes + 1,), the arcs that leave node i are first[i] to first[i + 1]. tails, heads, links: int32
    (arcs,), sorted by tail. junctions: the junction of each node (nodes,). The first nodes are the junctions in their
    order, and the first arcs, which leave them, the links in theirs; where no turn is banned there are no others.
    junction_xy: (junctions, 2) in the city's CRS [m].

    Per link, sorted by its first junction: starts, ends: junctions. edges: the stretch of road. forward: whether it
    runs as the stretch is drawn. lengths [m]. speeds: free speed of a car [km/h]. lanes: in this direction. capacities
    [pcu/h]. road_classes: int8, index into ROAD_CLASSES. access: uint8, the modes that may use it. is_bridge,
    is_tunnel, is_ferry. max_heights [m], max_weights [t], max_widths [m]: infinite where there is no limit.
    fixed_times: seconds where the time does not follow from the speed, such as a ferry with its wait; NaN elsewhere.
    """

    first: Index
    tails: Index
    heads: Index
    links: Index
    junctions: Index
    junction_xy: Values
    starts: Index
    ends: Index
    edges: Index
    forward: Mask
    lengths: Values
    speeds: Values
    lanes: Values
    capacities: Values
    road_classes: NDArray[np.int8]
    access: NDArray[np.uint8]
    is_bridge: Mask
    is_tunnel: Mask
    is_ferry: Mask
    max_heights: Values
    max_weights: Values
    max_widths: Values
    fixed_times: Values
    edge_count: int

    @property
    def node_count(self) -> int:
        """How many nodes a search goes over."""
        return int(self.first.size) - 1

    @property
    def arc_count(self) -> int:
        """How many arcs a search goes over."""
        return int(self.tails.size)

    @property
    def link_count(self) -> int:
        """How many links: directions of stretches of road."""
        return int(self.starts.size)

    @property
    def junction_count(self) -> int:
        """How many junctions and ends of roads."""
        return int(self.junction_xy.shape[0])

    @cached_property
    def node_xy(self) -> Values:
        """The place of each node (nodes, 2) [m]."""
        return self.junction_xy[self.junctions]

    @cached_property
    def reverse(self) -> tuple[Index, Index]:
        """Arcs by head: first (nodes + 1,) and the arcs (arcs,) that arrive at node i."""
        return group(self.heads, self.node_count)

    @cached_property
    def junction_nodes(self) -> tuple[Index, Index]:
        """Nodes by junction: first (junctions + 1,) and the nodes (nodes,) of junction i."""
        return group(self.junctions, self.junction_count)

    @cached_property
    def link_arcs(self) -> tuple[Index, Index]:
        """Arcs by link: first (links + 1,) and the arcs (arcs,) of link i."""
        return group(self.links, self.link_count)

    @cached_property
    def edge_links(self) -> Index:
        """The link of each edge as drawn and against it (edges, 2), -1 where there is none."""
        found = np.full((self.edge_count, 2), -1, np.int32)
        found[self.edges, np.where(self.forward, 0, 1)] = np.arange(self.link_count, dtype=np.int32)
        return found

    @property
    def link_heads(self) -> Index:
        """The node (links,) at which arrives who began on the link; none of its arcs arrives where more is banned."""
        return self.heads[: self.link_count]

    def allows(self, mode: str) -> Mask:
        """Return which links a mode may use (links,)."""
        return np.bitwise_and(self.access, np.uint8(mode_bits(mode))).astype(np.bool_)


def build_road_graph(
    starts: ArrayLike,
    ends: ArrayLike,
    junction_xy: ArrayLike,
    *,
    lengths: ArrayLike | None = None,
    access: ArrayLike = EVERY_MODE,
    speeds: ArrayLike = 40.0,
    lanes: ArrayLike = 1.0,
    capacities: ArrayLike = 900.0,
    road_classes: ArrayLike | None = None,
    is_bridge: ArrayLike = False,
    is_tunnel: ArrayLike = False,
    is_ferry: ArrayLike = False,
    max_heights: ArrayLike = np.inf,
    max_weights: ArrayLike = np.inf,
    max_widths: ArrayLike = np.inf,
    fixed_times: ArrayLike = np.nan,
    banned_turns: Sequence[Way] = (),
) -> RoadGraph:
    """Return the graph of edges between junctions.

    starts, ends: junction at each end of an edge (edges,). junction_xy: (junctions, 2) [m]. Each of the others is one
    value, one an edge (edges,), or one an edge and direction (edges, 2), as drawn first; units as in RoadGraph. A
    direction that no mode may use has no link. lengths: of the straight line where not given. road_classes: indices,
    ``residential`` where not given. banned_turns: see ban_turns.

    Raises InputError where lengths differ, an index is outside, a length is negative, or edges of a banned turn do not
    meet.
    """
    start, end = np.asarray(starts, np.int64).ravel(), np.asarray(ends, np.int64).ravel()
    xy = np.asarray(junction_xy, np.float64).reshape(-1, 2)
    size = start.size
    _check_ends(start, end, xy.shape[0])
    straight = np.hypot(*(xy[end] - xy[start]).T) if size else np.zeros(0)
    both = np.column_stack((start, end)).ravel(), np.column_stack((end, start)).ravel()
    modes = _spread("access", access, size).astype(np.uint8)
    there = np.flatnonzero(modes)
    order = there[np.argsort(both[0][there], kind="stable")]

    def pick(name: str, given: ArrayLike) -> NDArray[np.generic]:
        return np.ascontiguousarray(_spread(name, given, size)[order])

    classes = ROAD_CLASSES.index("residential") if road_classes is None else road_classes
    long = pick("lengths", straight if lengths is None else lengths).astype(np.float64)
    if long.size and not long.min() >= 0.0:
        raise InputError("a road is shorter than nothing, or its length is no number", hint="give lengths in metres")
    graph = RoadGraph(
        *split_nodes(both[0][order], both[1][order], xy.shape[0], ()),
        xy,
        both[0][order].astype(np.int32),
        both[1][order].astype(np.int32),
        (order // 2).astype(np.int32),
        order % 2 == 0,
        long,
        pick("speeds", speeds).astype(np.float64),
        pick("lanes", lanes).astype(np.float64),
        pick("capacities", capacities).astype(np.float64),
        pick("road_classes", classes).astype(np.int8),
        np.ascontiguousarray(modes[order]),
        pick("is_bridge", is_bridge).astype(np.bool_),
        pick("is_tunnel", is_tunnel).astype(np.bool_),
        pick("is_ferry", is_ferry).astype(np.bool_),
        pick("max_heights", max_heights).astype(np.float64),
        pick("max_weights", max_weights).astype(np.float64),
        pick("max_widths", max_widths).astype(np.float64),
        pick("fixed_times", fixed_times).astype(np.float64),
        size,
    )
    if banned_turns:
        graph = ban_turns(graph, banned_turns)
    for value in vars(graph).values():
        if isinstance(value, np.ndarray) and value.base is not xy and value is not xy:
            value.setflags(write=False)
    return graph


def ban_turns(graph: RoadGraph, banned_turns: Sequence[Way]) -> RoadGraph:
    """Return the graph in which nobody goes any of these ways from end to end; bans it had are no more.

    A way has two edges or more: a turn from the first to the second, or one over edges between. Links are the same as
    before, nodes and arcs are others. A way along a direction that has no link bans nothing. InputError where an edge
    does not begin where the one before it ends.
    """
    ways = [
        tuple(graph.edge_links[_edge(graph, edge), 0 if drawn else 1] for edge, drawn in way) for way in banned_turns
    ]
    for way, named in zip(ways, banned_turns, strict=True):
        if len(way) < 2:
            raise InputError("a banned turn has less than two edges", hint="name the edge it comes from and goes to")
        for k in range(len(way) - 1):
            if min(way[k], way[k + 1]) >= 0 and graph.ends[way[k]] != graph.starts[way[k + 1]]:
                raise InputError(
                    f"a turn is banned from edge {named[k][0]} to edge {named[k + 1][0]}, which do not meet there",
                    hint="an edge ends where the next begins",
                )
    there = [way for way in ways if min(way) >= 0]
    first, tails, heads, links, junctions = split_nodes(
        graph.starts.astype(np.int64), graph.ends.astype(np.int64), graph.junction_count, there
    )
    return replace(graph, first=first, tails=tails, heads=heads, links=links, junctions=junctions)


def _edge(graph: RoadGraph, edge: int) -> int:
    if not 0 <= edge < graph.edge_count:
        raise InputError(f"a banned turn names edge {edge}, outside 0 to {graph.edge_count - 1}", hint="name an edge")
    return edge


def _check_ends(start: NDArray[np.int64], end: NDArray[np.int64], junctions: int) -> None:
    if start.shape != end.shape:
        raise InputError(f"{start.size} edges begin and {end.size} end", hint="give two junctions for each")
    if start.size > MAX_EDGES:
        raise InputError(f"a graph has {start.size} edges, more than {MAX_EDGES}", hint="take a smaller area")
    if start.size and (max(start.max(), end.max()) >= junctions or min(start.min(), end.min()) < 0):
        raise InputError(f"an edge ends at a junction outside 0 to {junctions - 1}", hint="give indices of junctions")


def _spread(name: str, given: ArrayLike, size: int) -> NDArray[np.generic]:
    """Return one value for each edge and direction (2 * edges,), as drawn before against."""
    values = np.asarray(given)
    if values.ndim == 0:
        return np.broadcast_to(values, (2 * size,))
    if values.shape == (size,):
        return np.repeat(values, 2)
    if values.shape == (size, 2):
        return values.ravel()
    raise InputError(f"{name} has the shape {values.shape}, expected ({size},) or ({size}, 2)", hint="one an edge")

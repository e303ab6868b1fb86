"""The storm sewers of the city's layers as nodes and links that fit together, values known or counted as assumed."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from twin.process import CityView

PIPE_HEIGHT = 0.6
"""Of a conduit without one [m]."""

CHANNEL_HEIGHT = 1.0
"""Of an open channel without one [m]."""

PIPE_N, CHANNEL_N = 0.014, 0.030
"""Manning's n of concrete pipes and earth channels: Chow 1959, Open-Channel Hydraulics, table 5-6 [s/m^(1/3)]."""

NODE_DEPTH = 1.5
"""From rim to invert of a node of which neither layer gives an invert [m]."""

LEAST_DEPTH = 0.1
"""From rim to invert at least [m]."""

SNAP_DISTANCE = 1.0
"""A link that names no node belongs to the one that its end lies so near to [m]."""


@dataclass(frozen=True, slots=True)
class Node:
    """A manhole, inlet, outfall, storage or junction; x, y, invert and rim [m]."""

    id: str
    kind: str
    x: float
    y: float
    invert: float
    rim: float
    has_gate: bool


@dataclass(frozen=True, slots=True)
class Link:
    """A conduit, open_channel, pump, gate or weir between two nodes; lengths and elevations [m], capacity [m3/s].

    ``crest`` is that of a weir or gate, ``start_invert`` and ``end_invert`` those of a conduit's ends.
    """

    id: str
    kind: str
    start: str
    end: str
    shape: str
    height: float
    width: float
    length: float
    start_invert: float
    end_invert: float
    mannings_n: float
    capacity: float
    crest: float


@dataclass(frozen=True, slots=True)
class Network:
    """Nodes by id, the links between them, and how often something was assumed or left out."""

    nodes: dict[str, Node]
    links: list[Link]
    counts: dict[str, int]


Array = NDArray[np.float64]
Ground = Callable[[Array, Array], Array]
Joined = tuple[Any, str, str]
"""A link's row and the ids of its two nodes."""


def read_network(view: CityView, ground: Ground, closed: Collection[str] = (), *, sunk: float = 0.0) -> Network:
    """Return the connected storm sewers that end in an outfall.

    ``ground`` returns the terrain [m] at x and y [m], NaN where there is none. ``closed`` gates and whatever is not in
    operation are left out, and so are sewers of foul water and parts without an outfall; pumps, gates and weirs that
    meet no conduit stand in open water and belong to the surface. Elevations of the layers have sunk by ``sunk`` [m].
    """
    counts: Counter[str] = Counter()
    nodes = _read_nodes(view, ground, sunk, counts)
    links = _join(_read_links(view, set(closed), sunk, counts), nodes, counts)
    links = _keep_drained(links, nodes, counts)
    used = {name for _, start, end in links for name in (start, end)}
    rows = [_complete_link(row, start, end, counts) for row, start, end in links]
    kept = _set_inverts({name: node for name, node in nodes.items() if name in used}, rows, counts)
    filled = [_fill_inverts(link, kept, counts) for link in rows]
    kept, filled = _part_outfalls(kept, filled, counts)
    return Network(kept, filled, {name: count for name, count in sorted(counts.items()) if count})


def _read_nodes(view: CityView, ground: Ground, sunk: float, counts: Counter[str]) -> dict[str, Node]:
    """Return the nodes by id; an invert that the layer does not tell is NaN."""
    columns = ["node_type", "system", "ground_elevation", "invert_elevation", "max_depth", "has_gate"]
    frame = _drop_foul(view.layer("drainage_nodes", columns=columns))
    x, y = (np.asarray(values, dtype=np.float64) for values in (frame.geometry.x, frame.geometry.y))
    nodes: dict[str, Node] = {}
    rows: Iterator[Any] = frame.itertuples(index=False)
    for row, at_x, at_y, terrain in zip(rows, x, y, ground(x, y), strict=True):
        rim, invert = _number(row.ground_elevation) - sunk, _number(row.invert_elevation) - sunk
        depth = _number(row.max_depth)
        if np.isnan(rim):
            counts["rims_assumed"] += 1
            rim = next((z for z in (invert + depth, terrain, invert + NODE_DEPTH) if np.isfinite(z)), np.nan)
        if np.isnan(invert) and np.isfinite(rim - depth):
            counts["inverts_from_depth"] += 1
            invert = rim - depth
        if np.isnan(rim):
            counts["nodes_without_elevation"] += 1
            continue
        gate = bool(pd.notna(row.has_gate) and row.has_gate)
        nodes[str(row.id)] = Node(str(row.id), str(row.node_type), float(at_x), float(at_y), invert, float(rim), gate)
    return nodes


def _read_links(view: CityView, closed: set[str], sunk: float, counts: Counter[str]) -> gpd.GeoDataFrame:
    columns = [
        "link_type", "system", "from_node", "to_node", "shape", "height", "width", "length", "from_invert", "to_invert",
        "mannings_n", "capacity", "crest_elevation", "is_active",
    ]  # fmt: skip
    frame = _drop_foul(view.layer("drainage_links", columns=columns))
    levels = ["from_invert", "to_invert", "crest_elevation"]
    frame[levels] = frame[levels].apply(pd.to_numeric) - sunk
    stopped = frame["is_active"].eq(False) | frame["id"].isin(closed)
    useless = (frame["link_type"] == "pump") & ~(frame["capacity"].astype(float) > 0.0)
    counts["links_out_of_use"] += int(stopped.sum())
    counts["pumps_without_capacity"] += int((useless & ~stopped).sum())
    return frame[~stopped & ~useless]


def _drop_foul(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    there = frame.geometry.notna() & ~frame.geometry.is_empty
    return frame[there & frame["system"].ne("sanitary").fillna(True)].copy()


def _join(frame: gpd.GeoDataFrame, nodes: dict[str, Node], counts: Counter[str]) -> list[Joined]:
    """Return each link's row with its two nodes, as it names them or as its ends lie."""
    names = list(nodes)
    tree = shapely.STRtree(shapely.points([(node.x, node.y) for node in nodes.values()]) if nodes else [])
    joined = []
    rows: Iterator[Any] = frame.itertuples(index=False)
    for row in rows:
        coordinates = shapely.get_coordinates(row.geometry)
        ends = []
        for named, at in ((row.from_node, coordinates[0]), (row.to_node, coordinates[-1])):
            if named in nodes:
                ends.append(str(named))
                continue
            near = tree.query_nearest(shapely.Point(at), max_distance=SNAP_DISTANCE, all_matches=False)
            counts["ends_found_by_place"] += len(near)
            ends.extend(names[k] for k in near)
        if len(ends) < 2 or ends[0] == ends[1]:
            counts["links_without_nodes"] += 1
        else:
            joined.append((row, ends[0], ends[1]))
    return joined


def _keep_drained(links: list[Joined], nodes: dict[str, Node], counts: Counter[str]) -> list[Joined]:
    """Return the links of parts that have a conduit and an outfall."""
    position = {name: k for k, name in enumerate(nodes)}
    start = np.array([position[link[1]] for link in links], dtype=np.int64)
    end = np.array([position[link[2]] for link in links], dtype=np.int64)
    graph = coo_array((np.ones(len(links)), (start, end)), shape=(len(nodes), len(nodes)))
    parts, part = connected_components(graph, directed=False) if nodes else (0, np.zeros(0, dtype=np.int64))
    conduit = np.array([row.link_type in ("conduit", "open_channel") for row, _, _ in links], dtype=bool)
    outfall = np.array([node.kind == "outfall" for node in nodes.values()], dtype=bool)
    piped, drained = np.zeros(parts, dtype=bool), np.zeros(parts, dtype=bool)
    piped[part[start[conduit]]] = True
    drained[part[outfall]] = True
    counts["links_of_the_surface"] += int((~piped[part[start]]).sum())
    counts["links_without_outfall"] += int((piped & ~drained)[part[start]].sum())
    counts["nodes_without_outfall"] += int((piped & ~drained)[part].sum())
    linked = np.zeros(len(nodes), dtype=bool)
    linked[start] = linked[end] = True
    counts["nodes_without_link"] += int((~linked).sum())
    return [link for link, kept in zip(links, (piped & drained)[part[start]], strict=True) if kept]


def _complete_link(row: Any, start: str, end: str, counts: Counter[str]) -> Link:
    kind = str(row.link_type)
    channel, sized = kind == "open_channel", kind != "pump"

    def assume(value: object, fallback: float, what: str, wanted: bool) -> float:
        number = _number(value)
        if np.isfinite(number) and number > 0.0:
            return number
        counts[what] += int(wanted)
        return fallback

    shape = row.shape if isinstance(row.shape, str) else ("rect_open" if channel else "circular")
    counts["shapes_assumed"] += int(sized and not isinstance(row.shape, str))
    height = assume(row.height, CHANNEL_HEIGHT if channel else PIPE_HEIGHT, "heights_assumed", sized)
    width = assume(row.width, height, "widths_assumed", sized and shape != "circular")
    length = assume(row.length, max(float(row.geometry.length), 1.0), "lengths_measured", kind == "conduit" or channel)
    roughness = assume(
        row.mannings_n, CHANNEL_N if channel else PIPE_N, "roughness_assumed", kind == "conduit" or channel
    )
    return Link(
        str(row.id), kind, start, end, shape, height, width, length, _number(row.from_invert), _number(row.to_invert),
        roughness, _number(row.capacity), _number(row.crest_elevation),
    )  # fmt: skip


def _set_inverts(nodes: dict[str, Node], links: list[Link], counts: Counter[str]) -> dict[str, Node]:
    """Return the nodes with an invert, not above the conduits that meet there, and their rim above it."""
    lowest = dict.fromkeys(nodes, np.inf)
    for link in links:
        if link.kind in ("conduit", "open_channel"):
            for name, invert in ((link.start, link.start_invert), (link.end, link.end_invert)):
                lowest[name] = min(lowest[name], invert if np.isfinite(invert) else np.inf)
    done = {}
    for name, node in nodes.items():
        invert, rim = node.invert, node.rim
        if np.isnan(invert):
            known = np.isfinite(lowest[name])
            counts["inverts_from_links" if known else "inverts_assumed"] += 1
            invert = lowest[name] if known else rim - NODE_DEPTH
        elif lowest[name] < invert - 1.0e-6:
            invert = lowest[name]
            counts["inverts_lowered_to_links"] += 1
        if rim < invert + LEAST_DEPTH:
            rim = invert + LEAST_DEPTH
            counts["rims_raised"] += 1
        done[name] = replace(node, invert=invert, rim=rim)
    return done


def _fill_inverts(link: Link, nodes: dict[str, Node], counts: Counter[str]) -> Link:
    """Return the link with its ends at its nodes' inverts where it names none."""
    start, end = link.start_invert, link.end_invert
    if link.kind in ("conduit", "open_channel"):
        counts["link_ends_at_node_inverts"] += int(np.isnan(start)) + int(np.isnan(end))
    return replace(
        link,
        start_invert=nodes[link.start].invert if np.isnan(start) else start,
        end_invert=nodes[link.end].invert if np.isnan(end) else end,
    )


def _part_outfalls(
    nodes: dict[str, Node], links: list[Link], counts: Counter[str]
) -> tuple[dict[str, Node], list[Link]]:
    """Return nodes and links in which each outfall has one link, which ends there: all that SWMM allows.

    A conduit that starts in an outfall is turned round; an outfall that another link starts from is a junction; each
    further link gets an outfall of its own in the same place.
    """
    links = [_turn(link) if _starts_in_outfall(link, nodes) else link for link in links]
    left = {link.start for link in links if nodes[link.start].kind == "outfall"}
    counts["outfalls_passed_through"] += len(left)
    nodes = {name: replace(node, kind="junction") if name in left else node for name, node in nodes.items()}
    taken: set[str] = set()
    parted = []
    for link in links:
        end = nodes[link.end]
        if end.kind == "outfall" and end.id in taken:
            end = replace(end, id=f"{end.id}/{link.id}")
            nodes[end.id] = end
            link = replace(link, end=end.id)
            counts["outfalls_added"] += 1
        taken.add(end.id)
        parted.append(link)
    return nodes, parted


def _starts_in_outfall(link: Link, nodes: dict[str, Node]) -> bool:
    pipe = link.kind in ("conduit", "open_channel")
    return pipe and nodes[link.start].kind == "outfall" and nodes[link.end].kind != "outfall"


def _turn(link: Link) -> Link:
    return replace(link, start=link.end, end=link.start, start_invert=link.end_invert, end_invert=link.start_invert)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float | np.number) else float("nan")

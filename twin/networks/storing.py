"""Stored topologies of commodities: built from nothing, and read back as layouts."""

import hashlib
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import Connection

from layers.errors import DatabaseError
from layers.store.networks.state import follow_layers, lock_build, lock_state, write_state
from layers.store.networks.topologies import (
    StoredNodes,
    StoredPlaces,
    StoredStops,
    read_nodes,
    read_places,
    read_stops,
    replace_topology,
)
from network.topology import Stops, list_stop_links
from twin.networks.assembling import Layout, read_parts
from twin.networks.commodities import Commodity
from twin.networks.laying import lay
from twin.networks.reading import Rows, StoreReader

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class StoredNetwork:
    """What is stored of a network: features by layer, ordered by feature id, and what the database keeps of them."""

    lines: tuple[Rows, ...]
    points: tuple[Rows, ...]
    nodes: StoredNodes
    stops: StoredStops
    places: StoredPlaces


def name_declaration(commodity: Commodity) -> str:
    """Return the fingerprint of what decides about the topology of a commodity."""
    return hashlib.blake2b(repr(commodity).encode(), digest_size=8).hexdigest()


def build_stored(connection: Connection, commodity: Commodity) -> None:
    """Build the topology of a commodity from nothing and store it, in the caller's transaction."""
    declared = name_declaration(commodity)
    state = lock_state(connection, commodity.id)
    if state is None:
        lock_build(connection, commodity.id)
    if state is None or state.declared != declared:
        # Before anything is read: what is written from now on is noted.
        follow_layers(connection, commodity.id, commodity.followed)
    lines, points = read_parts(commodity, StoreReader(connection), shapes=True)
    topology, placed = lay(commodity, lines, points)
    line_layers, line_fids = _number(lines)
    point_layers, point_fids = _number(points)
    stops = topology.stops
    size = topology.node_xy.shape[0]
    replace_topology(
        connection,
        commodity.id,
        StoredNodes(np.arange(size), topology.node_levels.astype(np.int64), topology.node_xy),
        StoredStops(
            line_layers[stops.line], line_fids[stops.line], stops.measure, stops.node.astype(np.int64),
            stops.cause.astype(np.int64), stops.shift,
        ),
        StoredPlaces(
            point_layers, point_fids, topology.point_nodes.astype(np.int64), shapely.get_coordinates(placed)
        ),
    )  # fmt: skip
    write_state(
        connection, commodity.id, declared=declared, tolerance=commodity.tolerance,
        lines=[one.layer for one in commodity.lines], points=[one.layer for one in commodity.points], next_node=size,
    )  # fmt: skip


def read_stored(connection: Connection, commodity: Commodity) -> StoredNetwork:
    """Return what is stored of a network."""
    lines, points = read_parts(commodity, StoreReader(connection), shapes=False)
    return StoredNetwork(
        lines,
        points,
        read_nodes(connection, commodity.id),
        read_stops(connection, commodity.id),
        read_places(connection, commodity.id),
    )


def make_layout(commodity: Commodity, stored: StoredNetwork) -> Layout:
    """Return the layout of a stored network; DatabaseError where features and topology do not belong together."""
    order = np.argsort(stored.nodes.ids, kind="stable")
    ids, xy = stored.nodes.ids[order], stored.nodes.xy[order]
    of = stored.stops
    stops = Stops(
        _find_features(commodity, stored.lines, of.layers, of.fids).astype(np.int32),
        of.measures,
        _find(commodity, ids, of.nodes).astype(np.int32),
        of.causes.astype(np.uint8),
        of.shifts,
    )
    point_nodes = np.full(sum(rows.ids.size for rows in stored.points), -1, np.int32)
    at = _find_features(commodity, stored.points, stored.places.layers, stored.places.fids)
    point_nodes[at] = _find(commodity, ids, stored.places.nodes)
    if np.any(point_nodes < 0):
        raise _mismatch(commodity)
    links = list_stop_links(stops, xy, commodity.tolerance)
    return Layout(stored.lines, stored.points, links, xy, stored.nodes.levels[order].astype(np.int32), point_nodes)


def _number(parts: tuple[Rows, ...]) -> tuple[Ints, Ints]:
    """Return the number of the layer of each feature, and its feature id."""
    layers = [np.full(rows.ids.size, number, np.int64) for number, rows in enumerate(parts)]
    none = np.zeros(0, np.int64)
    return np.concatenate([none, *layers]), np.concatenate([none, *(rows.keys for rows in parts)])


def _find_features(commodity: Commodity, parts: tuple[Rows, ...], layers: Ints, fids: Ints) -> Ints:
    """Return the index of each feature among those of all layers."""
    found = np.zeros(fids.size, np.int64)
    begin = 0
    for number, rows in enumerate(parts):
        own = layers == number
        found[own] = begin + _find(commodity, rows.keys, fids[own])
        begin += rows.ids.size
    return found


def _find(commodity: Commodity, ordered: Ints, wanted: Ints) -> Ints:
    if not wanted.size:
        return np.zeros(0, np.int64)
    if not ordered.size:
        raise _mismatch(commodity)
    at = np.minimum(np.searchsorted(ordered, wanted), ordered.size - 1)
    if np.any(ordered[at] != wanted):
        raise _mismatch(commodity)
    return at.astype(np.int64)


def _mismatch(commodity: Commodity) -> DatabaseError:
    return DatabaseError(
        f"the stored network '{commodity.id}' does not fit its layers", hint=f"type: twin network build {commodity.id}"
    )

"""Networks kept in memory by a process that lives long: one of each commodity and database, as new as it is asked."""

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from secrets import token_hex

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine

from layers.errors import ConflictError, DatabaseError
from layers.registry import read_vector_layer
from layers.store.networks.columns import read_columns
from layers.store.networks.state import StoredState, has_written, lock_build, read_changes, read_state
from layers.store.networks.topologies import (
    StoredNodes,
    StoredPlaces,
    StoredStops,
    read_nodes,
    read_places,
    read_stops,
)
from twin.networks.assembling import assemble, choose_lines, choose_points, list_line_names, list_point_names
from twin.networks.city_graph import CityGraph
from twin.networks.commodities import Commodity, read_commodity
from twin.networks.laying import build_city_graph
from twin.networks.reading import Rows, StoreReader
from twin.networks.settling import settle
from twin.networks.storing import StoredNetwork, build_stored, make_layout, name_declaration, read_stored

Ints = NDArray[np.int64]

_TRIES, _PAUSE_S = 30, 0.05
MOST_CHANGED = 5000
"""When more features than this changed since a network was read, it is read whole."""


@dataclass(eq=False)
class _Slot:
    """One network in memory, and the lock under which it is renewed."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    version: int = 0
    stored: StoredNetwork | None = None
    graph: CityGraph | None = None


class WarmNetworks:
    """Graphs of commodities by database; threads may ask at once, a graph is made by one of them."""

    def __init__(self) -> None:
        self._slots: dict[tuple[str, str], _Slot] = {}
        self._lock = threading.Lock()

    def get(self, connection: Connection, commodity_id: str) -> CityGraph:
        """Return the network as the transaction of ``connection`` sees the layers.

        A network that was never built, or that somebody wrote to without settling it, is brought up to date first, in a
        transaction of its own; where that is not seen by this transaction, its graph is made of the layers alone.
        """
        commodity = read_commodity(commodity_id)
        for _ in range(_TRIES):
            state = _find_fresh(connection, commodity)
            if state is None:
                # A stamp of its own: what was computed of it is not asked for again.
                return build_city_graph(commodity, StoreReader(connection), f"unsettled-{token_hex(8)}")
            graph = self._find(connection, commodity, state)
            if graph is not None:
                return replace(graph, reader=StoreReader(connection))
        raise ConflictError(f"the network '{commodity_id}' is being changed all the time", hint="try again soon")

    def _find(self, connection: Connection, commodity: Commodity, state: StoredState) -> CityGraph | None:
        """Return the graph of a state; None where it changed while it was read."""
        with self._lock:
            key = connection.engine.url.render_as_string(hide_password=True), commodity.id
            slot = self._slots.setdefault(key, _Slot())
        with slot.lock:
            if slot.graph is not None and slot.graph.stamp == state.stamp:
                return slot.graph
            # What this transaction wrote may never come to be: it is not for others.
            shared = not has_written(connection)
            try:
                stored = _read(slot, connection, commodity, state) if shared else read_stored(connection, commodity)
                graph = assemble(commodity, make_layout(commodity, stored), StoreReader(connection), state.stamp)
            except DatabaseError:
                if read_state(connection, commodity.id) == state:
                    raise
                return None
            if read_state(connection, commodity.id) != state:
                return None
            if shared:
                slot.graph, slot.stored, slot.version = graph, stored, state.version
            return graph


WARM = WarmNetworks()
"""The networks of this process."""


def take_changes(
    connection: Connection, commodity: Commodity, stored: StoredNetwork, changes: dict[str, list[int]]
) -> StoredNetwork:
    """Return a stored network with the features in ``changes`` (by layer) read anew."""
    lines, points = list(stored.lines), list(stored.points)
    of_lines: list[tuple[int, list[int]]] = []
    of_points: list[tuple[int, list[int]]] = []
    for number, one in enumerate(commodity.lines):
        if one.layer in changes:
            fresh = _read_rows(connection, one.layer, list_line_names(one), changes[one.layer])
            lines[number] = _merge(lines[number], fresh.take(choose_lines(one, fresh)), changes[one.layer])
            of_lines.append((number, changes[one.layer]))
    for number, place in enumerate(commodity.points):
        if place.layer in changes:
            fresh = _read_rows(connection, place.layer, list_point_names(commodity, place), changes[place.layer])
            kept = fresh.take(choose_points(commodity, place, fresh))
            points[number] = _merge(points[number], kept, changes[place.layer])
            of_points.append((number, changes[place.layer]))
    stops = _merge_stops(stored.stops, read_stops(connection, commodity.id, of_lines), of_lines)
    places = _merge_places(stored.places, read_places(connection, commodity.id, of_points), of_points)
    return StoredNetwork(
        tuple(lines), tuple(points), _merge_nodes(connection, commodity, stored.nodes, stops, places), stops, places
    )


def _find_fresh(connection: Connection, commodity: Commodity) -> StoredState | None:
    """Return the state of a stored network that is what the layers are; None where this transaction sees none."""
    declared = name_declaration(commodity)
    state = read_state(connection, commodity.id)
    if state is None or state.waiting or state.declared != declared:
        # A writer that never ends may be the one who asks.
        with suppress(ConflictError):
            _bring_up(connection.engine, commodity)
        state = read_state(connection, commodity.id)
    return None if state is None or state.waiting or state.declared != declared else state


def _bring_up(engine: Engine, commodity: Commodity) -> None:
    """Build or settle the stored network; who is at it is waited for a little, for it may be the one who asks."""
    for _ in range(_TRIES):
        with engine.begin() as connection:
            if read_state(connection, commodity.id) is None:
                lock_build(connection, commodity.id)
                if read_state(connection, commodity.id) is None:
                    build_stored(connection, commodity)
                return
            if settle(connection, commodity, wait=False) is not None:
                return
        time.sleep(_PAUSE_S)


def _read(slot: _Slot, connection: Connection, commodity: Commodity, state: StoredState) -> StoredNetwork:
    """Return the stored network: what is in memory with what changed since, else the whole."""
    if slot.stored is not None and slot.version < state.version:
        changes = read_changes(connection, commodity.id, slot.version, state.version)
        if changes is not None and sum(map(len, changes.values())) <= MOST_CHANGED:
            return take_changes(connection, commodity, slot.stored, changes)
    return read_stored(connection, commodity)


def _read_rows(connection: Connection, layer: str, names: list[str], fids: list[int]) -> Rows:
    ids, keys, values, _ = read_columns(connection, read_vector_layer(layer), names, fids=fids)
    return Rows(ids, values, None, keys)


def _merge(old: Rows, new: Rows, changed: list[int]) -> Rows:
    """Return the rows with those of ``changed`` replaced by the new ones, ordered by feature id."""
    kept = old.take(~_are_in(old.keys, changed))
    at = np.searchsorted(kept.keys, new.keys)
    values = {name: np.insert(column, at, new.values[name]) for name, column in kept.values.items()}
    return Rows(np.insert(kept.ids, at, new.ids), values, None, np.insert(kept.keys, at, new.keys))


def _merge_stops(old: StoredStops, new: StoredStops, changed: list[tuple[int, list[int]]]) -> StoredStops:
    kept = ~_are_changed(old.layers, old.fids, changed)
    return StoredStops(
        np.append(old.layers[kept], new.layers), np.append(old.fids[kept], new.fids),
        np.append(old.measures[kept], new.measures), np.append(old.nodes[kept], new.nodes),
        np.append(old.causes[kept], new.causes), np.append(old.shifts[kept], new.shifts),
    )  # fmt: skip


def _merge_places(old: StoredPlaces, new: StoredPlaces, changed: list[tuple[int, list[int]]]) -> StoredPlaces:
    kept = ~_are_changed(old.layers, old.fids, changed)
    return StoredPlaces(
        np.append(old.layers[kept], new.layers), np.append(old.fids[kept], new.fids),
        np.append(old.nodes[kept], new.nodes), np.vstack((old.xy[kept], new.xy)),
    )  # fmt: skip


def _merge_nodes(
    connection: Connection, commodity: Commodity, old: StoredNodes, stops: StoredStops, places: StoredPlaces
) -> StoredNodes:
    """Return the nodes that stops and places name; a node never moves under its number."""
    used = np.zeros(1 + max(int(part.max(initial=0)) for part in (stops.nodes, places.nodes, old.ids)), np.bool_)
    used[stops.nodes], used[places.nodes] = True, True
    kept = used[old.ids]
    used[old.ids] = False
    new = read_nodes(connection, commodity.id, np.flatnonzero(used).tolist())
    return StoredNodes(
        np.append(old.ids[kept], new.ids), np.append(old.levels[kept], new.levels), np.vstack((old.xy[kept], new.xy))
    )


def _are_changed(layers: Ints, fids: Ints, changed: list[tuple[int, list[int]]]) -> NDArray[np.bool_]:
    found = np.zeros(fids.size, np.bool_)
    for layer, of in changed:
        found |= (layers == layer) & _are_in(fids, of)
    return found


def _are_in(fids: Ints, chosen: list[int]) -> NDArray[np.bool_]:
    wanted = np.array(sorted(chosen), np.int64)
    at = np.minimum(np.searchsorted(wanted, fids), wanted.size - 1)
    return np.asarray(wanted[at] == fids)

"""Roads kept in memory by a process that lives long: of each database, as new as it is asked.

What changed is told by the versions of the layers; which features, by the transactions that wrote them. After an edit
only those are read.
"""

import threading
from dataclasses import dataclass, field
from secrets import token_hex

import numpy as np
from sqlalchemy import Connection

from layers.registry import read_vector_layer
from layers.store.networks.columns import read_columns
from layers.store.networks.row_versions import Longs, read_layers_stamp, read_row_versions
from layers.store.networks.state import has_written
from twin.networks.reading import Rows, StoreReader
from twin.roads.attributes import DESCRIBE, Lines
from twin.roads.building import ROAD_LAYERS, Laid, build_city_roads, finish_roads, lay_again, lay_roads, read_lines
from twin.roads.city_roads import CityRoads

MOST_CHANGED = 5000
"""When more features than this changed since roads were made, they are read whole."""
_UNTIL_STILL = 30


@dataclass(eq=False)
class _Slot:
    """Roads in memory, what they were made of, and the lock under which they are renewed."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    roads: CityRoads | None = None
    laid: Laid | None = None
    versions: dict[str, tuple[Longs, Longs]] = field(default_factory=dict)


class WarmRoads:
    """Roads by database; threads may ask at once, they are made by one of them."""

    def __init__(self) -> None:
        self._slots: dict[str, _Slot] = {}
        self._lock = threading.Lock()

    def get(self, connection: Connection) -> CityRoads:
        """Return the roads as the transaction of ``connection`` sees the layers.

        What a transaction wrote itself may never come to be: its roads are its own and have a stamp of their own.
        """
        if has_written(connection):
            return build_city_roads(StoreReader(connection), f"unsettled-{token_hex(8)}")
        with self._lock:
            key = connection.engine.url.render_as_string(hide_password=True)
            slot = self._slots.setdefault(key, _Slot())
        with slot.lock:
            stamp = read_layers_stamp(connection, ROAD_LAYERS)
            if slot.roads is not None and slot.roads.stamp == stamp:
                return slot.roads
            for _ in range(_UNTIL_STILL):
                _renew(slot, connection, stamp)
                before, stamp = stamp, read_layers_stamp(connection, ROAD_LAYERS)
                if stamp == before and slot.roads is not None:
                    return slot.roads
            return build_city_roads(StoreReader(connection), f"unsettled-{token_hex(8)}")


ROADS_IN_MEMORY = WarmRoads()
"""The roads of this process."""


def _renew(slot: _Slot, connection: Connection, stamp: str) -> None:
    """Bring the roads up to date: what changed where that is little, else the whole."""
    versions = {layer: read_row_versions(connection, read_vector_layer(layer)) for layer in DESCRIBE}
    slot.roads = None
    laid = None if slot.laid is None else _take_changes(slot.laid, slot.versions, versions, connection)
    slot.laid = lay_roads(read_lines(StoreReader(connection))) if laid is None else laid
    slot.versions = versions
    slot.roads = finish_roads(slot.laid, StoreReader(connection), stamp)


def _take_changes(
    laid: Laid,
    old: dict[str, tuple[Longs, Longs]],
    new: dict[str, tuple[Longs, Longs]],
    connection: Connection,
) -> Laid | None:
    """Return the laid lines with the features that changed read anew; None where too many did."""
    kept = np.ones(laid.lines.ids.size, np.bool_)
    fresh: Lines | None = None
    for layer, (columns, describe) in DESCRIBE.items():
        gone, come = _compare(old[layer], new[layer])
        if gone.size + come.size > MOST_CHANGED:
            return None
        kept &= ~((laid.lines.layers == layer) & np.isin(laid.lines.fids, gone))
        if come.size:
            ids, fids, values, shapes = read_columns(
                connection, read_vector_layer(layer), columns, shapes=True, fids=come.tolist()
            )
            part = describe(Rows(ids, values, shapes, fids))
            fresh = part if fresh is None else fresh.join(part)
    if fresh is None:
        if kept.all():
            return laid
        fresh = laid.lines.take(np.zeros(0, np.int64))
    return lay_again(laid, kept, fresh)


def _compare(old: tuple[Longs, Longs], new: tuple[Longs, Longs]) -> tuple[Longs, Longs]:
    """Return the features of ``old`` that are no more as they were, and those of ``new`` that were not so."""
    at = np.searchsorted(new[0], old[0])
    there = np.minimum(at, max(new[0].size - 1, 0))
    same = np.zeros(old[0].size, np.bool_)
    if new[0].size:
        same = (new[0][there] == old[0]) & (new[1][there] == old[1])
    return old[0][~same], new[0][~np.isin(new[0], old[0][same])]

"""Roads kept in memory by a process that lives long: of each database, as new as it is asked."""

import threading
from dataclasses import dataclass, field
from secrets import token_hex

from sqlalchemy import Connection

from layers.store.features import read_versions
from layers.store.networks.state import has_written
from twin.networks.reading import StoreReader
from twin.roads.building import ROADS, build_city_roads
from twin.roads.city_roads import CityRoads

ROAD_LAYERS = (ROADS,)
"""The layers that roads are made of."""


@dataclass(eq=False)
class _Slot:
    """Roads in memory, and the lock under which they are renewed."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    roads: CityRoads | None = None


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
            while True:
                stamp = _read_stamp(connection)
                if slot.roads is not None and slot.roads.stamp == stamp:
                    return slot.roads
                roads = build_city_roads(StoreReader(connection), stamp)
                if _read_stamp(connection) == stamp:
                    slot.roads = roads
                    return roads


ROADS_IN_MEMORY = WarmRoads()
"""The roads of this process."""


def _read_stamp(connection: Connection) -> str:
    versions = read_versions(connection)
    return "-".join(str(versions.get(layer, 0)) for layer in ROAD_LAYERS)

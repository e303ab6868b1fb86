"""Road works kept ready by a process that lives long: of each database, as new as they are asked."""

import threading

from sqlalchemy import Connection

from layers.registry import read_vector_layer
from layers.store.features import read_versions, select_features
from layers.store.networks.state import has_written
from twin.roads.closures import RoadEvents, prepare_events

ROAD_WORKS = "road_works"


class WarmEvents:
    """Events by database; threads may ask at once."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, RoadEvents]] = {}
        self._lock = threading.Lock()

    def get(self, connection: Connection) -> RoadEvents:
        """Return the events as the transaction of ``connection`` sees them; what it wrote itself is not kept."""
        if has_written(connection):
            return _read(connection)
        key = connection.engine.url.render_as_string(hide_password=True)
        version = read_versions(connection).get(ROAD_WORKS, 0)
        with self._lock:
            kept = self._kept.get(key)
        if kept is not None and kept[0] == version:
            return kept[1]
        events = _read(connection)
        if read_versions(connection).get(ROAD_WORKS, 0) == version:
            with self._lock:
                self._kept[key] = version, events
        return events


def _read(connection: Connection) -> RoadEvents:
    return prepare_events(select_features(connection, read_vector_layer(ROAD_WORKS)))


EVENTS_IN_MEMORY = WarmEvents()
"""The events of this process."""

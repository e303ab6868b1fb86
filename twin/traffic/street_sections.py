"""The sections of a city's streets that two counters watch, as its database has them."""

from datetime import datetime

from sqlalchemy import Connection

from twin.roads.warm import ROADS_IN_MEMORY
from twin.store_traffic import select_road_series
from twin.traffic.counting import Section, find_sections, gather_stations


def list_sections(connection: Connection, at: datetime) -> list[Section]:
    """Return the sections of streets between stations that read occupancy; none where no road is watched."""
    series = select_road_series(connection, at)
    if not any(one.observed_property == "occupancy" for one in series):
        return []
    roads = ROADS_IN_MEMORY.get(connection)
    return find_sections(gather_stations(series, roads), roads)

"""A city whose layers are read once: for a process that assesses many floods of it."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from layers.grid import Grid
from layers.store.models import Model, ModelKind
from twin.networks.city_graph import CityGraph
from twin.process import Arrays, Bounds, CityView
from twin.roads.city_roads import CityRoads
from twin.store_traffic import RoadSeries
from twin.transit.feed import CityFeed


class RememberedCity:
    """A view of a city that keeps the features and rasters it was asked for; each asker gets a copy."""

    def __init__(self, base: CityView) -> None:
        self._base = base
        self._layers: dict[Hashable, gpd.GeoDataFrame] = {}
        self._rasters: dict[Hashable, tuple[NDArray[np.float32], Grid]] = {}

    @property
    def crs(self) -> str:
        """The city's projected CRS."""
        return self._base.crs

    @property
    def now(self) -> datetime:
        """The time the city is looked at (UTC)."""
        return self._base.now

    @property
    def main_gauge(self) -> str | None:
        """Id of the sensor whose stage drives forecasts."""
        return self._base.main_gauge

    @property
    def damage(self) -> Mapping[str, Mapping[str, Any]]:
        """What a flood costs, by class, where the city says so."""
        return self._base.damage

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the city's clocks."""
        return self._base.zone

    @property
    def lamp_calendars(self) -> Sequence[tuple[str, datetime, Mapping[str, Any]]]:
        """Programs and calendars of lamps, in order of time."""
        return self._base.lamp_calendars

    def layer(
        self, layer_id: str, *, bounds: Bounds | None = None, columns: Sequence[str] | None = None
    ) -> gpd.GeoDataFrame:
        """Return the city's features."""
        key = (layer_id, bounds, None if columns is None else tuple(columns))
        if key not in self._layers:
            self._layers[key] = self._base.layer(layer_id, bounds=bounds, columns=columns)
        return self._layers[key].copy()

    def find_features(
        self, layer_id: str, *, passing: str | None = None, named: Sequence[str] | None = None
    ) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
        """Return the city's ids and feature ids."""
        return self._base.find_features(layer_id, passing=passing, named=named)

    def network(self, commodity: str) -> CityGraph:
        """Return the city's network."""
        return self._base.network(commodity)

    def roads(self) -> CityRoads:
        """Return the city's roads."""
        return self._base.roads()

    def feeds(self, names: Sequence[str] = ()) -> Sequence[CityFeed]:
        """Return the city's public transport."""
        return self._base.feeds(names)

    def road_series(self, at: datetime) -> Sequence[RoadSeries]:
        """Return the city's series of traffic."""
        return self._base.road_series(at)

    def read_model(self, model_id: str, kind: ModelKind) -> tuple[Model, Mapping[str, bytes]]:
        """Return the city's model and its files."""
        return self._base.read_model(model_id, kind)

    def find_run_folder(self, run_id: str) -> Path:
        """Return where a run of the city keeps its files."""
        return self._base.find_run_folder(run_id)

    def find_newest_run(self, layer_id: str) -> str:
        """Return the newest run of the city that wrote a raster layer."""
        return self._base.find_newest_run(layer_id)

    def raster(
        self, layer_id: str, *, cell_size: float | None = None, bounds: Bounds | None = None
    ) -> tuple[NDArray[np.float32], Grid]:
        """Return the city's raster."""
        key = (layer_id, cell_size, bounds)
        if key not in self._rasters:
            self._rasters[key] = self._base.raster(layer_id, cell_size=cell_size, bounds=bounds)
        array, grid = self._rasters[key]
        return array.copy(), grid

    def find_datastream(self, sensor_id: str, observed_property: str) -> str:
        """Return the city's datastream."""
        return self._base.find_datastream(sensor_id, observed_property)

    def series(
        self, datastream_id: str, start: datetime, end: datetime
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the city's readings."""
        return self._base.series(datastream_id, start, end)

    def last_reading(self, datastream_id: str) -> datetime | None:
        """Return the time of the city's newest reading."""
        return self._base.last_reading(datastream_id)

    def issued(self, datastream_id: str, issue_time: datetime) -> Arrays | None:
        """Return the city's forecast."""
        return self._base.issued(datastream_id, issue_time)

    def derived(self, kind: str, signature: str, make: Callable[[], Arrays]) -> Arrays:
        """Return what the city keeps."""
        return self._base.derived(kind, signature, make)

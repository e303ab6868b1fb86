"""City: the one reader. Layers, rasters and readings of the database as a process sees them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from rasterio.enums import Resampling
from sqlalchemy import Connection

from layers.errors import NotFoundError
from layers.grid import Grid
from layers.registry import read_raster_layer, read_vector_layer
from layers.store.features import read_versions, select_features
from layers.store.lamps import select_calendar_versions
from layers.store.migrate import read_city
from layers.store.models import Model, ModelKind, read_model, read_model_files
from layers.store.query.fids import select_fids
from layers.store.rasters import list_rasters, read_grid, read_raster_row
from layers.store.sensing.datastreams import list_datastreams
from layers.store.sensing.reading import read_extent, select_observations
from twin.derived import keep_arrays
from twin.networks.city_graph import CityGraph
from twin.networks.commodities import read_commodity
from twin.networks.warm import WARM
from twin.process import Arrays, Bounds
from twin.roads.building import ROAD_LAYERS
from twin.roads.city_roads import CityRoads
from twin.roads.closures import RoadEvents
from twin.roads.closures_warm import EVENTS_IN_MEMORY, ROAD_WORKS
from twin.roads.warm import ROADS_IN_MEMORY
from twin.store import find_run_folder
from twin.store_forecasts import read_issue, read_values
from twin.store_traffic import RoadSeries, select_road_series
from twin.store_transit import list_feeds, read_feed_row
from twin.transit.feed import CityFeed
from twin.transit.warm import read_warm_feed

_FAILED_QUALITY = (4, 9)


class City:
    """The city of one database at one time; remembers what was read, for the record of the run."""

    def __init__(self, connection: Connection, processed_dir: Path, now: datetime) -> None:
        self._connection = connection
        self._processed = processed_dir
        self._now = now
        self._row = read_city(connection)
        self.layers_read: set[str] = set()
        self.rasters_read: dict[str, str] = {}

    @property
    def crs(self) -> str:
        """The city's projected CRS."""
        return f"EPSG:{self._row.srid}"

    @property
    def now(self) -> datetime:
        """The time the city is looked at (UTC)."""
        return self._now

    @property
    def main_gauge(self) -> str | None:
        """Id of the sensor whose stage drives forecasts."""
        gauge = self._row.declaration.get("main_gauge")
        return str(gauge) if gauge else None

    @property
    def damage(self) -> Mapping[str, Mapping[str, Any]]:
        """What a flood costs, by class, as the catalogue says."""
        given = self._row.declaration.get("damage")
        return given if isinstance(given, dict) else {}

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the city's clocks; UTC where the catalogue names none."""
        return ZoneInfo(str(self._row.declaration.get("timezone") or "UTC"))

    @property
    def lamp_calendars(self) -> Sequence[tuple[str, datetime, Mapping[str, Any]]]:
        """Programs and calendars of lamps that were declared, in order of time."""
        return select_calendar_versions(self._connection)

    @property
    def synthetic(self) -> bool:
        """Whether the city is a made-up one."""
        return self._row.synthetic

    def layer(
        self, layer_id: str, *, bounds: Bounds | None = None, columns: Sequence[str] | None = None
    ) -> gpd.GeoDataFrame:
        """Return the features of a layer as they are now."""
        self.layers_read.add(layer_id)
        return select_features(self._connection, read_vector_layer(layer_id), bounds=bounds, columns=columns)

    def find_features(
        self, layer_id: str, *, passing: str | None = None, named: Sequence[str] | None = None
    ) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
        """Return ids and feature ids of the features that pass a CQL2 filter, or have the ids ``named``."""
        return select_fids(self._connection, read_vector_layer(layer_id), passing=passing, named=named)

    def network(self, commodity: str) -> CityGraph:
        """Return the network of a commodity as it is now."""
        self.layers_read.update(read_commodity(commodity).layers)
        return WARM.get(self._connection, commodity)

    def roads(self) -> CityRoads:
        """Return the roads as they are now."""
        self.layers_read.update(ROAD_LAYERS)
        return ROADS_IN_MEMORY.get(self._connection)

    def feeds(self, names: Sequence[str] = ()) -> Sequence[CityFeed]:
        """Return the public transport feeds in force."""
        connection = self._connection
        rows = [read_feed_row(connection, name) for name in names] if names else list_feeds(connection)
        return [CityFeed(row.id, row.stamp, row.title, read_warm_feed(connection, row)) for row in rows]

    def road_events(self) -> RoadEvents:
        """Return the road works as they are now."""
        self.layers_read.add(ROAD_WORKS)
        return EVENTS_IN_MEMORY.get(self._connection)

    def road_series(self, at: datetime) -> Sequence[RoadSeries]:
        """Return the series of traffic that watch roads, with their newest good readings up to ``at``."""
        return select_road_series(self._connection, at)

    def read_model(self, model_id: str, kind: ModelKind) -> tuple[Model, Mapping[str, bytes]]:
        """Return a hydraulic model with the files it names, by name; NotFoundError tells those of its kind."""
        model = read_model(self._connection, model_id, kind)
        return model, read_model_files(self._connection, model_id)

    def find_run_folder(self, run_id: str) -> Path:
        """Return where a finished run keeps its files; NotFoundError where there is no such run."""
        return find_run_folder(self._connection, self._processed, run_id)

    def find_newest_run(self, layer_id: str) -> str:
        """Return the id of the newest run that wrote a raster layer; NotFoundError where none did."""
        rows = list_rasters(self._connection, layer=read_raster_layer(layer_id).id)
        found = next((row.run_id for row in reversed(rows) if row.run_id is not None), None)
        if found is None:
            raise NotFoundError(f"no run has written '{layer_id}' yet", hint="type: twin run flood-forecast")
        return found

    def raster(
        self, layer_id: str, *, cell_size: float | None = None, bounds: Bounds | None = None
    ) -> tuple[NDArray[np.float32], Grid]:
        """Return the city's raster; codes by the most frequent, measures by the mean of the cells they cover."""
        declared = read_raster_layer(layer_id)
        try:
            row = read_raster_row(self._connection, layer_id)
        except NotFoundError as error:
            raise NotFoundError(
                f"the city has no raster of layer '{layer_id}'", hint=f"type: twin load FILE.tif --layer {layer_id}"
            ) from error
        self.rasters_read[layer_id] = row.fingerprint
        how = Resampling.mode if declared.stepped else Resampling.average
        return read_grid(self._processed / row.path, bounds=bounds, cell_size=cell_size, resampling=how)

    def find_datastream(self, sensor_id: str, observed_property: str) -> str:
        """Return the id of the sensor's series of ``observed_property``; NotFoundError names what there is."""
        series = list_datastreams(self._connection)
        own = [row for row in series if row.sensor_id == sensor_id]
        found = next((row.id for row in own if row.observed_property == observed_property), None)
        if found is not None:
            return found
        if own:
            listed = ", ".join(row.observed_property for row in own)
            raise NotFoundError(f"sensor '{sensor_id}' measures no {observed_property}", hint=f"it measures {listed}")
        gauges = sorted({row.sensor_id for row in series if row.observed_property == observed_property})
        raise NotFoundError(
            f"sensor '{sensor_id}' has no series",
            hint=f"{observed_property} is measured by {', '.join(gauges) or 'none'}",
        )

    def series(
        self, datastream_id: str, start: datetime, end: datetime
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return times [s since 1970 UTC] and values of a series, without failed or missing readings."""
        found = select_observations(self._connection, datastream_id, start, end)
        good = np.isfinite(found.results) & ~np.isin(found.qualities, _FAILED_QUALITY)
        return found.times[good], found.results[good]

    def last_reading(self, datastream_id: str) -> datetime | None:
        """Return the time of the newest reading of a series, or None."""
        extent = read_extent(self._connection, datastream_id)
        return None if extent is None else extent[1]

    def issued(self, datastream_id: str, issue_time: datetime) -> Arrays | None:
        """Return the forecast that was kept for a series and time, or None; of persistence none is told."""
        try:
            issue = read_issue(self._connection, datastream_id, issue_time)
        except NotFoundError:
            return None
        if issue.model != "harmonic-residual":
            return None
        found = read_values(self._connection, issue.id)
        return {"times": found.times, "quantiles": found.quantiles, "warning": found.warning, "tide": found.tide}

    def derived(self, kind: str, signature: str, make: Callable[[], Arrays]) -> Arrays:
        """Return the arrays kept in a file beside the rasters, or make and keep them."""
        return keep_arrays(self._processed / kind, signature, make)

    def describe_data(self) -> dict[str, Any]:
        """Return what was read: the version of each layer, the fingerprint of each raster."""
        versions = read_versions(self._connection)
        return {
            "layers": {name: versions.get(name, 0) for name in sorted(self.layers_read)},
            "rasters": dict(sorted(self.rasters_read.items())),
        }

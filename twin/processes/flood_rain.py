"""The rain of a flood run: a design storm, a supplied forecast, or what gauges recorded, on ground and roofs."""

from datetime import timedelta

import numpy as np
import shapely
from numpy.typing import NDArray

from hydrology.design_storm import RainCurve, build_storm, fit_curve
from hydrology.rainfall import RainGrid, RainSeries, spread_gauges
from layers.errors import InputError, NotFoundError
from layers.grid import Grid
from layers.store.rasters import format_time
from twin.process import CityView
from twin.scenario import DesignStorm, RepeatRain, ReturnStorm, ScaleRain, Scenario, SupplyRain

Raster = NDArray[np.float64]

STEP_S = 600.0
"""Recorded rain is put together in steps of this [s]."""

SPACING = 500.0
"""Cell size of the field between gauges [m]."""

GAP_S = 7200.0
"""A reading stands for at most this time before it [s]: longer without readings is a gap, not a slow gauge."""

Rain = RainSeries | RainGrid


def make_rain(view: CityView, scenario: Scenario, grid: Grid, runoff: Raster, hours: float) -> Rain | None:
    """Return the rain of a scenario on a grid, None where none falls.

    runoff: share of the rain each cell gets [1] (rows, cols), above 1 where it drains roofs. Raises InputError for more
    than one storm, and for recorded rain where no gauge has any.
    """
    storms: tuple[DesignStorm | ReturnStorm, ...] = (*scenario.find(DesignStorm), *scenario.find(ReturnStorm))
    recorded, supplied = scenario.find(RepeatRain), scenario.find(SupplyRain)
    count = len(storms) + len(recorded) + len(supplied)
    if count > 1:
        raise InputError(f"the scenario has {count} rains, expected one")
    factor = float(np.prod([edit.factor for edit in scenario.find(ScaleRain)]))
    if recorded:
        return _catch_grid(read_recorded(view, scenario, grid, hours, factor), runoff)
    if supplied:
        return _rain_everywhere(*_step_depths(supplied[0]), factor, runoff)
    if not storms:
        return None
    fallen, duration = storms[0], storms[0].duration_hours * 3600.0
    if isinstance(fallen, ReturnStorm):
        curve = RainCurve(*fallen.curve).at(fallen.return_period)
    else:
        curve = fit_curve(fallen.depth_mm, duration)
    storm = build_storm(curve, duration, shape=fallen.shape)
    return _rain_everywhere(storm.times, storm.intensity, factor, runoff)


def _rain_everywhere(times: Raster, intensity: Raster, factor: float, runoff: Raster) -> Rain:
    """Return the same rain [mm/h] on every cell, ``factor`` [1] times as heavy."""
    if runoff.max(initial=0.0) <= 1.0:
        return RainSeries(times, intensity * factor, runoff)
    everywhere = np.zeros(runoff.shape, dtype=np.int32)
    return _catch_grid(RainGrid(times, intensity[:, None] * factor, everywhere), runoff)


def _step_depths(rain: SupplyRain) -> tuple[Raster, Raster]:
    """Return times [s] and intensities [mm/h] of rain given step by step; none falls after the last step."""
    step = rain.step_minutes * 60.0
    times = np.asarray(step * np.arange(len(rain.depths) + 1), dtype=np.float64)
    return times, np.append(np.asarray(rain.depths) * 3600.0 / step, 0.0)


def _catch_grid(rain: RainGrid, runoff: Raster) -> RainGrid:
    """Return the rain with its coefficient; where that is above 1 the cell has a heavier rain of its own."""
    factor = np.maximum(runoff, 1.0)
    factors, which = np.unique(factor, return_inverse=True)
    pairs, cell = np.unique(rain.cell.ravel().astype(np.int64) * factors.size + which.ravel(), return_inverse=True)
    intensity = rain.intensity[:, pairs // factors.size] * factors[pairs % factors.size]
    return RainGrid(rain.times, intensity, cell.reshape(runoff.shape).astype(np.int32), np.minimum(runoff, 1.0))


def read_recorded(view: CityView, scenario: Scenario, grid: Grid, hours: float, factor: float) -> RainGrid:
    """Return the rain that gauges recorded in the ``hours`` [h] of the scenario, ``factor`` [1] times as heavy.

    A reading is the rain since the one before. Between gauges it goes by inverse distance; a gauge without readings in
    that time counts no more than one that is not there.
    """
    start, end = scenario.base_time, scenario.base_time + timedelta(hours=hours)
    sensors = view.layer("sensors", columns=["kind"])
    sensors = sensors[(sensors["kind"] == "rain") & sensors.geometry.notna()]
    edges = np.append(np.arange(0.0, hours * 3600.0 - 1e-6, STEP_S), hours * 3600.0)
    places, fallen = [], []
    for sensor, point in zip(sensors["id"], sensors.geometry, strict=True):
        try:
            datastream = view.find_datastream(str(sensor), "rainfall")
        except NotFoundError:
            continue
        times, depths = view.series(datastream, start - timedelta(seconds=GAP_S), end + timedelta(seconds=GAP_S))
        times = times - start.timestamp()
        if ((times > 0.0) & (times <= edges[-1])).any():
            places.append(shapely.get_coordinates(point)[0])
            fallen.append(_spread_depths(times, depths, edges))
    if not places:
        raise InputError(
            f"no rain gauge has readings from {format_time(start)} to {format_time(end)}",
            hint="choose another base_time, or give storm_depth",
        )
    last = np.append(np.stack(fallen, axis=1) * factor, np.zeros((1, len(places))), axis=0)
    return spread_gauges(np.array(places), edges, last, grid, spacing=max(SPACING, grid.cell_size))


def _spread_depths(times: Raster, depths: Raster, edges: Raster) -> Raster:
    """Return the intensity [mm/h] between ``edges`` [s] of depths [mm] that each fell since the reading before."""
    first = times[0] - (STEP_S if times.size == 1 else times[1] - times[0])
    before = np.maximum(np.append(first, times[:-1]), times - GAP_S)
    # The rain up to any time is linear within each reading and stands still in gaps.
    moments = np.stack([before, times], axis=1).ravel()
    total = np.cumsum(np.stack([np.zeros_like(depths), depths], axis=1).ravel())
    fallen: Raster = np.diff(np.interp(edges, moments, total)) / np.diff(edges) * 3600.0
    return fallen

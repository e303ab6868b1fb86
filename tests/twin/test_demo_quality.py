"""The usual limits on the demo's gauges: the spikes that were planted are found, and nothing else is blamed."""

from datetime import UTC, datetime

import numpy as np
import shapely

from layers.quality.limits import read_limits, spread_limits
from layers.quality.series import Readings, flag_window
from twin.demo.readings import STEP, compute_stage, make_series
from twin.demo.stations import Station

SEED = 2026


def test_planted_spikes_are_found_and_good_readings_are_left_alone() -> None:
    stations = [
        Station(f"S-{k}", "Trạm", "Gauge", "stage", shapely.Point(0, 0), "water_bodies", "W", 400.0 * k, k % 2 == 1)
        for k in range(8)
    ]
    limits = [read_limits("stage", "", "m", float(STEP), None)]
    planted = found = lost = blamed = 0
    for station, series in zip(
        stations, make_series(stations, seed=SEED, end=datetime(2026, 11, 28, tzinfo=UTC)), strict=True
    ):
        times = series.seconds.astype(np.float64)
        readings = Readings(np.zeros(len(times), np.int64), times, series.result)
        failed = flag_window(readings, spread_limits(limits, readings.series)) >= 3
        # Noise is 12 mm; a spike is planted with 0.6 m or more.
        spiked = np.abs(series.result - compute_stage(station, series.seconds, SEED)) > 0.3
        near = np.diff(times, prepend=-np.inf) <= 3.5 * STEP
        near &= np.diff(times, append=np.inf) <= 3.5 * STEP
        planted += int(spiked.sum())
        found += int((spiked & failed).sum())
        lost += int((spiked & near & ~failed).sum())
        blamed += int((failed & ~spiked).sum())
    print(f"{planted} spikes planted in eight gauges, {found} found, {blamed} good readings blamed")
    assert planted > 15
    assert (lost, blamed) == (0, 0)

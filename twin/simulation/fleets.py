"""What simulated devices measure between two moments: the demo's stations, or any number of alike gauges.

Readings are functions of (seed, time, item): the same window gives the same readings, whoever asks and when.
"""

import zlib
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from layers.observed import OBSERVED
from twin.demo.readings import compute_results, find_interval, name_series
from twin.demo.shapes import hash_uniform
from twin.demo.stations import Station
from twin.demo.tide import compute_river_stage

SYNTHETIC = "SIM"
GRID_S = 600
SPANS_FROM = 1_790_812_800  # 2026-10-01T00:00Z


@dataclass(frozen=True, slots=True)
class Measured:
    """Readings of one series in order of time. ``seconds``: Unix time [s], ``result`` in the series' unit."""

    datastream_id: str
    sensor_id: str
    seconds: NDArray[np.float64]
    result: NDArray[np.float64]


class Fleet(Protocol):
    """Devices that measure, of which each has an id."""

    @property
    def sensor_ids(self) -> list[str]:
        """Ids of the devices."""

    def measure(self, after: float, until: float) -> list[Measured]:
        """Return the readings of ``after`` < time ≤ ``until`` (Unix times [s]), series without any left out."""


class StationFleet:
    """The demo's stations; they measure every ten minutes or every hour, by kind."""

    def __init__(self, stations: list[Station], seed: int) -> None:
        self._stations, self._seed = stations, seed

    @property
    def sensor_ids(self) -> list[str]:
        """Ids of the stations."""
        return [station.id for station in self._stations]

    def measure(self, after: float, until: float) -> list[Measured]:
        """Return the readings of the window."""
        measured = []
        for number, station in enumerate(self._stations):
            step = find_interval(station.kind)
            seconds = np.arange(int(after // step) + 1, int(until // step) + 1, dtype=np.int64) * step
            if len(seconds):
                results = compute_results(station, number, seconds, self._seed)
                measured += [
                    Measured(name_series(station, one.name), station.id, seconds.astype(np.float64), results[one.name])
                    for one in OBSERVED[station.kind]
                ]
        return measured

    def measure_spans(self) -> dict[str, float]:
        """Return how far apart the results of each series lie in two days, always the same ones."""
        days = self.measure(SPANS_FROM, SPANS_FROM + 2 * 86_400)
        return {one.datastream_id: float(np.ptp(one.result)) for one in days}


class SyntheticFleet:
    """``count`` gauges beside the main one, each at a moment of its own within every ``interval`` [s]."""

    def __init__(self, count: int, interval: float, seed: int) -> None:
        self.sensor_ids = name_devices(count)
        self._interval, self._seed = interval, seed
        self._phase = np.arange(count) / count * interval

    def measure(self, after: float, until: float) -> list[Measured]:
        """Return the readings of the window."""
        # Between moments that do not depend on the window.
        grid = np.arange(int(after // GRID_S), int(until // GRID_S) + 2, dtype=np.int64) * GRID_S
        levels = compute_river_stage(grid, self._seed)
        first = np.floor((after - self._phase) / self._interval).astype(np.int64) + 1
        last = np.floor((until - self._phase) / self._interval).astype(np.int64)
        measured = []
        for device in np.flatnonzero(last >= first):
            turns = np.arange(first[device], last[device] + 1)
            seconds = (turns * self._interval + self._phase[device]).round(6)
            level = np.interp(seconds, grid, levels)
            noise = 0.02 * (hash_uniform(self._seed, 51, int(device), turns) - 0.5)
            name = self.sensor_ids[device]
            measured.append(Measured(f"{name}-stage", name, seconds, (level + noise).round(4)))
        return measured


def name_devices(count: int) -> list[str]:
    """Return the ids of synthetic devices."""
    return [f"{SYNTHETIC}-{number:05d}" for number in range(1, count + 1)]


def key_of(name: str) -> int:
    """Return the number that the chance of ``name`` is drawn by."""
    return zlib.crc32(name.encode())

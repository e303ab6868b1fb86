"""Readings of every station as a function of absolute time and seed: stage, showers, pumps, gates, and the rest.

Chance comes from hashes of (seed, stream, time), so a reading never depends on when the demo was made.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from scipy.special import ndtri

from layers.errors import InputError
from layers.observed import OBSERVED
from twin.demo.device_readings import compute_device
from twin.demo.plan import Flags, Floats, Ints
from twin.demo.shapes import hash_uniform
from twin.demo.stations import Station
from twin.demo.tide import MEAN_STAGE, compute_river_stage

STEP = 600
DAYS = 60
# Gauges report every ten minutes for sixty days, counters of traffic every five for fifteen; the other kinds every hour
# for thirty.
HOUR, DEVICE_DAYS = 3600, 30
COUNTER, COUNTER_DAYS = 300, 15
GATE_CLOSES = 1.35
GAUGES = ("stage", "rain", "pump", "gate")


@dataclass(frozen=True, slots=True)
class Series:
    """One datastream with the readings that arrived. ``seconds``: Unix time [s]; ``interval``: between two [s]."""

    datastream_id: str
    sensor_id: str
    observed_property: str
    unit: str
    name_vi: str
    name_en: str
    seconds: Ints
    result: Floats
    interval: int = STEP


def check_end(end: datetime) -> None:
    """Raise InputError when ``end`` has no time zone."""
    if end.tzinfo is None:
        raise InputError(
            f"end {end.isoformat()} has no time zone, expected an aware datetime such as {datetime.now(UTC)}"
        )


def make_series(stations: list[Station], *, seed: int, end: datetime) -> list[Series]:
    """Return the readings of all stations up to ``end``, as often and as long as their kinds report.

    Raises InputError when ``end`` has no time zone.
    """
    check_end(end)
    series = []
    for number, station in enumerate(stations):
        step = find_interval(station.kind)
        days = DAYS if station.kind in GAUGES else COUNTER_DAYS if station.kind == "traffic" else DEVICE_DAYS
        span = timedelta(days=days)
        last = int(end.timestamp()) // step * step
        seconds = np.arange(last - int(span.total_seconds()) + step, last + step, step, dtype=np.int64)
        results = compute_results(station, number, seconds, seed)
        kept = _arrives(seconds, seed, number)
        for observed in OBSERVED[station.kind]:
            series.append(
                Series(
                    name_series(station, observed.name), station.id, observed.name, observed.unit,
                    f"{observed.title.vi} – {station.name}", f"{observed.title.en} – {station.name_en}",
                    seconds[kept], results[observed.name][kept], step,
                )
            )  # fmt: skip
    return series


def find_interval(kind: str) -> int:
    """Return how often sensors of ``kind`` measure [s]."""
    return STEP if kind in GAUGES else COUNTER if kind == "traffic" else HOUR


def name_series(station: Station, observed_property: str) -> str:
    """Return the id of a station's series."""
    return f"{station.id}-{observed_property}"


def compute_results(station: Station, number: int, seconds: Ints, seed: int) -> dict[str, Floats]:
    """Return what a station measures at Unix times, by observed property.

    ``seconds`` are all multiples of the kind's interval between the first and the last; ``number`` is the station's
    place in the demo's list, by which the chance of gauges is drawn.
    """
    if station.kind in GAUGES:
        return {OBSERVED[station.kind][0].name: _compute_result(station, number, seconds, seed)}
    return compute_device(station, seconds, seed)


def _compute_result(station: Station, number: int, seconds: Ints, seed: int) -> Floats:
    if station.kind == "rain":
        return compute_rain(seconds, seed, number)
    if station.kind == "gate":
        return (compute_river_stage(seconds, seed) < GATE_CLOSES).astype(np.float64)
    if station.kind == "pump":
        return _compute_pump(seconds, seed, gated=station.gated).astype(np.float64)
    true = compute_stage(station, seconds, seed)
    noise = 0.012 * ndtri(hash_uniform(seed, 101, number, seconds // STEP))
    spike = hash_uniform(seed, 102, number, seconds // STEP)
    height = 0.6 + 0.9 * hash_uniform(seed, 103, number, seconds // STEP)
    jump = np.where(spike < 0.0002, height, np.where(spike < 0.0004, -height, 0.0))
    return np.asarray((true + noise + jump).round(3), np.float64)


def compute_stage(station: Station, seconds: Ints, seed: int) -> Floats:
    """Return the true stage at a gauge [m]: canals lag and damp the river; gates hold the spring tide out."""
    lag = int(station.inland / 2.2) // 60 * 60
    damping = 1.0 - min(station.inland, 3500.0) / 3500.0 * 0.22
    river = compute_river_stage(seconds - lag, seed)
    stage = MEAN_STAGE + damping * (river - MEAN_STAGE)
    if not station.gated:
        return np.asarray(stage, np.float64)
    runoff = 0.004 * _sum_back(compute_rain(_extend(seconds, 18), seed, 900), 18)
    return np.asarray(np.minimum(stage, 1.22) + np.minimum(runoff, 0.35), np.float64)


def _extend(seconds: Ints, steps: int) -> Ints:
    return np.concatenate([seconds[0] - STEP * np.arange(steps, 0, -1), seconds])


def _sum_back(values: Floats, steps: int) -> Floats:
    """Return the sum over the last ``steps`` values, for an array extended by as many before its start."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    return np.asarray(total[steps + 1 :] - total[1:-steps], np.float64)


def compute_rain(seconds: Ints, seed: int, gauge: int) -> Floats:
    """Return rain in each 10-minute step [mm]: showers, mostly in the afternoon and from May to November."""
    slots = np.arange(int(seconds[0]) // 10_800 - 1, int(seconds[-1]) // 10_800 + 1)
    local_hour = (slots * 3 + 7 + 1.5) % 24.0
    season = np.cos(2.0 * np.pi * ((slots * 10_800 / 86_400.0) % 365.2425 - 245.0) / 365.2425)
    chance = (0.5 + 0.5 * season) * np.where((local_hour > 12.5) & (local_hour < 20.0), 0.20, 0.05)
    slots = slots[hash_uniform(seed, 11, slots) < chance]
    rain = np.zeros(len(seconds))
    start = slots * 10_800 // STEP + (hash_uniform(seed, 12, slots) * 18).astype(np.int64)
    length = 2 + (hash_uniform(seed, 13, slots) * 11).astype(np.int64)
    total = np.exp(2.35 + 0.75 * ndtri(hash_uniform(seed, 14, slots)))
    share = 0.35 + 1.1 * hash_uniform(seed, 15, slots, gauge)
    for begin, steps, depth in zip(start, length, (total * share).clip(0.4, 120.0), strict=True):
        k = np.arange(steps)
        shape = (k + 1.0) * np.exp(-2.5 * k / steps)
        shape *= 0.7 + 0.6 * hash_uniform(seed, 16, begin + k, gauge)
        at = begin + k - int(seconds[0]) // STEP
        inside = (at >= 0) & (at < len(rain))
        rain[at[inside]] += (depth * shape / shape.sum())[inside]
    return np.asarray((np.round(rain / 0.2) * 0.2).round(1), np.float64)


def _compute_pump(seconds: Ints, seed: int, *, gated: bool) -> Flags:
    river = compute_river_stage(seconds, seed)
    rain = _sum_back(compute_rain(_extend(seconds, 12), seed, 900), 12)
    if gated:
        return np.asarray((river > GATE_CLOSES) & ((river > 1.6) | (rain > 3.0)), bool)
    return np.asarray((rain > 4.0) | (river > 1.85), bool)


def _arrives(seconds: Ints, seed: int, stream: int) -> Flags:
    """Return which readings reached the centre: now and then hours are missing, now and then one reading."""
    slot = seconds // 21_600
    outage = hash_uniform(seed, 201, stream, slot) < 0.010
    part = (seconds % 21_600) / 21_600.0 < hash_uniform(seed, 202, stream, slot)
    lost = hash_uniform(seed, 203, stream, seconds // STEP) < 0.0015
    return np.asarray(~(outage & part) & ~lost, bool)

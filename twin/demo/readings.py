"""Readings of every station as a function of absolute time and seed: tide, surge, showers, pumps, gates.

The tide is a sum of harmonic constituents with their astronomical arguments (Schureman 1958, mean longitudes
after Meeus 1998); amplitudes and lags are invented in the range of the lower Hau. Chance comes from hashes of
(seed, stream, time), so a reading never depends on when the demo was made.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from scipy.special import ndtri

from layers.errors import InputError
from twin.demo.plan import Flags, Floats, Ints
from twin.demo.shapes import hash_uniform
from twin.demo.stations import Station

STEP = 600
DAYS = 60
MEAN_STAGE = 1.00
GATE_CLOSES = 1.35
# name: (hour-angle, s, h, p multiples of the argument [–], constant [deg], amplitude [m], lag [deg])
CONSTITUENTS = {
    "M2": (2, -2, 2, 0, 0.0, 0.430, 105.0),
    "S2": (2, 0, 0, 0, 0.0, 0.140, 150.0),
    "N2": (2, -3, 2, 1, 0.0, 0.085, 85.0),
    "K2": (2, 0, 2, 0, 0.0, 0.038, 150.0),
    "K1": (1, 0, 1, 0, -90.0, 0.190, 330.0),
    "O1": (1, -2, 1, 0, 90.0, 0.140, 280.0),
    "P1": (1, 0, -1, 0, 90.0, 0.060, 330.0),
    "Q1": (1, -3, 1, 1, 90.0, 0.025, 260.0),
    "M4": (4, -4, 4, 0, 0.0, 0.040, 190.0),
    "MS4": (4, -2, 2, 0, 0.0, 0.028, 230.0),
    "Sa": (0, 0, 1, 0, 0.0, 0.220, 222.0),
    "Ssa": (0, 0, 2, 0, 0.0, 0.040, 80.0),
}
PROPERTY = {
    "stage": ("stage", "m", "Mực nước", "Stage"),
    "rain": ("rainfall", "mm", "Lượng mưa 10 phút", "Rainfall in 10 minutes"),
    "pump": ("pump_state", "1", "Trạng thái bơm", "Pump state"),
    "gate": ("gate_opening", "1", "Độ mở cửa van", "Gate opening"),
}


@dataclass(frozen=True, slots=True)
class Series:
    """One datastream with the readings that arrived. ``seconds``: Unix time [s]."""

    datastream_id: str
    sensor_id: str
    observed_property: str
    unit: str
    name_vi: str
    name_en: str
    seconds: Ints
    result: Floats


def check_end(end: datetime) -> None:
    """Raise InputError when ``end`` has no time zone."""
    if end.tzinfo is None:
        raise InputError(
            f"end {end.isoformat()} has no time zone, expected an aware datetime such as {datetime.now(UTC)}"
        )


def make_series(stations: list[Station], *, seed: int, end: datetime) -> list[Series]:
    """Return 60 days of 10-minute readings of every station, the last at or just before ``end``.

    Raises InputError when ``end`` has no time zone.
    """
    check_end(end)
    last = int(end.timestamp()) // STEP * STEP
    seconds = np.arange(last - int(timedelta(days=DAYS).total_seconds()) + STEP, last + STEP, STEP, dtype=np.int64)
    series = []
    for number, station in enumerate(stations):
        observed, unit, name_vi, name_en = PROPERTY[station.kind]
        result = _compute_result(station, number, seconds, seed)
        kept = _arrives(seconds, seed, number)
        series.append(
            Series(
                f"{station.id}-{observed}", station.id, observed, unit, f"{name_vi} – {station.name}",
                f"{name_en} – {station.name_en}", seconds[kept], result[kept],
            )
        )  # fmt: skip
    return series


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


def compute_tide(seconds: Ints) -> Floats:
    """Return the astronomical tide with its seasonal part about the mean stage [m] at Unix times."""
    days = (seconds - 946_728_000) / 86_400.0
    hour_angle = 360.0 * ((seconds % 86_400) / 86_400.0)
    s, h, p = 218.3165 + 13.17639648 * days, 280.4661 + 0.98564736 * days, 83.3532 + 0.11140353 * days
    stage = np.zeros(len(seconds))
    for a, b, c, d, constant, amplitude, lag in CONSTITUENTS.values():
        stage += amplitude * np.cos(np.radians(a * hour_angle + b * s + c * h + d * p + constant - lag))
    return stage


def compute_river_stage(seconds: Ints, seed: int) -> Floats:
    """Return the stage of the river at the main gauge without noise [m above datum]."""
    return np.asarray(
        MEAN_STAGE + compute_tide(seconds) + _drift(seconds, seed, 1, 60, 0.045) + _drift(seconds, seed, 2, 240, 0.045),
        np.float64,
    )


def _drift(seconds: Ints, seed: int, stream: int, hours: int, spread: float) -> Floats:
    """Return first-order autoregressive weather with memory ``hours`` and standard deviation ``spread`` [m].

    The process is a truncated exponential filter over hourly hashed noise: the same for every window.
    """
    first, last = int(seconds[0]) // 3600, int(seconds[-1]) // 3600 + 1
    memory = 5 * hours
    noise = ndtri(hash_uniform(seed, stream, np.arange(first - memory, last + 1)))
    weights = np.exp(-np.arange(memory + 1) / hours)
    weights /= np.sqrt((weights**2).sum())
    hourly = np.convolve(noise, weights, mode="valid")
    return np.asarray(spread * np.interp(seconds / 3600.0, np.arange(first, last + 1), hourly), np.float64)


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

"""Readings of the demo's other sensors as functions of absolute time and seed: one function a kind.

Daily courses follow the local clock (UTC+7). Chance comes from hashes of (seed, item, time) and from weather that all
sensors share, so a reading never depends on when, or with which others, it was made. Times are Unix seconds in order.
"""

import zlib
from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from scipy.special import ndtri

from twin.demo.lighting_meters import meter_lighting
from twin.demo.plan import Flags, Floats, Ints
from twin.demo.pressure_loggers import LOADS
from twin.demo.shapes import hash_uniform
from twin.demo.stations import Station
from twin.demo.tide import compute_drift, compute_river_stage
from twin.demo.traffic_readings import COURSE, count_traffic

Results = dict[str, Floats]
LOCAL = 7 * 3600
DAY = 86_400
# Share of the largest load at each hour of the local clock.
POWER = (
    np.array([52, 48, 46, 45, 46, 50, 58, 66, 74, 80, 84, 86, 80, 82, 86, 86, 84, 88, 98, 100, 96, 86, 72, 60]) / 100.0
)
PARKED = (
    np.array([20, 18, 16, 15, 15, 18, 30, 55, 78, 85, 84, 80, 72, 74, 80, 82, 76, 66, 70, 74, 66, 50, 36, 26]) / 100.0
)
WATER = (
    np.array([14, 12, 10, 11, 22, 52, 80, 86, 74, 66, 66, 70, 64, 56, 56, 60, 74, 88, 92, 80, 64, 48, 32, 20]) / 100.0
)
COLLECTED_AT = 5 * 3600
KPA_PER_METRE = 9.80665
COUNTED_FROM = 1_735_664_400  # 2025-01-01T00:00+07:00, when the meters began at nought


def key_of(station: Station) -> int:
    """Return the number that a station's chance is drawn by."""
    return zlib.crc32(station.id.encode())


def compute_device(station: Station, seconds: Ints, seed: int) -> Results:
    """Return the results of every property the station observes, by name."""
    return _KINDS[station.kind](station, seconds, seed)


def _measure_flow(station: Station, seconds: Ints, seed: int) -> Results:
    """Return the discharge [m³/s] of a tidal canal or a water main."""
    if station.watched_layer in ("water_valves", "water_pumps"):
        return _measure_main(station, seconds, seed)
    return _measure_canal(station, seconds, seed)


def _measure_main(station: Station, seconds: Ints, seed: int) -> Results:
    """Return the discharge of a water main: what customers use and old leaks take, and the new leak."""
    use = station.scale * _use_water(station, seconds, seed) + station.leak * _is_leaking(station, seconds)
    return {"discharge": (use * (1.0 + _noise(station, seconds, seed, 0.006))).round(5)}


def _log_pressure(station: Station, seconds: Ints, seed: int) -> Results:
    """Return the pressure at a node of the water network [kPa].

    The loss from the valve that feeds the area swings by 2 % about the network's own, as customers do; the logger
    stands up to 0.3 m from the height in its papers and has a noise of 1 cm.
    """
    without, leaking = np.split(np.array(station.curve), 2)
    load = _use_water(station, seconds, seed)
    head = np.where(
        _is_leaking(station, seconds), np.interp(load, LOADS, leaking), np.interp(load, LOADS, without)
    )  # fmt: skip
    loss = without[0] - head
    swung = without[0] - loss * (1.0 + _noise(station, seconds, seed, 0.02))
    height = 0.6 * (_share(station) - 0.5)
    return {"pressure": (KPA_PER_METRE * (swung + height + _noise(station, seconds, seed, 0.01, 2))).round(2)}


def _is_leaking(station: Station, seconds: Ints) -> Flags:
    return np.asarray((seconds >= station.leak_from) & (station.leak_from > 0), bool)


def _use_water(station: Station, seconds: Ints, seed: int) -> Floats:
    """Return the use over its mean: what leaks all day, what customers use by the hour, more at weekends."""
    hours = np.interp(_local_hour(seconds), np.arange(25), np.append(WATER, WATER[0])) / WATER.mean()
    day = (seconds + LOCAL) // DAY
    weekend = np.where((day + 3) % 7 >= 5, 1.06, 0.976)
    daily = weekend * (1.0 + 0.03 * ndtri(hash_uniform(seed, 41, day)))
    return np.asarray((1.0 - station.still) * hours * daily + station.still, np.float64)


def _measure_canal(station: Station, seconds: Ints, seed: int) -> Results:
    """Return the discharge of a tidal canal [m³/s], positive to the river: storage inland of it times fall of stage."""
    area = 60.0 * max(3500.0 - station.inland, 400.0)
    river = {shift: compute_river_stage(seconds + shift - int(station.inland / 2.2), seed) for shift in (-600, 600)}
    fall = (river[-600] - river[600]) / 1200.0
    return {
        "discharge": (area * fall * (0.3 if station.gated else 1.0) + _noise(station, seconds, seed, 0.05)).round(3)
    }


def _probe_water(station: Station, seconds: Ints, seed: int) -> Results:
    hour = _local_hour(seconds)
    warm = 28.8 + 1.1 * _season(seconds, 120.0) + 0.7 * np.cos(2.0 * np.pi * (hour - 15.0) / 24.0)
    warm = warm + compute_drift(seconds, seed, 31, 72, 0.4)
    sun = np.cos(2.0 * np.pi * (hour - 14.5) / 24.0)
    turbid = 48.0 * np.exp(0.5 * _season(seconds, 270.0) + compute_drift(seconds, seed, 32, 30, 0.3))
    salt = 0.12 + 1.6 * np.maximum(_season(seconds, 90.0) - 0.35, 0.0) * (1.0 - min(station.inland, 3500.0) / 5000.0)
    return {
        "dissolved_oxygen": (4.9 + 0.9 * sun - 0.12 * (warm - 29.0) + _noise(station, seconds, seed, 0.08)).round(2),
        "ph": (7.15 + 0.18 * sun + _noise(station, seconds, seed, 0.02, 2)).round(2),
        "turbidity": (turbid * np.exp(_noise(station, seconds, seed, 0.05, 3))).round(1),
        "salinity": (salt + np.abs(_noise(station, seconds, seed, 0.01, 4))).round(2),
        "water_temperature": (warm + _noise(station, seconds, seed, 0.05, 5)).round(2),
    }


def _watch_well(station: Station, seconds: Ints, seed: int) -> Results:
    pumped = np.interp(_local_hour(seconds), np.arange(25), np.append(POWER, POWER[0]))
    depth = 6.8 + 0.9 * _season(seconds, 110.0) + 0.12 * pumped + compute_drift(seconds, seed, 33, 480, 0.1)
    salt = 0.42 + 0.05 * _season(seconds, 110.0)
    return {
        "water_table_depth": (depth + 1.5 * _share(station) + _noise(station, seconds, seed, 0.005)).round(3),
        "salinity": (salt + _noise(station, seconds, seed, 0.004, 2)).round(3),
    }


def _meter_effluent(station: Station, seconds: Ints, seed: int) -> Results:
    """Return a works' discharge [m³/d] against its permit, and its COD, seldom above what is allowed."""
    rate = station.scale * (0.35 + 0.6 * np.interp(_local_hour(seconds), np.arange(25), np.append(POWER, POWER[0])))
    load = 58.0 * np.exp(compute_drift(seconds, seed, 1000 + key_of(station) % 1000, 20, 0.35))
    return {
        "effluent_discharge": (rate * np.exp(_noise(station, seconds, seed, 0.06))).round(2),
        "chemical_oxygen_demand": (load * np.exp(_noise(station, seconds, seed, 0.04, 2))).round(1),
        "ph": (7.3 + _noise(station, seconds, seed, 0.08, 3)).round(2),
    }


def _sniff_air(station: Station, seconds: Ints, seed: int) -> Results:
    hour = _local_hour(seconds)
    busy = np.interp(hour, np.arange(25), np.append(COURSE, COURSE[0]))
    fine = 19.0 * np.exp(0.45 * _season(seconds, 15.0) + 0.25 * busy + compute_drift(seconds, seed, 34, 36, 0.35))
    warm = 27.4 + 1.0 * _season(seconds, 115.0) + 3.6 * np.cos(2.0 * np.pi * (hour - 14.0) / 24.0)
    warm = warm + compute_drift(seconds, seed, 35, 48, 0.6)
    return {
        "pm2p5": (fine * np.exp(_noise(station, seconds, seed, 0.08))).round(1),
        "pm10": (1.7 * fine * np.exp(_noise(station, seconds, seed, 0.10, 2))).round(1),
        "nitrogen_dioxide": ((9.0 + 22.0 * busy) * np.exp(_noise(station, seconds, seed, 0.10, 3))).round(1),
        "air_temperature": (warm + _noise(station, seconds, seed, 0.1, 4)).round(1),
        "relative_humidity": np.clip(
            80.0 - 4.2 * (warm - 27.0) + _noise(station, seconds, seed, 1.5, 5), 30, 100
        ).round(0),
    }


def is_dark(seconds: Ints) -> Flags:
    """Return when street lights are lit: from sunset to sunrise at 10° N, within a few minutes."""
    hour, shift = _local_hour(seconds), 0.25 * _season(seconds, 172.0)
    return np.asarray((hour >= 17.9 + shift) | (hour < 5.75 - shift), bool)


def _control_light(station: Station, seconds: Ints, seed: int) -> Results:
    """Return the level of a light (half from eleven at night to five) and the power it takes [W]."""
    hour = _local_hour(seconds)
    level = np.where(is_dark(seconds), np.where((hour >= 23.0) | (hour < 5.0), 0.5, 1.0), 0.0)
    power = 0.8 * station.scale * level * np.exp(_noise(station, seconds, seed, 0.01)) + 0.002 * station.scale
    return {"light_level": level, "active_power": power.round(1)}


def _count_traffic(station: Station, seconds: Ints, seed: int) -> Results:
    return count_traffic(station, seconds, seed, key_of(station))


def _weigh_bin(station: Station, seconds: Ints, seed: int) -> Results:
    """Return how full a bin is: it fills steadily and is emptied at five in the morning, now and then not."""
    key = key_of(station)
    day, since = np.divmod(seconds + LOCAL - COLLECTED_AT, DAY)
    passed = since / DAY
    waiting = np.ones(len(seconds), bool)
    for back in range(7):
        waiting &= hash_uniform(seed, 41, key, day - back) < 0.18
        passed = passed + waiting
    rate = 0.35 + 0.35 * _share(station)
    return {"filling_level": np.minimum(rate * passed + np.abs(_noise(station, seconds, seed, 0.005)), 1.0).round(3)}


def _watch_bay(station: Station, seconds: Ints, seed: int) -> Results:
    """Return whether a car stands in the bay; it is asked anew every two hours, at a minute of its own."""
    key = key_of(station)
    slot = (seconds + key % 7200) // 7200
    chance = np.interp(((slot * 7200 + LOCAL) % DAY) / 3600.0, np.arange(25), np.append(PARKED, PARKED[0]))
    return {"bay_occupied": (hash_uniform(seed, 42, key, slot) < chance).astype(np.float64)}


def _meter_power(station: Station, seconds: Ints, seed: int) -> Results:
    """Return the mean power of the hour [W], the register [kWh] that is its exact integral, and the voltage [V]."""
    if station.watched_layer == "lighting_cabinets":
        return meter_lighting(station, seconds, seed, key_of(station))
    days, within = np.divmod(seconds - COUNTED_FROM, DAY)
    total = np.concatenate([[0.0], np.cumsum(POWER)])
    hours = total[-1] * days + np.interp(within / 3600.0, np.arange(25), total)
    power = station.scale * POWER[(within // 3600).astype(np.int64)]
    sag = 4.0 * POWER[(within // 3600).astype(np.int64)]
    nominal = 22_000.0 if station.watched_layer == "substations" else 230.0
    return {
        "active_power": power.round(1),
        "energy_imported": (station.scale * hours / 1000.0).round(3),
        "voltage": (nominal * (1.0 + (2.0 - sag + _noise(station, seconds, seed, 0.6)) / 230.0)).round(1),
    }


def _local_hour(seconds: Ints) -> Floats:
    return np.asarray(((seconds + LOCAL) % DAY) / 3600.0, np.float64)


def _season(seconds: Ints, peak_day: float) -> Floats:
    """Return a year's cosine that is 1 on day ``peak_day`` of the year."""
    return np.asarray(np.cos(2.0 * np.pi * ((seconds / DAY) % 365.2425 - peak_day) / 365.2425), np.float64)


def _share(station: Station) -> float:
    """Return a number in (0, 1) that is the item's own."""
    return float(hash_uniform(7, key_of(station)))


def _noise(station: Station, seconds: Ints, seed: int, spread: float, stream: int = 1) -> Floats:
    return np.asarray(spread * ndtri(hash_uniform(seed, 300 + stream, key_of(station), seconds)), np.float64)


_KINDS: Mapping[str, Callable[[Station, Ints, int], Results]] = MappingProxyType(
    {
        "flow": _measure_flow,
        "water_quality": _probe_water,
        "groundwater": _watch_well,
        "licensed_discharge": _meter_effluent,
        "air_quality": _sniff_air,
        "light": _control_light,
        "traffic": _count_traffic,
        "bin_level": _weigh_bin,
        "parking_bay": _watch_bay,
        "electricity_meter": _meter_power,
        "water_pressure": _log_pressure,
    }
)

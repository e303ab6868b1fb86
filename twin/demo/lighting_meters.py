"""Meters in lighting cabinets: registers that are the exact integral of what the lamps take, some with a fault.

Lamps burn from dusk to dawn. Four cabinets show what meters are read for: one burns by day, one has a dead phase, one
has a clock that is two hours late, one has lost a fifth of its lamps.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from scipy.special import ndtri

from twin.demo.plan import Floats, Ints
from twin.demo.shapes import Table, hash_uniform
from twin.demo.stations import Station

LOCAL, DAY, HOUR = 7 * 3600, 86_400, 3_600
COUNTED_FROM = 1_735_664_400 - 12 * HOUR  # the noon before 2025, when the registers began at nought
METERS = 16
FAULTS: Mapping[int, str] = MappingProxyType({2: "burns_by_day", 5: "dead_phase", 9: "clock_wrong", 13: "dark_lamps"})
SHARES = MappingProxyType({"dead_phase": 2.0 / 3.0, "dark_lamps": 0.8})
CLOCK_LATE = 2 * HOUR


def find_load(luminaires: Table, cabinets: Table) -> Floats:
    """Return the power of the lamps of each cabinet [W]."""
    names = {str(name): row for row, name in enumerate(cabinets.columns["id"])}
    rows = np.array([names[str(name)] for name in luminaires.columns["cabinet_id"]], np.int64)
    power = luminaires.columns["power"].astype(np.float64)
    return np.asarray(np.bincount(rows, weights=power, minlength=len(cabinets)), np.float64)


def meter_lighting(station: Station, seconds: Ints, seed: int, key: int) -> dict[str, Floats]:
    """Return register [kWh], mean power of the hour [W] and voltage [V] of a cabinet; ``key`` is its own."""
    fault = FAULTS.get(int(station.id.rsplit("-", 1)[-1]), "")
    late = CLOCK_LATE if fault == "clock_wrong" else 0
    energy, before = (_integrate(station.scale, moments - late, fault) for moments in (seconds, seconds - HOUR))
    noise = 0.6 * ndtri(hash_uniform(seed, 361, key, seconds))
    # A register is exact; the power swings with the voltage.
    power = (energy - before) * 1000.0 * (1.0 + 2.0 * noise / 230.0)
    return {
        "active_power": power.round(1),
        "energy_imported": energy.round(3),
        "voltage": (230.0 + 1.5 + noise - 3.0 * power / max(station.scale, 1.0)).round(1),
    }


def _integrate(scale: float, seconds: Ints, fault: str) -> Floats:
    """Return the energy since the registers began [kWh]."""
    if fault == "burns_by_day":
        return np.asarray(scale * (seconds - COUNTED_FROM) / HOUR / 1000.0, np.float64)
    nights = np.arange(int(seconds.max() - COUNTED_FROM) // DAY + 2)
    noon = COUNTED_FROM + nights * DAY
    # Dusk and dawn at 10 degrees north, within a few minutes.
    shift = 0.25 * np.cos(2.0 * np.pi * ((noon / DAY) % 365.2425 - 172.0) / 365.2425)
    dusk, dawn = noon + (5.75 + shift) * HOUR, noon + (17.75 - shift) * HOUR
    lit = np.concatenate([[0.0], np.cumsum(dawn - dusk)])
    edges = np.column_stack([dusk, dawn]).ravel()
    sums = np.column_stack([lit[:-1], lit[1:]]).ravel()
    hours = np.interp(seconds, edges, sums, left=0.0) / HOUR
    return np.asarray(SHARES.get(fault, 1.0) * scale * hours / 1000.0, np.float64)

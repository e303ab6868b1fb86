"""What a meter says of a cabinet against what its lamps should take, and what may explain the difference."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from layers.errors import NotFoundError
from twin.lighting.plan import Load
from twin.process import CityView

Values = NDArray[np.float64]
TOLERANCE = 0.08
"""A difference within this share is as planned: lamps, drivers and meters are not exact."""
LONGEST_GAP = 3 * 3600.0
DAY_SHARE, OFF_SHARE = 0.1, 0.02
SHIFTS = np.arange(-6.0, 6.25, 0.5) * 3600.0
SHIFTED = 0.5
"""A clock is wrong where another hour explains the readings with less than this share of the error."""


@dataclass(frozen=True, eq=False)
class Metered:
    """Energy between two readings: from ``begin`` to ``end`` [s since 1970 UTC] (n,), ``energy`` [kWh] (n,)."""

    begin: Values
    end: Values
    energy: Values

    @property
    def seconds(self) -> float:
        """How much time the readings cover [s]."""
        return float((self.end - self.begin).sum())


@dataclass(frozen=True, slots=True)
class Comparison:
    """Plan and meter over the time that is metered: energies [kWh], of which by day (while all should be off),
    difference as a share of the plan, the likely reason, and by how much a clock is late [h] where it is wrong.
    """

    planned: float
    metered: float
    by_day: float
    deviation: float
    hint: str
    clock_late: float = 0.0


def read_metered(city: CityView, sensor: str, start: datetime, end: datetime) -> Metered | None:
    """Return what a sensor metered: by its register ``energy_imported`` [kWh], else by ``active_power`` [W].

    Gaps longer than three hours are left out, as is a register that falls (it was changed). None where it has neither.
    """
    for name in ("energy_imported", "active_power"):
        try:
            series = city.find_datastream(sensor, name)
        except NotFoundError:
            continue
        times, values = city.series(series, start, end)
        if times.size < 2:
            continue
        begin, stop = times[:-1], times[1:]
        hours = (stop - begin) / 3600.0
        energy = np.diff(values) if name == "energy_imported" else values[1:] * hours / 1000.0
        good = (hours > 0.0) & (hours * 3600.0 <= LONGEST_GAP) & (energy >= 0.0)
        if good.any():
            return Metered(begin[good], stop[good], energy[good])
    return None


def compare(load: Load, metered: Metered) -> Comparison:
    """Return how a meter differs from the plan, and why that may be."""
    planned = load.integrate(metered.end) - load.integrate(metered.begin)
    hours = (metered.end - metered.begin) / 3600.0
    full = load.full * hours / 1000.0
    off, lit = planned <= 1e-9, planned > 0.5 * full
    total, read, by_day = float(planned.sum()), float(metered.energy.sum()), float(metered.energy[off].sum())
    deviation = read / total - 1.0 if total > 0.0 else 0.0
    hint, late = _explain(load, metered, planned, full, off, lit)
    return Comparison(total, read, by_day, deviation, hint, late)


def _explain(
    load: Load, metered: Metered, planned: Values, full: Values, off: NDArray[np.bool_], lit: NDArray[np.bool_]
) -> tuple[str, float]:
    total, energy = float(planned.sum()), metered.energy
    if energy.sum() < OFF_SHARE * total:
        return "off", 0.0
    late = _find_clock(load, metered, planned)
    if late:
        return "clock_wrong", late
    if energy[off].sum() > DAY_SHARE * total:
        return "burns_by_day", 0.0
    dimmed = (planned > 1e-9) & (planned < 0.9 * full)
    bright = planned >= 0.9 * full
    if dimmed.any() and bright.any():
        over, right = (float(energy[part].sum() / planned[part].sum()) for part in (dimmed, bright))
        if over > 1.0 + 2.0 * TOLERANCE and abs(right - 1.0) < TOLERANCE:
            return "not_dimmed", 0.0
    part = bright if bright.any() else lit
    share = float(energy[part].sum() / planned[part].sum()) if part.any() else float(energy.sum() / total)
    if abs(share - 2.0 / 3.0) < 0.05 or abs(share - 1.0 / 3.0) < 0.05:
        return "dead_phase", 0.0
    if share < 1.0 - TOLERANCE:
        return "dark_lamps", 0.0
    return ("more_load" if energy.sum() > (1.0 + TOLERANCE) * total else "as_planned"), 0.0


def _find_clock(load: Load, metered: Metered, planned: Values) -> float:
    """Return by how many hours the lamps are late where that explains the readings far better, else 0."""
    scale = metered.energy.sum() / max(planned.sum(), 1e-9)
    inside = (metered.begin - load.times[0] >= SHIFTS.max()) & (load.end - metered.end >= SHIFTS.max())
    if not inside.any() or not 0.3 < scale < 3.0:
        return 0.0
    energy = metered.energy[inside]
    errors = []
    for shift in SHIFTS:
        moved = load.integrate(metered.end[inside] - shift) - load.integrate(metered.begin[inside] - shift)
        errors.append(float(np.abs(energy - scale * moved).sum()))
    best = int(np.argmin(errors))
    now = errors[int(np.argmin(np.abs(SHIFTS)))]
    return float(SHIFTS[best] / 3600.0) if abs(SHIFTS[best]) >= 1800.0 and errors[best] < SHIFTED * now else 0.0

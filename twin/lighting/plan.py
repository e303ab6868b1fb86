"""What lamps should take by their programs: the integral of power over levels, by lamp and by cabinet.

Dimming curve: the ``powerLightGradient`` of TALQ's LampType, the change of light divided by the change of power from
full on: power = rated (1 - (1 - level) / gradient). 1 (as TALQ presumes) is proportional, as good LED drivers nearly
are; discharge lamps on dimmable ballasts give half the light for two thirds of the power, a gradient of 1.5.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.datum import CRS84, make_transformer
from layers.errors import InputError
from twin.lighting.documents import read_lamp_document
from twin.networks.circuits import LightingCircuits
from twin.process import CityView
from twin.state.lamps import PRESUMED, LampCalendar, list_levels

GRADIENTS: Mapping[str, float] = MappingProxyType({"led": 1.0, "sodium": 1.5, "mercury": 1.5, "halide": 1.5})
Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Load:
    """Power as steps: ``power`` [W] from each of ``times`` [s since 1970 UTC] on, to ``end``; ``full`` with all lit."""

    times: Values
    power: Values
    end: float
    full: float

    def integrate(self, at: Values) -> Values:
        """Return the energy [kWh] from the first time to each of ``at`` [s]."""
        edges = np.append(self.times, self.end)
        sums = np.concatenate([[0.0], np.cumsum(self.power * np.diff(edges))]) / 3.6e6
        return np.interp(at, edges, sums)

    @property
    def energy(self) -> float:
        """The energy of the whole period [kWh]."""
        return float(self.integrate(np.array([self.end]))[0])


def compute_share(level: Values | float, gradient: float) -> Values:
    """Return the share of the rated power at levels (0–1); none where a lamp is off.

    Raises InputError for a gradient that is not more than 0.
    """
    if not gradient > 0.0:
        raise InputError(f"a gradient of {gradient:g} of light over power is not more than 0", hint="1 is proportional")
    levels = np.asarray(level, np.float64)
    return np.where(levels > 0.0, np.clip(1.0 - (1.0 - levels) / gradient, 0.0, 1.0), 0.0)


def plan_loads(
    city: CityView, circuits: LightingCircuits, start: datetime, end: datetime, rows: Sequence[int]
) -> dict[int, Load]:
    """Return what each cabinet (row) should take from ``start`` to ``end``, by the calendars in force in that time.

    Lamps within a kilometre see the same sun: that of their cabinet. Override commands count for the lamps, circuits
    and cabinets they were sent to.
    """
    versions = _read_versions(city)
    to_degrees = make_transformer(city.crs, CRS84)
    ids = circuits.cabinets["id"].to_numpy(object)
    places = shapely.get_coordinates(circuits.cabinets.geometry.to_numpy())
    watts = circuits.lamps["power"].fillna(0.0).to_numpy(np.float64)
    kinds = circuits.lamps["lamp_type"].to_numpy(object)
    known: dict[tuple[object, ...], list[tuple[datetime, float]]] = {}
    loads = {}
    for row in rows:
        name = str(ids[row])
        longitude, latitude = to_degrees.transform(*places[row])
        here = round(latitude, 2), round(longitude, 2)
        calendars = _choose_versions(versions, name)
        sent = {each for _, calendar in calendars for command in calendar.overrides for each in command.addresses}
        groups: dict[tuple[frozenset[str], float], float] = {}
        for lamp in np.flatnonzero(circuits.lamp_cabinets == row).tolist():
            own = frozenset({str(circuits.lamps["id"].iat[lamp]), str(circuits.lamp_circuits[lamp]), name} & sent)
            key = own, GRADIENTS.get(str(kinds[lamp]), 1.0)
            groups[key] = groups.get(key, 0.0) + watts[lamp]
        parts = []
        for (own, gradient), power in groups.items():
            signature = (name if versions.get(name) else "", here, own)
            if signature not in known:
                known[signature] = _list_steps(calendars, start, end, here, city, own)
            steps = known[signature]
            shares = compute_share(np.array([level for _, level in steps]), gradient)
            parts.append((np.array([moment.timestamp() for moment, _ in steps]), power * shares))
        loads[row] = _add(parts, start, end, sum(groups.values()))
    return loads


def _read_versions(city: CityView) -> dict[str, list[tuple[datetime, LampCalendar]]]:
    found: dict[str, list[tuple[datetime, LampCalendar]]] = {}
    for cabinet, valid_from, document in city.lamp_calendars:
        found.setdefault(cabinet, []).append((valid_from, read_lamp_document(document)))
    return found


def _choose_versions(
    versions: Mapping[str, Sequence[tuple[datetime, LampCalendar]]], cabinet: str
) -> list[tuple[datetime, LampCalendar]]:
    """Return what a cabinet follows: the calendar of all until it has its first own."""
    own, every = versions.get(cabinet, ()), versions.get("", ())
    return [*(each for each in every if not own or each[0] < own[0][0]), *own]


def _list_steps(
    calendars: Sequence[tuple[datetime, LampCalendar]], start: datetime, end: datetime, here: tuple[float, float],
    city: CityView, addresses: frozenset[str],
) -> list[tuple[datetime, float]]:  # fmt: skip
    """Return the levels of the period under the calendar in force at each time of it."""
    first = datetime.min.replace(tzinfo=UTC)
    spans = [(first, PRESUMED), *calendars]
    steps: list[tuple[datetime, float]] = []
    for number, (begin, calendar) in enumerate(spans):
        low = max(begin, start)
        high = min(spans[number + 1][0] if number + 1 < len(spans) else end, end)
        if low < high:
            steps += list_levels(calendar, low, high, *here, city.zone, addresses)
    return steps


def _add(parts: Sequence[tuple[Values, Values]], start: datetime, end: datetime, full: float) -> Load:
    times = np.unique(np.concatenate([[start.timestamp()], *(moments for moments, _ in parts)]))
    power = np.zeros(times.size)
    for moments, watts in parts:
        power += watts[np.searchsorted(moments, times, side="right") - 1]
    return Load(times, power, end.timestamp(), float(full))

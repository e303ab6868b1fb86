"""What controllers say of lamps at a time: dark while the program says lit, or lit.

As ``lampFailure`` of the LampMonitorFunction of TALQ, told from readings: a lamp that takes less than a fifth of the
power it should, or reports the level 0, is dark.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import shapely

from layers.datum import CRS84, make_transformer
from layers.errors import NotFoundError
from twin.networks.circuits import CABINETS, LAMPS, LightingCircuits
from twin.networks.lamps_dark import SURE, LampReport
from twin.process import CityView
from twin.state.programs import LampPrograms, choose_versions, read_calendars

NEWEST = timedelta(hours=3)
"""How old a reading may be that still tells."""
DARK_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class ControllerReports:
    """What was read: lamps dark and lit, cabinets (rows) without power; how many controllers were asked and silent."""

    lamps: LampReport
    cabinets: tuple[int, ...]
    asked: int
    silent: int


def read_lamp_programs(city: CityView, circuits: LightingCircuits, at: datetime) -> LampPrograms:
    """Return what each lamp follows at a time, by the cabinet and circuit that feed it."""
    ids = circuits.cabinets["id"].to_numpy(object)
    feeds = {
        lamp: (str(ids[row]) if row >= 0 else None, str(name) or None)
        for lamp, row, name in zip(
            circuits.lamps["id"].tolist(), circuits.lamp_cabinets.tolist(), circuits.lamp_circuits.tolist(), strict=True
        )
    }
    own = {str(name): (str(name), None) for name in ids}
    return LampPrograms(at, city.zone, read_calendars(choose_versions(city.lamp_calendars, at)), {**own, **feeds})


def read_controllers(city: CityView, circuits: LightingCircuits, at: datetime) -> ControllerReports:
    """Return what the controllers of lamps and cabinets say at a time."""
    sensors = city.layer("sensors", columns=["watched_layer", "watched_id"])
    programs = read_lamp_programs(city, circuits, at)
    to_degrees = make_transformer(city.crs, CRS84)
    dark: list[int] = []
    lit: list[int] = []
    cabinets: list[int] = []
    asked = silent = 0
    for layer, frame in ((LAMPS, circuits.lamps), (CABINETS, circuits.cabinets)):
        rows = {name: row for row, name in enumerate(frame["id"].tolist())}
        own = sensors[(sensors["watched_layer"] == layer) & sensors["watched_id"].isin(list(rows))]
        power = _find_power(circuits, layer)
        for sensor, item in zip(own["id"].tolist(), own["watched_id"].tolist(), strict=True):
            row = rows[item]
            point = frame.geometry.iloc[row]
            longitude, latitude = to_degrees.transform(*shapely.get_coordinates(point)[0])
            level = programs.find_level_at(item, latitude, longitude)
            if level <= 0.0:
                continue
            share = _read_share(city, sensor, power.get(row, 0.0) * level, at)
            if share is None:
                silent += 1
                continue
            asked += 1
            if layer == LAMPS:
                (dark if share < DARK_SHARE else lit).append(row)
            elif share < DARK_SHARE / 10.0:
                cabinets.append(row)
    return ControllerReports(LampReport(tuple(dark), tuple(lit), SURE), tuple(cabinets), asked, silent)


def _find_power(circuits: LightingCircuits, layer: str) -> Mapping[int, float]:
    watts = circuits.lamps["power"].fillna(0.0).to_numpy(np.float64)
    if layer == LAMPS:
        return dict(enumerate(watts.tolist()))
    fed = circuits.lamp_cabinets >= 0
    sums = np.bincount(circuits.lamp_cabinets[fed], weights=watts[fed], minlength=len(circuits.cabinets))
    return dict(enumerate(sums.tolist()))


def _read_share(city: CityView, sensor: str, expected: float, at: datetime) -> float | None:
    """Return the newest power as a share of what is expected, else whether its level is above 0; None if silent."""
    for name in ("active_power", "light_level"):
        try:
            series = city.find_datastream(sensor, name)
        except NotFoundError:
            continue
        _, values = city.series(series, at - NEWEST, at)
        if not values.size:
            continue
        if name == "active_power" and expected > 0.0:
            return float(values[-1]) / expected
        if name == "light_level":
            return 1.0 if values[-1] > 0.0 else 0.0
    return None

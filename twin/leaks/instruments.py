"""The sensors that measure the water network, at the nodes and links of its model, and what they read at equal steps.

A pressure logger watches an item of ``water_nodes`` and measures ``pressure`` [kPa] or ``head`` [m above its node]; a
flow meter watches a pipe, valve or pump and measures ``discharge``. Of what kind the sensor is does not matter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from layers.errors import InputError, NotFoundError
from network.leaks.expectation import WEEK_S, Instruments, Readings
from twin.process import CityView
from twin.water.network import LINK_LAYERS, list_rows
from twin.water.study import Study

Array = NDArray[np.float64]

KPA_PER_METRE = 9.80665
MOST_LOGGERS = 500
STEPS = (900, 1200, 1800, 3600)
RECENT = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Gauge:
    """A series that measures the model: its id, the factor to m or m3/s, the name of the node or link in the model."""

    series: str
    factor: float
    name: str


@dataclass(frozen=True, slots=True)
class Gauges:
    """Loggers at nodes and meters on links that feed the searched zone.

    ``area`` is the metered area that is searched, ``only`` names its nodes; None: the whole network.
    """

    loggers: tuple[Gauge, ...]
    inlets: tuple[Gauge, ...]
    area: str | None
    only: tuple[str, ...] | None

    @property
    def instruments(self) -> Instruments:
        """What is measured, by its names in the model."""
        names = (tuple(gauge.name for gauge in gauges) for gauges in (self.loggers, self.inlets))
        return Instruments(*names)


def find_gauges(view: CityView, study: Study, area: str | None) -> Gauges:
    """Return what measures an area of the network; without one the area that all loggers stand in, or all of it.

    The zone's inlets are the metered links that lead into it or out of it; where one that leads is not metered, none
    counts. Without an area they are the metered links at a reservoir, where each has a meter. Raises NotFoundError for
    an area without nodes, InputError without a pressure logger in it.
    """
    network = study.network
    inside = np.ones(len(network.nodes), np.bool_) if area is None else study.areas == area
    if not inside.any():
        known = sorted({name for name in study.areas.tolist() if name is not None})
        raise NotFoundError(f"no node of the water network is in area '{area}'", hint=f"one of {', '.join(known[:20])}")
    sensors = view.layer("sensors", columns=["watched_layer", "watched_id"])
    watching: dict[tuple[str, str], list[str]] = {}
    for row in list_rows(sensors):
        watching.setdefault((row.watched_layer, row.watched_id), []).append(row.id)
    loggers, where = [], set()
    for row in np.flatnonzero(inside).tolist():
        gauge = _find_series(
            view,
            watching.get(("water_nodes", network.nodes["id"][row]), ()),
            {"pressure": 1.0 / KPA_PER_METRE, "head": 1.0},
            study.model.nodes[row],
        )
        if gauge is not None and network.nodes["node_type"][row] == "junction":
            loggers.append(gauge)
            where.add(study.areas[row])
    if not loggers:
        zone = "the water network" if area is None else f"area '{area}'"
        raise InputError(
            f"no sensor measures the pressure at a junction of {zone}",
            hint="add sensors with watched_layer water_nodes, watched_id and a series of pressure or head",
        )
    if len(loggers) > MOST_LOGGERS:
        raise InputError(f"{len(loggers)} pressure loggers, expected at most {MOST_LOGGERS}", hint="name one area")
    if area is None and len(where) == 1 and None not in where:
        [area] = where
        inside = study.areas == area
    only = None if area is None else tuple(np.array(study.model.nodes, object)[inside].tolist())
    return Gauges(tuple(loggers), _find_inlets(view, study, inside, watching, whole=area is None), area, only)


def _find_inlets(
    view: CityView,
    study: Study,
    inside: NDArray[np.bool_],
    watching: Mapping[tuple[str, str], Sequence[str]],
    *,
    whole: bool,
) -> tuple[Gauge, ...]:
    """Return the meters that account for all that flows into a zone, none where a link that leads is not metered."""
    network = study.network
    fed = (network.nodes["node_type"] != "reservoir").to_numpy() if whole else inside
    has_tank = bool(((network.nodes["node_type"] == "tank").to_numpy() & fed).any())
    names = iter(study.model.links)
    found = []
    for layer, frame in zip(LINK_LAYERS, network.links, strict=True):
        for row in list_rows(frame):
            name = next(names)
            if fed[row.start] == fed[row.end] or _is_closed(layer, row):
                continue
            gauge = _find_series(view, watching.get((layer, row.id), ()), {"discharge": 1.0}, name)
            if gauge is None or has_tank:
                return ()
            found.append(gauge)
    return tuple(found)


def _is_closed(layer: str, row: object) -> bool:
    if layer == "water_pipes":
        return not getattr(row, "opened", True)
    return getattr(row, "status", None) in ("closed", "standby", "failed")


def _find_series(view: CityView, sensors: Sequence[str], factors: Mapping[str, float], name: str) -> Gauge | None:
    """Return the first series of the sensors that measures one of the properties, or None."""
    for sensor in sensors:
        for observed, factor in factors.items():
            try:
                return Gauge(view.find_datastream(sensor, observed), factor, name)
            except NotFoundError:
                continue
    return None


def find_step(view: CityView, gauges: Gauges, until: datetime) -> int:
    """Return the least of STEPS [s] in which every gauge is read, by its readings of the last days before ``until``."""
    apart = [
        float(np.median(np.diff(times)))
        for gauge in (*gauges.loggers, *gauges.inlets)
        if (times := view.series(gauge.series, until - RECENT, until)[0]).size > 1
    ]
    widest = max(apart, default=0.0)
    return next((step for step in STEPS if step >= widest), STEPS[-1])


def read_gauges(view: CityView, gauges: Gauges, start: datetime, steps: int, step: int) -> Readings:
    """Return the mean reading of each step of ``step`` [s] from ``start`` on, NaN where there is none.

    ``start`` is a moment of the city's clock, by which the week of the model runs.
    """
    begin = start.timestamp()
    local = start.astimezone(view.zone)
    since_monday = local.weekday() * 86_400 + local.hour * 3600 + local.minute * 60 + local.second
    read = [
        np.stack([_read_steps(view, gauge, begin, steps, step) for gauge in group], axis=1)
        if group
        else np.empty((steps, 0))
        for group in (gauges.loggers, gauges.inlets)
    ]
    none = np.empty((steps, 0))
    return Readings(read[0], read[1], none, none, none, start=since_monday // step * step % WEEK_S, step=step)


def _read_steps(view: CityView, gauge: Gauge, begin: float, steps: int, step: int) -> Array:
    start = datetime.fromtimestamp(begin, tz=view.zone)
    end = datetime.fromtimestamp(begin + steps * step, tz=view.zone)
    times, values = view.series(gauge.series, start, end)
    place = ((times - begin) // step).astype(np.int64)
    there = (place >= 0) & (place < steps)
    count = np.bincount(place[there], minlength=steps)
    total = np.bincount(place[there], values[there], minlength=steps)
    return np.where(count > 0, gauge.factor * total / np.maximum(count, 1), np.nan)

"""Leaks on L-Town: a year of 23 leaks that the settings were not chosen on, scored by the rule of BattLeDIM 2020.

Network: the file of the ``epyt`` wheel. Readings: simulated by ``bench.ltown_year`` with another roughness, other
demands and patterns than the model's. The settings were chosen on years 2 and 3, year 1 was looked at while the search
was made; year 4 judges it. The peer in the same run is the minimum night flow of the same readings.
"""

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.environments import LeftOutError
from bench.leaks_night import watch_nights
from bench.leaks_score import Detection, Leak, Verdict, find_maximum, score_detections
from bench.ltown_leaks import STEPS_A_DAY
from bench.ltown_year import STEP_S, Year, simulate_year
from network.leaks.detection import Settings
from network.leaks.expectation import DrivenModel, Instruments, Readings
from network.leaks.search import search_leaks

Row = dict[str, Any]
Array = NDArray[np.float64]

YEARS = (4, 1)
PUMP = "PUMP_1"
LIMITS = {
    "score": 1.0,
    "abrupt leaks, median until the alarm": 1.0,
    "incipient leaks, median until the alarm": 14.0,
    "found within 300 m": 0.5,
    "false alarms a year": 4.0,
}


@dataclass(frozen=True, slots=True)
class Named:
    """A detection, and the step at which it was known that there is a leak."""

    detection: Detection
    raised: int


def rows() -> list[Row]:
    """Return a row for each figure of each judged year, the peer's beside ours."""
    found: list[Row] = []
    for seed in YEARS:
        try:
            year = simulate_year(seed)
        except LeftOutError as why:
            sys.stderr.write(f"leaks bench: L-Town is left out: {why}\n")
            return []
        found += judge_year(year, f"year {seed}")
    return found


def judge_year(year: Year, case: str, settings: Settings | None = None) -> list[Row]:
    """Return the rows of a year."""
    instruments, readings = take_readings(year)
    model = DrivenModel(year.network.text, instruments, STEP_S)
    search = search_leaks(model, readings, year.known, settings or Settings())
    pipes = {name: k for k, name in enumerate(search.sensitivity.pipe_ids)}
    leaks = [
        Leak(pipes[leak.pipe], leak.start, leak.end - 1, year.outflow[year.history :, k])
        for k, leak in enumerate(year.leaks)
    ]
    distances = search.watched.distances
    ours = measure(year, leaks, distances, list_named(year, search.alarms))
    ours["alarms taken back before a place was named"] = sum(not alarm.places for alarm in search.alarms), "count"
    middle = int(np.argmin(np.where(np.isfinite(distances), distances, 1e4).sum(axis=1)))
    nights = [alarm.step - year.history for alarm in watch_nights(year.flows[:, inlets_of(year)].sum(axis=1))]
    peer = measure(year, leaks, distances, [Named(Detection(step, middle), step) for step in nights if step >= 0])
    return [
        {
            "case": case,
            "metric": metric,
            "unit": unit,
            "ours": value,
            "peers": {"night flow": peer[metric][0]} if metric in peer else {},
            "limit": LIMITS.get(metric),
        }
        for metric, (value, unit) in ours.items()
    ]


def inlets_of(year: Year) -> list[int]:
    """Return the columns of the flows that feed the town."""
    return [k for k, name in enumerate(year.network.flows) if name != PUMP]


def take_readings(year: Year) -> tuple[Instruments, Readings]:
    """Return what is measured in L-Town, and the readings in SI units."""
    flows, inlets = year.network.flows, inlets_of(year)
    pumps = [k for k in range(len(flows)) if k not in inlets]
    instruments = Instruments(
        year.network.pressures,
        tuple(flows[k] for k in inlets),
        tuple(flows[k] for k in pumps),
        year.network.levels,
        year.network.meters,
    )
    readings = Readings(
        year.pressures,
        year.flows[:, inlets] / 3600.0,
        year.flows[:, pumps] / 3600.0,
        year.levels,
        year.uses / 3600.0,
        start=0,
        step=STEP_S,
    )
    return instruments, readings


def list_named(year: Year, alarms: list[Any]) -> list[Named]:
    """Return every place that was named, as of the year's start where it was named before and the leak still ran."""
    named = []
    for alarm in alarms:
        if alarm.ended is not None and alarm.ended < year.history:
            continue
        places = alarm.places
        before = [place for place in places if place[0] <= year.history]
        for step, pipe in [*before[-1:], *(place for place in places if place[0] > year.history)]:
            raised = alarm.raised if pipe == places[0][1] else step
            named.append(Named(Detection(max(step - year.history, 0), pipe), raised - year.history))
    return named


def measure(year: Year, leaks: list[Leak], distances: Array, named: list[Named]) -> dict[str, tuple[float, str]]:
    """Return what the detections of a year are worth: metric → value, unit; a leak not found was never alarmed."""
    verdicts = score_detections([each.detection for each in named], leaks, distances)
    raised = {each.detection: each.raised for each in reversed(named)}
    found = {verdict.leak: verdict for verdict in verdicts if verdict.leak is not None}
    until: dict[str, list[float]] = {"abrupt": [], "incipient": []}
    placed: dict[str, list[float]] = {"abrupt": [], "incipient": []}
    for k, leak in enumerate(year.leaks):
        if leak.kind != "existing":
            verdict: Verdict | None = found.get(k)
            # An alarm from before the leak was none of it: its place tells of the leak first.
            known = np.inf if verdict is None else raised[verdict.detection]
            until[leak.kind].append(
                (known if verdict is None or known >= leak.start else verdict.detection.step) - leak.start
            )
            placed[leak.kind].append(np.inf if verdict is None else verdict.detection.step - leak.start)
    hour, day = STEPS_A_DAY / 24.0, float(STEPS_A_DAY)
    score = sum(verdict.euro for verdict in verdicts)
    return {
        "score": (score / find_maximum(leaks), "share of the best"),
        "earned": (score, "€"),
        "abrupt leaks, median until the alarm": (float(np.median(until["abrupt"])) / hour, "h"),
        "abrupt leaks, median until a place": (float(np.median(placed["abrupt"])) / hour, "h"),
        "incipient leaks, median until the alarm": (float(np.median(until["incipient"])) / day, "d"),
        "incipient leaks, median until a place": (float(np.median(placed["incipient"])) / day, "d"),
        "found within 300 m": (len(found) / len(leaks), "share"),
        "distance of those found, median": (
            float(np.median([verdict.distance for verdict in found.values()])) if found else np.inf,
            "m",
        ),
        "incipient leaks found, median until the alarm": (_find_median(until["incipient"]) / day, "d"),
        "false alarms a year": (float(sum(verdict.is_false for verdict in verdicts)), "count"),
    }


def _find_median(steps: list[float]) -> float:
    """Return the median of those that are finite, inf of none."""
    found = [each for each in steps if np.isfinite(each)]
    return float(np.median(found)) if found else np.inf

"""Rain and stage put on a SWMM model that has its own: one series for all gauges, one level outside outfalls."""

from collections.abc import Collection
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from hydrology.rainfall import RainSeries
from layers.errors import InputError, NotFoundError
from layers.ingest.inp import Word
from layers.ingest.swmm.document import Inp
from twin.swmm.lid import MM_PER_INCH, US_UNITS
from twin.swmm.running import read_seconds, write_clock

Array = NDArray[np.float64]

STORM, STAGE = "storm_given", "stage_given"
FEET = 0.3048
LEAST_STEP_S = 60.0
"""Shortest interval of a rain gauge [s]."""


def read_start(inp: Inp) -> datetime:
    """Return the first moment of a model, in its own clock; InputError where it has none that can be read."""
    day, clock = inp.option("START_DATE", "01/01/2000"), inp.option("START_TIME", "00:00:00")
    return _read_moment(day, clock)


def read_end(inp: Inp) -> datetime:
    """Return the last moment of a model, in its own clock."""
    return _read_moment(inp.option("END_DATE", inp.option("START_DATE", "01/01/2000")), inp.option("END_TIME", "24:00"))


def _read_moment(day: str, clock: str) -> datetime:
    try:
        month, date, year = (int(part) for part in day.replace("-", "/").split("/"))
        hours = read_seconds(clock if ":" in clock else f"{float(clock)}:00")
        return datetime(year, month, date) + timedelta(seconds=hours)
    except ValueError as error:
        raise InputError(f"'{day} {clock}' of the model's options is no date M/D/Y with a time H:MM:SS") from error


def set_duration(inp: Inp, hours: float) -> None:
    """Let the model end ``hours`` [h] after its start, in place.

    A second is added: SWMM cuts the duration to whole seconds of a number of days that is a hair too small, and would
    leave out the last results.
    """
    start = read_start(inp)
    end = start + timedelta(seconds=round(hours * 3600.0) + 1)
    inp.set_option("END_DATE", f"{end:%m/%d/%Y}")
    inp.set_option("END_TIME", f"{end:%H:%M:%S}")
    reported = _read_moment(
        inp.option("REPORT_START_DATE", f"{start:%m/%d/%Y}"), inp.option("REPORT_START_TIME", f"{start:%H:%M:%S}")
    )
    if reported >= end:
        inp.set_option("REPORT_START_DATE", f"{start:%m/%d/%Y}")
        inp.set_option("REPORT_START_TIME", f"{start:%H:%M:%S}")


def put_rain(inp: Inp, rain: RainSeries) -> None:
    """Let ``rain`` [mm/h] fall on every subcatchment from the model's start, in place of its own.

    Raises InputError for a model without a rain gauge.
    """
    gauges = inp.names("RAINGAGES")
    if not gauges:
        raise InputError("the model has no rain gauge to let a storm fall on", hint="add a row to [RAINGAGES]")
    times, intensity = _spread_evenly(rain)
    unit = MM_PER_INCH if inp.option("FLOW_UNITS", "CFS").upper() in US_UNITS else 1.0
    step = float(times[1] - times[0])
    for name in gauges:
        inp.remove("RAINGAGES", name)
        inp.add("RAINGAGES", (name, "INTENSITY", write_clock(step), 1.0, "TIMESERIES", STORM))
    inp.remove("TIMESERIES", STORM)
    for at, value in zip(times, intensity, strict=True):
        inp.add("TIMESERIES", (STORM, write_clock(float(at)), float(value) / unit))
    inp.set_option("IGNORE_RAINFALL", "NO")


def scale_rain(inp: Inp, factor: float) -> None:
    """Make all rain of the model ``factor`` [1] times as heavy, in place, by the values of its series."""
    used = {row.words[5].upper() for row in inp.rows("RAINGAGES") if len(row.words) > 5 and _is_series(row.words[4])}
    for name in inp.names("TIMESERIES"):
        if name.upper() in used:
            _scale_series(inp, name, factor)


def _is_series(word: str) -> bool:
    return word.upper() == "TIMESERIES"


def _scale_series(inp: Inp, name: str, factor: float) -> None:
    for nth, row in enumerate(inp.find("TIMESERIES", name)):
        if len(row.words) > 1 and row.words[1].upper() == "FILE":
            raise InputError(f"rain series '{name}' stands in a file, expected values in the model to scale")
        start = 1
        changed: dict[int, Word] = {}
        while start + 1 < len(row.words):
            if "/" in row.words[start] or row.words[start].count("-") == 2:
                start += 1
            changed[start + 1] = row.read_number(start + 1) * factor
            start += 2
        inp.replace("TIMESERIES", name, changed, nth=nth)


def _spread_evenly(rain: RainSeries) -> tuple[Array, Array]:
    """Return times in equal whole steps [s] and intensities [mm/h] with the same depth, ending with 0."""
    gaps = np.diff(rain.times)
    step = max(float(np.round(gaps.min())) if gaps.size else 300.0, LEAST_STEP_S)
    times = np.arange(0.0, float(rain.times[-1]) + step, step)
    fallen = np.concatenate([[0.0], np.cumsum(rain.intensity[:-1] * gaps)])
    depth = np.interp(np.append(times, times[-1] + step), rain.times, fallen)
    return times, np.diff(depth) / step


def put_stage(inp: Inp, times: Array, stages: Array, outfalls: Collection[str] = ()) -> list[str]:
    """Hold a stage [m] in time [s after the start] outside outfalls, in place; return their names.

    ``outfalls`` names them; else those that have a stage of their own in the model, or all where none has. Raises
    NotFoundError for one that the model does not have.
    """
    rows = {row.words[0]: row for row in inp.rows("OUTFALLS")}
    folded = {name.upper(): name for name in rows}
    for name in outfalls:
        if name.upper() not in folded:
            raise NotFoundError(f"outfall '{name}' is not in the model", hint=f"there are {', '.join(list(rows)[:20])}")
    staged = [name for name, row in rows.items() if row.words[2].upper() in ("FIXED", "TIDAL", "TIMESERIES")]
    chosen = [folded[name.upper()] for name in outfalls] or staged or list(rows)
    unit = FEET if inp.option("FLOW_UNITS", "CFS").upper() in US_UNITS else 1.0
    for name in chosen:
        words = rows[name].words
        own = 4 if words[2].upper() in ("FIXED", "TIDAL", "TIMESERIES") else 3
        gated = words[own] if len(words) > own else "NO"
        onward = words[own + 1 : own + 2]
        inp.remove("OUTFALLS", name)
        inp.add("OUTFALLS", (name, words[1], "TIMESERIES", STAGE, gated, *onward))
    inp.remove("TIMESERIES", STAGE)
    for at, stage in zip(times, stages, strict=True):
        inp.add("TIMESERIES", (STAGE, write_clock(float(at)), round(float(stage) / unit, 5)))
    return chosen

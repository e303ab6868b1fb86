"""The loop: from new readings to the probability of water. Skipped when nothing changed, never two at a time."""

import hashlib
import logging
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Engine

from layers.errors import NotFoundError, TwinError
from layers.registry import VECTOR_LAYERS
from layers.store.features import read_versions
from layers.store.migrate import read_city
from layers.store.rasters import list_rasters
from twin.forecasts.issuing import issue_all, round_down
from twin.forecasts.models import ModelShelf
from twin.forecasts.rain import RunRain, find_rain
from twin.queue import LOOP, defer_run
from twin.run_files import remove_run_files
from twin.runs import execute, submit_run
from twin.settings import Settings
from twin.store import delete_runs, fail_run
from twin.store_forecast_loop import (
    check_loop,
    find_newest_run,
    find_open_run,
    forget_loop,
    list_old_runs,
    list_ward_water,
    lock_loop,
    note_skip,
    note_start,
    read_loop,
)
from twin.store_forecasts import Issue, find_stage_series, read_issue

PROCESS = "flood-ensemble"
HORIZON_HOURS = 48.0

log = logging.getLogger("twin.forecasts")


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the next run would be asked, and the fingerprint of all it depends on."""

    inputs: dict[str, Any]
    fingerprint: str
    issue_time: datetime


def turn_loop(engine: Engine, settings: Settings, shelf: ModelShelf, at: datetime, *, here: bool = False) -> str | None:
    """Issue all forecasts, then run the flood ensemble of the main gauge if anything changed; return the run's id.

    The run goes into the queue, or is carried out in this process if ``here``. None where there is nothing to run;
    why is kept (``forecast.loop``).
    """
    # One process at a time issues and decides; it holds the lock until the run is written down as the loop's.
    with engine.begin() as holder:
        if not lock_loop(holder, wait=here):
            return None
        issue_all(engine, shelf, at)
        prune_loop(engine, settings)
        run_id = _start_run(engine, settings, at, here=here)
    if run_id is None:
        return None
    if here:
        execute(engine, settings, run_id)
        prune_loop(engine, settings)
        return run_id
    try:
        defer_run(engine, run_id, queue=LOOP)
    except TwinError as error:
        with engine.begin() as connection:
            fail_run(connection, run_id, code=error.code, message=str(error))
        raise
    return run_id


def _start_run(engine: Engine, settings: Settings, at: datetime, *, here: bool) -> str | None:
    """Enter the next run as accepted and return its id, or None where there is none to run."""
    with engine.begin() as connection:
        gauge = read_city(connection).declaration.get("main_gauge")
        if not gauge or not (here or settings.loop_minutes):
            forget_loop(connection)
            return None
        if not here and not _is_due(connection, settings, at):
            return None
        last = check_loop(connection, (settings.loop_minutes or 10) * 60.0)
        plan = _decide(connection, settings, str(gauge), at, last)
        if plan is None:
            return None
        run_id = submit_run(engine, PROCESS, plan.inputs)
        note_start(connection, run_id, plan.fingerprint, plan.issue_time)
        return run_id


def prune_loop(engine: Engine, settings: Settings) -> None:
    """Delete the loop's own runs but the newest ``loop_keep``, with their rasters."""
    with engine.begin() as connection:
        gone = list_old_runs(connection, settings.loop_keep)
        delete_runs(connection, gone)
    remove_run_files(settings, gone)


def read_loop_words(engine: Engine) -> dict[str, Any] | None:
    """Return how the loop stands as words, or None when it never turned."""
    with engine.connect() as connection:
        return describe_loop(connection)


def describe_loop(connection: Connection) -> dict[str, Any] | None:
    """Return how the loop stands, and whom the water of its newest run reaches when; None when it never turned."""
    state = read_loop(connection)
    if state is None:
        return None
    newest = find_newest_run(connection)
    wards = [] if newest is None else [asdict(row) for row in list_ward_water(connection, newest)]
    return {**asdict(state), "newest_run": newest, "wards": wards}


def _is_due(connection: Connection, settings: Settings, at: datetime) -> bool:
    """Return whether the loop's interval has passed since its last run began, but for a minute."""
    state = read_loop(connection)
    if state is None or state.last_started is None:
        return True
    return (at - state.last_started).total_seconds() >= settings.loop_minutes * 60.0 - 60.0


def _decide(connection: Connection, settings: Settings, gauge: str, at: datetime, last: str | None) -> _Plan | None:
    """Return the next run, or None after noting why there is none."""
    open_run = find_open_run(connection)
    if open_run is not None:
        note_skip(connection, "running")
        return None
    try:
        issue = read_issue(connection, find_stage_series(connection, gauge))
    except NotFoundError:
        note_skip(connection, "no-forecast")
        return None
    if issue.model != "harmonic-residual" or (round_down(at) - issue.issue_time).total_seconds() > 3600.0:
        note_skip(connection, "no-forecast")
        return None
    rain = find_rain(connection, issue.issue_time, HORIZON_HOURS, settings.loop_members)
    inputs = _make_inputs(settings, gauge, issue, rain)
    fingerprint = _sign(connection, inputs, issue, rain)
    if fingerprint == last:
        note_skip(connection, "unchanged")
        return None
    return _Plan(inputs, fingerprint, issue.issue_time)


def _make_inputs(settings: Settings, gauge: str, issue: Issue, rain: RunRain | None) -> dict[str, Any]:
    inputs: dict[str, Any] = {
        "gauge": gauge,
        "base_time": issue.issue_time.isoformat(),
        "horizon_hours": HORIZON_HOURS,
        "cell_size": settings.loop_cell_size,
        "members": settings.loop_members,
    }
    if rain is not None:
        inputs |= {
            "rain_depths": list(rain.depths),
            "rain_step_minutes": rain.step_minutes,
            "rain_factors": list(rain.factors),
        }
    return inputs


def _sign(connection: Connection, inputs: dict[str, Any], issue: Issue, rain: RunRain | None) -> str:
    """Return one hash over the newest reading, the rain forecast, the layers, the rasters and what is asked.

    The issue time is no part of it: the same readings issued again say nothing new.
    """
    versions = {
        name: version
        for name, version in read_versions(connection).items()
        if name in VECTOR_LAYERS and not VECTOR_LAYERS[name].of_runs
    }
    rasters = sorted((row.id, row.fingerprint) for row in list_rasters(connection) if row.run_id is None)
    asked = {name: value for name, value in inputs.items() if name not in ("base_time", "rain_depths")}
    parts = [issue.origin.isoformat(), None if rain is None else rain.issue, sorted(versions.items()), rasters, asked]
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()

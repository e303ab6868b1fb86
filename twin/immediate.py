"""A process answered at once: read, compute, hand back. No run is entered; of what it found only a trace is kept."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

from layers.errors import TooSlowError
from twin.city import City
from twin.networks.kept import UNSETTLED
from twin.process import Outputs, Process, Quiet, parse_inputs
from twin.settings import Settings
from twin.store_trace_configurations import fill_in
from twin.store_traces import keep_trace

LIMIT_S = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What came of it, and its record: inputs, versions of the layers read, duration [s]."""

    outputs: Outputs
    record: Mapping[str, Any]


class Hurry(Quiet):
    """Progress of a process somebody waits for: past ``limit_s`` [s] a report ends it with TooSlowError."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s, self._began = limit_s, time.monotonic()

    def report(self, fraction: float, message: str) -> None:
        """Raise TooSlowError when the time is over."""
        if time.monotonic() - self._began > self._limit_s:
            raise TooSlowError(
                f"the answer takes more than {self._limit_s:g} s ({message}, {fraction:.0%})",
                hint="ask for a job: Prefer: respond-async",
            )


def answer_now(
    engine: Engine,
    settings: Settings,
    process: Process,
    values: Mapping[str, Any],
    *,
    author: str,
    choose: Callable[[Outputs], Collection[str]],
    limit_s: float = LIMIT_S,
) -> Answer:
    """Return what the process makes of the city as it is now; what it traced is kept under its id.

    Of the features only the layers that ``choose`` names, once it sees what came of it, are made.

    Raises InputError for wrong inputs and TooSlowError past ``limit_s`` [s], as soon as the process reports.
    """
    began = time.monotonic()
    hurry = Hurry(limit_s)
    outputs, data = _compute(engine, settings, process, values, choose, hurry)
    if outputs.trace is not None and outputs.trace.stamp.startswith(UNSETTLED):
        # The first to ask brings the network up to date, which only a later transaction sees.
        outputs, data = _compute(engine, settings, process, values, choose, hurry)
    if outputs.trace is not None:
        with engine.begin() as connection:
            keep_trace(connection, outputs.trace, author=author, lasting=False)
    record = {**data, "duration_s": round(time.monotonic() - began, 4)}
    return Answer(outputs, record)


def _compute(
    engine: Engine,
    settings: Settings,
    process: Process,
    values: Mapping[str, Any],
    choose: Callable[[Outputs], Collection[str]],
    hurry: Hurry,
) -> tuple[Outputs, dict[str, Any]]:
    """Return what the process made of one consistent picture of the city, and the record of it."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        inputs = parse_inputs(process, fill_in(connection, process.id, values))
        city = City(connection, settings.processed_dir, datetime.now(UTC))
        outputs = process.compute(city, inputs, hurry)
        features = {
            layer_id: outputs.features[layer_id] for layer_id in choose(outputs) if layer_id in outputs.features
        }
        data = city.describe_data()
    record = {
        "process": process.id,
        "inputs": inputs.model_dump(mode="json"),
        "parameters": dict(outputs.parameters),
        **data,
    }
    return replace(outputs, features=features), record

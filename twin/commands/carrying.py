"""A process carried out in the foreground, with a bar."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine

from layers.errors import ConflictError
from twin.process import Process
from twin.progress import show_progress
from twin.runs import execute, submit_run
from twin.settings import Settings
from twin.store import RunRow


def carry_out(engine: Engine, settings: Settings, process: Process, words: Mapping[str, Any]) -> RunRow:
    """Enter a run, carry it out and return it; ConflictError where it did not end well."""
    return finish(engine, settings, process, submit_run(engine, process.id, words))


def finish(engine: Engine, settings: Settings, process: Process, run_id: str) -> RunRow:
    """Carry out a run that was entered and return it; ConflictError where it did not end well."""
    with show_progress(process.title.vi) as report:
        done = execute(engine, settings, run_id, follow=report)
    if done.status != "successful":
        raise ConflictError(f"run '{run_id}' is {done.status}")
    return done

"""``twin worker``: carry out the runs in the queue."""

from typing import Annotated

import typer

from twin.connect import connect_to_city
from twin.jobs import STALLED_S, work
from twin.observing.logs import begin_logging
from twin.observing.traces import begin_traces, end_traces
from twin.settings import read_settings


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("worker")(worker)


def worker(
    once: Annotated[bool, typer.Option("--once", help="Stop when the queue is empty.")] = False,
    stalled_after: Annotated[
        float, typer.Option(min=1.0, help="A worker silent for so long is dead, its run taken up again [s].")
    ] = STALLED_S,
    members: Annotated[
        bool, typer.Option("--members", help="Only compute members of runs of others; needs nothing but the database.")
    ] = False,
) -> None:
    """Carry out the runs in the queue, until stopped."""
    settings = read_settings()
    begin_logging("worker", settings)
    begin_traces("worker", settings)
    try:
        work(connect_to_city(settings), settings, once=once, stalled_s=stalled_after, only_members=members)
    finally:
        end_traces()

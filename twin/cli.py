"""The ``twin`` command: a table of families, and the one place where an error becomes a line and an exit code."""

import sys

import typer

from layers.errors import TwinError
from twin.commands import (
    db,
    demo,
    doctor,
    export,
    jobs,
    layers,
    load,
    quarantine,
    run,
    scene,
    sensors,
    serve,
    up,
    worker,
)

app = typer.Typer(
    name="twin",
    help="Bản sao số của thành phố — the city's digital twin.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for family in (up, doctor, demo, db, serve, run, jobs, worker, sensors, scene, load, export, layers, quarantine):
    family.register(app)


def main() -> None:
    """Run the command line; a user's mistake is one line on standard error and exit code 1."""
    try:
        app()
    except TwinError as error:
        sys.stderr.write(f"twin: {error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.stderr.write("twin: stopped\n")
        sys.exit(130)

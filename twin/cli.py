"""The ``twin`` command, and the one place where an error becomes a line and an exit code."""

import sys

import typer

from layers.errors import TwinError
from twin.audit.act import acting
from twin.audit.commanding import name_command, tell_failure
from twin.commands.table import LazyGroup

INTERRUPTED = 130

app = typer.Typer(
    name="twin",
    help="Bản sao số của thành phố — the city's digital twin.",
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def begin() -> None:
    """Do nothing: it makes a group of an application whose commands are not imported yet."""


def main() -> None:
    """Run the command line; a user's mistake is one line on standard error and exit code 1, or 2 for a wrong word."""
    said, act = "", name_command(sys.argv[1:])
    try:
        with acting(act):
            code = app(prog_name="twin", standalone_mode=False) or 0
    except TwinError as error:
        said, code = str(error), 1
        tell_failure(act, error)
    except typer.TyperException as error:
        # Empty when a family was called without a command: its help is on the screen already.
        said, code = error.format_message(), error.exit_code
    except KeyboardInterrupt:
        code = INTERRUPTED
    if code == INTERRUPTED:
        said = "stopped"
    if said:
        sys.stderr.write(f"twin: {' '.join(said.split())}\n")
    sys.exit(code)

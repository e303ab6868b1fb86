"""``twin jobs``: runs that wait, work and are over."""

from typing import Annotated

import orjson
import typer

from layers.errors import InputError
from twin.commands.run import to_json
from twin.connect import connect_to_city
from twin.registry import read_process
from twin.run_files import remove_run_files
from twin.settings import read_settings
from twin.store import RunStatus, delete_runs_but, list_runs, read_run, request_dismiss

jobs = typer.Typer(help="Runs that wait, work and are over: list, show, cancel, prune.", no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(jobs, name="jobs")


@jobs.command("list")
def list_all(
    process: Annotated[str | None, typer.Option(help="Only of this process.")] = None,
    status: Annotated[RunStatus | None, typer.Option(help="Only with this status.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    as_json: Json = False,
) -> None:
    """List runs, newest first."""
    if process is not None:
        read_process(process)
    with connect_to_city(read_settings()).connect() as connection:
        rows = list_runs(connection, process=process, status=status, limit=limit)
    if as_json:
        typer.echo(orjson.dumps([to_json(row) for row in rows]).decode())
        return
    for row in rows:
        typer.echo(f"{row.id}  {row.status:10}  {row.progress:5.1f} %  {row.title_vi or row.process}")


@jobs.command("show")
def show(run_id: str, as_json: Json = False) -> None:
    """Show one run."""
    with connect_to_city(read_settings()).connect() as connection:
        row = read_run(connection, run_id)
    if as_json:
        typer.echo(orjson.dumps(to_json(row)).decode())
        return
    for name, value in to_json(row).items():
        if value not in (None, ""):
            words = orjson.dumps(value).decode() if isinstance(value, dict) else value
            typer.echo(f"{name:15} {words}")


@jobs.command("cancel")
def cancel(run_id: str, as_json: Json = False) -> None:
    """Dismiss a run: a waiting one never starts, a running one stops."""
    with connect_to_city(read_settings()).begin() as connection:
        row = request_dismiss(connection, run_id)
    typer.echo(orjson.dumps({"id": row.id, "status": row.status}).decode() if as_json else f"{row.id} {row.status}")


@jobs.command("prune")
def prune(keep: Annotated[int, typer.Option(help="How many of the newest finished runs to keep.")] = 20) -> None:
    """Delete old finished runs with their rasters and features."""
    if keep < 0:
        raise InputError(f"keep {keep} is negative, expected 0 or more")
    settings = read_settings()
    with connect_to_city(settings).begin() as connection:
        gone = delete_runs_but(connection, keep)
    remove_run_files(settings, gone)
    typer.echo(f"{len(gone)} runs deleted")

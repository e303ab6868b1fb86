"""``twin run``: carry out a process here, or put it into the queue."""

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from twin.commands.carrying import finish
from twin.commands.input_files import read_input_files
from twin.commands.run_figures import list_figures
from twin.connect import connect_to_city
from twin.process import describe_inputs, parse_words
from twin.queue import defer_run
from twin.registry import PROCESSES, read_process
from twin.runs import submit_run
from twin.settings import read_settings
from twin.store import RunRow


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("run", no_args_is_help=True, epilog=f"Processes: {', '.join(PROCESSES)}")(run)


def run(
    process_id: Annotated[str, typer.Argument(metavar="PROCESS", help="Which process; see --inputs for its inputs.")],
    values: Annotated[
        list[str] | None, typer.Option("--input", "-i", metavar="NAME=VALUE", help="An input; repeat for more.")
    ] = None,
    queue: Annotated[bool, typer.Option("--queue", help="Leave it to a worker (twin worker).")] = False,
    list_inputs: Annotated[bool, typer.Option("--inputs", help="List the inputs and stop.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Carry out a process and print what came out."""
    process = read_process(process_id)
    if list_inputs:
        described = describe_inputs(process)
        typer.echo(orjson.dumps(described).decode() if as_json else _explain(described))
        return
    words = read_input_files(process, parse_words(process, values or []))
    settings = read_settings()
    engine = connect_to_city(settings)
    run_id = submit_run(engine, process.id, words)
    if queue:
        defer_run(engine, run_id)
        typer.echo(orjson.dumps({"id": run_id, "status": "accepted"}).decode() if as_json else run_id)
        return
    done = finish(engine, settings, process, run_id)
    typer.echo(
        orjson.dumps(to_json(done)).decode() if as_json else _summarize(done, settings.processed_dir / "runs" / done.id)
    )


def to_json(run_row: RunRow) -> dict[str, Any]:
    """Return a run as JSON words."""
    return {name: getattr(run_row, name) for name in RunRow.__slots__}


def _explain(described: dict[str, dict[str, Any]]) -> str:
    lines = []
    for name, entry in described.items():
        schema = entry["schema"]
        low, high = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum")
        facts = [schema.get("x-unit", ""), f"{low}–{high}" if high is not None else ""]
        facts.append(f"= {schema['default']}" if schema.get("default") not in (None, []) else "")
        said = ", ".join(fact for fact in facts if fact)
        lines.append(f"{name:16} {entry['description']}" + (f" [{said}]" if said else ""))
    return "\n".join(lines)


def _summarize(done: RunRow, folder: Path) -> str:
    lines = [done.id, f"{done.title_vi} — {done.title_en}", *list_figures(done.summary or {}, folder)]
    return "\n".join(lines)

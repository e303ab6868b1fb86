"""``twin quarantine``: rows that were not loaded, and why; to a file, to be mended and loaded again."""

import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from layers.ingest.export import export_rows
from layers.store.migrate import read_city
from layers.store.quarantine import QuarantineRow, Wanted, count_quarantine, list_quarantine
from twin.connect import connect
from twin.settings import read_settings

quarantine = typer.Typer(help="Dòng bị loại — rows that were not loaded, and why.", no_args_is_help=True)
LayerOption = Annotated[str | None, typer.Option("--layer", help="Only rows for this layer.")]
SourceOption = Annotated[str | None, typer.Option("--source", help="Only rows of this source.")]


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(quarantine, name="quarantine")


@quarantine.command("list")
def list_rows(
    layer: LayerOption = None,
    source: SourceOption = None,
    limit: Annotated[int, typer.Option(min=0, help="Rows to show.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say how many rows were rejected for which reason, and show the first of them."""
    with connect(read_settings()).connect() as connection:
        read_city(connection)
        counts = count_quarantine(connection, Wanted(layer=layer, source=source))
        rows = list_quarantine(connection, Wanted(layer=layer, source=source), limit=limit)
    if as_json:
        summary = [dict(zip(("source", "layer", "field", "reason", "count"), one, strict=True)) for one in counts]
        typer.echo(orjson.dumps({"summary": summary, "rows": [_as_dict(row) for row in rows]}, default=str).decode())
        return
    console = Console(width=None if sys.stdout.isatty() else 160)
    table = Table("nguồn · source", "lớp · layer", "trường · field", "lý do · reason", box=None, header_style="bold")
    table.add_column("số · rows", justify="right")
    for one in counts:
        table.add_row(one[0], one[1], one[2] or "", one[3], f"{one[4]:,}")
    console.print(table)
    for row in rows:
        held = f" = {row.value!r}" if row.value is not None else ""
        hint = f" ({row.hint})" if row.hint else ""
        line = f"{row.uri} · {row.layer} · row {row.row}: {row.field or ''}{held}: {row.reason}{hint}"
        console.print(line, highlight=False, markup=False)


@quarantine.command("export")
def export(
    to: Annotated[Path, typer.Option("--to", help="File: .csv or .geojson.")],
    layer: LayerOption = None,
    source: SourceOption = None,
) -> None:
    """Write the rejected rows with their reasons to a file."""
    with connect(read_settings()).connect() as connection:
        read_city(connection)
        rows = list_quarantine(connection, Wanted(layer=layer, source=source))
    count = export_rows([{**row.payload, **_reasons(row)} for row in rows], to)
    typer.echo(f"{to}: {count:,} dòng · rows")


def _reasons(row: QuarantineRow) -> dict[str, object]:
    return {
        "_source": row.source_id,
        "_layer": row.layer,
        "_row": row.row,
        "_field": row.field,
        "_value": row.value,
        "_reason": row.reason,
        "_hint": row.hint,
    }


def _as_dict(row: QuarantineRow) -> dict[str, object]:
    return {**{key.removeprefix("_"): value for key, value in _reasons(row).items()}, "payload": row.payload}

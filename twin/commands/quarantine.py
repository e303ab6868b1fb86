"""``twin quarantine``: rows that were not loaded, and why; mended here or in a file, and loaded again."""

import getpass
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection

from layers.errors import InputError
from layers.ingest.mapping import read_mapping
from layers.ingest.mend import Outcome, mend_row, mend_rows
from layers.ingest.payloads import PLACED, SHAPE
from layers.ingest.quarantine_file import export_quarantine, read_changes
from layers.store.migrate import read_city
from layers.store.quarantine import (
    QuarantineRow,
    Status,
    Wanted,
    count_quarantine,
    dismiss_rows,
    list_quarantine,
    read_quarantined,
)
from twin.connect import connect
from twin.settings import read_settings

quarantine = typer.Typer(
    help="Dòng bị loại — rows that were not loaded, and why; mend them, load them again.", no_args_is_help=True
)
LayerOption = Annotated[str | None, typer.Option("--layer", help="Only rows for this layer.")]
SourceOption = Annotated[str | None, typer.Option("--source", help="Only rows of this source.")]
FieldOption = Annotated[str | None, typer.Option("--field", help="Only rows with a problem in this field.")]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="Only rows rejected for this reason.")]
TextOption = Annotated[str | None, typer.Option("--text", help="Only rows that hold this text.")]
StatusOption = Annotated[str, typer.Option("--status", help="open, mended, dismissed or all.")]
AuthorOption = Annotated[str | None, typer.Option("--by", help="Who does it; the user of this machine if not given.")]
WhyOption = Annotated[str, typer.Option("--why", help="Why, for the record.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(quarantine, name="quarantine")


@quarantine.command("list")
def list_rows(
    layer: LayerOption = None,
    source: SourceOption = None,
    field: FieldOption = None,
    reason: ReasonOption = None,
    text: TextOption = None,
    status: StatusOption = "open",
    limit: Annotated[int, typer.Option(min=0, help="Rows to show.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Say how many rows were rejected for which reason, and show the first of them."""
    wanted = Wanted(source, layer, field, reason, text, _read_status(status))
    with connect(read_settings()).connect() as connection:
        read_city(connection)
        counts = count_quarantine(connection, wanted)
        rows = list_quarantine(connection, wanted, limit=limit)
    if as_json:
        summary = [
            {"source": one.source, "layer": one.layer, "field": one.field, "reason": one.reason, "count": one.rows}
            for one in counts
        ]
        _print_json({"summary": summary, "rows": [row.as_dict() for row in rows]})
        return
    console = _open_console()
    table = Table("nguồn · source", "lớp · layer", "trường · field", "lý do · reason", box=None, header_style="bold")
    table.add_column("số · rows", justify="right")
    for one in counts:
        table.add_row(one.source, one.layer, one.field or "", one.reason, f"{one.rows:,}")
    console.print(table)
    for row in rows:
        _print_row(console, row)


@quarantine.command("show")
def show(row_id: Annotated[int, typer.Argument(metavar="ID")], as_json: JsonOption = False) -> None:
    """Show one row: all it holds and all that is wrong with it."""
    with connect(read_settings()).connect() as connection:
        read_city(connection)
        row = read_quarantined(connection, row_id)
    if as_json:
        _print_json(row.as_dict())
        return
    console = _open_console()
    _print_row(console, row)
    for name, value in row.payload.items():
        mended = f" → {row.changes[name]}" if name in row.changes else ""
        console.print(f"  {name} = {str(value)[:200]}{mended}", highlight=False, markup=False)
    if row.settled is not None:
        words = f"{row.status} {row.settled:%Y-%m-%d %H:%M} by {row.settled_by}: {row.settled_why}"
        console.print(f"  {words}", highlight=False, markup=False)


@quarantine.command("export")
def export(
    to: Annotated[Path, typer.Option("--to", help="File: .csv, .xlsx or .geojson.")],
    layer: LayerOption = None,
    source: SourceOption = None,
    field: FieldOption = None,
    reason: ReasonOption = None,
    text: TextOption = None,
) -> None:
    """Write the rejected rows with their reasons to a file, to be mended there; see: load."""
    with connect(read_settings()).connect() as connection:
        read_city(connection)
        rows = list_quarantine(connection, Wanted(source, layer, field, reason, text))
    typer.echo(f"{to}: {export_quarantine(rows, to):,} dòng · rows")


@quarantine.command("mend")
def mend(
    row_id: Annotated[int | None, typer.Argument(metavar="ID", help="Number of the row.", show_default=False)] = None,
    values: Annotated[list[str] | None, typer.Option("--set", help="COLUMN=VALUE, as often as needed.")] = None,
    wkt: Annotated[
        str | None, typer.Option(help="Its geometry in WGS 84 as WKT, such as 'POINT (105.7 10.0)'.")
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--all-with-reason", help="Instead of one row: all rejected for this reason.")
    ] = None,
    layer: LayerOption = None,
    source: SourceOption = None,
    author: AuthorOption = None,
    why: WhyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Change values of a row, or of all rows with one reason, and load them again."""
    changes = _read_values(values or [], wkt)
    if not changes:
        raise InputError("nothing is changed", hint="give --set COLUMN=VALUE or --wkt")
    if (row_id is None) == (reason is None):
        raise InputError("give the number of a row or --all-with-reason, and not both")
    with connect(read_settings()).begin() as connection:
        read_city(connection)
        if row_id is not None:
            outcomes = [mend_row(connection, row_id, changes, author=_name_author(author), reason=why)]
        else:
            wanted = Wanted(source, layer, reason=reason)
            outcomes = _mend_all(connection, wanted, changes, author, why)
    _tell(outcomes, as_json=as_json)


@quarantine.command("load")
def load(
    file: Annotated[Path, typer.Argument(help="An exported file (.csv, .xlsx, .geojson) after it was mended.")],
    author: AuthorOption = None,
    why: WhyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Take the changes of an exported, mended file and load its rows again."""
    with connect(read_settings()).begin() as connection:
        read_city(connection)
        changes = read_changes(connection, file)
        outcomes = mend_rows(connection, changes, author=_name_author(author), reason=why or file.name)
    _tell(outcomes, as_json=as_json)


@quarantine.command("retry")
def retry(
    layer: LayerOption = None,
    source: SourceOption = None,
    field: FieldOption = None,
    reason: ReasonOption = None,
    mapping: Annotated[Path | None, typer.Option(help="Mended mapping; that of the load if not given.")] = None,
    author: AuthorOption = None,
    why: WhyOption = "",
    as_json: JsonOption = False,
) -> None:
    """Load rows again as they are, after a mapping or a code list was mended."""
    rules = read_mapping(mapping) if mapping is not None else None
    with connect(read_settings()).begin() as connection:
        read_city(connection)
        rows = list_quarantine(connection, Wanted(source, layer, field, reason))
        changes: dict[int, dict[str, object]] = {row.id: {} for row in rows}
        outcomes = mend_rows(connection, changes, author=_name_author(author), reason=why or "retry", mapping=rules)
    _tell(outcomes, as_json=as_json)


@quarantine.command("dismiss")
def dismiss(
    row_ids: Annotated[list[int] | None, typer.Argument(metavar="ID…", show_default=False)] = None,
    layer: LayerOption = None,
    source: SourceOption = None,
    reason: ReasonOption = None,
    why: Annotated[str, typer.Option("--why", help="Why they need not be loaded.")] = "",
    author: AuthorOption = None,
) -> None:
    """Say of rows that they need not be loaded; later loads do not bring them back."""
    if not why:
        raise InputError("why need the rows not be loaded?", hint="give --why")
    if not (row_ids or layer or source or reason):
        raise InputError("give the numbers of rows, or --layer, --source or --reason")
    wanted = Wanted(source, layer, reason=reason, ids=tuple(row_ids) if row_ids else None)
    with connect(read_settings()).begin() as connection:
        read_city(connection)
        count = dismiss_rows(connection, wanted, author=_name_author(author), reason=why)
    typer.echo(f"{count:,} dòng bỏ qua · rows dismissed")


def _mend_all(
    connection: Connection, wanted: Wanted, changes: dict[str, str], author: str | None, why: str
) -> list[Outcome]:
    rows = list_quarantine(connection, wanted)
    if not rows:
        raise InputError(f"no row was rejected for '{wanted.reason}'", hint="see: twin quarantine list")
    return mend_rows(connection, {row.id: changes for row in rows}, author=_name_author(author), reason=why)


def _read_status(word: str) -> Status | None:
    if word not in ("open", "mended", "dismissed", "all"):
        raise InputError(f"status '{word}' is not known", hint="open, mended, dismissed or all")
    return None if word == "all" else word  # type: ignore[return-value]


def _read_values(values: Sequence[str], wkt: str | None) -> dict[str, str]:
    changes: dict[str, str] = {}
    for one in values:
        name, sign, value = one.partition("=")
        if not sign or not name:
            raise InputError(f"'{one}' is not COLUMN=VALUE")
        changes[name] = value
    return changes if wkt is None else {**changes, SHAPE: wkt, PLACED: "OGC:CRS84"}


def _name_author(author: str | None) -> str:
    return author or getpass.getuser()


def _tell(outcomes: Sequence[Outcome], *, as_json: bool) -> None:
    """Print what became of rows; exit code 1 where some are still wrong."""
    still = [one for one in outcomes if one.feature_id is None]
    if as_json:
        _print_json([one.as_dict() for one in outcomes])
    else:
        typer.echo(f"{len(outcomes) - len(still):,} dòng đã nạp · rows loaded, {len(still):,} còn lại · still wrong")
        for one in still[:20]:
            typer.echo(f"  {one.id}: {'; '.join(problem.words for problem in one.problems)}")
    if still:
        raise typer.Exit(1)


def _open_console() -> Console:
    return Console(width=None if sys.stdout.isatty() else 160)


def _print_row(console: Console, row: QuarantineRow) -> None:
    said = "; ".join(
        f"{one.words}{f' = {one.value!r}' if one.value is not None else ''}{f' ({one.hint})' if one.hint else ''}"
        for one in row.problems
    )
    console.print(f"{row.id}: {row.uri} · {row.layer} · row {row.row}: {said}", highlight=False, markup=False)


def _print_json(value: object) -> None:
    typer.echo(orjson.dumps(value, default=str).decode())

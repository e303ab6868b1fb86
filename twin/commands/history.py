"""``twin history``: the versions of a feature."""

import sys
from datetime import datetime
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from layers.editing.compare import compare_versions
from layers.errors import NotFoundError
from layers.registry import read_vector_layer
from layers.schema import VectorLayer
from layers.store.edits import read_edits
from layers.store.history import Pair, VersionRow, list_feature_versions
from twin.connect import connect_to_city
from twin.settings import read_settings


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("history")(show_history)


def show_history(
    layer: Annotated[str, typer.Argument(help="Layer id; see: twin layers.")],
    feature: Annotated[str, typer.Argument(help="Id of the feature.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Các phiên bản của một đối tượng — all versions of a feature."""
    declared = read_vector_layer(layer)
    with connect_to_city(read_settings()).connect() as connection:
        versions = list_feature_versions(connection, declared, feature)
        edits = read_edits(connection, [number for row in versions for number in (row.edit_id, row.ended_by)])
    if not versions:
        raise NotFoundError(f"layer '{layer}' never had a feature '{feature}'", hint="twin find searches")
    rows: list[dict[str, Any]] = []
    for number, row in enumerate(versions, start=1):
        edit = edits.get(row.edit_id or 0)
        rows.append(
            {
                "version": number,
                "valid": [row.valid_from, row.valid_to],
                "recorded": [row.recorded_from, row.recorded_to],
                "edit": edit.id if edit else None,
                "kind": edit.kind if edit else None,
                "author": edit.author if edit else None,
                "reason": edit.reason if edit else None,
                "ended_by": row.ended_by,
                "changed": _describe(declared, versions[number - 2] if number > 1 else None, row),
            }
        )
    if as_json:
        typer.echo(orjson.dumps(rows, option=orjson.OPT_UTC_Z, default=str).decode())
    else:
        _print(rows)


def _describe(layer: VectorLayer, before: VersionRow | None, row: VersionRow) -> dict[str, Any]:
    """Return old and new value of every property that changed, and how far the feature moved [m]."""
    difference = compare_versions(layer, Pair(before, row))
    changed: dict[str, Any] = {name: list(values) for name, values in difference.properties.items()}
    return changed | ({"geometry": difference.moved} if difference.moved is not None else {})


def _print(rows: list[dict[str, Any]]) -> None:
    table = Table("", "trong thực tế từ · valid", "ghi nhận · recorded", "ai · who", "vì sao · why", box=None)
    table.add_column("thay đổi · changed")
    for row in rows:
        changed = ", ".join(_write(name, value) for name, value in row["changed"].items())
        who = f"{row['author'] or '–'} ({row['kind'] or '–'} {row['edit'] or ''})"
        valid, recorded = (_write_span(*row[name]) for name in ("valid", "recorded"))
        table.add_row(str(row["version"]), valid, recorded, who, row["reason"] or "", changed)
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def _write(name: str, value: Any) -> str:
    return f"{name}: {value[0]} → {value[1]}" if isinstance(value, list) else f"{name}: {value} m"


def _write_span(start: datetime, end: datetime | None) -> str:
    written = [f"{moment:%Y-%m-%d %H:%M:%S}" for moment in (start, end) if moment is not None]
    return " → ".join(written if end is not None else [*written, "nay · now"])

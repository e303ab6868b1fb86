"""``twin count``: how much of a layer there is, in groups."""

import sys
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from layers.registry import read_vector_layer
from layers.schema import VectorLayer
from layers.store.migrate import read_city
from layers.store.query.aggregates import aggregate
from twin.commands.choosing import read_query
from twin.connect import connect
from twin.settings import read_settings


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("count")(count)


def count(
    layer: Annotated[str, typer.Argument(help="Layer id; see: twin layers.")],
    by: Annotated[
        str | None,
        typer.Option(help="material,year(installed),age(installed),class(height),bins(height,10),inside(wards)"),
    ] = None,
    measure: Annotated[str, typer.Option(help="count,length,area,sum(p),avg(p),min(p),max(p)")] = "count",
    where: Annotated[str | None, typer.Option(help="Only features that pass: CQL2.")] = None,
    bbox: Annotated[str | None, typer.Option(help="west,south,east,north in degrees.")] = None,
    at: Annotated[str | None, typer.Option(help="As it was then: 2026-11-22T10:00:00+07:00.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Đếm, cộng theo nhóm — count, measure and sum features in groups."""
    declared = read_vector_layer(layer)
    with connect(read_settings()).connect() as connection:
        read_city(connection)
        found = aggregate(connection, declared, read_query(where, bbox=bbox, at=at), group_by=by, measure=measure)
    if as_json:
        answer = {"layer": layer, "total": found.total, "groups": found.groups, "truncated": found.truncated}
        typer.echo(orjson.dumps(answer).decode())
        return
    keys = [key for key in (found.groups[0] if found.groups else {}) if key not in found.total]
    table = Table(*keys, box=None, header_style="bold")
    for name in found.total:
        table.add_column(name, justify="right")
    for group in found.groups:
        table.add_row(*(_write(group[key], declared, key) for key in keys), *(_write(group[m]) for m in found.total))
    table.add_row(*(["tổng · total"] + [""] * len(keys))[: len(keys)], *map(_write, found.total.values()), style="bold")
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    if found.truncated:
        typer.echo(f"chỉ {len(found.groups):,} nhóm lớn nhất · only the largest {len(found.groups):,} groups", err=True)


def _write(value: Any, layer: VectorLayer | None = None, key: str = "") -> str:
    """Return a cell as people read it: codes by their title, classes by their ends."""
    if isinstance(value, dict) and "from" in value:
        low, high = value["from"], value["to"]
        return f"< {high:g}" if low is None else f"≥ {low:g}" if high is None else f"{low:g} – {high:g}"
    if isinstance(value, dict):
        return f"{value['name']} ({value['id']})"
    prop = layer.find(key) if layer is not None else None
    code = next((code for code in prop.codes if code.value == value), None) if prop else None
    if code is not None:
        return code.title.vi
    if isinstance(value, float):
        return f"{value:,.1f}"
    return "–" if value is None else f"{value:,}" if isinstance(value, int) and not key else str(value)

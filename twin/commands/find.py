"""``twin find``: features by words, places by address."""

import sys
from dataclasses import asdict
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from layers.errors import InputError
from layers.registry import VECTOR_LAYERS, read_vector_layer
from layers.store.finding.geocode import geocode
from layers.store.finding.search import MAX_HITS, Hit, search
from layers.store.migrate import read_city
from twin.connect import connect
from twin.settings import read_settings


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("find")(find)


def find(
    words: Annotated[list[str], typer.Argument(help="Words of a name, address, code or id; no diacritics needed.")],
    layer: Annotated[list[str] | None, typer.Option(help="Only in this layer; may be repeated.")] = None,
    address: Annotated[bool, typer.Option("--address", help="Read the words as an address.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=MAX_HITS, help="Rows to show.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Tìm theo tên, địa chỉ, mã — find features by name, address, code or id."""
    if address and layer:
        raise InputError("--address reads all addresses and takes no --layer")
    chosen = [read_vector_layer(name) for name in layer] if layer else list(VECTOR_LAYERS.values())
    asked = " ".join(words)
    with connect(read_settings()).connect() as connection:
        read_city(connection)
        if address:
            rows = [asdict(place) for place in geocode(connection, asked, limit=limit)]
        else:
            rows = [_read_hit(hit) for hit in search(connection, asked, layers=chosen, limit=limit)]
    if as_json:
        typer.echo(orjson.dumps(rows).decode())
        return
    table = Table(
        "lớp · layer", "id", "", "tìm thấy · found", "kinh độ, vĩ độ · lon, lat", box=None, header_style="bold"
    )
    for row in rows:
        longitude, latitude = row["position"]
        again = f" ×{row['count']}" if row.get("count", 1) > 1 else ""
        kind = row.get("match") or row["kind"]
        table.add_row(row["layer"], row["id"], kind, row["text"] + again, f"{longitude:.6f}, {latitude:.6f}")
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    if not rows:
        typer.echo(f"không tìm thấy · nothing is like '{asked}'", err=True)
        raise typer.Exit(1)


def _read_hit(hit: Hit) -> dict[str, Any]:
    return {**{name: getattr(hit, name) for name in hit.__slots__}, "layer": hit.layer.id}

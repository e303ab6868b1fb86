"""``twin layers``: what the city is made of and how much of it there is."""

import sys
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from layers.registry import LAYERS
from layers.schema import VectorLayer
from layers.store.features import count_features
from layers.store.migrate import read_city
from layers.store.rasters import list_rasters
from layers.store.sources import list_sources
from twin.connect import connect
from twin.settings import read_settings


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("layers")(show_layers)


def show_layers(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Các lớp dữ liệu — the layers: id, title, geometry, count, sources."""
    rows: list[dict[str, Any]] = []
    with connect(read_settings()).connect() as connection:
        read_city(connection)
        for layer in LAYERS.values():
            vector = isinstance(layer, VectorLayer)
            rows.append(
                {
                    "id": layer.id,
                    "theme": layer.theme,
                    "title": {"vi": layer.title.vi, "en": layer.title.en},
                    "geometry": layer.geometry if isinstance(layer, VectorLayer) else "raster",
                    "count": count_features(connection, layer)
                    if isinstance(layer, VectorLayer)
                    else len(list_rasters(connection, layer=layer.id)),
                    "sources": [source.id for source in list_sources(connection, layer.id)] if vector else [],
                }
            )
    if as_json:
        typer.echo(orjson.dumps(rows).decode())
        return
    table = Table("id", "tên · title", "hình · geometry", box=None, header_style="bold")
    table.add_column("số · count", justify="right")
    table.add_column("nguồn · sources")
    for row in rows:
        title = f"{row['title']['vi']} · {row['title']['en']}"
        table.add_row(row["id"], title, row["geometry"], f"{row['count']:,}", ", ".join(row["sources"]))
    Console(width=None if sys.stdout.isatty() else 160).print(table)

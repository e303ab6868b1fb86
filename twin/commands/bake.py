"""``twin bake``: the public layers as one PMTiles archive."""

import asyncio
import os
import secrets
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from sqlalchemy import Connection

from layers.access import PUBLIC, asking_as, visible_layers
from layers.errors import InputError
from layers.registry import read_vector_layer
from layers.schema import Text, VectorLayer
from layers.store.engine import plain_url
from layers.store.migrate import read_city
from layers.store.objects import put_object, split_url
from layers.store.sources import list_sources
from layers.store.tiles import MAX_ZOOM
from twin.baking.bake import DEFAULT_MAX_ZOOM, Order, bake
from twin.baking.files import SUFFIX, name_archives
from twin.commands.choosing import read_bbox
from twin.connect import connect_to_city
from twin.progress import show_progress
from twin.settings import read_settings

_LONGEST_NAME = 80


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("bake")(bake_layers)


def bake_layers(
    layers: Annotated[list[str] | None, typer.Argument(help="Layer ids; without them all public layers.")] = None,
    out: Annotated[Path | None, typer.Option(help="The .pmtiles file; without it one that the server lists.")] = None,
    to: Annotated[str | None, typer.Option(help="Write it to this object instead: s3://bucket/key.pmtiles.")] = None,
    min_zoom: Annotated[
        int | None, typer.Option(min=0, max=MAX_ZOOM, help="Lowest zoom; without it where the layers begin.")
    ] = None,
    max_zoom: Annotated[int, typer.Option(min=0, max=MAX_ZOOM, help="Highest zoom.")] = DEFAULT_MAX_ZOOM,
    bounds: Annotated[
        str | None, typer.Option(help="west,south,east,north in degrees; without it wherever there are features.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Đóng gói ô bản đồ vào một tệp — bake tiles of the layers into one PMTiles file."""
    settings = read_settings()
    # An archive is read by anybody.
    with asking_as(PUBLIC):
        chosen = _choose_layers(layers or [])
    lowest = min(layer.min_zoom for layer in chosen) if min_zoom is None else min_zoom
    if lowest > max_zoom:
        raise InputError(f"the lowest zoom {lowest} is above the highest, {max_zoom}")
    box = read_bbox(bounds) if bounds is not None else None
    if out is not None and to is not None:
        raise InputError("both --out and --to are given", hint="leave one out")
    name = out.name if out is not None else f"{_name_archive(chosen, named=bool(layers))}{SUFFIX}"
    listed = settings.object_store is not None and out is None
    url = to or (f"{name_archives(str(settings.object_store))}/{name}" if listed else None)
    if not (url or name).endswith(SUFFIX):
        raise InputError(f"'{url or name}' does not end with {SUFFIX}")
    if url is not None:
        split_url(url)
    path = out or settings.archives_dir / (name if url is None else f".{secrets.token_hex(8)}{SUFFIX}")
    engine = connect_to_city(settings)
    with engine.connect() as connection:
        title, attribution = _describe(connection, chosen, named=bool(layers))
    order = Order(chosen, range(lowest, max_zoom + 1), box, title, attribution)
    with show_progress("Đóng gói ô bản đồ · baking tiles") as report:
        made = asyncio.run(
            bake(plain_url(engine), order, path, connections=len(os.sched_getaffinity(0)), report=report)
        )
    if url is not None:
        try:
            put_object(path, url)
        finally:
            path.unlink()
    if as_json:
        typer.echo(orjson.dumps({**asdict(made), "path": url or str(made.path)}).decode())
        return
    size = f"{made.size / 1e6:.1f} MB"
    typer.echo(f"{url or made.path}: {made.tiles:,} ô · tiles, {size}, {len(made.layers)} lớp · layers")
    if path.resolve().parent == settings.archives_dir.resolve() and (url is None or listed):
        typer.echo(f"/tiles/archives/{name}")
    if made.truncated:
        first = ", ".join(made.first_truncated)
        Console(stderr=True).print(
            f"twin: {made.truncated:,} ô bị cắt bớt · tiles are truncated, features were left out: {first}",
            style="yellow",
            highlight=False,
        )


def _choose_layers(names: list[str]) -> tuple[VectorLayer, ...]:
    """Return the layers called ``names``, each once, or all public ones; InputError for one that is not public."""
    if not names:
        return tuple(visible_layers().values())
    chosen = tuple(read_vector_layer(name) for name in dict.fromkeys(names))
    for layer in chosen:
        if layer.id not in visible_layers():
            raise InputError(f"layer '{layer.id}' is not public", hint="an archive is read by anybody: leave it out")
    return chosen


def _name_archive(layers: tuple[VectorLayer, ...], *, named: bool) -> str:
    name = "-".join(layer.id for layer in layers) if named else "city"
    if len(name) > _LONGEST_NAME:
        raise InputError(f"{len(layers)} layers make too long a name", hint="name the file: --out")
    return name


def _describe(connection: Connection, layers: tuple[VectorLayer, ...], *, named: bool) -> tuple[Text, str]:
    """Return the title of an archive in both languages, and whom its data is from."""
    city = read_city(connection)
    said: Any = city.declaration.get("title") or {}
    title = Text(said.get("vi") or city.id, said.get("en") or city.id)
    if named:
        title = Text(
            f"{title.vi}: {', '.join(layer.title.vi for layer in layers)}",
            f"{title.en}: {', '.join(layer.title.en for layer in layers)}",
        )
    wanted = {layer.id for layer in layers}
    givers = [row.attribution for row in list_sources(connection) if wanted & set(row.layers) and row.attribution]
    givers.append(str(city.declaration.get("attribution") or ""))
    # Viewers write it into their page as it is.
    return title, escape("; ".join(dict.fromkeys(giver for giver in givers if giver)), quote=False)

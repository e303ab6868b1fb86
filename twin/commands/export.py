"""``twin export``: features of a layer to a file."""

from pathlib import Path
from typing import Annotated

import typer

from layers.access import is_open
from layers.errors import InputError
from layers.ingest.crs import read_crs
from layers.ingest.export import SUFFIXES, check_target, export_features
from layers.registry import read_vector_layer
from layers.store.items import select_frame
from layers.store.migrate import read_city
from layers.store.query.ordering import parse_sort
from layers.store.query.queries import read_query as read_saved
from twin.audit.commanding import name_user
from twin.audit.entry import Entry
from twin.audit.recording import record_alone
from twin.commands.choosing import read_query
from twin.connect import connect
from twin.settings import read_settings


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("export")(export)


def export(
    to: Annotated[Path, typer.Option("--to", help=f"File: {' '.join(SUFFIXES)}")],
    layer: Annotated[str | None, typer.Argument(help="Layer id; see: twin layers. Not needed with --query.")] = None,
    crs: Annotated[str, typer.Option(help="CRS of the file.")] = "EPSG:4326",
    where: Annotated[
        str | None, typer.Option("--filter", help="Only features that pass: CQL2, as height > 3 and use = 'house'.")
    ] = None,
    bbox: Annotated[str | None, typer.Option(help="west,south,east,north in degrees.")] = None,
    at: Annotated[str | None, typer.Option(help="As it was then: 2026-11-22T10:00:00+07:00.")] = None,
    query: Annotated[str | None, typer.Option(help="A saved query; see /api/queries.")] = None,
    sortby: Annotated[str | None, typer.Option(help="Order of rows: +use,-height.")] = None,
) -> None:
    """Xuất một lớp ra tệp — write a layer to a file."""
    check_target(to, read_crs(crs))
    engine = connect(read_settings())
    with engine.connect() as connection:
        read_city(connection)
        saved = read_saved(connection, query).words if query is not None else None
        if (saved is None) == (layer is None):
            raise InputError("name a layer, or a saved query with --query, and not both")
        declared = read_vector_layer(saved.layer if saved else str(layer))
        chosen = read_query(where, saved.filter if saved else None, bbox=bbox, at=at)
        order = sortby or (saved.sortby if saved else None)
        names = [prop.name for prop in declared.properties]
        if saved is not None and saved.properties is not None:
            wanted = [name.strip() for name in saved.properties.split(",")]
            names = [name for name in names if name in wanted]
        frame = select_frame(connection, declared, names, chosen, order=parse_sort(order) if order else ())
    if not is_open(declared.id):
        record_alone(engine, Entry("export", f"layer:{declared.id}", detail={"properties": names}, who=name_user()))
    count = export_features(frame, declared, to, crs=crs)
    typer.echo(f"{to}: {count:,} {declared.title.vi} · {declared.title.en}")

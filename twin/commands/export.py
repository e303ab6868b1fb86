"""``twin export``: a layer to a file."""

from pathlib import Path
from typing import Annotated

import typer

from layers.datum import CRS84, make_transformer
from layers.errors import InputError
from layers.ingest.crs import read_crs
from layers.ingest.export import check_target, export_features
from layers.registry import read_vector_layer
from layers.store.features import select_features
from layers.store.migrate import read_city
from twin.connect import connect
from twin.settings import read_settings


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("export")(export)


def export(
    layer: Annotated[str, typer.Argument(help="Layer id; see: twin layers.")],
    to: Annotated[Path, typer.Option("--to", help="File: .gpkg .geojson .fgb .csv, .zip for a shapefile.")],
    crs: Annotated[str, typer.Option(help="CRS of the file.")] = "EPSG:4326",
    bbox: Annotated[str | None, typer.Option(help="west,south,east,north in degrees.")] = None,
) -> None:
    """Xuất một lớp ra tệp — write a layer to a file."""
    declared = read_vector_layer(layer)
    check_target(to, read_crs(crs))
    degrees = read_bbox(bbox) if bbox is not None else None
    with connect(read_settings()).connect() as connection:
        srid = read_city(connection).srid
        bounds = None
        if degrees is not None:
            moving = make_transformer(CRS84, f"EPSG:{srid}")
            bounds = moving.transform_bounds(*degrees)
        frame = select_features(connection, declared, bounds=bounds)
    count = export_features(frame, declared, to, crs=crs)
    typer.echo(f"{to}: {count:,} {declared.title.vi} · {declared.title.en}")


def read_bbox(words: str) -> tuple[float, float, float, float]:
    """Return west, south, east, north [degrees]; InputError says what is wrong with ``words``."""
    try:
        west, south, east, north = (float(part) for part in words.split(","))
    except ValueError as error:
        raise InputError(f"bbox '{words}' is not four numbers", hint="west,south,east,north in degrees") from error
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise InputError(f"bbox '{words}' is not west < east and south < north in degrees")
    return west, south, east, north

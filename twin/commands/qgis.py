"""``twin qgis``: the city as a project for QGIS."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from layers.access import PUBLIC, asking_as
from layers.errors import InputError
from twin.connect import connect_to_city
from twin.qgis.contents import read_contents
from twin.qgis.project import build_project, write_project
from twin.settings import read_settings


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("qgis")(qgis)


def qgis(
    out: Annotated[Path, typer.Option(help="File: .qgz or .qgs.")] = Path("city.qgz"),
    server: Annotated[
        str | None, typer.Option(help="Address the layers are read from; else TWIN_PUBLIC_URL, else this machine.")
    ] = None,
) -> None:
    """Dự án QGIS của thành phố — write a QGIS project of all layers with their styles."""
    settings = read_settings()
    address = server or settings.public_url or f"http://{settings.host}:{settings.port}"
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(f"--server '{address[:80]}' is not an address", hint="write http://host:port")
    if out.suffix.lower() not in (".qgz", ".qgs"):
        raise InputError(f"--out '{out.name}' is no QGIS project", hint="name it .qgz or .qgs")
    # The file goes from hand to hand: it names what everybody sees.
    with asking_as(PUBLIC), connect_to_city(settings).connect() as connection:
        contents = read_contents(connection, address)
        out.write_bytes(write_project(contents) if out.suffix.lower() == ".qgz" else build_project(contents))
    held = sum(1 for count in contents.counts.values() if count)
    typer.echo(f"{out}: {held} lớp · layers, {contents.server}")

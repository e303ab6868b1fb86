"""``twin scene``: a run in three dimensions as one web page."""

from pathlib import Path
from typing import Annotated

import typer

from twin.connect import connect_to_city
from twin.scene import write_scene
from twin.settings import read_settings


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("scene")(scene)


def scene(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="Id of a finished run; see twin jobs list.")],
    to: Annotated[Path, typer.Option(help="The page to write.")] = Path("scene.html"),
) -> None:
    """Write a run's buildings and water as one self-contained page."""
    settings = read_settings()
    with connect_to_city(settings).connect() as connection:
        size = write_scene(connection, settings.processed_dir, run_id, to)
    typer.echo(f"{to} ({size / 1e6:.1f} MB)")

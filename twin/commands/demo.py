"""``twin demo``: make the files of the synthetic demo city."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from twin.demo.city import generate_city
from twin.progress import show_progress
from twin.settings import read_settings


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("demo")(make_demo)


def make_demo(
    to: Annotated[Path | None, typer.Option(help="Folder to write; default data/raw/demo.")] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same city.")] = 2026,
    end: Annotated[datetime | None, typer.Option(help="Last reading (UTC); default the current hour.")] = None,
) -> None:
    """Generate the synthetic demo city: terrain, layers, sixty days of readings, catalogue."""
    folder = to or read_settings().raw_dir / "demo"
    # The option names no zone; its help says UTC.
    last = None if end is None else end.replace(tzinfo=UTC)
    with show_progress("Demo city") as report:
        catalog = generate_city(folder, seed=seed, end=last, progress=lambda message, share: report(share, message))
    typer.echo(catalog)

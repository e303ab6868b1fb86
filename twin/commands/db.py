"""``twin db``: start, stop, migrate and look at the database."""

import asyncio
from typing import Annotated

import orjson
import typer

from layers.ingest.catalog import read_catalog
from layers.store.cluster import stop_cluster
from layers.store.engine import check_connection, plain_url
from layers.store.migrate import migrate, read_city
from layers.store.overviews import refresh_overviews
from twin.connect import connect
from twin.settings import read_settings

db = typer.Typer(help="The database: start, stop, migrate, status.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the family to the command line."""
    app.add_typer(db, name="db")


@db.command("start")
def start() -> None:
    """Start the private cluster (made the first time) and print its URL."""
    typer.echo(plain_url(connect(read_settings())))


@db.command("stop")
def stop() -> None:
    """Stop the private cluster."""
    stop_cluster(read_settings().state_dir / "postgres")


@db.command("migrate")
def migrate_database() -> None:
    """Create or upgrade all tables for the city of the catalogue."""
    settings = read_settings()
    city = read_catalog(settings.catalog_path).city
    for line in migrate(connect(settings), city.id, city.crs, city.model_dump(mode="json")):
        typer.echo(line)


@db.command("overviews")
def draw_overviews() -> None:
    """Draw anew what low zooms are drawn from; without it the first who looks waits for it."""
    url = plain_url(connect(read_settings()))
    for layer_id, cells in asyncio.run(refresh_overviews(url)).items():
        typer.echo(f"{layer_id}: {cells:,} cells")


@db.command("status")
def status(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Say which database is in force, its PostGIS and its city."""
    engine = connect(read_settings())
    postgis = check_connection(engine)
    with engine.connect() as connection:
        city = read_city(connection)
    if as_json:
        typer.echo(orjson.dumps({"postgis": postgis, "city": city.id, "srid": city.srid}).decode())
    else:
        typer.echo(f"PostGIS {postgis}, city '{city.id}' in EPSG:{city.srid}")

"""``twin db``: start, stop, migrate and look at the database."""

import asyncio
from typing import Annotated

import orjson
import typer

from layers.errors import ConflictError
from layers.ingest.catalog import read_catalog
from layers.store.cluster import stop_cluster
from layers.store.engine import check_connection, plain_url
from layers.store.migrate import downgrade, migrate, read_city
from layers.store.overviews import mark_overviews, refresh_overviews
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


@db.command("downgrade")
def downgrade_database(
    revision: Annotated[str, typer.Argument(help="Revision that stays, such as 0018.")],
    lose: Annotated[bool, typer.Option("--lose", help="Lose what newer revisions added.")] = False,
) -> None:
    """Take back the newest migrations, for an older version of the program; make a backup first."""
    if not lose:
        raise ConflictError(
            f"what came after revision {revision} is lost with all its content",
            hint="type: twin backup, then say so with --lose",
        )
    for taken in downgrade(connect(read_settings()), revision):
        typer.echo(f"Took back {taken}")


@db.command("overviews")
def draw_overviews(
    everything: Annotated[bool, typer.Option("--all", help="All of it, not only what changed.")] = False,
) -> None:
    """Draw anew what low zooms are drawn from; without it the first who looks waits for it."""
    engine = connect(read_settings())
    if everything:
        with engine.begin() as connection:
            mark_overviews(connection)
    url = plain_url(engine)
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
